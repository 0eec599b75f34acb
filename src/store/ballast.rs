//! Space set aside beside the database. On a full volume it is given up, so that the database
//! can still record what waits and what the user wants.
//!
//! Promises: never more than one file of [`BALLAST_BYTES`]; none where space is short already.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

/// Enough for the log of some thousand changes.
const BALLAST_BYTES: u64 = 8 << 20;
/// Below so much free space the volume keeps every byte.
const ROOM_BYTES: u64 = 16 * BALLAST_BYTES;

/// The file of one database.
#[derive(Debug, Clone)]
pub(super) struct Ballast(PathBuf);

impl Ballast {
    /// Beside `database`; nothing is laid yet.
    pub(super) fn beside(database: &Path) -> Self {
        Self(database.with_extension("ballast"))
    }

    /// Sets the space aside when it is not and there is room. Where a file system cannot promise
    /// space to a file, nothing is laid: a file of holes would keep nothing.
    pub(super) fn lay(&self) -> io::Result<()> {
        if self.0.metadata().is_ok_and(|meta| meta.len() == BALLAST_BYTES) {
            return Ok(());
        }
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let volume = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")))?;
        if volume.f_bavail.saturating_mul(volume.f_frsize) < ROOM_BYTES {
            return Ok(());
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.0)?;
        let laid = allocate(&file);
        if laid.is_err() {
            self.give_up();
        }
        laid
    }

    /// Gives the space back to the volume; whether there was any.
    pub(super) fn give_up(&self) -> bool {
        std::fs::remove_file(&self.0).is_ok()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn allocate(file: &std::fs::File) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    Ok(fallocate(file, FallocateFlags::empty(), 0, BALLAST_BYTES)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn allocate(_: &std::fs::File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
