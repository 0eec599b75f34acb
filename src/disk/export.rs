//! Real files of the cache in a folder of their own: hard-linked, cloned or copied.
//!
//! The root was configured and may be reached over links; below it none is followed, neither on
//! the way nor in place of a file. A file appears whole: a temporary name in the staging folder, a
//! sync, a rename. It keeps the time of its content, by which the next export knows it.

use std::collections::BTreeSet;
use std::fs::{File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::FileType;

use super::content::Content;
use super::error::DiskError;
use super::folder::{Folder, unique_name};
use super::staging::STAGING;
use crate::model::repo::RepoPath;
use crate::model::state::words;

/// Begin of the temporary names.
const TEMPORARY: &str = "export";

words! {
    /// How a file gets from one folder into another.
    Placing {
        /// Cloned where the file system can, else hard-linked, else copied.
        Auto = "auto",
        /// A second name of the same file: no room, and no life of its own.
        Hardlink = "hardlink",
        /// A clone that shares blocks until one of the two changes.
        Reflink = "reflink",
        /// A copy.
        Copy = "copy",
    }
}

words! {
    /// How a file got where it is.
    Way {
        /// A second name of the same file.
        Hardlinked = "hardlinked",
        /// A clone.
        Reflinked = "reflinked",
        /// A copy.
        Copied = "copied",
    }
}

/// What placing a file came to.
#[derive(Debug)]
pub enum Placed {
    /// It is there already, as this mode would make it.
    Unchanged,
    /// It is in its place; [`ExportFolder::sync`] makes that durable.
    Done(Way),
    /// Its bytes have to be copied.
    Copy(Copy),
}

/// A folder of real files below a configured root. Every call blocks.
#[derive(Debug, Clone)]
pub struct ExportFolder {
    root: PathBuf,
    below: RepoPath,
}

impl ExportFolder {
    /// The folder `below` of `root`; nothing is made yet.
    pub fn new(root: &Path, below: &RepoPath) -> Self {
        Self {
            root: root.to_owned(),
            below: below.clone(),
        }
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.root.join(self.below.as_str())
    }

    /// Makes the folder and removes what a run that was cut short left under temporary names. The
    /// root has to be there: it may be a disk that is not mounted.
    ///
    /// # Errors
    /// When the root is not there, a link stands in the way, or what making it reports.
    pub fn create(&self) -> Result<(), DiskError> {
        let folder = self.open()?;
        let (staging, _) = folder.make_child(STAGING)?;
        for name in staging.names()?.iter().filter(|name| is_temporary(name)) {
            staging.remove(name)?;
        }
        Ok(())
    }

    /// Removes the staging folder; one that is in use stays.
    pub fn finish(&self) {
        if let Ok(folder) = self.open() {
            let _ = folder.remove_folder(STAGING);
        }
    }

    fn open(&self) -> Result<Folder, DiskError> {
        let mut folder = Folder::open_root(&self.root)?;
        for part in self.below.as_str().split('/') {
            folder = folder.make_child(part)?.0;
        }
        Ok(folder)
    }

    /// Puts a content at `path`, or begins its copy.
    ///
    /// # Errors
    /// When `placing` cannot be done here, a link or folder stands in the way, or what the system
    /// reports.
    pub fn place(&self, content: &Content, path: &RepoPath, placing: Placing) -> Result<Placed, DiskError> {
        let folder = self.open()?;
        let staging = folder.make_child(STAGING)?.0;
        if path.folders().next() == Some(STAGING) {
            let why = "its name is kept for unfinished files";
            return Err(DiskError::unexpected(
                "export",
                folder.path().join(path.as_str()),
                why,
            ));
        }
        let mut home = folder;
        for part in path.folders() {
            home = home.make_child(part)?.0;
        }
        let name = path.file_name();
        if let Some(entry) = home.entry(name)? {
            let at = home.path().join(name);
            match entry.kind {
                FileType::RegularFile => {}
                FileType::Symlink => {
                    return Err(DiskError::unexpected(
                        "replace",
                        at,
                        "a symbolic link stands in its place",
                    ));
                }
                _ => return Err(DiskError::unexpected("replace", at, "it is no file")),
            }
            let (there, ours) = (home.mark(name), content.mark());
            let same = entry.size_bytes == content.size_bytes
                && there.zip(ours).is_some_and(|(there, ours)| {
                    // A second name of the content is no copy of it.
                    let shared = there.inode == ours.inode;
                    let may_share = matches!(placing, Placing::Auto | Placing::Hardlink);
                    there.modified_ns == ours.modified_ns && (may_share || !shared)
                });
            if same {
                return Ok(Placed::Unchanged);
            }
        }
        let mut failure = None;
        if matches!(placing, Placing::Auto | Placing::Reflink) {
            match clone(content, &staging) {
                Ok(temporary) => {
                    move_to(&staging, &temporary, &home, name)?;
                    return Ok(Placed::Done(Way::Reflinked));
                }
                Err(error) if error.code == crate::model::code::Code::DiskFull => return Err(error),
                Err(error) => failure = Some(error),
            }
        }
        if matches!(placing, Placing::Auto | Placing::Hardlink) {
            match link(content, &staging) {
                Ok(temporary) => {
                    move_to(&staging, &temporary, &home, name)?;
                    return Ok(Placed::Done(Way::Hardlinked));
                }
                Err(error) => failure = Some(error),
            }
        }
        if let (Placing::Hardlink | Placing::Reflink, Some(error)) = (placing, failure) {
            return Err(error);
        }
        let temporary = unique_name(TEMPORARY, "tmp");
        let file = staging.create_file(&temporary, 0o666)?;
        let copy = Copy::new(file, staging, temporary, home, name.to_owned());
        Ok(Placed::Copy(copy))
    }

    /// Makes the names of finished files survive a power cut.
    ///
    /// # Errors
    /// What the sync reports.
    pub fn sync<'a>(&self, paths: impl Iterator<Item = &'a RepoPath>) -> Result<(), DiskError> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let path = path.as_str();
            folders.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        }
        // The inner ones first, so that no synced folder lacks what it contains.
        for path in folders.iter().rev() {
            let mut folder = self.open()?;
            for part in path.split('/') {
                folder = folder.make_child(part)?.0;
            }
            folder.sync()?;
        }
        self.open()?.sync()?;
        let mut above = Folder::open_root(&self.root)?;
        above.sync()?;
        for part in self.below.folders() {
            above = above.make_child(part)?.0;
            above.sync()?;
        }
        Ok(())
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(&format!("{TEMPORARY}.")) && name.ends_with(".tmp")
}

fn move_to(staging: &Folder, temporary: &str, home: &Folder, name: &str) -> Result<(), DiskError> {
    let moved = staging.rename(temporary, home, name);
    // Also where both are one file already, which a rename leaves as they are.
    staging.discard(temporary);
    moved
}

/// Gives the content a second name in the staging folder.
pub(super) fn link(content: &Content, staging: &Folder) -> Result<String, DiskError> {
    let temporary = unique_name(TEMPORARY, "tmp");
    content.folder.hard_link(&content.name, staging, &temporary)?;
    let ours = content.mark().map(|mark| mark.inode);
    if staging.mark(&temporary).map(|mark| mark.inode) != ours {
        staging.discard(&temporary);
        return Err(DiskError::unexpected(
            "link",
            content.folder.path().join(&content.name),
            "it was replaced meanwhile",
        ));
    }
    Ok(temporary)
}

/// Clones the content into the staging folder.
#[cfg(target_os = "linux")]
pub(super) fn clone(content: &Content, staging: &Folder) -> Result<String, DiskError> {
    let temporary = unique_name(TEMPORARY, "tmp");
    let file = staging.create_file(&temporary, 0o666)?;
    let cloned = rustix::fs::ioctl_ficlone(&file, &content.file)
        .map_err(|errno| DiskError::new("clone a file to", staging.path(), errno))
        .and_then(|()| keep_time(&file, content, staging.path()))
        .and_then(|()| sync(&file, staging.path()));
    match cloned {
        Ok(()) => Ok(temporary),
        Err(error) => {
            staging.discard(&temporary);
            Err(error)
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn clone(_: &Content, staging: &Folder) -> Result<String, DiskError> {
    let error = io::Error::from(io::ErrorKind::Unsupported);
    Err(DiskError::new("clone a file to", staging.path(), error))
}

fn keep_time(file: &File, content: &Content, path: &Path) -> Result<(), DiskError> {
    let Some(mark) = content.mark() else { return Ok(()) };
    let nanoseconds = u64::try_from(mark.modified_ns).unwrap_or(0);
    let time = UNIX_EPOCH + Duration::from_nanos(nanoseconds);
    file.set_times(FileTimes::new().set_modified(time))
        .map_err(|error| DiskError::new("set the time of a file in", path, error))
}

fn sync(file: &File, path: &Path) -> Result<(), DiskError> {
    file.sync_all()
        .map_err(|error| DiskError::new("sync a file in", path, error))
}

/// A file that is being copied, under a temporary name. Dropped before it is finished, it goes.
#[derive(Debug)]
pub struct Copy {
    file: File,
    staging: Folder,
    temporary: String,
    home: Folder,
    name: String,
    finished: bool,
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    /// Brings what was written so far to the disk.
    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Copy {
    /// `file`, which is `temporary` in `staging`, on its way to `name` in `home`.
    pub(super) fn new(file: File, staging: Folder, temporary: String, home: Folder, name: String) -> Self {
        Self {
            file,
            staging,
            temporary,
            home,
            name,
            finished: false,
        }
    }

    /// Syncs the copy of `content`, gives it its time and its final name.
    ///
    /// # Errors
    /// What the system reports; then nothing of it is left.
    pub fn finish(mut self, content: &Content) -> Result<(), DiskError> {
        keep_time(&self.file, content, self.staging.path())?;
        sync(&self.file, self.staging.path())?;
        self.staging.rename(&self.temporary, &self.home, &self.name)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.finished {
            self.staging.discard(&self.temporary);
        }
    }
}
