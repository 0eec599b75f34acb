//! The one error of this floor.

use std::path::Path;

use crate::files::DiskError;
use crate::model::code::Code;

/// Something that failed at a place. Displays as one sentence that names it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct MirrorError {
    /// The word for it.
    pub code: Code,
    /// The sentence.
    pub text: String,
}

impl MirrorError {
    pub(super) fn not_mounted(path: &Path, why: &str) -> Self {
        Self {
            code: Code::NotMounted,
            text: format!("The target at {} is not mounted: {why}", path.display()),
        }
    }

    pub(super) fn unsafe_entry(path: &Path, why: &str) -> Self {
        Self {
            code: Code::UnsafePath,
            text: format!("{} is not safe to copy: {why}", path.display()),
        }
    }
}

impl From<DiskError> for MirrorError {
    fn from(error: DiskError) -> Self {
        Self {
            code: error.code,
            text: error.to_string(),
        }
    }
}
