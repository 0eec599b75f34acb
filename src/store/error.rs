//! What can go wrong on the store floor.

/// An error of the database or of a rule it keeps.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused or failed.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// The database cannot be used now, for a reason outside of it: the same call may succeed later.
    #[error("{hindrance} ({why})")]
    Unavailable {
        /// What stands in the way.
        hindrance: Hindrance,
        /// What SQLite says.
        why: String,
    },
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
    /// There is no database file to read.
    #[error(
        "{path} does not exist yet: no service has run with this data directory. Is --data-dir the right one?"
    )]
    Absent {
        /// Where it would be.
        path: String,
    },
    /// The database file is from a version that did not keep all of this yet.
    #[error("{path} has schema version {found}, older than this command: start `hfdepot serve` on it once")]
    OlderSchema {
        /// The database file.
        path: String,
        /// Version in the file.
        found: i64,
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

/// What keeps the database from being used for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// No space is left on its volume.
    Full,
    /// Its volume fails, refuses writes, or went away.
    Volume,
    /// Another program holds it for longer than the busy timeout.
    Busy,
}

impl std::fmt::Display for Hindrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "The volume of the database is full",
            Self::Volume => "The volume of the database fails",
            Self::Busy => "Another program holds the database",
        })
    }
}

impl Hindrance {
    /// By SQLite's primary result codes (<https://sqlite.org/rescode.html>).
    fn of(error: &sqlx::Error) -> Option<Self> {
        let code = match error {
            // Every reader waits for the volume.
            sqlx::Error::PoolTimedOut => return Some(Self::Busy),
            sqlx::Error::Database(error) => error.code()?.parse::<i32>().ok()?,
            _ => return None,
        };
        match code & 0xff {
            5 | 6 => Some(Self::Busy),
            // READONLY, IOERR, CANTOPEN. A quota shows as IOERR too: SQLite knows ENOSPC only.
            8 | 10 | 14 => Some(Self::Volume),
            13 => Some(Self::Full),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match Hindrance::of(&error) {
            Some(hindrance) => Self::Unavailable {
                hindrance,
                why: error.to_string(),
            },
            None => Self::Database(error),
        }
    }
}

impl StoreError {
    /// What stands in the way, when the same call may succeed later.
    pub fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::Unavailable { hindrance, .. } => Some(*hindrance),
            _ => None,
        }
    }

    /// The same error once more, for each of several that wait for one call.
    pub(crate) fn shared(&self) -> Self {
        match self {
            Self::Unavailable { hindrance, why } => Self::Unavailable {
                hindrance: *hindrance,
                why: why.clone(),
            },
            Self::LeaseLost => Self::LeaseLost,
            error => Self::Unreadable {
                table: "segment",
                row: "synced marks".to_owned(),
                why: error.to_string(),
            },
        }
    }
}
