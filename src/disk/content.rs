//! The content behind a name of a cache: found as any reader finds it, through the pointer of a
//! snapshot or a blob's own name, and opened without following any other link.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FileType, OFlags};
use serde::Deserialize;

use super::cache::{BLOBS, SNAPSHOTS, TREES, shared_store_entry};
use super::error::DiskError;
use super::folder::{Folder, Mark};
use crate::model::library::CachedRepo;
use crate::model::repo::BlobId;

/// Longest listing that is read: half a million files.
const TREE_BYTES: u64 = 128 << 20;

/// A content, open for reading.
#[derive(Debug)]
pub struct Content {
    /// The open file.
    pub file: File,
    /// Name of its blob; empty for a real file of a snapshot.
    pub blob: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Last change, UTC milliseconds, as the index keeps it.
    pub modified_at: i64,
    /// The folder that holds it, and its name there.
    pub(super) folder: Folder,
    pub(super) name: String,
}

impl Content {
    /// Whether the name still leads to the file that was opened.
    ///
    /// # Errors
    /// What looking at it reports.
    pub fn is_current(&self) -> Result<bool, DiskError> {
        super::lock::is_still_there(&self.folder, &self.name, &self.file)
    }

    /// The blob that is the same file under another name, where snapshots show contents as hard
    /// links; else the content as it is.
    ///
    /// # Errors
    /// What looking at the blob reports.
    pub fn or_blob(self, contents: &Contents, blob: &str) -> Result<Self, DiskError> {
        if !self.blob.is_empty() {
            return Ok(self);
        }
        let same = |other: &Self| {
            let (ours, theirs) = (self.file.metadata(), other.file.metadata());
            let of = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
            let (ours, theirs) = (ours.ok().map(of), theirs.ok().map(of));
            ours.is_some() && ours == theirs
        };
        let blob = contents.of_blob(blob)?.filter(same);
        Ok(blob.unwrap_or(self))
    }

    pub(super) fn mark(&self) -> Option<Mark> {
        self.folder.mark(&self.name)
    }
}

/// Announced length and hash of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Its hash.
    pub blob: BlobId,
}

/// The repo folders of a cache. Every call blocks.
#[derive(Debug, Clone)]
pub struct Contents {
    hub: std::path::PathBuf,
    repo: CachedRepo,
}

impl Contents {
    /// Contents of `repo` in the cache at `hub`.
    pub fn new(hub: &Path, repo: &CachedRepo) -> Self {
        Self {
            hub: hub.to_owned(),
            repo: repo.clone(),
        }
    }

    fn open(&self) -> Result<Option<(Folder, Folder)>, DiskError> {
        let hub = match Folder::open_root(&self.hub) {
            Err(error) if error.is_not_found() => return Ok(None),
            hub => hub?,
        };
        let repo = hub.child_if_present(&self.repo.folder())?;
        Ok(repo.map(|repo| (hub, repo)))
    }

    /// What a snapshot shows under `path`; `None` when it has no such name, its pointer leads to
    /// nothing, or the name is a link of another kind.
    ///
    /// # Errors
    /// What opening reports.
    pub fn of_path(&self, commit: &str, path: &str) -> Result<Option<Content>, DiskError> {
        let Some((hub, repo)) = self.open()? else {
            return Ok(None);
        };
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folders: Vec<&str> = folders.split('/').filter(|part| !part.is_empty()).collect();
        let mut here = Some(repo.make_child(".")?.0);
        for part in [SNAPSHOTS, commit].iter().chain(&folders) {
            here = match here {
                Some(folder) => folder.child_if_present(part)?,
                None => None,
            };
        }
        let Some(here) = here else { return Ok(None) };
        match here.entry(name)?.map(|entry| entry.kind) {
            Some(FileType::RegularFile) => opened(here, name.to_owned(), String::new()),
            Some(FileType::Symlink) => {
                let target = here.link_target(name)?.unwrap_or_default();
                match pointed(&target, folders.len()) {
                    Some(blob) => blob_in(&hub, &repo, blob),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// The blob of this name; `None` when it is not there.
    ///
    /// # Errors
    /// What opening reports.
    pub fn of_blob(&self, blob: &str) -> Result<Option<Content>, DiskError> {
        match self.open()? {
            Some((hub, repo)) => blob_in(&hub, &repo, blob),
            None => Ok(None),
        }
    }

    /// What the Hub announced of the files of a commit, as a download saved it; `None` when none
    /// did, or the listing cannot be understood.
    ///
    /// # Errors
    /// What reading reports.
    pub fn announced(&self, commit: &str) -> Result<Option<HashMap<String, Announced>>, DiskError> {
        let Some((_, repo)) = self.open()? else {
            return Ok(None);
        };
        let Some(trees) = repo.child_if_present(TREES)? else {
            return Ok(None);
        };
        let name = format!("{commit}.json");
        let file = match trees.open_file(&name, OFlags::RDONLY, 0) {
            Err(error) if error.is_not_found() => return Ok(None),
            file => file?,
        };
        let mut text = Vec::new();
        file.take(TREE_BYTES)
            .read_to_end(&mut text)
            .map_err(|error| DiskError::new("read", trees.path().join(&name), error))?;
        Ok(serde_json::from_slice(&text).ok().and_then(understood))
    }
}

#[derive(Deserialize)]
struct Tree {
    format_version: u32,
    files: HashMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    size: u64,
    blob_id: String,
    lfs_sha256: Option<String>,
}

fn understood(tree: Tree) -> Option<HashMap<String, Announced>> {
    if tree.format_version != 1 {
        return None;
    }
    let files = tree.files.into_iter().filter_map(|(path, entry)| {
        let blob = entry.lfs_sha256.as_ref().unwrap_or(&entry.blob_id);
        let blob = blob.parse().ok()?;
        let size_bytes = entry.size;
        Some((path, Announced { size_bytes, blob }))
    });
    Some(files.collect())
}

/// The blob that a pointer `depth` folders below its snapshot leads to, in the one form that every
/// program writes.
pub(super) fn pointed(target: &str, depth: usize) -> Option<&str> {
    let blob = target.strip_prefix(&"../".repeat(depth + 2))?;
    let blob = blob.strip_prefix(BLOBS)?.strip_prefix('/')?;
    (!blob.is_empty() && !blob.contains('/') && blob != ".." && blob != ".").then_some(blob)
}

fn blob_in(hub: &Folder, repo: &Folder, blob: &str) -> Result<Option<Content>, DiskError> {
    let Some(blobs) = repo.child_if_present(BLOBS)? else {
        return Ok(None);
    };
    match blobs.entry(blob)?.map(|entry| entry.kind) {
        Some(FileType::RegularFile) => opened(blobs, blob.to_owned(), blob.to_owned()),
        Some(FileType::Symlink) => {
            let target = blobs.link_target(blob)?.unwrap_or_default();
            let Some((part, name)) = shared_store_entry(&target) else {
                return Ok(None);
            };
            let store = hub.child(BLOBS).and_then(|store| store.child(part));
            match store {
                Ok(store) => opened(store, name.to_owned(), blob.to_owned()),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        }
        _ => Ok(None),
    }
}

pub(super) fn opened(folder: Folder, name: String, blob: String) -> Result<Option<Content>, DiskError> {
    let file = match folder.open_file(&name, OFlags::RDONLY, 0) {
        Err(error) if error.is_not_found() => return Ok(None),
        file => file?,
    };
    let Some(entry) = folder.entry(&name)? else {
        return Ok(None);
    };
    Ok(Some(Content {
        file,
        blob,
        size_bytes: entry.size_bytes,
        modified_at: entry.modified_at,
        folder,
        name,
    }))
}
