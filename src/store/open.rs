//! From a path to a healthy, current database file: creation and the check before use.
//!
//! Promises: a file that is damaged, foreign or newer is not changed by one byte; a database
//! file appears whole or not at all, so that one found empty was never ours half-made.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::backup::{backup, backup_dir};
use super::{StoreError, migrate};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// How every connection is opened.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        // A checkpoint every 16 MiB of log: fewer stalls than the default 4 MiB.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864")
}

/// Opens the database at `path` for writing, created or brought up to date.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    if !path.try_exists().map_err(sqlx::Error::Io)? {
        create(path).await?;
    }
    let known = known_schema();
    let found = check(path).await?;
    if found > known {
        return Err(StoreError::NewerSchema {
            path: path.display().to_string(),
            found,
            known,
        });
    }
    let mut connection = durable(options(path)).connect().await?;
    if found < known {
        backup(&mut connection, path, &format!("schema-{found}")).await?;
    }
    migrate::run(&mut connection, &embedded::migrations::runner()).await?;
    Ok(connection)
}

/// The newest schema version that this binary knows.
pub fn known_schema() -> i64 {
    let runner = embedded::migrations::runner();
    let versions = runner.get_migrations().iter().map(|m| i64::from(m.version()));
    versions.max().unwrap_or(0)
}

fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
}

/// Makes the database under another name and links it into place. Of two processes that do so
/// at once the second finds the database of the first.
async fn create(path: &Path) -> Result<(), StoreError> {
    if with_suffix(path, "-wal")
        .metadata()
        .is_ok_and(|log| log.len() > 0)
    {
        // SQLite would play the log of the lost database into the new one.
        return Err(damaged(
            path,
            "the file is missing, but its log, the file of that name with -wal behind it, is here",
        ));
    }
    let new = with_suffix(path, &format!(".{:016x}.new", fastrand::u64(..)));
    let made = async {
        let mut connection = durable(options(&new).create_if_missing(true)).connect().await?;
        migrate::run(&mut connection, &embedded::migrations::runner()).await?;
        // Closing folds the log into the file too, but says nothing when the disk refuses; and the
        // log stays behind below.
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        if has_log(&new) {
            let why = io::Error::other("its first tables could not be written");
            return Err(sqlx::Error::Io(why).into());
        }
        match std::fs::hard_link(&new, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // File systems without links, such as exFAT. There the lock on the data directory
            // alone keeps a second process away.
            Err(_) if !path.exists() => std::fs::rename(&new, path),
            other => other,
        }
        .and_then(|()| sync_folder(path))
        .map_err(sqlx::Error::Io)?;
        Ok(())
    };
    let made = made.await;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(with_suffix(&new, suffix));
    }
    made
}

fn has_log(path: &Path) -> bool {
    with_suffix(path, "-wal")
        .metadata()
        .is_ok_and(|log| log.len() > 0)
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The schema version of a database that is healthy and ours. Writes nothing to the file.
pub(super) async fn check(path: &Path) -> Result<i64, StoreError> {
    if path.metadata().is_ok_and(|meta| meta.len() == 0) {
        return Err(damaged(path, "the file is empty"));
    }
    let look = async {
        // A connection that may only read does not even fold the log into the file.
        let mut connection = options(path).read_only(true).connect().await?;
        let answer: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut connection)
            .await?;
        // SQLite takes the missing end of the last page for zeros; only an interrupted
        // checkpoint may leave one, and then the log has the whole page.
        let page: i64 = sqlx::query_scalar("PRAGMA page_size")
            .fetch_one(&mut connection)
            .await?;
        if path.metadata()?.len() % (page.max(1) as u64) != 0 && !has_log(path) {
            return Ok(("the file ends within a page".to_owned(), 0, 0));
        }
        let tables: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('job', 'refinery_schema_history')",
        )
        .fetch_one(&mut connection)
        .await?;
        if answer != "ok" || tables < 2 {
            return Ok((answer, tables, 0));
        }
        let version: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history")
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok((answer, tables, version))
    };
    match look.await {
        Ok((answer, ..)) if answer != "ok" => Err(damaged(path, &answer)),
        Ok((_, 2.., version)) => Ok(version),
        Ok(_) => Err(damaged(path, "it holds no tables of hfdepot")),
        Err(sqlx::Error::Database(error)) if tells_damage(error.as_ref()) => {
            Err(damaged(path, error.message()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether SQLite complains about the content of the file, not about getting at it:
/// SQLITE_ERROR (an unknown file format, a schema that does not parse), _CORRUPT and _NOTADB.
fn tells_damage(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 1 | 11 | 26))
}

/// The error of a first statement on an opened database: what tells of damage is called that.
pub(super) fn blamed(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) if tells_damage(error.as_ref()) => {
            damaged(path, error.message())
        }
        other => other,
    }
}

pub(super) fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::Damaged {
        path: path.display().to_string(),
        why: why.to_owned(),
        backups: backup_dir(path).display().to_string(),
    }
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// One connection that changes no byte of the database at `path`; a service may be running on it.
///
/// # Errors
/// [`StoreError::Absent`] when there is no file, or what SQLite says.
pub(super) async fn onlooker(path: &Path) -> Result<SqlitePool, StoreError> {
    if !path.exists() {
        let path = path.display().to_string();
        return Err(StoreError::Absent { path });
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // Without a log nobody has it open, and no file has to be made beside it: one that
    // belongs to another user would keep the service from starting.
    let alone = !Path::new(&log).exists();
    Ok(SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options(path).read_only(true).immutable(alone))
        .await?)
}
