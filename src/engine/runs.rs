//! The runs of a loop that claims jobs, and the loop itself: its turns, its sleep and its end. What a turn
//! does besides is the business of `worker` and `work`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::store::{Lease, Store, StoreError};
use crate::tasks::Task;

/// Longest sleep of a loop: a safety net, since every change rings.
pub const PACE: Duration = Duration::from_secs(5);
/// Pause after a turn that failed.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// A loop that claims jobs and begins their runs.
pub trait Claims {
    /// What the loop keeps of each run.
    type Kept;

    /// Does what is to be done now. Returns how long nothing is, unless it is rung.
    ///
    /// # Errors
    /// When the database fails; then another turn comes soon.
    async fn turn(&mut self) -> Result<Duration, StoreError>;

    /// The runs it has begun.
    fn runs(&mut self) -> &mut Runs<Self::Kept>;
}

/// Takes turns when `bell` rings, a run ends, `task` is asked for, or the last turn said so, until `stop`
/// is cancelled and every run has ended.
pub async fn take_turns<C: Claims>(claims: &mut C, bell: &Notify, task: &Task, stop: &CancellationToken) {
    loop {
        // Armed before the database is asked, so that nothing rings unheard.
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        if stop.is_cancelled() {
            break;
        }
        let sleep = match task.perform(claims.turn(), |_| String::new()).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read; trying again");
                TROUBLE_PAUSE
            }
        };
        task.next_in(sleep);
        tokio::select! {
            () = &mut rung => {}
            () = task.asked() => {}
            () = stop.cancelled() => {}
            () = tokio::time::sleep(sleep) => {}
            () = claims.runs().one_ended() => {}
        }
    }
    claims.runs().stop_all().await;
}

/// How long a loop sleeps that has place for a job which is ready at `ready_at`, UTC milliseconds.
pub fn sleep_until(ready_at: Option<i64>) -> Duration {
    ready_at.map_or(PACE, |at| {
        Duration::from_millis((at - now_ms()).max(10) as u64).min(PACE)
    })
}

/// Runs under way, by the sequence number of their job.
pub struct Runs<T> {
    tasks: JoinSet<()>,
    begun: BTreeMap<i64, Begun<T>>,
    /// How many were begun so far.
    count: u64,
}

struct Begun<T> {
    /// Its task. A job paused and resumed may be claimed again before the end of its earlier run is
    /// noticed here.
    task: Id,
    epoch: i64,
    number: u64,
    stop: CancellationToken,
    kept: T,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self {
            tasks: JoinSet::new(),
            begun: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<T> Runs<T> {
    /// Jobs whose run has not ended.
    pub fn len(&self) -> usize {
        self.begun.len()
    }

    /// Whether the job `seq` has a run.
    pub fn contains(&self, seq: i64) -> bool {
        self.begun.contains_key(&seq)
    }

    /// What was kept of the run of the job `seq`.
    pub fn kept(&self, seq: i64) -> Option<&T> {
        self.begun.get(&seq).map(|begun| &begun.kept)
    }

    /// Begins the run that `lease` is the right to. `work` ends soon when its token is cancelled.
    pub fn begin<F>(&mut self, lease: &Lease, kept: T, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = self.tasks.spawn(work(stop.clone())).id();
        self.count += 1;
        let begun = Begun {
            task,
            epoch: lease.epoch(),
            number: self.count,
            stop,
            kept,
        };
        self.begun.insert(lease.job_seq(), begun);
    }

    /// Stops the runs of `owner` whose users want something else by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_unwanted(&self, store: &Store, owner: &Arc<str>) -> Result<(), StoreError> {
        for (seq, epoch, intent) in store.unwanted_runs(owner).await? {
            if let Some(begun) = self.begun.get(&seq)
                && begun.epoch == epoch
                && !begun.stop.is_cancelled()
            {
                tracing::info!(job.seq = seq, %intent, "stopping a run");
                begun.stop.cancel();
            }
        }
        Ok(())
    }

    /// Stops the newest runs until `most` go on. Returns the jobs whose run was stopped.
    pub fn stop_newest(&self, most: usize) -> Vec<i64> {
        let mut going: Vec<_> = self
            .begun
            .iter()
            .filter(|(_, begun)| !begun.stop.is_cancelled())
            .collect();
        going.sort_unstable_by_key(|(_, begun)| begun.number);
        let stopped = going.into_iter().skip(most);
        stopped
            .map(|(&seq, begun)| {
                begun.stop.cancel();
                seq
            })
            .collect()
    }

    /// Waits until a run has ended; for ever when there is none.
    async fn one_ended(&mut self) {
        let task = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => {
                // Its lease is left, and runs out.
                tracing::error!(%error, "a run ended badly");
                error.id()
            }
            None => std::future::pending().await,
        };
        // Not the run of the same job that came after it.
        self.begun.retain(|_, begun| begun.task != task);
    }

    async fn stop_all(&mut self) {
        self.begun.values().for_each(|begun| begun.stop.cancel());
        while self.tasks.join_next().await.is_some() {}
    }
}
