//! What a repo holds at one commit, and what a job will do with each file.

use std::collections::HashMap;

use super::code::Code;
use super::filter::{Filter, Verdict};
use super::repo::{BlobId, RepoPath};

/// One file of a repo at a commit, as the tree listing gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// Path from the root of the repo.
    pub path: RepoPath,
    /// Length of the content in bytes.
    pub size_bytes: u64,
    /// Name of the blob in the cache and the hash to verify.
    pub blob_id: BlobId,
    /// Git object id from the tree: of the content, or of the LFS pointer. 40 hex digits.
    pub git_oid: String,
    /// Xet hash, when the file is stored in Xet. 64 hex digits.
    pub xet_hash: Option<String>,
}

/// One entry of a tree that must not be stored, with the sentence that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// The path as the Hub gave it.
    pub path: String,
    /// Why it is refused; a full sentence for users.
    pub why: String,
}

/// The complete listing of one commit.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every file that is safe to store, ordered by path.
    pub files: Vec<RepoFile>,
    /// Entries whose names or ids no safe file can have.
    pub bad: Vec<BadEntry>,
}

/// A file that the filters leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub path: RepoPath,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// `excluded`, `not_selected` or `too_large`.
    pub reason: &'static str,
}

/// The files a job will have at its end.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Files to have, ordered by path.
    pub files: Vec<RepoFile>,
    /// Files the filters leave out.
    pub left_out: Vec<LeftOut>,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PlanError {
    /// The code for programs.
    pub code: Code,
    /// The sentence for people; it names the entry.
    pub text: String,
}

impl Selection {
    /// Applies `filter` to `tree`.
    ///
    /// # Errors
    /// `unsafe_path` when the tree holds an entry that cannot be stored and is not excluded,
    /// `path_collision` when two selected paths differ only in case (they would fall into one
    /// file on a case-insensitive disk), `nothing_matched` when filters are given and no file
    /// they bind matches one, or when the repo holds no file at all.
    pub fn new(tree: Tree, filter: &Filter) -> Result<Self, PlanError> {
        if let Some(bad) = tree.bad.iter().find(|entry| !filter.excludes(&entry.path)) {
            return Err(PlanError {
                code: Code::UnsafePath,
                text: bad.why.clone(),
            });
        }
        let mut selection = Self::default();
        let mut by_folded: HashMap<String, usize> = HashMap::new();
        let verdicts = filter.judge(&tree.files);
        let mut matched = !filter.has_patterns();
        for (file, verdict) in tree.files.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Matched | Verdict::Companion => {
                    matched |= verdict == Verdict::Matched;
                    if let Some(&other) = by_folded.get(&file.path.as_str().to_lowercase()) {
                        let other: &RepoFile = &selection.files[other];
                        return Err(PlanError {
                            code: Code::PathCollision,
                            text: format!(
                                "The paths \"{}\" and \"{}\" differ only in upper and lower case",
                                other.path, file.path
                            ),
                        });
                    }
                    by_folded.insert(file.path.as_str().to_lowercase(), selection.files.len());
                    selection.files.push(file);
                }
                Verdict::LeftOut(reason) => {
                    selection.left_out.push(LeftOut {
                        path: file.path,
                        size_bytes: file.size_bytes,
                        reason,
                    });
                }
            }
        }
        if !matched {
            let patterns = filter.patterns().join(", ");
            return Err(PlanError {
                code: Code::NothingMatched,
                text: format!("No file of this repo matches the filters {patterns}"),
            });
        }
        if selection.files.is_empty() {
            return Err(PlanError {
                code: Code::NothingMatched,
                text: "The repo holds no file to download".to_owned(),
            });
        }
        Ok(selection)
    }

    /// Sum of the sizes in bytes, each path counted.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}
