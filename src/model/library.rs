//! What a Hugging Face cache holds, as a scan finds it and the index of the database keeps it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::analysis::quantization_of;
use super::repo::{NameError, RepoId, RepoType};
use super::state::words;

/// A repo folder of a cache. Its id is `owner/name`, or a bare `name` as the oldest repos of the
/// Hub have it (`models--gpt2`): other programs put those there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CachedRepo {
    repo_type: RepoType,
    id: String,
}

impl CachedRepo {
    /// Checks an id.
    ///
    /// # Errors
    /// When it is neither `owner/name` nor a bare `name`.
    pub fn parse(repo_type: RepoType, id: &str) -> Result<Self, NameError> {
        let checked: RepoId = match id.contains('/') {
            true => id.parse()?,
            // The rules for a name are the same with and without an owner.
            false => format!("x/{id}").parse()?,
        };
        debug_assert!(checked.as_str().ends_with(id));
        Ok(Self {
            repo_type,
            id: id.to_owned(),
        })
    }

    /// The repo of a folder's name; `None` for everything that is no model or dataset.
    pub fn from_folder(folder: &str) -> Option<Self> {
        let (kind, rest) = folder.split_once("--")?;
        let repo_type = match kind {
            "models" => RepoType::Model,
            "datasets" => RepoType::Dataset,
            _ => return None,
        };
        let id = rest.replacen("--", "/", 1);
        Self::parse(repo_type, &id).ok()
    }

    /// Model or dataset.
    pub fn repo_type(&self) -> RepoType {
        self.repo_type
    }

    /// `owner/name`, or the bare name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The part before the slash; empty for a bare name.
    pub fn owner(&self) -> &str {
        self.id.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        self.id.split_once('/').map_or(self.id.as_str(), |(_, name)| name)
    }

    /// `models--owner--name`.
    pub fn folder(&self) -> String {
        format!("{}--{}", self.repo_type.plural(), self.id.replace('/', "--"))
    }
}

impl From<(RepoType, &RepoId)> for CachedRepo {
    fn from((repo_type, id): (RepoType, &RepoId)) -> Self {
        Self {
            repo_type,
            id: id.as_str().to_owned(),
        }
    }
}

words! {
    /// How a file of a snapshot is held.
    Held {
        /// A pointer to a blob that is there.
        Linked = "linked",
        /// A real file, as on file systems without symbolic links.
        Real = "real",
        /// A pointer to a blob that is not there.
        Dangling = "dangling",
        /// A link to somewhere else; it is never followed.
        Foreign = "foreign",
    }
}

words! {
    /// What is known of a blob's content.
    Verification {
        /// Nothing was compared here.
        Unknown = "",
        /// The length is the announced one.
        Size = "size",
        /// SHA-256 matched.
        Sha256 = "sha256",
        /// git's SHA-1 matched.
        GitSha1 = "git-sha1",
        /// The content is not what its name says.
        Bad = "bad",
    }
}

/// One file of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryFile {
    /// The snapshot's folder name.
    pub commit: String,
    /// Path in the snapshot.
    pub path: String,
    /// Length in bytes; 0 when it is not there.
    pub size_bytes: u64,
    /// Name of its blob; empty for a real file.
    pub blob: String,
    /// How it is held.
    pub held: Held,
}

/// One content of a repo folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryBlob {
    /// Its file name: the hash it must have, when the name is one.
    pub name: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Last change of the content, UTC milliseconds.
    pub modified_at: i64,
    /// Last reading as the file system tells it, UTC milliseconds.
    pub read_at: i64,
    /// Whether its file has a name outside of this repo too: removing it here frees nothing.
    pub elsewhere: bool,
    /// Which file of the disk it is.
    pub file: FileId,
}

/// What tells a file of the disk from all others, by whatever name it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct FileId {
    /// Its volume; 0 = that of the cache, whose own number may change with every boot.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryRevision {
    /// Its folder name.
    pub commit: String,
    /// Refs that name it, by their names.
    pub refs: Vec<String>,
    /// Last change of its folder, UTC milliseconds.
    pub modified_at: i64,
}

/// One repo folder as a scan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryRepo {
    /// Which repo.
    pub repo: CachedRepo,
    /// Fingerprint of its folders: while it holds, nothing was added or taken away.
    pub marks: String,
    /// When the scan began, UTC milliseconds.
    pub scanned_at: i64,
    /// Bytes of all contents, each counted once.
    pub size_bytes: u64,
    /// Those of them whose file has a name outside of the repo too.
    pub elsewhere_bytes: u64,
    /// Files of all snapshots.
    pub files: Vec<LibraryFile>,
    /// Contents in `blobs/`.
    pub blobs: Vec<LibraryBlob>,
    /// Snapshots, newest first.
    pub revisions: Vec<LibraryRevision>,
    /// Every ref with what it holds; the text may name no snapshot.
    pub refs: Vec<(String, String)>,
    /// What is wrong in the folder, as sentences.
    pub problems: Vec<String>,
}

/// A model that lies plain in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRepo {
    /// Which repo its folders are named after.
    pub repo: CachedRepo,
    /// The folder of the settings that it lies in.
    pub location: String,
    /// Its own folder.
    pub path: String,
    /// Path below that and length in bytes of each file, in order.
    pub files: Vec<(String, u64)>,
    /// Last change of a file, UTC milliseconds.
    pub modified_at: i64,
}

/// Refs below this folder only keep snapshots; they are no names for people.
const KEEPING: &str = "hfdepot/";

impl LibraryRepo {
    /// The ref to show, and the commit behind it: `main`, else `master`, else the first ref;
    /// without a ref the newest snapshot.
    pub fn shown(&self) -> (&str, &str) {
        let usable = |(name, commit): &&(String, String)| {
            !name.starts_with(KEEPING) && self.revisions.iter().any(|revision| revision.commit == *commit)
        };
        let named = |wanted: &str| {
            let mut refs = self.refs.iter().filter(usable);
            refs.find(|(name, _)| name == wanted)
        };
        let first = || self.refs.iter().filter(usable).min();
        match named("main").or_else(|| named("master")).or_else(first) {
            Some((name, commit)) => (name, commit),
            None => ("", self.revisions.first().map_or("", |newest| &newest.commit)),
        }
    }

    /// Names of the refs that people use, in order.
    pub fn branches(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .refs
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !name.starts_with(KEEPING))
            .collect();
        names.sort_unstable();
        names
    }

    /// Bytes that the removal of one snapshot alone frees: what no other snapshot refers to, and
    /// no other repo shares.
    pub fn freed_by(&self, commit: &str) -> u64 {
        let elsewhere = self.blobs.iter().filter(|blob| blob.elsewhere);
        let elsewhere: HashSet<&str> = elsewhere.map(|blob| blob.name.as_str()).collect();
        let kept: HashSet<&str> = self
            .files
            .iter()
            .filter(|file| file.held == Held::Linked && file.commit != commit)
            .map(|file| file.blob.as_str())
            .collect();
        let mut seen = HashSet::new();
        let own = self.files.iter().filter(|file| file.commit == commit);
        own.filter(|file| match file.held {
            Held::Linked => {
                let blob = file.blob.as_str();
                !kept.contains(blob) && !elsewhere.contains(blob) && seen.insert(blob)
            }
            Held::Real => true,
            Held::Dangling | Held::Foreign => false,
        })
        .map(|file| file.size_bytes)
        .sum()
    }

    /// Files of the shown snapshot.
    pub fn shown_files(&self) -> impl Iterator<Item = &LibraryFile> {
        let commit = self.shown().1;
        self.files.iter().filter(move |file| file.commit == commit)
    }
}

/// Files of a cached GGUF repo that are one choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantGroup {
    /// The quantisation, `Q4_K_M`; for a projector its file name.
    pub label: String,
    /// The file names without shard numbers: two models of one quantisation are two groups.
    pub stem: String,
    /// Whether it is a projector (`mmproj`).
    pub projector: bool,
    /// Indices of its files.
    pub indices: Vec<usize>,
}

/// Groups the GGUF files of `paths`: all shards of a file belong together.
pub fn quant_groups<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<QuantGroup> {
    let mut groups: Vec<QuantGroup> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (index, path) in paths.enumerate() {
        let Some(found) = quantization_of(path) else {
            continue;
        };
        let place = *places.entry(found.stem.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(QuantGroup {
                label: found.label,
                stem: found.stem,
                projector: found.projector,
                indices: Vec::new(),
            });
        }
        groups[place].indices.push(index);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_repo_and_back() {
        for (folder, repo_type, id) in [
            ("models--acme--tiny", RepoType::Model, "acme/tiny"),
            ("datasets--acme--rows", RepoType::Dataset, "acme/rows"),
            ("models--gpt2", RepoType::Model, "gpt2"),
        ] {
            let repo = CachedRepo::from_folder(folder).unwrap();
            assert_eq!((repo.repo_type(), repo.id()), (repo_type, id));
            assert_eq!(repo.folder(), folder);
        }
        for folder in [
            "blobs",
            ".locks",
            "spaces--a--b",
            "models--",
            "models--a--b--c",
            "models--..",
            "models--../x",
            "x--a--b",
        ] {
            assert_eq!(CachedRepo::from_folder(folder), None, "{folder}");
        }
        assert_eq!(CachedRepo::parse(RepoType::Model, "gpt2").unwrap().name(), "gpt2");
    }

    #[test]
    fn shards_of_a_quantisation_are_one_group_and_projectors_stand_alone() {
        let paths = [
            "README.md",
            "m-Q4_K_M.gguf",
            "big/m-Q8_0-00001-of-00002.gguf",
            "big/m-Q8_0-00002-of-00002.gguf",
            "mmproj-m-f16.gguf",
        ];
        let groups = quant_groups(paths.into_iter());
        let shown: Vec<_> = groups
            .iter()
            .map(|group| (group.label.as_str(), group.projector, group.indices.len()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Q4_K_M", false, 1),
                ("Q8_0", false, 2),
                ("mmproj-m-f16.gguf", true, 1)
            ]
        );
    }
}
