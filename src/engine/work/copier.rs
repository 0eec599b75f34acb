//! Carries out the items of a mirror job, one by one.
//!
//! A content is written under a temporary name, hashed on the way, synced and renamed; then the
//! folder is synced; only then is its row settled. Pointers are made only to blobs that the
//! destination has, refs only to commits that it has. What changes at the source meanwhile is
//! reported, not copied by halves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::disk::BlobHasher;
use crate::mirror::{Listing, MirrorError, RepoKey, Upload};
use crate::model::code::Code;
use crate::model::job::Verify;
use crate::model::repo::BlobId;
use crate::store::{Item, ItemSettled, ItemState};

use super::comparison::{CONTENT, DELETE, REFS, SNAPSHOT};
use super::copying::Copying;
use super::mirror::{MirrorSpec, Sides, halt};
use super::task::{Failure, Task};
use crate::engine::attempt::Halt;

/// Items settled together, and the longest that one waits for others: a commit that survives a
/// loss of power costs some milliseconds.
const BATCH: usize = 64;
const BATCH_TIME: Duration = Duration::from_millis(500);
/// Largest read at a time. Less when the bandwidth limit is low, so that the pace stays even.
const CHUNK_BYTES: u64 = 1 << 20;

/// The hands of one run.
pub struct Copier<'a> {
    task: &'a Task,
    sides: Arc<Sides>,
    verify: Verify,
    force: bool,
    settled: Vec<ItemSettled>,
    /// Bytes of settled items that were not copied.
    uncounted_bytes: u64,
    /// Folders with new names, by repo.
    folders: BTreeMap<RepoKey, BTreeSet<String>>,
    oldest: Instant,
    /// Repos that are not to be made known at the destination, and why.
    broken: BTreeMap<RepoKey, (ItemState, Code, String)>,
    /// The repo at hand.
    repo: Option<RepoKey>,
}

/// How one item ended.
enum Done {
    /// As planned.
    Yes,
    /// There was nothing to do.
    Unchanged,
    /// The whole repo waits for another run.
    Gone(String),
}

impl<'a> Copier<'a> {
    /// Goes on where earlier runs of the job left off.
    pub async fn new(task: &'a Task, sides: Arc<Sides>, spec: &MirrorSpec) -> Result<Self, Halt> {
        let failed = task.shared.store.failed_items(task.job.seq, i64::MAX).await;
        let broken = failed
            .map_err(Halt::store)?
            .into_iter()
            .filter_map(|item| {
                let code = item.error_code.unwrap_or(Code::DiskError);
                Some((key_of(&item)?, (item.state, code, item.error)))
            })
            .collect();
        Ok(Self {
            task,
            sides,
            verify: spec.verify,
            force: spec.force,
            settled: Vec::new(),
            uncounted_bytes: 0,
            folders: BTreeMap::new(),
            oldest: Instant::now(),
            broken,
            repo: None,
        })
    }

    /// Carries out one item; it is settled together with others.
    ///
    /// # Errors
    /// Why the whole run has to end.
    pub async fn carry_out(&mut self, item: &Item) -> Result<(), Halt> {
        if self.task.stop.is_cancelled() {
            self.settle().await?;
            return Err(Halt::Stopped);
        }
        let Some(key) = key_of(item) else {
            let text = format!("{} has no owner", item.repo.id());
            self.note(item, ItemState::Error, Some((Code::Internal, text)));
            return self.settle_when_due().await;
        };
        if self.repo.as_ref() != Some(&key) {
            self.enter(&key).await?;
        }
        let done = match self.broken.get(&key) {
            // Contents that were copied for nothing would still be right; what names them must wait.
            Some((state, code, why)) if item.task != CONTENT || *state == ItemState::Gone => {
                let failure = Some((*code, format!("left out: {why}")));
                self.note(item, *state, failure);
                return self.settle_when_due().await;
            }
            _ => match item.task.as_str() {
                CONTENT => self.content(&key, item).await,
                SNAPSHOT => self.snapshot(&key, &item.path).await,
                REFS => self.refs(&key).await,
                DELETE => self.delete(&key).await,
                other => Err(Failure::Item(Code::Internal, format!("unknown task {other}"))),
            },
        };
        match done {
            Ok(Done::Yes) => self.note(item, ItemState::Done, None),
            Ok(Done::Unchanged) => {
                self.uncounted_bytes += item.size_bytes;
                self.note(item, ItemState::Unchanged, None);
            }
            Ok(Done::Gone(why)) => self.give_up(&key, item, ItemState::Gone, Code::EntryNotFound, why),
            Err(Failure::Item(code, why)) => self.give_up(&key, item, ItemState::Error, code, why),
            Err(Failure::Halt(halt)) => {
                self.settle().await?;
                return Err(halt);
            }
        }
        self.settle_when_due().await
    }

    /// Makes what was done durable, then records it.
    ///
    /// # Errors
    /// When the destination or the database fails.
    pub async fn settle(&mut self) -> Result<(), Halt> {
        let folders = std::mem::take(&mut self.folders);
        let to = self.sides.to().clone();
        let synced = self.task.blocking(move || {
            folders.iter().try_for_each(|(repo, folders)| {
                let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
                to.sync(repo, &folders)
            })
        });
        // What is not synced is not settled, and so it is done again.
        synced.await?.map_err(halt)?;
        let items = std::mem::take(&mut self.settled);
        let uncounted = std::mem::take(&mut self.uncounted_bytes);
        if items.is_empty() {
            return Ok(());
        }
        self.task.settle(&items, uncounted).await
    }

    /// Settles what is left and clears the last repo up.
    ///
    /// # Errors
    /// When the destination or the database fails.
    pub async fn finish(&mut self) -> Result<(), Halt> {
        self.settle().await?;
        let (to, left) = (self.sides.to().clone(), self.repo.take());
        let tidied = self
            .task
            .blocking(move || left.iter().try_for_each(|repo| to.tidy(repo)));
        tidied.await?.map_err(halt)
    }

    async fn settle_when_due(&mut self) -> Result<(), Halt> {
        if self.settled.len() >= BATCH || self.oldest.elapsed() >= BATCH_TIME {
            return self.settle().await;
        }
        Ok(())
    }

    fn note(&mut self, item: &Item, state: ItemState, failure: Option<(Code, String)>) {
        if self.settled.is_empty() {
            self.oldest = Instant::now();
        }
        let id = item.id;
        self.settled.push(ItemSettled {
            id,
            state,
            outcome: "",
            failure,
        });
    }

    fn give_up(&mut self, key: &RepoKey, item: &Item, state: ItemState, code: Code, why: String) {
        tracing::warn!(job.id = %self.task.job.id, repo = %key.1, path = item.path, why, "an item of a mirror job was given up");
        self.broken
            .entry(key.clone())
            .or_insert_with(|| (state, code, why.clone()));
        self.note(item, state, Some((code, why)));
    }

    /// Leaves the repo before, and looks whether this one may be touched.
    async fn enter(&mut self, key: &RepoKey) -> Result<(), Halt> {
        self.settle().await?;
        let (to, left, entered) = (self.sides.to().clone(), self.repo.take(), key.clone());
        self.task.activity(key.1.as_str());
        let tidied = self
            .task
            .blocking(move || left.iter().chain([&entered]).try_for_each(|repo| to.tidy(repo)));
        tidied.await?.map_err(halt)?;
        self.repo = Some(key.clone());
        let busy = self.task.shared.store.busy_repos().await.map_err(Halt::store)?;
        if self.sides.pull && busy.contains(key) {
            let why = "a download of it is live".to_owned();
            self.broken
                .insert(key.clone(), (ItemState::Gone, Code::EntryNotFound, why));
        }
        Ok(())
    }

    async fn content(&mut self, key: &RepoKey, item: &Item) -> Result<Done, Failure> {
        let (sides, repo, path) = (self.sides.clone(), key.clone(), item.path.clone());
        let (size, force) = (item.size_bytes, self.force);
        let id: Option<BlobId> = item.path.rsplit('/').next().and_then(|name| name.parse().ok());
        let id = id.filter(|_| item.path.starts_with("blobs/") && self.verify != Verify::None);
        let begun = self.task.blocking(move || {
            let there = sides.to().open(&repo, &path);
            // What cannot be opened is replaced, as far as that is possible.
            if !force && there.is_ok_and(|there| there.is_some_and(|(_, bytes)| bytes == size)) {
                return Ok(Begun::Unchanged);
            }
            match sides.from().open(&repo, &path)? {
                Some((reader, bytes)) if bytes == size => {
                    let upload = sides.to().create(&repo, &path)?;
                    Ok(Begun::Copy(reader, upload))
                }
                _ => Ok(Begun::Gone),
            }
        });
        let (reader, upload) = match self.judged(begun.await?).await? {
            Begun::Unchanged => return Ok(Done::Unchanged),
            Begun::Gone => return Ok(Done::Gone("it changed at the source meanwhile".to_owned())),
            Begun::Copy(reader, upload) => (reader, upload),
        };
        let copying = Copying {
            reader,
            upload: Some(upload),
            hasher: id.map(|id| BlobHasher::new(id, size)),
            left_bytes: size,
            unflushed_bytes: 0,
        };
        let mut counted = 0;
        let passed = self.pass(copying, &mut counted).await;
        let result = match passed {
            Ok(copying) => self.place(copying, id, "the source holds damaged content").await,
            Err(error) => Err(error),
        };
        let result = match (result, id) {
            (Ok(()), Some(id)) if self.verify == Verify::Sha256 => self.read_back(key, item, id).await,
            (result, _) => result,
        };
        if let Err(error) = result {
            self.task.lost(counted);
            return Err(error);
        }
        let folder = item.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folders = self.folders.entry(key.clone()).or_default();
        folders.insert(folder.to_owned());
        Ok(Done::Yes)
    }

    /// Moves all bytes. What was counted as done is added to `counted`.
    async fn pass(&self, mut copying: Copying, counted: &mut u64) -> Result<Copying, Failure> {
        while copying.left_bytes > 0 {
            let rate = self.task.shared.tuning.borrow().max_speed_bytes;
            let chunk = rate.map_or(CHUNK_BYTES, |rate| (rate / 10).clamp(16 << 10, CHUNK_BYTES));
            let chunk = chunk.min(copying.left_bytes);
            let moved = self.task.blocking(move || copying.step(chunk)).await?;
            copying = match moved {
                Ok(copying) => copying,
                Err(error) => return Err(self.meaning(error).await),
            };
            if copying.upload.is_some() {
                *counted += chunk;
                self.task.throttle(chunk).await?;
            } else if self.task.stop.is_cancelled() {
                return Err(Halt::Stopped.into());
            }
        }
        Ok(copying)
    }

    /// Compares the hash and gives the file its final name.
    async fn place(&self, copying: Copying, id: Option<BlobId>, why: &str) -> Result<(), Failure> {
        let Copying { upload, hasher, .. } = copying;
        if let (Some(id), Some(hasher)) = (id, hasher)
            && hasher.finish() != id
        {
            return Err(Failure::Item(Code::HashMismatch, why.to_owned()));
        }
        let Some(upload) = upload else { return Ok(()) };
        let finished = self.task.blocking(move || upload.finish()).await?;
        self.judged(finished).await
    }

    /// Hashes what the destination holds now.
    async fn read_back(&self, key: &RepoKey, item: &Item, id: BlobId) -> Result<(), Failure> {
        let (sides, repo, path) = (self.sides.clone(), key.clone(), item.path.clone());
        let opened = self.task.blocking(move || sides.to().open(&repo, &path)).await?;
        let Some((reader, bytes)) = self.judged(opened).await? else {
            return Err(Failure::Item(
                Code::DiskError,
                "it went away at the destination".to_owned(),
            ));
        };
        let copying = Copying {
            reader,
            upload: None,
            hasher: Some(BlobHasher::new(id, item.size_bytes)),
            left_bytes: bytes.min(item.size_bytes),
            unflushed_bytes: 0,
        };
        let copying = self.pass(copying, &mut 0).await?;
        self.place(
            copying,
            Some(id),
            "the destination gave other bytes back than were written",
        )
        .await
    }

    async fn snapshot(&mut self, key: &RepoKey, commit: &str) -> Result<Done, Failure> {
        let (sides, repo, commit) = (self.sides.clone(), key.clone(), commit.to_owned());
        let pointed = self.task.blocking(move || {
            let (ours, theirs) = (sides.from().listing(&repo)?, sides.to().listing(&repo)?);
            let Some(pointers) = ours.pointers.get(&commit) else {
                return Ok(false);
            };
            if !pointers.values().all(|blob| theirs.blobs.contains_key(blob)) {
                return Ok(false);
            }
            let pointers: Vec<(&str, &str)> =
                pointers.iter().map(|(path, blob)| (&**path, &**blob)).collect();
            sides.to().point(&repo, &pointers)?;
            Ok(true)
        });
        Ok(match self.judged(pointed.await?).await? {
            true => Done::Yes,
            false => Done::Gone("it changed at the source meanwhile".to_owned()),
        })
    }

    async fn refs(&mut self, key: &RepoKey) -> Result<Done, Failure> {
        // Everything that a ref makes known has to be durable before it.
        self.settle().await?;
        let (sides, repo) = (self.sides.clone(), key.clone());
        let written = self.task.blocking(move || {
            let (ours, theirs) = (sides.from().listing(&repo)?, sides.to().listing(&repo)?);
            let whole = |commit: &String| {
                let ours = ours.pointers.get(commit);
                ours.is_some_and(|ours| has_all(&theirs, commit, ours))
            };
            let refs: Vec<(&str, &str)> = ours
                .refs
                .iter()
                .filter(|(_, commit)| whole(commit))
                .map(|(name, commit)| (&**name, &**commit))
                .collect();
            sides.to().write_refs(&repo, &refs)?;
            Ok(refs.len() == ours.refs.len())
        });
        Ok(match self.judged(written.await?).await? {
            true => Done::Yes,
            false => Done::Gone("a ref changed at the source meanwhile".to_owned()),
        })
    }

    async fn delete(&mut self, key: &RepoKey) -> Result<Done, Failure> {
        let (sides, repo) = (self.sides.clone(), key.clone());
        let removed = self.task.blocking(move || {
            sides.from().check()?;
            if !sides.from().listing(&repo)?.is_empty() {
                return Ok(false);
            }
            sides.to().remove(&repo)?;
            Ok(true)
        });
        Ok(match self.judged(removed.await?).await? {
            true => Done::Yes,
            false => Done::Gone("the source has it again".to_owned()),
        })
    }

    async fn judged<T>(&self, result: Result<T, MirrorError>) -> Result<T, Failure> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.meaning(error).await),
        }
    }

    /// Whether an error concerns one item or the whole run: a disk that was pulled out shows as
    /// any error, and then every item would fail.
    async fn meaning(&self, error: MirrorError) -> Failure {
        let sides = self.sides.clone();
        let check = self.task.blocking(move || sides.remote.check()).await;
        match (check, error.code) {
            (Ok(Err(gone)), _) => Failure::Halt(halt(gone)),
            (_, Code::NotMounted | Code::DiskFull | Code::DiskReadOnly) => Failure::Halt(halt(error)),
            (_, code) => Failure::Item(code, error.text),
        }
    }
}

enum Begun {
    Unchanged,
    Gone,
    Copy(Box<dyn Read + Send>, Box<dyn Upload>),
}

/// Whether a place has every pointer of a commit.
fn has_all(place: &Listing, commit: &str, pointers: &BTreeMap<String, String>) -> bool {
    let theirs = place.pointers.get(commit);
    let mut all = pointers.iter();
    theirs.is_some_and(|theirs| all.all(|(path, blob)| theirs.get(path) == Some(blob)))
}

/// The repo of an item; a plan names only repos with an owner.
fn key_of(item: &Item) -> Option<RepoKey> {
    let id = item.repo.id().parse().ok()?;
    Some((item.repo.repo_type(), id))
}
