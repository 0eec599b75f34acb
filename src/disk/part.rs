//! The part file: bytes of a blob on their way, at their final offsets.
//!
//! A part never has a final name and is never trusted by its length (space is allocated in
//! front). Which bytes are real stands in the checkpoint rows only, in this order: bytes,
//! then [`PartFile::sync`], then the row.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::error::DiskError;
use super::folder::Folder;
use super::identity::Identity;
use super::lock::{Try, is_still_there, try_lock};
use super::medium::Medium;
use super::repo::RepoDir;
use super::staging;
use crate::model::repo::BlobId;

/// First and shortest step of an allocation, and the time that one should take: writers wait for it.
const STEP_BYTES: u64 = 8 << 20;
const STEP_TIME: Duration = Duration::from_millis(4);

/// `TMPFS_MAGIC` of statfs(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// An open part file, locked against every other process and every other open of this one.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    folder: Folder,
    name: String,
    size_bytes: u64,
    medium: Medium,
}

/// A part file with what the checkpoint needs to know about it.
#[derive(Debug)]
pub struct Opened {
    /// The open file.
    pub file: PartFile,
    /// The file is new or had to be started again: no earlier mark holds for it.
    pub created: bool,
    /// Bytes of it that have no space on the disk yet; see [`PartFile::allocate`].
    pub unallocated_bytes: u64,
    /// Where it lives; `written` marks of another identity are void.
    pub identity: Identity,
}

/// Why a part file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// Another process, or another run of this one, is writing it.
    #[error("Another hfdepot is writing {}", .path.display())]
    Busy {
        /// The part file.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl PartFile {
    /// Opens or creates `<dir>/<blob id>.part`. `dir` itself is created when missing and must
    /// not be a symbolic link; use [`RepoDir::open_part`](super::RepoDir::open_part) for the
    /// cache, which checks the folders above as well.
    ///
    /// A new one is a hole of its full length: [`allocate`](Self::allocate) gives it space. When
    /// this returns, name and length survive a power cut.
    ///
    /// # Errors
    /// [`PartError::Busy`] while somebody else holds it; `disk_full` when the space is missing.
    pub fn open(dir: &Path, id: BlobId, size_bytes: u64) -> Result<Opened, PartError> {
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str()))
        else {
            let why = "a folder for unfinished files needs a name in UTF-8";
            return Err(DiskError::unexpected("open", dir, why).into());
        };
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let parent = Folder::open_root(parent)?;
        let (folder, created) = parent.make_child(name)?;
        if created {
            parent.sync()?;
        }
        Self::open_in(folder, id, size_bytes)
    }

    pub(crate) fn open_in(folder: Folder, id: BlobId, size_bytes: u64) -> Result<Opened, PartError> {
        let part = Self::lock_in(folder, id, size_bytes, open_or_create)?;
        let metadata = part.metadata()?;
        if part.is_whole(&metadata) {
            return part.opened(Some(metadata));
        }
        if let Err(error) = part.grow() {
            let error = DiskError::new("reserve space for", part.path(), error);
            part.folder.discard(&part.name);
            return Err(error.into());
        }
        let synced = part.file.sync_all();
        synced.map_err(|error| DiskError::new("sync", part.path(), error))?;
        part.opened(None)
    }

    /// Opens it if it is there in its full length; makes and changes nothing otherwise.
    pub(crate) fn find_in(folder: Folder, id: BlobId, size_bytes: u64) -> Result<Option<Opened>, PartError> {
        let open = |folder: &Folder, name: &str| folder.open_file(name, OFlags::RDWR, 0);
        let part = match Self::lock_in(folder, id, size_bytes, open) {
            Err(PartError::Disk(error)) if error.is_not_found() => return Ok(None),
            part => part?,
        };
        let metadata = part.metadata()?;
        match part.is_whole(&metadata) {
            true => part.opened(Some(metadata)).map(Some),
            false => Ok(None),
        }
    }

    fn lock_in(
        folder: Folder,
        id: BlobId,
        size_bytes: u64,
        open: impl Fn(&Folder, &str) -> Result<File, DiskError>,
    ) -> Result<Self, PartError> {
        let name = staging::part_name(id);
        let path = folder.path().join(&name);
        let file = loop {
            let file = open(&folder, &name)?;
            match try_lock(&file).map_err(|error| DiskError::new("lock", &path, error))? {
                Try::Busy => return Err(PartError::Busy { path }),
                Try::Locked | Try::Unsupported => {}
            }
            // Its last holder may have published or removed it between our open and our lock.
            if is_still_there(&folder, &name, &file)? {
                break file;
            }
        };
        Ok(Self {
            file,
            folder,
            name,
            size_bytes,
            medium: Medium::Disk,
        })
    }

    /// A length of its own means that a crash came between creation and growth, or that somebody
    /// cut the file: no mark can hold.
    fn is_whole(&self, metadata: &Metadata) -> bool {
        metadata.len() == self.size_bytes && metadata.len() > 0
    }

    fn metadata(&self) -> Result<Metadata, DiskError> {
        let metadata = self.file.metadata();
        metadata.map_err(|error| DiskError::new("look at", self.path(), error))
    }

    /// With what it was before, unless it is new.
    fn opened(self, before: Option<Metadata>) -> Result<Opened, PartError> {
        self.folder.sync()?;
        let identity = Identity::of(&self.file);
        let identity = identity.map_err(|error| DiskError::new("look at", self.path(), error))?;
        let allocated_bytes = before.as_ref().map_or(0, allocated_bytes);
        Ok(Opened {
            created: before.is_none(),
            unallocated_bytes: self.size_bytes.saturating_sub(allocated_bytes),
            identity,
            file: self,
        })
    }

    /// Empties the file and gives it its full length, as a hole.
    ///
    /// Asks for the free space first: a file that does not fit would otherwise fill the volume
    /// to the last byte, for everybody, before the kernel gives up.
    fn grow(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        let volume = rustix::fs::fstatvfs(&self.file)?;
        if volume.f_bavail.saturating_mul(volume.f_frsize) < self.size_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.set_len(self.size_bytes)
    }

    /// Gives the file real space from its front on, where the file system can do that, so that a
    /// full disk shows at once and not after hours. Blocks.
    ///
    /// Goes in steps of a few milliseconds with pauses between them, for writers wait while the
    /// kernel allocates (2 GiB take milliseconds on ext4 and most of a second on tmpfs), and asks
    /// `go_on` before each. Bytes that are written already stay as they are. Not on tmpfs: memory
    /// has no layout to keep, and allocating there costs half as much again as the write itself.
    ///
    /// # Errors
    /// `disk_full` when the space is missing; see [`free`](Self::free) then.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn allocate(&self, go_on: impl Fn() -> bool) -> Result<(), DiskError> {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::{Errno, retry_on_intr};
        if rustix::fs::fstatfs(&self.file).is_ok_and(|volume| volume.f_type == TMPFS) {
            return Ok(());
        }
        let (mut at, mut step) = (0, STEP_BYTES);
        while at < self.size_bytes && go_on() {
            let length = step.min(self.size_bytes - at);
            let begun = Instant::now();
            match retry_on_intr(|| fallocate(&self.file, FallocateFlags::empty(), at, length)) {
                Ok(()) => {}
                Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(()),
                Err(errno) => return Err(DiskError::new("reserve space for", self.path(), errno)),
            }
            at += length;
            let took = begun.elapsed();
            if took < STEP_TIME / 2 {
                step *= 2;
            } else if took > STEP_TIME * 2 {
                step = (step / 2).max(STEP_BYTES);
            }
            std::thread::sleep(took.min(STEP_TIME) * 2);
        }
        Ok(())
    }

    /// Only Linux is asked for space in front.
    ///
    /// # Errors
    /// None.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn allocate(&self, _go_on: impl Fn() -> bool) -> Result<(), DiskError> {
        Ok(())
    }

    /// Gives the space of bytes back that were never written, as far as the file system can: for
    /// a part that has to wait until the disk has room. Nobody may be writing to that range.
    pub fn free(&self, offset: u64, length: u64) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if length > 0 {
            let hole = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
            let _ = rustix::fs::fallocate(&self.file, hole, offset, length);
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = (offset, length);
    }

    /// Writes all of `bytes` at `offset`. They are in the page cache then, not on the disk.
    ///
    /// # Errors
    /// `disk_full`, `disk_read_only` or `disk_error`; how much was written is then unknown.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
        self.medium
            .write_all_at(&self.file, bytes, offset)
            .map_err(|error| DiskError::new("write", self.path(), error))
    }

    /// Fills `buffer` from `offset` as far as the file goes and returns how many bytes came.
    ///
    /// # Errors
    /// What reading reports.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, DiskError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DiskError::new("read", self.path(), error)),
            }
        }
        Ok(filled)
    }

    /// Brings everything written before this call to the disk (`fdatasync`).
    ///
    /// # Errors
    /// Final for everything written since the last success: the kernel reports a failed
    /// write-back once and then forgets it, so a second call may well succeed although the data
    /// is lost. Never retry it; set the marks back to the last `synced` ones, drop this file,
    /// open it again and fetch those bytes again.
    pub fn sync(&self) -> Result<(), DiskError> {
        self.medium
            .sync(&self.file)
            .map_err(|error| DiskError::new("sync", self.path(), error))
    }

    /// Asks the kernel to begin writing this range to the disk now, without waiting for it, so
    /// that the next [`sync`](Self::sync) is short. Only a hint: it promises nothing.
    ///
    /// On Linux this is `posix_fadvise(DONTNEED)`, whose first step is exactly that; its second
    /// drops pages that are clean already from memory. So call it for bytes that were hashed.
    /// Measured on ext4 at 112 MB/s, a sync each 32 MiB and this each 4 MiB: the median sync
    /// takes 2 ms instead of 12.
    pub fn start_writeback(&self, offset: u64, length: u64) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(length) = std::num::NonZeroU64::new(length) {
            let advice = rustix::fs::Advice::DontNeed;
            let _ = rustix::fs::fadvise(&self.file, offset, Some(length), advice);
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = (offset, length);
    }

    /// Whether the file still has a name and its full length. `false` when somebody deleted or
    /// cut it: what was written is gone, whatever the marks say.
    pub fn is_intact(&self) -> bool {
        self.allocated_bytes().is_some()
    }

    /// Bytes that it takes on the disk; `None` when it is no longer [intact](Self::is_intact).
    pub fn allocated_bytes(&self) -> Option<u64> {
        let metadata = self.file.metadata().ok()?;
        let is_intact = metadata.nlink() > 0 && metadata.len() == self.size_bytes;
        is_intact.then(|| allocated_bytes(&metadata))
    }

    /// Deletes the file, unless its name belongs to another file by now.
    ///
    /// # Errors
    /// What removing reports.
    pub fn remove(self) -> Result<(), DiskError> {
        if is_still_there(&self.folder, &self.name, &self.file)? {
            self.folder.remove(&self.name)?;
        }
        Ok(())
    }

    /// Writes and syncs by `medium` from here on.
    #[must_use]
    pub fn on(self, medium: Medium) -> Self {
        Self { medium, ..self }
    }

    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Full length in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The open file, for hashing and for [`RepoDir::flush`](super::RepoDir::flush).
    pub fn as_file(&self) -> &File {
        &self.file
    }
}

impl RepoDir {
    /// Bytes that the part file of a blob takes on the disk; 0 without one.
    pub fn part_allocated_bytes(&self, id: BlobId) -> u64 {
        let path = self.parts_dir().join(staging::part_name(id));
        std::fs::symlink_metadata(path).map_or(0, |metadata| allocated_bytes(&metadata))
    }
}

/// Bytes that a file takes on the disk.
fn allocated_bytes(metadata: &Metadata) -> u64 {
    // In units of 512 bytes whatever the file system's own are (stat(2)).
    metadata.blocks().saturating_mul(512)
}

fn open_or_create(folder: &Folder, name: &str) -> Result<File, DiskError> {
    loop {
        match folder.open_file(name, OFlags::RDWR, 0) {
            Err(error) if error.is_not_found() => {}
            other => return other,
        }
        match folder.create_file(name, 0o600) {
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
}
