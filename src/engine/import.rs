//! Imports: files that lie elsewhere and say what they are, taken into the cache once their hash
//! proves it. What one is asked, its plan, its run, and its report.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::now_ms;
use crate::disk::adopt::{Adopting, Claims, Owner, look, open_claim};
use crate::disk::export::Placing;
use crate::disk::library::scan_repo;
use crate::disk::{BlobHasher, Cache, Contents, DiskError, Publication, RepoDir, Source};
use crate::model::code::Code;
use crate::model::library::{CachedRepo, Verification};
use crate::model::repo::{BlobId, Commit, NameError, RepoId, RepoPath, RepoType, Revision};
use crate::model::state::Phase;
use crate::store::{BlobMark, Item, ItemSettled, ItemState, NewItem};

use super::attempt::Halt;
use super::passing::Passing;
use super::work::Task;

/// A file of another cache, by place, commit and path, each on a line.
const CACHED: &str = "cached";
/// A plain file, likewise.
const PLAIN: &str = "plain";
/// Refs of a repo of another cache, by place.
const REFS: &str = "refs";
/// Files that each list of a report holds at most; all are counted.
const TOLD: usize = 1_000;
/// It was in the cache already.
const PRESENT: &str = "present";
/// It is in the cache now.
const ADOPTED: &str = "adopted";
/// A ref was written, or none had to be.
const NAMED: &str = "named";

/// What an import is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSpec {
    /// The Hub cache.
    pub hub: PathBuf,
    /// The folder whose files are taken over.
    pub import_from: PathBuf,
    /// Whose they are, when the folder's name does not say it.
    #[serde(rename = "type")]
    pub repo_type: RepoType,
    /// The same.
    pub repo: Option<String>,
    /// How files get into the cache.
    pub mode: Placing,
}

/// A file that says what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportFile {
    /// Where it lies, below the folder.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Its repo.
    pub repo: String,
    /// Model or dataset.
    #[serde(rename = "type")]
    pub repo_type: RepoType,
    /// Its commit.
    pub commit: String,
    /// Its path in the repo.
    pub name: String,
    /// The hash that it should have.
    pub blob_id: String,
}

/// A file that does not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportStranger {
    /// Where it lies, below the folder.
    pub path: String,
    /// A sentence.
    pub reason: String,
}

/// What an import found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportReport {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The folder.
    pub dir: String,
    /// Files that say what they are; a thousand at most.
    pub matched: Vec<ImportFile>,
    /// How many they are.
    pub matched_count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Other files; a thousand at most.
    pub unmatched: Vec<ImportStranger>,
    /// How many they are.
    pub unmatched_count: u64,
    /// Files that are in the cache now and were not before.
    pub adopted: u64,
    /// Their bytes.
    pub adopted_bytes: u64,
    /// Files whose content was in the cache already.
    pub present: u64,
    /// What was not taken over although it says what it is, and why.
    pub errors: Vec<String>,
}

impl ImportSpec {
    fn owner(&self) -> Owner {
        Owner {
            repo_type: self.repo_type,
            repo: self.repo.as_deref().and_then(|repo| repo.parse().ok()),
        }
    }

    /// Looks through the folder, and says what a job would do. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn preview(&self) -> Result<ImportReport, DiskError> {
        let found = look(&self.import_from, &self.owner())?;
        let mut report = self.report_of(&found);
        report.dry_run = true;
        Ok(report)
    }

    fn report_of(&self, found: &Claims) -> ImportReport {
        ImportReport {
            dir: self.import_from.to_string_lossy().into_owned(),
            matched_count: found.claims.len() as u64,
            bytes: found.claims.iter().map(|claim| claim.size_bytes).sum(),
            matched: found
                .claims
                .iter()
                .take(TOLD)
                .map(|claim| ImportFile {
                    path: match (claim.cached, claim.place.as_str()) {
                        (true, place) => {
                            let folder = claim.repo.folder();
                            let path = format!("{folder}/snapshots/{}/{}", claim.commit, claim.path);
                            below(place, &path)
                        }
                        (false, place) => below(place, &claim.path),
                    },
                    bytes: claim.size_bytes,
                    repo: claim.repo.id().to_owned(),
                    repo_type: claim.repo.repo_type(),
                    commit: claim.commit.clone(),
                    name: claim.path.clone(),
                    blob_id: claim.blob.to_string(),
                })
                .collect(),
            unmatched: found
                .strangers
                .iter()
                .map(|stranger| ImportStranger {
                    path: stranger.path.clone(),
                    reason: stranger.reason.clone(),
                })
                .collect(),
            unmatched_count: found.stranger_count,
            ..ImportReport::default()
        }
    }
}

fn below(place: &str, path: &str) -> String {
    match place {
        "" => path.to_owned(),
        place => format!("{place}/{path}"),
    }
}

/// Why one file is not taken over.
enum Failure {
    Halt(Halt),
    File(Code, String),
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        match error.code {
            Code::DiskFull => Self::Halt(Halt::disk(&error)),
            code => Self::File(code, error.to_string()),
        }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::File(Code::UnsafePath, error.to_string())
    }
}

/// Runs an import.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: ImportSpec = task.spec()?;
    if !task.planned().await? {
        make_plan(task, &spec).await?;
    }
    let totals = task.shared.store.item_totals(task.job.seq).await;
    let open = totals.map_err(Halt::store)?;
    let open = open.iter().filter(|total| total.state == ItemState::Pending);
    let bytes = open.map(|total| total.bytes.max(0) as u64).sum();
    if spec.mode == Placing::Copy {
        task.reserve(&spec.hub, bytes)?;
    }
    task.phase(Phase::Verifying, "").await?;
    let mut touched: BTreeMap<CachedRepo, Vec<BlobId>> = BTreeMap::new();
    let mut after = 0;
    loop {
        let items = task.pending(after).await?;
        let Some(last) = items.last() else { break };
        after = last.id;
        for item in &items {
            if task.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            let compared = touched.entry(item.repo.clone()).or_default();
            if carry_out(task, &spec, item).await? == ADOPTED {
                compared.extend(item.blob.parse::<BlobId>());
            }
        }
    }
    for (repo, compared) in touched {
        finish_repo(task, &spec, &repo, compared).await?;
    }
    finish(task).await
}

async fn make_plan(task: &Task, spec: &ImportSpec) -> Result<(), Halt> {
    task.phase(Phase::Planning, "Looks through the folder").await?;
    let wanted = spec.clone();
    let found = task
        .blocking(move || look(&wanted.import_from, &wanted.owner()))
        .await?;
    let found = found.map_err(|error| Halt::disk(&error))?;
    // Before the plan: a run that is cut short in between plans anew.
    task.report(&spec.report_of(&found)).await?;
    let mut items: Vec<_> = found
        .claims
        .into_iter()
        .map(|claim| NewItem {
            repo: claim.repo,
            task: if claim.cached { CACHED } else { PLAIN },
            path: format!("{}\n{}\n{}", claim.place, claim.commit, claim.path),
            blob: claim.blob.to_string(),
            size_bytes: claim.size_bytes,
        })
        .collect();
    // After everything that they name.
    items.extend(found.refs.into_iter().map(|(place, repo, name, commit)| NewItem {
        repo,
        task: REFS,
        path: format!("{place}\n{name}\n{commit}"),
        blob: String::new(),
        size_bytes: 0,
    }));
    task.plan(&items).await
}

/// Carries out one item and says how it came out.
async fn carry_out(task: &Task, spec: &ImportSpec, item: &Item) -> Result<&'static str, Halt> {
    let mut counted = 0;
    let done = match item.task.as_str() {
        REFS => name_commit(task, spec, item).await,
        _ => take_over(task, spec, item, &mut counted).await,
    };
    let (state, outcome, failure) = match done {
        Ok(PRESENT) => (ItemState::Unchanged, PRESENT, None),
        Ok(outcome) => (ItemState::Done, outcome, None),
        Err(Failure::File(code, why)) => {
            tracing::warn!(job.id = %task.job.id, repo = item.repo.id(), why, "a file was not taken over");
            (ItemState::Error, "", Some((code, why)))
        }
        Err(Failure::Halt(halt)) => {
            task.lost(counted);
            return Err(halt);
        }
    };
    let settled = ItemSettled {
        id: item.id,
        state,
        outcome,
        failure,
    };
    let uncounted = item.size_bytes.saturating_sub(counted);
    task.settle(&[settled], uncounted).await?;
    Ok(outcome)
}

/// The folder of a repo in the cache, made.
async fn repo_dir(task: &Task, spec: &ImportSpec, repo: &CachedRepo) -> Result<Arc<RepoDir>, Failure> {
    let id: RepoId = repo.id().parse()?;
    let (shared, hub, repo_type) = (task.shared.clone(), spec.hub.clone(), repo.repo_type());
    let made = task.blocking(move || {
        let folder = shared.caches.open(&hub)?.repo(repo_type, &id);
        folder.create()?;
        Ok::<_, DiskError>(Arc::new(folder))
    });
    Ok(made.await??)
}

/// Brings one file into the cache, when its hash is the one that it claims.
async fn take_over(
    task: &Task,
    spec: &ImportSpec,
    item: &Item,
    counted: &mut u64,
) -> Result<&'static str, Failure> {
    let mut lines = item.path.splitn(3, '\n');
    let (place, commit, path) = (lines.next(), lines.next(), lines.next());
    let (Some(place), Some(commit), Some(path)) = (place, commit, path) else {
        return Err(Failure::File(
            Code::Internal,
            "The plan cannot be read".to_owned(),
        ));
    };
    let blob: BlobId = item.blob.parse()?;
    let (commit, path): (Commit, RepoPath) = (commit.parse()?, path.parse()?);
    task.activity(path.as_str());
    let shared = &task.shared;
    let folder = spec.hub.join(item.repo.folder());
    let _gate = shared.gates.enter(folder.clone()).await;
    let _blob = shared.blobs.lock(folder, blob).await;
    let repo = repo_dir(task, spec, &item.repo).await?;
    let publication = |source| Publication {
        source,
        blob,
        size_bytes: item.size_bytes,
        path: path.clone(),
    };
    let looked = repo.clone();
    let there = task.blocking(move || looked.blob(blob)).await??;
    if there == Some(item.size_bytes) {
        publish(task, &repo, &commit, publication(Source::Present)).await?;
        return Ok(PRESENT);
    }
    let (from, to) = (spec.import_from.clone(), repo.clone());
    let (place, cached, mode) = (place.to_owned(), item.task == CACHED, spec.mode);
    let (name, hash, inner) = (item.repo.clone(), commit.clone(), path.clone());
    let begun = task.blocking(move || {
        let found = open_claim(&from, &place, cached, &name, hash.as_str(), inner.as_str())?;
        let Some(content) = found else { return Ok(None) };
        let adopting = to.adopt(&content, blob, mode)?;
        Ok::<_, DiskError>(Some((content, adopting)))
    });
    let Some((content, adopting)) = begun.await?? else {
        let why = format!("{path}: it is not there any more");
        return Err(Failure::File(Code::EntryNotFound, why));
    };
    let hasher = Some(BlobHasher::new(blob, content.size_bytes));
    let size_bytes = content.size_bytes;
    let failed = |error: io::Error| Failure::from(DiskError::new("take over", path.as_str(), error));
    let (staged, hasher) = match adopting {
        Adopting::Staged(staged, _) => {
            let (opener, at) = (repo.clone(), staged.clone());
            let from = task.blocking(move || opener.open_staged(&at)).await??;
            let to = io::sink();
            let passing = Passing {
                from,
                to,
                hasher,
                size_bytes,
                buffer: Vec::new(),
            };
            let (passing, passed) = passing.run(task, 0, counted).await?;
            passed.map_err(failed)?;
            (staged, passing.hasher)
        }
        Adopting::Copy(to, staged) => {
            let from = content.file.try_clone().map_err(failed)?;
            let passing = Passing {
                from,
                to,
                hasher,
                size_bytes,
                buffer: Vec::new(),
            };
            let (passing, passed) = passing.run(task, 0, counted).await?;
            passed.map_err(failed)?;
            let copy = passing.to;
            task.blocking(move || copy.finish(&content)).await??;
            (staged, passing.hasher)
        }
    };
    let right = size_bytes == item.size_bytes && hasher.map(BlobHasher::finish) == Some(blob);
    if !right {
        task.blocking(move || repo.discard_staged(&staged)).await??;
        let why = format!("{path}: its {} is another one than it claims", blob.algorithm());
        return Err(Failure::File(Code::HashMismatch, why));
    }
    let (flusher, at) = (repo.clone(), staged.clone());
    task.blocking(move || flusher.flush_paths(&[at])).await??;
    publish(task, &repo, &commit, publication(Source::Part(staged))).await?;
    Ok(ADOPTED)
}

async fn publish(
    task: &Task,
    repo: &Arc<RepoDir>,
    commit: &Commit,
    publication: Publication,
) -> Result<(), Failure> {
    let (repo, commit) = (repo.clone(), commit.clone());
    let published = task.blocking(move || {
        let report = repo.publish(&commit, &[publication])?;
        report.into_result().map(drop)
    });
    Ok(published.await??)
}

/// Lets a ref of the other cache name its commit here too, unless one of that name is here.
async fn name_commit(task: &Task, spec: &ImportSpec, item: &Item) -> Result<&'static str, Failure> {
    let mut lines = item.path.splitn(3, '\n').skip(1);
    let (Some(name), Some(commit)) = (lines.next(), lines.next()) else {
        return Err(Failure::File(
            Code::Internal,
            "The plan cannot be read".to_owned(),
        ));
    };
    let (revision, commit): (Revision, Commit) = (name.parse()?, commit.parse()?);
    let _gate = task.shared.gates.enter(spec.hub.join(item.repo.folder())).await;
    let repo = repo_dir(task, spec, &item.repo).await?;
    let named = task.blocking(move || {
        if repo.read_ref(&revision).is_some() || !repo.snapshot_path(&commit).is_dir() {
            return Ok(());
        }
        repo.write_ref(&revision, &commit)
    });
    named.await??;
    Ok(NAMED)
}

/// Keeps the snapshots that no ref names, and notes in the index what was compared.
async fn finish_repo(
    task: &Task,
    spec: &ImportSpec,
    repo: &CachedRepo,
    compared: Vec<BlobId>,
) -> Result<(), Halt> {
    let (hub, name) = (spec.hub.clone(), repo.clone());
    let marks = task.blocking(move || {
        keep(&hub, &name)?;
        let contents = Contents::new(&hub, &name);
        let mut marks = Vec::new();
        for blob in compared {
            let Some(content) = contents.of_blob(&blob.to_string())? else {
                continue;
            };
            marks.push(BlobMark {
                blob: content.blob,
                size_bytes: content.size_bytes,
                modified_at: content.modified_at,
                verification: match blob {
                    BlobId::Sha256(_) => Verification::Sha256,
                    BlobId::GitSha1(_) => Verification::GitSha1,
                },
                verified_at: now_ms(),
            });
        }
        Ok::<_, DiskError>(marks)
    });
    let marks = marks.await?.map_err(|error| Halt::disk(&error))?;
    task.shared.library.note_change(&spec.hub, repo).await;
    let hub = spec.hub.to_string_lossy();
    let marked = task.shared.store.mark_library(&hub, repo, &marks).await;
    marked.map_err(Halt::store)
}

/// Blocks.
fn keep(hub: &Path, repo: &CachedRepo) -> Result<(), DiskError> {
    let (Some(scan), Ok(id)) = (scan_repo(hub, repo, now_ms())?, repo.id().parse::<RepoId>()) else {
        return Ok(());
    };
    let folder = Cache::open(hub)?.repo(repo.repo_type(), &id);
    for revision in scan.revisions.iter().filter(|one| one.refs.is_empty()) {
        if let Ok(commit) = revision.commit.parse::<Commit>() {
            folder.keep(&commit)?;
        }
    }
    Ok(())
}

async fn finish(task: &Task) -> Result<(), Halt> {
    let (store, seq) = (&task.shared.store, task.job.seq);
    let earlier = store.job_by_seq(seq).await.map_err(Halt::store)?;
    let earlier = earlier.and_then(|job| job.result).unwrap_or_default();
    let mut report: ImportReport = serde_json::from_value(earlier).unwrap_or_default();
    let outcomes = store.item_outcomes(seq).await.map_err(Halt::store)?;
    let counts: HashMap<_, _> = outcomes
        .into_iter()
        .map(|(outcome, count, bytes)| (outcome, (count, bytes)))
        .collect();
    (report.adopted, report.adopted_bytes) = counts.get(ADOPTED).copied().unwrap_or_default();
    report.present = counts.get(PRESENT).map_or(0, |found| found.0);
    let failed = store.flagged_items(seq, TOLD as i64).await.map_err(Halt::store)?;
    for item in &failed {
        report.errors.push(format!("{}: {}", item.repo.id(), item.error));
    }
    task.report(&report).await?;
    match (report.errors.first(), failed.first()) {
        (Some(first), Some(item)) => Err(Halt::Fail(
            item.error_code.unwrap_or(Code::DiskError),
            first.clone(),
        )),
        _ => Ok(()),
    }
}
