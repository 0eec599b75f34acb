//! How a run ends, of a download or of any other work: what came of it is recorded, and whatever
//! the engine kept for it is let go.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::model::code::Code;
use crate::model::job::JobId;
use crate::model::state::JobStatus;
use crate::store::{Outcome, StoreError};

use super::Shared;
use super::attempt::Halt;
use super::checkpoint::Followed;
use super::meter::Meter;

/// First and longest pause between two tries to record the end of a run.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Carries out the work of a run. A bug that panics in it ends this job alone, as failed: nothing would
/// settle it otherwise, and it would hold its place in the engine.
///
/// # Errors
/// What `work` returns, and `internal` for a panic.
pub async fn guarded(id: &JobId, work: impl Future<Output = Result<(), Halt>>) -> Result<(), Halt> {
    // What a panic leaves half done stands behind locks that look at their content anew, and on the disk
    // behind marks that are moved last.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().copied();
            let why = why.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let why = why.unwrap_or("a panic without words");
            tracing::error!(job.id = %id, %why, "a run ended by a bug");
            Err(Halt::Fail(
                Code::Internal,
                format!("The work ended by an internal error: {why}"),
            ))
        }
    }
}

/// Records the last progress of the run of `meter`, and how the job `id` came out of it.
pub async fn settle(
    shared: &Arc<Shared>,
    meter: &Arc<Meter>,
    followed: Followed,
    id: &JobId,
    result: Result<(), Halt>,
) {
    meter.no_more_troubles();
    if let Err(error) = shared.checkpoint.record(true).await {
        tracing::warn!(job.id = %id, %error, "the last progress could not be recorded");
    }
    drop(followed);
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
    match record(shared, meter, &outcome).await {
        Ok(status) => {
            shared.tallies.settled(&outcome);
            tracing::info!(job.id = %id, %status, ?outcome, "job settled");
        }
        Err(error) => {
            tracing::error!(job.id = %id, %error, "the job could not be settled; its lease will run out")
        }
    }
}

/// While the database cannot be used nobody else could take the job either: it is tried until it
/// works, the lease is lost, or the service stops.
async fn record(shared: &Shared, meter: &Meter, outcome: &Outcome) -> Result<JobStatus, StoreError> {
    let mut pause = PAUSE;
    loop {
        let settled = shared.store.settle(&meter.lease, outcome).await;
        match &settled {
            Err(error) if error.hindrance().is_some() && !shared.stop.is_cancelled() => {
                tracing::warn!(job.seq = meter.lease.job_seq(), %error, "the end of the run waits for the database");
            }
            _ => return settled,
        }
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_run_is_a_failure_of_its_job_with_the_words_of_the_panic() {
        let id = JobId::from_bits(1);
        let failed = guarded(&id, async { panic!("no such {}", "thing") }).await;
        let Err(Halt::Fail(Code::Internal, text)) = failed else {
            panic!("{failed:?}");
        };
        assert!(text.ends_with("no such thing"), "{text}");
        assert!(guarded(&id, async { Ok(()) }).await.is_ok());
        let stopped = guarded(&id, async { Err(Halt::Stopped) }).await;
        assert!(matches!(stopped, Err(Halt::Stopped)));
    }
}
