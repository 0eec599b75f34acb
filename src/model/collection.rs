//! The name of a collection on the Hub, and the addresses that lead to it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use super::address::Place;
use super::repo::{NameError, shown};

/// What stands before the name in every address of a collection.
const FOLDER: &str = "collections";

/// `owner/slug` of a collection, such as `acme/small-models-64f0a1b2c3d4e5f6a7b8c9d0`: each part of
/// `[A-Za-z0-9._-]`, beginning with a letter or digit, without `..`; at most 96 and 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(example = "acme/small-models-64f0a1b2c3d4e5f6a7b8c9d0")]
pub struct CollectionId(String);

impl CollectionId {
    /// The whole name, `owner/slug`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The collection that a text leads to: `collections/owner/slug`, alone or behind a host.
    /// `None` when it is no address of a collection.
    pub fn in_address(text: &str) -> Option<Self> {
        let path = Place::of(text)?.path.split(['?', '#']).next().unwrap_or_default();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(FOLDER), Some(owner), Some(slug), None) => format!("{owner}/{slug}").parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CollectionId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let good = |part: &str, most: usize| {
            part.len() <= most
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && !part.contains("..")
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        match text.split_once('/') {
            Some((owner, slug)) if good(owner, 96) && good(slug, 200) => Ok(Self(text.to_owned())),
            _ => Err(NameError(format!(
                "\"{}\" is no collection: Expected owner/slug",
                shown(text)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_collection_is_understood_and_no_other() {
        for text in [
            "collections/acme/small-64f0",
            "https://huggingface.co/collections/acme/small-64f0",
            " HTTPS://huggingface.co/collections/acme/small-64f0?sort=x#y ",
            "hf.co/collections/acme/small-64f0/",
            "www.huggingface.co/collections/acme/small-64f0",
            "http://127.0.0.1:8081/collections/acme/small-64f0",
            "hf://collections/acme/small-64f0",
        ] {
            let found = CollectionId::in_address(text).map(|id| id.to_string());
            assert_eq!(found.as_deref(), Some("acme/small-64f0"), "{text}");
        }
        for text in [
            "",
            "acme/small",
            "collections",
            "collections/acme",
            "https://huggingface.co/acme/small",
            "https://huggingface.co/collections",
            "https://huggingface.co/collections/acme",
            "https://huggingface.co/collections/acme/small/more",
            "https://huggingface.co/collections/acme/..",
            "https://huggingface.co/collections/a%20b/c",
            "ftp://huggingface.co/collections/acme/small",
            "collections/acme/.hidden",
        ] {
            assert_eq!(CollectionId::in_address(text), None, "{text}");
        }
    }
}
