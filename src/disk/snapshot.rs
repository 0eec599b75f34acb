//! The snapshot side of publishing: pointers, or real files where links cannot be made.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use super::cache::pointer_target;
use super::error::DiskError;
use super::folder::Folder;
use super::publish::{Batch, Placed, Publication, Source};
use super::repo::staged_name;
use super::staging;
use crate::model::repo::{BlobId, Commit, RepoPath};

struct Level {
    name: String,
    folder: Folder,
}

/// A walk through a tree of folders in the order of its paths: only the folders of one path are
/// open at a time, and each touched one is synced once, when the walk leaves it.
pub(super) struct Walk {
    root: Folder,
    /// Folder in the root that every path lies in.
    top: Option<String>,
    /// Open folders from the root down to the current path.
    levels: Vec<Level>,
}

impl Walk {
    pub fn new(root: Folder, top: Option<String>) -> Self {
        Self {
            root,
            top,
            levels: Vec::new(),
        }
    }

    /// Path of the root, for messages.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Syncs and closes every open folder that does not lead to `path`. To be called before
    /// anything is done at `path`; an error is one of the whole batch.
    pub fn leave(&mut self, path: &RepoPath) -> Result<(), DiskError> {
        let wanted = self.top.as_deref().into_iter().chain(path.folders());
        let shared = self
            .levels
            .iter()
            .zip(wanted)
            .take_while(|(level, name)| level.name == *name)
            .count();
        self.close(shared)
    }

    /// Syncs what is still open; then all of it is durable.
    pub fn finish(mut self) -> Result<(), DiskError> {
        self.close(0)?;
        self.root.sync()
    }

    fn close(&mut self, keep: usize) -> Result<(), DiskError> {
        while self.levels.len() > keep {
            let Some(level) = self.levels.pop() else { break };
            level.folder.sync()?;
        }
        Ok(())
    }

    /// Opens or makes the folders down to `path` and returns the last.
    pub fn enter(&mut self, path: &RepoPath) -> Result<&Folder, DiskError> {
        let names = self.top.as_deref().into_iter().chain(path.folders());
        for name in names.skip(self.levels.len()) {
            let above = self.levels.last().map_or(&self.root, |level| &level.folder);
            let (folder, _) = above.make_child(name)?;
            self.levels.push(Level {
                name: name.to_owned(),
                folder,
            });
        }
        Ok(self.levels.last().map_or(&self.root, |level| &level.folder))
    }
}

/// A snapshot under construction.
pub(super) struct Snapshot {
    walk: Walk,
    commit: String,
    /// Where this batch put a blob first, in a cache without links.
    put: HashMap<BlobId, RepoPath>,
}

impl Snapshot {
    pub fn new(snapshots: Folder, commit: &Commit) -> Self {
        Self {
            walk: Walk::new(snapshots, Some(commit.as_str().to_owned())),
            commit: commit.as_str().to_owned(),
            put: HashMap::new(),
        }
    }

    /// As [`Walk::leave`].
    pub fn leave(&mut self, path: &RepoPath) -> Result<(), DiskError> {
        self.walk.leave(path)
    }

    /// As [`Walk::finish`].
    pub fn finish(self) -> Result<(), DiskError> {
        self.walk.finish()
    }

    /// Makes the pointer of `item`, or replaces in one step what stands in its place.
    pub fn point(&mut self, staging: &Folder, item: &Publication) -> Result<(), DiskError> {
        let target = pointer_target(item.path.folders().count(), item.blob);
        let folder = self.walk.enter(&item.path)?;
        let name = item.path.file_name();
        if folder.link_new(&target, name)? || folder.link_target(name)?.as_deref() == Some(&target) {
            return Ok(());
        }
        // The staging folder holds the temporary link: a crash leaves nothing in the snapshot.
        let temporary = staging::temporary_name("link");
        staging.link_new(&target, &temporary)?;
        move_or_remove(staging, &temporary, folder, name)
    }

    /// Makes a hard link to the blob of `item`, or replaces in one step what stands in its place.
    pub fn link(&mut self, batch: &Batch<'_>, item: &Publication) -> Result<(), DiskError> {
        let folder = self.walk.enter(&item.path)?;
        let (blob, name) = (item.blob.to_string(), item.path.file_name());
        let inode = |entry: Option<super::folder::Entry>| entry.map(|entry| entry.inode);
        let wanted = inode(batch.blobs.entry(&blob)?);
        if batch.blobs.hard_link(&blob, folder, name)? || inode(folder.entry(name)?) == wanted {
            return Ok(());
        }
        let temporary = staging::temporary_name("link");
        batch.blobs.hard_link(&blob, &batch.staged.folder, &temporary)?;
        move_or_remove(&batch.staged.folder, &temporary, folder, name)
    }

    /// Puts the content of `item` itself into the snapshot: the staged file is moved there, a
    /// blob that exists already is copied, as `huggingface_hub` does it.
    pub fn put(&mut self, batch: &mut Batch<'_>, item: &Publication) -> Result<Placed, DiskError> {
        self.walk.enter(&item.path)?;
        let _lock = batch.lock(item.blob)?;
        if let Source::Part(path) | Source::Repair(path) = &item.source {
            let staged = staged_name(path)?;
            if batch.staged.folder.entry(staged)?.is_some() {
                batch.staged.make_ready(staged, item.size_bytes)?;
                let folder = self.walk.enter(&item.path)?;
                batch
                    .staged
                    .folder
                    .rename(staged, folder, item.path.file_name())?;
                self.put.insert(item.blob, item.path.clone());
                return Ok(Placed::Stored);
            }
        }
        let source = match self.put.get(&item.blob) {
            Some(first) => Some(self.open(first)?),
            None => batch.open_whole_blob(item)?,
        };
        let folder = self.walk.enter(&item.path)?;
        let name = item.path.file_name();
        let fail = |doing| {
            let path = folder.path().join(name);
            move |error: io::Error| DiskError::new(doing, path, error)
        };
        if let Some(mut source) = source {
            let temporary = staging::temporary_name("copy");
            let mut copy = batch.staged.folder.create_file(&temporary, 0o666)?;
            let copied = io::copy(&mut source, &mut copy).and_then(|_| copy.sync_data());
            if let Err(error) = copied {
                batch.staged.folder.discard(&temporary);
                return Err(fail("copy the content to")(error));
            }
            move_or_remove(&batch.staged.folder, &temporary, folder, name)?;
            return Ok(Placed::Reused);
        }
        match folder.entry(name)? {
            Some(entry) if entry.kind == FileType::RegularFile && entry.size_bytes == item.size_bytes => {
                let file = folder.open_file(name, OFlags::RDONLY, 0)?;
                file.sync_data().map_err(fail("sync"))?;
                Ok(Placed::Reused)
            }
            _ => Err(fail("find the content of")(io::ErrorKind::NotFound.into())),
        }
    }

    /// Opens a file that this batch put into the snapshot.
    fn open(&self, path: &RepoPath) -> Result<File, DiskError> {
        let mut folder = self.walk.root.child(&self.commit)?;
        for name in path.folders() {
            folder = folder.child(name)?;
        }
        folder.open_file(path.file_name(), OFlags::RDONLY, 0)
    }
}

/// Renames a temporary entry into its place and leaves nothing behind when that fails.
pub(super) fn move_or_remove(
    from: &Folder,
    temporary: &str,
    to: &Folder,
    name: &str,
) -> Result<(), DiskError> {
    let moved = from.rename(temporary, to, name);
    if moved.is_err() {
        from.discard(temporary);
    }
    moved
}
