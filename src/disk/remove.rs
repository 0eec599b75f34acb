//! Taking things out of a Hub cache, so that at every instant a reader finds no ref without its
//! snapshot and no pointer without its blob: refs go first, then snapshots, blobs last.
//!
//! What is removed as a whole is first moved aside by one rename and deleted afterwards; what a
//! crash leaves of it has a name of its own and is swept. Links are removed, never followed.
//! The caller keeps the downloads of this process away; other programs are kept away, or shown
//! to be at work, by the locks that they take themselves.

use std::collections::HashSet;
use std::ffi::CString;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use super::cache::{BLOBS, LOCKS, REFS, SNAPSHOTS, TREES};
use super::error::DiskError;
use super::folder::{Folder, unique_name};
use super::library::scan_repo;
use super::lock::{BlobLock, Try, try_lock, try_lock_blob};
use super::staging::STAGING;
use crate::model::library::{CachedRepo, Held, LibraryRepo};

/// Ending of what was moved aside to be deleted.
const GONE: &str = "gone";
/// Folder of known absences, as `huggingface_hub` writes it.
const NO_EXIST: &str = ".no_exist";
/// Blob locks held at once; each is an open file.
const LOCKS_AT_ONCE: usize = 128;

/// Why something was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It is not there.
    #[error("It is not in the cache")]
    NotThere,
    /// Another program works on it.
    #[error("{0}")]
    Busy(String),
    /// A link stands where a folder has to be: what it leads to is not ours to delete.
    #[error("{0}")]
    Unsafe(String),
    /// The disk refuses.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// An open repo folder that nobody seems to write to.
struct Target {
    hub: Folder,
    repo: Folder,
}

fn open(hub: &Path, repo: &CachedRepo) -> Result<Target, RemoveError> {
    let hub = match Folder::open_root(hub) {
        Err(error) if error.is_not_found() => return Err(RemoveError::NotThere),
        hub => hub?,
    };
    let name = repo.folder();
    match hub.entry(&name)?.map(|entry| entry.kind) {
        None => return Err(RemoveError::NotThere),
        Some(FileType::Directory) => {}
        Some(_) => {
            let path = hub.path().join(name);
            let text = format!("{} is a link or a file, no folder of the cache", path.display());
            return Err(RemoveError::Unsafe(text));
        }
    }
    let folder = hub.child(&name)?;
    for part in [BLOBS, REFS, SNAPSHOTS, TREES, STAGING] {
        if let Some(entry) = folder.entry(part)?
            && entry.kind != FileType::Directory
        {
            let path = folder.path().join(part);
            let text = format!("{} is a link or a file, no folder of the cache", path.display());
            return Err(RemoveError::Unsafe(text));
        }
    }
    Ok(Target { hub, repo: folder })
}

impl Target {
    /// Refuses when a program holds the lock of a blob, or a part file.
    fn check_idle(&self, repo: &CachedRepo) -> Result<(), RemoveError> {
        let locks = match self.hub.child_if_present(LOCKS)? {
            Some(locks) => locks.child_if_present(&repo.folder())?,
            None => None,
        };
        let staging = self.repo.child_if_present(STAGING)?;
        for (folder, ending) in [(locks, ".lock"), (staging, ".part")] {
            let Some(folder) = folder else { continue };
            for name in folder.names()?.into_iter().filter(|name| name.ends_with(ending)) {
                // What cannot be opened is held by nobody we could ask.
                let Ok(file) = folder.open_file(&name, OFlags::RDONLY, 0) else {
                    continue;
                };
                if matches!(try_lock(&file), Ok(Try::Busy)) {
                    let path = folder.path().join(name);
                    return Err(RemoveError::Busy(format!(
                        "Another program holds {}",
                        path.display()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Takes `name` out of `from` in one step and deletes it then.
    fn remove_whole(&self, from: &Folder, name: &str) -> Result<(), DiskError> {
        let (locks, _) = self.hub.make_child(LOCKS)?;
        let aside = unique_name(name, GONE);
        match from.rename(name, &locks, &aside) {
            Ok(()) => {
                from.sync()?;
                locks.remove_all(&c_name(&aside))?;
            }
            // `.locks` is a mount of its own: then not in one step.
            Err(error) if error.source.kind() == io::ErrorKind::CrossesDevices => {
                from.remove_all(&c_name(name))?;
                from.sync()?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A name without a zero byte; ours and those of a listing have none.
fn c_name(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}

/// Removes a repo with everything in its folder. Blocks.
///
/// # Errors
/// [`RemoveError`]; after [`RemoveError::Disk`] a part may be gone already.
pub fn remove_repo(hub: &Path, repo: &CachedRepo) -> Result<(), RemoveError> {
    let target = open(hub, repo)?;
    target.check_idle(repo)?;
    Ok(target.remove_whole(&target.hub, &repo.folder())?)
}

/// Removes one snapshot with its refs and listing, then the blobs that no other snapshot has.
/// Returns the bytes of the blobs that went. Blocks.
///
/// # Errors
/// [`RemoveError`]; after [`RemoveError::Disk`] a part may be gone already.
pub fn remove_revision(hub: &Path, repo: &CachedRepo, commit: &str) -> Result<u64, RemoveError> {
    let target = open(hub, repo)?;
    let scan = scan_repo(hub, repo, 0)?.ok_or(RemoveError::NotThere)?;
    if !scan.revisions.iter().any(|revision| revision.commit == commit) {
        return Err(RemoveError::NotThere);
    }
    target.check_idle(repo)?;
    for (name, held) in &scan.refs {
        if held == commit {
            remove_ref(&target.repo, name)?;
        }
    }
    target.remove_whole(&target.repo.child(SNAPSHOTS)?, commit)?;
    if let Some(trees) = target.repo.child_if_present(TREES)? {
        trees.remove(&format!("{commit}.json"))?;
    }
    if let Some(absent) = target.repo.child_if_present(NO_EXIST)? {
        absent.remove_all(&c_name(commit))?;
    }
    let blobs = linked(&scan, |file| file.commit == commit);
    Ok(remove_unreferenced(hub, repo, &blobs)?.1)
}

/// Removes a ref and the folders that it leaves empty.
pub(super) fn remove_ref(repo: &Folder, name: &str) -> Result<(), DiskError> {
    let mut chain = vec![repo.child(REFS)?];
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    let folders: Vec<&str> = folders.split('/').filter(|part| !part.is_empty()).collect();
    for part in &folders {
        let Some(above) = chain.last() else { break };
        let Some(child) = above.child_if_present(part)? else {
            return Ok(());
        };
        chain.push(child);
    }
    if let Some(last) = chain.last() {
        last.remove(file)?;
        last.sync()?;
    }
    for (above, part) in chain.iter().zip(&folders).rev() {
        // One that is not empty stays.
        if above.remove_folder(part).is_err() {
            break;
        }
    }
    Ok(())
}

/// Names of the blobs behind the files that `wanted` selects.
fn linked(
    scan: &LibraryRepo,
    wanted: impl Fn(&crate::model::library::LibraryFile) -> bool,
) -> HashSet<String> {
    scan.files
        .iter()
        .filter(|file| file.held == Held::Linked && wanted(file))
        .map(|file| file.blob.clone())
        .collect()
}

/// Removes files from snapshots, then the blobs that nothing else refers to. Returns how many
/// names went and the bytes of the blobs that did. Blocks.
///
/// # Errors
/// [`RemoveError`]; after [`RemoveError::Disk`] a part may be gone already.
pub fn remove_files(
    hub: &Path,
    repo: &CachedRepo,
    members: &HashSet<(String, String)>,
) -> Result<(usize, u64), RemoveError> {
    let target = open(hub, repo)?;
    let scan = scan_repo(hub, repo, 0)?.ok_or(RemoveError::NotThere)?;
    target.check_idle(repo)?;
    let snapshots = target.repo.child(SNAPSHOTS)?;
    let is_member = |file: &crate::model::library::LibraryFile| {
        members.contains(&(file.commit.clone(), file.path.clone()))
    };
    let blobs = linked(&scan, is_member);
    let (mut removed, mut freed) = (0, 0);
    for file in scan.files.iter().filter(|file| is_member(file)) {
        let mut folder = snapshots.child(&file.commit)?;
        let (folders, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            folder = folder.child(part)?;
        }
        if folder.remove(name)? {
            removed += 1;
            if file.held == Held::Real {
                freed += file.size_bytes;
            }
        }
        folder.sync()?;
    }
    Ok((removed, freed + remove_unreferenced(hub, repo, &blobs)?.1))
}

/// Removes those of `names` in `blobs/` that no snapshot refers to. Each is looked up again
/// under its lock, which programs hold from fetching a blob until its pointer stands; one that
/// somebody works on stays. Returns how many went, and their bytes. Blocks.
///
/// # Errors
/// What the disk says; some may be gone then.
pub fn remove_unreferenced(
    hub: &Path,
    repo: &CachedRepo,
    names: &HashSet<String>,
) -> Result<(usize, u64), DiskError> {
    let root = Folder::open_root(hub)?;
    let (locks, _) = root.make_child(LOCKS)?;
    let (locks, _) = locks.make_child(&repo.folder())?;
    let blobs = root.child(&repo.folder())?.child(BLOBS)?;
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_unstable();
    let (mut count, mut bytes) = (0, 0);
    for part in names.chunks(LOCKS_AT_ONCE) {
        let mut held = Vec::new();
        for name in part {
            if let BlobLock::Free(lock) = try_lock_blob(&locks, &format!("{name}.lock"))? {
                held.push((name.as_str(), lock));
            }
        }
        let Some(scan) = scan_repo(hub, repo, 0)? else {
            break;
        };
        let used = linked(&scan, |_| true);
        for (name, _lock) in held {
            if used.contains(name) {
                continue;
            }
            // What another repo shares stays on the disk with it.
            let own = scan
                .blobs
                .iter()
                .find(|blob| blob.name == name && !blob.elsewhere);
            let size = own.map_or(0, |blob| blob.size_bytes);
            if blobs.remove(name)? {
                count += 1;
                bytes += size;
            }
        }
    }
    blobs.sync()?;
    Ok((count, bytes))
}

/// What crashes left of deletions: names in `.locks`, to be given to [`sweep`].
///
/// # Errors
/// What the disk says.
pub(super) fn moved_aside(hub: &Folder) -> Result<Vec<String>, DiskError> {
    let Some(locks) = hub.child_if_present(LOCKS)? else {
        return Ok(Vec::new());
    };
    let mut names = locks.names()?;
    names.retain(|name| name.ends_with(&format!(".{GONE}")));
    Ok(names)
}

/// Ends deletions that a crash cut off; returns how many. Not while another deletes. Blocks.
///
/// # Errors
/// What the disk says.
pub fn sweep(hub: &Path) -> Result<usize, DiskError> {
    let root = match Folder::open_root(hub) {
        Err(error) if error.is_not_found() => return Ok(0),
        root => root?,
    };
    let names = moved_aside(&root)?;
    if names.is_empty() {
        return Ok(0);
    }
    let locks = root.child(LOCKS)?;
    for name in &names {
        locks.remove_all(&c_name(name))?;
    }
    Ok(names.len())
}
