//! What the bytes of part files are written to.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Writes and syncs as the kernel does; what stands in for it.
pub trait Platter: Send + Sync {
    /// Writes all of `bytes` at `offset`; after a failure it is unknown how much.
    ///
    /// # Errors
    /// As `pwrite(2)`.
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Brings everything written before this call to the disk.
    ///
    /// # Errors
    /// As `fdatasync(2)`.
    fn sync(&self, file: &File) -> io::Result<()>;
}

/// Where the bytes of part files go. No setting and no flag leads away from the disk.
#[derive(Clone, Default)]
pub enum Medium {
    /// To the file system.
    #[default]
    Disk,
    /// To what stands in for it, and can fail and forget.
    Within(Arc<dyn Platter>),
}

impl Medium {
    pub(super) fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Disk => file.write_all_at(bytes, offset),
            Self::Within(platter) => platter.write_all_at(file, bytes, offset),
        }
    }

    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        match self {
            Self::Disk => file.sync_data(),
            Self::Within(platter) => platter.sync(file),
        }
    }
}

impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disk => "Disk",
            Self::Within(_) => "Within",
        })
    }
}
