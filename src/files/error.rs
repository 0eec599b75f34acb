//! The one error of this floor: what was being done, to which path, and why it failed.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::code::Code;

/// A file operation that failed. Displays as one sentence that names path and cause.
#[derive(Debug, thiserror::Error)]
#[error("Could not {doing} {}: {source}", .path.display())]
pub struct DiskError {
    /// `disk_full` for a full volume or quota, `disk_read_only` for missing rights or a
    /// read-only volume, `disk_error` for everything else.
    pub code: Code,
    /// The verb of the sentence, such as `write` or `create the folder`.
    pub doing: &'static str,
    /// The file or folder concerned.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl DiskError {
    pub(crate) fn new(doing: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        Self {
            code: code_of(&source),
            doing,
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// An error that no system call reported: the entry is not what it has to be.
    pub(crate) fn unexpected(doing: &'static str, path: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(
            doing,
            path,
            io::Error::new(io::ErrorKind::InvalidData, why.into()),
        )
    }

    /// Whether the file or folder is simply not there (any more).
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// The word for an I/O error. Errno values: `errno(3)`; a quota counts as a full volume,
/// because the way out is the same.
pub(crate) fn code_of(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Code::DiskReadOnly,
        _ => Code::DiskError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn each_errno_becomes_the_code_that_tells_the_way_out() {
        for (errno, code) in [
            (Errno::NOSPC, Code::DiskFull),
            (Errno::DQUOT, Code::DiskFull),
            (Errno::ROFS, Code::DiskReadOnly),
            (Errno::ACCESS, Code::DiskReadOnly),
            (Errno::PERM, Code::DiskReadOnly),
            (Errno::IO, Code::DiskError),
            (Errno::NOENT, Code::DiskError),
        ] {
            assert_eq!(DiskError::new("write", "x", errno).code, code, "{errno:?}");
        }
    }

    #[test]
    fn the_sentence_names_path_and_cause() {
        let text = DiskError::new("write", "/cache/x.part", Errno::NOSPC).to_string();
        assert!(
            text.starts_with("Could not write /cache/x.part: No space left"),
            "{text}"
        );
    }
}
