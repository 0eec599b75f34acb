//! The keeper of the cache's index: scans what changed, and takes things out of the cache.
//!
//! One scan of a cache at a time; what it finds is written in portions, so that others get their
//! turn at the database. A deletion closes the [gate](super::gates) of its repo, so that no
//! download of this process is in the folder, and refuses while a job of the repo is live.

mod plain;
mod remove;
mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::gates::Gates;
use crate::clock::now_ms;
use crate::disk::library::{Known, ScanEnd, scan, scan_repo};
use crate::disk::remove::RemoveError;
use crate::disk::{self, DiskError};
use crate::model::library::{CachedRepo, LibraryRepo};
use crate::store::{Store, StoreError};

pub use remove::{Deleted, Member, PruneRequest, Pruned, Removed};

/// A scan that is younger is taken as it is: an answer must not cost a look at the disk each time.
const FRESH: Duration = Duration::from_secs(5);
/// Found repos that wait for the database at most, and what is written at once.
const PORTION: usize = 64;
/// Files of one portion at most.
const PORTION_FILES: usize = 5_000;

/// Why the library could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It is not in the cache.
    #[error("It is not in the cache")]
    NotThere,
    /// A job of the repo is live, or another program works on it; the text names it.
    #[error("{0}")]
    Busy(String),
    /// A job reads it; the text names it.
    #[error("{0}")]
    Read(String),
    /// What is there cannot be deleted safely.
    #[error("{0}")]
    Unsafe(String),
    /// It is not as the request says any more.
    #[error("{0}")]
    Changed(String),
    /// The disk refuses.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of ours failed.
    #[error("An internal task failed: {0}")]
    Task(tokio::task::JoinError),
}

impl From<RemoveError> for LibraryError {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::NotThere => Self::NotThere,
            RemoveError::Busy(text) => Self::Busy(text),
            RemoveError::Unsafe(text) => Self::Unsafe(text),
            RemoveError::Disk(error) => Self::Disk(error),
        }
    }
}

#[derive(Default)]
struct Hub {
    /// Held by who writes this cache's part of the index.
    writing: tokio::sync::Mutex<()>,
    /// End of the last whole scan of this process.
    scanned: Mutex<Option<Instant>>,
    /// A scan was asked for and has not ended.
    scanning: AtomicBool,
}

/// The index of all caches. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Library {
    store: Store,
    gates: Arc<Gates>,
    hubs: Arc<Mutex<HashMap<PathBuf, Arc<Hub>>>>,
    plain: Arc<Mutex<plain::Plain>>,
}

impl Library {
    pub(super) fn new(store: Store, gates: Arc<Gates>) -> Self {
        Self {
            store,
            gates,
            hubs: Arc::default(),
            plain: Arc::default(),
        }
    }

    fn hub(&self, hub: &Path) -> Arc<Hub> {
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.entry(hub.to_owned()).or_default().clone()
    }

    /// Sees to it that the index is not older than some seconds, and waits for that at most for
    /// `patience`: the scan goes on behind the answer. Says whether the index is current now.
    pub async fn freshen(&self, hub: &Path, patience: Duration) -> bool {
        let state = self.hub(hub);
        let age = |state: &Hub| {
            let scanned = state.scanned.lock().unwrap_or_else(PoisonError::into_inner);
            scanned.map(|at| at.elapsed())
        };
        if age(&state).is_some_and(|age| age < FRESH) {
            return true;
        }
        let (this, hub) = (self.clone(), hub.to_owned());
        if state.scanning.swap(true, Ordering::AcqRel) {
            // The one that is under way ends it; its end is seen by the lock.
            return tokio::time::timeout(patience, state.writing.lock()).await.is_ok();
        }
        let ended = tokio::spawn(async move {
            let result = this.refresh(&hub, false).await;
            this.hub(&hub).scanning.store(false, Ordering::Release);
            if let Err(error) = result {
                tracing::warn!(hub = %hub.display(), %error, "the cache could not be scanned");
            }
        });
        tokio::time::timeout(patience, ended).await.is_ok()
    }

    /// Scans a cache and writes what changed into the index; `deep` reads every repo again, also
    /// those whose folders are as they were.
    ///
    /// # Errors
    /// When the cache cannot be listed or the database fails.
    pub async fn refresh(&self, hub: &Path, deep: bool) -> Result<ScanEnd, LibraryError> {
        let state = self.hub(hub);
        let _writing = state.writing.lock().await;
        let begun = (Instant::now(), now_ms());
        let hub_text = hub.to_string_lossy().into_owned();
        let rows = self.store.library_known(&hub_text).await?;
        let known: HashMap<String, Known> = rows
            .into_iter()
            .map(|row| {
                let marks = if deep { String::new() } else { row.marks };
                let scanned_at = row.scanned_at;
                (row.folder, Known { marks, scanned_at })
            })
            .collect();
        let (sender, mut found) = mpsc::channel::<LibraryRepo>(PORTION);
        let root = hub.to_owned();
        let scanning = tokio::task::spawn_blocking(move || {
            scan(&root, &known, begun.1, |repo| sender.blocking_send(repo).is_ok())
        });
        let mut portion = Vec::new();
        loop {
            let next = found.recv().await;
            let ended = next.is_none();
            portion.extend(next);
            let files: usize = portion.iter().map(|repo: &LibraryRepo| repo.files.len()).sum();
            if ended || portion.len() >= PORTION || files >= PORTION_FILES {
                self.store.put_library(&hub_text, &portion).await?;
                portion.clear();
            }
            if ended {
                break;
            }
        }
        let end = joined(scanning.await)??;
        self.store.library_scanned(&hub_text, begun.1, &end.gone).await?;
        for (folder, reason) in &end.unreadable {
            tracing::warn!(folder, reason, "a repo of the cache cannot be read");
        }
        tracing::debug!(
            hub = %hub.display(), repos = end.repos, read = end.read, gone = end.gone.len(),
            duration_ms = begun.0.elapsed().as_millis() as u64, "scanned the cache"
        );
        *state.scanned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(end)
    }

    /// Reads one repo again, or forgets it when it is gone.
    ///
    /// # Errors
    /// When it cannot be read or the database fails.
    pub async fn refresh_repo(&self, hub: &Path, repo: &CachedRepo) -> Result<(), LibraryError> {
        let state = self.hub(hub);
        let _writing = state.writing.lock().await;
        let hub_text = hub.to_string_lossy().into_owned();
        match self.scan_one(hub, repo).await? {
            Some(scanned) => self.store.put_library(&hub_text, &[scanned]).await?,
            None => {
                let gone = [repo.folder()];
                let at = self.store.library_scanned_at(&hub_text).await?;
                self.store
                    .library_scanned(&hub_text, at.unwrap_or(0), &gone)
                    .await?;
            }
        }
        Ok(())
    }

    /// [`refresh_repo`](Self::refresh_repo) whose failure is only told: the next scan mends it.
    pub async fn note_change(&self, hub: &Path, repo: &CachedRepo) {
        if let Err(error) = self.refresh_repo(hub, repo).await {
            tracing::warn!(repo = repo.id(), %error, "the index of the cache could not be brought up to date");
        }
    }

    async fn scan_one(&self, hub: &Path, repo: &CachedRepo) -> Result<Option<LibraryRepo>, LibraryError> {
        let (hub, repo) = (hub.to_owned(), repo.clone());
        blocking(move || Ok(scan_repo(&hub, &repo, now_ms())?)).await
    }

    /// Ends deletions that a crash cut off. At the start only, before anything is deleted.
    pub async fn sweep(&self, hub: &Path) {
        let root = hub.to_owned();
        match blocking(move || Ok(disk::remove::sweep(&root)?)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "ended deletions that were cut off"),
            Err(error) => tracing::warn!(%error, "the rest of a deletion cannot be removed"),
        }
    }
}

/// Runs disk work on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    joined(tokio::task::spawn_blocking(work).await)?
}

fn joined<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, LibraryError> {
    result.map_err(LibraryError::Task)
}
