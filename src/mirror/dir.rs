//! A directory as a place: the local cache, or a target with its marker.
//!
//! Each call opens the root anew, looks at the marker through the descriptor it got, and works
//! relative to that descriptor. So nothing is written to what stands where a target used to be.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::error::MirrorError;
use super::layout::{BLOBS, HUB, REFS, SNAPSHOTS, STAGING, TEMPORARY, key_of, shared_entry};
use super::listing::Listing;
use super::marker;
use super::scan;
use super::upload::{DirUpload, Upload};
use super::{Found, Opened, Place, RepoKey};
use crate::files::{Folder, unique_name};

/// A directory with repos in the layout of the Hugging Face cache.
#[derive(Debug, Clone)]
pub struct Dir {
    root: PathBuf,
    /// What the marker has to hold; `None` for the local cache.
    marker: Option<String>,
}

impl Dir {
    /// The local Hub cache at `hub`.
    pub fn local(hub: &Path) -> Self {
        Self {
            root: hub.to_owned(),
            marker: None,
        }
    }

    /// A registered target: its repos lie in `hub/` below `root`.
    pub fn target(root: &Path, marker: &str) -> Self {
        Self {
            root: root.to_owned(),
            marker: Some(marker.to_owned()),
        }
    }

    /// The folder that holds the repo folders.
    pub fn hub_path(&self) -> PathBuf {
        match self.marker {
            Some(_) => self.root.join(HUB),
            None => self.root.clone(),
        }
    }

    /// The root, proven to be the right one.
    fn root(&self) -> Result<Folder, MirrorError> {
        let Some(wanted) = &self.marker else {
            return Ok(Folder::open_root(&self.root)?);
        };
        let root = Folder::open_root(&self.root).map_err(|error| {
            if error.is_not_found() {
                MirrorError::not_mounted(&self.root, "the directory does not exist")
            } else {
                MirrorError::not_mounted(&self.root, &error.source.to_string())
            }
        })?;
        match marker::read(&root) {
            Ok(Some(found)) if found == *wanted => Ok(root),
            Ok(Some(_)) => Err(MirrorError::not_mounted(
                &self.root,
                "another target is in its place",
            )),
            Ok(None) => Err(MirrorError::not_mounted(
                &self.root,
                "its marker file .hfdepot-target is missing",
            )),
            Err(error) => Err(MirrorError::not_mounted(&self.root, &error.text)),
        }
    }

    /// The folder of the repos; `None` when there is none yet.
    fn hub(&self) -> Result<Option<Folder>, MirrorError> {
        if self.marker.is_some() {
            return Ok(self.root()?.child_if_present(HUB)?);
        }
        match Folder::open_root(&self.root) {
            Ok(root) => Ok(Some(root)),
            // A cache that nobody has used yet.
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn make_hub(&self) -> Result<Folder, MirrorError> {
        let root = self.root()?;
        match self.marker {
            Some(_) => Ok(root.make_child(HUB)?.0),
            None => Ok(root),
        }
    }

    fn repo(&self, repo: &RepoKey) -> Result<Option<Folder>, MirrorError> {
        let Some(hub) = self.hub()? else {
            return Ok(None);
        };
        Ok(hub.child_if_present(&repo.1.folder(repo.0))?)
    }

    /// The repo folder with all that other programs look for in one.
    fn make_repo(&self, repo: &RepoKey) -> Result<Folder, MirrorError> {
        let hub = self.make_hub()?;
        let (folder, made) = hub.make_child(&repo.1.folder(repo.0))?;
        for name in [SNAPSHOTS, BLOBS, REFS, STAGING] {
            folder.make_child(name)?;
        }
        if made {
            folder.sync()?;
            hub.sync()?;
        }
        Ok(folder)
    }
}

/// Syncs folders below `repo` and all that lead to them, each once and the inner ones first, so
/// that no synced folder lacks what it contains.
fn sync_all(repo: &Folder, paths: &[&str]) -> Result<(), MirrorError> {
    let mut all = BTreeSet::new();
    for path in paths {
        let ends = path.match_indices('/').map(|(at, _)| at);
        all.extend(ends.chain([path.len()]).map(|end| &path[..end]));
    }
    for path in all.iter().rev() {
        let mut here = Some(repo.make_child(".")?.0);
        for part in path.split('/') {
            here = match here {
                Some(folder) => folder.child_if_present(part)?,
                None => None,
            };
        }
        here.map_or(Ok(()), |folder| folder.sync())?;
    }
    Ok(repo.sync()?)
}

/// The folder that holds `path`, made when missing, and the last name of `path`.
fn make_parent<'a>(repo: &Folder, path: &'a str) -> Result<(Folder, &'a str), MirrorError> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut here = repo.make_child(".")?.0;
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        here = here.make_child(part)?.0;
    }
    Ok((here, name))
}

impl Place for Dir {
    fn check(&self) -> Result<(), MirrorError> {
        self.hub().map(drop)
    }

    fn repos(&self) -> Result<Found, MirrorError> {
        let mut found = Found::default();
        let Some(hub) = self.hub()? else {
            return Ok(found);
        };
        for name in hub.names()? {
            let is_folder = |name: &str| hub.entry(name).map(|entry| entry.map(|entry| entry.kind));
            match key_of(&name) {
                Some(key) if is_folder(&name)? == Some(FileType::Directory) => found.repos.push(key),
                Some(_) => found.ignored.push(name),
                None if ["models--", "datasets--", "spaces--", "kernels--"]
                    .iter()
                    .any(|kind| name.starts_with(kind)) =>
                {
                    found.ignored.push(name);
                }
                None => {}
            }
        }
        found.repos.sort();
        found.ignored.sort();
        Ok(found)
    }

    fn listing(&self, repo: &RepoKey) -> Result<Listing, MirrorError> {
        match self.repo(repo)? {
            Some(folder) => scan::list(&folder),
            None => Ok(Listing::default()),
        }
    }

    fn open(&self, repo: &RepoKey, path: &str) -> Result<Option<Opened>, MirrorError> {
        let Some(mut folder) = self.repo(repo)? else {
            return Ok(None);
        };
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            match folder.child_if_present(part)? {
                Some(child) => folder = child,
                None => return Ok(None),
            }
        }
        let opened = match folder.link_target(name)? {
            Some(link) if folders == BLOBS => self.open_shared(&link)?,
            _ => match folder.open_file(name, OFlags::RDONLY, 0) {
                Ok(file) => Some(file),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            },
        };
        let Some(file) = opened else { return Ok(None) };
        let size_bytes = file
            .metadata()
            .map_err(|error| crate::files::DiskError::new("look at", folder.path().join(name), error))?
            .len();
        Ok(Some((Box::new(file), size_bytes)))
    }

    fn create(&self, repo: &RepoKey, path: &str) -> Result<Box<dyn Upload>, MirrorError> {
        let repo = self.make_repo(repo)?;
        let (folder, name) = make_parent(&repo, path)?;
        let staging = repo.child(STAGING)?;
        let temporary = unique_name(TEMPORARY, "tmp");
        let file = staging.create_file(&temporary, 0o666)?;
        Ok(Box::new(DirUpload {
            file,
            staging,
            temporary,
            folder,
            name: name.to_owned(),
            finished: false,
        }))
    }

    fn point(&self, repo: &RepoKey, pointers: &[(&str, &str)]) -> Result<(), MirrorError> {
        let repo = self.make_repo(repo)?;
        let staging = repo.child(STAGING)?;
        let mut folders = Vec::new();
        for (path, blob) in pointers {
            let (folder, name) = make_parent(&repo, path)?;
            // As many steps up as the path has folders, the snapshot's own ones included.
            let target = format!("{}{BLOBS}/{blob}", "../".repeat(path.matches('/').count()));
            let there = folder.link_target(name)?;
            if there.as_deref() != Some(&target) && !folder.link_new(&target, name)? {
                let temporary = unique_name(TEMPORARY, "tmp");
                staging.link_new(&target, &temporary)?;
                if let Err(error) = staging.rename(&temporary, &folder, name) {
                    staging.discard(&temporary);
                    return Err(error.into());
                }
            }
            folders.extend(path.rsplit_once('/').map(|(above, _)| above));
        }
        sync_all(&repo, &folders)
    }

    fn write_refs(&self, repo: &RepoKey, refs: &[(&str, &str)]) -> Result<(), MirrorError> {
        for (name, commit) in refs {
            let mut upload = self.create(repo, &format!("{REFS}/{name}"))?;
            upload
                .write_all(commit.as_bytes())
                .map_err(|error| crate::files::DiskError::new("write the ref", name, error))?;
            upload.finish()?;
        }
        self.sync(repo, &[REFS])
    }

    fn sync(&self, repo: &RepoKey, folders: &[&str]) -> Result<(), MirrorError> {
        let Some(repo) = self.repo(repo)? else {
            return Ok(());
        };
        sync_all(&repo, folders)
    }

    fn tidy(&self, repo: &RepoKey) -> Result<(), MirrorError> {
        let Some(repo) = self.repo(repo)? else {
            return Ok(());
        };
        if let Some(staging) = repo.child_if_present(STAGING)? {
            let ours = |name: &String| name.starts_with(&format!("{TEMPORARY}.")) && name.ends_with(".tmp");
            for name in staging.names()?.iter().filter(|name| ours(name)) {
                staging.remove(name)?;
            }
        }
        // The local cache keeps its folder: downloads come and go there. One that is in use stays.
        if self.marker.is_some() {
            let _ = repo.remove_folder(STAGING);
        }
        Ok(())
    }

    fn remove(&self, repo: &RepoKey) -> Result<(), MirrorError> {
        let Some(hub) = self.hub()? else {
            return Ok(());
        };
        let name = repo.1.folder(repo.0);
        let stem = format!(".trash-{name}");
        match hub.rename(&name, &hub, &unique_name(&stem, "old")) {
            Ok(()) => hub.sync()?,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        // Also what a run that was cut short moved out of sight.
        let stem = format!("{stem}.");
        let away = hub.names()?.into_iter().filter(|name| name.starts_with(&stem));
        away.into_iter().try_for_each(|name| remove_tree(&hub, &name))
    }
}

impl Dir {
    /// The content behind a blob that is a link into the store that repos share.
    fn open_shared(&self, link: &str) -> Result<Option<File>, MirrorError> {
        let (Some((folder, name)), Some(hub)) = (shared_entry(link), self.hub()?) else {
            return Ok(None);
        };
        let opened = hub
            .child(BLOBS)
            .and_then(|store| store.child(folder))
            .and_then(|store| store.open_file(name, OFlags::RDONLY, 0));
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn remove_tree(above: &Folder, name: &str) -> Result<(), MirrorError> {
    let folder = above.child(name)?;
    for name in folder.names()? {
        match folder.entry(&name)?.map(|entry| entry.kind) {
            Some(FileType::Directory) => remove_tree(&folder, &name)?,
            Some(_) => drop(folder.remove(&name)?),
            None => {}
        }
    }
    above.remove_folder(name)?;
    Ok(())
}
