//! A repository of the stand-in Hub: commits, branches, tags and what is said about it.
//!
//! Built by chained calls. Files go into a working tree; `commit` seals it, and a repo handed to
//! the Hub with unsealed files gets one last commit. Commit ids depend on the content only, so
//! the same repo has the same ids in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value, json};

use super::content::{Content, sha1_hex};

/// What sort of repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Lives under `/api/models` and `/`.
    Model,
    /// Lives under `/api/datasets` and `/datasets/`.
    Dataset,
}

impl Kind {
    /// The word in API paths.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }

    /// What stands before the id in web paths.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
        }
    }
}

/// One file of a commit.
#[derive(Clone)]
pub struct FileEntry {
    /// Its bytes.
    pub content: Content,
    /// Kept by LFS (identity SHA-256, served by the CDN) or by Git (identity blob SHA-1).
    pub lfs: bool,
    /// `securityFileStatus.status`, `safe` when absent.
    pub security: Option<String>,
}

impl FileEntry {
    /// The identity the Hub shows as (linked) ETag, without quotes.
    pub fn etag(&self) -> &str {
        if self.lfs {
            self.content.sha256()
        } else {
            self.content.git_oid()
        }
    }

    /// The tree entry of this file under `path`.
    pub fn listed(&self, path: &str) -> Value {
        if !self.lfs {
            return json!({"type": "file", "oid": self.content.git_oid(), "size": self.content.size(), "path": path});
        }
        let pointer = self.content.pointer();
        let oid = sha1_hex(format!("blob {}\0{pointer}", pointer.len()).as_bytes());
        json!({"type": "file", "oid": oid, "size": self.content.size(), "path": path,
            "lfs": {"oid": self.content.sha256(), "size": self.content.size(), "pointerSize": pointer.len()}})
    }
}

/// A sealed state of the repo.
pub struct Commit {
    /// 40 hex digits.
    pub sha: String,
    /// First line of the message.
    pub title: String,
    /// When it was made.
    pub date: DateTime<Utc>,
    /// Id of the commit before it.
    pub parent: Option<String>,
    /// Files by path.
    pub files: BTreeMap<String, FileEntry>,
    raw_entries: Vec<Value>,
    listing: OnceLock<Vec<Value>>,
}

impl Commit {
    /// All tree entries, directories too, upper levels first, as the recursive listing gives them.
    pub fn listing(&self) -> &[Value] {
        self.listing.get_or_init(|| {
            let mut folders = BTreeSet::new();
            for path in self.files.keys() {
                folders.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
            }
            let mut entries: Vec<(usize, bool, &str, Value)> = Vec::new();
            for folder in &folders {
                let oid = sha1_hex(format!("tree {} {folder}", self.sha).as_bytes());
                let entry = json!({"type": "directory", "oid": oid, "size": 0, "path": folder});
                entries.push((folder.matches('/').count(), false, folder, entry));
            }
            for (path, file) in &self.files {
                entries.push((path.matches('/').count(), true, path, file.listed(path)));
            }
            entries.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
            let sorted = entries.into_iter().map(|(.., entry)| entry);
            sorted.chain(self.raw_entries.iter().cloned()).collect()
        })
    }

    /// RFC 3339 with milliseconds, as the Hub writes times.
    pub fn date_text(&self) -> String {
        date_text(self.date)
    }
}

/// RFC 3339 with milliseconds and `Z`.
pub fn date_text(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A repository under construction or in service. Cheap to clone: commits are shared.
#[derive(Clone)]
pub struct Repo {
    /// Model or dataset.
    pub kind: Kind,
    /// Canonical id, `owner/name`.
    pub id: String,
    /// Former ids that redirect here.
    pub aliases: Vec<String>,
    /// `None`, or `Some("auto" | "manual")`.
    pub gated: Option<String>,
    /// Hidden from everyone without a grant.
    pub private: bool,
    /// Closed by the Hub.
    pub disabled: bool,
    /// Further fields of the repo info, which win over the made-up ones.
    pub fields: Map<String, Value>,
    /// All sealed commits, oldest first.
    pub commits: Vec<Arc<Commit>>,
    /// Full ref name (`refs/heads/main`) to commit id.
    pub refs: BTreeMap<String, String>,
    head: String,
    working: BTreeMap<String, FileEntry>,
    raw_entries: Vec<Value>,
    unsealed: bool,
}

impl Repo {
    /// An empty model repo with nothing on `main` yet.
    pub fn model(id: &str) -> Self {
        Self::new(Kind::Model, id)
    }

    /// An empty dataset repo.
    pub fn dataset(id: &str) -> Self {
        Self::new(Kind::Dataset, id)
    }

    fn new(kind: Kind, id: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            aliases: Vec::new(),
            gated: None,
            private: false,
            disabled: false,
            fields: Map::new(),
            commits: Vec::new(),
            refs: BTreeMap::new(),
            head: "refs/heads/main".to_owned(),
            working: BTreeMap::new(),
            raw_entries: Vec::new(),
            unsealed: true,
        }
    }

    /// Puts a file kept by Git.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Content>) -> Self {
        self.entry(
            path,
            FileEntry {
                content: content.into(),
                lfs: false,
                security: None,
            },
        )
    }

    /// Puts a file kept by LFS.
    #[must_use]
    pub fn lfs(self, path: &str, content: impl Into<Content>) -> Self {
        self.entry(
            path,
            FileEntry {
                content: content.into(),
                lfs: true,
                security: None,
            },
        )
    }

    /// Puts a file with all its attributes.
    #[must_use]
    pub fn entry(mut self, path: &str, entry: FileEntry) -> Self {
        self.working.insert(path.to_owned(), entry);
        self.unsealed = true;
        self
    }

    /// Sets what the scanners say of a file that was put before.
    #[must_use]
    pub fn security(mut self, path: &str, status: &str) -> Self {
        if let Some(entry) = self.working.get_mut(path) {
            entry.security = Some(status.to_owned());
            self.unsealed = true;
        }
        self
    }

    /// Takes a file away.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.working.remove(path);
        self.unsealed = true;
        self
    }

    /// Adds a tree entry exactly as given, however hostile; no bytes stand behind it.
    #[must_use]
    pub fn raw_entry(mut self, entry: Value) -> Self {
        self.raw_entries.push(entry);
        self.unsealed = true;
        self
    }

    /// Seals the working tree as the next commit of the current branch.
    #[must_use]
    pub fn commit(mut self, title: &str) -> Self {
        let parent = self.refs.get(&self.head).cloned();
        let mut text = format!(
            "{} {} {title} {parent:?} {}",
            self.id,
            self.head,
            self.commits.len()
        );
        for (path, file) in &self.working {
            text.push_str(&format!("\n{path} {} {}", file.lfs, file.content.size()));
            // Hashing what may be gigabytes is put off until somebody asks for the listing.
            if file.content.size() <= 1024 * 1024 {
                text.push_str(file.etag());
            }
        }
        let sha = sha1_hex(text.as_bytes());
        let birth = DateTime::from_timestamp(1_770_001_445, 0).unwrap_or_default();
        self.commits.push(Arc::new(Commit {
            sha: sha.clone(),
            title: title.to_owned(),
            date: birth + Duration::hours(self.commits.len() as i64),
            parent,
            files: self.working.clone(),
            raw_entries: self.raw_entries.clone(),
            listing: OnceLock::new(),
        }));
        self.refs.insert(self.head.clone(), sha);
        self.unsealed = false;
        self
    }

    /// Seals what is unsealed.
    #[must_use]
    pub fn sealed(self) -> Self {
        if self.unsealed {
            self.commit("Upload files")
        } else {
            self
        }
    }

    /// Makes a branch at the current commit; the current branch stays.
    #[must_use]
    pub fn branch(self, name: &str) -> Self {
        self.reference(&format!("refs/heads/{name}"))
    }

    /// Makes a tag at the current commit.
    #[must_use]
    pub fn tag(self, name: &str) -> Self {
        self.reference(&format!("refs/tags/{name}"))
    }

    /// Makes any ref at the current commit: `refs/pr/1`, `refs/convert/parquet`.
    #[must_use]
    pub fn reference(self, name: &str) -> Self {
        let mut repo = self.sealed();
        if let Some(sha) = repo.refs.get(&repo.head).cloned() {
            repo.refs.insert(name.to_owned(), sha);
        }
        repo
    }

    /// Goes on with another branch; its files become the working tree.
    #[must_use]
    pub fn checkout(self, branch: &str) -> Self {
        let mut repo = self.sealed();
        repo.head = format!("refs/heads/{branch}");
        if let Some(commit) = repo.revision(branch).cloned() {
            repo.working = commit.files.clone();
            repo.raw_entries = commit.raw_entries.clone();
        }
        repo
    }

    /// A former id (or a legacy one without owner) that redirects here.
    #[must_use]
    pub fn renamed_from(mut self, id: &str) -> Self {
        self.aliases.push(id.to_owned());
        self
    }

    /// Locks the files behind a request: `auto` or `manual`.
    #[must_use]
    pub fn gated(mut self, mode: &str) -> Self {
        self.gated = Some(mode.to_owned());
        self
    }

    /// Hides the repo from everyone without a grant.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Closes the repo.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// Sets a field of the repo info: `downloads`, `likes`, `tags`, `pipeline_tag`, `cardData`, …
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Points a branch at a commit that exists, as a force-push does.
    pub fn move_branch(&mut self, branch: &str, sha: &str) {
        self.refs.insert(format!("refs/heads/{branch}"), sha.to_owned());
    }

    /// The commit behind a branch, tag, full ref name, commit id, or a prefix of at least 7 digits.
    pub fn revision(&self, revision: &str) -> Option<&Arc<Commit>> {
        let named = [
            format!("refs/heads/{revision}"),
            format!("refs/tags/{revision}"),
            revision.to_owned(),
        ]
        .iter()
        .find_map(|name| self.refs.get(name));
        let wanted = match named {
            Some(sha) => sha.as_str(),
            None if revision.len() >= 7 && revision.bytes().all(|b| b.is_ascii_hexdigit()) => revision,
            None => return None,
        };
        self.commits.iter().find(|commit| commit.sha.starts_with(wanted))
    }

    /// The made-up database id, 24 hex digits.
    pub fn database_id(&self) -> String {
        sha1_hex(format!("{}/{}", self.kind.plural(), self.id).as_bytes())[..24].to_owned()
    }

    /// The part of the id before the slash.
    pub fn author(&self) -> &str {
        self.id.split_once('/').map_or("", |(owner, _)| owner)
    }
}
