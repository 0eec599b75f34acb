//! A text that must not be seen: a token or a password.

use std::fmt;

use zeroize::Zeroizing;

/// A token or password. It has no `Display`, no `Serialize`, a `Debug` that shows nothing,
/// and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret; surrounding white space (the newline of a token file) is dropped.
    /// `None` when nothing is left.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = Zeroizing::new(text.into());
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| Self(Zeroizing::new(trimmed.to_owned())))
    }

    /// The secret itself, for the one place that puts it on the wire or into the database.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What clients may see: `********`, and the last four characters only when the secret is
    /// longer than eight (`design.md` §5).
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        let tail = if count > 8 { count - 4 } else { count };
        let shown: String = self.0.chars().skip(tail).collect();
        format!("********{shown}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_secret_shows_its_end_and_none_shows_in_debug() {
        let mask = |text: &str| Secret::new(text).map(|secret| secret.masked());
        assert_eq!(mask("hf_abcdefgh1234").as_deref(), Some("********1234"));
        assert_eq!(mask("12345678").as_deref(), Some("********"));
        assert_eq!(mask("ünïcödé-wörd").as_deref(), Some("********wörd"));
        assert_eq!(mask(" \n"), None);
        let secret = Secret::new("hf_abcdefgh1234\n").unwrap();
        assert_eq!(secret.expose(), "hf_abcdefgh1234");
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
