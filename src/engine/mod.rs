//! Floor 2: the engine. It claims queued jobs, plans them, fetches, verifies and publishes
//! their files, and settles them.
//!
//! Promises: a byte that a checkpoint names is never fetched again; nothing is published
//! before its hash matched; pause, cancel and every limit act within a second; a run that
//! lost its lease changes nothing any more.
//!
//! One download, by file name: `worker` claims → `run` drives it → `planner` asks the Hub and
//! looks at the cache → `lanes` hands files out → `fetch` (large files: `connection`s fill a `part`)
//! or `small` moves bytes,
//! over as many connections as `width` finds worth having →
//! `checkpoint` records them → `publish` makes them visible → `run` settles the job.
//!
//! Jobs of other kinds go another way: `work` claims them into a slot of their own and gives each
//! to the file of its kind, such as `work/mirror`. `ending` settles the ones and the others.
//!
//! Before a download: `analyzer` says what a repo is, with a look into its files by `peek`.
//!
//! No SQL, no HTTP server, no paths of the cache in here: those are floors below and above.

mod analyzer;
mod attempt;
mod bandwidth;
mod blob_locks;
mod checkpoint;
mod connection;
mod ending;
mod fetch;
mod gates;
mod lanes;
mod library;
mod limits;
mod line;
mod meter;
mod part;
mod peek;
mod planner;
mod present;
mod publish;
mod run;
mod runs;
mod small;
mod space;
mod tallies;
mod trouble;
mod width;
mod work;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::disk::{Cache, DiskError, Medium};
use crate::hub::{Budget, HubClient, HubConfig, HubError};
use crate::model::destination::Destination;
use crate::model::job::JobRequest;
use crate::model::task::TaskName;
use crate::store::Store;
use crate::tasks::Task;

pub use analyzer::{AnalyzeRequest, Analyzed, Outcome, Wanted};
pub use bandwidth::Bandwidth;
pub use library::{Deleted, Library, LibraryError, Member, PruneRequest, Pruned, Removed};
pub use limits::Permits;
/// What a run makes of stored marks; the simulation in `tests/` decides by it too.
#[doc(hidden)]
pub use part::believed;
pub use planner::{PlanReport, PlanTrouble, PlannedFile};
pub use tallies::Tallies;
pub use work::{
    BadFile, CheckMode, CheckSpeed, Compared, Comparison, Direction, DueRuns, ExportReport, ExportSpec,
    ImportFile, ImportReport, ImportSpec, ImportStranger, MirrorReport, MirrorSpec, Plan as MirrorPlan,
    ShareReport, ShareSpec, Sides, VerifyReport, VerifySpec, compare as compare_mirror, plan as plan_mirror,
    queue_due_runs,
};

/// What can be tuned while the engine runs; a new value acts within a second.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Connections for one file of at least `multipart_threshold_bytes`; 1–64.
    pub connections: usize,
    /// Jobs at once; 1–32.
    pub max_active: usize,
    /// Large files of one job at once; 1–64.
    pub max_files_per_job: usize,
    /// Connections of all jobs together; 1–256.
    pub max_connections: usize,
    /// Smaller files get one connection.
    pub multipart_threshold_bytes: u64,
    /// Bytes a second over all jobs; `None` is no limit.
    pub max_speed_bytes: Option<u64>,
    /// Nothing runs: by the schedule, or because everything is paused.
    pub paused: bool,
    /// Bytes that stay free on the volume; `None` is min(1 GiB, 5 %).
    pub free_space_floor_bytes: Option<u64>,
    /// The Hub cache that has a friendly view, and the folder of that view.
    pub friendly: Option<(PathBuf, PathBuf)>,
    /// What part files are written to.
    pub medium: Medium,
    /// Where the Hub is and how it is asked.
    pub hub: HubConfig,
}

/// The running engine. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What every run sees.
pub(crate) struct Shared {
    pub store: Store,
    /// The Hub cache by destination directory; opened once each.
    pub caches: planner::Caches,
    /// Replaced whole when endpoint, token, proxy or a time-out changes.
    pub hub: watch::Receiver<HubClient>,
    pub tuning: watch::Receiver<Tuning>,
    /// Asked requests and their windows, shared by all jobs of the endpoint.
    pub budget: Arc<Budget>,
    /// Reports of the last minutes.
    pub analyzer: analyzer::Analyzer,
    pub connections: Arc<Permits>,
    /// As many of them as are worth having.
    pub places: Arc<width::Places>,
    /// Room for small files in flight, in KiB: each is held in memory whole.
    pub small_room: Arc<Semaphore>,
    pub bandwidth: Arc<Bandwidth>,
    pub checkpoint: checkpoint::Checkpointer,
    /// One task at a time for each blob of each repo folder.
    pub blobs: blob_locks::BlobLocks,
    /// Keeps downloads and deletions of one repo apart.
    pub gates: Arc<gates::Gates>,
    /// The index of the caches.
    pub library: library::Library,
    /// Bytes that running jobs will still take from the disk.
    pub reserved: Arc<space::Reservations>,
    /// Rung when there may be something to claim, stop or clean.
    pub wake: Notify,
    /// The same for jobs of other kinds than downloads.
    pub work_wake: Notify,
    /// Turns of the two loops.
    pub turns: [Arc<Task>; 2],
    /// What was done since the start.
    pub tallies: Arc<Tallies>,
    /// Hard or soft stop of the whole engine.
    pub stop: CancellationToken,
}

/// Handles of an engine's loops, to be awaited at the end.
pub struct Running {
    workers: [JoinHandle<()>; 2],
    others: Vec<JoinHandle<()>>,
}

impl Running {
    /// Waits until every run has synced, checkpointed and given its job back. Call after the
    /// stop token was cancelled.
    pub async fn finished(self) {
        for worker in self.workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a worker loop ended badly");
            }
        }
        for task in self.others {
            task.abort();
        }
    }
}

impl Engine {
    /// Starts the engine on `runtime`, which must not serve anything else: its threads write to
    /// the disk and may wait for it.
    ///
    /// # Errors
    /// When the Hub client cannot be built from the settings.
    pub fn start(
        runtime: &Handle,
        store: Store,
        tuning: watch::Receiver<Tuning>,
        stop: CancellationToken,
    ) -> Result<(Self, Running), HubError> {
        let budget = Arc::new(Budget::new());
        let first = tuning.borrow().clone();
        let (hub_sender, hub) = watch::channel(HubClient::new(first.hub.clone(), budget.clone())?);
        let checkpoint = checkpoint::Checkpointer::new(store.clone());
        let gates = Arc::<gates::Gates>::default();
        let shared = Arc::new(Shared {
            library: library::Library::new(store.clone(), gates.clone()),
            gates,
            store,
            caches: planner::Caches::default(),
            hub,
            tuning: tuning.clone(),
            budget,
            analyzer: analyzer::Analyzer::default(),
            connections: Permits::new(first.max_connections),
            places: width::Places::new(first.max_connections),
            small_room: Arc::new(Semaphore::new(small::ROOM_KIB)),
            bandwidth: Arc::new(Bandwidth::new(first.max_speed_bytes)),
            checkpoint,
            blobs: blob_locks::BlobLocks::default(),
            reserved: Arc::default(),
            wake: Notify::new(),
            work_wake: Notify::new(),
            turns: [
                Task::on_change(TaskName::Queue, runs::PACE),
                Task::on_change(TaskName::Work, runs::PACE),
            ],
            tallies: Arc::default(),
            stop,
        });
        let others = vec![
            runtime.spawn(shared.clone().apply_tuning(tuning, hub_sender)),
            runtime.spawn(checkpoint::Checkpointer::run(shared.clone())),
            runtime.spawn(width::Places::run(shared.clone())),
        ];
        let owner: Arc<str> = format!("{}-{:016x}", std::process::id(), fastrand::u64(..)).into();
        let workers = [
            runtime.spawn(worker::run(shared.clone(), owner.clone())),
            runtime.spawn(work::run(shared.clone(), owner)),
        ];
        Ok((Self { shared }, Running { workers, others }))
    }

    /// Starts of the segments of a part file that a connection fills now.
    pub fn open_segments(&self, part_id: i64) -> Vec<u64> {
        self.shared.checkpoint.open_segments(part_id)
    }

    /// Says that a job was added or changed.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
        self.shared.work_wake.notify_one();
    }

    /// What a job for `request` would fetch, without queueing it.
    ///
    /// # Errors
    /// [`PlanTrouble`]: what the Hub said, or why the selection is refused.
    pub async fn plan(
        &self,
        request: &JobRequest,
        destination: &Destination,
    ) -> Result<PlanReport, PlanTrouble> {
        planner::report(&self.shared, request, destination).await
    }

    /// What a repo is and what of it one would want.
    ///
    /// # Errors
    /// What the Hub says.
    pub async fn analyze(&self, request: &AnalyzeRequest) -> Result<Outcome, HubError> {
        self.shared.analyzer.analyze(&self.shared.hub(), request).await
    }

    /// The Hub with the settings of this moment, for what is only shown.
    pub fn hub(&self) -> HubClient {
        self.shared.hub()
    }

    /// Returns when the Hub client is made from the settings of this moment: who was told that a
    /// change acts must not meet the client from before it. One that cannot be made is not waited for.
    pub async fn settled(&self) {
        let mut hub = self.shared.hub.clone();
        let is_new = |client: &HubClient| *client.config() == self.shared.tuning.borrow().hub;
        let _ = tokio::time::timeout(CLIENT_PATIENCE, hub.wait_for(is_new)).await;
    }

    /// What lies in the caches.
    pub fn library(&self) -> &Library {
        &self.shared.library
    }

    /// Why a job whose own limit is `own` uses as many connections as it does, for people.
    pub fn connections_reason(&self, own: Option<i64>) -> String {
        self.shared.places.reason(limits::own(own))
    }

    /// What was done since the start of the process.
    pub fn tallies(&self) -> &Tallies {
        &self.shared.tallies
    }

    /// The turns of the loops that claim jobs.
    pub fn tasks(&self) -> [Arc<Task>; 2] {
        self.shared.turns.clone()
    }

    /// The rate-limit windows of the Hub as last heard.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// Bytes that running jobs will still take from the disk, by destination.
    pub fn reserved(&self) -> Vec<(PathBuf, u64)> {
        self.shared.reserved.by_destination()
    }

    /// Whether the cache at `destination` can be written to.
    ///
    /// # Errors
    /// What the disk says when it cannot.
    pub fn check_cache(&self, destination: &str) -> Result<(), DiskError> {
        let cache: Arc<Cache> = self.shared.caches.open(&PathBuf::from(destination))?;
        crate::disk::probe(cache.hub()).map(|_| ())
    }
}

/// Longest wait for a Hub client; making one reads the certificates of the system.
const CLIENT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Shared {
    /// Makes changed settings act: limits at once, the Hub client for the next request. A client
    /// has its connections; so it is made anew only when something that it was made from changed.
    async fn apply_tuning(
        self: Arc<Self>,
        mut tuning: watch::Receiver<Tuning>,
        hub: watch::Sender<HubClient>,
    ) {
        while tuning.changed().await.is_ok() {
            let now = tuning.borrow_and_update().clone();
            self.connections.set_limit(now.max_connections);
            self.places.set_cap(now.max_connections);
            self.bandwidth.set_rate(now.max_speed_bytes);
            if now.hub != *hub.borrow().config() {
                match HubClient::new(now.hub, self.budget.clone()) {
                    Ok(client) => {
                        // Another token sees other files. Once more behind it, for what was asked before.
                        self.analyzer.forget();
                        hub.send_replace(client);
                        self.analyzer.forget();
                    }
                    Err(error) => {
                        tracing::error!(%error, "the new Hub settings cannot be used; the old ones stay")
                    }
                }
            }
            self.wake.notify_one();
        }
    }

    /// The client for the next request.
    pub fn hub(&self) -> HubClient {
        self.hub.borrow().clone()
    }
}
