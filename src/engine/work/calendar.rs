//! Runs of mirror targets whose time has come.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::{now_ms, rfc3339};
use crate::mirror::{Dir, Place};
use crate::model::schedule::Schedule;
use crate::store::{Store, StoreError, TargetRow};

use super::mirror::{Direction, MirrorSpec};

/// Who asks for these runs, in events and history.
pub const ACTOR: &str = "schedule";
/// How long a target may take to say that it is there: a network disk may hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a look at the targets came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueRuns {
    /// Targets whose run was queued, or was live already.
    pub queued: Vec<String>,
    /// Targets whose time has come and that are not mounted: they get their run once they are.
    pub away: Vec<String>,
    /// When the next run is due, UTC milliseconds; those of `away` do not count.
    pub next_at: Option<i64>,
}

/// Queues a push from the cache at `hub` for each target whose time has come. A time that went by
/// while the service was down, or the target away, gives one run, however many went by.
///
/// # Errors
/// When the database fails; what was queued before stays queued.
pub async fn queue_due_runs(store: &Store, hub: &Path) -> Result<DueRuns, StoreError> {
    let now = now_ms();
    let mut found = DueRuns::default();
    for target in store.targets().await? {
        let Some(schedule) = target.schedule.as_ref().filter(|_| !target.paused) else {
            continue;
        };
        let next = schedule.next_after(now);
        let later = |at: i64| found.next_at.map_or(at, |known: i64| known.min(at));
        match target.next_run_at {
            Some(due) if due <= now => {
                if !is_there(&target).await {
                    found.away.push(target.name);
                    continue;
                }
                // Before the row: after a crash between both the run is asked for again, and
                // finds nothing to copy.
                submit(store, &target, schedule, hub).await?;
                store.advance_target(&target, next).await?;
                tracing::info!(
                    target.name,
                    due = rfc3339(due),
                    "queued the run of a mirror target"
                );
                found.next_at = next.map(later).or(found.next_at);
                found.queued.push(target.name);
            }
            // A time further off than the schedule has it comes from a clock that was wrong.
            Some(due) if next.is_none_or(|next| due <= next) => found.next_at = Some(later(due)),
            _ => {
                store.advance_target(&target, next).await?;
                found.next_at = next.map(later).or(found.next_at);
            }
        }
    }
    Ok(found)
}

async fn submit(
    store: &Store,
    target: &TargetRow,
    schedule: &Schedule,
    hub: &Path,
) -> Result<(), StoreError> {
    let spec = MirrorSpec {
        target: target.name.clone(),
        path: PathBuf::from(&target.path),
        hub: hub.to_owned(),
        direction: Direction::Push,
        repo_filter: String::new(),
        // Nobody is there to confirm it.
        delete_extra: false,
        force: false,
        verify: schedule.verify(),
    };
    let work = spec.work(target);
    store.submit_work(&work, ACTOR).await?;
    Ok(())
}

async fn is_there(target: &TargetRow) -> bool {
    let dir = Dir::target(Path::new(&target.path), &target.marker);
    let check = tokio::task::spawn_blocking(move || dir.check().is_ok());
    let checked = tokio::time::timeout(PATIENCE, check).await;
    matches!(checked, Ok(Ok(true)))
}
