//! What a Hub cache holds that nobody needs: found here, shown to the user, removed then.

use std::collections::HashSet;
use std::path::Path;

use rustix::fs::FileType;

use super::cache::{BLOBS, LOCKS};
use super::error::DiskError;
use super::folder::Folder;
use super::library::scan_repo;
use super::lock::{BlobLock, Try, try_lock, try_lock_blob};
use super::remove::{RemoveError, moved_aside, remove_ref, remove_revision, remove_unreferenced, sweep};
use super::staging::{self, LeftoverKind, STAGING};
use crate::model::library::{CachedRepo, Held};
use crate::model::repo::BlobId;
use crate::model::state::words;

words! {
    /// What can be pruned.
    PruneKind {
        /// Unfinished downloads of other programs.
        Incomplete = "incomplete",
        /// Blobs that no snapshot refers to, refs to no snapshot, rests of deletions.
        Orphans = "orphans",
        /// Our own part files that no job wants.
        Parts = "parts",
        /// Snapshots that no ref names.
        OldRevisions = "old_revisions",
    }
}

/// One thing that can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneItem {
    /// Why it is offered.
    pub kind: PruneKind,
    /// Its repo; `None` for what belongs to the cache as a whole.
    pub repo: Option<CachedRepo>,
    /// Path below the cache.
    pub path: String,
    /// What removing it frees.
    pub bytes: u64,
    /// A sentence for people.
    pub reason: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    InBlobs(String),
    Staged(String),
    Blob(String),
    Ref(String),
    Revision(String),
    Rests,
}

/// What to look for in a repo.
#[derive(Debug, Clone)]
pub struct PruneSearch {
    /// Which kinds.
    pub kinds: Vec<PruneKind>,
    /// Only unfinished files of other programs that were last changed before, UTC milliseconds.
    pub incomplete_before: i64,
    /// Only parts and unreferenced things that were last changed before, UTC milliseconds.
    pub before: i64,
    /// Only snapshots that were last changed before, UTC milliseconds.
    pub revisions_before: i64,
}

/// Looks through one repo that nothing of ours writes to; `wanted` are the blobs whose parts a
/// job still wants. Blocks.
///
/// # Errors
/// What the disk says.
pub fn find(
    hub: &Path,
    repo: &CachedRepo,
    search: &PruneSearch,
    wanted: &HashSet<BlobId>,
) -> Result<Vec<PruneItem>, DiskError> {
    let root = Folder::open_root(hub)?;
    let (Some(folder), Some(scan)) = (root.child_if_present(&repo.folder())?, scan_repo(hub, repo, 0)?)
    else {
        return Ok(Vec::new());
    };
    let name = repo.folder();
    let mut items = Vec::new();
    let mut add = |kind, path: String, bytes, reason: &str, what| {
        items.push(PruneItem {
            kind,
            repo: Some(repo.clone()),
            path: format!("{name}/{path}"),
            bytes,
            reason: reason.to_owned(),
            what,
        });
    };
    if search.kinds.contains(&PruneKind::Incomplete)
        && let Some(blobs) = folder.child_if_present(BLOBS)?
    {
        for name in blobs.names()?.into_iter().filter(|name| is_rest(name)) {
            let Some(entry) = blobs.entry(&name)? else {
                continue;
            };
            if entry.kind == FileType::RegularFile && entry.modified_at < search.incomplete_before {
                let reason = "An unfinished download of another program";
                let path = format!("{BLOBS}/{name}");
                add(
                    PruneKind::Incomplete,
                    path,
                    entry.size_bytes,
                    reason,
                    What::InBlobs(name),
                );
            }
        }
    }
    if search.kinds.contains(&PruneKind::Parts)
        && let Some(staged) = folder.child_if_present(STAGING)?
    {
        for name in staged.names()? {
            let (Some(kind), Some(entry)) = (staging::parse(&name), staged.entry(&name)?) else {
                continue;
            };
            let is_wanted = matches!(kind, LeftoverKind::Part(blob) | LeftoverKind::Small(blob) if wanted.contains(&blob));
            if !is_wanted && entry.modified_at < search.before {
                let reason = "A part of a download that no job wants any more";
                let path = format!("{STAGING}/{name}");
                add(
                    PruneKind::Parts,
                    path,
                    entry.size_bytes,
                    reason,
                    What::Staged(name),
                );
            }
        }
    }
    if search.kinds.contains(&PruneKind::Orphans) {
        let used: HashSet<&str> = scan
            .files
            .iter()
            .filter(|file| file.held == Held::Linked)
            .map(|file| file.blob.as_str())
            .collect();
        for blob in &scan.blobs {
            if !used.contains(blob.name.as_str()) && blob.modified_at < search.before {
                let reason = "No snapshot refers to this content";
                let path = format!("{BLOBS}/{}", blob.name);
                add(
                    PruneKind::Orphans,
                    path,
                    if blob.elsewhere { 0 } else { blob.size_bytes },
                    reason,
                    What::Blob(blob.name.clone()),
                );
            }
        }
        for (name, commit) in &scan.refs {
            if !scan.revisions.iter().any(|revision| revision.commit == *commit) {
                let reason =
                    "This ref names a snapshot that is not here; other tools call the repo corrupted";
                add(
                    PruneKind::Orphans,
                    format!("refs/{name}"),
                    0,
                    reason,
                    What::Ref(name.clone()),
                );
            }
        }
    }
    if search.kinds.contains(&PruneKind::OldRevisions) {
        for revision in &scan.revisions {
            if revision.refs.is_empty() && revision.modified_at < search.revisions_before {
                let bytes = scan.freed_by(&revision.commit);
                let path = format!("snapshots/{}", revision.commit);
                let what = What::Revision(revision.commit.clone());
                add(
                    PruneKind::OldRevisions,
                    path,
                    bytes,
                    "No branch or tag names this snapshot any more",
                    what,
                );
            }
        }
    }
    Ok(items)
}

/// Rests of deletions that a crash cut off. Blocks.
///
/// # Errors
/// What the disk says.
pub fn find_rests(hub: &Path) -> Result<Vec<PruneItem>, DiskError> {
    let root = match Folder::open_root(hub) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        root => root?,
    };
    let rests = moved_aside(&root)?.into_iter().map(|name| PruneItem {
        kind: PruneKind::Orphans,
        repo: None,
        path: format!("{LOCKS}/{name}"),
        bytes: 0,
        reason: "The rest of a deletion that was cut off".to_owned(),
        what: What::Rests,
    });
    Ok(rests.collect())
}

/// Names that unfinished downloads of other programs have; locks are none.
fn is_rest(name: &str) -> bool {
    super::library::is_unfinished(name) && !name.ends_with(".lock")
}

/// Removes one item, unless it is in use by now. Returns the bytes that were freed, `None` when
/// it stays. Blocks.
///
/// # Errors
/// [`RemoveError`].
pub fn remove(hub: &Path, item: &PruneItem) -> Result<Option<u64>, RemoveError> {
    let Some(repo) = &item.repo else {
        sweep(hub)?;
        return Ok(Some(item.bytes));
    };
    let root = Folder::open_root(hub)?;
    let folder = root.child(&repo.folder())?;
    Ok(match &item.what {
        What::InBlobs(name) => {
            // Its writer holds the lock of the blob; the name begins with that of the blob.
            let blob = name.split('.').next().unwrap_or(name);
            let (locks, _) = root.make_child(LOCKS)?;
            let (locks, _) = locks.make_child(&repo.folder())?;
            match try_lock_blob(&locks, &format!("{blob}.lock"))? {
                BlobLock::Busy => None,
                BlobLock::Free(_lock) => folder.child(BLOBS)?.remove(name)?.then_some(item.bytes),
            }
        }
        What::Staged(name) => {
            let staged = folder.child(STAGING)?;
            let file = staged.open_file(name, rustix::fs::OFlags::RDONLY, 0)?;
            match try_lock(&file) {
                Ok(Try::Busy) => None,
                _ => staged.remove(name)?.then_some(item.bytes),
            }
        }
        What::Blob(name) => {
            let (count, bytes) = remove_unreferenced(hub, repo, &HashSet::from([name.clone()]))?;
            (count > 0).then_some(bytes)
        }
        What::Ref(name) => {
            remove_ref(&folder, name)?;
            Some(0)
        }
        What::Revision(commit) => Some(remove_revision(hub, repo, commit)?),
        What::Rests => None,
    })
}
