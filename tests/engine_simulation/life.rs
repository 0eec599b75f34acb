//! One life of the store and the engine on the line of virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hfdepot::engine::{Engine, Running, Tuning};
use hfdepot::store::{DATABASE, Store};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::support::ledger::Ledger;
use crate::support::virtual_time::{Leaping, Timeline};

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

/// The Hub cache of a run.
pub fn cache(dir: &Path) -> PathBuf {
    dir.join("hub")
}
