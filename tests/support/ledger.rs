//! The database of a simulation: what it says, asked past the store, and what of it a loss of
//! power leaves, which the length of SQLite's log tells: each commit makes it longer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hfdepot::model::repo::BlobId;
use hfdepot::model::segment::Segment;
use hfdepot::model::state::JobStatus;
use hfdepot::store::{DATABASE, Part, PartIdentity, Store};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::base::FOLDER;
use super::virtual_time::Leaping;

/// A log of this length is folded into the database and begins anew. Most runs write a tenth of it.
const LOG_MAX_BYTES: u64 = 4096 * 4096;

/// What a client shows of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub status: JobStatus,
    pub wait_reason: Option<String>,
    pub error: String,
    pub downloaded_bytes: i64,
}

/// By sequence number: what is shown of each job, `None` once it is dismissed, and the number of
/// the run that holds it.
pub type Rows = BTreeMap<i64, (Option<Shown>, Option<i64>)>;

pub fn status(rows: &Rows, seq: i64) -> Option<JobStatus> {
    rows.get(&seq)?.0.as_ref().map(|shown| shown.status)
}

/// A database of the newest schema with nothing in it, as bytes: making one takes longer than many
/// a run. For a thread without a runtime.
pub fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(DATABASE);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.expect("a runtime").block_on(async {
            let store = Store::open(&path).await.expect("a database");
            store.close().await;
        });
        std::fs::read(&path).expect("a database")
    })
}

/// What a loss of power would leave of a database: its log as the last promise left it, or as it
/// was at any moment since.
#[derive(Clone)]
pub struct Moments(Arc<Mutex<Noted>>);

struct Noted {
    store: Store,
    log: PathBuf,
    /// Promises that the lengths know of.
    promises: u64,
    /// Lengths of the log.
    lengths: Vec<u64>,
}

impl Moments {
    /// Looks from now on at the database of `store`.
    pub fn begin(store: &Store, database: &Path) -> Self {
        let log = log_of(database);
        Self(Arc::new(Mutex::new(Noted {
            store: store.clone(),
            promises: store.promises(),
            lengths: vec![length(&log)],
            log,
        })))
    }

    /// Notes this moment.
    pub fn note(&self) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (promises, now) = (noted.store.promises(), length(&noted.log));
        // Then all of it is durable.
        if now >= LOG_MAX_BYTES {
            noted.lengths.clear();
        }
        // A promise that changed nothing wrote nothing, and so made nothing else durable.
        if noted.lengths.last() != Some(&now) {
            if promises > noted.promises {
                noted.lengths.clear();
            }
            noted.lengths.push(now);
        }
        noted.promises = promises;
    }

    /// Notes each moment at which `clock` is about to leap.
    pub fn note_at_rest(&self, clock: &Leaping) {
        let this = self.clone();
        clock.at_rest(move || this.note());
    }

    /// One of the lengths that the log may have after a loss of power at this moment.
    pub fn any(&self, chance: &mut fastrand::Rng) -> u64 {
        self.note();
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *chance.choice(&noted.lengths).expect("some")
    }
}

fn log_of(database: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", database.display()))
}

fn length(log: &Path) -> u64 {
    log.metadata().map_or(0, |log| log.len())
}

/// One database and what it said last.
pub struct Ledger {
    path: PathBuf,
    log: PathBuf,
    /// A connection of nobody's, for what the store never tells.
    connection: SqliteConnection,
    rows: Option<(i64, Rows)>,
    parts: Option<(i64, BTreeMap<BlobId, Part>)>,
    unwanted: Option<(i64, Vec<(i64, i64)>)>,
}

impl Ledger {
    pub async fn open(path: &Path) -> Self {
        let connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await;
        Self {
            path: path.to_owned(),
            log: log_of(path),
            connection: connection.expect("the database opens"),
            rows: None,
            parts: None,
            unwanted: None,
        }
    }

    /// Length of the log, which each commit makes longer.
    pub fn log_bytes(&self) -> u64 {
        length(&self.log)
    }

    /// A number that every commit of the store changes, and nothing else. The length of the log will
    /// not do: a commit writes its pages there some time before it counts.
    async fn version(&mut self) -> i64 {
        let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.connection);
        version.await.expect("the database works")
    }

    /// Leaves at `path` what the database was when its log had this length.
    pub fn copy_as_of(&self, log_bytes: u64, path: &Path) {
        let mut log = std::fs::read(&self.log).unwrap_or_default();
        log.truncate(log_bytes as usize);
        std::fs::copy(&self.path, path).expect("copied");
        std::fs::write(format!("{}-wal", path.display()), log).expect("written");
    }

    /// Every job that was ever acknowledged, by its sequence number.
    pub async fn rows(&mut self) -> Rows {
        let now = self.version().await;
        if let Some((_, rows)) = self.rows.as_ref().filter(|(at, _)| *at == now) {
            return rows.clone();
        }
        let sql = "SELECT seq, status, wait_reason, error, downloaded_bytes, dismissed_at IS NULL AS listed,
                          CASE WHEN lease_owner IS NOT NULL THEN lease_epoch END AS epoch FROM job";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let row = |row: SqliteRow| {
            let shown = row.get::<bool, _>("listed").then(|| Shown {
                status: row.get::<String, _>("status").parse().expect("a status"),
                wait_reason: row.get("wait_reason"),
                error: row.get("error"),
                downloaded_bytes: row.get("downloaded_bytes"),
            });
            let epoch: Option<i64> = row.get("epoch");
            (row.get::<i64, _>("seq"), (shown, epoch))
        };
        let rows: Rows = rows.expect("the database works").into_iter().map(row).collect();
        self.rows = Some((now, rows.clone()));
        rows
    }

    /// The row of a part.
    pub async fn part(&mut self, blob: BlobId) -> Option<Part> {
        let now = self.version().await;
        let still = self.parts.take().filter(|(at, _)| *at == now);
        let (at, parts) = match still {
            Some(known) => known,
            // All at once: to ask for each would be most of what a run asks.
            None => (now, self.all_parts().await),
        };
        let part = parts.get(&blob).cloned();
        self.parts = Some((at, parts));
        part
    }

    async fn all_parts(&mut self) -> BTreeMap<BlobId, Part> {
        let sql = "SELECT part.*, start_bytes, length_bytes, written_bytes, synced_bytes
                   FROM part LEFT JOIN segment ON part_id = part.id WHERE folder = ? ORDER BY start_bytes";
        let rows = sqlx::query(sql)
            .bind(FOLDER)
            .fetch_all(&mut self.connection)
            .await;
        let mut parts = BTreeMap::new();
        for row in rows.expect("the database works") {
            let blob = row.get::<String, _>("blob_id").parse().expect("an id");
            let part = parts.entry(blob).or_insert_with(|| Part {
                id: row.get("id"),
                size_bytes: row.get::<i64, _>("size_bytes") as u64,
                identity: PartIdentity {
                    boot_id: row.get("boot_id"),
                    mount_id: row.get("mount_id"),
                    device: row.get("device"),
                    inode: row.get("inode"),
                },
                hash_state: row.get("hash_state"),
                hashed_bytes: row.get::<i64, _>("hashed_bytes") as u64,
                segments: vec![],
            });
            let bytes = |name: &str| row.get::<Option<i64>, _>(name).map(|bytes| bytes as u64);
            if let Some(start) = bytes("start_bytes") {
                part.segments.push(Segment {
                    start,
                    length: bytes("length_bytes").expect("a length"),
                    written: bytes("written_bytes").expect("a mark"),
                    synced: bytes("synced_bytes").expect("a mark"),
                });
            }
        }
        parts
    }

    /// Sequence number and number of each run of `owner` whose user wants something else.
    pub async fn unwanted_runs(&mut self, store: &Store, owner: &Arc<str>) -> Vec<(i64, i64)> {
        let now = self.version().await;
        if let Some((_, runs)) = self.unwanted.as_ref().filter(|(at, _)| *at == now) {
            return runs.clone();
        }
        let runs = store.unwanted_runs(owner).await.expect("the database works");
        let runs: Vec<_> = runs.into_iter().map(|(seq, epoch, _)| (seq, epoch)).collect();
        self.unwanted = Some((now, runs.clone()));
        runs
    }
}
