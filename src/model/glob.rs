//! Patterns of whole paths.

use globset::{GlobBuilder, GlobMatcher};

use super::filter::MAX_PATTERN_CHARS;
use super::repo::shown;

/// A pattern of whole paths: `*` crosses `/`, in any case; a folder with `/` at its end stands for
/// all that it holds.
#[derive(Debug, Clone)]
pub struct Glob(GlobMatcher);

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence when it is too long or no pattern, such as a lone bracket.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_PATTERN_CHARS {
            return Err(format!(
                "\"{}\" is longer than {MAX_PATTERN_CHARS} characters",
                shown(text)
            ));
        }
        let whole = if text.ends_with('/') {
            format!("{text}*")
        } else {
            text.to_owned()
        };
        let glob = GlobBuilder::new(&whole)
            .case_insensitive(true)
            .literal_separator(false)
            .backslash_escape(false)
            .build()
            .map_err(|error| format!("\"{}\" is no pattern: {}", shown(text), error.kind()))?;
        Ok(Self(glob.compile_matcher()))
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}
