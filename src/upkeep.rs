//! Housekeeping: old jobs, spans and, where it is wished, old history go, a copy of the database is
//! made each day, the index of the cache follows the disk. Each of it is a [`Task`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::disk::library::ScanEnd;
use crate::engine::{DueRuns, Engine, queue_due_runs};
use crate::http::feed::Feed;
use crate::http::live_settings::LiveSettings;
use crate::http::trends::Trends;
use crate::model::size::human_size;
use crate::model::task::TaskName;
use crate::store::{Store, StoreError, newest_backup};
use crate::tasks::{Cause, Task};

/// Before the first round: a start has more urgent work.
const FIRST_ROUND: Duration = Duration::from_secs(60);
/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(3600);
/// Time between two copies of the database.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Age of the newest copy at which another one is made. Less than a day by half a round, so that
/// copies do not wander through the day.
const BACKUP_AGE: Duration = Duration::from_secs(24 * 3600 - 1800);
/// Time between two samples of memory and errors.
const MINUTE: Duration = Duration::from_secs(60);
/// Time between two looks at the cache that nobody asked for.
const CACHE_ROUND: Duration = Duration::from_secs(900);
/// Before the first look at the mirror targets: disks may still be on their way.
const MIRROR_FIRST: Duration = Duration::from_secs(5);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What the housekeeping works on.
pub struct Kept {
    /// The database.
    pub store: Store,
    /// Its file.
    pub database: PathBuf,
    /// Keeps the index of the cache.
    pub engine: Engine,
    /// How long what is kept, and where the cache is.
    pub settings: LiveSettings,
    /// Told of jobs that leave the list.
    pub feed: Feed,
    /// Gets a sample each minute.
    pub trends: Arc<Trends>,
}

/// The tasks of the housekeeping.
pub struct Upkeep {
    backup: Arc<Task>,
    clean_up: Arc<Task>,
    ballast: Arc<Task>,
    library: Arc<Task>,
    /// Finds when contents were last read.
    library_deep: Arc<Task>,
    measure: Arc<Task>,
    mirror: Arc<Task>,
}

impl Upkeep {
    /// The tasks, of which none has been done yet.
    #[allow(clippy::new_without_default)] // Their times count from here.
    pub fn new() -> Self {
        Self {
            backup: Task::new(TaskName::Backup, DAY, FIRST_ROUND),
            clean_up: Task::new(TaskName::CleanUp, ROUND, FIRST_ROUND),
            ballast: Task::new(TaskName::Ballast, ROUND, Duration::ZERO),
            library: Task::new(TaskName::Library, CACHE_ROUND, Duration::ZERO),
            library_deep: Task::new(TaskName::LibraryDeep, DAY, DAY),
            measure: Task::new(TaskName::Measure, MINUTE, Duration::ZERO),
            mirror: Task::new(TaskName::Mirror, MINUTE, MIRROR_FIRST),
        }
    }

    /// All of them, for those who show them.
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        let Self {
            backup,
            clean_up,
            ballast,
            library,
            library_deep,
            measure,
            mirror,
        } = self;
        [backup, clean_up, ballast, library, library_deep, measure, mirror]
            .map(Arc::clone)
            .into()
    }

    /// Does its rounds until `stop`.
    pub async fn run(self, kept: Kept, stop: CancellationToken) {
        tokio::join!(
            copy_daily(&self.backup, &kept, &stop),
            clean_up(&self.clean_up, &kept, &stop),
            keep_ballast(&self.ballast, &kept, &stop),
            follow_cache(&self.library, false, &kept, &stop),
            follow_cache(&self.library_deep, true, &kept, &stop),
            measure(&self.measure, &kept, &stop),
            mirror(&self.mirror, &kept, &stop),
        );
    }
}

/// Copies the database when the newest copy is a day old, also one that was made by hand or before
/// the start.
async fn copy_daily(task: &Task, kept: &Kept, stop: &CancellationToken) {
    let Kept { store, database, .. } = kept;
    task.next_in(backup_due_in(database).max(FIRST_ROUND));
    // Looked at each round too: copies may go, and clocks may jump.
    let next = async || {
        let due = tokio::time::timeout(ROUND, task.due(stop)).await;
        due.unwrap_or(Some(Cause::Due))
    };
    while let Some(cause) = next().await {
        let wait = backup_due_in(database);
        if cause == Cause::Due && !wait.is_zero() {
            task.next_in(wait);
            continue;
        }
        let label = if cause == Cause::Asked { "manual" } else { "daily" };
        let copied = task.perform(store.backup(database, label), |copy| copy.name.to_string());
        match copied.await {
            Ok(copy) => {
                tracing::info!(copy = %copy.name, size_bytes = copy.size_bytes, "copied the database");
                task.next_in(backup_due_in(database));
            }
            Err(error) => {
                tracing::error!(%error, "the database could not be copied");
                task.next_in(ROUND);
            }
        }
    }
}

async fn keep_ballast(task: &Task, kept: &Kept, stop: &CancellationToken) {
    while task.due(stop).await.is_some() {
        // A few system calls, so no thread of its own.
        let laid = task.perform(async { kept.store.lay_ballast(&kept.database) }, |()| {
            String::new()
        });
        if let Err(error) = laid.await {
            tracing::info!(%error, "no space is set aside beside the database");
        }
    }
}

async fn measure(task: &Task, kept: &Kept, stop: &CancellationToken) {
    while task.due(stop).await.is_some() {
        let sampled = async { Ok::<_, std::convert::Infallible>(kept.trends.sample(kept.engine.tallies())) };
        let told =
            |memory: &Option<i64>| memory.map_or_else(String::new, |bytes| human_size(bytes.max(0) as u64));
        let Ok(_) = task.perform(sampled, told).await;
    }
}

/// Queues what is due on the mirror targets: looked at each minute, because targets come and go and
/// clocks jump, and at the very moment when a run is due.
async fn mirror(task: &Task, kept: &Kept, stop: &CancellationToken) {
    while task.due(stop).await.is_some() {
        let hub = kept.settings.get().cache.hub.clone();
        let told = |runs: &DueRuns| match (runs.queued.is_empty(), runs.away.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("queued {}", runs.queued.join(", ")),
            (true, false) => format!("due, but not mounted: {}", runs.away.join(", ")),
            (false, false) => format!(
                "queued {}; due, but not mounted: {}",
                runs.queued.join(", "),
                runs.away.join(", ")
            ),
        };
        match task.perform(queue_due_runs(&kept.store, &hub), told).await {
            Ok(runs) => {
                if !runs.queued.is_empty() {
                    kept.engine.wake();
                }
                let wait = runs.next_at.map(|at| at.saturating_sub(now_ms()).max(0));
                let wait = wait
                    .and_then(|ms| u64::try_from(ms).ok())
                    .map(Duration::from_millis);
                task.next_in(wait.map_or(MINUTE, |wait| wait.min(MINUTE)));
            }
            Err(error) => tracing::error!(%error, "the runs of the mirror targets could not be queued"),
        }
    }
}

/// Keeps the index of the cache near the truth: looked through at the start and every quarter of
/// an hour; `deep`, once a day, reads it whole.
async fn follow_cache(task: &Task, deep: bool, kept: &Kept, stop: &CancellationToken) {
    let library = kept.engine.library();
    if !deep {
        library.sweep(&kept.settings.get().cache.hub).await;
    }
    while task.due(stop).await.is_some() {
        let hub = kept.settings.get().cache.hub.clone();
        let told = |end: &ScanEnd| {
            let (repos, read, gone) = (end.repos, end.read, end.gone.len());
            format!(
                "{repos} repos, {read} looked into, {gone} gone, {} unreadable",
                end.unreadable.len()
            )
        };
        let round = task.perform(library.refresh(&hub, deep), told);
        let Some(scanned) = stop.run_until_cancelled(round).await else {
            break;
        };
        if let Err(error) = scanned {
            tracing::warn!(hub = %hub.display(), %error, "the cache could not be scanned");
        }
    }
}

async fn clean_up(task: &Task, kept: &Kept, stop: &CancellationToken) {
    while task.due(stop).await.is_some() {
        let told = |gone: &Gone| {
            format!(
                "{} jobs left the list, {} rows of history dropped",
                gone.jobs, gone.history
            )
        };
        let done = task.perform(purge(kept), told);
        match done.await {
            Ok(gone) => {
                if gone.jobs > 0 {
                    tracing::info!(jobs = gone.jobs, "old jobs left the list");
                }
                if gone.history > 0 {
                    tracing::info!(
                        rows = gone.history,
                        "old history was dropped; its last hash stays as the anchor"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "old rows could not be removed"),
        }
    }
}

/// What a clean-up removed.
struct Gone {
    jobs: u64,
    history: u64,
}

/// Each part is tried, whatever became of those before it.
async fn purge(kept: &Kept) -> Result<Gone, StoreError> {
    let (store, settings) = (&kept.store, kept.settings.get());
    let ms = |days: u32| i64::from(days).saturating_mul(DAY_MS);
    // Without a limit only what was dismissed goes.
    let jobs = store
        .purge_jobs(settings.retention_days.map_or(i64::MAX, ms))
        .await;
    if jobs.as_ref().is_ok_and(|jobs| *jobs > 0) {
        kept.feed.reload();
    }
    let speed = store.purge_speed().await;
    let history = match settings.history_retention_days {
        Some(days) => store.purge_history(ms(days)).await,
        None => Ok(0),
    };
    let (jobs, history) = (jobs?, history?);
    speed?;
    Ok(Gone { jobs, history })
}

/// How long the newest copy will do; zero when it is old, or there is none.
fn backup_due_in(database: &Path) -> Duration {
    let newest = database.parent().and_then(newest_backup);
    // A time in the future comes from a clock that was wrong.
    let age = newest.and_then(|at| SystemTime::now().duration_since(at).ok());
    age.map_or(Duration::ZERO, |age| BACKUP_AGE.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_due_when_there_is_none_of_the_last_day() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("hfdepot.db");
        assert!(backup_due_in(&database).is_zero());
        std::fs::create_dir(dir.path().join("backups")).unwrap();
        let copy = std::fs::File::create(dir.path().join("backups/hfdepot-1764410400000-daily.db")).unwrap();
        assert!(backup_due_in(&database) > Duration::from_secs(23 * 3600));
        copy.set_modified(SystemTime::now() - Duration::from_secs(24 * 3600))
            .unwrap();
        assert!(backup_due_in(&database).is_zero());
    }
}
