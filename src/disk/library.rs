//! Scanning a Hub cache: what is in it, by whatever program it was put there.
//!
//! Nothing is changed and no link is followed. A folder that is broken is described, never an
//! error of the whole scan. What a repo folder's marks cover is not looked at again
//! while they hold.

mod marks;
mod repo;

pub(super) use repo::is_unfinished;

use std::collections::HashMap;
use std::path::Path;

use rustix::fs::FileType;

use super::error::DiskError;
use super::folder::Folder;
use crate::model::library::{CachedRepo, LibraryRepo};

/// What the index knows of a repo folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its marks at that time.
    pub marks: String,
    /// When it was scanned, UTC milliseconds.
    pub scanned_at: i64,
}

/// The end of a scan.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ScanEnd {
    /// Repo folders that are there.
    pub repos: usize,
    /// Of these the ones that were looked into.
    pub read: usize,
    /// Folders the index knows that are there no more.
    pub gone: Vec<String>,
    /// Folders that could not be read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// Scans the cache at `hub`: hands every repo whose marks do not hold any more to `found`, which
/// answers whether to go on. A cache that is not there is empty. Blocks.
///
/// # Errors
/// When the root cannot be listed.
pub fn scan(
    hub: &Path,
    known: &HashMap<String, Known>,
    now: i64,
    mut found: impl FnMut(LibraryRepo) -> bool,
) -> Result<ScanEnd, DiskError> {
    let mut end = ScanEnd::default();
    let root = match Folder::open_root(hub) {
        Ok(root) => root,
        Err(error) if error.is_not_found() => {
            end.gone = known.keys().cloned().collect();
            return Ok(end);
        }
        Err(error) => return Err(error),
    };
    let mut there = std::collections::HashSet::new();
    for (folder, kind) in root.kinds()? {
        let Some(repo) = CachedRepo::from_folder(&folder) else {
            continue;
        };
        // A link in place of a repo folder is left alone: nothing below it is ours to judge.
        if kind != FileType::Directory {
            continue;
        }
        end.repos += 1;
        let opened = match root.child(&folder) {
            Ok(opened) => opened,
            Err(error) if error.is_not_found() => {
                end.repos -= 1;
                continue;
            }
            Err(error) => {
                there.insert(folder.clone());
                end.unreadable.push((folder, error.to_string()));
                continue;
            }
        };
        there.insert(folder.clone());
        if known
            .get(&folder)
            .is_some_and(|known| marks::hold(&opened, known))
        {
            continue;
        }
        end.read += 1;
        match repo::read(&root, &opened, repo, now) {
            Ok(scanned) => {
                if !found(scanned) {
                    break;
                }
            }
            Err(error) => end.unreadable.push((folder, error.to_string())),
        }
    }
    end.gone = known
        .keys()
        .filter(|name| !there.contains(*name))
        .cloned()
        .collect();
    Ok(end)
}

/// Scans one repo folder; `None` when it is not there. Blocks.
///
/// # Errors
/// When the folder cannot be read, or a link stands in its place.
pub fn scan_repo(hub: &Path, repo: &CachedRepo, now: i64) -> Result<Option<LibraryRepo>, DiskError> {
    let root = match Folder::open_root(hub) {
        Err(error) if error.is_not_found() => return Ok(None),
        root => root?,
    };
    match root.child_if_present(&repo.folder())? {
        Some(folder) => repo::read(&root, &folder, repo.clone(), now).map(Some),
        None => Ok(None),
    }
}
