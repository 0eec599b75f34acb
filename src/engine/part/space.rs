//! Space on the disk for a part: allocated while the first bytes are on their way, and given back
//! when the part has to wait for room.

use std::sync::atomic::Ordering::Relaxed;

use tokio_util::sync::CancellationToken;

use crate::disk::DiskError;
use crate::model::code::Code;
use crate::store::Store;

use super::LivePart;
use crate::engine::attempt::FileError;

/// Changes of what is missing that are too small to be told to everybody.
const TOLD_BYTES: u64 = 1 << 20;

impl LivePart {
    /// Tells the reservation of the job what the part has no space for now; `allocated_bytes` is
    /// what it takes on the disk. Where nothing is allocated in front that falls as bytes are
    /// written, and where content is stored smaller than it is, what is written needs no more.
    pub(super) fn tell_space(&self, allocated_bytes: u64) {
        let told = self.lacking_bytes.load(Relaxed);
        if told == 0 {
            return;
        }
        let unwritten = self.size_bytes - self.written_bytes();
        let lacking = unwritten.min(self.size_bytes.saturating_sub(allocated_bytes));
        if lacking == 0 || lacking.abs_diff(told) >= TOLD_BYTES {
            self.lacking_bytes.store(lacking, Relaxed);
            self.reserved
                .part_lacks(self.meter.lease.job_seq(), self.blob, lacking);
        }
    }

    /// Gives the whole file real space, until `stop`, the end of the work on it, or its last byte.
    /// Blocks.
    ///
    /// # Errors
    /// `disk_full` when there is none; nothing is lost then.
    pub fn allocate(&self, stop: &CancellationToken) -> Result<(), DiskError> {
        if self.unallocated_bytes == 0 {
            return Ok(());
        }
        self.file.allocate(|| {
            self.look_at_space();
            !stop.is_cancelled() && !self.closed.load(Relaxed) && !self.is_written()
        })?;
        self.look_at_space();
        Ok(())
    }

    fn look_at_space(&self) {
        if let Some(bytes) = self.file.allocated_bytes() {
            self.tell_space(bytes);
        }
    }

    /// Gives the space of bytes back that did not come yet, so that others have it while this part
    /// waits. Nobody may be writing. Blocks.
    pub fn free_unwritten(&self) {
        for segment in self.lock().segments() {
            let end = segment.start + segment.length;
            let at = segment.start + segment.written;
            self.file.free(at, end - at);
        }
    }

    /// Deletes the file, then the row: a row without a file is void, a file without a row is never
    /// found.
    ///
    /// # Errors
    /// What database or disk report.
    pub async fn discard(&self, store: &Store) -> Result<(), FileError> {
        match std::fs::remove_file(self.file.path()) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(FileError::disk(&DiskError {
                    code: Code::DiskError,
                    doing: "remove",
                    path: self.file.path(),
                    source,
                }));
            }
            _ => {}
        }
        store
            .forget_part(&self.folder, self.blob)
            .await
            .map_err(FileError::store)
    }
}
