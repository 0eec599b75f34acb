//! The periodic work of the service, counted where it is done.
//!
//! Promise: what is shown is what happens. Whoever works again and again waits by
//! [`Task::due`] (or is rung otherwise) and works inside [`Task::perform`]; there is no second
//! place where times or results are kept. The record lives as long as the process.

use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::model::task::{TaskName, TaskOutcome};

/// One sort of periodic work.
#[derive(Debug)]
pub struct Task {
    name: TaskName,
    every: Duration,
    also_on_change: bool,
    /// Rung when somebody wants a round now.
    bell: Notify,
    /// Held during a round.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Instant,
    running_since: Option<i64>,
    last: Option<Round>,
    runs: u64,
    failures: u64,
}

/// A round that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// UTC milliseconds.
    pub started_at: i64,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: TaskOutcome,
    /// What was done, or why it failed; for people.
    pub detail: String,
}

/// What is known of a task at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Which one.
    pub name: TaskName,
    /// Longest time from one round to the next.
    pub every: Duration,
    /// Whether a change begins a round too.
    pub also_on_change: bool,
    /// When the next round is due: UTC milliseconds.
    pub next_at: i64,
    /// Since when a round goes on: UTC milliseconds.
    pub running_since: Option<i64>,
    /// The newest round since the start of the process.
    pub last: Option<Round>,
    /// Rounds since the start of the process.
    pub runs: u64,
    /// Those of them that failed.
    pub failures: u64,
}

/// Why a round begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its time has come.
    Due,
    /// Somebody asked for it.
    Asked,
}

impl Task {
    /// Work that is done every `every`, the first time after `first`.
    pub fn new(name: TaskName, every: Duration, first: Duration) -> Arc<Self> {
        Self::made(name, every, first, false)
    }

    /// Work that every change begins, and that is done every `every` at the latest.
    pub fn on_change(name: TaskName, every: Duration) -> Arc<Self> {
        Self::made(name, every, Duration::ZERO, true)
    }

    fn made(name: TaskName, every: Duration, first: Duration, also_on_change: bool) -> Arc<Self> {
        Arc::new(Self {
            name,
            every,
            also_on_change,
            bell: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                next: Instant::now() + first,
                running_since: None,
                last: None,
                runs: 0,
                failures: 0,
            }),
        })
    }

    /// Which one it is.
    pub fn name(&self) -> TaskName {
        self.name
    }

    /// Asks for a round now; `false` when one goes on already, and nothing else is begun.
    pub fn ask(&self) -> bool {
        let idle = self.lock().running_since.is_none();
        if idle {
            self.bell.notify_one();
        }
        idle
    }

    /// Waits until somebody asks for a round.
    pub async fn asked(&self) {
        self.bell.notified().await;
    }

    /// Waits until a round is due or asked for; `None` when `stop` comes first.
    pub async fn due(&self, stop: &CancellationToken) -> Option<Cause> {
        let next = self.lock().next;
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            () = self.asked() => Some(Cause::Asked),
            () = tokio::time::sleep_until(next) => Some(Cause::Due),
        }
    }

    /// Does a round, one at a time, and records how it went; `told` says what was done. The next one
    /// is due after the time of the task.
    ///
    /// # Errors
    /// What `work` failed with.
    pub async fn perform<T, E: Display>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        told: impl FnOnce(&T) -> String,
    ) -> Result<T, E> {
        let _turn = self.turn.lock().await;
        let (started_at, begun) = (now_ms(), Instant::now());
        self.lock().running_since = Some(started_at);
        let _idle_again = Idle(self);
        let result = work.await;
        let (outcome, detail) = match &result {
            Ok(done) => (TaskOutcome::Ok, told(done)),
            Err(error) => (TaskOutcome::Failed, error.to_string()),
        };
        let mut state = self.lock();
        state.runs += 1;
        state.failures += u64::from(outcome == TaskOutcome::Failed);
        state.next = Instant::now() + self.every;
        state.last = Some(Round {
            started_at,
            took: begun.elapsed(),
            outcome,
            detail,
        });
        drop(state);
        result
    }

    /// Sets when the next round is due, where that is not the time of the task.
    pub fn next_in(&self, wait: Duration) {
        self.lock().next = Instant::now() + wait;
    }

    /// What is known of it now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let wait = state.next.saturating_duration_since(Instant::now());
        Snapshot {
            name: self.name,
            every: self.every,
            also_on_change: self.also_on_change,
            next_at: now_ms().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
            running_since: state.running_since,
            last: state.last.clone(),
            runs: state.runs,
            failures: state.failures,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the round also when it is given up half-way.
struct Idle<'a>(&'a Task);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.lock().running_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_round_is_due_after_its_time_and_recorded_with_its_result() {
        let task = Task::new(TaskName::CleanUp, HOUR, Duration::from_secs(60));
        let (stop, begun) = (CancellationToken::new(), Instant::now());
        assert_eq!(task.due(&stop).await, Some(Cause::Due));
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
        let work = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok::<_, String>(3)
        };
        task.perform(work, |rows| format!("{rows} rows")).await.unwrap();
        let known = task.snapshot();
        let last = known.last.unwrap();
        assert_eq!((known.runs, known.failures, known.running_since), (1, 0, None));
        assert_eq!((last.outcome, last.detail.as_str()), (TaskOutcome::Ok, "3 rows"));
        assert_eq!(last.took, Duration::from_secs(2));
        assert_eq!(task.due(&stop).await, Some(Cause::Due));
        assert_eq!(begun.elapsed(), Duration::from_secs(60 + 2) + HOUR);
        let failed = task.perform(async { Err::<(), _>("no room") }, |()| String::new());
        assert!(failed.await.is_err());
        let known = task.snapshot();
        assert_eq!((known.runs, known.failures), (2, 1));
        assert_eq!(known.last.unwrap().detail, "no room");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_is_asked_for_begins_at_once_unless_one_goes_on() {
        let task = Task::new(TaskName::Library, HOUR, HOUR);
        let (stop, begun) = (CancellationToken::new(), Instant::now());
        assert!(task.ask());
        assert_eq!(task.due(&stop).await, Some(Cause::Asked));
        let during = async {
            assert!(!task.ask(), "one goes on");
            Ok::<_, String>(())
        };
        task.perform(during, |()| String::new()).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(task.due(&stop).await, Some(Cause::Due));
        assert_eq!(begun.elapsed(), HOUR, "nothing was left in the bell");
        stop.cancel();
        assert_eq!(task.due(&stop).await, None);
    }

    #[tokio::test]
    async fn a_round_that_is_given_up_counts_for_nothing() {
        let task = Task::new(TaskName::Library, HOUR, HOUR);
        let work = task.perform(std::future::pending::<Result<(), String>>(), |()| String::new());
        assert!(tokio::time::timeout(Duration::ZERO, work).await.is_err());
        let known = task.snapshot();
        assert_eq!((known.runs, known.running_since), (0, None));
    }
}
