//! An open part file with its marks: the invariant of the engine lives here.
//!
//! `hashed ≤ contiguous`, `synced ≤ written`, and a row never says more than the disk holds:
//! the hash state and the marks are taken before `fdatasync`, and are recorded after it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use crate::disk::{BlobHasher, DiskError, Identity, Opened, PartFile, hash_file_watched};
use crate::model::code::Code;
use crate::model::repo::BlobId;
use crate::model::segment::{Layout, Segment, cut};
use crate::model::state::FileState;
use crate::store::{Part, PartIdentity, Store, StoreError, SyncedPart, WrittenMark};

use super::attempt::FileError;
use super::checkpoint::Checkpointer;
use super::meter::Meter;

/// Unsynced bytes of one part that start a sync (`reliability.md` §2: any interval is free at
/// LAN speed, so it is chosen for the bound).
const SYNC_BYTES: u64 = 32 << 20;
/// Unsynced bytes at which its writers wait: the bound after a loss of power.
const UNSYNCED_MAX_BYTES: u64 = 64 << 20;
/// Longest time between two syncs of a part that receives bytes.
const SYNC_PACE: Duration = Duration::from_secs(5);
/// Read size of the hash follower: small enough for a core's own cache.
const HASH_BLOCK_BYTES: usize = 256 << 10;

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

/// How a part is to be filled.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Connections that a new file is cut for.
    pub connections: usize,
    /// Whether one stream from the first byte is all that the source serves.
    pub single_stream: bool,
    /// Whether its hash is computed.
    pub verify: bool,
}

/// A part file that a run writes to.
pub struct LivePart {
    /// Key of its row.
    pub id: i64,
    /// The content it will have.
    pub blob: BlobId,
    /// Full length in bytes.
    pub size_bytes: u64,
    /// The run that writes it, with the right under which its marks are recorded.
    meter: Arc<Meter>,
    /// Rows of the files that will have this content.
    files: Vec<i64>,
    folder: String,
    identity: PartIdentity,
    file: PartFile,
    layout: Mutex<Layout>,
    /// `None` when the job does not verify.
    hasher: Option<Mutex<BlobHasher>>,
    /// Whether the hash goes on from a saved state.
    pub hash_was_resumed: bool,
    /// Bytes the hash follower may read, and whether it should end.
    front: Mutex<(u64, bool)>,
    front_moved: Condvar,
    sync_due: Notify,
    sync_turn: tokio::sync::Mutex<()>,
    /// Whether a sync failed. Locked while one runs, even if nobody waits for its answer any more:
    /// the kernel reports a failed write-back once, so that no later success may hide it.
    sync_failed: Mutex<bool>,
    room: Notify,
    closed: AtomicBool,
}

impl LivePart {
    /// Takes over an opened part file: believes of the stored marks what may be believed, and
    /// stores what holds now before any byte is written.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn open(
        store: &Store,
        meter: &Arc<Meter>,
        files: Vec<i64>,
        folder: String,
        blob: BlobId,
        opened: Opened,
        how: How,
    ) -> Result<Self, StoreError> {
        let size_bytes = opened.file.size_bytes();
        let identity = identity_of(&opened.identity);
        let stored = store
            .part(&folder, blob)
            .await?
            .filter(|part| part.size_bytes == size_bytes);
        let (segments, hasher) = match stored {
            Some(part) if !opened.created => believed(part, &identity, blob, size_bytes),
            _ => (cut(size_bytes, how.connections), None),
        };
        let mut layout = Layout::new(segments);
        if how.single_stream {
            layout = layout.joined(size_bytes);
        }
        let hash_was_resumed = hasher.is_some();
        let hasher = how
            .verify
            .then(|| hasher.unwrap_or_else(|| BlobHasher::new(blob, size_bytes)));
        let state = hasher
            .as_ref()
            .map(|hasher| (hasher.save(), hasher.hashed_bytes()));
        let state = state.as_ref().map(|(state, bytes)| (state.as_slice(), *bytes));
        let id = store
            .put_part(
                &meter.lease,
                &folder,
                blob,
                size_bytes,
                &identity,
                state,
                layout.segments(),
            )
            .await?;
        Ok(Self {
            id,
            blob,
            size_bytes,
            meter: meter.clone(),
            files,
            folder,
            identity,
            file: opened.file,
            front: Mutex::new((layout.contiguous_bytes(), false)),
            layout: Mutex::new(layout),
            hasher: hasher.map(Mutex::new),
            hash_was_resumed,
            front_moved: Condvar::new(),
            sync_due: Notify::new(),
            sync_turn: tokio::sync::Mutex::new(()),
            sync_failed: Mutex::new(false),
            room: Notify::new(),
            closed: AtomicBool::new(false),
        })
    }

    /// Hands out the frontmost free segment.
    pub fn take(&self) -> Option<(usize, Segment)> {
        self.lock().take()
    }

    /// Whether a connection would find something to fetch.
    pub fn has_work(&self) -> bool {
        self.lock().has_work()
    }

    /// Gives a segment back.
    pub fn give_back(&self, index: usize) {
        self.lock().give_back(index);
    }

    /// Bytes in the part.
    pub fn written_bytes(&self) -> u64 {
        self.lock().written_bytes()
    }

    /// Tells the meter how far the files of this content are.
    pub fn report(&self) {
        let (written, state) = {
            let layout = self.lock();
            let state = if layout.is_written() {
                FileState::Verifying
            } else {
                FileState::Downloading
            };
            (layout.written_bytes(), state)
        };
        self.files
            .iter()
            .for_each(|&id| self.meter.file(id, written, state));
    }

    /// Whether every byte is written.
    pub fn is_written(&self) -> bool {
        self.lock().is_written()
    }

    /// Writes the next bytes of a segment and moves its mark.
    ///
    /// # Errors
    /// What the disk says; the mark does not move then. A file that was deleted or cut is found
    /// here: later writes would give it its length back, with a hole that the hash, taken
    /// before, knows nothing of.
    pub fn write(
        &self,
        index: usize,
        offset: u64,
        bytes: &[u8],
        checkpoint: &Checkpointer,
    ) -> Result<(), FileError> {
        if !self.file.is_intact() {
            return Err(self.gone());
        }
        self.file
            .write_at(bytes, offset)
            .map_err(|error| FileError::disk(&error))?;
        let (contiguous, unsynced) = {
            let mut layout = self.lock();
            layout.advance(index, bytes.len() as u64);
            (layout.contiguous_bytes(), layout.unsynced_bytes())
        };
        {
            let mut front = self.lock_front();
            // A wake-up for each chunk would cost more than the hashing of it.
            if contiguous >= front.0 + HASH_BLOCK_BYTES as u64 || contiguous == self.size_bytes {
                front.0 = contiguous;
                self.front_moved.notify_one();
            }
        }
        checkpoint.wrote(bytes.len() as u64);
        if unsynced >= SYNC_BYTES {
            self.sync_due.notify_one();
        }
        Ok(())
    }

    /// Waits while more than 64 MiB are unsynced.
    pub async fn room(&self) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.closed.load(Relaxed) || self.lock().unsynced_bytes() < UNSYNCED_MAX_BYTES {
                return;
            }
            self.sync_due.notify_one();
            room.await;
        }
    }

    /// Marks that moved since the last call, for the checkpointer.
    pub fn drain_marks(&self) -> Vec<WrittenMark> {
        let moved = self.lock().drain_moved();
        let mark = |(start_bytes, written_bytes)| WrittenMark {
            part_id: self.id,
            start_bytes,
            written_bytes,
            lease: self.meter.lease.clone(),
        };
        moved.into_iter().map(mark).collect()
    }

    /// Syncs whenever enough is unsynced, until the part is closed.
    ///
    /// # Errors
    /// As [`sync`](Self::sync); nothing may be published from this part then.
    pub async fn sync_as_it_grows(
        self: &Arc<Self>,
        store: &Store,
        checkpoint: &Checkpointer,
    ) -> Result<(), FileError> {
        loop {
            // Whichever is first; a timer that finds nothing unsynced costs nothing.
            let _ = tokio::time::timeout(SYNC_PACE, self.sync_due.notified()).await;
            if self.closed.load(Relaxed) {
                return Ok(());
            }
            if let Err(error) = self.sync(store, checkpoint).await {
                self.close();
                return Err(error);
            }
        }
    }

    /// Brings what is written to the disk, then records it: one sync at a time.
    ///
    /// # Errors
    /// A failed `fdatasync` is final for everything since the last good one: the written marks
    /// fall back to the synced ones in the database before this returns.
    pub async fn sync(self: &Arc<Self>, store: &Store, checkpoint: &Checkpointer) -> Result<(), FileError> {
        let _turn = self.sync_turn.lock().await;
        // First the hash, then the marks: what is hashed lies within the marks.
        let hash = self.hasher.as_ref().map(|hasher| {
            let hasher = hasher.lock().unwrap_or_else(PoisonError::into_inner);
            (hasher.save(), hasher.hashed_bytes())
        });
        let marks = self.lock().marks();
        if marks.is_empty() {
            return Ok(());
        }
        let part = self.clone();
        let synced = tokio::task::spawn_blocking(move || part.sync_file())
            .await
            .map_err(FileError::internal)?;
        match synced {
            Ok(true) => {}
            Ok(false) => return Err(self.gone()),
            Err(error) => {
                self.distrust(store).await?;
                return Err(FileError::disk(&error));
            }
        }
        let starts = {
            let layout = self.lock();
            marks
                .iter()
                .map(|&(index, mark)| (layout.segments()[index].start, mark))
                .collect()
        };
        let proof = SyncedPart {
            part_id: self.id,
            marks: starts,
            hash,
            lease: self.meter.lease.clone(),
        };
        checkpoint.synced(proof).await.map_err(FileError::store)?;
        self.lock().synced(&marks);
        self.room.notify_waiters();
        Ok(())
    }

    fn gone(&self) -> FileError {
        FileError::Gone(format!(
            "{} was deleted or cut by another program",
            self.path().display()
        ))
    }

    /// `fdatasync`; whether the file still is what was written. Blocks.
    fn sync_file(&self) -> Result<bool, DiskError> {
        let mut failed = self.sync_failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(DiskError {
                code: Code::DiskError,
                doing: "sync",
                path: self.path(),
                source: std::io::Error::other("an earlier sync of it failed"),
            });
        }
        self.file.sync().inspect_err(|_| *failed = true)?;
        Ok(self.file.is_intact())
    }

    /// Lets the stored written marks fall back to the synced ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn distrust(&self, store: &Store) -> Result<(), FileError> {
        let segments: Vec<_> = self
            .lock()
            .segments()
            .iter()
            .map(|s| Segment {
                written: s.synced,
                ..*s
            })
            .collect();
        store
            .put_part(
                &self.meter.lease,
                &self.folder,
                self.blob,
                self.size_bytes,
                &self.identity,
                None,
                &segments,
            )
            .await
            .map_err(FileError::store)?;
        Ok(())
    }

    /// Hashes the contiguous front as it grows; blocks its thread until the whole file is
    /// hashed or the part is closed. Returns the id of the content when it got to the end.
    ///
    /// # Errors
    /// What reading reports.
    pub fn follow(&self) -> Result<Option<BlobId>, DiskError> {
        let Some(hasher) = &self.hasher else {
            return Ok(None);
        };
        let lock = || hasher.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = vec![0; HASH_BLOCK_BYTES];
        let mut at = lock().hashed_bytes();
        while at < self.size_bytes {
            let Some(front) = self.wait_for_front(at) else {
                return Ok(None);
            };
            while at < front {
                if self.closed.load(Relaxed) {
                    return Ok(None);
                }
                let wanted = buffer.len().min((front - at) as usize);
                let got = self.file.read_at(&mut buffer[..wanted], at)?;
                if got == 0 {
                    return Ok(None);
                }
                lock().update(&buffer[..got]);
                at += got as u64;
            }
        }
        Ok(Some(lock().clone().finish()))
    }

    /// Hashes the whole file from the disk, whatever any saved state says; `None` when it was
    /// stopped. Blocks.
    ///
    /// # Errors
    /// What reading reports.
    pub fn hash_again(&self, stop: &CancellationToken) -> Result<Option<BlobId>, DiskError> {
        let go_on = |_| {
            if stop.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let hashed = hash_file_watched(self.file.as_file(), self.blob, self.size_bytes, go_on);
        hashed.map_err(|source| DiskError {
            code: Code::DiskError,
            doing: "hash",
            path: self.file.path(),
            source,
        })
    }

    /// Ends the follower and the sync loop; writers no longer wait for room.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        self.lock_front().1 = true;
        self.front_moved.notify_all();
        self.sync_due.notify_one();
        self.room.notify_waiters();
    }

    /// Where the part file lies.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// Deletes the row, then the file.
    ///
    /// # Errors
    /// What database or disk report.
    pub async fn discard(&self, store: &Store) -> Result<(), FileError> {
        store
            .forget_part(&self.folder, self.blob)
            .await
            .map_err(FileError::store)?;
        match std::fs::remove_file(self.file.path()) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::disk(&DiskError {
                    code: Code::DiskError,
                    doing: "remove",
                    path: self.file.path(),
                    source,
                }))
            }
            _ => Ok(()),
        }
    }

    /// Waits until more than `at` bytes are contiguous; `None` when the part is closed.
    fn wait_for_front(&self, at: u64) -> Option<u64> {
        let mut front = self.lock_front();
        loop {
            if front.0 > at {
                return Some(front.0);
            }
            if front.1 {
                return None;
            }
            front = self
                .front_moved
                .wait(front)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Layout> {
        self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_front(&self) -> MutexGuard<'_, (u64, bool)> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity_of(identity: &Identity) -> PartIdentity {
    // SQLite's integers are signed; the bits are what counts.
    PartIdentity {
        boot_id: identity.boot_id.clone(),
        mount_id: identity.mount_id as i64,
        device: identity.device as i64,
        inode: identity.inode as i64,
    }
}

/// What stored marks are worth: `written` for the same boot, mount and file, `synced` after
/// another boot or mount, nothing for another file in the place of ours; the hash state as far as
/// it lies within them.
fn believed(
    part: Part,
    identity: &PartIdentity,
    blob: BlobId,
    size_bytes: u64,
) -> (Vec<Segment>, Option<BlobHasher>) {
    let same = part.identity == *identity;
    let replaced = !same
        && PartIdentity {
            inode: identity.inode,
            ..part.identity.clone()
        } == *identity;
    if replaced {
        return (cut(size_bytes, 1), None);
    }
    let segments: Vec<_> = part
        .segments
        .into_iter()
        .map(|segment| Segment {
            written: if same { segment.written } else { segment.synced },
            ..segment
        })
        .collect();
    let layout = Layout::new(segments.clone());
    if !layout.covers(size_bytes) {
        return (cut(size_bytes, 1), None);
    }
    let hasher = part
        .hash_state
        .and_then(|state| BlobHasher::restore(blob, size_bytes, &state))
        .filter(|hasher| hasher.hashed_bytes() <= layout.contiguous_bytes());
    (segments, hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(boot: &str, hashed: u64) -> (Part, PartIdentity, BlobId) {
        let blob: BlobId = "6555e0636e96d582be43f40b3e8b590de4609b7732580471b15a77f2c6c20279"
            .parse()
            .unwrap();
        let identity = PartIdentity {
            boot_id: "now".into(),
            mount_id: 1,
            device: 2,
            inode: 3,
        };
        let mut hasher = BlobHasher::new(blob, 20 << 20);
        hasher.update(&vec![0; hashed as usize]);
        let part = Part {
            id: 1,
            size_bytes: 20 << 20,
            identity: PartIdentity {
                boot_id: boot.into(),
                ..identity.clone()
            },
            hash_state: Some(hasher.save()),
            hashed_bytes: hashed,
            segments: vec![
                Segment {
                    start: 0,
                    length: 10 << 20,
                    written: 7 << 20,
                    synced: 5 << 20,
                },
                Segment {
                    start: 10 << 20,
                    length: 10 << 20,
                    written: 2 << 20,
                    synced: 0,
                },
            ],
        };
        (part, identity, blob)
    }

    #[test]
    fn written_marks_are_believed_by_the_same_boot_only() {
        let (part, identity, blob) = stored("now", 5 << 20);
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 9 << 20);
        assert!(hasher.is_some());
        let (part, identity, blob) = stored("before the power cut", 5 << 20);
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 5 << 20);
        assert!(hasher.is_some());
    }

    #[test]
    fn no_mark_is_believed_of_another_file_in_the_same_place() {
        let (part, mut identity, blob) = stored("now", 5 << 20);
        identity.inode += 1;
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 0);
        assert!(hasher.is_none());
    }

    #[test]
    fn a_hash_state_beyond_the_believed_marks_is_dropped() {
        let (part, identity, blob) = stored("before the power cut", 6 << 20);
        assert!(believed(part, &identity, blob, 20 << 20).1.is_none());
    }

    #[test]
    fn segments_that_do_not_cover_the_file_are_begun_anew() {
        let (mut part, identity, blob) = stored("now", 0);
        part.segments.pop();
        let (segments, _) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 0);
    }
}
