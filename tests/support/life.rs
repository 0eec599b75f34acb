//! Lives of the store and the engine on threads of their own, which can end without warning.

use hfdepot::engine::Tuning;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::depot::Depot;

/// One life of the service.
pub struct Life {
    runtime: Runtime,
    depot: Depot,
}

impl Life {
    pub fn begin(dir: TempDir, tuning: Tuning) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let depot = runtime.block_on(Depot::start_in(dir, tuning));
        Self { runtime, depot }
    }

    /// Every task ends where it stands: nothing is synced, recorded or settled any more.
    pub fn crash(self) -> TempDir {
        let dir = self.depot.abandon();
        self.runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        dir
    }

    pub fn run<T>(&self, work: impl AsyncFnOnce(&Depot) -> T) -> T {
        self.runtime.block_on(work(&self.depot))
    }

    /// Ends softly.
    pub fn stop(self) -> TempDir {
        self.runtime.block_on(self.depot.stop())
    }
}
