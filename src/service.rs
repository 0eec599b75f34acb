//! The one place that sees every floor: opens what the service needs, in order, and closes it.
//!
//! Commands start it and tests do; it takes its options and its stop from outside.
//! Order of the start: lock of the data directory, database, settings, address, engine, routes.
//! The end goes the other way round: no new connection, the engine gives its jobs back, the
//! database is closed, the lock falls.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::clock::now_ms;
use crate::config::{Fixed, ServeOptions, Settings};
use crate::disk::{DataDirLock, LockError};
use crate::engine::Engine;
use crate::http;
use crate::http::analyze_upstream::Upstreams;
use crate::http::checks::Checks;
use crate::http::feed::Feed;
use crate::http::guard::GuardConfig;
use crate::http::live_settings::LiveSettings;
use crate::http::log::LogTails;
use crate::http::metrics::Measures;
use crate::http::readiness::Readiness;
use crate::http::removals::Removals;
use crate::http::seats;
use crate::http::shown::Shown;
use crate::http::state::App;
use crate::http::trends::Trends;
use crate::lifecycle::{CancellationToken, Exit, ExitError};
use crate::model::limits::{Limits, PausedUntil};
use crate::model::task::TaskName;
use crate::store::{self, DATABASE, Restored, Store, StoreError};
use crate::tasks::Task;
use crate::upkeep::{Kept, Upkeep};

/// How long requests and WebSockets may take to end, of the five seconds of the soft stop.
const DRAIN: Duration = Duration::from_secs(2);
/// Threads of the engine's own runtime at least: one may wait for the disk.
const ENGINE_THREADS: usize = 2;

/// Runs the service on the address of `options` until `stop` is cancelled and everything has settled.
///
/// # Errors
/// When a part cannot be opened or fails; the error carries an exit code where there is one of its own.
pub async fn start(options: ServeOptions, fixed: Arc<Fixed>, stop: CancellationToken) -> anyhow::Result<()> {
    seats::raise_open_files();
    let opened = Opened::open(&options, fixed).await?;
    let address = SocketAddr::new(options.addr, options.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("Cannot listen on {address}; --addr and --port name another address"))?;
    opened.run(listener, &options, stop).await
}

/// Like [`start`], on a listener that is there already.
///
/// # Errors
/// As [`start`].
pub async fn start_on(
    listener: TcpListener,
    options: ServeOptions,
    fixed: Arc<Fixed>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    Opened::open(&options, fixed)
        .await?
        .run(listener, &options, stop)
        .await
}

/// Takes the lock of a data directory and opens its database; both are created when they are not there.
///
/// # Errors
/// With [`Exit::Locked`] when another process has the lock, with [`Exit::NewerSchema`] when a
/// newer hfdepot wrote the database.
pub async fn open_store(data_dir: &Path) -> anyhow::Result<(Store, DataDirLock)> {
    let lock = lock(data_dir)?;
    let store = Store::open(&data_dir.join(DATABASE)).await.map_err(told)?;
    for name in [DATABASE, "hfdepot.db-wal", "hfdepot.db-shm"] {
        keep_private(&data_dir.join(name), 0o600);
    }
    Ok((store, lock))
}

/// Puts the database file `from` in place of that of a data directory, while no service runs on it.
///
/// # Errors
/// As [`open_store`]; also when `from` is damaged. The database that was there is kept then as it was.
pub async fn restore(data_dir: &Path, from: &Path) -> anyhow::Result<Restored> {
    let _lock = lock(data_dir)?;
    store::restore(&data_dir.join(DATABASE), from).await.map_err(told)
}

fn lock(data_dir: &Path) -> anyhow::Result<DataDirLock> {
    let lock = DataDirLock::acquire(data_dir).map_err(|error| match error {
        LockError::Held { .. } => ExitError {
            exit: Exit::Locked,
            message: error.to_string(),
        }
        .into(),
        LockError::Disk(error) => anyhow::Error::new(error),
    })?;
    keep_private(data_dir, 0o700);
    Ok(lock)
}

/// The error with its exit code, where it has one of its own.
fn told(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::NewerSchema { .. } => ExitError {
            exit: Exit::NewerSchema,
            message: error.to_string(),
        }
        .into(),
        error => anyhow::Error::new(error),
    }
}

/// What is open before the address is taken.
struct Opened {
    store: Store,
    database: PathBuf,
    settings: Settings,
    limits: Limits,
    data_dir: PathBuf,
    /// Falls last.
    _lock: DataDirLock,
}

impl Opened {
    async fn open(options: &ServeOptions, fixed: Arc<Fixed>) -> anyhow::Result<Self> {
        let database = options.data_dir.join(DATABASE);
        let only_keys = options.needs_login() && options.login.is_none();
        // Nothing is created when it is clear already that there is no key.
        if only_keys && !database.exists() {
            return Err(ExitError::usage(options.no_login_text()).into());
        }
        let (store, lock) = open_store(&options.data_dir).await?;
        if only_keys && store.keys().await?.is_empty() {
            return Err(ExitError::usage(options.no_login_text()).into());
        }
        let rows = store.settings().await?;
        let (settings, unusable) = Settings::load(fixed, rows)?;
        for error in unusable {
            tracing::warn!(%error, "a stored setting cannot be used");
        }
        let mut limits = match store.limits().await {
            Ok(saved) => saved.unwrap_or_else(|| Limits::new(crate::clock::time_zone())),
            Err(error) => {
                tracing::warn!(%error, "the stored limits cannot be used");
                Limits::new(crate::clock::time_zone())
            }
        };
        if options.start_paused {
            // Not saved: the next start without the flag begins as the user left it.
            limits.paused_until = Some(PausedUntil::Forever);
            tracing::info!("everything is paused, as --start-paused says; end the pause to begin");
        }
        Ok(Self {
            store,
            database,
            settings,
            limits,
            data_dir: options.data_dir.clone(),
            _lock: lock,
        })
    }

    async fn run(
        self,
        listener: TcpListener,
        options: &ServeOptions,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let address = listener.local_addr().context("The address is unknown")?;
        // A child: when one part fails, the others stop, and nobody outside is told to.
        let stop = stop.child_token();
        let _stop_all = stop.clone().drop_guard();
        let hub_cache = self.settings.cache.hub.clone();
        let settings = LiveSettings::new(self.store.clone(), self.settings, self.limits);

        let runtime = EngineRuntime::start().context("The runtime of the engine cannot be started")?;
        let (engine, running) = Engine::start(
            runtime.handle(),
            self.store.clone(),
            settings.tuning(),
            stop.clone(),
        )
        .map_err(|error| anyhow!("The Hub client cannot be made: {error}"))?;
        let mut engine_end = tokio::spawn(running.finished());

        let shown = Arc::new(Shown::new(self.store.clone(), settings.clone(), engine.clone()));
        let (feed, feed_end) = Feed::start(self.store.clone(), shown.clone(), settings.clone(), stop.clone());
        let upkeep = Upkeep::new();
        let limits = Task::new(TaskName::Limits, http::limits::TICK, http::limits::TICK);
        let mut tasks = upkeep.tasks();
        tasks.extend(engine.tasks());
        tasks.push(limits.clone());
        let clock_end = tokio::spawn(settings.clone().follow_clock(limits, stop.clone()));
        let trends = Arc::new(Trends::default());
        let upkeep_end = tokio::spawn(upkeep.run(
            Kept {
                trends: trends.clone(),
                store: self.store.clone(),
                database: self.database.clone(),
                engine: engine.clone(),
                settings: settings.clone(),
                feed: feed.clone(),
            },
            stop.clone(),
        ));
        let sockets = TaskTracker::new();
        let app = Arc::new(App {
            store: self.store.clone(),
            engine,
            settings,
            data_dir: self.data_dir,
            tasks,
            log_tails: LogTails::default(),
            trends,
            measures: Measures::new().context("The measures cannot be set up")?,
            shown,
            feed,
            upstreams: Upstreams::default(),
            commit_pages: http::commits::pages(),
            search_pages: http::search::pages(),
            readiness: Readiness::default(),
            checks: Checks::default(),
            open_to_network: options.is_open_to_network(),
            mirror_roots: options.mirror_roots.clone(),
            export_dirs: options.export_dirs.clone(),
            stale_timeout: options.stale_timeout,
            patience: options.patience,
            begun: Instant::now(),
            begun_at: now_ms(),
            removals: Removals::default(),
            stop: stop.clone(),
            sockets: sockets.clone(),
        });
        let router = http::service(app, GuardConfig::new(options, self.store.clone()));
        let router = http::base_path::mount(router, &options.base_path);
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            database = %self.database.display(),
            hub_cache = %hub_cache.display(),
            login = options.login.is_some(),
            web_ui = http::assets::has_web_build(),
            "serving on http://{address}{}/",
            options.base_path

        );
        if options.open {
            crate::browser::open(address, &options.base_path);
        }

        let served = tokio::select! {
            () = http::serve::serve(listener, router, stop.clone(), DRAIN) => Ok(()),
            () = ended_early(&mut engine_end, &stop) => Err(anyhow!("The engine ended; the log above says why")),
        };
        stop.cancel();
        sockets.close();
        // Each has said good-bye within a second, or its client does not listen.
        let _ = tokio::time::timeout(DRAIN, sockets.wait()).await;
        if !engine_end.is_finished() {
            let _ = engine_end.await;
        }
        let _ = tokio::join!(feed_end, upkeep_end, clock_end);
        self.store.close().await;
        drop(runtime);
        tracing::info!("stopped");
        served
    }
}

/// Returns when `task` ends although nobody stopped it.
async fn ended_early(task: &mut JoinHandle<()>, stop: &CancellationToken) {
    let _ = task.await;
    if stop.is_cancelled() {
        std::future::pending().await
    }
}

/// Takes rights away from others: the database holds the token. A file system without rights
/// (or a directory of somebody else) is the choice of who set it up; the log says so.
fn keep_private(path: &Path, mode: u32) {
    let wide = |path: &Path| {
        path.metadata()
            .is_ok_and(|meta| meta.permissions().mode() & 0o777 & !mode != 0)
    };
    if !wide(path) {
        return;
    }
    let done = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    if done.is_err() || wide(path) {
        tracing::warn!(path = %path.display(), "other users of this machine may read this; it may hold a token");
    }
}

/// The runtime of the engine: its threads may wait for the disk, those of the API never do.
struct EngineRuntime(Option<tokio::runtime::Runtime>, tokio::runtime::Handle);

impl EngineRuntime {
    fn start() -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(ENGINE_THREADS, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(ENGINE_THREADS))
            .thread_name("engine")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }

    fn handle(&self) -> &tokio::runtime::Handle {
        &self.1
    }
}

impl Drop for EngineRuntime {
    fn drop(&mut self) {
        // Waiting for its threads would block the thread that drops it.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
