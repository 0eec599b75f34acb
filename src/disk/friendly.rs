//! The friendly view: `models/owner/name/` and `datasets/owner/name/` beside the Hub cache, with
//! links to the files of the snapshot that a repo shows, and a manifest `hfd.yaml` in each.
//!
//! Only links that lead into the cache are ever replaced or removed. A real file in the place
//! of a link stays, and is told.

use std::collections::HashSet;
use std::ffi::CString;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::cache::SNAPSHOTS;
use super::error::DiskError;
use super::folder::{Folder, unique_name};
use crate::model::library::{CachedRepo, Held, LibraryRepo};
use crate::model::manifest::{ForeignManifest, MANIFEST_READ_MAX};
use crate::model::repo::{RepoPath, RepoType};

/// Name of the manifest.
const MANIFEST: &str = "hfd.yaml";
/// First line of a manifest; a file without it is somebody else's.
const MANIFEST_HEAD: &str = "version: \"1.0\"\n";
/// Largest manifest that is compared before it is written again, in bytes.
const MANIFEST_MAX: u64 = 64 << 20;

/// What a rebuild did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Links that were new.
    pub created: usize,
    /// Links that led elsewhere.
    pub updated: usize,
    /// Links that nothing wants any more.
    pub orphans_removed: usize,
    /// What could not be done, as sentences.
    pub errors: Vec<String>,
}

/// The view of one cache.
#[derive(Debug)]
pub struct FriendlyView {
    root: PathBuf,
    hub: PathBuf,
}

impl FriendlyView {
    /// The view in `root` of the cache at `hub`, both absolute.
    pub fn new(root: &Path, hub: &Path) -> Self {
        Self {
            root: root.to_owned(),
            hub: hub.to_owned(),
        }
    }

    /// The folder of a repo in the view.
    pub fn path(&self, repo: &CachedRepo) -> PathBuf {
        let (kind, owner, name) = place(repo);
        self.root.join(kind).join(owner).join(name)
    }

    /// What another program noted about its download of a repo, when it left a manifest. Blocks.
    pub fn noted(&self, repo: &CachedRepo) -> Option<ForeignManifest> {
        let (kind, owner, name) = place(repo);
        let mut folder = Folder::open_root(&self.root).ok()?;
        for part in [kind, owner, name] {
            folder = folder.child_if_present(part).ok()??;
        }
        let mut head = Vec::new();
        let file = folder.open_file(MANIFEST, OFlags::RDONLY, 0).ok()?;
        file.take(MANIFEST_READ_MAX).read_to_end(&mut head).ok()?;
        ForeignManifest::parse(&String::from_utf8_lossy(&head))
    }

    /// Brings the folder of one repo up to date; `clean` also removes its links that nothing
    /// wants any more. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be made; a single file that fails stands among the errors.
    pub fn rebuild(&self, repo: &LibraryRepo, clean: bool, done: &mut Rebuilt) -> Result<(), DiskError> {
        let (kind, owner, name) = place(&repo.repo);
        let commit = repo.shown().1.to_owned();
        let files: Vec<_> = repo
            .shown_files()
            .filter(|file| matches!(file.held, Held::Linked | Held::Real))
            .filter_map(|file| Some((file.path.parse::<RepoPath>().ok()?, file)))
            .collect();
        if files.is_empty() && !self.path(&repo.repo).exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.root)
            .map_err(|error| DiskError::new("create the folder", &self.root, error))?;
        let mut folder = Folder::open_root(&self.root)?;
        for part in [kind, owner, name] {
            folder = folder.make_child(part)?.0;
        }
        let snapshot = self.hub.join(repo.repo.folder()).join(SNAPSHOTS).join(&commit);
        let mut wanted = HashSet::new();
        for (path, _) in &files {
            let at = self.path(&repo.repo).join(path.as_str());
            let target = relative(at.parent().unwrap_or(&at), &snapshot.join(path.as_str()));
            wanted.insert(path.as_str().to_owned());
            match self.link(&folder, path, &target) {
                Ok(Linked::Same) => {}
                Ok(Linked::New) => done.created += 1,
                Ok(Linked::Other) => done.updated += 1,
                Err(error) => done.errors.push(error.to_string()),
            }
        }
        if clean {
            self.sweep(&folder, "", &wanted, done, 0)?;
        }
        if files.is_empty() {
            folder.remove(MANIFEST)?;
        } else if !self.is_told_by_another(repo, files.len()) {
            write_manifest(&folder, &self.manifest(repo))?;
        }
        folder.sync()
    }

    /// Whether another program noted just what is shown: it knows more of its download than we do.
    fn is_told_by_another(&self, repo: &LibraryRepo, files: usize) -> bool {
        let noted = self.noted(&repo.repo);
        noted.is_some_and(|noted| noted.commit == repo.shown().1 && noted.total_files == Some(files as u64))
    }

    fn link(&self, repo: &Folder, path: &RepoPath, target: &str) -> Result<Linked, DiskError> {
        let mut opened: Option<Folder> = None;
        for part in path.folders() {
            let above = opened.as_ref().unwrap_or(repo);
            opened = Some(above.make_child(part)?.0);
        }
        let folder = opened.as_ref().unwrap_or(repo);
        let name = path.file_name();
        if folder.link_new(target, name)? {
            return Ok(Linked::New);
        }
        match folder.link_target(name)? {
            Some(old) if old == target => Ok(Linked::Same),
            Some(old) if self.is_ours(folder.path(), &old) => {
                let temporary = unique_name(".link", "tmp");
                folder.link_new(target, &temporary)?;
                folder.rename(&temporary, folder, name)?;
                Ok(Linked::Other)
            }
            _ => {
                let why = "something that is no link into the cache stands in its place";
                Err(DiskError::unexpected("link", folder.path().join(name), why))
            }
        }
    }

    /// Whether a link in `folder` leads into the cache, judged by its text.
    fn is_ours(&self, folder: &Path, target: &str) -> bool {
        normal(&folder.join(target)).starts_with(normal(&self.hub))
    }

    /// Removes links into the cache that are not wanted, and folders that this leaves empty.
    fn sweep(
        &self,
        folder: &Folder,
        above: &str,
        wanted: &HashSet<String>,
        done: &mut Rebuilt,
        depth: usize,
    ) -> Result<(), DiskError> {
        for (name, kind) in folder.kinds()? {
            let path = format!("{above}{name}");
            match kind {
                FileType::Directory if depth < 64 => {
                    let child = folder.child(&name)?;
                    self.sweep(&child, &format!("{path}/"), wanted, done, depth + 1)?;
                    // One that is not empty stays.
                    let _ = folder.remove_folder(&name);
                }
                FileType::Symlink if !wanted.contains(&path) => {
                    let target = folder.link_target(&name)?.unwrap_or_default();
                    if self.is_ours(folder.path(), &target) && folder.remove(&name)? {
                        done.orphans_removed += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what the view has of a repo that is not in the cache any more: its links, its
    /// manifest, and the folders that are empty then. Blocks.
    ///
    /// # Errors
    /// What the disk says.
    pub fn forget(&self, repo: &CachedRepo) -> Result<usize, DiskError> {
        let (kind, owner, name) = place(repo);
        let root = match Folder::open_root(&self.root) {
            Err(error) if error.is_not_found() => return Ok(0),
            root => root?,
        };
        let Some(kind) = root.child_if_present(kind)? else {
            return Ok(0);
        };
        let Some(owner_folder) = kind.child_if_present(owner)? else {
            return Ok(0);
        };
        let Some(folder) = owner_folder.child_if_present(name)? else {
            return Ok(0);
        };
        let mut done = Rebuilt::default();
        self.sweep(&folder, "", &HashSet::new(), &mut done, 0)?;
        if is_manifest(&folder) {
            folder.remove(MANIFEST)?;
        }
        let _ = owner_folder.remove_folder(name);
        let _ = kind.remove_folder(owner);
        Ok(done.orphans_removed)
    }

    /// Forgets the repos that the view has and `known` has not. Blocks.
    ///
    /// # Errors
    /// What the disk says.
    pub fn forget_others(&self, known: &HashSet<CachedRepo>) -> Result<usize, DiskError> {
        let mut removed = 0;
        let root = match Folder::open_root(&self.root) {
            Err(error) if error.is_not_found() => return Ok(0),
            root => root?,
        };
        for repo_type in [RepoType::Model, RepoType::Dataset] {
            let Some(kind) = root.child_if_present(repo_type.plural())? else {
                continue;
            };
            for owner in kind.names()? {
                let Ok(Some(folder)) = kind.child_if_present(&owner) else {
                    continue;
                };
                for name in folder.names()? {
                    let id = match owner.as_str() {
                        "_" => name,
                        owner => format!("{owner}/{name}"),
                    };
                    if let Ok(repo) = CachedRepo::parse(repo_type, &id)
                        && !known.contains(&repo)
                    {
                        removed += self.forget(&repo)?;
                    }
                }
            }
        }
        Ok(removed)
    }

    fn manifest(&self, repo: &LibraryRepo) -> String {
        let (branch, commit) = repo.shown();
        // Every JSON text is a YAML text.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let newest = repo.blobs.iter().map(|blob| blob.modified_at).max().unwrap_or(0);
        let files: Vec<_> = repo.shown_files().collect();
        let total: u64 = files.iter().map(|file| file.size_bytes).sum();
        let folder = self.hub.join(repo.repo.folder());
        let mut text = MANIFEST_HEAD.to_owned();
        let mut line = |key: &str, value: String| {
            let _ = writeln!(text, "{key}: {value}");
        };
        line("type", quoted(repo.repo.repo_type().as_str()));
        line("repo", quoted(repo.repo.id()));
        line("branch", quoted(branch));
        line("commit", quoted(commit));
        line("repo_path", quoted(&folder.to_string_lossy()));
        line("completed_at", quoted(&crate::clock::rfc3339(newest)));
        line("total_size", total.to_string());
        line("total_files", files.len().to_string());
        text.push_str("files:\n");
        for file in files {
            let _ = writeln!(
                text,
                "  - {{name: {}, blob: {}, size: {}, lfs: {}}}",
                quoted(&file.path),
                quoted(&file.blob),
                file.size_bytes,
                file.blob.len() == 64
            );
        }
        text
    }
}

enum Linked {
    New,
    Same,
    Other,
}

/// Folders of a repo in the view; a repo without an owner stands below `_`.
fn place(repo: &CachedRepo) -> (&'static str, &str, &str) {
    let owner = match repo.owner() {
        "" => "_",
        owner => owner,
    };
    (repo.repo_type().plural(), owner, repo.name())
}

fn is_manifest(folder: &Folder) -> bool {
    let mut head = String::new();
    folder.open_file(MANIFEST, OFlags::RDONLY, 0).is_ok_and(|file| {
        file.take(MANIFEST_HEAD.len() as u64)
            .read_to_string(&mut head)
            .is_ok()
            && head == MANIFEST_HEAD
    })
}

/// Writes the manifest when it changed; a file of that name that is no manifest stays.
fn write_manifest(folder: &Folder, text: &str) -> Result<(), DiskError> {
    if folder.entry(MANIFEST)?.is_some() {
        if !is_manifest(folder) {
            return Ok(());
        }
        let mut old = String::new();
        let file = folder.open_file(MANIFEST, OFlags::RDONLY, 0)?;
        if file.take(MANIFEST_MAX).read_to_string(&mut old).is_ok() && old == text {
            return Ok(());
        }
    }
    let temporary = unique_name(".hfd", "tmp");
    let written = folder
        .create_file(&temporary, 0o666)?
        .write_all(text.as_bytes())
        .map_err(|error| DiskError::new("write", folder.path().join(&temporary), error))
        .and_then(|()| folder.rename(&temporary, folder, MANIFEST));
    if written.is_err() {
        let _ = folder.remove_all(&CString::new(temporary).unwrap_or_default());
    }
    written
}

/// `path` without `.` and `..`, judged by its text.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// The way from the folder `from` to `to`, both absolute, as the text of a link.
fn relative(from: &Path, to: &Path) -> String {
    let (from, to) = (normal(from), normal(to));
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut way = PathBuf::new();
    for _ in from.components().skip(shared) {
        way.push("..");
    }
    way.extend(to.components().skip(shared));
    way.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_two_places_is_relative() {
        for (from, to, way) in [
            ("/r/models/o/n", "/r/hub/x/y", "../../../hub/x/y"),
            ("/r/models/o/n/sub", "/r/hub/x", "../../../../hub/x"),
            ("/a", "/b/c", "../b/c"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), way);
        }
    }
}
