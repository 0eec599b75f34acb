//! A job: one request of a user, and what became of it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use super::arrange::Labels;
use super::repo::{NameError, RepoId, RepoType, Revision};
use super::state::words;

/// Public id of a job: 12 lower-case hex digits, random.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(pattern = "^[0-9a-f]{12}$", example = "3fa1b2c4d5e6")]
pub struct JobId(String);

impl JobId {
    /// A new id from 48 random bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("{:012x}", bits & 0xffff_ffff_ffff))
    }

    /// The 12 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JobId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() == 12
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError("a job id has 12 hex digits".to_owned()))
        }
    }
}

words! {
    /// What is compared before a file counts as done.
    Verify {
        /// The length only.
        None = "none",
        /// The length, and the hash of everything that is fetched.
        Size = "size",
        /// That, and the hash of files that were in the cache before.
        Sha256 = "sha256",
    }
}

impl Verify {
    /// Parses the words of the API; `etag` is accepted and means [`Verify::Size`].
    ///
    /// # Errors
    /// Names the word and the allowed ones.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "etag" {
            Ok(Self::Size)
        } else {
            text.parse()
        }
    }
}

/// What a user asks for when he queues a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// Which repo.
    pub repo: RepoId,
    /// Model or dataset.
    pub repo_type: RepoType,
    /// Branch, tag or commit as asked.
    pub revision: Revision,
    /// Patterns of files to have; empty means all.
    pub filters: Vec<String>,
    /// Patterns of files to leave out.
    pub excludes: Vec<String>,
    /// Whether plain filters must match whole words.
    pub exact_match: bool,
    /// Echoed to clients; names the folder of the longest matching filter in flat destinations.
    pub append_filter_subdir: bool,
    /// Higher starts first; 0 is normal. −1,000,000 … 1,000,000.
    pub priority: i64,
    /// Not started before this time, UTC milliseconds.
    pub not_before_at: Option<i64>,
    /// How the user sorts and bounds it.
    pub labels: Labels,
    /// Whether it is paused from the start.
    pub start_paused: bool,
}

impl JobRequest {
    /// Two live requests with the same key are one download: repo (in any case), type, revision,
    /// filters and excludes in any order and case, exact match, destination.
    pub fn duplicate_key(&self, destination: &str) -> String {
        let fold = |list: &[String]| {
            let mut list: Vec<String> = list.iter().map(|text| text.trim().to_lowercase()).collect();
            list.sort();
            list.dedup();
            list
        };
        serde_json::json!([
            self.repo_type.as_str(),
            self.repo.as_str().to_lowercase(),
            self.revision.as_str(),
            fold(&self.filters),
            fold(&self.excludes),
            self.exact_match,
            destination,
        ])
        .to_string()
    }
}

/// Splits `owner/name:filter,filter` as the API allows it when no filters are given.
pub fn split_embedded_filters(repo: &str) -> (&str, Vec<String>) {
    match repo.split_once(':') {
        Some((id, filters)) => (
            id,
            filters
                .split(',')
                .map(str::trim)
                .filter(|f| !f.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        None => (repo, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(repo: &str, filters: &[&str]) -> JobRequest {
        JobRequest {
            repo: repo.parse().unwrap(),
            repo_type: RepoType::Model,
            revision: Revision::main(),
            filters: filters.iter().map(|s| s.to_string()).collect(),
            excludes: vec![],
            exact_match: false,
            append_filter_subdir: false,
            priority: 0,
            not_before_at: None,
            labels: Labels::default(),
            start_paused: false,
        }
    }

    #[test]
    fn equal_requests_have_one_key_in_any_case_and_order() {
        let key = |repo, filters: &[&str]| request(repo, filters).duplicate_key("/hub");
        assert_eq!(key("A/b", &["Q4", "q5"]), key("a/B", &["q5", "q4"]));
        assert_ne!(key("a/b", &["q4"]), key("a/b", &[]));
        assert_ne!(
            request("a/b", &[]).duplicate_key("/x"),
            request("a/b", &[]).duplicate_key("/y")
        );
    }

    #[test]
    fn filters_may_stand_behind_the_repo() {
        assert_eq!(
            split_embedded_filters("a/b:q4, q5,"),
            ("a/b", vec!["q4".to_owned(), "q5".to_owned()])
        );
        assert_eq!(split_embedded_filters("a/b"), ("a/b", vec![]));
    }
}
