//! What the parsers of binary weight headers share: limits, answers, errors.
//!
//! The parsers see only the front of a file and never allocate by a number they read:
//! a lie in a header costs at most [`MAX_HEADER_BYTES`] of reading.

use super::gguf_header::GgufHeader;
use super::safetensors_header::SafetensorsHeader;

/// A header longer than this is refused: 16 MiB. The longest met, of Gemma 4, has 15.8 MB.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;

/// What came out of the front of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<T> {
    /// The header is complete.
    Done(T),
    /// The header goes on: call again with (at least) so many bytes from the start of the file.
    /// More than was given, at most the file's length and [`MAX_HEADER_BYTES`].
    NeedMore(u64),
}

/// Why a header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The file is of another format or of a version that is not read.
    #[error("not a header that can be read: {0}")]
    Unsupported(String),
    /// The header contradicts itself or the length of the file.
    #[error("the header is damaged: {0}")]
    Damaged(String),
    /// The header is longer than [`MAX_HEADER_BYTES`].
    #[error("the header is longer than {MAX_HEADER_BYTES} bytes")]
    TooLarge,
}

pub(super) fn damaged<T>(why: impl Into<String>) -> Result<T, HeaderError> {
    Err(HeaderError::Damaged(why.into()))
}

/// Exact facts read from the header of one weight file.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderFacts {
    /// From a `.gguf` file.
    Gguf(GgufHeader),
    /// From a `.safetensors` file.
    Safetensors(SafetensorsHeader),
}
