//! Text that must not be seen: the Hub token, passwords.

use std::fmt;

use zeroize::Zeroizing;

/// A secret. Its `Debug` text hides it, it has no `Display` and no `Serialize`, and its memory
/// is wiped when it is dropped; whoever needs the text asks for it by [`Secret::expose`], which
/// is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// What stands before the last characters of a masked secret.
pub const MASK: &str = "********";

impl Secret {
    /// Takes the text as it is; blanks may be part of a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that sends or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `********` and the last four characters; those only when there are more than eight, so
    /// that at least half of a short secret stays hidden.
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        let shown = if count > 8 { 4 } else { 0 };
        let tail: String = self.0.chars().skip(count - shown).collect();
        format!("{MASK}{tail}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_masked_whole_and_a_long_one_shows_four_characters() {
        for (secret, masked) in [
            ("hf_abcdefmnop", "********mnop"),
            ("ünïcödé-wörd", "********wörd"),
            ("12345678", "********"),
            ("123456789", "********6789"),
            ("a", "********"),
        ] {
            assert_eq!(Secret::new(secret).masked(), masked);
        }
        assert!(!format!("{:?}", Secret::new("hf_abc")).contains("hf_abc"));
    }
}
