//! The hash follower: reads the contiguous front of a part from the page cache.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use tokio_util::sync::CancellationToken;

use crate::disk::{DiskError, hash_file_watched};
use crate::model::code::Code;
use crate::model::repo::BlobId;

use super::{HASH_BLOCK_BYTES, LivePart};

impl LivePart {
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
}
