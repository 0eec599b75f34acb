//! The marker file: how a target that is not mounted is told from one that is empty.
//!
//! It lies at the root of the target and holds random text, which the database knows. Under an
//! empty mount point there is none; on another disk there is another one.

use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::MirrorError;
use crate::files::Folder;

/// Name of the marker file at the root of a target.
pub const MARKER: &str = ".hfdepot-target";
/// Longest marker that is read.
const LIMIT_BYTES: u64 = 256;

/// Makes the directory at `path` a target, creating it when missing, and returns its marker. One
/// that is a target already keeps its marker, so that two machines can copy to one disk.
///
/// # Errors
/// When the directory or the marker cannot be made or read.
pub fn adopt(path: &Path) -> Result<String, MirrorError> {
    std::fs::create_dir_all(path)
        .map_err(|error| crate::files::DiskError::new("create the target", path, error))?;
    let root = Folder::open_root(path)?;
    if let Some(marker) = read(&root)? {
        return Ok(marker);
    }
    let marker = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let temporary = crate::files::unique_name(MARKER, "new");
    let mut file = root.create_file(&temporary, 0o644)?;
    let written = writeln!(file, "{marker}").and_then(|()| file.sync_all());
    if let Err(error) = written {
        root.discard(&temporary);
        return Err(crate::files::DiskError::new("write", path.join(MARKER), error).into());
    }
    if !root.rename_new(&temporary, &root, MARKER)? {
        // Another machine was faster: its marker counts.
        root.discard(&temporary);
    }
    root.sync()?;
    match read(&root)? {
        Some(marker) => Ok(marker),
        None => Err(MirrorError::not_mounted(
            path,
            "its marker file went away at once",
        )),
    }
}

/// The text of the marker; `None` when there is none.
pub(super) fn read(root: &Folder) -> Result<Option<String>, MirrorError> {
    let file = match root.open_file(MARKER, OFlags::RDONLY, 0) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut text = String::new();
    file.take(LIMIT_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| crate::files::DiskError::new("read", root.path().join(MARKER), error))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}
