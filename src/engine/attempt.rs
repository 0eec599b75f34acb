//! What a failure means for a file and for its job, and how long to wait before another try.

use std::time::Duration;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::disk::DiskError;
use crate::hub::{Class, Decision, HubClient, HubConfig, HubError, Retry};
use crate::model::code::Code;
use crate::model::state::WaitReason;
use crate::store::{Hindrance, StoreError, Waiting};

use super::library::LibraryError;
use super::meter::Meter;
use super::trouble::Trouble;

/// Longest wait inside a run. Longer ones give the job back to the queue with a reason, so
/// that its place is free for another job.
const WAIT_INSIDE: Duration = Duration::from_secs(10);
/// A job that waits for space looks again after this time by itself; freed space wakes it sooner.
const DISK_PACE_MS: i64 = 365 * 86_400_000;
/// So long a job stays away from a database that another program holds, milliseconds.
const BUSY_PACE_MS: i64 = 5_000;

/// Why a whole run ends before its work is done.
#[derive(Debug, Clone)]
pub enum Halt {
    /// It was told to stop: pause, cancel, fewer jobs, end of the service.
    Stopped,
    /// Another run owns the job.
    LeaseLost,
    /// It goes back to the queue.
    Wait(Waiting),
    /// No file of the job can be had.
    Fail(Code, String),
}

/// Why one file is not done.
#[derive(Debug, Clone)]
pub enum FileError {
    /// The run ends.
    Halt(Halt),
    /// This file is given up; others go on.
    File(Code, String),
    /// Its bytes here are not what they should be: begin it anew, once.
    Damaged(String),
    /// Its part file was deleted or cut by another program: fetch it again.
    Gone(String),
    /// The disk failed below it: go on from what is synced, once.
    Disk(Code, String),
    /// The source does not serve ranges: a single stream may work.
    NoRanges,
}

impl From<Halt> for FileError {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl FileError {
    /// A failed database call.
    pub fn store(error: StoreError) -> Self {
        Self::Halt(Halt::store(error))
    }

    /// A task that did not come to its end.
    pub fn task(error: JoinError) -> Self {
        Self::Halt(Halt::task(error))
    }

    /// A failed disk call: a full disk is waited for, one that refuses everything ends the job,
    /// anything else concerns this file.
    pub fn disk(error: &DiskError) -> Self {
        match error.code {
            Code::DiskFull => Self::Halt(Halt::Wait(wait_for_disk(error.to_string()))),
            Code::DiskReadOnly => Self::Halt(Halt::Fail(error.code, error.to_string())),
            _ => Self::Disk(error.code, error.to_string()),
        }
    }
}

impl Halt {
    /// A task that did not come to its end: by a bug, or because the runtime ends, which asks every
    /// task to end in no order. The job is to go on then with the next start.
    pub fn task(error: JoinError) -> Self {
        match error.is_cancelled() {
            true => Self::Stopped,
            false => Self::Fail(Code::Internal, format!("An internal task failed: {error}")),
        }
    }

    /// A failed disk call that concerns the whole job: a full disk is waited for.
    pub fn disk(error: &DiskError) -> Self {
        match FileError::disk(error) {
            FileError::Halt(halt) => halt,
            _ => Self::Fail(error.code, error.to_string()),
        }
    }

    /// The index of a cache could not be brought up to date.
    pub fn library(error: LibraryError) -> Self {
        match error {
            LibraryError::Disk(error) => Self::disk(&error),
            LibraryError::Store(error) => Self::store(error),
            LibraryError::Task(error) => Self::task(error),
            other => Self::Fail(Code::Internal, other.to_string()),
        }
    }

    /// A failed database call: its volume is waited for as that of the files is.
    pub fn store(error: StoreError) -> Self {
        match (error.hindrance(), error) {
            (_, StoreError::LeaseLost) => Self::LeaseLost,
            (Some(Hindrance::Full | Hindrance::Volume), error) => {
                Self::Wait(wait_for_disk(error.to_string()))
            }
            (Some(Hindrance::Busy), error) => Self::Wait(Waiting {
                reason: WaitReason::Retry,
                ready_at: now_ms() + BUSY_PACE_MS,
                text: error.to_string(),
            }),
            (None, error) => Self::Fail(Code::Internal, error.to_string()),
        }
    }
}

/// Back to the queue until there is room.
pub fn wait_for_disk(text: String) -> Waiting {
    Waiting {
        reason: WaitReason::Disk,
        ready_at: now_ms() + DISK_PACE_MS,
        text,
    }
}

/// The tries of one operation against the Hub.
pub struct Tries<'a> {
    config: HubConfig,
    retry: Retry,
    /// An answer did not fit the listing once already.
    misfit: bool,
    meter: &'a Meter,
    stop: &'a CancellationToken,
}

impl<'a> Tries<'a> {
    /// A full budget.
    pub fn new(hub: &HubClient, meter: &'a Meter, stop: &'a CancellationToken) -> Self {
        Self {
            config: hub.config().clone(),
            retry: Retry::new(hub.config()),
            misfit: false,
            meter,
            stop,
        }
    }

    /// An operation succeeded: what comes next begins with a full budget.
    pub fn succeeded(&mut self) {
        self.retry = Retry::new(&self.config);
        self.misfit = false;
    }

    /// Waits before another try, or says what the failure means.
    ///
    /// # Errors
    /// When there is no other try.
    pub async fn after(&mut self, error: HubError, progressed: bool) -> Result<(), FileError> {
        if error.ranges_ignored {
            return Err(FileError::NoRanges);
        }
        if error.class == Class::Integrity && !self.misfit {
            // The client has forgotten where it asked: one try from a fresh answer of the Hub.
            self.misfit = true;
            self.meter.retried(error.code);
            self.meter.trouble(Trouble::of(&error, None));
            return Ok(());
        }
        match self.retry.next(&error, progressed) {
            Decision::GiveUp => Err(given_up(error)),
            Decision::Again(pause) => {
                let reason = match error.class {
                    Class::Offline => WaitReason::Offline,
                    Class::Wait => WaitReason::RateLimit,
                    _ => WaitReason::Retry,
                };
                self.meter.trouble(Trouble::of(&error, Some(pause)));
                if pause > WAIT_INSIDE {
                    let ready_at = now_ms() + pause.as_millis() as i64;
                    let waiting = Waiting {
                        reason,
                        ready_at,
                        text: error.message,
                    };
                    return Err(Halt::Wait(waiting).into());
                }
                if !matches!(error.class, Class::Offline | Class::Wait) {
                    self.meter.retried(error.code);
                }
                tracing::info!(job.seq = self.meter.lease.job_seq(), %error, pause_ms = pause.as_millis() as u64, "trying again");
                self.meter.activity(format!(
                    "{}; next try in {:.1} s",
                    error.message,
                    pause.as_secs_f64()
                ));
                tokio::select! {
                    () = self.stop.cancelled() => Err(Halt::Stopped.into()),
                    () = tokio::time::sleep(pause) => Ok(()),
                }
            }
        }
    }
}

/// Whether a final failure concerns one file or the whole repo.
fn given_up(error: HubError) -> FileError {
    match error.code {
        Code::RepoNotFound
        | Code::RevisionNotFound
        | Code::Gated
        | Code::BadToken
        | Code::AccessDenied
        | Code::RepoDisabled
        | Code::TlsError => FileError::Halt(Halt::Fail(error.code, error.message)),
        code => FileError::File(code, error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_the_end_of_the_runtime_cancels_fails_no_job() {
        let cancelled = tokio::spawn(std::future::pending::<()>());
        cancelled.abort();
        let halt = Halt::task(cancelled.await.unwrap_err());
        assert!(matches!(halt, Halt::Stopped), "{halt:?}");
        let panicked = tokio::spawn(async { panic!("a bug") });
        let halt = Halt::task(panicked.await.unwrap_err());
        assert!(matches!(halt, Halt::Fail(Code::Internal, _)), "{halt:?}");
    }
}
