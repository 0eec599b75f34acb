//! Who may work in a repo folder: any number of downloads, or one deletion.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// A gate for each repo folder.
#[derive(Default)]
pub struct Gates(Mutex<HashMap<PathBuf, Arc<RwLock<()>>>>);

impl Gates {
    fn gate(&self, folder: PathBuf) -> Arc<RwLock<()>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Gates that nobody passes or waits for have one owner: this map.
        gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        gates.entry(folder).or_default().clone()
    }

    /// Waits until nothing is deleted from the folder; nothing is while the guard lives.
    pub async fn enter(&self, folder: PathBuf) -> OwnedRwLockReadGuard<()> {
        self.gate(folder).read_owned().await
    }

    /// Keeps downloads out of the folder; `None` while one is in it.
    pub fn close(&self, folder: PathBuf) -> Option<OwnedRwLockWriteGuard<()>> {
        self.gate(folder).try_write_owned().ok()
    }
}
