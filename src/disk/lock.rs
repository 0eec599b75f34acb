//! Advisory locks: one process per data directory, and the lock files that
//! `huggingface_hub` and other programs use around a blob.
//!
//! All are `flock(2)` on files that are never deleted: a lock file that is removed while
//! somebody waits for it lets two processes hold "the" lock.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use super::error::DiskError;
use super::folder::Folder;

/// How often a held blob lock is tried again; what Python's `filelock` does.
const POLL: Duration = Duration::from_millis(50);

/// Name of the lock in the data directory.
const DATA_DIR_LOCK: &str = "hfdepot.lock";

/// What trying to lock an open file gave.
pub(crate) enum Try {
    /// Held until the file is closed.
    Locked,
    /// Another process (or another open of this one) holds it.
    Busy,
    /// The file system has no locks.
    Unsupported,
}

/// Tries to take the exclusive lock on an open file without waiting.
pub(crate) fn try_lock(file: &File) -> io::Result<Try> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Try::Locked),
        Err(Errno::WOULDBLOCK) => Ok(Try::Busy),
        Err(Errno::NOSYS | Errno::NOTSUP | Errno::NOLCK) => Ok(Try::Unsupported),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether `name` in `folder` still is the open `file`, or was removed or replaced meanwhile.
pub(crate) fn is_still_there(folder: &Folder, name: &str, file: &File) -> Result<bool, DiskError> {
    let metadata = file
        .metadata()
        .map_err(|error| DiskError::new("look at", folder.path().join(name), error))?;
    let entry = folder.entry(name)?;
    Ok(entry.is_some_and(|entry| entry.inode == metadata.ino()))
}

/// Takes `<etag>.lock` in `.locks/<repo folder>`, waiting until `deadline`. Dropping the file
/// releases it. `None` means: go on without. That is safe, because unique temporary names and
/// atomic renames carry the correctness; the lock only spares others double work. It happens
/// when the time is up (`hf` holds its lock for a whole download), when the file system has no
/// locks, or when the lock file belongs to a user who does not share it.
pub(crate) fn lock_blob(folder: &Folder, name: &str, deadline: Instant) -> Result<Option<File>, DiskError> {
    loop {
        let Some(file) = open_shared(folder, name)? else {
            return Ok(None);
        };
        match try_lock(&file).map_err(|error| DiskError::new("lock", folder.path().join(name), error))? {
            Try::Locked if is_still_there(folder, name, &file)? => return Ok(Some(file)),
            Try::Locked => {}
            Try::Unsupported => return Ok(None),
            Try::Busy if Instant::now() >= deadline => return Ok(None),
            Try::Busy => thread::sleep(POLL),
        }
    }
}

/// The answer of [`try_lock_blob`].
pub(crate) enum BlobLock {
    /// Nobody else works on the blob while this lives; `None` where there are no locks to take.
    Free(Option<File>),
    /// Somebody works on it.
    Busy,
}

/// [`lock_blob`] without waiting, for what must not happen while somebody works on the blob.
pub(crate) fn try_lock_blob(folder: &Folder, name: &str) -> Result<BlobLock, DiskError> {
    let Some(file) = open_shared(folder, name)? else {
        return Ok(BlobLock::Free(None));
    };
    let tried = try_lock(&file).map_err(|error| DiskError::new("lock", folder.path().join(name), error))?;
    Ok(match tried {
        Try::Locked => BlobLock::Free(Some(file)),
        Try::Unsupported => BlobLock::Free(None),
        Try::Busy => BlobLock::Busy,
    })
}

/// Opens or creates a lock file with mode 0664 whatever the umask, so that other users of the
/// same group can lock it too (`huggingface_hub` pull request 3714).
fn open_shared(folder: &Folder, name: &str) -> Result<Option<File>, DiskError> {
    loop {
        match folder.create_file(name, 0o664) {
            Ok(file) => {
                // Refused on file systems without modes; then there is nothing to share either.
                let _ = file.set_permissions(std::fs::Permissions::from_mode(0o664));
                return Ok(Some(file));
            }
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        for flags in [OFlags::RDWR, OFlags::RDONLY] {
            match folder.open_file(name, flags, 0) {
                Ok(file) => return Ok(Some(file)),
                Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) if error.is_not_found() => break,
                Err(error) => return Err(error),
            }
        }
        if folder.entry(name)?.is_some() {
            return Ok(None);
        }
    }
}

/// Why the data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another hfdepot runs on it.
    #[error("Another hfdepot{} already uses the data directory {}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), .dir.display())]
    Held {
        /// Its process id, when it could be read.
        pid: Option<u32>,
        /// The data directory.
        dir: PathBuf,
    },
    /// The directory or its lock file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The right to use a data directory, held until dropped. The kernel frees it when the process
/// dies, however it dies.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    /// Locks `dir` for this process and writes the process id into `hfdepot.lock`. A missing
    /// directory is created with mode 0700.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it; never waits.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| DiskError::new("create the data directory", dir, error))?;
        let folder = Folder::open_root(dir)?;
        let mut file = folder.open_file(DATA_DIR_LOCK, OFlags::RDWR | OFlags::CREATE, 0o600)?;
        let path = dir.join(DATA_DIR_LOCK);
        match try_lock(&file).map_err(|error| DiskError::new("lock", &path, error))? {
            Try::Locked => {}
            Try::Busy => {
                let mut text = String::new();
                let pid = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held {
                    pid,
                    dir: dir.to_owned(),
                });
            }
            Try::Unsupported => {
                let why = "the file system has no locks; SQLite would not be safe on it either";
                return Err(DiskError::unexpected("lock", &path, why).into());
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|error| DiskError::new("write", &path, error))?;
        Ok(Self { _file: file })
    }
}
