//! Floor 1: everything that is kept in SQLite, and the only place that knows SQL.
//!
//! Promises: a state change that was answered survives a loss of power; a write of a run
//! that lost its lease changes nothing; no reader waits for a writer. Nothing here touches
//! the network or the cache.
//!
//! There is one writer connection and a read-only pool. A write transaction is either a
//! *promise* (`synchronous=FULL`: what a client was told, state changes, synced marks) or
//! *progress* (`NORMAL`: may be lost with the power, never with the process).

mod claim;
mod error;
mod events;
mod files;
mod jobs;
mod migrate;
mod parts;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, broadcast};

pub use claim::{Claimed, Lease, Outcome, Waiting};
pub use error::StoreError;
pub use events::{EventRow, HistoryEntry, HistoryQuery};
pub use files::{FileProgress, FileRow, FileSettled, JobProgress, NewFile};
pub use jobs::{Change, Job, JobsQuery, Refused, Submitted};
pub use parts::{Part, PartIdentity, SyncedPart, WrittenMark};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Backups of the database that are kept.
const BACKUPS_KEPT: usize = 7;
/// Readers at once; each holds its page cache, and home-lab load needs few.
const READERS: u32 = 4;

/// The database of one data directory. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
    changes: broadcast::Sender<i64>,
}

struct Writer {
    connection: SqliteConnection,
    durability: Durability,
    /// A transaction was begun and its end is unknown: its future may have been dropped.
    open: bool,
}

/// How much a commit has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// A loss of power: the commit returns after the log is on disk.
    Promise,
    /// A crash of the process.
    Progress,
}

/// A write transaction on the one writer; rolled back unless committed.
struct WriteTx {
    writer: OwnedMutexGuard<Writer>,
}

impl WriteTx {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.writer.connection
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        sqlx::raw_sql("COMMIT")
            .execute(&mut self.writer.connection)
            .await?;
        self.writer.open = false;
        Ok(())
    }
}

impl Store {
    /// Opens (or creates) the database at `path` and brings its schema up to date; an
    /// existing one is copied to `backups/` beside it before a migration changes it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and [`StoreError::NewerSchema`] leave the file untouched.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let existed = path.metadata().is_ok();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .pragma("temp_store", "memory")
            // A checkpoint every 16 MiB of log: fewer stalls than the default 4 MiB.
            .pragma("wal_autocheckpoint", "4096")
            .pragma("journal_size_limit", "67108864");
        if existed {
            check_health(path, &options).await?;
        }
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = options.connect().await?;
        let runner = embedded::migrations::runner();
        let known = runner
            .get_migrations()
            .iter()
            .map(|m| i64::from(m.version()))
            .max()
            .unwrap_or(0);
        let found = schema_version(&mut connection).await?;
        if found > known {
            return Err(StoreError::NewerSchema {
                path: path.display().to_string(),
                found,
                known,
            });
        }
        if existed && found > 0 && found < known {
            backup(&mut connection, path, &format!("schema-{found}")).await?;
        }
        migrate::run(&mut connection, &runner).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        let writer = Writer {
            connection,
            durability: Durability::Promise,
            open: false,
        };
        // Room for a burst of changes; a listener that falls behind reloads everything.
        let (changes, _) = broadcast::channel(4096);
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            readers,
            changes,
        })
    }

    /// Sequence numbers of jobs, each sent after the commit that changed the job.
    pub fn changes(&self) -> broadcast::Receiver<i64> {
        self.changes.subscribe()
    }

    /// Whether the database takes a write; for readiness checks.
    ///
    /// # Errors
    /// What SQLite says when it does not.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.begin(Durability::Progress).await?.commit().await
    }

    /// Writes the log back into the database file and closes both ends.
    pub async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        if let Err(error) = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut writer.connection)
            .await
        {
            tracing::warn!(%error, "the write-ahead log could not be folded into the database; the next start does it");
        }
    }

    /// Copies the database to `backups/`, where the newest seven are kept.
    ///
    /// # Errors
    /// When the copy cannot be written; the database is unharmed.
    pub async fn backup(&self, path: &Path, label: &str) -> Result<PathBuf, StoreError> {
        backup(&mut self.writer.lock().await.connection, path, label).await
    }

    async fn begin(&self, durability: Durability) -> Result<WriteTx, StoreError> {
        let mut writer = self.writer.clone().lock_owned().await;
        if writer.open {
            // The future of an earlier transaction was dropped half-way, or its COMMIT was:
            // then there is nothing to roll back, and SQLite says so.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut writer.connection).await;
            writer.open = false;
        }
        if writer.durability != durability {
            // The pragma has no effect inside a transaction.
            let pragma = match durability {
                Durability::Promise => "PRAGMA synchronous = FULL",
                Durability::Progress => "PRAGMA synchronous = NORMAL",
            };
            sqlx::raw_sql(pragma).execute(&mut writer.connection).await?;
            writer.durability = durability;
        }
        writer.open = true;
        sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut writer.connection)
            .await?;
        Ok(WriteTx { writer })
    }

    fn notify(&self, job_seq: i64) {
        // No listener is no error.
        let _ = self.changes.send(job_seq);
    }
}

async fn schema_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let exists: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'refinery_schema_history'")
            .fetch_one(&mut *connection)
            .await?;
    if exists == 0 {
        return Ok(0);
    }
    Ok(
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history")
            .fetch_one(connection)
            .await?,
    )
}

/// Refuses a file that is no healthy database, before anything writes to it.
async fn check_health(path: &Path, options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged {
        path: path.display().to_string(),
        why,
        backups: backup_dir(path).display().to_string(),
    };
    if path.metadata().is_ok_and(|meta| meta.len() == 0) {
        return Err(damaged("the file is empty".to_owned()));
    }
    let check = async {
        let mut connection = options.clone().connect().await?;
        let answer: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut connection)
            .await?;
        let tables: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('job', 'refinery_schema_history')",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>((answer, tables))
    };
    match check.await {
        Ok((answer, _)) if answer != "ok" => Err(damaged(answer)),
        Ok((_, 0)) => Err(damaged("it holds no table of hfdepot".to_owned())),
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if !is_busy(error.as_ref()) => {
            Err(damaged(error.message().to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_busy(error: &dyn sqlx::error::DatabaseError) -> bool {
    // SQLITE_BUSY and SQLITE_LOCKED with their extended codes.
    error
        .code()
        .is_some_and(|code| code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)))
}

fn backup_dir(path: &Path) -> PathBuf {
    path.with_file_name("backups")
}

async fn backup(connection: &mut SqliteConnection, path: &Path, label: &str) -> Result<PathBuf, StoreError> {
    let dir = backup_dir(path);
    std::fs::create_dir_all(&dir).map_err(sqlx::Error::Io)?;
    let stamp = crate::clock::now_ms();
    let copy = dir.join(format!("hfdepot-{stamp}-{label}.db"));
    let quoted = copy.display().to_string().replace('\'', "''");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{quoted}'")))
        .execute(connection)
        .await?;
    let mut copies: Vec<PathBuf> = std::fs::read_dir(&dir)
        .map_err(sqlx::Error::Io)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "db"))
        .collect();
    copies.sort();
    for old in copies.iter().rev().skip(BACKUPS_KEPT) {
        let _ = std::fs::remove_file(old);
    }
    Ok(copy)
}
