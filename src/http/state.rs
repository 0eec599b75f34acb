//! What every handler sees.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::analyze_upstream::Upstreams;
use super::checks::Checks;
use super::commits::CommitPages;
use super::feed::Feed;
use super::live_settings::LiveSettings;
use super::log::LogTails;
use super::metrics::Measures;
use super::readiness::Readiness;
use super::removals::Removals;
use super::search::SearchPages;
use super::shown::Shown;
use super::trends::Trends;
use crate::config::Patience;
use crate::engine::Engine;
use crate::model::task::TaskName;
use crate::store::Store;
use crate::tasks::Task;

/// The state of the router.
pub type AppState = Arc<App>;

/// Everything the handlers work with; made once by the service.
pub struct App {
    /// Where answers are read from and commands are written to.
    pub store: Store,
    /// Rung after every command.
    pub engine: Engine,
    /// The settings as they are now, and the way to change them.
    pub settings: LiveSettings,
    /// Where the database lies.
    pub data_dir: PathBuf,
    /// The periodic work of the service.
    pub tasks: Vec<Arc<Task>>,
    /// Places for clients that follow the log.
    pub log_tails: LogTails,
    /// What `/metrics` counts.
    pub measures: Measures,
    /// Memory and errors of the last day.
    pub trends: Arc<Trends>,
    /// Jobs as texts, shared by lists and WebSockets.
    pub shown: Arc<Shown>,
    /// Where WebSockets get their frames.
    pub feed: Feed,
    /// Vision encoders of base models.
    pub upstreams: Upstreams,
    /// Commits of repos that were looked at.
    pub commit_pages: CommitPages,
    /// Results of searches, for when the Hub gives none.
    pub search_pages: SearchPages,
    /// What `/readyz` found a moment ago.
    pub readiness: Readiness,
    /// What `/api/system/checks` found a moment ago.
    pub checks: Checks,
    /// Whether other machines reach the service and nobody is asked for a login.
    pub open_to_network: bool,
    /// Directories below which mirror targets may lie; anywhere when there is none.
    pub mirror_roots: Vec<PathBuf>,
    /// Directories below which exports may go; there are none without.
    pub export_dirs: Vec<PathBuf>,
    /// Age from which on an unfinished file of another program is nobody's any more.
    pub stale_timeout: Duration,
    /// How long to wait for others.
    pub patience: Patience,
    /// When the service started, for how long that is ago.
    pub begun: Instant,
    /// The same on the clock of then, UTC milliseconds: what clients see does not waver.
    pub begun_at: i64,
    /// Told when a key is taken away: what it opened ends then.
    pub removals: Removals,
    /// Cancelled when the service stops: long answers end then.
    pub stop: CancellationToken,
    /// Open WebSockets: the service waits until each has said good-bye.
    pub sockets: TaskTracker,
}

impl App {
    /// The task with this name.
    pub fn task(&self, name: TaskName) -> Option<Arc<Task>> {
        self.tasks.iter().find(|task| task.name() == name).cloned()
    }
}
