//! The one connection that writes, and its transactions.
//!
//! Promises: a transaction that is not committed leaves nothing behind, whether it was
//! refused, failed, or its future was dropped at any point; no commit is less durable than it
//! was asked to be; a row of the record is sealed by the commit that makes it; and of every job
//! that a commit changed the listeners are told after it. Nothing else here knows a table.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteOperation;
use tokio::sync::{Mutex, OwnedMutexGuard, broadcast};

use super::ballast::Ballast;
use super::file_list::FileList;
use super::seal::{self, Unsealed};
use super::{Hindrance, StoreError};

/// How much a commit has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A loss of power: the commit returns after the log is on disk.
    Promise,
    /// A crash of the process.
    Progress,
}

/// The writer connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer {
    connection: Arc<Mutex<Connection>>,
    promises: Arc<AtomicU64>,
    changes: broadcast::Sender<i64>,
}

pub(super) struct Connection {
    pub(super) sqlite: SqliteConnection,
    /// What `synchronous` is set to; `None` while it is being set, because the future that
    /// sets it may be dropped after SQLite obeyed.
    durability: Option<Durability>,
    /// A transaction was begun and its end is unknown: its future may have been dropped.
    open: bool,
    /// Given up when a commit finds no space.
    ballast: Option<Ballast>,
    /// The last commit that had something to write failed.
    failing: bool,
    /// Promises committed so far.
    promises: Arc<AtomicU64>,
    /// Rows of the record that the open transaction has inserted, triggers included: SQLite
    /// tells of each, and no other row is ever sealed.
    unsealed: Arc<std::sync::Mutex<Unsealed>>,
}

/// A write transaction on the one writer; rolled back unless committed.
pub(super) struct WriteTx {
    // Taken by `commit` and by the drop, which ends what was not committed.
    connection: Option<OwnedMutexGuard<Connection>>,
    /// The files of a job that ends in this transaction, gathered before it began.
    pub(super) files: Option<FileList>,
    changed: Changed,
}

/// Jobs that a transaction has changed, and who is to be told of them.
struct Changed {
    jobs: Vec<i64>,
    listeners: broadcast::Sender<i64>,
}

impl Changed {
    fn tell(&mut self) {
        for job in self.jobs.drain(..) {
            // No listener is no error.
            let _ = self.listeners.send(job);
        }
    }
}

impl Writer {
    pub(super) async fn new(
        mut sqlite: SqliteConnection,
        ballast: Option<Ballast>,
    ) -> Result<Self, StoreError> {
        let unsealed = Arc::new(std::sync::Mutex::new(Unsealed::default()));
        let told = unsealed.clone();
        sqlite.lock_handle().await?.set_update_hook(move |change| {
            if change.operation == SqliteOperation::Insert {
                let mut rows = told.lock().unwrap_or_else(PoisonError::into_inner);
                rows.inserted(change.table, change.rowid);
            }
        });
        let promises = Arc::<AtomicU64>::default();
        let connection = Connection {
            sqlite,
            durability: None,
            open: false,
            ballast,
            failing: false,
            promises: promises.clone(),
            unsealed,
        };
        // Room for a burst of changes; a listener that falls behind reloads everything.
        let (changes, _) = broadcast::channel(4096);
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            promises,
            changes,
        })
    }

    /// The connection outside of any transaction.
    pub(super) async fn idle(&self) -> OwnedMutexGuard<Connection> {
        let mut connection = self.connection.clone().lock_owned().await;
        connection.end_open().await;
        connection
    }

    /// Sequence numbers of the jobs that commits change, each sent after its commit.
    pub(super) fn changes(&self) -> broadcast::Receiver<i64> {
        self.changes.subscribe()
    }

    /// Promises committed so far.
    pub(super) fn promises(&self) -> u64 {
        self.promises.load(Relaxed)
    }

    /// Whether nobody has the connection.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.try_lock().is_ok()
    }

    pub(super) async fn begin(&self, durability: Durability) -> Result<WriteTx, StoreError> {
        let mut connection = self.idle().await;
        if connection.durability != Some(durability) {
            connection.durability = None;
            // The pragma has no effect inside a transaction.
            let pragma = match durability {
                Durability::Promise => "PRAGMA synchronous = FULL",
                Durability::Progress => "PRAGMA synchronous = NORMAL",
            };
            sqlx::raw_sql(pragma).execute(&mut connection.sqlite).await?;
            connection.durability = Some(durability);
        }
        connection.open = true;
        connection.take_unsealed();
        sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut connection.sqlite)
            .await?;
        Ok(WriteTx {
            connection: Some(connection),
            files: None,
            changed: Changed {
                jobs: Vec::new(),
                listeners: self.changes.clone(),
            },
        })
    }
}

impl Connection {
    fn take_unsealed(&self) -> Unsealed {
        std::mem::take(&mut *self.unsealed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn end_open(&mut self) {
        if self.open {
            // Where nothing is open any more, such as after a COMMIT whose future was
            // dropped, SQLite says so, and all is well.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.sqlite).await;
            self.open = false;
        }
    }
}

impl WriteTx {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        let connection = self.connection.as_mut();
        &mut connection
            .expect("only `commit` takes it, and that ends the transaction")
            .sqlite
    }

    /// The listeners are to be told of this job, which the transaction changes.
    pub(super) fn changed(&mut self, job_seq: i64) {
        self.changed.jobs.push(job_seq);
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let unsealed = self
            .connection
            .as_ref()
            .map(|connection| connection.take_unsealed());
        if let Some(rows) = unsealed.filter(|rows| !rows.is_empty()) {
            let files = self.files.take();
            seal::seal(self.connection(), &rows, files).await?;
        }
        let committed = sqlx::raw_sql("COMMIT").execute(self.connection()).await;
        let committed = committed.map(drop).map_err(StoreError::from);
        // After a failure the drop rolls back what SQLite has not rolled back itself.
        if let Some(connection) = &mut self.connection {
            connection.failing = committed.is_err();
            // A quota that is used up shows as a failure of the volume.
            let has_no_space = matches!(&committed, Err(error) if matches!(error.hindrance(), Some(Hindrance::Full | Hindrance::Volume)));
            if has_no_space && connection.ballast.as_ref().is_some_and(Ballast::give_up) {
                tracing::warn!("the database found no space: the space set aside for it was given up");
            }
        }
        committed?;
        if let Some(mut connection) = self.connection.take() {
            connection.open = false;
            let is_promise = connection.durability == Some(Durability::Promise);
            connection.promises.fetch_add(u64::from(is_promise), Relaxed);
        }
        self.changed.tell();
        Ok(())
    }

    /// Whether the commit before this transaction failed.
    pub(super) fn follows_a_failure(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|connection| connection.failing)
    }
}

impl Drop for WriteTx {
    /// Rolls back soon: an open transaction would lock out other programs and the copy for a
    /// backup. Without a runtime the next user of the connection does it.
    ///
    /// A COMMIT whose future was dropped may have been obeyed, so the listeners are told then too:
    /// to look again at a job that did not change costs them little.
    fn drop(&mut self) {
        if let (Some(mut connection), Ok(runtime)) =
            (self.connection.take(), tokio::runtime::Handle::try_current())
        {
            let listeners = self.changed.listeners.clone();
            let mut changed = std::mem::replace(
                &mut self.changed,
                Changed {
                    jobs: Vec::new(),
                    listeners,
                },
            );
            runtime.spawn(async move {
                connection.end_open().await;
                changed.tell();
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use sqlx::Connection as _;

    use super::*;

    async fn writer(dir: &tempfile::TempDir) -> Writer {
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("a.db").display());
        let mut sqlite = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS word (text TEXT NOT NULL)")
            .execute(&mut sqlite)
            .await
            .unwrap();
        Writer::new(sqlite, None).await.unwrap()
    }

    async fn synchronous(tx: &mut WriteTx) -> i64 {
        sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(tx.connection())
            .await
            .unwrap()
    }

    async fn write(writer: &Writer, durability: Durability, text: &str) {
        let mut tx = writer.begin(durability).await.unwrap();
        sqlx::query("INSERT INTO word VALUES (?)")
            .bind(text)
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Polls `future` until it was woken `times` times, then drops it; true when it was done before.
    async fn dropped_after(future: impl Future, times: usize) -> bool {
        let mut future = Box::pin(future);
        for _ in 0..times {
            if future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
            {
                return true;
            }
            // The connection works on a thread of its own: give it time to come any distance.
            tokio::time::sleep(std::time::Duration::from_micros(200)).await;
        }
        false
    }

    #[tokio::test]
    async fn promises_are_full_and_progress_is_normal_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(&dir).await;
        for (durability, expected) in [
            (Durability::Progress, 1),
            (Durability::Progress, 1),
            (Durability::Promise, 2),
            (Durability::Progress, 1),
            (Durability::Promise, 2),
            (Durability::Promise, 2),
        ] {
            let mut tx = writer.begin(durability).await.unwrap();
            assert_eq!(synchronous(&mut tx).await, expected, "{durability:?}");
            tx.commit().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_write_dropped_at_any_point_is_whole_or_absent_and_harms_no_later_one() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(&dir).await;
        let mut finished = false;
        for times in 0..200 {
            write(&writer, Durability::Promise, "before").await;
            finished = dropped_after(write(&writer, Durability::Progress, "dropped"), times).await;
            let mut tx = writer.begin(Durability::Promise).await.unwrap();
            assert_eq!(synchronous(&mut tx).await, 2, "after {times} polls");
            tx.commit().await.unwrap();
            let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM word WHERE text = 'before'")
                .fetch_one(&mut writer.idle().await.sqlite)
                .await
                .unwrap();
            assert_eq!(count, times as i64 + 1);
            if finished {
                break;
            }
        }
        assert!(finished, "the write was dropped at every point up to its end");
    }

    #[tokio::test]
    async fn of_a_write_that_counts_the_listeners_are_told_wherever_it_was_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(&dir).await;
        let mut listener = writer.changes();
        let (mut finished, mut counts) = (false, 0);
        for times in 0..200 {
            let write = async {
                let mut tx = writer.begin(Durability::Promise).await.unwrap();
                tx.changed(times);
                sqlx::query("INSERT INTO word VALUES ('dropped')")
                    .execute(tx.connection())
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            };
            finished = dropped_after(write, times as usize).await;
            let before = counts;
            counts = sqlx::query_scalar("SELECT COUNT(*) FROM word")
                .fetch_one(&mut writer.idle().await.sqlite)
                .await
                .unwrap();
            if counts > before {
                assert_eq!(listener.try_recv(), Ok(times), "after {times} polls");
            }
            // Told in vain does no harm.
            let _ = listener.try_recv();
            if finished {
                break;
            }
        }
        assert!(finished, "the write was dropped at every point up to its end");
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_lets_other_connections_write() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(&dir).await;
        let other = self::writer(&dir).await;
        drop(writer.begin(Durability::Promise).await.unwrap());
        // Within SQLite's busy timeout, though nobody uses the first writer again.
        write(&other, Durability::Promise, "other").await;
    }
}
