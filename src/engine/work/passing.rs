//! A content of the local disk on its way: read piece by piece, hashed, and written where it is
//! to be copied. A pause acts between two pieces.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::disk::BlobHasher;
use crate::disk::export::Copy;

use super::task::Task;
use crate::engine::attempt::Halt;

/// Bytes of one piece.
const PIECE_BYTES: usize = 4 << 20;
/// Written bytes after which the disk has to take them: what a sync at the end would wait for.
const FLUSH_BYTES: u64 = 64 << 20;
/// Longest rest between two pieces.
const REST_MAX: Duration = Duration::from_secs(1);

/// A content between its two ends.
pub(super) struct Passing {
    /// Where it is read, from its first byte.
    pub from: File,
    /// Where it goes; `None` when it is only to be hashed.
    pub to: Option<Copy>,
    /// `None` when it is not to be hashed.
    pub hasher: Option<BlobHasher>,
    /// Its length.
    pub size_bytes: u64,
    /// Used for each piece; any length to begin with.
    pub buffer: Vec<u8>,
}

impl Passing {
    /// Moves all bytes, and rests after each piece `rest` times as long as it took. What was
    /// counted as done is added to `counted`.
    ///
    /// # Errors
    /// [`Halt`] when the run has to end; inside, what reading or writing reports.
    pub async fn run(
        mut self,
        task: &Task,
        rest: u32,
        counted: &mut u64,
    ) -> Result<(Self, io::Result<()>), Halt> {
        let mut at = 0;
        let mut unflushed = 0;
        while at < self.size_bytes {
            let begun = Instant::now();
            let wanted = usize::try_from(self.size_bytes - at)
                .unwrap_or(PIECE_BYTES)
                .min(PIECE_BYTES);
            unflushed += wanted as u64;
            let flush = unflushed >= FLUSH_BYTES;
            if flush {
                unflushed = 0;
            }
            let (back, moved) = task.blocking(move || self.piece(at, wanted, flush)).await?;
            self = back;
            if moved.is_err() {
                return Ok((self, moved));
            }
            at += wanted as u64;
            *counted += wanted as u64;
            task.passed(wanted as u64)?;
            if rest > 0 {
                tokio::select! {
                    () = task.stop.cancelled() => return Err(Halt::Stopped),
                    () = tokio::time::sleep((begun.elapsed() * rest).min(REST_MAX)) => {}
                }
            }
        }
        Ok((self, Ok(())))
    }

    /// Moves one piece. Blocks.
    fn piece(mut self, at: u64, wanted: usize, flush: bool) -> (Self, io::Result<()>) {
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let buffer = &mut self.buffer[..wanted];
        let moved = self.from.read_exact_at(buffer, at).and_then(|()| {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(buffer);
            }
            let Some(to) = &mut self.to else { return Ok(()) };
            to.write_all(buffer)?;
            // Brings it to the disk.
            if flush { to.flush() } else { Ok(()) }
        });
        (self, moved)
    }
}
