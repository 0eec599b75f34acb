//! One life of the store and the engine on the line of virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hfdepot::engine::{Engine, Running, Tuning};
use hfdepot::model::destination::Destination;
use hfdepot::model::job::Verify;
use hfdepot::model::state::JobStatus;
use hfdepot::store::{DATABASE, Job, Store, Submitted};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::support::depot::request;
use crate::support::hub::Hub;
use crate::support::ledger::{Ledger, template};
use crate::support::virtual_time::{Leaping, Timeline};
use crate::support::wire;

/// From a start to a stop, a sudden death or a loss of power.
pub struct Life {
    pub clock: Leaping,
    pub store: Store,
    pub engine: Engine,
    pub tuning: watch::Sender<Tuning>,
    pub ledger: Ledger,
    pub changes: broadcast::Receiver<i64>,
    running: Running,
    stop: CancellationToken,
}

impl Life {
    /// Starts on the database of the folder `place`.
    pub fn begin(line: &Arc<Timeline>, place: &Path, tuning: Tuning) -> Self {
        let clock = Leaping::new(line);
        let database = place.join(DATABASE);
        let (store, ledger) = clock.run_outside(async {
            let store = Store::open(&database).await.expect("the database opens");
            (store, Ledger::open(&database).await)
        });
        clock.watch(&store);
        let changes = store.changes();
        let stop = CancellationToken::new();
        let (tuning, settings) = watch::channel(tuning);
        let (engine, running) = {
            let start = async { Engine::start(clock.handle(), store.clone(), settings, stop.clone()) };
            clock.run(start).expect("an engine")
        };
        Self {
            clock,
            store,
            engine,
            tuning,
            ledger,
            changes,
            running,
            stop,
        }
    }

    /// Stops softly.
    pub fn stop(self) -> Ledger {
        let Self {
            clock,
            store,
            running,
            stop,
            ledger,
            ..
        } = self;
        stop.cancel();
        clock.run(running.finished());
        clock.run_outside(store.close());
        clock.end();
        ledger
    }

    /// Every task ends where it stands: nothing is synced, recorded or settled any more. What the
    /// store was told to write before may still be written.
    pub fn end(self) -> Ledger {
        let Self { clock, ledger, .. } = self;
        clock.end();
        ledger
    }
}

/// Fetches a repo of `hub` with an engine of its own, in simulated time: the job, which completed, and
/// how long it took.
pub fn fetched(hub: &Arc<Hub>, repo: &str, mut settings: Tuning, verify: Verify) -> (Job, Duration) {
    settings.hub.wire = wire::to(hub);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join(DATABASE), template()).expect("written");
    let line = Arc::new(Timeline::new(1_705_314_600_000));
    let life = Life::begin(&line, dir.path(), settings);
    let destination = Destination::cache(cache(dir.path()).display().to_string());
    let wanted = request(repo);
    let submitted = life.store.submit(&wanted, &destination, verify, "ann");
    let Submitted::New(job) = life.clock.run(submitted).expect("the database works") else {
        panic!("it is new");
    };
    life.engine.wake();
    let begun = line.now();
    let ended = loop {
        life.clock.pass(Duration::from_millis(100));
        let job = life.clock.run_outside(life.store.job(&job.id));
        let job = job.expect("the database works").expect("listed");
        if job.status.is_terminal() {
            break job;
        }
        assert!(line.now() - begun < Duration::from_secs(600), "it hangs");
    };
    assert_eq!(ended.status, JobStatus::Completed);
    let took = line.now() - begun;
    life.stop();
    (ended, took)
}

/// The Hub cache of a run.
pub fn cache(dir: &Path) -> PathBuf {
    dir.join("hub")
}
