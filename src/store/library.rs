//! The index of Hub caches: written by scans, read by lists.
//!
//! A repo is replaced whole, so that no answer mixes two scans of it; what was verified stays
//! with a blob as long as its size and time do. It is progress, never a promise: after a loss of
//! power the next scan finds what is missing.

mod duplicates;
mod marks;
mod read;
mod shared;

use std::collections::{HashMap, HashSet};

use crate::clock::now_ms;
use crate::model::library::{CachedRepo, Held, LibraryRepo, quant_groups};

use super::files::json_text;
use super::writer::{Durability, WriteTx};
use super::{Store, StoreError};

pub use marks::{BlobMark, InUse};
pub use read::{
    LibraryDetail, LibraryDownload, LibraryEntry, LibraryFileRow, LibraryQuery, LibraryRevisionRow,
};
pub use shared::SharedFiles;

/// Files written in one transaction at most, unless one repo has more: others want to write too.
const BATCH_FILES: usize = 5_000;

/// What the index remembers of a repo folder, to tell whether it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryKnown {
    /// Name of the folder.
    pub folder: String,
    /// Its marks.
    pub marks: String,
    /// When it was scanned, UTC milliseconds.
    pub scanned_at: i64,
}

impl Store {
    /// The folders of a cache as the index knows them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_known(&self, hub: &str) -> Result<Vec<LibraryKnown>, StoreError> {
        let rows = sqlx::query_as!(
            LibraryKnown,
            "SELECT folder, marks, scanned_at FROM library_repo WHERE hub = ?",
            hub
        );
        Ok(rows.fetch_all(&self.readers).await?)
    }

    /// When the whole cache was last scanned, UTC milliseconds; `None` = never.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_scanned_at(&self, hub: &str) -> Result<Option<i64>, StoreError> {
        let at = sqlx::query_scalar!("SELECT scanned_at FROM library_scan WHERE hub = ?", hub);
        Ok(at.fetch_optional(&self.readers).await?)
    }

    /// Ends a whole scan: forgets the folders that are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_scanned(&self, hub: &str, at: i64, gone: &[String]) -> Result<(), StoreError> {
        let gone = json_text(gone);
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "DELETE FROM library_repo WHERE hub = ? AND folder IN (SELECT value FROM json_each(?))",
            hub,
            gone
        )
        .execute(tx.connection())
        .await?;
        sqlx::query!(
            "INSERT INTO library_scan (hub, scanned_at) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET scanned_at = excluded.scanned_at",
            hub,
            at
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Replaces what the index has of these repos.
    ///
    /// # Errors
    /// When the database fails; repos of an earlier batch may be stored then.
    pub async fn put_library(&self, hub: &str, repos: &[LibraryRepo]) -> Result<(), StoreError> {
        let mut rest = repos;
        while !rest.is_empty() {
            let mut files = 0;
            let count = rest
                .iter()
                .take_while(|repo| {
                    files += repo.files.len();
                    files <= BATCH_FILES
                })
                .count()
                .max(1);
            let (batch, later) = rest.split_at(count);
            let mut tx = self.begin(Durability::Progress).await?;
            for repo in batch {
                put(&mut tx, hub, repo).await?;
            }
            tx.commit().await?;
            rest = later;
        }
        Ok(())
    }

    /// Forgets what downloads completed of a repo that was deleted here, or of one commit of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_deleted(
        &self,
        hub: &str,
        repo: &CachedRepo,
        commit: Option<&str>,
    ) -> Result<(), StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "DELETE FROM library_download
             WHERE hub = ?1 AND repo_type = ?2 AND repo = ?3 AND (?4 IS NULL OR commit_hash = ?4)",
            hub,
            repo_type,
            id,
            commit
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Notes that some files of a repo were deleted: what its downloads fetched is not all here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_thinned(&self, hub: &str, repo: &CachedRepo) -> Result<(), StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "UPDATE library_download SET complete = 0 WHERE hub = ? AND repo_type = ? AND repo = ?",
            hub,
            repo_type,
            id
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Records in the events that somebody changed a cache: what was done, to which repo.
    /// On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_library(&self, event: &str, detail: &str, actor: &str) -> Result<(), StoreError> {
        let now = now_ms();
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!(
            "INSERT INTO event (job_id, event, actor, detail, at) VALUES ('', ?, ?, ?, ?)",
            event,
            actor,
            detail,
            now
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}

/// Brings what a repo shows of its verification in line with its blobs.
async fn sum_up(tx: &mut WriteTx, repo_id: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE library_repo SET (verification, verified_at) = (
             SELECT CASE WHEN SUM(verification = 'bad') > 0 THEN 'bad'
                         WHEN MIN(verification <> '') = 1 THEN 'verified'
                         WHEN MAX(verification <> '') = 1 THEN 'partial'
                         ELSE '' END, MAX(verified_at)
             FROM library_blob WHERE repo_id = ?1
         ) WHERE id = ?1",
        repo_id
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

async fn put(tx: &mut WriteTx, hub: &str, repo: &LibraryRepo) -> Result<(), StoreError> {
    let (folder, repo_type, id) = (repo.repo.folder(), repo.repo.repo_type().as_str(), repo.repo.id());
    let (branch, commit) = repo.shown();
    let paths: Vec<&str> = repo.shown_files().map(|file| file.path.as_str()).collect();
    let missing = repo.shown_files().filter(|file| file.held == Held::Dangling);
    let missing = missing.count() as i64;
    let (mut quantizations, mut projectors) = (Vec::new(), Vec::new());
    for group in quant_groups(paths.iter().copied()) {
        let to = if group.projector {
            &mut projectors
        } else {
            &mut quantizations
        };
        if !to.contains(&group.label) {
            to.push(group.label);
        }
    }
    let (quantizations, projectors) = (json_text(&quantizations), json_text(&projectors));
    let (branches, problems) = (json_text(&repo.branches()), json_text(&repo.problems));
    let (size, count) = (repo.size_bytes as i64, paths.len() as i64);
    let newest = |times: &mut dyn Iterator<Item = i64>| times.max();
    let shown = repo.revisions.iter().find(|revision| revision.commit == commit);
    let downloaded = newest(&mut repo.blobs.iter().map(|blob| blob.modified_at))
        .or(shown.map(|revision| revision.modified_at));
    let used = newest(&mut repo.blobs.iter().map(|blob| blob.read_at));
    let repo_id = sqlx::query_scalar!(
        r#"INSERT INTO library_repo (hub, folder, repo_type, repo, marks, scanned_at, size_bytes, file_count, branch,
                                     commit_hash, downloaded_at, used_at, branches, quantizations, mmproj_files,
                                     problems, missing_files)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (hub, folder) DO UPDATE SET
               marks = excluded.marks, scanned_at = excluded.scanned_at, size_bytes = excluded.size_bytes,
               file_count = excluded.file_count, branch = excluded.branch, commit_hash = excluded.commit_hash,
               downloaded_at = excluded.downloaded_at, used_at = MAX(COALESCE(used_at, 0), COALESCE(excluded.used_at, 0)),
               branches = excluded.branches, quantizations = excluded.quantizations,
               mmproj_files = excluded.mmproj_files, problems = excluded.problems,
               missing_files = excluded.missing_files
           RETURNING id AS "id!""#,
        hub,
        folder,
        repo_type,
        id,
        repo.marks,
        repo.scanned_at,
        size,
        count,
        branch,
        commit,
        downloaded,
        used,
        branches,
        quantizations,
        projectors,
        problems,
        missing
    )
    .fetch_one(tx.connection())
    .await?;
    put_revisions(tx, repo_id, repo).await?;
    put_files(tx, repo_id, repo).await?;
    put_blobs(tx, repo_id, repo).await
}

async fn put_revisions(tx: &mut WriteTx, repo_id: i64, repo: &LibraryRepo) -> Result<(), StoreError> {
    // Blobs of each snapshot, once each; and in how many snapshots a blob is.
    let mut blobs: HashMap<&str, HashMap<&str, u64>> = HashMap::new();
    let mut real: HashMap<&str, u64> = HashMap::new();
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for file in &repo.files {
        *counts.entry(&file.commit).or_default() += 1;
        match file.held {
            Held::Linked => {
                blobs
                    .entry(&file.commit)
                    .or_default()
                    .insert(&file.blob, file.size_bytes);
            }
            Held::Real => *real.entry(&file.commit).or_default() += file.size_bytes,
            Held::Dangling | Held::Foreign => {}
        }
    }
    let mut users: HashMap<&str, usize> = HashMap::new();
    for blob in blobs.values().flat_map(HashMap::keys) {
        *users.entry(blob).or_default() += 1;
    }
    let rows: Vec<_> = repo
        .revisions
        .iter()
        .map(|revision| {
            let commit = revision.commit.as_str();
            let own = blobs.get(commit);
            let real = real.get(commit).copied().unwrap_or(0);
            let sum = |only: &dyn Fn(&str) -> bool| -> u64 {
                own.into_iter()
                    .flatten()
                    .filter(|(blob, _)| only(blob))
                    .map(|(_, size)| size)
                    .sum()
            };
            (
                commit,
                json_text(&revision.refs),
                revision.modified_at,
                counts.get(commit).copied().unwrap_or(0),
                real + sum(&|_| true),
                real + sum(&|blob| users.get(blob) == Some(&1)),
            )
        })
        .collect();
    let rows = json_text(&rows);
    sqlx::query!("DELETE FROM library_revision WHERE repo_id = ?", repo_id)
        .execute(tx.connection())
        .await?;
    sqlx::query!(
        "INSERT INTO library_revision (repo_id, commit_hash, refs, modified_at, file_count, size_bytes, unique_bytes)
         SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)",
        repo_id,
        rows
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

async fn put_files(tx: &mut WriteTx, repo_id: i64, repo: &LibraryRepo) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM library_file WHERE repo_id = ?", repo_id)
        .execute(tx.connection())
        .await?;
    // In the order of the key: each row then goes to the end of its table.
    let mut files: Vec<_> = repo.files.iter().collect();
    files.sort_by(|a, b| (&a.commit, &a.path).cmp(&(&b.commit, &b.path)));
    for part in files.chunks(BATCH_FILES) {
        let rows: Vec<_> = part
            .iter()
            .map(|file| {
                (
                    &file.commit,
                    &file.path,
                    file.size_bytes,
                    &file.blob,
                    file.held.as_str(),
                )
            })
            .collect();
        let rows = json_text(&rows);
        sqlx::query!(
            "INSERT INTO library_file (repo_id, commit_hash, path, size_bytes, blob, held)
             SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)",
            repo_id,
            rows
        )
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

async fn put_blobs(tx: &mut WriteTx, repo_id: i64, repo: &LibraryRepo) -> Result<(), StoreError> {
    let names: HashSet<&str> = repo.blobs.iter().map(|blob| blob.name.as_str()).collect();
    let names = json_text(&names);
    sqlx::query!(
        "DELETE FROM library_blob WHERE repo_id = ? AND blob NOT IN (SELECT value FROM json_each(?))",
        repo_id,
        names
    )
    .execute(tx.connection())
    .await?;
    let rows: Vec<_> = repo
        .blobs
        .iter()
        .map(|blob| {
            // As the database has numbers: the same 64 bits.
            let file = (blob.file.inode as i64, blob.file.device as i64);
            (&blob.name, blob.size_bytes, blob.modified_at, file.0, file.1)
        })
        .collect();
    let rows = json_text(&rows);
    sqlx::query!(
        "INSERT INTO library_blob (repo_id, blob, size_bytes, modified_at, inode, device)
         SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE TRUE
         ON CONFLICT (repo_id, blob) DO UPDATE SET
             verification = CASE WHEN size_bytes = excluded.size_bytes AND modified_at = excluded.modified_at
                                 THEN verification ELSE '' END,
             verified_at = CASE WHEN size_bytes = excluded.size_bytes AND modified_at = excluded.modified_at
                                THEN verified_at ELSE NULL END,
             size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,
             inode = excluded.inode, device = excluded.device",
        repo_id,
        rows
    )
    .execute(tx.connection())
    .await?;
    sum_up(tx, repo_id).await
}
