//! The worker loop: it claims, stops and cleans; the runs do the rest.
//!
//! Each turn: 1. stop runs that the user no longer wants, and the newest ones above the
//! limit. 2. Take back leases that ran out. 3. Wake jobs whose disk has room again.
//! 4. Claim while there is place. 5. Delete part files that no job wants. 6. Sleep until rung,
//! a run ends, a job becomes ready, or five seconds have passed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::BackwardLeaps;
use crate::disk;
use crate::model::arrange::speed_bytes;
use crate::store::StoreError;

use super::bandwidth::Bandwidth;
use super::limits::{self, Permits};
use super::run::Steering;
use super::runs::{Claims, PACE, Runs, sleep_until, take_turns};
use super::{Shared, run, space};

/// First pause between two tries of a job that found no space although there seemed to be; it
/// doubles up to 64 s.
const DISK_PAUSE: Duration = Duration::from_secs(2);

/// The other end of what steers a run.
struct Kept {
    bandwidth: Arc<Bandwidth>,
    connections: Arc<Permits>,
    choices: watch::Sender<i64>,
}

struct Worker {
    shared: Arc<Shared>,
    /// This boot of the service, in every lease it holds.
    owner: Arc<str>,
    runs: Runs<Kept>,
    /// Jobs that wait for space: when each may be tried again, and how often it was.
    disk_tries: HashMap<i64, (Instant, u32)>,
    clock: BackwardLeaps,
}

/// Works until the engine is stopped and every run has ended.
pub async fn run(shared: Arc<Shared>, owner: Arc<str>) {
    match shared.store.recover(&owner).await {
        Ok(0) => {}
        Ok(jobs) => {
            tracing::info!(jobs, "jobs of the last run of the service go on");
            shared.work_wake.notify_one();
        }
        Err(error) => tracing::error!(%error, "jobs of the last run of the service could not be taken over"),
    }
    // It may have been set back while nobody looked.
    if let Err(error) = shared.store.end_endless_waits().await {
        tracing::error!(%error, "jobs that wait for ever could not be looked for");
    }
    let mut worker = Worker {
        shared: shared.clone(),
        owner,
        runs: Runs::default(),
        disk_tries: HashMap::new(),
        clock: BackwardLeaps::watch(),
    };
    take_turns(&mut worker, &shared.wake, &shared.turns[0], &shared.stop).await;
}

impl Claims for Worker {
    type Kept = Kept;

    fn runs(&mut self) -> &mut Runs<Kept> {
        &mut self.runs
    }

    async fn turn(&mut self) -> Result<Duration, StoreError> {
        let shared = self.shared.clone();
        let store = &shared.store;
        self.runs.stop_unwanted(store, &self.owner).await?;
        for wish in store.wishes_of_runs(&self.owner).await? {
            if let Some(kept) = self.runs.kept(wish.seq) {
                kept.bandwidth.set_rate(rate_of(&wish.max_speed));
                kept.connections.set_limit(limits::own(wish.connections));
                kept.choices
                    .send_if_modified(|known| std::mem::replace(known, wish.choices) != wish.choices);
            }
        }
        store.reclaim_expired(&shared.checkpoint.living()).await?;
        if self.clock.leapt() {
            let jobs = store.end_endless_waits().await?;
            tracing::warn!(
                jobs,
                "the clock was set back; jobs that waited for a later time are ready"
            );
        }
        self.wake_those_with_room().await?;
        let max_active = {
            let tuning = shared.tuning.borrow();
            if tuning.paused { 0 } else { tuning.max_active }
        };
        for seq in self.runs.stop_newest(max_active) {
            tracing::info!(job.seq = seq, max_active, "back to the queue: fewer jobs may run");
        }
        while self.runs.len() < max_active {
            let Some(claimed) = store.claim(&self.owner).await? else {
                break;
            };
            let bandwidth = Arc::new(Bandwidth::new(rate_of(&claimed.job.max_speed)));
            let connections = Permits::new(limits::own(claimed.job.connections));
            let (chosen, choices) = watch::channel(0);
            let steering = Steering {
                bandwidth: bandwidth.clone(),
                connections: connections.clone(),
                choices,
            };
            let (lease, shared) = (claimed.lease.clone(), shared.clone());
            let work = |stop| run::run(shared, claimed, steering, stop);
            let kept = Kept {
                bandwidth,
                connections,
                choices: chosen,
            };
            self.runs.begin(&lease, kept, work);
        }
        self.delete_unwanted_parts().await?;
        let ready_at = store.next_ready_at().await?;
        Ok(match self.runs.len() < max_active {
            true => sleep_until(ready_at),
            false => PACE,
        })
    }
}

impl Worker {
    /// Jobs that wait for space become ready when their volume has room for what they miss.
    ///
    /// What looks like room may be none: a quota, no inode left, a byte less than the folders
    /// need. So a job that comes back is tried less and less often.
    async fn wake_those_with_room(&mut self) -> Result<(), StoreError> {
        let waiting = self.shared.store.waiting_for_disk().await?;
        self.disk_tries
            .retain(|seq, _| self.runs.contains(*seq) || waiting.iter().any(|(other, ..)| other == seq));
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        for (seq, destination, missing_bytes) in waiting {
            let now = Instant::now();
            if self.disk_tries.get(&seq).is_some_and(|(next, _)| *next > now) {
                continue;
            }
            let place = Path::new(&destination);
            let reserved = self.shared.reserved.on_volume_of(place);
            if space::fits(place, missing_bytes, reserved, floor).is_ok() {
                let (next, tries) = self.disk_tries.entry(seq).or_insert((now, 0));
                *next = now + DISK_PAUSE * 2_u32.pow((*tries).min(5));
                *tries += 1;
                self.shared.store.make_ready(seq).await?;
                // It may be a job of another kind.
                self.shared.work_wake.notify_one();
            }
        }
        Ok(())
    }

    async fn delete_unwanted_parts(&self) -> Result<(), StoreError> {
        for (folder, blob) in self.shared.store.unwanted_parts().await? {
            let folder = PathBuf::from(folder);
            let lock = self.shared.blobs.lock(folder.clone(), blob);
            // Somebody who works on it wants it; then it is looked at again next time.
            let Ok(_guard) = tokio::time::timeout(Duration::from_millis(50), lock).await else {
                continue;
            };
            let place = folder.clone();
            let removed = tokio::task::spawn_blocking(move || disk::remove_part_in(&place, blob)).await;
            match removed {
                // Another service on this cache writes it; it is looked at again next time.
                Ok(Ok(false)) => continue,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a part file that no job wants could not be removed");
                }
                Ok(Ok(true)) | Err(_) => {}
            }
            // The file first: a row without a file is void, a file without a row is never found.
            self.shared
                .store
                .forget_part(&folder.to_string_lossy(), blob)
                .await?;
        }
        Ok(())
    }
}

/// The rate of a speed that was checked when it was stored.
fn rate_of(speed: &str) -> Option<u64> {
    speed_bytes(speed).unwrap_or(None)
}
