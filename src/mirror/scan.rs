//! Reading a repo folder: every name is parsed, every link is looked at and none is followed.

use std::collections::BTreeMap;
use std::io::Read;

use rustix::fs::{FileType, OFlags};

use super::error::MirrorError;
use super::layout::{BLOBS, REFS, SNAPSHOTS, TREES, shared_entry};
use super::listing::Listing;
use crate::files::Folder;
use crate::model::repo::{BlobId, Commit, RepoPath, Revision};

/// Longest ref file that is read: 40 digits, and room to notice that there is more.
const REF_LIMIT_BYTES: u64 = 64;

/// All of a repo folder that belongs to the repo.
pub(super) fn list(repo: &Folder) -> Result<Listing, MirrorError> {
    let mut listing = Listing::default();
    if let Some(blobs) = repo.child_if_present(BLOBS)? {
        // What has another name is a file that some program has not finished.
        for name in blobs
            .names()?
            .into_iter()
            .filter(|name| name.parse::<BlobId>().is_ok())
        {
            let Some(entry) = blobs.entry(&name)? else {
                continue;
            };
            match entry.kind {
                FileType::RegularFile => drop(listing.blobs.insert(name, entry.size_bytes)),
                FileType::Symlink => {
                    let link = blobs.link_target(&name)?.unwrap_or_default();
                    let path = blobs.path().join(&name);
                    if shared_entry(&link).is_none() {
                        return Err(MirrorError::unsafe_entry(
                            &path,
                            "it is a link that leaves the repo",
                        ));
                    }
                    // Its form is known, and nothing is opened.
                    let size = path.metadata().map_or(0, |metadata| metadata.len());
                    listing.blobs.insert(name, size);
                }
                _ => {
                    return Err(MirrorError::unsafe_entry(
                        &blobs.path().join(&name),
                        "it is no file",
                    ));
                }
            }
        }
    }
    if let Some(snapshots) = repo.child_if_present(SNAPSHOTS)? {
        for commit in snapshots.names()? {
            if commit.parse::<Commit>().is_err() {
                continue;
            }
            let mut pointers = BTreeMap::new();
            let folder = snapshots.child(&commit)?;
            list_snapshot(
                &folder,
                &format!("{SNAPSHOTS}/{commit}"),
                "",
                &mut pointers,
                &mut listing,
            )?;
            listing.pointers.insert(commit, pointers);
        }
    }
    if let Some(trees) = repo.child_if_present(TREES)? {
        for name in trees.names()? {
            let entry = trees
                .entry(&name)?
                .filter(|entry| entry.kind == FileType::RegularFile);
            let is_ours = name
                .strip_suffix(".json")
                .is_some_and(|name| name.parse::<Commit>().is_ok());
            if let (Some(entry), true) = (entry, is_ours) {
                listing.files.insert(format!("{TREES}/{name}"), entry.size_bytes);
            }
        }
    }
    if let Some(refs) = repo.child_if_present(REFS)? {
        list_refs(&refs, "", &mut listing.refs)?;
    }
    // What leads nowhere is not worth a copy: neither pointers without their blob, nor refs
    // without their commit.
    for pointers in listing.pointers.values_mut() {
        pointers.retain(|_, blob| listing.blobs.contains_key(blob));
    }
    let known = &listing.pointers;
    listing.refs.retain(|_, commit| known.contains_key(commit));
    Ok(listing)
}

/// Walks a folder of a snapshot. Its depth is bounded by the length that a path may have.
fn list_snapshot(
    folder: &Folder,
    snapshot: &str,
    above: &str,
    pointers: &mut BTreeMap<String, String>,
    listing: &mut Listing,
) -> Result<(), MirrorError> {
    for name in folder.names()? {
        let path = format!("{above}{name}");
        let shown = folder.path().join(&name);
        if let Err(error) = path.parse::<RepoPath>() {
            return Err(MirrorError::unsafe_entry(&shown, &error.to_string()));
        }
        let whole = format!("{snapshot}/{path}");
        let Some(entry) = folder.entry(&name)? else {
            continue;
        };
        match entry.kind {
            FileType::Directory => {
                let child = folder.child(&name)?;
                list_snapshot(&child, snapshot, &format!("{path}/"), pointers, listing)?;
            }
            FileType::RegularFile => drop(listing.files.insert(whole, entry.size_bytes)),
            FileType::Symlink => {
                let link = folder.link_target(&name)?.unwrap_or_default();
                let expected = format!("{}{BLOBS}/", "../".repeat(whole.matches('/').count()));
                match link
                    .strip_prefix(&expected)
                    .filter(|blob| blob.parse::<BlobId>().is_ok())
                {
                    Some(blob) => drop(pointers.insert(whole, blob.to_owned())),
                    None => {
                        let why = "it is a link that leads to no blob of its repo";
                        return Err(MirrorError::unsafe_entry(&shown, why));
                    }
                }
            }
            _ => return Err(MirrorError::unsafe_entry(&shown, "it is neither file nor folder")),
        }
    }
    Ok(())
}

/// Refs that hold a commit; what holds something else is no ref.
fn list_refs(folder: &Folder, above: &str, refs: &mut BTreeMap<String, String>) -> Result<(), MirrorError> {
    for name in folder.names()? {
        let path = format!("{above}{name}");
        // Also bounds the depth.
        if path.parse::<Revision>().is_err() {
            continue;
        }
        let Some(entry) = folder.entry(&name)? else {
            continue;
        };
        match entry.kind {
            FileType::Directory => list_refs(&folder.child(&name)?, &format!("{path}/"), refs)?,
            FileType::RegularFile => {
                let mut text = String::new();
                let file = folder.open_file(&name, OFlags::RDONLY, 0)?;
                let read = file.take(REF_LIMIT_BYTES).read_to_string(&mut text);
                if let (Ok(_), Ok(commit)) = (read, text.trim_end().parse::<Commit>()) {
                    refs.insert(path, commit.as_str().to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(())
}
