//! Compares contents of a cache with their hashes, one after the other, for one run of a check.
//!
//! What was found of a content is recorded in the index first and in the plan of the job then, so
//! that a run that was cut short compares at most that again which it had not told of yet. While
//! it is in a repo, nothing is deleted there.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedRwLockReadGuard;

use crate::clock::now_ms;
use crate::disk::{BlobHasher, Content, Contents, DiskError};
use crate::model::code::Code;
use crate::model::library::{CachedRepo, Verification};
use crate::model::repo::BlobId;
use crate::store::{BlobMark, Item, ItemSettled, ItemState};

use super::passing::Passing;
use super::task::Task;
use super::verify::{ABSENT, CheckMode, CheckSpeed, FILE, ORPHAN, VerifySpec};
use crate::engine::attempt::Halt;

/// The content is another one than its name says, or cannot be read.
pub(super) const BAD: &str = "bad";
/// There is no content.
pub(super) const MISSING: &str = "missing";
/// A live download writes it.
pub(super) const LEFT_OUT: &str = "left_out";
/// The whole repo is not there any more: deleted, or its disk is away.
pub(super) const GONE: &str = "gone";

/// Items settled together, and the longest that one waits for others.
const BATCH: usize = 256;
const BATCH_TIME: Duration = Duration::from_millis(500);
/// An idle check rests so many times as long as it read.
const REST: u32 = 3;

/// The hands of one run.
pub(super) struct Checker<'a> {
    task: &'a Task,
    spec: VerifySpec,
    settled: Vec<ItemSettled>,
    marks: Vec<BlobMark>,
    uncounted_bytes: u64,
    oldest: Instant,
    /// The repo at hand.
    place: Option<Place>,
    /// Lent to each read.
    buffer: Vec<u8>,
}

struct Place {
    repo: CachedRepo,
    contents: Arc<Contents>,
    /// Contents that live downloads will write, with their jobs.
    in_work: HashMap<String, String>,
    _gate: OwnedRwLockReadGuard<()>,
}

/// What is the matter with a content.
enum Found {
    Right(Verification),
    Wrong(Code, String),
    Missing,
    Gone,
}

impl<'a> Checker<'a> {
    pub fn new(task: &'a Task, spec: &VerifySpec) -> Self {
        Self {
            task,
            spec: spec.clone(),
            settled: Vec::new(),
            marks: Vec::new(),
            uncounted_bytes: 0,
            oldest: Instant::now(),
            place: None,
            buffer: Vec::new(),
        }
    }

    /// Compares what an item is about; it is settled together with others.
    ///
    /// # Errors
    /// Why the whole run has to end.
    pub async fn check(&mut self, item: &Item) -> Result<(), Halt> {
        if self.task.stop.is_cancelled() {
            self.settle().await?;
            return Err(Halt::Stopped);
        }
        self.enter(&item.repo).await?;
        let Some(place) = &self.place else { return Ok(()) };
        if place.in_work.contains_key(&item.blob) {
            self.uncounted_bytes += item.size_bytes;
            self.note(item, ItemState::Gone, LEFT_OUT, None);
            return self.settle_when_due().await;
        }
        let contents = place.contents.clone();
        let mut counted = 0;
        let found = match self.look(&contents, item, &mut counted).await {
            Ok(found) => found,
            Err(halt) => {
                self.task.lost(counted);
                self.settle().await?;
                return Err(halt);
            }
        };
        self.uncounted_bytes += item.size_bytes.saturating_sub(counted);
        self.task.lost(counted.saturating_sub(item.size_bytes));
        match found {
            Found::Right(verification) => {
                self.note(item, ItemState::Done, verification.as_str(), None);
            }
            Found::Wrong(code, why) => {
                tracing::warn!(job.id = %self.task.job.id, repo = item.repo.id(), path = item.path, why, "a damaged file was found in the cache");
                self.note(item, ItemState::Done, BAD, Some((code, why)));
            }
            Found::Gone => self.note(item, ItemState::Gone, GONE, None),
            Found::Missing => {
                let why = "Its content is not there".to_owned();
                let failure = Some((Code::EntryNotFound, why));
                self.note(item, ItemState::Done, MISSING, failure);
            }
        }
        self.settle_when_due().await
    }

    /// Records what was found so far.
    ///
    /// # Errors
    /// When the lease is lost or the database fails.
    pub async fn settle(&mut self) -> Result<(), Halt> {
        let marks = std::mem::take(&mut self.marks);
        if let (Some(place), false) = (&self.place, marks.is_empty()) {
            let hub = self.spec.hub.to_string_lossy();
            let store = &self.task.shared.store;
            let marked = store.mark_library(&hub, &place.repo, &marks).await;
            marked.map_err(Halt::store)?;
        }
        let items = std::mem::take(&mut self.settled);
        let uncounted = std::mem::take(&mut self.uncounted_bytes);
        if items.is_empty() {
            return Ok(());
        }
        self.task.settle(&items, uncounted).await
    }

    async fn settle_when_due(&mut self) -> Result<(), Halt> {
        if self.settled.len() >= BATCH || self.oldest.elapsed() >= BATCH_TIME {
            return self.settle().await;
        }
        Ok(())
    }

    fn note(
        &mut self,
        item: &Item,
        state: ItemState,
        outcome: &'static str,
        failure: Option<(Code, String)>,
    ) {
        if self.settled.is_empty() {
            self.oldest = Instant::now();
        }
        self.settled.push(ItemSettled {
            id: item.id,
            state,
            outcome,
            failure,
        });
    }

    /// Leaves the repo before and holds the gate of this one open.
    async fn enter(&mut self, repo: &CachedRepo) -> Result<(), Halt> {
        if self.place.as_ref().is_some_and(|place| place.repo == *repo) {
            return Ok(());
        }
        self.settle().await?;
        self.place = None;
        self.task.activity(repo.id());
        let (shared, hub) = (&self.task.shared, &self.spec.hub);
        let gate = shared.gates.enter(hub.join(repo.folder())).await;
        let in_work = shared.store.blobs_in_work(&hub.to_string_lossy(), repo).await;
        self.place = Some(Place {
            repo: repo.clone(),
            contents: Arc::new(Contents::new(hub, repo)),
            in_work: in_work.map_err(Halt::store)?,
            _gate: gate,
        });
        Ok(())
    }

    /// Compares one content. What was counted as done is added to `counted`.
    async fn look(
        &mut self,
        contents: &Arc<Contents>,
        item: &Item,
        counted: &mut u64,
    ) -> Result<Found, Halt> {
        let Ok(id) = item.blob.parse::<BlobId>() else {
            let why = format!("The hash \"{}\" cannot be read", item.blob);
            return Ok(Found::Wrong(Code::Internal, why));
        };
        // What another program replaced while it was read is read once more.
        for last in [false, true] {
            let (from, wanted) = (contents.clone(), item.clone());
            let opened = self.task.blocking(move || open(&from, &wanted)).await?;
            let content = match opened {
                Ok(Some(content)) => content,
                Ok(None) => return Ok(self.nothing_of(&item.repo)),
                Err(error) => return Ok(Found::Wrong(error.code, error.to_string())),
            };
            let (size, modified_at, blob) = (content.size_bytes, content.modified_at, content.blob.clone());
            if size != item.size_bytes && (item.task != ABSENT || item.size_bytes > 0) {
                let why = format!("It has {size} bytes in place of {}", item.size_bytes);
                self.mark(blob, size, modified_at, Verification::Bad);
                return Ok(Found::Wrong(Code::SizeMismatch, why));
            }
            if self.spec.mode == CheckMode::Size {
                self.mark(blob, size, modified_at, Verification::Size);
                return Ok(Found::Right(Verification::Size));
            }
            let hash = match self.read(&content, id, counted).await? {
                Ok(hash) => hash,
                Err(error) => {
                    self.mark(blob, size, modified_at, Verification::Bad);
                    let why = format!("It cannot be read: {error}");
                    return Ok(Found::Wrong(Code::DiskError, why));
                }
            };
            if hash == id {
                let word = match id {
                    BlobId::Sha256(_) => Verification::Sha256,
                    BlobId::GitSha1(_) => Verification::GitSha1,
                };
                self.mark(blob, size, modified_at, word);
                return Ok(Found::Right(word));
            }
            let current = self.task.blocking(move || content.is_current()).await?;
            if last || current.unwrap_or(true) {
                self.mark(blob, size, modified_at, Verification::Bad);
                let why = format!("Its {} is {hash}", id.algorithm());
                return Ok(Found::Wrong(Code::HashMismatch, why));
            }
        }
        Ok(self.nothing_of(&item.repo))
    }

    /// What it means that there is no content: of a repo that is not there at all nothing is said,
    /// for its disk may only be away.
    fn nothing_of(&self, repo: &CachedRepo) -> Found {
        match self.spec.hub.join(repo.folder()).is_dir() {
            true => Found::Missing,
            false => Found::Gone,
        }
    }

    fn mark(&mut self, blob: String, size_bytes: u64, modified_at: i64, verification: Verification) {
        if !blob.is_empty() {
            self.marks.push(BlobMark {
                blob,
                size_bytes,
                modified_at,
                verification,
                verified_at: now_ms(),
            });
        }
    }

    /// Reads a content to its end: the hash that it has.
    async fn read(
        &mut self,
        content: &Content,
        id: BlobId,
        counted: &mut u64,
    ) -> Result<io::Result<BlobId>, Halt> {
        let from = match content.file.try_clone() {
            Ok(from) => from,
            Err(error) => return Ok(Err(error)),
        };
        let hasher = BlobHasher::new(id, content.size_bytes);
        let passing = Passing {
            from,
            to: None,
            hasher: Some(hasher),
            size_bytes: content.size_bytes,
            buffer: std::mem::take(&mut self.buffer),
        };
        let rest = match self.spec.speed {
            CheckSpeed::Idle => REST,
            CheckSpeed::Normal => 0,
        };
        let (passing, read) = passing.run(self.task, rest, counted).await?;
        self.buffer = passing.buffer;
        Ok(read.map(|()| passing.hasher.map_or(id, BlobHasher::finish)))
    }
}

/// The content of an item. What is compared has to come from the disk, not from memory that was
/// filled when it was written.
fn open(contents: &Contents, item: &Item) -> Result<Option<Content>, DiskError> {
    let content = match item.task.as_str() {
        ORPHAN => contents.of_blob(&item.path)?,
        FILE | ABSENT => {
            let (commit, path) = item.path.split_once('/').unwrap_or(("", &item.path));
            match contents.of_path(commit, path)? {
                Some(content) => Some(content.or_blob(contents, &item.blob)?),
                None => None,
            }
        }
        _ => None,
    };
    #[cfg(target_os = "linux")]
    if let Some(content) = &content {
        // A hint: it may be ignored.
        let _ = rustix::fs::fadvise(&content.file, 0, None, rustix::fs::Advice::DontNeed);
    }
    Ok(content)
}
