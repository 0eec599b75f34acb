//! Refs: which commit a branch or tag had when it was fetched.
//!
//! A ref holds the 40 digits and nothing else: with a newline behind them `hf cache ls` drops
//! the repo. It is written last, and only for a snapshot that exists.

use std::io::Read;

use rustix::fs::OFlags;

use super::cache::{KEEP, REFS, SNAPSHOTS};
use super::error::DiskError;
use super::folder::Folder;
use super::repo::{RepoDir, write_new};
use super::staging;
use crate::model::repo::{Commit, Revision};

impl RepoDir {
    /// Lets `revision` name `commit`. Does nothing when the revision is the commit itself.
    ///
    /// # Errors
    /// When the snapshot of the commit does not exist, and what writing reports; a ref named
    /// like the folder of another one (`a` and `a/b`) cannot be stored.
    pub fn write_ref(&self, revision: &Revision, commit: &Commit) -> Result<(), DiskError> {
        if revision.as_str() == commit.as_str() {
            return Ok(());
        }
        self.point(revision.as_str(), commit)
    }

    /// Keeps a commit that was fetched by its hash from `hf cache prune`, which removes every
    /// snapshot without a ref: writes `refs/hfdepot/<commit>`.
    ///
    /// # Errors
    /// As [`write_ref`](Self::write_ref).
    pub fn keep(&self, commit: &Commit) -> Result<(), DiskError> {
        self.point(&format!("{KEEP}/{commit}"), commit)
    }

    /// The commit a revision names here. `None` when there is no such ref or it cannot be read.
    pub fn read_ref(&self, revision: &Revision) -> Option<Commit> {
        let mut folder = self.open_repo().ok()?.child(REFS).ok()?;
        let (folders, name) = split(revision.as_str());
        for part in folders {
            folder = folder.child(part).ok()?;
        }
        let file = folder.open_file(name, OFlags::RDONLY, 0).ok()?;
        let mut text = String::new();
        // 40 digits, and room to notice that there is more.
        file.take(64).read_to_string(&mut text).ok()?;
        text.trim_end().parse().ok()
    }

    fn point(&self, name: &str, commit: &Commit) -> Result<(), DiskError> {
        let repo = self.open_repo()?;
        repo.child(SNAPSHOTS)?.child(commit.as_str())?;
        let (folders, file_name) = split(name);
        let (refs, _) = repo.make_child(REFS)?;
        let mut chain: Vec<Folder> = vec![repo, refs];
        for part in folders {
            let Some(above) = chain.last() else { break };
            let (folder, _) = above.make_child(part)?;
            chain.push(folder);
        }

        let staging = self.open_staging()?;
        let temporary = staging::temporary_name("ref");
        let written = write_new(&staging, &temporary, commit.as_str().as_bytes())?;
        let moved = match (written.sync_all(), chain.last()) {
            (Ok(()), Some(folder)) => staging.rename(&temporary, folder, file_name),
            (Err(error), _) => Err(DiskError::new("sync", staging.path().join(&temporary), error)),
            (Ok(()), None) => Ok(()),
        };
        if moved.is_err() {
            staging.discard(&temporary);
        }
        moved?;
        // From the inside out, so that no synced folder lacks what it contains.
        chain.iter().rev().try_for_each(Folder::sync)
    }
}

/// Folders and file name of a ref below `refs/`.
fn split(name: &str) -> (impl Iterator<Item = &str>, &str) {
    let (folders, file_name) = name.rsplit_once('/').unwrap_or(("", name));
    (folders.split('/').filter(|part| !part.is_empty()), file_name)
}
