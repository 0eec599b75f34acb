//! What can go wrong on the store floor.

/// An error of the database or of a rule it keeps.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused or failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("database schema: {0}")]
    Migrate(#[from] super::migrate::MigrateError),
    /// The database was written by a newer hfdepot.
    #[error(
        "{path} has schema version {found}, this hfdepot knows {known}: start the newer hfdepot, or restore a backup"
    )]
    NewerSchema {
        /// The database file.
        path: String,
        /// Version in the file.
        found: i64,
        /// Newest version this binary knows.
        known: i64,
    },
    /// The database file is damaged or no database of ours.
    #[error(
        "{path} is damaged or no hfdepot database ({why}); it was left untouched. Restore a copy from {backups}, or move the file away to begin anew: files in the cache are found again"
    )]
    Damaged {
        /// The database file.
        path: String,
        /// What SQLite says.
        why: String,
        /// The folder with backups.
        backups: String,
    },
    /// A row holds what this binary cannot read.
    #[error("table {table}, row {row}: {why}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// Its key.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// Another run took the job over, or the job ended: this run must stop and write nothing more.
    #[error("the lease on the job is lost")]
    LeaseLost,
}
