//! Mirror jobs: what one is asked, its run, and its report.
//!
//! The comparison and the plan are made in [`comparison`](super::comparison).
//! What is carried out is in [`copier`](super::copier).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mirror::{Dir, MirrorError, Place, RepoKey};
use crate::model::code::Code;
use crate::model::job::Verify;
use crate::model::size::human_size;
use crate::model::state::{JobKind, Phase, words};
use crate::store::{ItemState, NewWork, TargetRow};

use super::comparison::{DELETE, Plan, compare, plan};
use super::copier::Copier;
use super::task::Task;
use crate::engine::attempt::{Halt, wait_for_disk};

/// Errors and other sentences that a report holds at most.
const TOLD: usize = 200;

words! {
    /// Which way a mirror job copies.
    Direction {
        /// From the local cache to the target.
        Push = "push",
        /// From the target to the local cache.
        Pull = "pull",
    }
}

/// What a mirror job is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorSpec {
    /// Name of the target.
    pub target: String,
    /// Its root when the job was asked for.
    pub path: PathBuf,
    /// The local Hub cache.
    pub hub: PathBuf,
    /// Which way.
    pub direction: Direction,
    /// Only repos whose id holds this text, in any case; empty for all.
    pub repo_filter: String,
    /// Whether repos that only the destination has are deleted there.
    pub delete_extra: bool,
    /// Whether contents that are there already are copied again.
    pub force: bool,
    /// `none`: lengths. `size`: contents are hashed while they are copied. `sha256`: and once more
    /// from the destination.
    pub verify: Verify,
}

impl MirrorSpec {
    /// The job that does it.
    pub fn work(&self, target: &TargetRow) -> NewWork {
        let spec = serde_json::json!(self);
        NewWork {
            kind: JobKind::Mirror,
            repo: None,
            duplicate_key: spec.to_string(),
            spec,
            destination: Sides::new(target, &self.hub, self.direction)
                .destination
                .display()
                .to_string(),
            verify: self.verify,
            priority: 0,
        }
    }
}

/// What came of a mirror job, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MirrorReport {
    /// Whether nothing went wrong.
    pub success: bool,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Repos of which something was copied, and its bytes.
    pub copied: u64,
    /// In bytes.
    pub copied_size: u64,
    /// For people.
    pub copied_size_human: String,
    /// Repos that were deleted, and their bytes.
    pub deleted: u64,
    /// In bytes.
    pub deleted_size: u64,
    /// For people.
    pub deleted_size_human: String,
    /// Ids of the repos that were copied.
    pub repos: Vec<String>,
    /// Ids of the repos that were deleted.
    pub deleted_repos: Vec<String>,
    /// What was left alone, and why.
    pub skipped: Vec<String>,
    /// What went wrong.
    pub errors: Vec<String>,
    /// All of it in one sentence.
    pub message: String,
}

impl Plan {
    /// What the job would report if all went well.
    pub fn report(&self) -> MirrorReport {
        let mut report = MirrorReport {
            dry_run: true,
            skipped: self.skipped.iter().take(TOLD).cloned().collect(),
            errors: self.errors.iter().take(TOLD).cloned().collect(),
            ..MirrorReport::default()
        };
        report.count(&self.copied, &self.deleted);
        report
    }
}

impl MirrorReport {
    fn count(&mut self, copied: &BTreeMap<RepoKey, u64>, deleted: &BTreeMap<RepoKey, u64>) {
        let ids = |repos: &BTreeMap<RepoKey, u64>| repos.keys().map(|(_, id)| id.to_string()).collect();
        (self.repos, self.deleted_repos) = (ids(copied), ids(deleted));
        (self.copied, self.deleted) = (copied.len() as u64, deleted.len() as u64);
        (self.copied_size, self.deleted_size) = (copied.values().sum(), deleted.values().sum());
        self.copied_size_human = human_size(self.copied_size);
        self.deleted_size_human = human_size(self.deleted_size);
        self.success = self.errors.is_empty();
        let (copy, delete) = if self.dry_run {
            ("Would copy", "delete")
        } else {
            ("Copied", "deleted")
        };
        let plural = |n: u64| if n == 1 { "repo" } else { "repos" };
        self.message = match (self.copied, self.deleted) {
            (0, 0) if self.success && self.skipped.is_empty() => {
                "Nothing to do - destination is in sync".to_owned()
            }
            (n, 0) => format!("{copy} {n} {} ({})", plural(n), self.copied_size_human),
            (n, m) => format!(
                "{copy} {n} {} ({}), {delete} {m} {} ({})",
                plural(n),
                self.copied_size_human,
                plural(m),
                self.deleted_size_human
            ),
        };
    }
}

/// The two places of a job: where it reads and where it writes.
pub struct Sides {
    /// The local cache.
    pub local: Arc<dyn Place>,
    /// The target.
    pub remote: Arc<dyn Place>,
    /// The folder of the destination's repos.
    pub destination: PathBuf,
    /// Whether the destination is the local cache.
    pub pull: bool,
}

impl Sides {
    /// The places for a target and a local cache.
    pub fn new(target: &TargetRow, hub: &Path, direction: Direction) -> Self {
        let remote = Dir::target(Path::new(&target.path), &target.marker);
        let pull = direction == Direction::Pull;
        Self {
            destination: if pull { hub.to_owned() } else { remote.hub_path() },
            local: Arc::new(Dir::local(hub)),
            remote: Arc::new(remote),
            pull,
        }
    }

    /// Where the job reads.
    pub fn from(&self) -> &Arc<dyn Place> {
        if self.pull { &self.remote } else { &self.local }
    }

    /// Where it writes.
    pub fn to(&self) -> &Arc<dyn Place> {
        if self.pull { &self.local } else { &self.remote }
    }
}

/// Runs a mirror job.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: MirrorSpec = task.spec()?;
    let store = &task.shared.store;
    let target = store.target(&spec.target).await.map_err(Halt::store)?;
    let Some(target) = target.filter(|target| Path::new(&target.path) == spec.path) else {
        let text = format!(
            "The target \"{}\" was removed or leads elsewhere now",
            spec.target
        );
        return Err(Halt::Fail(Code::NotMounted, text));
    };
    let sides = Arc::new(Sides::new(&target, &spec.hub, spec.direction));
    let report = match task.planned().await? {
        true => earlier(task),
        false => make_plan(task, &spec, &sides).await?,
    };
    let bytes = task.pending_bytes().await?;
    if spec.direction == Direction::Pull {
        task.reserve(&sides.destination, bytes)?;
    } else {
        // Not reserved: reservations are for the volume of the downloads.
        task.fits(&sides.destination, bytes)?;
    }
    task.phase(Phase::Downloading, "").await?;
    let mut copier = Copier::new(task, sides, &spec).await?;
    let mut items = task.pending();
    while let Some(item) = items.next().await? {
        copier.carry_out(&item).await?;
    }
    copier.finish().await?;
    store.target_seen(&target).await.map_err(Halt::store)?;
    finish(task, report).await
}

/// What the run that made the plan could not plan.
fn earlier(task: &Task) -> MirrorReport {
    let report = task.job.result.clone().unwrap_or_default();
    serde_json::from_value(report).unwrap_or_default()
}

async fn make_plan(task: &Task, spec: &MirrorSpec, sides: &Arc<Sides>) -> Result<MirrorReport, Halt> {
    task.phase(Phase::Planning, "Compares the two places").await?;
    let busy = task.shared.store.busy_repos().await.map_err(Halt::store)?;
    let (sides, wanted, stop, shared) = (
        sides.clone(),
        spec.clone(),
        task.stop.clone(),
        task.shared.clone(),
    );
    let made = task
        .blocking(move || {
            sides.remote.check()?;
            if sides.pull {
                // A cache that nobody has used yet.
                shared.caches.open(&wanted.hub)?;
            }
            let stopped = || stop.is_cancelled();
            let comparison = compare(&*sides.local, &*sides.remote, &wanted.repo_filter, &stopped)?;
            Ok::<_, MirrorError>(plan(&comparison, &wanted, &busy))
        })
        .await?
        .map_err(halt)?;
    if task.stop.is_cancelled() {
        return Err(Halt::Stopped);
    }
    let report = MirrorReport {
        skipped: made.skipped.iter().take(TOLD).cloned().collect(),
        errors: made.errors.iter().take(TOLD).cloned().collect(),
        ..MirrorReport::default()
    };
    // Before the plan: a run that is cut short in between plans anew.
    task.report(&report).await?;
    task.plan(&made.items).await?;
    Ok(report)
}

/// What an error of a place means for the whole job.
pub fn halt(error: MirrorError) -> Halt {
    match error.code {
        Code::DiskFull => Halt::Wait(wait_for_disk(error.text)),
        code => Halt::Fail(code, error.text),
    }
}

async fn finish(task: &Task, mut report: MirrorReport) -> Result<(), Halt> {
    let store = &task.shared.store;
    let seq = task.job.seq;
    let (mut copied, mut deleted) = (BTreeMap::new(), BTreeMap::new());
    for done in store.done_repos(seq).await.map_err(Halt::store)? {
        let repos = if done.task == DELETE {
            &mut deleted
        } else {
            &mut copied
        };
        *repos.entry((done.repo_type, done.repo)).or_insert(0) += done.bytes.max(0) as u64;
    }
    let unfinished = store.failed_items(seq, TOLD as i64).await.map_err(Halt::store)?;
    let mut code = None;
    for item in unfinished {
        let text = format!(
            "{} {} {}: {}",
            item.repo.repo_type(),
            item.repo.id(),
            item.path,
            item.error
        );
        if item.state == ItemState::Error {
            code = code.or(item.error_code);
            report.errors.push(text);
        } else {
            report.skipped.push(text);
        }
    }
    report.count(&copied, &deleted);
    task.report(&report).await?;
    match report.errors.first() {
        None => Ok(()),
        Some(first) => {
            let others = match report.errors.len() - 1 {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            Err(Halt::Fail(
                code.unwrap_or(Code::DiskError),
                format!("{first}{others}"),
            ))
        }
    }
}
