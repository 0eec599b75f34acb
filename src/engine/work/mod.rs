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
mod calendar;
mod checker;
mod comparison;
mod copier;
mod copying;
mod export;
mod import;
mod mirror;
mod passing;
mod share;
mod task;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::code::Code;
use crate::model::state::JobKind;
use crate::store::{Claimed, StoreError};

use super::attempt::Halt;
use super::checkpoint::Followed;
use super::meter::Meter;
use super::runs::{Claims, PACE, Runs, sleep_until, take_turns};
use super::{Shared, ending};
use task::Task;

pub use calendar::{DueRuns, queue_due_runs};
pub use comparison::{Compared, Comparison, Plan, compare, plan};
pub use export::{ExportReport, ExportSpec};
pub use import::{ImportFile, ImportReport, ImportSpec, ImportStranger};
pub use mirror::{Direction, MirrorReport, MirrorSpec, Sides};
pub use share::{ShareReport, ShareSpec};
pub use verify::{BadFile, CheckMode, CheckSpeed, VerifyReport, VerifySpec};

/// The kinds that [`perform`] knows; jobs of another kind stay in the queue.
pub const KINDS: &[JobKind] = &[JobKind::Mirror, JobKind::Verify, JobKind::Export];
/// Jobs of these kinds at once, one of each: none waits for one of another kind.
const SLOTS: usize = KINDS.len();

/// The one place that knows which code belongs to a kind.
async fn perform(task: &Task) -> Result<(), Halt> {
    match task.job.kind {
        JobKind::Mirror => mirror::run(task).await,
        JobKind::Verify if shares(task) => share::run(task).await,
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

/// Whether a job that compares contents lets repos share what is right.
fn shares(task: &Task) -> bool {
    let spec = task.job.spec.as_ref();
    spec.is_some_and(|spec| spec.get("shareFromBytes").is_some())
}

struct Slots {
    shared: Arc<Shared>,
    /// This boot of the service, in every lease it holds.
    owner: Arc<str>,
    runs: Runs<()>,
}

/// Works until the engine is stopped and every run has ended.
pub async fn run(shared: Arc<Shared>, owner: Arc<str>) {
    let mut slots = Slots {
        shared: shared.clone(),
        owner,
        runs: Runs::default(),
    };
    take_turns(&mut slots, &shared.work_wake, &shared.turns[1], &shared.stop).await;
}

impl Claims for Slots {
    type Kept = ();

    fn runs(&mut self) -> &mut Runs<()> {
        &mut self.runs
    }

    async fn turn(&mut self) -> Result<Duration, StoreError> {
        let store = self.shared.store.clone();
        self.runs.stop_unwanted(&store, &self.owner).await?;
        while self.runs.len() < SLOTS {
            let Some(claimed) = store.claim_work(&self.owner, KINDS).await? else {
                break;
            };
            let (lease, shared) = (claimed.lease.clone(), self.shared.clone());
            self.runs.begin(&lease, (), |stop| one(shared, claimed, stop));
        }
        let ready_at = store.next_work_at(KINDS).await?;
        // A job that is ready but may not run beside those that do is claimed when one ends.
        Ok(match self.runs.len() {
            0 => sleep_until(ready_at),
            _ => PACE,
        })
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
    let result = ending::guarded(&id, perform(&task)).await;
    ending::settle(&shared, &meter, followed, &id, result).await;
}
