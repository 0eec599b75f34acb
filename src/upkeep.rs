//! Housekeeping: old jobs, spans and, where it is wished, old history go, a copy of the database is
//! made each day, the index of the cache follows the disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::http::feed::Feed;
use crate::http::live_settings::LiveSettings;
use crate::store::{Store, newest_backup};

/// Before the first round: a start has more urgent work.
const FIRST_ROUND: Duration = Duration::from_secs(60);
/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(3600);
/// Age of the newest copy at which another one is made. Less than a day by half a round, so that
/// copies do not wander through the day.
const BACKUP_AGE: Duration = Duration::from_secs(24 * 3600 - 1800);
/// Time between two looks at the cache that nobody asked for.
const CACHE_ROUND: Duration = Duration::from_secs(900);
/// Looks of which one reads every repo anew: a day's. It finds when contents were last read.
const CACHE_DEEP_ROUNDS: u32 = 96;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Goes its rounds until `stop`.
pub async fn run(
    store: Store,
    database: PathBuf,
    settings: LiveSettings,
    feed: Feed,
    stop: CancellationToken,
) {
    let mut rounds = interval_at(Instant::now() + FIRST_ROUND, ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    lay_ballast(&store, &database);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        purge(&store, &settings, &feed).await;
        lay_ballast(&store, &database);
        if backup_is_due(&database) {
            match store.backup(&database, "daily").await {
                Ok(copy) => tracing::info!(copy = %copy.display(), "copied the database"),
                Err(error) => tracing::error!(%error, "the database could not be copied"),
            }
        }
    }
}

/// A few system calls, so no thread of its own.
fn lay_ballast(store: &Store, database: &Path) {
    if let Err(error) = store.lay_ballast(database) {
        tracing::info!(%error, "no space is set aside beside the database");
    }
}

/// Keeps the index of the cache near the truth until `stop`: looked through at the start and
/// every quarter of an hour, read whole once a day.
pub async fn follow_cache(engine: Engine, settings: LiveSettings, stop: CancellationToken) {
    let mut rounds = tokio::time::interval(CACHE_ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let library = engine.library();
    library.sweep(&settings.get().cache.hub).await;
    let mut round = 0u32;
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let hub = settings.get().cache.hub.clone();
        let deep = round.checked_rem(CACHE_DEEP_ROUNDS) == Some(0) && round > 0;
        let Some(scanned) = stop.run_until_cancelled(library.refresh(&hub, deep)).await else {
            break;
        };
        if let Err(error) = scanned {
            tracing::warn!(hub = %hub.display(), %error, "the cache could not be scanned");
        }
        round = round.wrapping_add(1);
    }
}

async fn purge(store: &Store, settings: &LiveSettings, feed: &Feed) {
    // Without a limit only what was dismissed goes.
    let keep_ms = settings
        .get()
        .retention_days
        .map_or(i64::MAX, |days| i64::from(days).saturating_mul(DAY_MS));
    match store.purge_jobs(keep_ms).await {
        Ok(0) => {}
        Ok(jobs) => {
            tracing::info!(jobs, "old jobs left the list");
            feed.reload();
        }
        Err(error) => tracing::error!(%error, "old jobs could not be removed"),
    }
    if let Err(error) = store.purge_speed().await {
        tracing::error!(%error, "old speeds could not be removed");
    }
    let Some(days) = settings.get().history_retention_days else {
        return;
    };
    match store.purge_history(i64::from(days).saturating_mul(DAY_MS)).await {
        Ok(0) => {}
        Ok(rows) => tracing::info!(
            rows,
            days,
            "old history was dropped; its last hash stays as the anchor"
        ),
        Err(error) => tracing::error!(%error, "old history could not be dropped"),
    }
}

/// Whether the newest copy is old, or there is none.
fn backup_is_due(database: &Path) -> bool {
    let newest = database.parent().and_then(newest_backup);
    newest.is_none_or(|at| {
        // A time in the future comes from a clock that was wrong.
        SystemTime::now()
            .duration_since(at)
            .map_or(true, |age| age > BACKUP_AGE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_due_when_there_is_none_of_the_last_day() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("hfdepot.db");
        assert!(backup_is_due(&database));
        std::fs::create_dir(dir.path().join("backups")).unwrap();
        let copy = std::fs::File::create(dir.path().join("backups/hfdepot-1-daily.db")).unwrap();
        assert!(!backup_is_due(&database));
        copy.set_modified(SystemTime::now() - Duration::from_secs(24 * 3600))
            .unwrap();
        assert!(backup_is_due(&database));
    }
}
