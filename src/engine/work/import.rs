//! Imports: files that lie elsewhere and say what they are, taken into the cache once their hash
//! proves it. What one is asked, its plan, its run, and its report.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::now_ms;
use crate::disk::adopt::{Claims, Owner, look};
use crate::disk::export::Placing;
use crate::disk::library::scan_repo;
use crate::disk::{Cache, Contents, DiskError};
use crate::model::code::Code;
use crate::model::library::{CachedRepo, Verification};
use crate::model::repo::{BlobId, Commit, RepoId, RepoType};
use crate::model::state::Phase;
use crate::store::{BlobMark, NewItem};

use super::adopter::{ADOPTED, PRESENT, carry_out};
use super::task::Task;
use crate::engine::attempt::Halt;

/// A file of another cache, by place, commit and path, each on a line.
pub(super) const CACHED: &str = "cached";
/// A plain file, likewise.
const PLAIN: &str = "plain";
/// Refs of a repo of another cache, by place.
pub(super) const REFS: &str = "refs";
/// Files that each list of a report holds at most; all are counted.
const TOLD: usize = 1_000;

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

/// Runs an import.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: ImportSpec = task.spec()?;
    if !task.planned().await? {
        make_plan(task, &spec).await?;
    }
    if spec.mode == Placing::Copy {
        task.reserve(&spec.hub, task.pending_bytes().await?)?;
    }
    task.phase(Phase::Verifying, "").await?;
    let mut touched: BTreeMap<CachedRepo, Vec<BlobId>> = BTreeMap::new();
    let mut items = task.pending();
    while let Some(item) = items.next().await? {
        if task.stop.is_cancelled() {
            return Err(Halt::Stopped);
        }
        let compared = touched.entry(item.repo.clone()).or_default();
        if carry_out(task, &spec, &item).await? == ADOPTED {
            compared.extend(item.blob.parse::<BlobId>());
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
