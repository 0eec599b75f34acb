//! The worker loop: it claims, stops and cleans; the runs do the rest.
//!
//! Each turn: 1. stop runs that the user no longer wants, and the newest ones above the
//! limit. 2. Take back leases that ran out. 3. Wake jobs whose disk has room again.
//! 4. Claim while there is place. 5. Delete part files that no job wants. 6. Sleep until rung,
//! a run ends, a job becomes ready, or five seconds have passed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::disk;
use crate::model::arrange::speed_bytes;
use crate::model::state::Intent;
use crate::store::StoreError;

use super::bandwidth::Bandwidth;
use super::run::Steering;
use super::{Shared, run, space};

/// Longest sleep of the loop: a safety net, since every change rings.
pub const PACE: Duration = Duration::from_secs(5);
/// First pause between two tries of a job that found no space although there seemed to be; it
/// doubles up to 64 s.
const DISK_PAUSE: Duration = Duration::from_secs(2);

struct Worker {
    shared: Arc<Shared>,
    /// This boot of the service, in every lease it holds.
    owner: Arc<str>,
    /// Sequence number of the job and number of the run: a job paused and resumed may be claimed
    /// again before the end of its earlier run is noticed here.
    runs: JoinSet<(i64, i64)>,
    /// Stop of each run by sequence number of its job, with the number of the run.
    stops: BTreeMap<i64, (i64, CancellationToken)>,
    /// What the user may change of each run: its own limit, and the choice of files.
    wishes: HashMap<i64, (Arc<Bandwidth>, watch::Sender<i64>)>,
    /// Jobs in the order they were claimed.
    claimed: Vec<i64>,
    /// Jobs that wait for space: when each may be tried again, and how often it was.
    disk_tries: HashMap<i64, (Instant, u32)>,
}

/// Works until the engine is stopped and every run has ended.
pub async fn run(shared: Arc<Shared>, owner: Arc<str>) {
    let mut worker = Worker {
        shared,
        owner,
        runs: JoinSet::new(),
        stops: BTreeMap::new(),
        wishes: HashMap::new(),
        claimed: Vec::new(),
        disk_tries: HashMap::new(),
    };
    match worker.shared.store.recover(&worker.owner).await {
        Ok(0) => {}
        Ok(jobs) => {
            tracing::info!(jobs, "jobs of the last run of the service go on");
            worker.shared.work_wake.notify_one();
        }
        Err(error) => tracing::error!(%error, "jobs of the last run of the service could not be taken over"),
    }
    loop {
        let shared = worker.shared.clone();
        // Armed before the database is asked, so that nothing rings unheard.
        let rung = shared.wake.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        if shared.stop.is_cancelled() {
            break;
        }
        let task = &shared.turns[0];
        let sleep = match task.perform(worker.turn(), |_| String::new()).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read; trying again");
                Duration::from_secs(1)
            }
        };
        task.next_in(sleep);
        tokio::select! {
            () = &mut rung => {}
            () = task.asked() => {}
            () = shared.stop.cancelled() => {}
            () = tokio::time::sleep(sleep) => {}
            Some(ended) = worker.runs.join_next() => worker.ended(ended),
        }
    }
    worker.stops.values().for_each(|(_, stop)| stop.cancel());
    while worker.runs.join_next().await.is_some() {}
}

impl Worker {
    async fn turn(&mut self) -> Result<Duration, StoreError> {
        let shared = self.shared.clone();
        let store = &shared.store;
        for (seq, epoch, intent) in store.unwanted_runs(&self.owner).await? {
            if let Some((running, stop)) = self.stops.get(&seq)
                && *running == epoch
                && !stop.is_cancelled()
            {
                tracing::info!(job.seq = seq, %intent, "stopping a run");
                debug_assert!(intent != Intent::Run || epoch > 0);
                stop.cancel();
            }
        }
        for (seq, speed, choices) in store.wishes_of_runs(&self.owner).await? {
            if let Some((bandwidth, chosen)) = self.wishes.get(&seq) {
                bandwidth.set_rate(rate_of(&speed));
                chosen.send_if_modified(|known| std::mem::replace(known, choices) != choices);
            }
        }
        store.reclaim_expired(&shared.checkpoint.living()).await?;
        self.wake_those_with_room().await?;
        let (max_active, paused) = {
            let tuning = self.shared.tuning.borrow();
            (if tuning.paused { 0 } else { tuning.max_active }, tuning.paused)
        };
        let going: Vec<i64> = self
            .claimed
            .iter()
            .copied()
            .filter(|seq| self.stops.get(seq).is_some_and(|(_, stop)| !stop.is_cancelled()))
            .collect();
        for seq in going.iter().skip(max_active) {
            tracing::info!(
                job.seq = seq,
                max_active,
                paused,
                "back to the queue: fewer jobs may run"
            );
            self.stops[seq].1.cancel();
        }
        while self.stops.len() < max_active {
            let Some(claimed) = store.claim(&self.owner).await? else {
                break;
            };
            let seq = claimed.job.seq;
            let stop = CancellationToken::new();
            let epoch = claimed.lease.epoch();
            let bandwidth = Arc::new(Bandwidth::new(rate_of(&claimed.job.max_speed)));
            let (chosen, choices) = watch::channel(0);
            self.wishes.insert(seq, (bandwidth.clone(), chosen));
            self.stops.insert(seq, (epoch, stop.clone()));
            self.claimed.retain(|other| *other != seq);
            self.claimed.push(seq);
            let shared = self.shared.clone();
            self.runs.spawn(async move {
                run::run(shared, claimed, Steering { bandwidth, choices }, stop).await;
                (seq, epoch)
            });
        }
        self.delete_unwanted_parts().await?;
        let ready_in = store
            .next_ready_at()
            .await?
            .map(|at| Duration::from_millis((at - now_ms()).max(10) as u64));
        let has_place = self.stops.len() < max_active;
        Ok(ready_in
            .filter(|_| has_place)
            .map_or(PACE, |ready_in| ready_in.min(PACE)))
    }

    fn ended(&mut self, ended: Result<(i64, i64), tokio::task::JoinError>) {
        match ended {
            Ok((seq, epoch)) => {
                // Not the stop of the run that came after it.
                if self.stops.get(&seq).is_some_and(|(running, _)| *running == epoch) {
                    self.stops.remove(&seq);
                    self.wishes.remove(&seq);
                    self.claimed.retain(|other| *other != seq);
                }
            }
            Err(error) => {
                // Which one it was shows in its lease, which nobody renews any more.
                tracing::error!(%error, "a run ended badly");
                if self.runs.is_empty() {
                    self.stops.clear();
                    self.wishes.clear();
                    self.claimed.clear();
                }
            }
        }
    }

    /// Jobs that wait for space become ready when their volume has room for what they miss.
    ///
    /// What looks like room may be none: a quota, no inode left, a byte less than the folders
    /// need. So a job that comes back is tried less and less often.
    async fn wake_those_with_room(&mut self) -> Result<(), StoreError> {
        let waiting = self.shared.store.waiting_for_disk().await?;
        self.disk_tries
            .retain(|seq, _| self.stops.contains_key(seq) || waiting.iter().any(|(other, ..)| other == seq));
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
