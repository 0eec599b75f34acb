//! `trees/<commit>.json`: the listing that lets a later `hf download` skip the tree call.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cache::{TREES, tree_file};
use super::error::DiskError;
use super::repo::{RepoDir, write_new};
use super::staging;
use crate::model::plan::Tree;
use crate::model::repo::Commit;

#[derive(Serialize)]
struct Listing<'a> {
    format_version: u32,
    files: BTreeMap<&'a str, Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    size: u64,
    blob_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lfs_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lfs_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xet_hash: Option<&'a str>,
}

/// The listing as `huggingface_hub` 2.4 writes it (`_tree_cache.py`, format 1). `None` when the
/// tree has entries that cannot be stored: a listing that is not exact would make others believe
/// in a repo that does not exist, so then they have to ask the Hub.
pub fn tree_json(tree: &Tree) -> Option<Vec<u8>> {
    if !tree.bad.is_empty() {
        return None;
    }
    let files = tree.files.iter().map(|file| {
        let lfs = file.blob_id.is_lfs();
        let entry = Entry {
            size: file.size_bytes,
            blob_id: &file.git_oid,
            lfs_sha256: lfs.then(|| file.blob_id.to_string()),
            lfs_size: lfs.then_some(file.size_bytes),
            xet_hash: file.xet_hash.as_deref(),
        };
        (file.path.as_str(), entry)
    });
    let listing = Listing {
        format_version: 1,
        files: files.collect(),
    };
    let mut json = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
    listing
        .serialize(&mut serde_json::Serializer::with_formatter(&mut json, indent))
        .ok()?;
    Some(json)
}

impl RepoDir {
    /// Keeps the listing of a commit (from [`tree_json`]) in the staging
    /// folder until [`publish_tree`](Self::publish_tree). It is on the disk when this returns,
    /// because another process may be the one that publishes it.
    ///
    /// # Errors
    /// What writing and syncing report.
    pub fn stage_tree(&self, commit: &Commit, json: &[u8]) -> Result<(), DiskError> {
        let staging = self.open_staging()?;
        let temporary = staging::temporary_name("tree");
        let synced = write_new(&staging, &temporary, json)?
            .sync_data()
            .map_err(|error| DiskError::new("sync", staging.path().join(&temporary), error));
        let staged = synced.and_then(|()| staging.rename(&temporary, &staging, &staging::tree_name(commit)));
        if staged.is_err() {
            staging.discard(&temporary);
        }
        staged
    }

    /// Publishes the staged listing as `trees/<commit>.json`. `false` when none is staged: it
    /// never was, or another process was faster.
    ///
    /// # Errors
    /// What moving and syncing report.
    pub fn publish_tree(&self, commit: &Commit) -> Result<bool, DiskError> {
        let repo = self.open_repo()?;
        let staging = self.open_staging()?;
        let name = staging::tree_name(commit);
        if staging.entry(&name)?.is_none() {
            return Ok(false);
        }
        let (trees, _) = repo.make_child(TREES)?;
        match staging.rename(&name, &trees, &tree_file(commit)) {
            Ok(()) => {}
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        }
        trees.sync()?;
        repo.sync()?;
        Ok(true)
    }
}
