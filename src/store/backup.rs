//! Copies of the database: made, listed, and put back in place of it.
//!
//! Promises: a copy has its name only when it is whole and on disk; what is put in place was
//! checked before, byte by byte the same; the database that was there is kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use super::open::{check, damaged, known_schema, options, sync_folder, with_suffix};
use super::{Store, StoreError};
use crate::clock::now_ms;
use crate::model::backup::BackupName;
use crate::model::repo::NameError;

/// Folder of the copies, in the data directory beside the database.
pub const BACKUPS: &str = "backups";
/// Copies of each sort that are kept.
pub const BACKUPS_KEPT: usize = 7;

/// One copy of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its file in the folder of the copies.
    pub name: BackupName,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Version of the schema in it; `None` when the file cannot be read as a database of ours.
    pub schema_version: Option<i64>,
}

/// A copy that was put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The file it was taken from.
    pub from: PathBuf,
    /// Version of the schema in it.
    pub schema_version: i64,
    /// The folder with what was in place before; `None` when there was nothing.
    pub kept_in: Option<PathBuf>,
}

/// The folder of the copies of the database at `path`.
pub(super) fn backup_dir(path: &Path) -> PathBuf {
    path.with_file_name(BACKUPS)
}

/// When the newest copy of the database in `data_dir` was made; `None` when there is none.
pub fn newest_backup(data_dir: &Path) -> Option<SystemTime> {
    fs::read_dir(data_dir.join(BACKUPS))
        .ok()?
        .flatten()
        .filter(|entry| named(entry).is_some())
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
}

fn named(entry: &fs::DirEntry) -> Option<BackupName> {
    entry.file_name().to_str()?.parse().ok()
}

/// The names of the copies in a folder, newest first; none when it does not exist.
fn names(dir: &Path) -> io::Result<Vec<BackupName>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| named(&entry)).collect();
    names.sort_unstable();
    names.reverse();
    Ok(names)
}

/// The copies in `data_dir`, newest first.
///
/// # Errors
/// When their folder cannot be read.
pub async fn backups(data_dir: &Path) -> Result<Vec<Backup>, StoreError> {
    let dir = data_dir.join(BACKUPS);
    let mut found = Vec::new();
    for name in names(&dir).map_err(sqlx::Error::Io)? {
        // One that went since the folder was read is left out.
        if let Some(backup) = look_at(&dir, name).await {
            found.push(backup);
        }
    }
    Ok(found)
}

async fn look_at(dir: &Path, name: BackupName) -> Option<Backup> {
    let path = dir.join(name.as_str());
    let size_bytes = path.metadata().ok()?.len();
    Some(Backup {
        schema_version: schema_of(&path).await.ok(),
        name,
        size_bytes,
    })
}

async fn schema_of(path: &Path) -> Result<i64, sqlx::Error> {
    // Nobody writes to a copy, so nothing has to be made beside it.
    let mut connection = options(path).read_only(true).immutable(true).connect().await?;
    let version = sqlx::query_scalar("SELECT MAX(version) FROM refinery_schema_history")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(version)
}

/// Where the copy with this name lies; `None` when there is none.
pub fn backup_file(data_dir: &Path, name: &BackupName) -> Option<PathBuf> {
    let path = data_dir.join(BACKUPS).join(name.as_str());
    path.symlink_metadata()
        .is_ok_and(|meta| meta.is_file())
        .then_some(path)
}

impl Store {
    /// Copies the database at `path`, that of this store, to `backups/`, where the newest seven of each
    /// sort are kept. Writers do not wait for it.
    ///
    /// # Errors
    /// When the copy cannot be written; the database is unharmed.
    pub async fn backup(&self, path: &Path, label: &str) -> Result<Backup, StoreError> {
        let mut reader = self.readers.acquire().await?;
        backup(&mut reader, path, label).await
    }
}

/// Copies the database into `backups/` beside it and drops all but the newest copies of that sort.
pub(super) async fn backup(
    connection: &mut SqliteConnection,
    path: &Path,
    label: &str,
) -> Result<Backup, StoreError> {
    let dir = backup_dir(path);
    fs::create_dir_all(&dir).map_err(sqlx::Error::Io)?;
    let name = free_name(&dir, label)?;
    let copy = dir.join(name.as_str());
    // Under its name only when it is whole and on disk.
    let half = Half(with_suffix(&copy, ".half"));
    let quoted = half.0.display().to_string().replace('\'', "''");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{quoted}'")))
        .execute(connection)
        .await?;
    let placed = || {
        fs::File::open(&half.0)?.sync_all()?;
        fs::rename(&half.0, &copy)?;
        sync_folder(&copy)
    };
    placed().map_err(sqlx::Error::Io)?;
    drop_old(&dir, &name);
    look_at(&dir, name)
        .await
        .ok_or_else(|| sqlx::Error::Io(io::ErrorKind::NotFound.into()).into())
}

/// A database file that goes, with what SQLite puts beside it, unless it gets another name.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(with_suffix(&self.0, suffix));
        }
    }
}

/// A name that no copy has: two may be made within one millisecond.
fn free_name(dir: &Path, label: &str) -> Result<BackupName, StoreError> {
    let mut at = now_ms();
    loop {
        let name = BackupName::new(at, label)
            .map_err(|NameError(why)| sqlx::Error::Io(io::Error::new(io::ErrorKind::InvalidInput, why)))?;
        if !dir.join(name.as_str()).exists() {
            return Ok(name);
        }
        at += 1;
    }
}

/// Keeps the newest copies of the sort of `newest`, and clears away what a crash left half-made.
fn drop_old(dir: &Path, newest: &BackupName) {
    let same = names(dir).unwrap_or_default().into_iter();
    for old in same
        .filter(|name| name.sort() == newest.sort())
        .skip(BACKUPS_KEPT)
    {
        let _ = fs::remove_file(dir.join(old.as_str()));
    }
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let half = name
            .to_str()
            .and_then(|name| name.strip_suffix(".half")?.parse::<BackupName>().ok());
        // One that is being made now is newer.
        if half.is_some_and(|half| half < *newest) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Puts the database file `from` in place of the one at `path`, which is kept in a folder beside it.
/// The caller holds the lock of the data directory.
///
/// # Errors
/// [`StoreError::Damaged`] and [`StoreError::NewerSchema`] name `from`; then, as with every error,
/// the database at `path` is as it was.
pub async fn restore(path: &Path, from: &Path) -> Result<Restored, StoreError> {
    let new = Half(with_suffix(
        path,
        &format!(".{:016x}.restored", fastrand::u64(..)),
    ));
    // Checked is the very file that is put in place, with nothing beside it.
    copy_whole(from, &new.0).map_err(sqlx::Error::Io)?;
    let checked = match check(&new.0).await {
        Ok(version) => whole(&new.0).await.map(|()| version),
        Err(error) => Err(error),
    };
    let schema_version = checked.map_err(|error| match error {
        StoreError::Damaged { why, .. } => damaged(from, &why),
        error => error,
    })?;
    if schema_version > known_schema() {
        return Err(StoreError::NewerSchema {
            path: from.display().to_string(),
            found: schema_version,
            known: known_schema(),
        });
    }
    let kept_in = put_in_place(path, &new.0).map_err(sqlx::Error::Io)?;
    Ok(Restored {
        from: from.to_owned(),
        schema_version,
        kept_in,
    })
}

/// Every page and every index, which the quick check of a start leaves out.
async fn whole(path: &Path) -> Result<(), StoreError> {
    let mut connection = options(path).read_only(true).immutable(true).connect().await?;
    let answer: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    match answer.as_str() {
        "ok" => Ok(()),
        why => Err(damaged(path, why)),
    }
}

fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut source = fs::File::open(from)?;
    // It holds the token.
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut source, &mut file)?;
    file.sync_all()
}

/// Keeps the database with its log as they are in a folder of their own, then renames `new` into
/// place. The log goes before: it must never be played into the other database. A crash on the way
/// leaves everything in that folder.
fn put_in_place(path: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    let present: Vec<PathBuf> = ["", "-wal", "-shm"]
        .iter()
        .map(|suffix| with_suffix(path, suffix))
        .filter(|file| file.symlink_metadata().is_ok())
        .collect();
    let kept_in = match present.is_empty() {
        true => None,
        false => Some(keep(path, &present)?),
    };
    for beside in &present {
        if beside != path {
            fs::remove_file(beside)?;
        }
    }
    sync_folder(path)?;
    fs::rename(new, path)?;
    sync_folder(path)?;
    Ok(kept_in)
}

fn keep(path: &Path, present: &[PathBuf]) -> io::Result<PathBuf> {
    let dir = path.with_file_name(format!("replaced-{:013}", now_ms()));
    fs::create_dir(&dir)?;
    for file in present {
        let to = dir.join(file.file_name().unwrap_or_default());
        // File systems without links, such as exFAT.
        if fs::hard_link(file, &to).is_err() {
            copy_whole(file, &to)?;
        }
        sync_folder(&to)?;
    }
    sync_folder(&dir)?;
    Ok(dir)
}
