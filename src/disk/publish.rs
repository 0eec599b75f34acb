//! Publishing: finished files become visible in the cache, in batches.
//!
//! The order, which is the whole point of this file:
//!
//! 1. the caller has verified the data and brought it to the disk (`flush`);
//! 2. each blob is renamed into `blobs/` under its lock, then `blobs/` is synced;
//! 3. each pointer is made in its snapshot, then its folders are synced from the inside out;
//! 4. the caller writes the listing and the refs, and then its own row.
//!
//! A cut between any two steps leaves blobs nobody points to or pointers nobody refers to,
//! both harmless, and never the reverse. Each step may be repeated.

use std::path::PathBuf;
use std::time::Instant;

use super::cache::{BLOBS, SNAPSHOTS, lock_name};
use super::error::DiskError;
use super::folder::Folder;
use super::lock::lock_blob;
use super::repo::{Links, RepoDir, SYNC_ALL_FROM, open_blob_in, staged_name};
use super::snapshot::Snapshot;
use super::staging::Staged;
use crate::model::repo::{BlobId, Commit, RepoPath};

/// Where the content of a publication comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A verified and flushed file in the staging folder. When a blob of the right size has
    /// appeared meanwhile, that one stays and ours is dropped.
    Part(PathBuf),
    /// The same, but it takes the place of a blob that is there: for a blob of the right size
    /// whose content proved to be damaged.
    Repair(PathBuf),
    /// The blob is in the cache already; only the pointer is missing.
    Present,
}

/// One file to be made visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where its content is.
    pub source: Source,
    /// Its blob.
    pub blob: BlobId,
    /// Length of the content in bytes.
    pub size_bytes: u64,
    /// Its place in the snapshot.
    pub path: RepoPath,
}

/// How a file got its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Our file became the blob.
    Stored,
    /// A blob that was there already serves it.
    Reused,
}

/// What became of each publication, in the order given.
#[derive(Debug)]
#[must_use = "single files can fail while the batch goes on"]
pub struct PublishReport {
    /// One result for each publication.
    pub items: Vec<Result<Placed, DiskError>>,
    /// Locks that other programs held for so long that the batch went on without them.
    pub locks_skipped: usize,
}

impl PublishReport {
    /// The first failure, when there is one.
    ///
    /// # Errors
    /// That failure.
    pub fn into_result(self) -> Result<Vec<Placed>, DiskError> {
        self.items.into_iter().collect()
    }
}

/// The open folders of one batch.
pub(super) struct Batch<'a> {
    pub repo_dir: &'a RepoDir,
    pub hub: Folder,
    pub blobs: Folder,
    pub staged: Staged,
    locks: Folder,
    deadline: Instant,
    locks_skipped: usize,
}

impl RepoDir {
    /// Publishes a batch into the snapshot of `commit`. The repo folder must exist
    /// ([`create`](Self::create)), the data of every staged file must be verified and flushed.
    /// When this returns, every file with an `Ok` survives a power cut.
    ///
    /// In a cache without symbolic links a blob exists only as the files of the snapshots, so
    /// all paths of one blob must be in one batch.
    ///
    /// # Errors
    /// An error of the whole batch: a folder that cannot be opened or synced, a full or
    /// read-only volume. Nothing of the batch may then be taken as published; publish it again.
    pub fn publish(&self, commit: &Commit, items: &[Publication]) -> Result<PublishReport, DiskError> {
        if let Some(local) = &self.local {
            return self.publish_local(local, commit, items);
        }
        let hub = self.open_hub()?;
        let repo = self.open_repo()?;
        let mut batch = Batch {
            repo_dir: self,
            hub,
            blobs: repo.make_child(BLOBS)?.0,
            staged: Staged::new(self.open_staging()?),
            locks: self.open_locks()?,
            deadline: Instant::now() + self.lock_patience,
            locks_skipped: 0,
        };
        let (snapshots, _) = repo.make_child(SNAPSHOTS)?;

        let mut results = if self.links != Links::None {
            let placed = items.iter().map(|item| batch.place(item)).collect::<Vec<_>>();
            batch.sync_reused(items, &placed)?;
            batch.blobs.sync()?;
            placed
        } else {
            items.iter().map(|_| Ok(Placed::Stored)).collect()
        };

        let mut snapshot = Snapshot::new(snapshots, commit);
        let mut order: Vec<usize> = (0..items.len()).filter(|&index| results[index].is_ok()).collect();
        order.sort_by(|&a, &b| items[a].path.cmp(&items[b].path));
        for index in order {
            let item = &items[index];
            snapshot.leave(&item.path)?;
            let placed = match self.links {
                Links::Symbolic => snapshot.point(&batch.staged.folder, item),
                Links::Hard => snapshot.link(&batch, item),
                Links::None => snapshot
                    .put(&mut batch, item)
                    .map(|placed| results[index] = Ok(placed)),
            };
            if let Err(error) = placed {
                results[index] = Err(error);
            }
        }
        snapshot.finish()?;
        repo.sync()?;
        Ok(PublishReport {
            items: results,
            locks_skipped: batch.locks_skipped,
        })
    }
}

impl Batch<'_> {
    /// Moves the content of `item` into `blobs/`, or finds it there.
    fn place(&mut self, item: &Publication) -> Result<Placed, DiskError> {
        let name = item.blob.to_string();
        let (path, repair) = match &item.source {
            Source::Part(path) => (path, false),
            Source::Repair(path) => (path, true),
            Source::Present if self.has_blob(item)? => return Ok(Placed::Reused),
            Source::Present => {
                let gone = rustix::io::Errno::NOENT;
                return Err(DiskError::new(
                    "find the blob",
                    self.blobs.path().join(name),
                    gone,
                ));
            }
        };
        let staged = staged_name(path)?;
        let _lock = self.lock(item.blob)?;
        if !repair && self.has_blob(item)? {
            self.staged.folder.remove(staged)?;
            return Ok(Placed::Reused);
        }
        self.staged.make_ready(staged, item.size_bytes)?;
        // What stands there is a torn file, a dead link or a damaged blob: ours is verified.
        if repair || self.blobs.entry(&name)?.is_some() {
            self.staged.folder.rename(staged, &self.blobs, &name)?;
            return Ok(Placed::Stored);
        }
        if self.staged.folder.rename_new(staged, &self.blobs, &name)? {
            return Ok(Placed::Stored);
        }
        // A program that takes no lock was faster by a hair.
        if self.has_blob(item)? {
            self.staged.folder.remove(staged)?;
            return Ok(Placed::Reused);
        }
        self.staged.folder.rename(staged, &self.blobs, &name)?;
        Ok(Placed::Stored)
    }

    /// Whether the blob of `item` is there with its right size.
    fn has_blob(&self, item: &Publication) -> Result<bool, DiskError> {
        let Some(file) = open_blob_in(&self.hub, &self.blobs, item.blob)? else {
            return Ok(false);
        };
        let metadata = file
            .metadata()
            .map_err(|error| DiskError::new("look at", self.repo_dir.blob_path(item.blob), error))?;
        Ok(metadata.len() == item.size_bytes)
    }

    /// Takes the lock of a blob for as long as the answer lives, or counts that it goes without.
    pub(super) fn lock(&mut self, blob: BlobId) -> Result<Option<std::fs::File>, DiskError> {
        let lock = lock_blob(&self.locks, &lock_name(blob), self.deadline)?;
        self.locks_skipped += usize::from(lock.is_none());
        Ok(lock)
    }

    /// Brings blobs that others wrote to the disk: `huggingface_hub` never syncs, and a file
    /// that we call complete has to survive a power cut whoever fetched it.
    fn sync_reused(
        &self,
        items: &[Publication],
        placed: &[Result<Placed, DiskError>],
    ) -> Result<(), DiskError> {
        let reused: Vec<BlobId> = items
            .iter()
            .zip(placed)
            .filter(|(_, placed)| matches!(placed, Ok(Placed::Reused)))
            .map(|(item, _)| item.blob)
            .collect();
        if reused.len() >= SYNC_ALL_FROM && self.repo_dir.sync_file_system()? {
            return Ok(());
        }
        for blob in reused {
            if let Some(file) = open_blob_in(&self.hub, &self.blobs, blob)? {
                file.sync_data()
                    .map_err(|error| DiskError::new("sync", self.repo_dir.blob_path(blob), error))?;
            }
        }
        Ok(())
    }

    /// The content of a blob that is in `blobs/` with its right size.
    pub(super) fn open_whole_blob(&self, item: &Publication) -> Result<Option<std::fs::File>, DiskError> {
        if self.has_blob(item)? {
            open_blob_in(&self.hub, &self.blobs, item.blob)
        } else {
            Ok(None)
        }
    }
}
