//! Files that other programs keep elsewhere, to be taken into the cache: which of them say what
//! they are, and their way into the staging folder of a repo.
//!
//! Two layouts say it: a Hugging Face cache, where the name of a content is its hash, and a folder
//! that `hf download --local-dir` or a download of ours filled, whose records name commit and hash.
//! What they say is a claim; the caller hashes before it believes. Nothing is written there.

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::content::{Content, Contents, opened};
use super::error::DiskError;
use super::export::{Copy, Placing, Way, clone, link};
use super::folder::{Folder, unique_name};
use super::library::scan_repo;
use super::local::RECORDS;
use super::repo::RepoDir;
use super::staging::small_name;
use crate::clock::now_ms;
use crate::model::library::{CachedRepo, Held};
use crate::model::repo::{BlobId, Commit, RepoId, RepoPath, RepoType, Revision};

/// Folders that are looked into for one import.
const FOLDERS: usize = 10_000;
/// Folders above a folder of plain files: `owner/name`.
const DEPTH: usize = 2;
/// Longest record that is read: two hashes and a time.
const RECORD_BYTES: u64 = 512;
/// Files that are told as not fitting.
const TOLD: usize = 1_000;

/// One file that says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The folder that holds its repo, below the one that was looked through; empty = that itself.
    pub place: String,
    /// Its repo.
    pub repo: CachedRepo,
    /// Its commit.
    pub commit: String,
    /// Its path there.
    pub path: String,
    /// The hash that it should have.
    pub blob: BlobId,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Whether it lies in a cache, else plain under its own name.
    pub cached: bool,
}

/// A file that does not say what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Path below the folder.
    pub path: String,
    /// Why, as a sentence.
    pub reason: String,
}

/// What a folder holds for the cache.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// Files that say what they are.
    pub claims: Vec<Claim>,
    /// Refs of caches: place, repo, name, commit.
    pub refs: Vec<(String, CachedRepo, String, String)>,
    /// The first thousand of the others.
    pub strangers: Vec<Stranger>,
    /// How many the others are.
    pub stranger_count: u64,
}

/// Whose files lie in a folder of plain files, when its place does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Model or dataset.
    pub repo_type: RepoType,
    /// The repo; `None` = as the folder is named.
    pub repo: Option<RepoId>,
}

/// Looks through a folder. Blocks.
///
/// # Errors
/// When it cannot be listed; what is below it and cannot be read is told as a stranger.
pub fn look(dir: &Path, owner: &Owner) -> Result<Claims, DiskError> {
    let mut found = Looking {
        dir,
        owner,
        claims: Claims::default(),
        folders: 0,
    };
    let root = Folder::open_root(dir)?;
    found.visit(&root, "", 0)?;
    Ok(found.claims)
}

/// A file that [`look`] found, opened again; `None` when it is gone. Blocks.
///
/// # Errors
/// What opening reports.
pub fn open_claim(
    dir: &Path,
    place: &str,
    cached: bool,
    repo: &CachedRepo,
    commit: &str,
    path: &str,
) -> Result<Option<Content>, DiskError> {
    if cached {
        return Contents::new(&dir.join(place), repo).of_path(commit, path);
    }
    let mut folder = Folder::open_root(dir)?;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for part in place
        .split('/')
        .chain(folders.split('/'))
        .filter(|part| !part.is_empty())
    {
        match folder.child_if_present(part)? {
            Some(child) => folder = child,
            None => return Ok(None),
        }
    }
    opened(folder, name.to_owned(), String::new())
}

struct Looking<'a> {
    dir: &'a Path,
    owner: &'a Owner,
    claims: Claims,
    folders: usize,
}

impl Looking<'_> {
    fn stranger(&mut self, path: String, reason: impl Into<String>) {
        self.claims.stranger_count += 1;
        if self.claims.strangers.len() < TOLD {
            let reason = reason.into();
            self.claims.strangers.push(Stranger { path, reason });
        }
    }

    fn visit(&mut self, folder: &Folder, place: &str, depth: usize) -> Result<(), DiskError> {
        self.folders += 1;
        let mut kinds = folder.kinds()?;
        kinds.sort_by(|a, b| a.0.cmp(&b.0));
        if has_records(folder) {
            return self.local(folder, place);
        }
        let repos: Vec<CachedRepo> = kinds
            .iter()
            .filter(|(_, kind)| *kind == FileType::Directory)
            .filter_map(|(name, _)| CachedRepo::from_folder(name))
            .collect();
        for repo in &repos {
            self.cached(place, repo);
        }
        for (name, kind) in kinds {
            let path = match place {
                "" => name.clone(),
                place => format!("{place}/{name}"),
            };
            match kind {
                FileType::Directory if CachedRepo::from_folder(&name).is_some() => {}
                // Parts of a cache, and what programs hide.
                FileType::Directory if name.starts_with('.') || !repos.is_empty() && name == "blobs" => {}
                FileType::Directory if depth < DEPTH && self.folders < FOLDERS => match folder.child(&name) {
                    Ok(child) => self.visit(&child, &path, depth + 1)?,
                    Err(error) => self.stranger(path, error.to_string()),
                },
                FileType::Directory => self.stranger(path, "It lies too deep"),
                FileType::RegularFile if name.starts_with('.') || name == "CACHEDIR.TAG" => {}
                FileType::RegularFile => self.stranger(path, "Nothing beside it says what it is"),
                _ => {}
            }
        }
        Ok(())
    }

    /// A repo of another cache.
    fn cached(&mut self, place: &str, repo: &CachedRepo) {
        let folder = repo.folder();
        let shown = |path: &str| match place {
            "" => format!("{folder}/{path}"),
            place => format!("{place}/{folder}/{path}"),
        };
        if repo.id().parse::<RepoId>().is_err() {
            return self.stranger(shown(""), "Its repo has no owner");
        }
        let hub = self.dir.join(place);
        let scan = match scan_repo(&hub, repo, now_ms()) {
            Ok(Some(scan)) => scan,
            Ok(None) => return,
            Err(error) => return self.stranger(shown(""), error.to_string()),
        };
        let contents = Contents::new(&hub, repo);
        let mut files = scan.files;
        files.sort_by(|a, b| (&a.commit, &a.path).cmp(&(&b.commit, &b.path)));
        let mut announced = (String::new(), Default::default());
        for file in files {
            let path = shown(&format!("snapshots/{}/{}", file.commit, file.path));
            if file.commit.parse::<Commit>().is_err() || file.path.parse::<RepoPath>().is_err() {
                self.stranger(path, "Its name cannot be stored");
                continue;
            }
            let blob = match file.held {
                Held::Linked => file.blob.parse().ok(),
                Held::Real => {
                    if announced.0 != file.commit {
                        let told = contents.announced(&file.commit).ok().flatten();
                        announced = (file.commit.clone(), told.unwrap_or_default());
                    }
                    let told: Option<&super::content::Announced> = announced.1.get(&file.path);
                    told.map(|told| told.blob)
                }
                Held::Dangling | Held::Foreign => {
                    self.stranger(path, "Its content is not there");
                    continue;
                }
            };
            match blob {
                Some(blob) => self.claims.claims.push(Claim {
                    place: place.to_owned(),
                    repo: repo.clone(),
                    commit: file.commit,
                    path: file.path,
                    blob,
                    size_bytes: file.size_bytes,
                    cached: true,
                }),
                None => self.stranger(path, "Nothing says which hash it should have"),
            }
        }
        let refs = scan
            .refs
            .into_iter()
            .filter(|(name, commit)| name.parse::<Revision>().is_ok() && commit.parse::<Commit>().is_ok());
        let named = refs.map(|(name, commit)| (place.to_owned(), repo.clone(), name, commit));
        self.claims.refs.extend(named);
    }

    /// A folder of plain files with its records.
    fn local(&mut self, folder: &Folder, place: &str) -> Result<(), DiskError> {
        let owner = self.owner_of(place);
        self.files(folder, place, "", owner.as_ref(), folder)
    }

    /// Whose files lie at `place`: as the request says, else as its two last folders are named.
    fn owner_of(&self, place: &str) -> Option<CachedRepo> {
        if let Some(repo) = self.owner.repo.as_ref().filter(|_| place.is_empty()) {
            return Some(CachedRepo::from((self.owner.repo_type, repo)));
        }
        let whole = self.dir.join(place);
        let mut names = whole.components().rev().map(|part| part.as_os_str().to_str());
        let (name, owner) = (names.next()??, names.next()??);
        let id: RepoId = format!("{owner}/{name}").parse().ok()?;
        let repo_type = match names.next().flatten() {
            Some("datasets") => RepoType::Dataset,
            _ => self.owner.repo_type,
        };
        Some(CachedRepo::from((repo_type, &id)))
    }

    fn files(
        &mut self,
        root: &Folder,
        place: &str,
        above: &str,
        owner: Option<&CachedRepo>,
        folder: &Folder,
    ) -> Result<(), DiskError> {
        let mut kinds = folder.kinds()?;
        kinds.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in kinds {
            let path = format!("{above}{name}");
            let shown = match place {
                "" => path.clone(),
                place => format!("{place}/{path}"),
            };
            if above.is_empty() && matches!(name.as_str(), ".cache" | ".hfdepot") {
                continue;
            }
            if kind == FileType::Directory {
                self.folders += 1;
                if self.folders >= FOLDERS {
                    self.stranger(shown, "There are too many folders");
                } else {
                    let child = folder.child(&name)?;
                    self.files(root, place, &format!("{path}/"), owner, &child)?;
                }
                continue;
            }
            if kind != FileType::RegularFile {
                continue;
            }
            let (Ok(checked), Some(repo)) = (path.parse::<RepoPath>(), owner) else {
                let reason = "Its folder is not named owner/name, so that its repo is not known";
                self.stranger(shown, reason);
                continue;
            };
            match (record(root, &checked), folder.entry(&name)?) {
                (Some((commit, blob)), Some(entry)) => self.claims.claims.push(Claim {
                    place: place.to_owned(),
                    repo: repo.clone(),
                    commit: commit.as_str().to_owned(),
                    path,
                    blob,
                    size_bytes: entry.size_bytes,
                    cached: false,
                }),
                _ => self.stranger(shown, "No record says which commit and hash it has"),
            }
        }
        Ok(())
    }
}

fn has_records(folder: &Folder) -> bool {
    let mut here = None;
    for name in RECORDS {
        let next = here.as_ref().unwrap_or(folder).child_if_present(name);
        match next {
            Ok(Some(child)) => here = Some(child),
            _ => return false,
        }
    }
    true
}

/// Commit and hash of a file, as the record beside it has them.
fn record(root: &Folder, path: &RepoPath) -> Option<(Commit, BlobId)> {
    let text = super::local::read_record(root, path, RECORD_BYTES)?;
    let mut lines = text.lines();
    let commit = lines.next()?.trim().parse().ok()?;
    let blob = lines.next()?.trim().parse().ok()?;
    Some((commit, blob))
}

/// What taking a file over came to.
#[derive(Debug)]
pub enum Adopting {
    /// It is in the staging folder; its hash is still to be compared.
    Staged(PathBuf, Way),
    /// Its bytes have to be copied; [`Copy::finish`] puts them at the path.
    Copy(Copy, PathBuf),
}

impl RepoDir {
    /// Brings a foreign content into the staging folder of the repo, which has to be
    /// [made](Self::create), to be published from there.
    ///
    /// # Errors
    /// When `placing` cannot be done here, or what the system reports.
    pub fn adopt(&self, content: &Content, blob: BlobId, placing: Placing) -> Result<Adopting, DiskError> {
        let staging = self.open_staging()?;
        let name = small_name(blob);
        let path = self.parts_dir().join(&name);
        let mut failure = None;
        for (mode, way) in [
            (Placing::Reflink, Way::Reflinked),
            (Placing::Hardlink, Way::Hardlinked),
        ] {
            if placing != Placing::Auto && placing != mode {
                continue;
            }
            let made = match mode {
                Placing::Reflink => clone(content, &staging),
                _ => link(content, &staging),
            };
            match made {
                Ok(temporary) => {
                    staging.rename(&temporary, &staging, &name)?;
                    return Ok(Adopting::Staged(path, way));
                }
                Err(error) => failure = Some(error),
            }
        }
        if let (Placing::Hardlink | Placing::Reflink, Some(error)) = (placing, failure) {
            return Err(error);
        }
        let temporary = unique_name("adopt", "tmp");
        let file = staging.create_file(&temporary, 0o666)?;
        let copy = Copy::new(file, staging, temporary, self.open_staging()?, name);
        Ok(Adopting::Copy(copy, path))
    }

    /// Opens a file that [`adopt`](Self::adopt) staged.
    ///
    /// # Errors
    /// What opening reports.
    pub fn open_staged(&self, path: &Path) -> Result<std::fs::File, DiskError> {
        let name = super::repo::staged_name(path)?;
        self.open_staging()?.open_file(name, OFlags::RDONLY, 0)
    }

    /// Removes a staged file that is not what it should be.
    ///
    /// # Errors
    /// What removing reports.
    pub fn discard_staged(&self, path: &Path) -> Result<(), DiskError> {
        let name = super::repo::staged_name(path)?;
        self.open_staging()?.remove(name).map(drop)
    }
}
