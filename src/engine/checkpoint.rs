//! The checkpointer: records how far everything is, for all jobs in one transaction.
//!
//! Order, always: bytes, then sync, then row. Written marks go out when 1 MiB is unrecorded
//! over all parts or after 250 ms, whichever comes first, in a commit that a crash of the
//! process survives. Synced marks go out after each successful `fdatasync`, grouped, in a
//! commit that a loss of power survives.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::store::{Lease, Store, StoreError, SyncedPart};

use super::Shared;
use super::meter::Meter;
use super::part::LivePart;

/// Unrecorded bytes over all parts that ring for a commit: what a `kill -9` costs at most, give
/// or take what arrives while the commit runs.
const DIRTY_BYTES: u64 = 1 << 20;
/// Longest time until written bytes are recorded, and pace of the progress that users see.
const PACE: Duration = Duration::from_millis(250);
/// Shortest time between two commits of marks. A commit takes some 0.3 ms, so at full speed this
/// keeps the recording below 5 % of a core.
const SHORTEST: Duration = Duration::from_millis(8);

/// Knows every open part and run. One for the engine.
pub struct Checkpointer {
    store: Store,
    open: Mutex<Open>,
    dirty: AtomicU64,
    due: Notify,
    synced: mpsc::UnboundedSender<Synced>,
    synced_queue: Mutex<Option<mpsc::UnboundedReceiver<Synced>>>,
}

#[derive(Default)]
struct Open {
    parts: Vec<Arc<LivePart>>,
    meters: Vec<Arc<Meter>>,
}

/// Has the checkpointer follow a run, renew its lease and keep its room on the disk, until it is
/// dropped: also by a panic, or nobody could ever take the job back.
pub struct Followed {
    shared: Arc<Shared>,
    meter: Arc<Meter>,
}

impl Followed {
    /// Follows the run of `meter` from now on.
    pub fn new(shared: &Arc<Shared>, meter: &Arc<Meter>) -> Self {
        shared.checkpoint.lock().meters.push(meter.clone());
        Self {
            shared: shared.clone(),
            meter: meter.clone(),
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.shared.checkpoint.forget_run(&self.meter);
        self.shared.reserved.release(self.meter.lease.job_seq());
    }
}

struct Synced {
    part: SyncedPart,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Checkpointer {
    pub(super) fn new(store: Store) -> Self {
        let (synced, queue) = mpsc::unbounded_channel();
        Self {
            store,
            open: Mutex::default(),
            dirty: AtomicU64::new(0),
            due: Notify::new(),
            synced,
            synced_queue: Mutex::new(Some(queue)),
        }
    }

    /// Follows the marks of a part until [`forget_part`](Self::forget_part).
    pub fn add_part(&self, part: &Arc<LivePart>) {
        self.lock().parts.push(part.clone());
    }

    /// Stops following a part.
    pub fn forget_part(&self, part: &Arc<LivePart>) {
        self.lock().parts.retain(|other| !Arc::ptr_eq(other, part));
    }

    /// Starts of the segments of a part that a connection fills now.
    pub fn open_segments(&self, part_id: i64) -> Vec<u64> {
        let part = self.lock().parts.iter().find(|part| part.id == part_id).cloned();
        part.map(|part| part.open_segments()).unwrap_or_default()
    }

    /// Leases of all runs that are followed.
    pub fn living(&self) -> Vec<Lease> {
        let open = self.lock();
        open.meters.iter().map(|meter| meter.lease.clone()).collect()
    }

    /// Stops following a run, and every part that it still has here: one that was to be published
    /// when the run ended would keep its lock, and the next run would wait for it for ever.
    fn forget_run(&self, meter: &Arc<Meter>) {
        let mut open = self.lock();
        open.meters.retain(|other| !Arc::ptr_eq(other, meter));
        open.parts.retain(|part| !part.is_of(meter));
    }

    /// Bytes were written to some part.
    pub fn wrote(&self, bytes: u64) {
        let before = self.dirty.fetch_add(bytes, Relaxed);
        if before < DIRTY_BYTES && before + bytes >= DIRTY_BYTES {
            self.due.notify_one();
        }
    }

    /// Records what a sync proved; on disk when it returns. Calls that come together share a commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn synced(&self, part: SyncedPart) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        if self.synced.send(Synced { part, done }).is_err() {
            return Err(StoreError::LeaseLost);
        }
        answer.await.unwrap_or(Err(StoreError::LeaseLost))
    }

    /// Records marks and progress now.
    ///
    /// # Errors
    /// When the database fails; the marks are recorded with the next call.
    pub async fn record(&self, with_progress: bool) -> Result<(), StoreError> {
        self.dirty.store(0, Relaxed);
        let (parts, meters) = {
            let open = self.lock();
            let meters = if with_progress {
                open.meters.clone()
            } else {
                Vec::new()
            };
            (open.parts.clone(), meters)
        };
        if with_progress {
            parts.iter().for_each(|part| part.report());
        }
        let marks: Vec<_> = parts.iter().flat_map(|part| part.drain_marks()).collect();
        let progress: Vec<_> = meters
            .iter()
            .filter_map(|meter| meter.progress().map(|progress| (meter.lease.clone(), progress)))
            .collect();
        if marks.is_empty() && progress.is_empty() {
            return Ok(());
        }
        let recorded = self.store.progress(&progress, &marks).await;
        if recorded.is_err() {
            parts.iter().for_each(|part| part.marks_were_lost());
        }
        recorded
    }

    /// Both loops of the checkpointer; ends when its engine is dropped.
    pub(super) async fn run(shared: Arc<Shared>) {
        let this = &shared.checkpoint;
        let queue = this
            .synced_queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(queue) = queue else { return };
        tokio::join!(this.record_marks(), this.record_syncs(queue));
    }

    async fn record_marks(&self) {
        let mut last_marks = Instant::now();
        let mut last_progress = last_marks;
        loop {
            tokio::select! {
                () = self.due.notified() => sleep_until(last_marks + SHORTEST).await,
                () = sleep_until(last_progress + PACE) => {}
            }
            let with_progress = last_progress.elapsed() >= PACE;
            last_marks = Instant::now();
            if with_progress {
                last_progress = last_marks;
            }
            if let Err(error) = self.record(with_progress).await {
                tracing::error!(%error, "progress could not be recorded; it is tried again");
            }
        }
    }

    async fn record_syncs(&self, mut queue: mpsc::UnboundedReceiver<Synced>) {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, 256).await > 0 {
            let (parts, waiters): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|synced| (synced.part, synced.done)).unzip();
            let result = self.store.synced(&parts).await;
            if let Err(error) = &result {
                tracing::error!(%error, "synced marks could not be recorded");
            }
            for waiter in waiters {
                let answer = match &result {
                    Ok(()) => Ok(()),
                    Err(error) => Err(error.shared()),
                };
                // The part may have been given up meanwhile.
                let _ = waiter.send(answer);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
