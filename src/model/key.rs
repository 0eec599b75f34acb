//! API keys: what they may do, what they are called, and how one is made of random bits.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::repo::{NameError, shown};
use super::secret::Secret;
use super::state::words;

words! {
    /// What a key may do; each scope holds those before it.
    Scope {
        /// Look at everything but keys.
        Read = "read",
        /// Plan and queue downloads, and command jobs.
        Enqueue = "enqueue",
        /// Everything.
        Admin = "admin",
    }
}

/// Random bytes in a key.
pub const KEY_BYTES: usize = 32;
/// How every key begins, so that tools which look for leaked secrets know it.
pub const KEY_START: &str = "hfd_";
/// Characters of a key that are kept and shown.
const PREFIX_CHARS: usize = 8;

/// Name of a key: 1 to 64 letters, digits, `.`, `_`, `-`, or blanks inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = "^[A-Za-z0-9._-]([A-Za-z0-9._ -]{0,62}[A-Za-z0-9._-])?$",
    example = "dashboard"
)]
pub struct KeyName(String);

impl KeyName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
        let good = (1..=64).contains(&text.len()) && text.chars().all(plain) && text.trim() == text;
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError(format!(
                "\"{}\" is no name of a key: it takes 1 to 64 letters, digits, dots, dashes, underscores, or blanks inside",
                shown(text)
            )))
        }
    }
}

/// The key itself; it is shown once and never stored.
pub struct NewKey {
    /// The whole text.
    pub text: Secret,
    /// How it begins.
    pub prefix: String,
    /// What is stored of it.
    pub hash: [u8; 32],
}

impl NewKey {
    /// A key of these random bytes.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        let text = format!("{KEY_START}{}", URL_SAFE_NO_PAD.encode(bytes));
        Self {
            prefix: text.chars().take(PREFIX_CHARS).collect(),
            hash: hash_of(&text),
            text: Secret::new(text),
        }
    }
}

/// What is stored of a key.
pub fn hash_of(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_holds_those_before_it() {
        assert!(Scope::Read < Scope::Enqueue && Scope::Enqueue < Scope::Admin);
    }

    #[test]
    fn a_key_tells_its_kind_and_its_beginning_tells_nothing_of_use() {
        let key = NewKey::from_bytes([7; KEY_BYTES]);
        let text = key.text.expose();
        assert!(text.starts_with(KEY_START) && text.starts_with(&key.prefix));
        assert_eq!((text.len(), key.prefix.len()), (47, 8));
        assert_eq!(key.hash, hash_of(text));
    }

    #[test]
    fn a_name_is_plain_text() {
        for good in ["a", "home assistant", "ci-1_x.y"] {
            assert!(good.parse::<KeyName>().is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a/b", "ä", "<b>", &"x".repeat(65)] {
            assert!(bad.parse::<KeyName>().is_err(), "{bad}");
        }
    }
}
