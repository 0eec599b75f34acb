//! Floor 2: the engine. It claims queued jobs, plans them, fetches, verifies and publishes
//! their files, and settles them.
//!
//! Promises: a byte that a checkpoint names is never fetched again; nothing is published
//! before its hash matched; pause, cancel and every limit act within a second; a run that
//! lost its lease changes nothing any more.
//!
//! One download, by file name: `worker` claims → `run` drives it → `planner` asks the Hub and
//! looks at the cache → `lanes` hands files out → `fetch` (large files: `connection`s fill a `part`)
//! or `small` moves bytes →
//! `checkpoint` records them → `publish` makes them visible → `run` settles the job.
//!
//! Before a download: `analyzer` says what a repo is, with a look into its files by `peek`.
//!
//! No SQL, no HTTP server, no paths of the cache in here: those are floors below and above.

mod analyzer;
mod attempt;
mod blob_locks;
mod checkpoint;
mod connection;
mod fetch;
mod lanes;
mod limits;
mod meter;
mod part;
mod peek;
mod planner;
mod present;
mod publish;
mod run;
mod small;
mod space;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::disk::{Cache, DiskError};
use crate::hub::{Budget, HubClient, HubConfig, HubError};
use crate::model::job::JobRequest;
use crate::store::Store;

pub use analyzer::{AnalyzeRequest, Analyzed, Outcome, Wanted};
pub use limits::{Bandwidth, Permits};
/// What a run makes of stored marks; the simulation in `tests/` decides by it too.
#[doc(hidden)]
pub use part::believed;
pub use planner::{PlanReport, PlanTrouble, PlannedFile};

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
    /// Bytes that stay free on the volume; `None` is min(1 GiB, 5 %).
    pub free_space_floor_bytes: Option<u64>,
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
    pub bandwidth: Bandwidth,
    pub checkpoint: checkpoint::Checkpointer,
    /// One task at a time for each blob of each repo folder.
    pub blobs: blob_locks::BlobLocks,
    /// Bytes that running jobs will still allocate.
    pub reserved: space::Reservations,
    /// Rung when there may be something to claim, stop or clean.
    pub wake: Notify,
    /// Hard or soft stop of the whole engine.
    pub stop: CancellationToken,
}

/// Handles of an engine's loops, to be awaited at the end.
pub struct Running {
    worker: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Running {
    /// Waits until every run has synced, checkpointed and given its job back. Call after the
    /// stop token was cancelled.
    pub async fn finished(self) {
        if let Err(error) = self.worker.await {
            tracing::error!(%error, "the worker loop ended badly");
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
        let shared = Arc::new(Shared {
            store,
            caches: planner::Caches::default(),
            hub,
            tuning: tuning.clone(),
            budget,
            analyzer: analyzer::Analyzer::default(),
            connections: Permits::new(first.max_connections),
            bandwidth: Bandwidth::new(first.max_speed_bytes),
            checkpoint,
            blobs: blob_locks::BlobLocks::default(),
            reserved: space::Reservations::default(),
            wake: Notify::new(),
            stop,
        });
        let others = vec![
            runtime.spawn(shared.clone().apply_tuning(tuning, hub_sender)),
            runtime.spawn(checkpoint::Checkpointer::run(shared.clone())),
        ];
        let worker = runtime.spawn(worker::run(shared.clone()));
        Ok((Self { shared }, Running { worker, others }))
    }

    /// Says that a job was added or changed.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// What a job for `request` would fetch, without queueing it.
    ///
    /// # Errors
    /// [`PlanTrouble`]: what the Hub said, or why the selection is refused.
    pub async fn plan(&self, request: &JobRequest, destination: &str) -> Result<PlanReport, PlanTrouble> {
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

    /// The rate-limit windows of the Hub as last heard.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
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

impl Shared {
    /// Makes changed settings act: limits at once, the Hub client for the next request.
    async fn apply_tuning(
        self: Arc<Self>,
        mut tuning: watch::Receiver<Tuning>,
        hub: watch::Sender<HubClient>,
    ) {
        while tuning.changed().await.is_ok() {
            let now = tuning.borrow_and_update().clone();
            self.connections.set_limit(now.max_connections);
            self.bandwidth.set_rate(now.max_speed_bytes);
            match HubClient::new(now.hub, self.budget.clone()) {
                Ok(client) => {
                    hub.send_replace(client);
                    // Another token sees other files.
                    self.analyzer.forget();
                }
                Err(error) => {
                    tracing::error!(%error, "the new Hub settings cannot be used; the old ones stay")
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
