//! Jobs of other kinds than downloads: their own slot, and the way to the code of each kind.
//!
//! # How to add a kind
//! 1. `<kind>.rs` beside this file, with `pub async fn run(task: &Task) -> Result<(), Halt>`.
//! 2. Its line in [`KINDS`] and in [`perform`]. Nothing else here knows it.
//! 3. Whoever wants such a job gives a [`NewWork`](crate::store::NewWork) to
//!    [`Store::submit_work`](crate::store::Store::submit_work) and rings
//!    [`Engine::wake`](super::Engine::wake). What is asked stands in its `spec`, which
//!    [`Task::spec`] reads back into a struct of the kind.
//!
//! What `run` does, in order:
//! 1. Unless [`Task::planned`], look at the world and store a plan: [`Task::plan`] with one item
//!    for each thing to do.
//! 2. Take the items that are [`pending`](Task::pending) one by one, and carry them out on blocking
//!    threads. Pass bytes through [`Task::throttle`], which counts them, keeps the
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

mod adopter;
mod checker;
mod comparison;
mod copier;
mod copying;
mod export;
mod import;
mod mirror;
mod passing;
mod task;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::state::JobKind;
use crate::store::{Claimed, StoreError};

use super::attempt::Halt;
use super::checkpoint::Followed;
use super::meter::Meter;
use super::{Shared, ending};
use task::Task;

pub use comparison::{Compared, Comparison, Plan, compare, plan};
pub use export::{ExportReport, ExportSpec};
pub use import::{ImportFile, ImportReport, ImportSpec, ImportStranger};
pub use mirror::{Direction, MirrorReport, MirrorSpec, Sides};
pub use verify::{BadFile, CheckMode, CheckSpeed, VerifyReport, VerifySpec};

/// The kinds that [`perform`] knows; jobs of another kind stay in the queue.
pub const KINDS: &[JobKind] = &[JobKind::Mirror, JobKind::Verify, JobKind::Export];
/// Jobs of these kinds at once, one of each: none waits for one of another kind.
const SLOTS: usize = KINDS.len();
/// Longest sleep of the loop: a safety net, since every change rings.
pub const PACE: Duration = Duration::from_secs(5);

/// The one place that knows which code belongs to a kind.
async fn perform(task: &Task) -> Result<(), Halt> {
    match task.job.kind {
        JobKind::Mirror => mirror::run(task).await,
        JobKind::Verify => verify::run(task).await,
        JobKind::Export if imports(task) => import::run(task).await,
        JobKind::Export => export::run(task).await,
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
    let (id, kind) = (job.id.clone(), job.kind);
    tracing::info!(job.id = %id, %kind, attempt = job.attempt, "job started");
    let meter = Arc::new(Meter::new(lease, &job, shared.tallies.clone()));
    let followed = Followed::new(&shared, &meter);
    let task = Task {
        shared: shared.clone(),
        job,
        stop,
        meter: meter.clone(),
    };
    let result = perform(&task).await;
    ending::settle(&shared, &meter, followed, &id, result).await;
}
