//! A file on its way to a place.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use super::error::MirrorError;
use crate::files::{DiskError, Folder};

/// A file that is being written under a temporary name. Dropped before it is finished, it goes.
/// A flush brings what was written so far to the disk.
pub trait Upload: Write + Send {
    /// Syncs the content and gives it its final name, in place of what has that name.
    ///
    /// # Errors
    /// What the system reports; then nothing of it is left.
    fn finish(self: Box<Self>) -> Result<(), MirrorError>;
}

/// An [`Upload`] into a directory.
pub(super) struct DirUpload {
    pub file: File,
    /// Where the temporary file lies, and how it is called.
    pub staging: Folder,
    pub temporary: String,
    /// Where it goes.
    pub folder: Folder,
    pub name: String,
    pub finished: bool,
}

impl Write for DirUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Upload for DirUpload {
    fn finish(mut self: Box<Self>) -> Result<(), MirrorError> {
        self.file
            .sync_data()
            .map_err(|error| DiskError::new("sync", self.folder.path().join(&self.name), error))?;
        // What is read back to be verified has to come from the disk. A hint: it may be ignored.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(self.file.as_fd(), 0, None, rustix::fs::Advice::DontNeed);
        self.staging.rename(&self.temporary, &self.folder, &self.name)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for DirUpload {
    fn drop(&mut self) {
        if !self.finished {
            self.staging.discard(&self.temporary);
        }
    }
}
