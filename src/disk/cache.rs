//! The root of a Hugging Face cache, and every name in it as a tiny function.
//!
//! Layout as `huggingface_hub` 2.4 writes and reads it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::DiskError;
use super::folder::Folder;
use super::probe::{Probe, probe};
use super::repo::{Links, RepoDir};
use crate::model::repo::{RepoId, RepoType};

/// Folder of the lock files; scans skip it.
pub const LOCKS: &str = ".locks";
/// Folder of a repo's contents, and of the cross-repo store in the root.
pub const BLOBS: &str = "blobs";
/// Folder of a repo's branches and tags.
pub const REFS: &str = "refs";
/// Folder of a repo's commits.
pub const SNAPSHOTS: &str = "snapshots";
/// Folder of a repo's saved listings.
pub const TREES: &str = "trees";
/// Refs below this one keep pinned commits from `hf cache prune`.
pub const KEEP: &str = "hfdepot";

const TAG: &str = "CACHEDIR.TAG";
/// Tells backup programs to skip the folder: <https://bford.info/cachedir/>.
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This file is a cache directory tag created by hfdepot.\n\
    # For information about cache directory tags, see:\n\
    #\thttps://bford.info/cachedir/\n";

/// How long one batch waits for blob locks that other programs hold. `hf` holds one for its
/// whole download; going on without it is safe (see `lock_blob`), waiting for hours is not.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// A cache root, such as `~/.cache/huggingface/hub`.
#[derive(Debug, Clone)]
pub struct Cache {
    hub: PathBuf,
    probe: Probe,
    lock_patience: Duration,
}

impl Cache {
    /// Opens the cache at `hub`, creating it when missing, and tries what its file system can
    /// do. A root that is new, empty or a cache already gets its `CACHEDIR.TAG`; a folder with
    /// other things in it does not, or backups would skip them.
    ///
    /// # Errors
    /// When the folder cannot be created, read or tried out.
    pub fn open(hub: &Path) -> Result<Self, DiskError> {
        std::fs::create_dir_all(hub).map_err(|error| DiskError::new("create the cache", hub, error))?;
        let root = Folder::open_root(hub)?;
        let names = root.names()?;
        let known = |name: &String| name == LOCKS || decode_repo(name).is_some();
        let tagged = names.iter().any(|name| name == TAG);
        let probe = probe(hub)?;
        if probe.writable && !tagged && (names.is_empty() || names.iter().any(known)) {
            match root.create_file(TAG, 0o666) {
                Ok(mut file) => file
                    .write_all(TAG_TEXT.as_bytes())
                    .map_err(|error| DiskError::new("write", hub.join(TAG), error))?,
                // Another program was faster.
                Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(parent) = hub.parent()
            && let Ok(parent) = Folder::open_root(parent)
        {
            parent.sync()?;
        }
        Ok(Self {
            hub: hub.to_owned(),
            probe,
            lock_patience: LOCK_PATIENCE,
        })
    }

    /// The same cache with another patience for locks that other programs hold.
    pub fn with_lock_patience(self, lock_patience: Duration) -> Self {
        Self {
            lock_patience,
            ..self
        }
    }

    /// The same cache as if its file system could not make symbolic links.
    pub fn without_symlinks(mut self) -> Self {
        self.probe.symlinks = false;
        self
    }

    /// The root.
    pub fn hub(&self) -> &Path {
        &self.hub
    }

    /// What the file system can do.
    pub fn probe(&self) -> Probe {
        self.probe
    }

    /// The folder of a repo; nothing is created yet.
    pub fn repo(&self, repo_type: RepoType, id: &RepoId) -> RepoDir {
        RepoDir::new(
            &self.hub,
            id.folder(repo_type),
            if self.probe.symlinks {
                Links::Symbolic
            } else {
                Links::None
            },
            self.lock_patience,
        )
    }
}

/// Type and id of a repo folder's name, for every type the Hub has: `models--o--n`.
fn decode_repo(folder: &str) -> Option<(&str, &str)> {
    let (kind, id) = folder.split_once("--")?;
    ["models", "datasets", "spaces", "kernels"]
        .contains(&kind)
        .then_some((kind, id))
}

/// Lock file of a blob in `.locks/<repo folder>/`.
pub(crate) fn lock_name(blob: crate::model::repo::BlobId) -> String {
    format!("{blob}.lock")
}

/// Text of the pointer for a file `depth` folders below its snapshot.
pub(crate) fn pointer_target(depth: usize, blob: crate::model::repo::BlobId) -> String {
    format!("{}{BLOBS}/{blob}", "../".repeat(depth + 2))
}

/// The entry of the shared store behind a blob that is a link: its folder and name. Only the
/// exact form `../../blobs/<2 hex>/<64 hex>` counts; any other link is not followed.
pub(crate) fn shared_store_entry(target: &str) -> Option<(&str, &str)> {
    let (folder, name) = target.strip_prefix("../../blobs/")?.split_once('/')?;
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (folder.len() == 2 && name.len() == 64 && name.starts_with(folder) && hex(name)).then_some((folder, name))
}

/// Name of a commit's listing in `trees/`.
pub(crate) fn tree_file(commit: &crate::model::repo::Commit) -> String {
    format!("{commit}.json")
}
