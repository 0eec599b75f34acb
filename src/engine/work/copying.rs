//! One content on its way from one place of a mirror job to the other, piece by piece.

use std::io::{Read, Write};

use crate::disk::BlobHasher;
use crate::mirror::{MirrorError, Upload};
use crate::model::code::Code;

/// Written bytes after which the disk has to take them: what a sync at the end would wait for.
const FLUSH_BYTES: u64 = 64 << 20;

/// A content between its two ends.
pub(super) struct Copying {
    /// Where it is read.
    pub reader: Box<dyn Read + Send>,
    /// `None` when the content is only read back.
    pub upload: Option<Box<dyn Upload>>,
    /// `None` when it is not to be hashed.
    pub hasher: Option<BlobHasher>,
    /// Bytes to go.
    pub left_bytes: u64,
    /// Bytes that the disk was not told to take yet.
    pub unflushed_bytes: u64,
}

impl Copying {
    /// Moves the next `bytes`. Blocks.
    pub fn step(mut self, bytes: u64) -> Result<Self, MirrorError> {
        let failed = |code, doing: &str, error: &std::io::Error| MirrorError {
            code,
            text: format!("Could not {doing}: {error}"),
        };
        let mut buffer = vec![0; bytes as usize];
        self.reader
            .read_exact(&mut buffer)
            .map_err(|error| failed(Code::DiskError, "read the content", &error))?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer);
        }
        if let Some(upload) = &mut self.upload {
            self.unflushed_bytes += bytes;
            let flushed = self.unflushed_bytes >= FLUSH_BYTES;
            let written = upload
                .write_all(&buffer)
                .and_then(|()| if flushed { upload.flush() } else { Ok(()) });
            if flushed {
                self.unflushed_bytes = 0;
            }
            written.map_err(|error| {
                let code = crate::files::error::code_of(&error);
                failed(code, "write the content", &error)
            })?;
        }
        self.left_bytes -= bytes;
        Ok(self)
    }
}
