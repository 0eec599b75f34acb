//! Tests of this floor, and what they share: a cache in a temporary directory, files with
//! their true hashes, the invariants of a cache, and children that can be killed.

mod crash;
mod hash;
mod links;
mod locks;
mod part;
mod publish;
mod repo;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use super::{BlobHasher, Cache, Publication, RepoDir, Source};
use crate::model::repo::{BlobId, Commit, RepoPath, RepoType, Revision};

/// The algorithm is taken from the id given; its value does not matter for a new hash.
pub(super) const ANY_SHA256: BlobId = BlobId::Sha256([0; 32]);
pub(super) const ANY_SHA1: BlobId = BlobId::GitSha1([0; 20]);

pub(super) fn commit(digit: char) -> Commit {
    digit.to_string().repeat(40).parse().unwrap()
}

pub(super) fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

pub(super) fn revision(text: &str) -> Revision {
    text.parse().unwrap()
}

pub(super) fn true_id(kind: BlobId, content: &[u8]) -> BlobId {
    let mut hasher = BlobHasher::new(kind, content.len() as u64);
    hasher.update(content);
    hasher.finish()
}

/// A cache in a temporary directory with one repo, `acme/tiny`.
pub(super) struct Home {
    pub dir: TempDir,
    pub cache: Cache,
    pub repo: RepoDir,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("hub")).unwrap();
        let repo = repo_of(&cache);
        repo.create().unwrap();
        Self { dir, cache, repo }
    }

    /// Stages `content` and says how to publish it at `at`.
    pub fn staged(&self, content: &[u8], at: &str) -> Publication {
        staged(&self.repo, content, at)
    }

    /// Publishes `content` at `at` in `commit` and wants it to work.
    pub fn publish(&self, commit: &Commit, content: &[u8], at: &str) -> BlobId {
        let item = self.staged(content, at);
        let report = self.repo.publish(commit, std::slice::from_ref(&item)).unwrap();
        report.into_result().unwrap();
        item.blob
    }

    pub fn snapshot(&self, commit: &Commit, at: &str) -> PathBuf {
        self.repo.snapshot_path(commit).join(at)
    }
}

pub(super) fn repo_of(cache: &Cache) -> RepoDir {
    cache.repo(RepoType::Model, &"acme/tiny".parse().unwrap())
}

pub(super) fn staged(repo: &RepoDir, content: &[u8], at: &str) -> Publication {
    let blob = true_id(ANY_SHA256, content);
    Publication {
        source: Source::Part(repo.write_small(blob, content).unwrap()),
        blob,
        size_bytes: content.len() as u64,
        path: path(at),
    }
}

/// Where the content of a staged publication lies.
pub(super) fn staged_path(item: &Publication) -> PathBuf {
    match &item.source {
        Source::Part(path) => path.clone(),
        other => panic!("not staged: {other:?}"),
    }
}

/// Every file below `folder`, as paths relative to it; links are not followed.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// What must hold at every instant: each blob has the content of its name, each pointer leads
/// to a blob, each ref names a snapshot. Entries that vanish while we look are no violation.
pub(super) fn check_invariants(repo: &Path) {
    for name in files_below(&repo.join("refs")) {
        let text = fs::read_to_string(repo.join("refs").join(&name)).unwrap();
        assert!(text.parse::<Commit>().is_ok(), "ref {name:?} holds {text:?}");
        assert!(
            repo.join("snapshots").join(&text).is_dir(),
            "ref {name:?} leads nowhere"
        );
    }
    for name in files_below(&repo.join("snapshots")) {
        let pointer = repo.join("snapshots").join(&name);
        assert!(pointer.symlink_metadata().unwrap().is_symlink(), "{name:?}");
        let content = fs::read(&pointer).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let target = fs::read_link(&pointer).unwrap();
        assert_eq!(
            true_id(ANY_SHA256, &content).to_string(),
            target.file_name().unwrap().to_str().unwrap(),
            "{name:?}"
        );
    }
    for name in files_below(&repo.join("blobs")) {
        let content = fs::read(repo.join("blobs").join(&name)).unwrap();
        assert_eq!(true_id(ANY_SHA256, &content).to_string(), name.to_str().unwrap());
    }
}

/// Another process running the ignored test `name` of this very binary in `dir`.
pub(super) struct Other {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

/// The directory handed to a child, when this process is one.
pub(super) fn child_dir() -> PathBuf {
    PathBuf::from(std::env::var_os("HFDEPOT_TEST_DIR").expect("runs as a child of another test only"))
}

impl Other {
    pub fn start(name: &str, dir: &Path, umask: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "umask $1; shift; exec \"$@\"", "sh", umask])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .arg(format!("disk::tests::{name}"))
            .env("HFDEPOT_TEST_DIR", dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until the child says `word` at the end of a line; `false` when it ended before.
    pub fn says(&mut self, word: &str) -> bool {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.ends_with(word))
    }

    /// `kill -9`, and the end of it awaited.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end and wants it to be a success.
    pub fn finish(mut self) {
        drop(self.child.stdin.take());
        for _ in self.lines.by_ref() {}
        assert!(self.child.wait().unwrap().success());
    }
}
