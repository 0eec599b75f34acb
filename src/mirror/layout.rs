//! Names in a Hugging Face cache, as far as a copy has to know them.

use super::RepoKey;
use crate::model::repo::{BlobId, RepoId, RepoType};

/// Folder of the Hub cache below the root of a target, as below `HF_HOME`.
pub(super) const HUB: &str = "hub";
/// Folder of a repo's contents, and of the store that repos share.
pub(super) const BLOBS: &str = "blobs";
/// Folder of a repo's branches and tags.
pub(super) const REFS: &str = "refs";
/// Folder of a repo's commits.
pub(super) const SNAPSHOTS: &str = "snapshots";
/// Folder of a repo's saved listings.
pub(super) const TREES: &str = "trees";
/// Folder of unfinished files in a repo folder.
pub(super) const STAGING: &str = ".hfdepot";
/// How temporary files of a copy begin in there.
pub(super) const TEMPORARY: &str = "mirror";

/// Type and id of a repo folder; `None` when it is none of ours.
pub(super) fn key_of(folder: &str) -> Option<RepoKey> {
    let (kind, id) = folder.split_once("--")?;
    let repo_type = match kind {
        "models" => RepoType::Model,
        "datasets" => RepoType::Dataset,
        _ => return None,
    };
    let id: RepoId = id.replacen("--", "/", 1).parse().ok()?;
    (id.folder(repo_type) == folder).then_some((repo_type, id))
}

/// `../../blobs/<2 hex>/<64 hex>`: the one link that a blob may be.
pub(super) fn shared_entry(link: &str) -> Option<(&str, &str)> {
    let (folder, name) = link.strip_prefix("../../blobs/")?.split_once('/')?;
    (name.parse::<BlobId>().is_ok() && folder.len() == 2 && name.starts_with(folder))
        .then_some((folder, name))
}
