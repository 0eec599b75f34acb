//! One repo folder: `models--owner--name` of the cache, or a local folder of plain files (`local.rs`).
//!
//! Each method opens the folders it needs from the root down, without following links, and
//! works relative to their descriptors.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FileType, OFlags};

use super::cache::{BLOBS, LOCKS, REFS, SNAPSHOTS, shared_store_entry};
use super::error::DiskError;
use super::folder::{Folder, unique_name};
use super::local::Local;
use super::lock::{Try, is_still_there, try_lock};
use super::part::{Opened, PartError, PartFile};
use super::staging::{self, Leftover, LeftoverKind, STAGING};
use crate::model::destination::LinkMode;
use crate::model::repo::{BlobId, Commit, RepoPath, Revision};

/// From this many files on, one `syncfs` is cheaper than a sync of each.
pub(super) const SYNC_ALL_FROM: usize = 8;

/// How a snapshot shows a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// As a symbolic link.
    Symbolic,
    /// As a hard link.
    Hard,
    /// Not at all: the file itself lies in the snapshot.
    None,
}

/// A repo folder, present or not.
#[derive(Debug, Clone)]
pub struct RepoDir {
    hub: PathBuf,
    pub(super) folder: String,
    /// Plain files in place of the layout of the cache.
    pub(super) local: Option<Local>,
    pub(super) links: Links,
    pub(super) lock_patience: Duration,
}

impl RepoDir {
    pub(super) fn new(hub: &Path, folder: String, links: Links, lock_patience: Duration) -> Self {
        Self {
            hub: hub.to_owned(),
            folder,
            local: None,
            links,
            lock_patience,
        }
    }

    /// `<hub>/models--owner--name`.
    pub fn path(&self) -> PathBuf {
        self.hub.join(&self.folder)
    }

    /// The folder of unfinished files.
    pub fn parts_dir(&self) -> PathBuf {
        self.path().join(STAGING)
    }

    /// Where the blob is or will be.
    pub fn blob_path(&self, id: BlobId) -> PathBuf {
        self.path().join(BLOBS).join(id.to_string())
    }

    /// The folder of a commit.
    pub fn snapshot_path(&self, commit: &Commit) -> PathBuf {
        self.path().join(SNAPSHOTS).join(commit.as_str())
    }

    /// Makes the repo folder with `blobs/`, `refs/`, `snapshots/` and `.hfdepot/`, or what is
    /// missing of it. A new one appears complete in one step, because other programs call a
    /// repo without `snapshots/` corrupted.
    ///
    /// # Errors
    /// When a folder cannot be made, or a file or link stands in its place.
    pub fn create(&self) -> Result<(), DiskError> {
        if self.local.is_some() {
            return self.create_local(&self.hub);
        }
        let hub = self.open_hub()?;
        if hub.child_if_present(&self.folder)?.is_none() {
            self.create_whole(&hub)?;
        }
        let (repo, _) = hub.make_child(&self.folder)?;
        for name in [SNAPSHOTS, BLOBS, REFS, STAGING] {
            repo.make_child(name)?;
        }
        repo.sync()?;
        hub.sync()
    }

    /// Builds the four folders in `.locks`, where no scan looks, and renames them into place.
    fn create_whole(&self, hub: &Folder) -> Result<(), DiskError> {
        let (locks, _) = hub.make_child(LOCKS)?;
        let name = unique_name(&self.folder, "new");
        let (new, _) = locks.make_child(&name)?;
        for child in [SNAPSHOTS, BLOBS, REFS, STAGING] {
            new.make_child(child)?;
        }
        new.sync()?;
        // Not moved: another process was faster, or `.locks` is a mount of its own. Either way
        // the caller makes what is missing one by one.
        if !matches!(locks.rename_new(&name, hub, &self.folder), Ok(true)) {
            for child in [SNAPSHOTS, BLOBS, REFS, STAGING] {
                new.remove_folder(child)?;
            }
            locks.remove_folder(&name)?;
        }
        Ok(())
    }

    /// Whether files lie here plain, under their own names.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// The same folder, with its snapshots showing blobs in another way.
    pub fn with_links(mut self, mode: LinkMode) -> Self {
        self.links = match (mode, self.links) {
            (LinkMode::Auto, found) => found,
            (LinkMode::Symlink, _) => Links::Symbolic,
            (LinkMode::Hardlink, _) => Links::Hard,
            (LinkMode::Copy, _) => Links::None,
        };
        self
    }

    /// Lets others see the snapshot of `commit`: the listing first, the ref last. Does nothing in
    /// a local folder, which has neither.
    ///
    /// # Errors
    /// As [`publish_tree`](Self::publish_tree) and [`write_ref`](Self::write_ref).
    pub fn make_known(&self, revision: &Revision, commit: &Commit) -> Result<(), DiskError> {
        if self.is_local() {
            return Ok(());
        }
        self.publish_tree(commit)?;
        if revision.as_str() == commit.as_str() {
            // No ref names a commit that was asked for by its hash: without this one,
            // `hf cache prune` would take it for left over.
            self.keep(commit)
        } else {
            self.write_ref(revision, commit)
        }
    }

    /// Opens or creates the part file of a blob; see [`PartFile::open`].
    ///
    /// # Errors
    /// As [`PartFile::open`].
    pub fn open_part(&self, id: BlobId, size_bytes: u64) -> Result<Opened, PartError> {
        PartFile::open_in(self.open_staging()?, id, size_bytes)
    }

    /// Opens the part file of a blob if it is there in its full length; makes none.
    ///
    /// # Errors
    /// As [`PartFile::open`].
    pub fn find_part(&self, id: BlobId, size_bytes: u64) -> Result<Option<Opened>, PartError> {
        PartFile::find_in(self.open_staging()?, id, size_bytes)
    }

    /// Size of a blob in bytes, or `None` when it is not there. A blob in the shared store is
    /// found through its one link; any other link does not count as a blob.
    ///
    /// # Errors
    /// What looking at it reports.
    pub fn blob(&self, id: BlobId) -> Result<Option<u64>, DiskError> {
        let Some(file) = self.open_blob(id)? else {
            return Ok(None);
        };
        let metadata = file
            .metadata()
            .map_err(|error| DiskError::new("look at", self.blob_path(id), error))?;
        Ok(Some(metadata.len()))
    }

    /// Opens a blob for reading, to hash it; found as by [`blob`](Self::blob).
    ///
    /// # Errors
    /// What opening reports.
    pub fn open_blob(&self, id: BlobId) -> Result<Option<File>, DiskError> {
        let hub = self.open_hub()?;
        let Some(repo) = hub.child_if_present(&self.folder)? else {
            return Ok(None);
        };
        match repo.child_if_present(BLOBS)? {
            Some(blobs) => open_blob_in(&hub, &blobs, id),
            None => Ok(None),
        }
    }

    /// Size in bytes of what a snapshot shows under `path`, or `None` when it shows nothing:
    /// the pointer's blob, or the real file in a cache without symbolic links.
    ///
    /// # Errors
    /// What looking at it reports.
    pub fn snapshot_file(&self, commit: &Commit, path: &RepoPath) -> Result<Option<u64>, DiskError> {
        let Some(mut folder) = self.open_repo()?.child_if_present(SNAPSHOTS)? else {
            return Ok(None);
        };
        for name in std::iter::once(commit.as_str()).chain(path.folders()) {
            match folder.child_if_present(name)? {
                Some(child) => folder = child,
                None => return Ok(None),
            }
        }
        match folder.entry(path.file_name())? {
            Some(entry) if entry.kind == FileType::RegularFile => Ok(Some(entry.size_bytes)),
            Some(entry) if entry.kind == FileType::Symlink => {
                let target = folder.link_target(path.file_name())?.unwrap_or_default();
                let name = target.rsplit('/').next().unwrap_or_default();
                match name.parse() {
                    Ok(id) if target == super::cache::pointer_target(path.folders().count(), id) => {
                        self.blob(id)
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Writes a small file whole under a name of its own in the staging folder and returns its
    /// path for [`publish`](Self::publish). It is not synced: [`flush_paths`](Self::flush_paths)
    /// does that for many at once.
    ///
    /// # Errors
    /// What writing reports; nothing is left behind then.
    pub fn write_small(&self, id: BlobId, bytes: &[u8]) -> Result<PathBuf, DiskError> {
        let staging = self.open_staging()?;
        let name = staging::small_name(id);
        write_new(&staging, &name, bytes)?;
        Ok(staging.path().join(name))
    }

    /// Brings the data of finished files to the disk: a few one by one, many with one sync of
    /// the whole file system.
    ///
    /// # Errors
    /// Final for all of `files`, as with [`PartFile::sync`]: throw them away and fetch again.
    pub fn flush(&self, files: &[&File]) -> Result<(), DiskError> {
        if files.len() >= SYNC_ALL_FROM && self.sync_file_system()? {
            return Ok(());
        }
        files.iter().try_for_each(|file| {
            file.sync_data()
                .map_err(|error| DiskError::new("sync a file in", self.parts_dir(), error))
        })
    }

    /// [`flush`](Self::flush) for files of the staging folder by path, as
    /// [`write_small`](Self::write_small) returns them.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn flush_paths(&self, paths: &[PathBuf]) -> Result<(), DiskError> {
        if paths.len() >= SYNC_ALL_FROM && self.sync_file_system()? {
            return Ok(());
        }
        let staging = self.open_staging()?;
        paths.iter().try_for_each(|path| {
            let file = staging.open_file(staged_name(path)?, OFlags::RDWR, 0)?;
            file.sync_data()
                .map_err(|error| DiskError::new("sync", path, error))
        })
    }

    /// One sync for everything on the file system; `false` where the system has no such call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn sync_file_system(&self) -> Result<bool, DiskError> {
        let repo = self.open_repo()?;
        rustix::fs::syncfs(repo.descriptor())
            .map_err(|errno| DiskError::new("sync the file system of", repo.path(), errno))?;
        Ok(true)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn sync_file_system(&self) -> Result<bool, DiskError> {
        Ok(false)
    }

    /// All parts of downloads that could go on.
    ///
    /// # Errors
    /// What listing reports; a missing folder is an empty list.
    pub fn list_parts(&self) -> Result<Vec<Leftover>, DiskError> {
        let mut leftovers = self.leftovers()?;
        leftovers.retain(|leftover| matches!(leftover.kind, LeftoverKind::Part(_)));
        Ok(leftovers)
    }

    /// Every file of ours in the staging folder.
    ///
    /// # Errors
    /// What listing reports; a missing folder is an empty list.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, DiskError> {
        let hub = self.open_hub()?;
        let Some(repo) = hub.child_if_present(&self.folder)? else {
            return Ok(Vec::new());
        };
        let Some(staging) = repo.child_if_present(STAGING)? else {
            return Ok(Vec::new());
        };
        let mut leftovers = Vec::new();
        for name in staging.names()? {
            let Some(kind) = staging::parse(&name) else {
                continue;
            };
            if let Some(entry) = staging.entry(&name)? {
                leftovers.push(Leftover {
                    name,
                    kind,
                    size_bytes: entry.size_bytes,
                    modified_at: entry.modified_at,
                });
            }
        }
        Ok(leftovers)
    }

    /// Removes the part file of a blob; `false` when there was none. Only for parts that no run
    /// holds open: a run removes its own with [`PartFile::remove`].
    ///
    /// # Errors
    /// What removing reports.
    pub fn remove_part(&self, id: BlobId) -> Result<bool, DiskError> {
        self.open_staging()?.remove(&staging::part_name(id))
    }

    /// Removes what crashed runs left and nothing can use again (everything but parts), when it
    /// was last written before `before` (UTC milliseconds). Returns how many files went.
    ///
    /// # Errors
    /// What listing and removing report.
    pub fn remove_stale(&self, before: i64) -> Result<usize, DiskError> {
        let stale: Vec<Leftover> = self
            .leftovers()?
            .into_iter()
            .filter(|leftover| !matches!(leftover.kind, LeftoverKind::Part(_)))
            .filter(|leftover| leftover.modified_at < before)
            .collect();
        if stale.is_empty() {
            return Ok(0);
        }
        let staging = self.open_staging()?;
        stale.iter().try_fold(0, |count, leftover| {
            Ok(count + usize::from(staging.remove(&leftover.name)?))
        })
    }

    pub(super) fn open_hub(&self) -> Result<Folder, DiskError> {
        Folder::open_root(&self.hub)
    }

    pub(super) fn open_repo(&self) -> Result<Folder, DiskError> {
        self.open_hub()?.child(&self.folder)
    }

    pub(super) fn open_staging(&self) -> Result<Folder, DiskError> {
        self.open_repo()?.child(STAGING)
    }

    /// `.locks/<repo folder>`, created when missing.
    pub(super) fn open_locks(&self) -> Result<Folder, DiskError> {
        let (locks, _) = self.open_hub()?.make_child(LOCKS)?;
        Ok(locks.make_child(&self.folder)?.0)
    }
}

/// Opens a blob for reading, also when it is a link into the shared store of `hub`.
pub(super) fn open_blob_in(hub: &Folder, blobs: &Folder, id: BlobId) -> Result<Option<File>, DiskError> {
    let name = id.to_string();
    let opened = match blobs.entry(&name)? {
        Some(entry) if entry.kind == FileType::RegularFile => blobs.open_file(&name, OFlags::RDONLY, 0),
        Some(entry) if entry.kind == FileType::Symlink => {
            let target = blobs.link_target(&name)?.unwrap_or_default();
            let Some((folder, entry)) = shared_store_entry(&target) else {
                return Ok(None);
            };
            hub.child(BLOBS)
                .and_then(|store| store.child(folder))
                .and_then(|store| store.open_file(entry, OFlags::RDONLY, 0))
        }
        _ => return Ok(None),
    };
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates `name` with all of `bytes`; removes it again when that fails.
pub(super) fn write_new(folder: &Folder, name: &str, bytes: &[u8]) -> Result<File, DiskError> {
    let mut file = folder.create_file(name, 0o666)?;
    if let Err(error) = file.write_all(bytes) {
        let error = DiskError::new("write", folder.path().join(name), error);
        folder.discard(name);
        return Err(error);
    }
    Ok(file)
}

/// The name of a staged file; its folder is always opened anew, never taken from the path.
pub(super) fn staged_name(path: &Path) -> Result<&str, DiskError> {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if staging::parse(name).is_some() => Ok(name),
        _ => Err(DiskError::unexpected(
            "use",
            path,
            "it is not a file of the staging folder",
        )),
    }
}
/// Removes the part file of a blob in the repo folder at `folder`; `false` when somebody holds it,
/// such as another service on the same cache, so that it has to stay.
///
/// # Errors
/// What removing reports.
pub fn remove_part_in(folder: &Path, id: BlobId) -> Result<bool, DiskError> {
    if !folder.is_dir() {
        return Ok(true);
    }
    let Some(staging) = Folder::open_root(folder)?.child_if_present(STAGING)? else {
        return Ok(true);
    };
    let name = staging::part_name(id);
    let file = match staging.open_file(&name, OFlags::RDWR, 0) {
        Err(error) if error.is_not_found() => return Ok(true),
        file => file?,
    };
    let held = try_lock(&file).map_err(|error| DiskError::new("lock", staging.path().join(&name), error))?;
    if matches!(held, Try::Busy) {
        return Ok(false);
    }
    if is_still_there(&staging, &name, &file)? {
        staging.remove(&name)?;
    }
    Ok(true)
}
