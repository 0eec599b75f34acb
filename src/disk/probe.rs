//! What the file system of the cache can do, found out by trying.

use std::path::Path;

use super::error::DiskError;
use super::folder::{Folder, unique_name};
use crate::model::code::Code;

/// Abilities of a cache root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Files can be created.
    pub writable: bool,
    /// Symbolic links can be created. Where not (exFAT, some SMB mounts), snapshots hold real
    /// files and `blobs/` stays empty, as `huggingface_hub` does it.
    pub symlinks: bool,
    /// `a` and `A` are two names.
    pub case_sensitive: bool,
}

/// Tries the file system of the existing folder `hub` with files of unique names in `.locks`
/// (which no scan reports) and removes them again.
///
/// # Errors
/// When `hub` is missing, or its disk is full or broken. A root that merely refuses to be
/// written to is an answer: `writable` is false.
pub fn probe(hub: &Path) -> Result<Probe, DiskError> {
    match try_out(&Folder::open_root(hub)?) {
        Err(error) if error.code == Code::DiskReadOnly => Ok(Probe {
            writable: false,
            symlinks: true,
            case_sensitive: true,
        }),
        other => other,
    }
}

fn try_out(hub: &Folder) -> Result<Probe, DiskError> {
    let (locks, _) = hub.make_child(super::cache::LOCKS)?;
    let name = unique_name("hfdepot-probe", "tmp");
    let link = unique_name("hfdepot-probe", "link");
    locks.create_file(&name, 0o600)?;
    let case_sensitive = locks.entry(&name.to_uppercase());
    // Any refusal means that snapshots cannot be made of links here.
    let symlinks = locks.link_new(&name, &link).unwrap_or(false);
    if symlinks {
        locks.remove(&link)?;
    }
    locks.remove(&name)?;
    Ok(Probe {
        writable: true,
        symlinks,
        case_sensitive: case_sensitive?.is_none(),
    })
}
