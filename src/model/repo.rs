//! Names that come from users and from the network: repo ids, revisions, commits,
//! paths inside a repo and blob ids.
//!
//! Each type has one parser and cannot hold a bad value. Nothing that failed a
//! parser ever reaches the disk or a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a name was refused. The text is a full sentence fragment fit for users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub String);

fn refuse<T>(text: impl Into<String>) -> Result<T, NameError> {
    Err(NameError(text.into()))
}

/// A name as it may be shown in an error: control characters escaped, cut after 120 characters.
pub fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(120).flat_map(|c| c.escape_debug()).collect();
    if name.chars().count() > 120 {
        text.push('…');
    }
    text
}

/// Kind of a Hub repository.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RepoType {
    /// A model; the Hub's web URLs carry no prefix.
    #[default]
    Model,
    /// A dataset.
    Dataset,
}

impl RepoType {
    /// The word in the database and in the API: `model`, `dataset`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }

    /// The plural in Hub API paths and cache folder names: `models`, `datasets`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }

    /// What stands before the repo id in `/resolve/` URLs: nothing, or `datasets/`.
    pub fn url_prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
        }
    }
}

impl fmt::Display for RepoType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RepoType {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "model" => Ok(Self::Model),
            "dataset" => Ok(Self::Dataset),
            _ => refuse(format!("\"{}\" is neither model nor dataset", shown(text))),
        }
    }
}

/// `owner/name` as the Hub allows it: `[A-Za-z0-9._-]`, at most 96 characters in all,
/// no `--`, no `..`, no part that begins or ends with `-` or `.`, no `.git` at the end
/// (`huggingface_hub` `validate_repo_id`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(
    pattern = "^[A-Za-z0-9._-]{1,94}/[A-Za-z0-9._-]{1,94}$",
    max_length = 96,
    example = "owner/name"
)]
pub struct RepoId(String);

impl RepoId {
    /// The whole id, `owner/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// The folder of this repo in the HF cache: `models--owner--name`.
    pub fn folder(&self, repo_type: RepoType) -> String {
        format!("{}--{}--{}", repo_type.plural(), self.owner(), self.name())
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let Some((owner, name)) = text.split_once('/') else {
            return refuse("Expected owner/name");
        };
        if owner.is_empty() || name.is_empty() || name.contains('/') {
            return refuse("Expected owner/name");
        }
        let good = |part: &str| {
            part.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
                && !part.starts_with(['-', '.'])
                && !part.ends_with(['-', '.'])
        };
        if text.len() > 96 || !good(owner) || !good(name) {
            return refuse("Expected owner/name");
        }
        if text.contains("--") || text.contains("..") || text.ends_with(".git") {
            return refuse("Expected owner/name");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What the user asked for: a branch, a tag, a commit, or `refs/pr/N`.
///
/// Follows git's rules for ref names as far as they matter for a URL and for a file
/// under `refs/`: parts of `[A-Za-z0-9._+@=-]` divided by `/`, none of them empty, `.`,
/// `..` or ending in `.lock`; at most 250 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(
    pattern = "^[A-Za-z0-9_+@=][A-Za-z0-9_+@=-]*([.][A-Za-z0-9_+@=-]+)*(/[A-Za-z0-9_+@=][A-Za-z0-9_+@=-]*([.][A-Za-z0-9_+@=-]+)*)*$",
    max_length = 250,
    example = "main"
)]
pub struct Revision(String);

impl Revision {
    /// The branch that every Hub repo has.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// The revision as asked.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Revision {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let good_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.starts_with('-')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
                && !part.contains("..")
                && !part.contains("@{")
                && part.bytes().all(|b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'@' | b'=')
                })
        };
        if text.is_empty() || text.len() > 250 || !text.split('/').all(good_part) {
            return refuse(format!("\"{}\" is not a branch, tag or commit", shown(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A full commit hash: 40 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(pattern = "^[0-9a-f]{40}$")]
pub struct Commit(String);

impl Commit {
    /// The 40 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Commit {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() == 40 && is_lower_hex(text) {
            Ok(Self(text.to_owned()))
        } else {
            refuse(format!("\"{}\" is not a commit hash", shown(text)))
        }
    }
}

/// Path of a file inside a repo, safe to join below a folder on any system:
/// relative, at most 1,024 bytes, parts of 1–255 bytes, no `.` or `..`, no control
/// character, backslash or drive colon, no trailing dot or space, no `.git` part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
pub struct RepoPath(String);

impl RepoPath {
    /// The path with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// All parts but the last, from the top.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let count = self.0.split('/').count() - 1;
        self.0.split('/').take(count)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoPath {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let why = if text.is_empty() {
            "is empty"
        } else if text.len() > 1024 {
            "is longer than 1,024 bytes"
        } else if text.starts_with('/') {
            "is absolute"
        } else if text.contains('\\') {
            "holds a backslash"
        } else if text.chars().any(char::is_control) {
            "holds a control character"
        } else if text.as_bytes().get(1) == Some(&b':') {
            "begins with a drive letter"
        } else if text.split('/').any(str::is_empty) {
            "has an empty part"
        } else if text.split('/').any(|p| p == "." || p == "..") {
            "leaves its folder"
        } else if text.split('/').any(|p| p.len() > 255) {
            "has a part longer than 255 bytes"
        } else if text.split('/').any(|p| p.ends_with('.') || p.ends_with(' ')) {
            "has a part that ends in a dot or space"
        } else if text.split('/').any(|p| p.eq_ignore_ascii_case(".git")) {
            "names git's own folder"
        } else {
            return Ok(Self(text.to_owned()));
        };
        refuse(format!("the path \"{}\" {why}", shown(text)))
    }
}

/// Identity of a file's content: the name of its blob in the cache and the hash it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobId {
    /// SHA-1 over `blob <length>\0` and the content: regular git files.
    GitSha1([u8; 20]),
    /// SHA-256 of the content: LFS and Xet files.
    Sha256([u8; 32]),
}

impl BlobId {
    /// Whether the file is stored in LFS (or Xet) on the Hub.
    pub fn is_lfs(self) -> bool {
        matches!(self, Self::Sha256(_))
    }

    /// The word for the hash in the database and API: `sha256` or `git-sha1`.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::GitSha1(_) => "git-sha1",
            Self::Sha256(_) => "sha256",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::GitSha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for BlobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for BlobId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        fn parse<const N: usize>(text: &str) -> [u8; N] {
            let mut out = [0; N];
            for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
                let digit = |c: u8| (c as char).to_digit(16).unwrap_or(0) as u8;
                *byte = digit(pair[0]) << 4 | digit(pair[1]);
            }
            out
        }
        match text.len() {
            40 if is_lower_hex(text) => Ok(Self::GitSha1(parse(text))),
            64 if is_lower_hex(text) => Ok(Self::Sha256(parse(text))),
            _ => refuse(format!("\"{}\" is neither a SHA-1 nor a SHA-256", shown(text))),
        }
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repo_id_is_owner_slash_name() {
        for good in ["a/b", "TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "o_1/x.y"] {
            assert!(good.parse::<RepoId>().is_ok(), "{good}");
        }
        for bad in [
            "", "gpt2", "a/", "/b", "a/b/c", "a/..", "../b", "a/b--c", "a/.b", "a/b.git", "a b/c", "a/b:q4",
            "é/b",
        ] {
            assert!(bad.parse::<RepoId>().is_err(), "{bad}");
        }
        assert_eq!(
            "o/n".parse::<RepoId>().unwrap().folder(RepoType::Dataset),
            "datasets--o--n"
        );
    }

    #[test]
    fn a_revision_cannot_leave_the_refs_folder() {
        for good in ["main", "v1.0", "refs/pr/1", "feature/x", "a1b2c3d"] {
            assert!(good.parse::<Revision>().is_ok(), "{good}");
        }
        for bad in [
            "", "..", "a/../b", "/main", "main/", "a//b", ".hidden", "a b", "x\0", "-rf", "x.lock", "a\\b",
            "a?b",
        ] {
            assert!(bad.parse::<Revision>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_repo_path_is_safe_to_join_on_any_system() {
        for good in [
            "config.json",
            "a/b/c.bin",
            "sp ace#1.gguf",
            "ünï/ço.de",
            "quote\"'.txt",
            ".gitattributes",
        ] {
            assert!(good.parse::<RepoPath>().is_ok(), "{good}");
        }
        let long = "x".repeat(5000);
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a\\b",
            "C:/x",
            "a//b",
            "a/",
            "nul\0byte",
            "line\nbreak",
            ".git/config",
            "a/.GIT/x",
            "dot.",
            "space ",
            "a/./b",
            long.as_str(),
        ] {
            assert!(bad.parse::<RepoPath>().is_err(), "{bad:?}");
        }
        assert_eq!(
            "a/b/c".parse::<RepoPath>().unwrap().folders().collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn a_blob_id_round_trips_and_refuses_anything_but_lower_case_hex() {
        let sha1 = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a";
        let sha256 = "6555e0636e96d582be43f40b3e8b590de4609b7732580471b15a77f2c6c20279";
        assert_eq!(sha1.parse::<BlobId>().unwrap().to_string(), sha1);
        assert_eq!(sha256.parse::<BlobId>().unwrap().to_string(), sha256);
        assert!(sha256.parse::<BlobId>().unwrap().is_lfs());
        for bad in ["", "xyz", "../../../etc/passwd", &sha1.to_uppercase(), &sha1[1..]] {
            assert!(bad.parse::<BlobId>().is_err(), "{bad}");
        }
    }
}
