//! One task at a time for each blob of each repo folder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::model::repo::BlobId;

type ByFolderAndBlob = HashMap<(PathBuf, BlobId), Arc<tokio::sync::Mutex<()>>>;

/// Locks by repo folder and blob, so that a blob that two jobs want is fetched once.
#[derive(Default)]
pub struct BlobLocks(Mutex<ByFolderAndBlob>);

impl BlobLocks {
    /// Waits until nobody else works on this blob.
    pub async fn lock(&self, folder: PathBuf, blob: BlobId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds or waits for have one owner: this map.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry((folder, blob)).or_default().clone()
        };
        lock.lock_owned().await
    }
}
