//! Names in `.hfdepot`, the folder for unfinished files inside a repo folder of the cache.
//!
//! It lies inside the repo folder so that publishing is a rename, `hf cache rm` takes it
//! along, and `hf cache prune` (which deletes every `blobs/*.incomplete`) does not see it.
//! Only names that parse here are ever listed or removed.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustix::fs::OFlags;

use crate::model::repo::{BlobId, Commit};

use super::error::DiskError;
use super::folder::{Folder, unique_name};

/// The folder's name, in a repo folder of the cache and in a `localDir`.
pub const STAGING: &str = ".hfdepot";

/// What an unfinished file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftoverKind {
    /// `<blob id>.part`: a download that can go on.
    Part(BlobId),
    /// `<blob id>.<unique>.small`: a small file written in one go, waiting to be published.
    Small(BlobId),
    /// `<commit>.tree`: the listing for `trees/`, waiting for its snapshot.
    Tree(Commit),
    /// `<what>.<unique>.tmp`: half of a rename; of no use once its process is gone.
    Temporary,
}

/// One file of a staging folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name in the folder.
    pub name: String,
    /// What it is.
    pub kind: LeftoverKind,
    /// Length in bytes. A part has its full length from the start.
    pub size_bytes: u64,
    /// Last write, UTC milliseconds.
    pub modified_at: i64,
}

/// An open staging folder, from which finished files are moved into place.
pub(super) struct Staged {
    /// The folder.
    pub folder: Folder,
    /// Mode of published files: 0666 less the umask.
    mode: Option<u32>,
}

impl Staged {
    pub fn new(folder: Folder) -> Self {
        Self { folder, mode: None }
    }

    /// Checks that a staged file still is what was verified, and gives it its final mode.
    pub fn make_ready(&mut self, name: &str, size_bytes: u64) -> Result<(), DiskError> {
        let file = self.folder.open_file(name, OFlags::RDONLY, 0)?;
        let path = self.folder.path().join(name);
        let metadata = file
            .metadata()
            .map_err(|error| DiskError::new("look at", &path, error))?;
        if metadata.len() != size_bytes {
            let why = format!("it has {} bytes instead of {size_bytes}", metadata.len());
            return Err(DiskError::unexpected("publish", path, why));
        }
        let mode = self.mode()?;
        if metadata.mode() & 0o777 != mode {
            // Refused on file systems without modes; then there is nothing to share either.
            let _ = file.set_permissions(Permissions::from_mode(mode));
        }
        Ok(())
    }

    /// The mode that a new file gets here. Asking the umask would mean to change it for all
    /// threads, and default ACLs count as well, so a file is made and looked at.
    fn mode(&mut self) -> Result<u32, DiskError> {
        if let Some(mode) = self.mode {
            return Ok(mode);
        }
        let name = temporary_name("mode");
        let metadata = self.folder.create_file(&name, 0o666)?.metadata();
        self.folder.remove(&name)?;
        let metadata =
            metadata.map_err(|error| DiskError::new("look at", self.folder.path().join(name), error))?;
        let mode = metadata.mode() & 0o777;
        self.mode = Some(mode);
        Ok(mode)
    }
}

pub(crate) fn part_name(id: BlobId) -> String {
    format!("{id}.part")
}

pub(crate) fn small_name(id: BlobId) -> String {
    unique_name(&id.to_string(), "small")
}

pub(crate) fn tree_name(commit: &Commit) -> String {
    format!("{commit}.tree")
}

pub(crate) fn temporary_name(what: &str) -> String {
    unique_name(what, "tmp")
}

/// What `name` is, or `None` when it was not made by this program.
pub(crate) fn parse(name: &str) -> Option<LeftoverKind> {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        [id, "part"] => Some(LeftoverKind::Part(id.parse().ok()?)),
        [id, unique, "small"] if is_unique(unique) => Some(LeftoverKind::Small(id.parse().ok()?)),
        [commit, "tree"] => Some(LeftoverKind::Tree(commit.parse().ok()?)),
        [_, unique, "tmp"] if is_unique(unique) => Some(LeftoverKind::Temporary),
        _ => None,
    }
}

fn is_unique(text: &str) -> bool {
    let hex = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once('-')
        .is_some_and(|(process, random)| hex(process) && random.len() == 16 && hex(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_made_parses_and_no_other_does() {
        let id: BlobId = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a".parse().unwrap();
        let commit: Commit = id.to_string().parse().unwrap();
        assert_eq!(parse(&part_name(id)), Some(LeftoverKind::Part(id)));
        assert_eq!(parse(&small_name(id)), Some(LeftoverKind::Small(id)));
        assert_eq!(parse(&tree_name(&commit)), Some(LeftoverKind::Tree(commit)));
        assert_eq!(parse(&temporary_name("ref")), Some(LeftoverKind::Temporary));
        for foreign in [
            "",
            "notes.txt",
            "x.part",
            "a.b.tmp",
            "a.1-2.tmp",
            ".part",
            "model.part",
            "x.tree",
        ] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn two_temporary_names_differ() {
        assert_ne!(temporary_name("ref"), temporary_name("ref"));
    }
}
