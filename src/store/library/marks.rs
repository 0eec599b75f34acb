//! What is known of contents: marks that a check of the cache or a download leaves in the index.

use crate::model::library::{CachedRepo, Verification};
use crate::store::files::json_text;
use crate::store::writer::Durability;
use crate::store::{Store, StoreError};

use super::sum_up;

/// What was found of one blob.
#[derive(Debug, Clone)]
pub struct BlobMark {
    /// Its name.
    pub blob: String,
    /// Length in bytes of what was looked at.
    pub size_bytes: u64,
    /// Last change of what was looked at, UTC milliseconds.
    pub modified_at: i64,
    /// What was found.
    pub verification: Verification,
    /// When, UTC milliseconds.
    pub verified_at: i64,
}

/// Who works in a repo of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InUse {
    /// A live download writes to it.
    Written(String),
    /// A running job of another kind reads it.
    Read(String),
}

impl Store {
    /// Records what was found of blobs of a repo that the index knows. A length that is right
    /// takes neither a compared hash away nor the mark of a damaged content.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_library(
        &self,
        hub: &str,
        repo: &CachedRepo,
        marks: &[BlobMark],
    ) -> Result<(), StoreError> {
        let folder = repo.folder();
        let rows: Vec<_> = marks
            .iter()
            .map(|mark| {
                let word = mark.verification.as_str();
                (
                    &mark.blob,
                    mark.size_bytes,
                    mark.modified_at,
                    word,
                    mark.verified_at,
                )
            })
            .collect();
        let rows = json_text(&rows);
        let mut tx = self.begin(Durability::Progress).await?;
        let known = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM library_repo WHERE hub = ? AND folder = ?"#,
            hub,
            folder
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(repo_id) = known else {
            return Ok(());
        };
        sqlx::query!(
            "INSERT INTO library_blob (repo_id, blob, size_bytes, modified_at, verification, verified_at)
             SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE TRUE
             ON CONFLICT (repo_id, blob) DO UPDATE SET
                 verification = excluded.verification, verified_at = excluded.verified_at,
                 size_bytes = excluded.size_bytes, modified_at = excluded.modified_at
             WHERE excluded.verification <> 'size' OR library_blob.verification IN ('', 'size')
                OR library_blob.size_bytes <> excluded.size_bytes
                OR library_blob.modified_at <> excluded.modified_at",
            repo_id,
            rows
        )
        .execute(tx.connection())
        .await?;
        sum_up(&mut tx, repo_id).await?;
        tx.commit().await
    }

    /// Takes over what a download compared while it fetched: its blobs count as checked then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_downloaded(
        &self,
        hub: &str,
        repo: &CachedRepo,
        job_seq: i64,
    ) -> Result<(), StoreError> {
        let folder = repo.folder();
        let mut tx = self.begin(Durability::Progress).await?;
        let repo_id = sqlx::query_scalar!(
            r#"UPDATE library_blob SET verification = own.verification, verified_at = own.updated_at
               FROM (SELECT blob_id, verification, MAX(updated_at) AS updated_at FROM file
                     WHERE job_seq = ? AND state IN ('complete', 'skipped')
                       AND verification IN ('sha256', 'git-sha1') GROUP BY blob_id) AS own
               WHERE library_blob.blob = own.blob_id
                 AND repo_id = (SELECT id FROM library_repo WHERE hub = ? AND folder = ?)
                 AND own.updated_at > COALESCE(verified_at, 0)
               RETURNING repo_id AS "repo_id!""#,
            job_seq,
            hub,
            folder
        )
        .fetch_all(tx.connection())
        .await?;
        if let Some(repo_id) = repo_id.first() {
            sum_up(&mut tx, *repo_id).await?;
        }
        tx.commit().await
    }

    /// Who works in this repo of the cache: a queued, running or paused download, or one that has
    /// not let go yet; else a running job of another kind that still has something to read there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_in_use(&self, hub: &str, repo: &CachedRepo) -> Result<Option<InUse>, StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let writer = sqlx::query_scalar!(
            "SELECT id FROM job WHERE destination = ? AND repo_type = ? AND repo = ? COLLATE NOCASE
               AND kind = 'download' AND (status IN ('queued', 'running', 'paused') OR lease_owner IS NOT NULL)
             LIMIT 1",
            hub,
            repo_type,
            id
        )
        .fetch_optional(&self.readers)
        .await?;
        if let Some(job) = writer {
            return Ok(Some(InUse::Written(job)));
        }
        let reader = sqlx::query_scalar!(
            "SELECT id FROM job WHERE lease_owner IS NOT NULL AND kind <> 'download' AND spec ->> 'hub' = ?
               AND EXISTS (SELECT 1 FROM item WHERE job_seq = job.seq AND repo_type = ?
                             AND repo = ? COLLATE NOCASE AND state = 'pending')
             LIMIT 1",
            hub,
            repo_type,
            id
        );
        Ok(reader.fetch_optional(&self.readers).await?.map(InUse::Read))
    }

    /// Contents of this repo that a live download has yet to put into the cache, with its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blobs_in_work(
        &self,
        hub: &str,
        repo: &CachedRepo,
    ) -> Result<std::collections::HashMap<String, String>, StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let rows = sqlx::query!(
            r#"SELECT file.blob_id, job.id AS "id!" FROM (
                   SELECT seq FROM job WHERE lease_owner IS NOT NULL
                   UNION
                   SELECT seq FROM job WHERE dismissed_at IS NULL AND status IN ('queued', 'running', 'paused')
               ) AS live
               CROSS JOIN job ON job.seq = live.seq
               CROSS JOIN file ON file.job_seq = job.seq
               WHERE job.destination = ? AND job.repo_type = ? AND job.repo = ? COLLATE NOCASE
                 AND file.state NOT IN ('complete', 'skipped') AND file.priority <> 'skip'"#,
            hub,
            repo_type,
            id
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|row| (row.blob_id, row.id)).collect())
    }

    /// Contents of a repo that a check found damaged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bad_blobs(
        &self,
        hub: &str,
        repo: &CachedRepo,
    ) -> Result<std::collections::HashSet<String>, StoreError> {
        let folder = repo.folder();
        let rows = sqlx::query_scalar!(
            "SELECT blob FROM library_blob JOIN library_repo ON library_repo.id = repo_id
             WHERE hub = ? AND folder = ? AND library_blob.verification = 'bad'",
            hub,
            folder
        );
        Ok(rows.fetch_all(&self.readers).await?.into_iter().collect())
    }

    /// Commits of a repo that a download here fetched whole, and of which nothing was deleted since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn whole_commits(&self, hub: &str, repo: &CachedRepo) -> Result<Vec<String>, StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let rows = sqlx::query_scalar!(
            "SELECT commit_hash FROM library_download
             WHERE hub = ? AND repo_type = ? AND repo = ? AND complete = 1",
            hub,
            repo_type,
            id
        );
        Ok(rows.fetch_all(&self.readers).await?)
    }
}
