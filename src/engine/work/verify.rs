//! Checks of the cache: what one is asked, its plan, and its report. The comparing itself is in
//! [`checker`](super::checker).
//!
//! One item for each content, so that what many snapshots share is read once. What the names of
//! blobs and the saved listings do not tell is counted as unknown, never as good.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::now_ms;
use crate::disk::library::scan_repo;
use crate::disk::{Contents, DiskError};
use crate::model::library::{CachedRepo, Held, LibraryRepo};
use crate::model::repo::{BlobId, RepoType};
use crate::model::state::{Phase, words};
use crate::store::{Item, NewItem};

use super::checker::{self, Checker};
use super::task::Task;
use crate::engine::attempt::Halt;

/// Files that each list of a report holds at most; all are counted.
const TOLD: usize = 1_000;

/// A file of a snapshot, by `<commit>/<path>`.
pub(super) const FILE: &str = "file";
/// The same, when nothing was there at the time of the plan: its length need not be known.
pub(super) const ABSENT: &str = "absent";
/// A blob that no snapshot shows, by its name.
pub(super) const ORPHAN: &str = "orphan";

words! {
    /// What a check compares.
    CheckMode {
        /// Lengths, as far as they are known.
        Size = "size",
        /// Lengths and hashes: every content is read.
        Sha256 = "sha256",
    }
}

words! {
    /// How much of the disk's time a check takes.
    CheckSpeed {
        /// A quarter of it.
        Idle = "idle",
        /// As much as it can get.
        Normal = "normal",
    }
}

/// What a check is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifySpec {
    /// The Hub cache.
    pub hub: PathBuf,
    /// Model or dataset, when it is about one repo.
    #[serde(rename = "type")]
    pub repo_type: Option<RepoType>,
    /// The one repo; all when there is none.
    pub repo: Option<String>,
    /// What is compared.
    pub mode: CheckMode,
    /// How eagerly.
    pub speed: CheckSpeed,
}

/// A file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BadFile {
    /// Its repo.
    pub repo: String,
    /// Model or dataset.
    #[serde(rename = "type")]
    pub repo_type: RepoType,
    /// The snapshot that shows it; empty for a content that none shows.
    pub commit: String,
    /// Its path there, else the name of its blob.
    pub path: String,
    /// The hash that it must have.
    pub blob_id: String,
    /// What is wrong, as a sentence.
    pub problem: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VerifyReport {
    /// Contents that were compared; what several snapshots share counts once.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that are right.
    pub ok: u64,
    /// Those that are not; a thousand at most.
    pub bad: Vec<BadFile>,
    /// How many they are.
    pub bad_count: u64,
    /// Files whose content is not there; a thousand at most.
    pub missing: Vec<BadFile>,
    /// How many they are.
    pub missing_count: u64,
    /// Files of which nobody knows what they should be.
    pub unknown: u64,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// Runs a check.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: VerifySpec = task.spec()?;
    if !task.planned().await? {
        make_plan(task, &spec).await?;
    }
    task.phase(Phase::Verifying, "").await?;
    let mut checker = Checker::new(task, &spec);
    let mut items = task.pending();
    while let Some(item) = items.next().await? {
        checker.check(&item).await?;
    }
    checker.settle().await?;
    let report = report(task).await?;
    task.report(&report).await
}

async fn make_plan(task: &Task, spec: &VerifySpec) -> Result<(), Halt> {
    task.phase(Phase::Planning, "Lists the cache").await?;
    let repos = repos(task, spec).await?;
    let (mut report, mut items) = (VerifyReport::default(), Vec::new());
    for repo in repos {
        if task.stop.is_cancelled() {
            return Err(Halt::Stopped);
        }
        let hub_text = spec.hub.to_string_lossy();
        let whole = task.shared.store.whole_commits(&hub_text, &repo).await;
        let whole = whole.map_err(Halt::store)?;
        let (hub, mode, name) = (spec.hub.clone(), spec.mode, repo.clone());
        let listed = task
            .blocking(move || {
                let Some(scan) = scan_repo(&hub, &name, now_ms())? else {
                    return Ok::<_, DiskError>((Vec::new(), 0));
                };
                items_of(&hub, &scan, mode, &whole)
            })
            .await?;
        match listed {
            Ok((found, unknown)) => {
                items.extend(found);
                report.unknown += unknown;
            }
            Err(error) => report
                .skipped
                .push(format!("{} {}: {error}", repo.repo_type(), repo.id())),
        }
    }
    report.skipped.truncate(TOLD);
    // Before the plan: a run that is cut short in between plans anew.
    task.report(&report).await?;
    task.plan(&items).await
}

/// The repos to look at, with their places in the index up to date.
async fn repos(task: &Task, spec: &VerifySpec) -> Result<Vec<CachedRepo>, Halt> {
    let library = &task.shared.library;
    if let Some(id) = &spec.repo {
        let repo = CachedRepo::parse(spec.repo_type.unwrap_or_default(), id)
            .map_err(|error| Halt::Fail(crate::model::code::Code::BadRequest, error.to_string()))?;
        library.note_change(&spec.hub, &repo).await;
        return Ok(vec![repo]);
    }
    library.refresh(&spec.hub, false).await.map_err(Halt::library)?;
    let known = task.shared.store.library_known(&spec.hub.to_string_lossy()).await;
    let mut repos: Vec<_> = known
        .map_err(Halt::store)?
        .iter()
        .filter_map(|row| CachedRepo::from_folder(&row.folder))
        .collect();
    repos.sort();
    Ok(repos)
}

/// What there is to compare in a repo, and how many files nobody can judge.
fn items_of(
    hub: &Path,
    scan: &LibraryRepo,
    mode: CheckMode,
    whole: &[String],
) -> Result<(Vec<NewItem>, u64), DiskError> {
    let contents = Contents::new(hub, &scan.repo);
    let (mut items, mut unknown) = (Vec::new(), 0);
    let mut seen: HashSet<&str> = HashSet::new();
    let blobs: HashSet<&str> = scan.blobs.iter().map(|blob| blob.name.as_str()).collect();
    let item = |task, path: String, blob: BlobId, size_bytes| NewItem {
        repo: scan.repo.clone(),
        task,
        path,
        blob: blob.to_string(),
        size_bytes,
    };
    // The snapshot that users see comes first: its paths are those that a report names.
    let shown = scan.shown().1;
    let mut commits: Vec<&str> = scan.revisions.iter().map(|one| one.commit.as_str()).collect();
    commits.sort_by_key(|commit| *commit != shown);
    for commit in commits {
        let announced = contents.announced(commit)?.unwrap_or_default();
        let mut paths: HashSet<&str> = HashSet::new();
        let mut files: Vec<_> = scan.files.iter().filter(|file| file.commit == commit).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in files {
            paths.insert(&file.path);
            let told = announced.get(&file.path);
            let (id, size) = match file.held {
                Held::Linked | Held::Dangling => {
                    if !seen.insert(&file.blob) {
                        continue;
                    }
                    // The name says the hash; when it does not, the listing may.
                    match (file.blob.parse::<BlobId>(), told) {
                        (Ok(id), told) => (
                            id,
                            told.filter(|told| told.blob == id).map(|told| told.size_bytes),
                        ),
                        (Err(_), Some(told)) => (told.blob, Some(told.size_bytes)),
                        (Err(_), None) => {
                            unknown += 1;
                            continue;
                        }
                    }
                }
                Held::Real if told.is_some() => match told {
                    Some(told) => {
                        let name = told.blob.to_string();
                        // The same file under two names is read once.
                        if let Some(blob) = blobs.get(name.as_str())
                            && let Some(content) = contents.of_path(commit, &file.path)?
                            && !content.or_blob(&contents, blob)?.blob.is_empty()
                            && !seen.insert(blob)
                        {
                            continue;
                        }
                        (told.blob, Some(told.size_bytes))
                    }
                    None => continue,
                },
                Held::Real | Held::Foreign => {
                    unknown += 1;
                    continue;
                }
            };
            let path = format!("{commit}/{}", file.path);
            match (file.held, mode, size) {
                (Held::Dangling, _, size) => items.push(item(ABSENT, path, id, size.unwrap_or(0))),
                (_, CheckMode::Size, None) => unknown += 1,
                (_, _, size) => items.push(item(FILE, path, id, size.unwrap_or(file.size_bytes))),
            }
        }
        // What a whole download brought has to be there, name and all.
        if whole.iter().any(|one| one == commit) {
            for (path, told) in announced
                .iter()
                .filter(|(path, _)| !paths.contains(path.as_str()))
            {
                items.push(item(
                    ABSENT,
                    format!("{commit}/{path}"),
                    told.blob,
                    told.size_bytes,
                ));
            }
        }
    }
    if mode == CheckMode::Sha256 {
        for blob in scan
            .blobs
            .iter()
            .filter(|blob| !seen.contains(blob.name.as_str()))
        {
            match blob.name.parse() {
                Ok(id) => items.push(item(ORPHAN, blob.name.clone(), id, blob.size_bytes)),
                Err(_) => unknown += 1,
            }
        }
    }
    Ok((items, unknown))
}

/// A file of a report.
fn told(item: &Item) -> BadFile {
    let (commit, path) = match item.task.as_str() {
        ORPHAN => ("", item.path.as_str()),
        _ => item.path.split_once('/').unwrap_or(("", &item.path)),
    };
    BadFile {
        repo: item.repo.id().to_owned(),
        repo_type: item.repo.repo_type(),
        commit: commit.to_owned(),
        path: path.to_owned(),
        blob_id: item.blob.clone(),
        problem: item.error.clone(),
    }
}

async fn report(task: &Task) -> Result<VerifyReport, Halt> {
    let (store, seq) = (&task.shared.store, task.job.seq);
    let earlier = store.job_by_seq(seq).await.map_err(Halt::store)?;
    let earlier = earlier.and_then(|job| job.result).unwrap_or_default();
    let mut report: VerifyReport = serde_json::from_value(earlier).unwrap_or_default();
    for (outcome, count, bytes) in store.item_outcomes(seq).await.map_err(Halt::store)? {
        match outcome.as_str() {
            checker::MISSING => report.missing_count = count,
            checker::LEFT_OUT | checker::GONE => {}
            checker::BAD => {
                report.bad_count = count;
                report.checked += count;
                report.bytes += bytes;
            }
            _ => {
                report.ok += count;
                report.checked += count;
                report.bytes += bytes;
            }
        }
    }
    for (outcome, why) in [
        (checker::LEFT_OUT, "a live download writes them"),
        (checker::GONE, "the repo went away meanwhile"),
    ] {
        let left = store.outcome_repos(seq, outcome).await.map_err(Halt::store)?;
        report.skipped.extend(left.iter().map(|(repo, count)| {
            let (repo_type, id) = (repo.repo_type(), repo.id());
            format!("{repo_type} {id}: {count} files left out, {why}")
        }));
    }
    report.skipped.truncate(TOLD);
    for item in store.flagged_items(seq, i64::MAX).await.map_err(Halt::store)? {
        let list = match item.outcome.as_str() {
            checker::MISSING => &mut report.missing,
            _ => &mut report.bad,
        };
        if list.len() < TOLD {
            list.push(told(&item));
        }
    }
    Ok(report)
}
