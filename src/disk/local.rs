//! A local folder: the files of a repo under their own names, as `hf download --local-dir` has them.
//!
//! Beside each file lies a record in `.cache/huggingface/download/`: commit, blob and time, in the
//! form that `huggingface_hub` 2.4 writes and reads. A file whose record fits is known without
//! being read; any other file of the right size is hashed before it counts.
//!
//! Order of publishing: verified data, rename into place, sync of the folders, record. A cut
//! between any two steps costs a hash, never a wrong file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FileType, OFlags};

use super::error::DiskError;
use super::folder::Folder;
use super::publish::{Placed, Publication, PublishReport, Source};
use super::repo::{Links, RepoDir, staged_name, write_new};
use super::snapshot::{Walk, move_or_remove};
use super::staging::{self, STAGING, Staged};
use crate::clock::now_ms;
use crate::model::repo::{BlobId, Commit, RepoId, RepoPath};

/// Folders of the records, from the repo folder down.
pub(super) const RECORDS: [&str; 3] = [".cache", "huggingface", "download"];
/// Longest record that is read: two hashes and a time.
const RECORD_BYTES: u64 = 512;
/// How much younger than its record a file may be, as `huggingface_hub` has it.
const SLACK_MS: i64 = 1_000;

/// How the files of a local folder are named.
#[derive(Debug, Clone, Default)]
pub(super) struct Local {
    /// Plain filters that name a folder for the files they match; the longest that matches wins.
    subfolders: Vec<String>,
}

/// What a repo folder has of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Missing,
    /// It is there by its name and size.
    Known,
    /// A file of the right size stands in its place; only its hash can tell.
    SameSize,
}

impl RepoDir {
    /// The folder `<root>/<owner>/<name>` of plain files; nothing is created yet.
    pub fn local(root: &Path, id: &RepoId, subfolders: Vec<String>) -> Self {
        let mut folder = Self::new(
            &root.join(id.owner()),
            id.name().to_owned(),
            Links::None,
            Duration::ZERO,
        );
        folder.local = Some(Local { subfolders });
        folder
    }

    /// What is here of a content that belongs under `paths`.
    ///
    /// # Errors
    /// What looking at it reports.
    pub fn look<'a>(
        &self,
        blob: BlobId,
        size_bytes: u64,
        paths: impl Iterator<Item = &'a RepoPath>,
    ) -> Result<Seen, DiskError> {
        let Some(local) = &self.local else {
            return Ok(match self.blob(blob)? {
                Some(size) if size == size_bytes => Seen::Known,
                _ => Seen::Missing,
            });
        };
        let Some(repo) = self.repo_if_present()? else {
            return Ok(Seen::Missing);
        };
        let mut seen = Seen::Missing;
        for path in paths {
            let path = local.place(path);
            if !has_size(&repo, &path, size_bytes)? {
                continue;
            }
            if is_recorded(&repo, &path, blob)? {
                return Ok(Seen::Known);
            }
            seen = Seen::SameSize;
        }
        Ok(seen)
    }

    /// Opens a content to hash it: the blob, or the first file of the right size under `paths`
    /// together with its path.
    ///
    /// # Errors
    /// What opening reports.
    pub fn open_content<'a>(
        &self,
        blob: BlobId,
        size_bytes: u64,
        paths: impl Iterator<Item = &'a RepoPath>,
    ) -> Result<Option<(File, Option<RepoPath>)>, DiskError> {
        let Some(local) = &self.local else {
            return Ok(self.open_blob(blob)?.map(|file| (file, None)));
        };
        let Some(repo) = self.repo_if_present()? else {
            return Ok(None);
        };
        for path in paths {
            let placed = local.place(path);
            let open = |folder: &Folder| folder.open_file(placed.file_name(), OFlags::RDONLY, 0);
            if has_size(&repo, &placed, size_bytes)?
                && let Some(file) = in_folder(&repo, &placed, open)?
            {
                return Ok(Some((file, Some(path.clone()))));
            }
        }
        Ok(None)
    }

    /// Records that the file under `path` was hashed and is the content `blob`. Does nothing in
    /// the cache, where the name of a blob says it.
    pub fn record(&self, commit: &Commit, path: &RepoPath, blob: BlobId) {
        if let (Some(local), Ok(repo)) = (&self.local, self.open_repo()) {
            record(&repo, commit, &local.place(path), blob);
        }
    }

    /// Makes the folder with its staging folder, or what is missing of it.
    pub(super) fn create_local(&self, hub: &Path) -> Result<(), DiskError> {
        std::fs::create_dir_all(hub).map_err(|error| DiskError::new("create the folder", hub, error))?;
        let owner = Folder::open_root(hub)?;
        let (repo, _) = owner.make_child(&self.folder)?;
        repo.make_child(STAGING)?;
        let (cache, _) = repo.make_child(RECORDS[0])?;
        let (records, new) = cache.make_child(RECORDS[1])?;
        if new {
            // Keeps records out of git; without it nothing else changes.
            let _ = write_new(&records, ".gitignore", b"*");
        }
        repo.sync()?;
        owner.sync()
    }

    /// [`publish`](Self::publish) for a local folder.
    pub(super) fn publish_local(
        &self,
        local: &Local,
        commit: &Commit,
        items: &[Publication],
    ) -> Result<PublishReport, DiskError> {
        let repo = self.open_repo()?;
        let mut staged = Staged::new(self.open_staging()?);
        let placed: Vec<RepoPath> = items.iter().map(|item| local.place(&item.path)).collect();
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by(|&a, &b| placed[a].cmp(&placed[b]));
        let (moved, present): (Vec<usize>, Vec<usize>) = order
            .into_iter()
            .partition(|&index| !matches!(items[index].source, Source::Present));

        let mut results: HashMap<usize, Result<Placed, DiskError>> = HashMap::new();
        // Where each content of the batch is, once it is there.
        let mut have: HashMap<BlobId, RepoPath> = HashMap::new();
        let mut walk = Walk::new(self.open_repo()?, None);
        for index in moved {
            let (item, path) = (&items[index], &placed[index]);
            walk.leave(path)?;
            let done = put(&mut walk, &mut staged, item, path);
            if done.is_ok() {
                have.insert(item.blob, path.clone());
            }
            results.insert(index, done.map(|()| Placed::Stored));
        }
        walk.finish()?;
        for &index in &present {
            let path = &placed[index];
            if !have.contains_key(&items[index].blob) && is_known(&repo, path, &items[index])? {
                have.insert(items[index].blob, path.clone());
            }
        }
        let mut walk = Walk::new(self.open_repo()?, None);
        for index in present {
            let (item, path) = (&items[index], &placed[index]);
            walk.leave(path)?;
            let done = match have.get(&item.blob) {
                Some(first) if first == path || is_known(&repo, path, item)? => Ok(()),
                Some(first) => copy(&repo, first, &mut walk, &staged.folder, path),
                None => Err(DiskError::new(
                    "find the content of",
                    self.path().join(path.as_str()),
                    io::Error::from(io::ErrorKind::NotFound),
                )),
            };
            results.insert(index, done.map(|()| Placed::Reused));
        }
        walk.finish()?;
        repo.sync()?;
        for (index, item) in items.iter().enumerate() {
            if matches!(results.get(&index), Some(Ok(_))) {
                record(&repo, commit, &placed[index], item.blob);
            }
        }
        let items = (0..items.len())
            .filter_map(|index| results.remove(&index))
            .collect();
        Ok(PublishReport {
            items,
            locks_skipped: 0,
        })
    }

    fn repo_if_present(&self) -> Result<Option<Folder>, DiskError> {
        match self.open_hub() {
            Ok(owner) => owner.child_if_present(&self.folder),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Local {
    /// Where the file `path` of the repo lies.
    fn place(&self, path: &RepoPath) -> RepoPath {
        let folded = path.as_str().to_lowercase();
        let longest = self
            .subfolders
            .iter()
            .filter(|filter| folded.contains(&filter.to_lowercase()))
            .max_by_key(|filter| filter.len());
        longest
            .and_then(|folder| format!("{}/{path}", folder.trim_matches('/')).parse().ok())
            .unwrap_or_else(|| path.clone())
    }
}

/// Moves a staged file into its place.
fn put(walk: &mut Walk, staged: &mut Staged, item: &Publication, path: &RepoPath) -> Result<(), DiskError> {
    // The staging folder and the records are ours, whatever a repo calls its files.
    if path.folders().next() == Some(STAGING) {
        return Err(DiskError::unexpected(
            "publish",
            walk.path().join(path.as_str()),
            "its name is kept for unfinished files",
        ));
    }
    let (Source::Part(from) | Source::Repair(from)) = &item.source else {
        return Ok(());
    };
    let name = staged_name(from)?;
    staged.make_ready(name, item.size_bytes)?;
    let folder = walk.enter(path)?;
    staged.folder.rename(name, folder, path.file_name())
}

/// Copies a content that another path of the folder has already.
fn copy(
    repo: &Folder,
    from: &RepoPath,
    walk: &mut Walk,
    staging: &Folder,
    to: &RepoPath,
) -> Result<(), DiskError> {
    let source = in_folder(repo, from, |folder| {
        folder.open_file(from.file_name(), OFlags::RDONLY, 0)
    })?;
    let gone = || {
        let path = repo.path().join(from.as_str());
        DiskError::new("open", path, io::Error::from(io::ErrorKind::NotFound))
    };
    let mut source = source.ok_or_else(gone)?;
    let temporary = staging::temporary_name("copy");
    let mut copy = staging.create_file(&temporary, 0o666)?;
    if let Err(error) = io::copy(&mut source, &mut copy).and_then(|_| copy.sync_data()) {
        staging.discard(&temporary);
        return Err(DiskError::new(
            "copy the content to",
            repo.path().join(to.as_str()),
            error,
        ));
    }
    let folder = walk.enter(to)?;
    move_or_remove(staging, &temporary, folder, to.file_name())
}

/// What `work` makes of the folder that holds `path`, when it exists.
fn in_folder<T>(
    repo: &Folder,
    path: &RepoPath,
    work: impl FnOnce(&Folder) -> Result<T, DiskError>,
) -> Result<Option<T>, DiskError> {
    let mut inner: Option<Folder> = None;
    for name in path.folders() {
        match inner.as_ref().unwrap_or(repo).child_if_present(name)? {
            Some(child) => inner = Some(child),
            None => return Ok(None),
        }
    }
    work(inner.as_ref().unwrap_or(repo)).map(Some)
}

fn has_size(repo: &Folder, path: &RepoPath, size_bytes: u64) -> Result<bool, DiskError> {
    let entry = in_folder(repo, path, |folder| folder.entry(path.file_name()))?.flatten();
    Ok(entry.is_some_and(|entry| entry.kind == FileType::RegularFile && entry.size_bytes == size_bytes))
}

fn is_known(repo: &Folder, path: &RepoPath, item: &Publication) -> Result<bool, DiskError> {
    Ok(has_size(repo, path, item.size_bytes)? && is_recorded(repo, path, item.blob)?)
}

/// Whether the record beside `path` says that it is `blob`, and the file is not younger.
fn is_recorded(repo: &Folder, path: &RepoPath, blob: BlobId) -> Result<bool, DiskError> {
    let Some(text) = read_record(repo, path, RECORD_BYTES) else {
        return Ok(false);
    };
    let mut lines = text.lines();
    let (_commit, etag, time) = (lines.next(), lines.next(), lines.next());
    let recorded_at = time.and_then(|time| time.trim().parse::<f64>().ok());
    let (Some(etag), Some(recorded_at)) = (etag, recorded_at) else {
        return Ok(false);
    };
    if etag.trim() != blob.to_string() {
        return Ok(false);
    }
    let entry = in_folder(repo, path, |folder| folder.entry(path.file_name()))?.flatten();
    Ok(entry.is_some_and(|entry| (entry.modified_at - SLACK_MS) as f64 <= recorded_at * 1_000.0))
}

fn record_name(path: &RepoPath) -> String {
    format!("{}.metadata", path.file_name())
}

/// The record beside `path`, `limit` bytes of it at most.
pub(super) fn read_record(repo: &Folder, path: &RepoPath, limit: u64) -> Option<String> {
    let mut folder = repo.child(RECORDS[0]).ok()?;
    for name in RECORDS[1..].iter().copied().chain(path.folders()) {
        folder = folder.child(name).ok()?;
    }
    let file = folder.open_file(&record_name(path), OFlags::RDONLY, 0).ok()?;
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Writes the record of a file that is in place. It only saves a hash later, so a name that is too
/// long for it, or a folder that cannot be made, is no failure.
fn record(repo: &Folder, commit: &Commit, path: &RepoPath, blob: BlobId) {
    let write = || -> Result<(), DiskError> {
        let (mut folder, _) = repo.make_child(RECORDS[0])?;
        for name in RECORDS[1..].iter().copied().chain(path.folders()) {
            folder = folder.make_child(name)?.0;
        }
        let staging = repo.child(STAGING)?;
        let temporary = staging::temporary_name("record");
        let seconds = now_ms() as f64 / 1_000.0;
        write_new(
            &staging,
            &temporary,
            format!("{commit}\n{blob}\n{seconds}\n").as_bytes(),
        )?;
        move_or_remove(&staging, &temporary, &folder, &record_name(path))
    };
    let _ = write();
}
