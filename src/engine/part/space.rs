//! Space on the disk for a part: allocated while the first bytes are on their way, and given back
//! when the part has to wait for room.

use std::sync::atomic::Ordering::Relaxed;

use tokio_util::sync::CancellationToken;

use crate::disk::DiskError;

use super::LivePart;

impl LivePart {
    /// Gives the whole file real space, until `stop`, the end of the work on it, or its last byte.
    /// Blocks.
    ///
    /// # Errors
    /// `disk_full` when there is none; nothing is lost then.
    pub fn allocate(&self, stop: &CancellationToken) -> Result<(), DiskError> {
        if self.unallocated_bytes == 0 {
            return Ok(());
        }
        self.file
            .allocate(|| !stop.is_cancelled() && !self.closed.load(Relaxed) && !self.is_written())
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
}
