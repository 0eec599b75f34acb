//! An open part file with its marks: the invariant of the engine lives here.
//!
//! `hashed ≤ contiguous`, `synced ≤ written`, and a row never says more than the disk holds:
//! the hash state and the marks are taken before `fdatasync`, and are recorded after it.

mod belief;
mod follow;
mod grip;
mod open;
mod relief;
mod slow;
mod space;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::disk::{BlobHasher, DiskError, PartFile};
use crate::model::code::Code;
use crate::model::repo::BlobId;
use crate::model::segment::{Layout, Segment, Taken};
use crate::model::state::FileState;
use crate::store::{PartIdentity, Store, SyncedPart, WrittenMark};

pub use belief::believed;
pub use grip::Held;

use super::attempt::FileError;
use super::checkpoint::Checkpointer;
use super::meter::Meter;
use super::space::Reservations;

/// Unsynced bytes of one part that start a sync (measured on ext4: any interval is free at
/// LAN speed, so it is chosen for the bound).
const SYNC_BYTES: u64 = 32 << 20;
/// Unsynced bytes at which its writers wait: the bound after a loss of power.
const UNSYNCED_MAX_BYTES: u64 = 64 << 20;
/// Longest time between two syncs of a part that receives bytes.
const SYNC_PACE: Duration = Duration::from_secs(5);
/// Read size of the hash follower: small enough for a core's own cache.
const HASH_BLOCK_BYTES: usize = 256 << 10;

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
    /// Bytes that had no space on the disk when it was opened.
    pub unallocated_bytes: u64,
    /// Bytes it has no space for yet, as the reservation of its job was last told.
    lacking_bytes: AtomicU64,
    reserved: Arc<Reservations>,
    /// The run that writes it, with the right under which its marks are recorded.
    meter: Arc<Meter>,
    /// Rows of the files that will have this content.
    files: Vec<i64>,
    folder: String,
    identity: PartIdentity,
    file: PartFile,
    layout: Mutex<Layout>,
    grips: slow::Grips,
    /// `None` when the job does not verify.
    hasher: Option<Mutex<BlobHasher>>,
    /// Whether the hash goes on from a saved state.
    pub hash_was_resumed: bool,
    /// Bytes the hash follower may read, and whether it should end.
    front: Mutex<(u64, bool)>,
    /// Held by the one who writes: two at a time would spin on the lock of the file in the kernel,
    /// which took a sixth of the CPU time of a download (16 connections, two cores, tmpfs).
    write_turn: tokio::sync::Mutex<()>,
    front_moved: Notify,
    sync_due: Notify,
    sync_turn: tokio::sync::Mutex<()>,
    /// Whether a sync failed. Locked while one runs, even if nobody waits for its answer any more:
    /// the kernel reports a failed write-back once, so that no later success may hide it.
    sync_failed: Mutex<bool>,
    room: Notify,
    closed: AtomicBool,
}

impl LivePart {
    /// Starts of the segments that a connection fills now.
    pub fn open_segments(&self) -> Vec<u64> {
        self.lock().taken_starts()
    }

    /// Whether a connection would find something to fetch.
    pub fn has_work(&self) -> bool {
        self.lock().has_work()
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

    /// Bytes of a segment that are still to come; `None` when another connection fetches it now.
    pub fn room_in(&self, held: &Held) -> Option<u64> {
        self.lock().room(held.taken.segment.start, held.taken.ticket)
    }

    /// Writes the next bytes of a segment, as far as it goes, and moves its mark. Returns how
    /// many are still to come; `None` when another connection has taken over.
    ///
    /// # Errors
    /// What the disk says; the mark does not move then. A file that was deleted or cut is found
    /// here: later writes would give it its length back, with a hole that the hash, taken
    /// before, knows nothing of.
    pub async fn write(
        &self,
        held: &Held,
        offset: u64,
        bytes: &[u8],
        checkpoint: &Checkpointer,
    ) -> Result<Option<u64>, FileError> {
        let _turn = self.write_turn.lock().await;
        let Some(allocated_bytes) = self.file.allocated_bytes() else {
            return Err(self.gone());
        };
        self.tell_space(allocated_bytes);
        let Taken { ticket, segment } = held.taken;
        let Some(room) = self.lock().room(segment.start, ticket) else {
            return Ok(None);
        };
        let bytes = &bytes[..bytes.len().min(room as usize)];
        self.file
            .write_at(bytes, offset)
            .map_err(|error| FileError::disk(&error))?;
        let (left, contiguous, unsynced) = {
            let mut layout = self.lock();
            // Who took over writes the same bytes to the same place.
            let Some(left) = layout.advance(segment.start, ticket, bytes.len() as u64) else {
                return Ok(None);
            };
            (left, layout.contiguous_bytes(), layout.unsynced_bytes())
        };
        held.wrote(bytes.len() as u64);
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
        Ok(Some(left))
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

    /// Whether it is the run of `meter` that fills it.
    pub fn is_of(&self, meter: &Arc<Meter>) -> bool {
        Arc::ptr_eq(&self.meter, meter)
    }

    /// The last marks were not recorded: the next drain brings all of them, as they are then.
    pub fn marks_were_lost(&self) {
        self.lock().move_all();
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
            .map_err(FileError::task)?;
        match synced {
            Ok(true) => {}
            Ok(false) => return Err(self.gone()),
            Err(error) => {
                self.distrust(store).await?;
                return Err(FileError::disk(&error));
            }
        }
        let proof = SyncedPart {
            part_id: self.id,
            marks: marks.clone(),
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

    /// Ends the follower and the sync loop; writers no longer wait for room.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        self.lock_front().1 = true;
        self.front_moved.notify_one();
        self.sync_due.notify_one();
        self.room.notify_waiters();
    }

    /// Where the part file lies.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    fn lock(&self) -> MutexGuard<'_, Layout> {
        self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_front(&self) -> MutexGuard<'_, (u64, bool)> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
