//! Start and stop of the process: signals, the soft stop, its deadline, exit codes.
//!
//! The first SIGTERM or SIGINT asks everything to stop softly through one token; workers
//! then end at the next buffer, sync and checkpoint. A second signal ends the process at
//! once, and so does the deadline: an abrupt end costs at most what a crash costs, which
//! the marks of the engine bound. Nothing here knows what is being stopped.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
pub use tokio_util::sync::CancellationToken;

/// How long a soft stop may take before the process ends anyway.
pub const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// What the process tells its caller at the end.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done, or stopped by a signal in time |
/// | 1 | failed; the last line of the log says why |
/// | 2 | the command line, environment or configuration file is wrong |
/// | 3 | another process holds the data directory |
/// | 4 | the database was written by a newer version |
/// | 5 | the soft stop did not end within its deadline |
/// | 6 | a command found no service at the address |
/// | 7 | the service wants a login or key, or another one |
/// | 8 | there is no such job, repo or revision, or the job is not in that state |
/// | 9 | the service refused the request |
/// | 10 | the job that was waited for did not complete |
/// | 11 | a check found something that is not as it should be |
/// | 130, 143 | ended at once by a second SIGINT or SIGTERM |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Failed for a reason without a code of its own.
    Error = 1,
    /// Bad command line, environment or configuration file; clap uses the same number.
    Usage = 2,
    /// Another process holds the lock of the data directory.
    Locked = 3,
    /// The schema of the database is newer than this binary.
    NewerSchema = 4,
    /// Something did not stop within [`STOP_DEADLINE`].
    StopTimedOut = 5,
    /// No service answers at the address.
    Unreachable = 6,
    /// Login or key are missing, wrong, or not enough.
    NotAllowed = 7,
    /// There is no such job, repo or revision, or the job is in no state that the command is for.
    NotFound = 8,
    /// The service refused the request.
    Refused = 9,
    /// The job that was waited for failed, was cancelled or paused.
    JobFailed = 10,
    /// A check found something that is not as it should be.
    Unwell = 11,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure that has an exit code of its own; travels as the cause inside `anyhow::Error`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExitError {
    /// The code of the process.
    pub exit: Exit,
    /// The sentence for people.
    pub message: String,
}

impl ExitError {
    /// A wrong command line, environment or configuration file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }
}

/// The exit code for a failure: that of an [`ExitError`] inside, else [`Exit::Error`].
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<ExitError>())
        .map_or(Exit::Error, |found| found.exit)
}

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// Ctrl-C.
    Interrupt,
    /// The service manager.
    Terminate,
}

impl StopSignal {
    /// 128 plus the number of the signal, as shells count.
    fn hard_exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Listens for SIGTERM and SIGINT from now on; the token is cancelled by the first one.
/// The second one ends the process with 130 or 143. Needs a tokio runtime.
///
/// # Errors
/// When the system refuses a signal handler.
pub fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            let caught = tokio::select! {
                Some(()) = interrupt.recv() => StopSignal::Interrupt,
                Some(()) = terminate.recv() => StopSignal::Terminate,
                else => break,
            };
            if sender.send(caught).await.is_err() {
                break;
            }
        }
    });
    let stop = CancellationToken::new();
    tokio::spawn(follow_signals(receiver, stop.clone(), |code| {
        std::process::exit(code)
    }));
    Ok(stop)
}

/// First signal: soft stop. Second: `hard_stop` with the exit code.
async fn follow_signals(
    mut signals: mpsc::Receiver<StopSignal>,
    stop: CancellationToken,
    hard_stop: impl FnOnce(i32),
) {
    let Some(first) = signals.recv().await else { return };
    tracing::info!(signal = ?first, deadline_ms = STOP_DEADLINE.as_millis() as u64, "stopping");
    stop.cancel();
    if let Some(second) = signals.recv().await {
        tracing::warn!(signal = ?second, "second signal: ending at once");
        hard_stop(second.hard_exit_code());
    }
}

/// Runs `work` until it ends by itself, or until `grace` ([`STOP_DEADLINE`] for the service)
/// after `stop` was cancelled. `None` when that cut it off.
pub async fn until_deadline<T>(
    stop: &CancellationToken,
    grace: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = deadline => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn the_first_signal_stops_softly_and_the_second_at_once() {
        let (sender, receiver) = mpsc::channel(2);
        let stop = CancellationToken::new();
        let hard = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&hard);
        let follower = tokio::spawn(follow_signals(receiver, stop.clone(), move |code| {
            *seen.lock().unwrap() = Some(code);
        }));
        assert!(!stop.is_cancelled());
        sender.send(StopSignal::Terminate).await.unwrap();
        stop.cancelled().await;
        assert_eq!(*hard.lock().unwrap(), None);
        sender.send(StopSignal::Interrupt).await.unwrap();
        follower.await.unwrap();
        assert_eq!(*hard.lock().unwrap(), Some(130));
    }

    #[tokio::test]
    async fn work_that_does_not_stop_is_cut_off_at_the_deadline() {
        let stop = CancellationToken::new();
        let grace = Duration::from_millis(20);
        assert_eq!(until_deadline(&stop, grace, async { 7 }).await, Some(7));
        stop.cancel();
        let begun = std::time::Instant::now();
        assert_eq!(
            until_deadline(&stop, grace, std::future::pending::<()>()).await,
            None
        );
        assert!(begun.elapsed() >= grace);
    }

    #[test]
    fn an_error_keeps_its_exit_code_under_context() {
        let error = anyhow::Error::new(ExitError {
            exit: Exit::Locked,
            message: "held by process 7".to_owned(),
        })
        .context("cannot open the data directory");
        assert_eq!(exit_of(&error), Exit::Locked);
        assert_eq!(exit_of(&anyhow::anyhow!("plain")), Exit::Error);
    }
}
