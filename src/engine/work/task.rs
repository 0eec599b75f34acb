//! One run of one job, as the code of its kind sees it: what is asked, the plan, what is still to
//! be done, and the ways to tell of it.

use std::path::Path;
use std::sync::Arc;
use std::vec;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::disk::DiskError;
use crate::engine::Shared;
use crate::engine::attempt::{FileError, Halt, wait_for_disk};
use crate::engine::meter::Meter;
use crate::engine::space::{self, Needs};
use crate::model::code::Code;
use crate::model::repo::NameError;
use crate::model::state::Phase;
use crate::store::{Item, ItemSettled, ItemState, Job, NewItem};

/// Items that are read at a time.
const PAGE: i64 = 512;

/// One run of one job, as the code of its kind sees it.
pub struct Task {
    /// The engine.
    pub shared: Arc<Shared>,
    /// The job as it was claimed.
    pub job: Job,
    /// Cancelled when the run has to end.
    pub stop: CancellationToken,
    pub(super) meter: Arc<Meter>,
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

    /// The items that are to be carried out, in order.
    pub fn pending(&self) -> Pending<'_> {
        Pending {
            task: self,
            last: 0,
            page: Vec::new().into_iter(),
        }
    }

    /// Bytes of the items that are to be carried out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_bytes(&self) -> Result<u64, Halt> {
        let totals = self.shared.store.item_totals(self.job.seq).await;
        let totals = totals.map_err(Halt::store)?;
        let pending = totals.iter().filter(|total| total.state == ItemState::Pending);
        Ok(pending.map(|total| total.bytes.max(0) as u64).sum())
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
    pub fn reserve(&self, place: &Path, bytes: u64) -> Result<(), Halt> {
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        let needs = Needs {
            rest_bytes: bytes,
            ..Needs::default()
        };
        self.shared
            .reserved
            .reserve(self.job.seq, place, needs, floor)
            .map_err(|text| Halt::Wait(wait_for_disk(text)))
    }

    /// Waits for room on a volume that downloads do not reserve on.
    ///
    /// # Errors
    /// [`Halt::Wait`] with the figures when there is too little.
    pub fn fits(&self, place: &Path, bytes: u64) -> Result<(), Halt> {
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        space::fits(place, bytes, 0, floor).map_err(|text| Halt::Wait(wait_for_disk(text)))
    }

    /// Runs work that blocks on a thread that may wait.
    ///
    /// # Errors
    /// [`Halt::Fail`] when it panicked, [`Halt::Stopped`] when the runtime ends.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Halt> {
        tokio::task::spawn_blocking(work).await.map_err(Halt::task)
    }
}

/// The pending items of a plan. An item may be settled, or left pending, while it goes on.
pub struct Pending<'a> {
    task: &'a Task,
    /// The item given out last.
    last: i64,
    page: vec::IntoIter<Item>,
}

impl Pending<'_> {
    /// The next one; `None` after the last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<Item>, Halt> {
        if self.page.len() == 0 {
            let store = &self.task.shared.store;
            let page = store.pending_items(self.task.job.seq, self.last, PAGE).await;
            self.page = page.map_err(Halt::store)?.into_iter();
        }
        let next = self.page.next();
        if let Some(item) = &next {
            self.last = item.id;
        }
        Ok(next)
    }
}

/// Why one item is not done.
pub enum Failure {
    /// The run ends.
    Halt(Halt),
    /// This one is given up; others go on.
    Item(Code, String),
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

/// As for the files of a download: a full disk is waited for, one that refuses everything ends the job.
impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        match FileError::disk(&error) {
            FileError::Halt(halt) => Self::Halt(halt),
            _ => Self::Item(error.code, error.to_string()),
        }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::Item(Code::UnsafePath, error.to_string())
    }
}
