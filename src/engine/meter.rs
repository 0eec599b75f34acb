//! What a run has done so far, counted without locks where bytes pass.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::state::FileState;
use crate::store::{FileProgress, Job, JobProgress, Lease};

use super::tallies::Tallies;
use super::trouble::{Trouble, Troubles};

/// Speed is the mean over this window, so that a stall shows as 0 soon.
const SPEED_WINDOW: Duration = Duration::from_secs(5);
/// A run in which nothing changes records itself this often: recording renews its lease, which
/// lasts a minute, and a run may wait for longer than that without a byte.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Counters of one run.
pub struct Meter {
    /// The right under which they are recorded.
    pub lease: Lease,
    network_bytes: AtomicU64,
    /// Bytes that moved between disks: they count for the speed, not for the network.
    moved_bytes: AtomicU64,
    reused_bytes: AtomicU64,
    refetched_bytes: AtomicU64,
    retries: AtomicU64,
    /// Bytes of files that are in place.
    placed_bytes: AtomicU64,
    last_byte_at: AtomicI64,
    volatile: Mutex<Volatile>,
    /// The same of all runs.
    tallies: Arc<Tallies>,
}

#[derive(Default)]
struct Volatile {
    activity: String,
    /// Every open file: bytes in its part and its state.
    open: HashMap<i64, FileProgress>,
    /// Those of them that changed since the last record.
    changed: HashMap<i64, FileProgress>,
    /// Files that are in place; what is still reported of their parts is old.
    placed: HashSet<i64>,
    /// Number of the last choice of files, and those that it leaves out: their bytes do not count.
    choices: i64,
    skipped: HashSet<i64>,
    samples: VecDeque<(Instant, u64)>,
    recorded: Option<(Instant, JobProgress)>,
    troubles: Troubles,
}

impl Meter {
    /// Goes on from what earlier runs of the job recorded.
    pub fn new(lease: Lease, job: &Job, tallies: Arc<Tallies>) -> Self {
        let from = |value: i64| AtomicU64::new(value.max(0) as u64);
        Self {
            lease,
            network_bytes: from(job.network_bytes),
            moved_bytes: AtomicU64::new(0),
            reused_bytes: from(job.reused_bytes),
            refetched_bytes: from(job.refetched_bytes),
            retries: from(job.retries),
            placed_bytes: AtomicU64::new(0),
            last_byte_at: AtomicI64::new(job.last_byte_at.unwrap_or(0)),
            volatile: Mutex::default(),
            tallies,
        }
    }

    /// Bytes came from the network.
    pub fn received(&self, bytes: u64) {
        self.network_bytes.fetch_add(bytes, Relaxed);
        self.tallies.received(bytes);
        self.last_byte_at.store(now_ms(), Relaxed);
    }

    /// Bytes were read or written for a job that is no download.
    pub fn moved(&self, bytes: u64) {
        self.moved_bytes.fetch_add(bytes, Relaxed);
        self.last_byte_at.store(now_ms(), Relaxed);
    }

    /// So many bytes more of the job's total are done with.
    pub fn advanced(&self, bytes: u64) {
        self.placed_bytes.fetch_add(bytes, Relaxed);
    }

    /// So many of the bytes that were done with have to be done again.
    pub fn fell_back(&self, bytes: u64) {
        self.placed_bytes.fetch_sub(bytes, Relaxed);
    }

    /// Bytes were found in the cache.
    pub fn reused(&self, bytes: u64) {
        self.reused_bytes.fetch_add(bytes, Relaxed);
    }

    /// Bytes that were here have to be fetched once more.
    pub fn refetching(&self, bytes: u64) {
        self.refetched_bytes.fetch_add(bytes, Relaxed);
    }

    /// A try failed, with `code`, and another one follows.
    pub fn retried(&self, code: Code) {
        self.retries.fetch_add(1, Relaxed);
        self.tallies.retried(code);
    }

    /// Something went wrong that the run gets over; it becomes an event with the next record.
    /// Repetitions share events.
    pub fn trouble(&self, trouble: Trouble) {
        self.lock().troubles.add(trouble, Instant::now());
    }

    /// The run ends: what was held back of repetitions goes into the last record.
    pub fn no_more_troubles(&self) {
        self.lock().troubles.close();
    }

    /// What to show as the present activity.
    pub fn activity(&self, text: impl Into<String>) {
        self.lock().activity = text.into();
    }

    /// Sets the bytes of files in place, at the start of a run.
    pub fn set_placed(&self, bytes: u64) {
        self.placed_bytes.store(bytes, Relaxed);
    }

    /// How far an open file is.
    pub fn file(&self, id: i64, downloaded_bytes: u64, state: FileState) {
        let news = FileProgress {
            id,
            downloaded_bytes,
            state,
        };
        let mut volatile = self.lock();
        if volatile.placed.contains(&id) {
            return;
        }
        if volatile.open.insert(id, news) != Some(news) {
            volatile.changed.insert(id, news);
        }
    }

    /// What the user wants from here on: the number of the choice, and the files it leaves out.
    pub fn choose(&self, choices: i64, skipped: &HashSet<i64>) {
        let mut volatile = self.lock();
        volatile.choices = choices;
        volatile.skipped.clone_from(skipped);
    }

    /// Whether all of these files are left out.
    pub fn leaves_out(&self, mut files: impl Iterator<Item = i64>) -> bool {
        let volatile = self.lock();
        files.all(|id| volatile.skipped.contains(&id))
    }

    /// Nobody works on a file any more, for now.
    pub fn let_go(&self, id: i64) {
        let known = self.lock().open.get(&id).copied();
        if let Some(known) = known {
            self.file(id, known.downloaded_bytes, FileState::Pending);
        }
    }

    /// A file is in place; its row was settled.
    pub fn file_placed(&self, id: i64, bytes: u64) {
        let mut volatile = self.lock();
        volatile.placed.insert(id);
        volatile.open.remove(&id);
        volatile.changed.remove(&id);
        self.placed_bytes.fetch_add(bytes, Relaxed);
    }

    /// The progress to record, or `None` when nothing changed since it was recorded a short
    /// while ago.
    pub fn progress(&self) -> Option<JobProgress> {
        let network_bytes = self.network_bytes.load(Relaxed);
        let passed_bytes = network_bytes + self.moved_bytes.load(Relaxed);
        let mut volatile = self.lock();
        let now = Instant::now();
        volatile.samples.push_back((now, passed_bytes));
        while volatile
            .samples
            .get(1)
            .is_some_and(|(at, _)| now - *at >= SPEED_WINDOW)
        {
            volatile.samples.pop_front();
        }
        let bytes_per_second = match volatile.samples.front() {
            Some(&(at, bytes)) if now - at >= Duration::from_millis(200) => {
                ((passed_bytes - bytes) as f64 / (now - at).as_secs_f64()) as u64
            }
            _ => 0,
        };
        let files: Vec<_> = volatile.changed.drain().map(|(_, file)| file).collect();
        let counted = volatile
            .open
            .values()
            .filter(|file| !volatile.skipped.contains(&file.id));
        let open_bytes: u64 = counted.map(|file| file.downloaded_bytes).sum();
        let last_byte_at = self.last_byte_at.load(Relaxed);
        let progress = JobProgress {
            downloaded_bytes: self.placed_bytes.load(Relaxed) + open_bytes,
            bytes_per_second,
            network_bytes,
            reused_bytes: self.reused_bytes.load(Relaxed),
            refetched_bytes: self.refetched_bytes.load(Relaxed),
            retries: self.retries.load(Relaxed),
            last_byte_at: (last_byte_at > 0).then_some(last_byte_at),
            activity: volatile.activity.clone(),
            files,
            events: volatile.troubles.take_due(now),
            choices: volatile.choices,
        };
        let same = volatile.recorded.as_ref().is_some_and(|(at, old)| {
            now - *at < HEARTBEAT
                && progress.files.is_empty()
                && progress.events.is_empty()
                && JobProgress {
                    files: vec![],
                    events: vec![],
                    ..old.clone()
                } == progress
        });
        if same {
            return None;
        }
        volatile.recorded = Some((now, progress.clone()));
        Some(progress)
    }

    fn lock(&self) -> MutexGuard<'_, Volatile> {
        self.volatile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
