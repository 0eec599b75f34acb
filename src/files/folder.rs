//! A folder held by its descriptor. Every step below it refuses symbolic links, so that a
//! link planted in a shared cache can never lead a write or a delete outside.
//!
//! `openat` with `O_NOFOLLOW` one component at a time gives what `openat2(RESOLVE_BENEATH |
//! RESOLVE_NO_SYMLINKS)` gives, on every Unix and inside containers that filter `openat2`.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::DiskError;

/// New folders get this mode, less the umask: the cache follows the user's umask.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);

/// Folders below each other when removing; each holds a descriptor meanwhile.
const DEEPEST: usize = 200;

/// An open folder and the path to show in errors.
#[derive(Debug)]
pub(crate) struct Folder {
    descriptor: File,
    path: PathBuf,
}

/// What stands under a name, links not followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub kind: FileType,
    pub size_bytes: u64,
    pub inode: u64,
    /// Number of its volume.
    pub device: u64,
    /// User and group.
    pub owner: (u32, u32),
    /// Rights, without the kind.
    pub mode: u32,
    /// Last change of the content, UTC milliseconds.
    pub modified_at: i64,
    /// Last reading, UTC milliseconds, as exactly as the mount keeps it.
    pub read_at: i64,
    /// Names of the content.
    pub links: u64,
}

/// What tells whether a folder or a small file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Last change, nanoseconds since 1970.
    pub modified_ns: i128,
    pub inode: u64,
}

impl Folder {
    /// Opens the folder at `path`, where links *are* followed: a cache root may well be one.
    pub fn open_root(path: &Path) -> Result<Self, DiskError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| DiskError::new("open the folder", path, errno))?;
        Ok(Self {
            descriptor: descriptor.into(),
            path: path.to_owned(),
        })
    }

    /// The folder `name` in this one.
    pub fn child(&self, name: &str) -> Result<Self, DiskError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.path.join(name);
        match rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Self {
                descriptor: descriptor.into(),
                path,
            }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(DiskError::new(
                "open the folder",
                path,
                io::Error::new(
                    io::ErrorKind::NotADirectory,
                    "a file or a symbolic link stands in its place",
                ),
            )),
            Err(errno) => Err(DiskError::new("open the folder", path, errno)),
        }
    }

    /// The folder `name` in this one, or `None` when nothing has that name.
    pub fn child_if_present(&self, name: &str) -> Result<Option<Self>, DiskError> {
        match self.child(name) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder `name` in this one, made when missing; the flag says whether it was made.
    pub fn make_child(&self, name: &str) -> Result<(Self, bool), DiskError> {
        match self.child_if_present(name)? {
            Some(folder) => Ok((folder, false)),
            None => match rustix::fs::mkdirat(&self.descriptor, name, FOLDER_MODE) {
                Ok(()) => Ok((self.child(name)?, true)),
                Err(Errno::EXIST) => Ok((self.child(name)?, false)),
                Err(errno) => Err(DiskError::new("create the folder", self.path.join(name), errno)),
            },
        }
    }

    /// Opens the regular file `name` with `flags`. A device or pipe in its place is refused,
    /// and `O_NONBLOCK` keeps the open itself from waiting on one.
    pub fn open_file(&self, name: &str, flags: OFlags, mode: u32) -> Result<File, DiskError> {
        let path = || self.path.join(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = Mode::from_bits_truncate(mode as _);
        let file: File = match rustix::fs::openat(&self.descriptor, name, flags, mode) {
            Ok(descriptor) => descriptor.into(),
            Err(Errno::LOOP) => {
                return Err(DiskError::unexpected(
                    "open",
                    path(),
                    "a symbolic link stands in its place",
                ));
            }
            Err(errno) => return Err(DiskError::new("open", path(), errno)),
        };
        let metadata = file
            .metadata()
            .map_err(|error| DiskError::new("open", path(), error))?;
        if !metadata.is_file() {
            return Err(DiskError::unexpected("open", path(), "it is not a regular file"));
        }
        Ok(file)
    }

    /// Creates the file `name`, which must not exist, with `mode` less the umask.
    pub fn create_file(&self, name: &str, mode: u32) -> Result<File, DiskError> {
        self.open_file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode)
    }

    /// What stands under `name`; links are not followed.
    // Its type differs from one system to the next.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    pub fn entry(&self, name: &str) -> Result<Option<Entry>, DiskError> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Entry {
                kind: FileType::from_raw_mode(stat.st_mode),
                size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
                inode: stat.st_ino,
                device: stat.st_dev as u64,
                owner: (stat.st_uid, stat.st_gid),
                mode: (stat.st_mode & 0o7777) as u32,
                modified_at: stat.st_mtime.saturating_mul(1_000),
                read_at: stat.st_atime.saturating_mul(1_000),
                links: u64::from(stat.st_nlink),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(DiskError::new("look at", self.path.join(name), errno)),
        }
    }

    /// The mark of what stands at `path` below this folder, `.` being the folder itself; `None`
    /// when nothing does. Links on the way would be followed, to a time and a number only.
    pub fn mark(&self, path: &str) -> Option<Mark> {
        let stat = rustix::fs::statat(&self.descriptor, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(Mark {
            modified_ns: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
            inode: stat.st_ino,
        })
    }

    /// The text of the symbolic link `name`; `None` when it is missing, no link, or not UTF-8.
    pub fn link_target(&self, name: &str) -> Result<Option<String>, DiskError> {
        match rustix::fs::readlinkat(&self.descriptor, name, Vec::new()) {
            Ok(target) => Ok(target.into_string().ok()),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(errno) => Err(DiskError::new("read the link", self.path.join(name), errno)),
        }
    }

    /// Makes the symbolic link `name`; `false` when something has that name already.
    pub fn link_new(&self, target: &str, name: &str) -> Result<bool, DiskError> {
        match rustix::fs::symlinkat(target, &self.descriptor, name) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(DiskError::new("create the link", self.path.join(name), errno)),
        }
    }

    /// Gives the file `name` a second name in `to`; `false` when something has that name already.
    pub fn hard_link(&self, name: &str, to: &Folder, to_name: &str) -> Result<bool, DiskError> {
        match rustix::fs::linkat(&self.descriptor, name, &to.descriptor, to_name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(DiskError::new(
                "create the hard link",
                to.path.join(to_name),
                errno,
            )),
        }
    }

    /// Renames `name` to `to_name` in `to`, replacing what is there in one step.
    pub fn rename(&self, name: &str, to: &Folder, to_name: &str) -> Result<(), DiskError> {
        rustix::fs::renameat(&self.descriptor, name, &to.descriptor, to_name)
            .map_err(|errno| DiskError::new("move a finished file to", to.path.join(to_name), errno))
    }

    /// Renames `name` to `to_name` in `to` unless that exists: then nothing happens and the
    /// answer is `false`. Where the file system cannot do both in one step, the check comes first.
    pub fn rename_new(&self, name: &str, to: &Folder, to_name: &str) -> Result<bool, DiskError> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            let flags = RenameFlags::NOREPLACE;
            match renameat_with(&self.descriptor, name, &to.descriptor, to_name, flags) {
                Ok(()) => return Ok(true),
                Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(false),
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                Err(errno) => {
                    let path = to.path.join(to_name);
                    return Err(DiskError::new("move a finished file to", path, errno));
                }
            }
        }
        if to.entry(to_name)?.is_some() {
            return Ok(false);
        }
        self.rename(name, to, to_name)?;
        Ok(true)
    }

    /// Removes the file or link `name`; `false` when it was not there.
    pub fn remove(&self, name: &str) -> Result<bool, DiskError> {
        self.unlink(name, AtFlags::empty())
    }

    /// Removes the empty folder `name`; `false` when it was not there.
    pub fn remove_folder(&self, name: &str) -> Result<bool, DiskError> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    /// Removes `name` with all that is below it; links are removed, never followed. `false` when
    /// it was not there.
    pub fn remove_all(&self, name: &CStr) -> Result<bool, DiskError> {
        self.remove_tree(name, 0)
    }

    fn remove_tree(&self, name: &CStr, depth: usize) -> Result<bool, DiskError> {
        let path = || self.path.join(name.to_string_lossy().as_ref());
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) => return Ok(true),
            Err(Errno::NOENT) => return Ok(false),
            // What Linux and what POSIX answer for a folder.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(errno) => return Err(DiskError::new("remove", path(), errno)),
        }
        if depth > DEEPEST {
            return Err(DiskError::unexpected(
                "remove",
                path(),
                "its folders are nested too deeply",
            ));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())
            .map_err(|errno| DiskError::new("open the folder", path(), errno))?;
        let child = Self {
            descriptor: descriptor.into(),
            path: path(),
        };
        let fail = |errno: Errno| DiskError::new("list", &child.path, errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(&child.descriptor).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                names.push(entry.file_name().to_owned());
            }
        }
        for name in names {
            child.remove_tree(&name, depth + 1)?;
        }
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(errno) => Err(DiskError::new("remove", path(), errno)),
        }
    }

    /// Removes a file that an earlier error made useless. That error is the one to report, so
    /// a failure here is not; what stays behind is listed and removed as a leftover.
    pub fn discard(&self, name: &str) {
        let _ = self.remove(name);
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<bool, DiskError> {
        match rustix::fs::unlinkat(&self.descriptor, name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(DiskError::new("remove", self.path.join(name), errno)),
        }
    }

    /// The names in this folder that are UTF-8, in the order of the file system.
    pub fn names(&self) -> Result<Vec<String>, DiskError> {
        let kinds = self.kinds()?;
        Ok(kinds.into_iter().map(|(name, _)| name).collect())
    }

    /// The names in this folder that are UTF-8 with what each is, links not followed. File
    /// systems that do not tell the kind with the name are asked for each.
    pub fn kinds(&self) -> Result<Vec<(String, FileType)>, DiskError> {
        let fail = |errno: Errno| DiskError::new("list", &self.path, errno);
        let mut kinds = Vec::new();
        for entry in Dir::read_from(&self.descriptor).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if let Ok(name) = CStr::to_str(entry.file_name())
                && name != "."
                && name != ".."
            {
                let kind = match entry.file_type() {
                    FileType::Unknown => self.entry(name)?.map_or(FileType::Unknown, |entry| entry.kind),
                    kind => kind,
                };
                kinds.push((name.to_owned(), kind));
            }
        }
        Ok(kinds)
    }

    /// Makes the entries of this folder survive a power cut. File systems that cannot sync a
    /// folder (some network and FUSE mounts answer EINVAL or ENOTSUP) are taken as they are.
    pub fn sync(&self) -> Result<(), DiskError> {
        match self.descriptor.sync_all() {
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::INVAL | Errno::NOTSUP)) => {
                Ok(())
            }
            other => other.map_err(|error| DiskError::new("sync the folder", &self.path, error)),
        }
    }

    /// The path for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The descriptor, for calls on the whole file system.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn descriptor(&self) -> &File {
        &self.descriptor
    }
}

/// A name that no other process or thread uses: process id and 64 random bits.
pub(crate) fn unique_name(stem: &str, extension: &str) -> String {
    format!(
        "{stem}.{:x}-{:016x}.{extension}",
        std::process::id(),
        fastrand::u64(..)
    )
}
