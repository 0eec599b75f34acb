//! Planning: the commit, the whole tree, what the filters select, and what the cache has of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{self, Cache, DiskError, RepoDir, Seen};
use crate::hub::{HubClient, HubError};
use crate::model::destination::{Destination, Layout};
use crate::model::filter::Filter;
use crate::model::job::JobRequest;
use crate::model::plan::{LeftOut, PlanError, RepoFile, Selection, Tree};
use crate::model::repo::{BlobId, Commit, RepoId, RepoPath, RepoType};
use crate::store::StoreError;

use super::{Shared, space};

/// Entries on a page of the Hub's listing (seen on the Hub).
const ENTRIES_OF_A_PAGE: usize = 1_000;

/// Hub caches by directory. Opening one probes its file system, so each is opened once.
#[derive(Default)]
pub struct Caches(Mutex<HashMap<PathBuf, Arc<Cache>>>);

impl Caches {
    /// The cache at `hub`, created when it is missing. Blocks.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(&self, hub: &Path) -> Result<Arc<Cache>, DiskError> {
        let mut caches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = caches.get(hub)
            && hub.is_dir()
        {
            return Ok(cache.clone());
        }
        let cache = Arc::new(Cache::open(hub)?);
        caches.insert(hub.to_owned(), cache.clone());
        Ok(cache)
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanTrouble {
    /// The Hub did not give what the plan needs.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// What it gave cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The cache cannot be looked at.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was asked of the Hub for one job.
pub struct Asked<'a> {
    /// Model or dataset.
    pub repo_type: RepoType,
    /// Which repo.
    pub repo: &'a RepoId,
    /// Patterns of files to have.
    pub filters: &'a [String],
    /// Patterns of files to leave out.
    pub excludes: &'a [String],
    /// Whether plain filters match whole words only.
    pub exact_match: bool,
}

/// The listing of a commit and what is wanted of it.
pub struct Listing {
    /// The commit.
    pub commit: Commit,
    /// Everything the commit holds, as JSON for `trees/`; `None` when it cannot be told exactly.
    pub tree_json: Option<Vec<u8>>,
    /// What the filters select.
    pub selection: Selection,
}

/// Lists the tree of `commit` and applies the filters.
pub async fn list(hub: &HubClient, asked: &Asked<'_>, commit: Commit) -> Result<Listing, PlanTrouble> {
    let filter =
        Filter::new(asked.filters, asked.excludes, asked.exact_match, asked.repo_type).map_err(|text| {
            PlanError {
                code: crate::model::code::Code::BadRequest,
                text,
            }
        })?;
    let tree: Tree = hub.tree(asked.repo_type, asked.repo, &commit).await?;
    let tree_json = disk::tree_json(&tree);
    let selection = Selection::new(tree, &filter)?;
    Ok(Listing {
        commit,
        tree_json,
        selection,
    })
}

/// One content that a job wants, with every file that has it.
#[derive(Debug, Clone)]
pub struct BlobTask {
    /// The content.
    pub blob: BlobId,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Key of the row and path of each file.
    pub files: Vec<(i64, RepoPath)>,
}

impl BlobTask {
    /// Where it belongs.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.iter().map(|(_, path)| path)
    }

    /// Keys of the rows of its files.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.files.iter().map(|(id, _)| *id)
    }
}

/// Which contents are known to be here; what only a hash could tell counts as missing. Blocks.
///
/// # Errors
/// What the disk says.
pub fn present(repo: &RepoDir, tasks: &[BlobTask]) -> Result<Vec<bool>, DiskError> {
    tasks
        .iter()
        .map(|task| Ok(repo.look(task.blob, task.size_bytes, task.paths())? == Seen::Known))
        .collect()
}

/// Filters that name a folder in a local destination.
pub fn subfolders(append_filter_subdir: bool, filters: &[String]) -> Vec<String> {
    let plain = |filter: &&String| !filter.contains(['*', '?', '[']) && !filter.starts_with('=');
    let wanted = filters.iter().filter(|_| append_filter_subdir);
    wanted.filter(plain).cloned().collect()
}

/// The local folder of a repo; `None` when `destination` is a cache.
pub fn local_folder(destination: &Destination, repo: &RepoId, subfolders: Vec<String>) -> Option<RepoDir> {
    match destination.layout {
        Layout::Cache => None,
        Layout::Local => {
            let named = destination.local_repo.as_ref().unwrap_or(repo);
            Some(RepoDir::local(Path::new(&destination.dir), named, subfolders))
        }
    }
}

/// A file of a plan as `POST /api/plan` shows it.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    /// Path in the repo.
    pub path: RepoPath,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Its content.
    pub blob_id: BlobId,
    /// Whether the cache has it.
    pub present: bool,
    /// Bytes of it that an earlier download left.
    pub part_bytes: u64,
}

/// What a job would do.
#[derive(Debug, Clone)]
pub struct PlanReport {
    /// What the revision means now.
    pub commit: Commit,
    /// Files the job would have at its end.
    pub files: Vec<PlannedFile>,
    /// Files the filters leave out.
    pub left_out: Vec<LeftOut>,
    /// Sum over all files.
    pub total_bytes: u64,
    /// Bytes that are here: whole files and parts.
    pub present_bytes: u64,
    /// Bytes that would come over the network; equal contents count once.
    pub fetch_bytes: u64,
    /// Free on the volume, when it can be asked.
    pub free_bytes: Option<u64>,
    /// Bytes that running jobs will still take.
    pub reserved_bytes: u64,
    /// Requests to the Hub that the job would make, as far as the listing tells: one for the commit,
    /// one for each page of the listing, and one for the link of each content that is not here.
    /// Retries and links that expire come on top.
    pub requests: u64,
    /// Whether it fits, or the sentence why not.
    pub room: Result<(), String>,
}

/// Makes the report for a request that is not queued.
///
/// # Errors
/// [`PlanTrouble`].
pub async fn report(
    shared: &Shared,
    request: &JobRequest,
    destination: &Destination,
) -> Result<PlanReport, PlanTrouble> {
    let hub = shared.hub();
    let asked = Asked {
        repo_type: request.repo_type,
        repo: &request.repo,
        filters: &request.filters,
        excludes: &request.excludes,
        exact_match: request.exact_match,
    };
    let commit = hub
        .resolve(request.repo_type, &request.repo, &request.revision)
        .await?
        .commit;
    let Listing {
        commit, selection, ..
    } = list(&hub, &asked, commit).await?;
    let dir = PathBuf::from(&destination.dir);
    let names = subfolders(request.append_filter_subdir, &request.filters);
    let local = local_folder(destination, &request.repo, names);
    let folder = match &local {
        Some(local) => local.path(),
        None => dir.join(request.repo.folder(request.repo_type)),
    };
    let here = look(dir.clone(), local, request, &selection.files).await?;
    let folder = folder.to_string_lossy();
    // Nearly no file has a part, and a question for each of 100,000 takes seconds.
    let begun = shared.store.part_blobs(&folder).await?;
    let mut files = Vec::with_capacity(selection.files.len());
    let (mut present_bytes, mut fetch_bytes) = (0, 0);
    let pages = pages(&selection);
    let mut seen = HashSet::new();
    for (file, present) in selection.files.into_iter().zip(here) {
        let part_bytes = if present || !begun.contains(&file.blob_id) {
            0
        } else {
            let part = shared.store.part(&folder, file.blob_id).await?;
            part.map_or(0, |part| {
                part.segments.iter().map(|segment| segment.written).sum()
            })
        };
        present_bytes += if present { file.size_bytes } else { part_bytes };
        if !present && seen.insert(file.blob_id) {
            fetch_bytes += file.size_bytes.saturating_sub(part_bytes);
        }
        files.push(PlannedFile {
            path: file.path,
            size_bytes: file.size_bytes,
            blob_id: file.blob_id,
            present,
            part_bytes,
        });
    }
    let reserved_bytes = shared.reserved.on_volume_of(&dir);
    let floor = shared.tuning.borrow().free_space_floor_bytes;
    Ok(PlanReport {
        commit,
        total_bytes: files.iter().map(|file| file.size_bytes).sum(),
        files,
        left_out: selection.left_out,
        present_bytes,
        fetch_bytes,
        requests: 1 + pages + seen.len() as u64,
        free_bytes: disk::space(&dir).ok().map(|space| space.free_bytes),
        reserved_bytes,
        room: space::fits(&dir, fetch_bytes, reserved_bytes, floor),
    })
}

/// Pages that the listing took: its entries are the files and every folder above them.
fn pages(selection: &Selection) -> u64 {
    let chosen = selection.files.iter().map(|file| file.path.as_str());
    let left_out = selection.left_out.iter().map(|file| file.path.as_str());
    let mut folders = HashSet::new();
    for path in chosen.chain(left_out) {
        for (at, _) in path.rmatch_indices('/') {
            // Whoever put this folder in put in those above it too.
            if !folders.insert(&path[..at]) {
                break;
            }
        }
    }
    let entries = selection.files.len() + selection.left_out.len() + folders.len();
    entries.div_ceil(ENTRIES_OF_A_PAGE).max(1) as u64
}

/// Which files of a plan the destination has; without creating one that is not there.
async fn look(
    dir: PathBuf,
    local: Option<RepoDir>,
    request: &JobRequest,
    files: &[RepoFile],
) -> Result<Vec<bool>, PlanTrouble> {
    let tasks: Vec<_> = files
        .iter()
        .map(|file| BlobTask {
            blob: file.blob_id,
            size_bytes: file.size_bytes,
            files: vec![(0, file.path.clone())],
        })
        .collect();
    let (repo_type, id) = (request.repo_type, request.repo.clone());
    let count = tasks.len();
    let looked = tokio::task::spawn_blocking(move || match local {
        Some(folder) => present(&folder, &tasks),
        None if !dir.is_dir() => Ok(vec![false; count]),
        None => present(&Cache::open(&dir)?.repo(repo_type, &id), &tasks),
    })
    .await;
    match looked {
        Ok(found) => Ok(found?),
        Err(_) => Ok(vec![false; count]),
    }
}
