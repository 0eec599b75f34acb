//! Floor 1: everything that is kept in SQLite, and the only place that knows SQL.
//!
//! Promises: a state change that was answered survives a loss of power; a write of a run
//! that lost its lease changes nothing; no reader waits for a writer. Nothing here touches
//! the network or the cache.
//!
//! There is one writer connection and a read-only pool. A write transaction is either a
//! *promise* (`synchronous=FULL`: what a client was told, state changes, synced marks) or
//! *progress* (`NORMAL`: may be lost with the power, never with the process).

mod backup;
mod ballast;
mod bulk;
mod chain;
mod change;
mod choice;
mod claim;
mod error;
mod events;
mod file_list;
mod files;
mod history;
mod items;
mod jobs;
mod keys;
mod library;
mod limits;
mod listing;
mod migrate;
mod open;
mod order;
mod parts;
mod seal;
mod settings;
mod speed;
mod summary;
mod targets;
mod work;
mod writer;

use std::path::Path;

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::sync::broadcast;

pub use backup::{BACKUPS, BACKUPS_KEPT, Backup, Restored, backup_file, backups, newest_backup, restore};
use ballast::Ballast;
pub use bulk::{Bulk, BulkResult, Wish};
pub use change::{Change, Refused};
pub use choice::{ChoiceRefused, NewFile};
pub use claim::{Claimed, Lease, Outcome, Waiting};
pub use error::{Hindrance, StoreError};
pub use events::{EventsQuery, NewEvent};
pub use files::{FileProgress, FileRow, FileSettled, JobProgress};
pub use history::{History, HistoryQuery};
pub use items::{Item, ItemSettled, ItemState, ItemTotal, NewItem, RepoDone};
pub use jobs::{Job, Submitted};
pub use keys::ApiKey;
pub use library::{
    BlobMark, InUse, LibraryDetail, LibraryDownload, LibraryEntry, LibraryFileRow, LibraryKnown,
    LibraryQuery, LibraryRevisionRow, SharedFiles,
};
pub use listing::{JobFilter, JobsQuery};
pub use migrate::MigrateError;
pub use open::known_schema;
pub use order::MoveTo;
pub use parts::{FileParts, Part, PartIdentity, SyncedPart, WrittenMark};
pub use settings::saved_settings;
pub use speed::{SpeedPoint, SpeedRange, SpeedSeries};
pub use summary::{NeedsYou, Totals};
pub use targets::TargetRow;
pub use work::NewWork;
use writer::{Durability, WriteTx, Writer};

/// Name of the database in the data directory.
pub const DATABASE: &str = "hfdepot.db";
/// Readers at once; each holds its page cache, and home-lab load needs few.
const READERS: u32 = 4;

/// The database of one data directory. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: SqlitePool,
}

impl Store {
    /// Opens (or creates) the database at `path` and brings its schema up to date; an
    /// existing one is copied to `backups/` beside it before a migration changes it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and [`StoreError::NewerSchema`] leave the file untouched.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::opened(path)
            .await
            .map_err(|error| open::blamed(path, error))
    }

    async fn opened(path: &Path) -> Result<Self, StoreError> {
        let mut connection = open::open(path).await?;
        seal::seal_old(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // A file on this machine does not hang up; each look would be a turn of its thread.
            .test_before_acquire(false)
            .connect_with(open::options(path).read_only(true))
            .await?;
        Ok(Self {
            writer: Writer::new(connection, Some(Ballast::beside(path))).await?,
            readers,
        })
    }

    /// Sequence numbers of jobs, each sent after the commit that changed the job.
    pub fn changes(&self) -> broadcast::Receiver<i64> {
        self.writer.changes()
    }

    /// Whether the database takes a write; for readiness checks.
    ///
    /// # Errors
    /// What SQLite says when it does not.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Progress).await?;
        if tx.follows_a_failure() {
            // A commit of nothing writes nothing and would find nothing wrong. This number of the
            // file's header is nobody's, and setting it writes a page.
            sqlx::raw_sql("PRAGMA user_version = 0")
                .execute(tx.connection())
                .await?;
        }
        tx.commit().await
    }

    /// Sets space aside beside the database at `path`, which is given up when its volume is full.
    /// Does nothing when it is there, or when there is little room.
    ///
    /// # Errors
    /// When the file system cannot set space aside.
    pub fn lay_ballast(&self, path: &Path) -> std::io::Result<()> {
        Ballast::beside(path).lay()
    }

    /// Promises committed since the store was opened: a simulation of a loss of power has to
    /// know which commits outlive it.
    #[doc(hidden)]
    pub fn promises(&self) -> u64 {
        self.writer.promises()
    }

    /// Whether no call is under way. SQLite works on threads of its own, and a simulated clock,
    /// which leaps when nothing else is to be done, has to wait for them.
    #[doc(hidden)]
    pub fn is_idle(&self) -> bool {
        self.readers.size() as usize == self.readers.num_idle() && self.writer.is_idle()
    }

    /// Ends all reading and writes the log back into the database file. The writer closes
    /// with the last clone of the store.
    pub async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.idle().await;
        if let Err(error) = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut writer.sqlite)
            .await
        {
            tracing::warn!(%error, "the write-ahead log could not be folded into the database; the next start does it");
        }
    }

    async fn begin(&self, durability: Durability) -> Result<WriteTx, StoreError> {
        self.writer.begin(durability).await
    }
}
