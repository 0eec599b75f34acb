//! Jobs of other kinds than downloads: their own slot, and the way to the code of each kind.
//!
//! # How to add a kind
//! 1. `engine/<kind>.rs` with `pub async fn run(task: &Task) -> Result<(), Halt>`.
//! 2. Its line in [`KINDS`] and in [`perform`]. Nothing else here knows it.
//! 3. Whoever wants such a job gives a [`NewWork`](crate::store::NewWork) to
//!    [`Store::submit_work`](crate::store::Store::submit_work) and rings
//!    [`Engine::wake`](super::Engine::wake). What is asked stands in its `spec`, which
//!    [`Task::spec`] reads back into a struct of the kind.
//!
//! What `run` does, in order:
//! 1. Unless [`Task::planned`], look at the world and store a plan: [`Task::plan`] with one item
//!    for each thing to do.
//! 2. Take the items that are pending, [`Task::pending`] by [`Task::pending`], and carry them out
//!    on blocking threads. Pass bytes through [`Task::throttle`], which counts them, keeps the
//!    bandwidth limit, and says when to stop; look at it at least ten times a second.
//! 3. Tell of each item *after* its effect is on disk: [`Task::settle`], some at a time.
//! 4. [`Task::report`] what came of it; the job shows it as `result`. Then `Ok`, or
//!    [`Halt::Fail`] when items were given up.
//!
//! So pause, cancel, the end of the service and `kill -9` are one case: the next run finds the
//! plan and goes on with what is pending. An item must bear being done twice.
//!
//! From here come the claim, the heartbeat of the lease, the progress that clients see, and the
//! settling of the job. At most [`SLOTS`] jobs run at once, one of each kind, and never does one
//! wait for a download.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::state::{JobKind, Phase};
use crate::store::{Claimed, Item, ItemSettled, ItemState, Job, NewItem, Outcome, StoreError};

use super::Shared;
use super::attempt::Halt;
use super::meter::Meter;

/// The kinds that [`perform`] knows; jobs of another kind stay in the queue.
pub const KINDS: &[JobKind] = &[JobKind::Mirror, JobKind::Verify, JobKind::Export];
/// Jobs of these kinds at once, one of each: none waits for one of another kind.
const SLOTS: usize = KINDS.len();
/// Longest sleep of the loop: a safety net, since every change rings.
pub const PACE: Duration = Duration::from_secs(5);
/// Items that [`Task::pending`] reads at a time.
const PAGE: i64 = 512;

/// One run of one job, as the code of its kind sees it.
pub struct Task {
    /// The engine.
    pub shared: Arc<Shared>,
    /// The job as it was claimed.
    pub job: Job,
    /// Cancelled when the run has to end.
    pub stop: CancellationToken,
    meter: Arc<Meter>,
}

/// The one place that knows which code belongs to a kind.
async fn perform(task: &Task) -> Result<(), Halt> {
    match task.job.kind {
        JobKind::Mirror => super::mirror::run(task).await,
        JobKind::Verify => super::verify::run(task).await,
        JobKind::Export if imports(task) => super::import::run(task).await,
        JobKind::Export => super::export::run(task).await,
        kind => {
            let text = format!("This version knows no jobs of the kind {kind}");
            Err(Halt::Fail(Code::Internal, text))
        }
    }
}

/// Whether a job between the cache and a folder goes into the cache.
fn imports(task: &Task) -> bool {
    let spec = task.job.spec.as_ref();
    spec.is_some_and(|spec| spec.get("importFrom").is_some())
}

impl Task {
    /// What the job is asked.
    ///
    /// # Errors
    /// [`Halt::Fail`] when it was written by a version that knew it otherwise.
    pub fn spec<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        let spec = self.job.spec.clone().unwrap_or_default();
        serde_json::from_value(spec)
            .map_err(|error| Halt::Fail(Code::Internal, format!("The job cannot be understood: {error}")))
    }

    /// Whether an earlier run stored a plan with anything in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn planned(&self) -> Result<bool, Halt> {
        let totals = self.shared.store.item_totals(self.job.seq).await;
        let totals = totals.map_err(Halt::store)?;
        let over = totals.iter().filter(|total| total.state != ItemState::Pending);
        self.meter
            .set_placed(over.map(|total| total.bytes.max(0) as u64).sum());
        Ok(!totals.is_empty())
    }

    /// Stores the plan.
    ///
    /// # Errors
    /// When the lease is lost or the database fails.
    pub async fn plan(&self, items: &[NewItem]) -> Result<(), Halt> {
        let store = &self.shared.store;
        store
            .plan_items(&self.meter.lease, items)
            .await
            .map_err(Halt::store)
    }

    /// The next items to carry out, beginning behind the item `after` (0 = from the start).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending(&self, after: i64) -> Result<Vec<Item>, Halt> {
        let store = &self.shared.store;
        store
            .pending_items(self.job.seq, after, PAGE)
            .await
            .map_err(Halt::store)
    }

    /// Records items whose effect is on disk. Bytes of theirs that [`throttle`](Self::throttle)
    /// has not counted go into `uncounted_bytes`.
    ///
    /// # Errors
    /// When the lease is lost or the database fails.
    pub async fn settle(&self, items: &[ItemSettled], uncounted_bytes: u64) -> Result<(), Halt> {
        self.meter.advanced(uncounted_bytes);
        let store = &self.shared.store;
        store
            .settle_items(&self.meter.lease, items)
            .await
            .map_err(Halt::store)
    }

    /// Shows what the run is doing.
    ///
    /// # Errors
    /// When the lease is lost or the database fails.
    pub async fn phase(&self, phase: Phase, activity: &str) -> Result<(), Halt> {
        self.meter.activity(activity);
        let store = &self.shared.store;
        store
            .set_phase(&self.meter.lease, phase, activity)
            .await
            .map_err(Halt::store)
    }

    /// Shows what the run is doing, without a word to the database of its own.
    pub fn activity(&self, text: impl Into<String>) {
        self.meter.activity(text);
    }

    /// Counts bytes that were read or written for the job, and waits as long as the bandwidth
    /// limit asks.
    ///
    /// # Errors
    /// [`Halt::Stopped`] when the run has to end.
    pub async fn throttle(&self, bytes: u64) -> Result<(), Halt> {
        self.meter.moved(bytes);
        self.meter.advanced(bytes);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Halt::Stopped),
            _ = self.shared.bandwidth.take(self.job.seq, bytes) => Ok(()),
        }
    }

    /// Counts bytes of the local disk, which no limit of the network concerns.
    ///
    /// # Errors
    /// [`Halt::Stopped`] when the run has to end.
    pub fn passed(&self, bytes: u64) -> Result<(), Halt> {
        self.meter.moved(bytes);
        self.meter.advanced(bytes);
        match self.stop.is_cancelled() {
            true => Err(Halt::Stopped),
            false => Ok(()),
        }
    }

    /// Takes bytes back that [`throttle`](Self::throttle) counted for an item that has to begin anew.
    pub fn lost(&self, bytes: u64) {
        self.meter.fell_back(bytes);
    }

    /// Records what came of the job so far.
    ///
    /// # Errors
    /// When the lease is lost or the database fails.
    pub async fn report(&self, result: &impl Serialize) -> Result<(), Halt> {
        let result = serde_json::to_value(result)
            .map_err(|error| Halt::Fail(Code::Internal, format!("The report has no JSON form: {error}")))?;
        let store = &self.shared.store;
        store
            .report(&self.meter.lease, &result)
            .await
            .map_err(Halt::store)
    }

    /// Reserves room on the volume of `place`, until the run ends.
    ///
    /// # Errors
    /// [`Halt::Wait`] with the figures when there is too little.
    pub fn reserve(&self, place: &std::path::Path, bytes: u64) -> Result<(), Halt> {
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        self.shared
            .reserved
            .reserve(self.job.seq, place, bytes, floor)
            .map_err(|text| Halt::Wait(super::attempt::wait_for_disk(text)))
    }

    /// Runs work that blocks on a thread that may wait.
    ///
    /// # Errors
    /// [`Halt::Fail`] when it panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Halt> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Halt::Fail(Code::Internal, format!("An internal task failed: {error}")))
    }
}

struct Slots {
    shared: Arc<Shared>,
    /// This boot of the service, in every lease it holds.
    owner: Arc<str>,
    /// Sequence number of the job and number of the run.
    runs: JoinSet<(i64, i64)>,
    stops: BTreeMap<i64, (i64, CancellationToken)>,
}

/// Works until the engine is stopped and every run has ended.
pub async fn run(shared: Arc<Shared>, owner: Arc<str>) {
    let mut slots = Slots {
        shared,
        owner,
        runs: JoinSet::new(),
        stops: BTreeMap::new(),
    };
    loop {
        let shared = slots.shared.clone();
        // Armed before the database is asked, so that nothing rings unheard.
        let rung = shared.work_wake.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        if shared.stop.is_cancelled() {
            break;
        }
        let task = &shared.turns[1];
        let sleep = match task.perform(slots.turn(), |_| String::new()).await {
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
            Some(ended) = slots.runs.join_next() => slots.ended(ended),
        }
    }
    slots.stops.values().for_each(|(_, stop)| stop.cancel());
    while slots.runs.join_next().await.is_some() {}
}

impl Slots {
    async fn turn(&mut self) -> Result<Duration, StoreError> {
        let store = self.shared.store.clone();
        for (seq, epoch, intent) in store.unwanted_runs(&self.owner).await? {
            if let Some((running, stop)) = self.stops.get(&seq)
                && *running == epoch
                && !stop.is_cancelled()
            {
                tracing::info!(job.seq = seq, %intent, "stopping a run");
                stop.cancel();
            }
        }
        while self.runs.len() < SLOTS {
            let Some(claimed) = store.claim_work(&self.owner, KINDS).await? else {
                break;
            };
            let (seq, epoch) = (claimed.job.seq, claimed.lease.epoch());
            let stop = CancellationToken::new();
            self.stops.insert(seq, (epoch, stop.clone()));
            let shared = self.shared.clone();
            self.runs.spawn(async move {
                one(shared, claimed, stop).await;
                (seq, epoch)
            });
        }
        let ready_in = store
            .next_work_at(KINDS)
            .await?
            .map(|at| Duration::from_millis((at - now_ms()).max(10) as u64));
        // A job that is ready but may not run beside those that do is claimed when one ends.
        let idle = self.runs.is_empty();
        Ok(ready_in
            .filter(|_| idle)
            .map_or(PACE, |ready_in| ready_in.min(PACE)))
    }

    fn ended(&mut self, ended: Result<(i64, i64), JoinError>) {
        match ended {
            Ok((seq, epoch)) => {
                if self.stops.get(&seq).is_some_and(|(running, _)| *running == epoch) {
                    self.stops.remove(&seq);
                }
            }
            // Which one it was shows in its lease, which nobody renews any more.
            Err(error) => tracing::error!(%error, "a run ended badly"),
        }
    }
}

/// Runs a claimed job until it ends or `stop` is cancelled, and settles it.
async fn one(shared: Arc<Shared>, claimed: Claimed, stop: CancellationToken) {
    let Claimed { job, lease } = claimed;
    let (id, seq, kind) = (job.id.clone(), job.seq, job.kind);
    tracing::info!(job.id = %id, %kind, attempt = job.attempt, "job started");
    let meter = Arc::new(Meter::new(lease, &job, shared.tallies.clone()));
    shared.checkpoint.add_run(&meter);
    let task = Task {
        shared: shared.clone(),
        job,
        stop,
        meter: meter.clone(),
    };
    let result = perform(&task).await;
    if let Err(error) = shared.checkpoint.record(true).await {
        tracing::warn!(job.id = %id, %error, "the last progress could not be recorded");
    }
    shared.checkpoint.forget_run(&meter);
    shared.reserved.release(seq);
    let outcome = match result {
        Ok(()) => Outcome::Completed,
        Err(Halt::Stopped) => Outcome::Released,
        Err(Halt::Wait(waiting)) => Outcome::Waiting(waiting),
        Err(Halt::Fail(code, text)) => Outcome::Failed(code, text),
        Err(Halt::LeaseLost) => {
            tracing::warn!(job.id = %id, "the lease was lost; the run ends without a trace");
            return;
        }
    };
    match shared.store.settle(&meter.lease, &outcome).await {
        Ok(status) => {
            shared.tallies.settled(&outcome);
            tracing::info!(job.id = %id, %kind, %status, ?outcome, "job settled");
        }
        Err(error) => {
            tracing::error!(job.id = %id, %error, "the job could not be settled; its lease will run out")
        }
    }
}
