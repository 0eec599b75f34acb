//! The hash follower: reads the contiguous front of a part from the page cache.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::disk::{BlobHasher, DiskError, hash_file_watched};
use crate::model::code::Code;
use crate::model::repo::BlobId;

use super::super::attempt::FileError;
use super::{HASH_BLOCK_BYTES, LivePart};

impl LivePart {
    /// Hashes the contiguous front as it grows, until the whole file is hashed or the part is
    /// closed. Returns the id of the content when it got to the end. Takes a thread that may wait
    /// for the reading alone, and none while nothing comes.
    ///
    /// # Errors
    /// What reading reports.
    pub async fn follow(self: Arc<Self>) -> Result<Option<BlobId>, FileError> {
        let Some(hasher) = &self.hasher else {
            return Ok(None);
        };
        let mut at = lock(hasher).hashed_bytes();
        let mut buffer = vec![0; HASH_BLOCK_BYTES];
        while at < self.size_bytes {
            if !self.front_beyond(at).await {
                return Ok(None);
            }
            let part = self.clone();
            let piece = tokio::task::spawn_blocking(move || {
                let hashed = part.hash_to_front(at, &mut buffer);
                (hashed, buffer)
            });
            let hashed;
            (hashed, buffer) = piece.await.map_err(FileError::task)?;
            match hashed.map_err(|error| FileError::disk(&error))? {
                Some(reached) => at = reached,
                None => return Ok(None),
            }
        }
        Ok(Some(lock(hasher).clone().finish()))
    }

    /// Hashes from `at` until it has caught up with the front; how far that is, or `None` when the
    /// part is closed or cut. Blocks.
    fn hash_to_front(&self, mut at: u64, buffer: &mut [u8]) -> Result<Option<u64>, DiskError> {
        let Some(hasher) = &self.hasher else {
            return Ok(None);
        };
        loop {
            let front = self.lock_front().0;
            if at >= front {
                return Ok(Some(at));
            }
            if self.closed.load(Relaxed) {
                return Ok(None);
            }
            let wanted = buffer.len().min((front - at) as usize);
            let got = self.file.read_at(&mut buffer[..wanted], at)?;
            if got == 0 {
                return Ok(None);
            }
            lock(hasher).update(&buffer[..got]);
            at += got as u64;
        }
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

    /// Waits until more than `at` bytes are contiguous; `false` when the part is closed.
    async fn front_beyond(&self, at: u64) -> bool {
        loop {
            let (front, closed) = *self.lock_front();
            if front > at {
                return true;
            }
            if closed {
                return false;
            }
            // A move between the look and here has left its word: only the follower waits for it.
            self.front_moved.notified().await;
        }
    }
}

fn lock(hasher: &Mutex<BlobHasher>) -> MutexGuard<'_, BlobHasher> {
    hasher.lock().unwrap_or_else(PoisonError::into_inner)
}
