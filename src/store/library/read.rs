//! Reading the index.

use std::collections::{HashMap, HashSet};

use crate::model::library::CachedRepo;
use crate::model::repo::{BlobId, RepoType};
use crate::store::files::json_text;
use crate::store::{Store, StoreError};

/// Which repos of a cache to list.
#[derive(Debug, Clone, Default)]
pub struct LibraryQuery {
    /// Only models, or only datasets.
    pub repo_type: Option<RepoType>,
    /// Only repos whose id contains this text, in any case.
    pub search: Option<String>,
}

/// A repo as the list shows it.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `library_shown`.
pub struct LibraryEntry {
    pub id: i64,
    pub folder: String,
    pub repo_type: String,
    pub repo: String,
    pub size_bytes: i64,
    pub file_count: i64,
    pub branch: String,
    pub commit_hash: String,
    pub downloaded_at: Option<i64>,
    pub used_at: Option<i64>,
    pub branches: String,
    pub quantizations: String,
    pub mmproj_files: String,
    pub problems: String,
    pub missing_files: i64,
    pub revision_count: i64,
    /// `complete` or `filtered` for what was downloaded here, else nothing.
    pub download_status: Option<String>,
    /// `verified`, `partial`, `bad`, or empty while nothing was compared.
    pub verification: String,
    pub verified_at: Option<i64>,
    pub scanned_at: i64,
}

/// A snapshot of a repo.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `library_revision`.
pub struct LibraryRevisionRow {
    pub commit_hash: String,
    pub refs: String,
    pub modified_at: i64,
    pub file_count: i64,
    pub size_bytes: i64,
    pub unique_bytes: i64,
}

/// A file of a snapshot.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `library_file`.
pub struct LibraryFileRow {
    pub commit_hash: String,
    pub path: String,
    pub size_bytes: i64,
    pub blob: String,
    pub held: String,
    /// What was compared; empty while nothing was.
    pub verification: String,
    /// JSON array of the other repos that have a blob of this name.
    pub shared_with: String,
}

/// All that the index knows of a repo.
#[derive(Debug, Clone)]
pub struct LibraryDetail {
    /// As in the list.
    pub entry: LibraryEntry,
    /// Snapshots, newest first.
    pub revisions: Vec<LibraryRevisionRow>,
    /// Files of all snapshots, by commit and path.
    pub files: Vec<LibraryFileRow>,
}

impl Store {
    /// The repos of a cache, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library(&self, hub: &str, query: &LibraryQuery) -> Result<Vec<LibraryEntry>, StoreError> {
        let repo_type = query.repo_type.map(RepoType::as_str);
        let search = query.search.as_ref().map(|text| text.to_lowercase());
        let rows = sqlx::query_as!(
            LibraryEntry,
            r#"SELECT id AS "id!", folder, repo_type, repo, size_bytes, file_count, branch, commit_hash, downloaded_at,
                      used_at, branches, quantizations, mmproj_files, problems, missing_files,
                      revision_count AS "revision_count!: i64", download_status AS "download_status: String",
                      verification, verified_at, scanned_at
               FROM library_shown
               WHERE hub = ?1 AND (?2 IS NULL OR repo_type = ?2) AND (?3 IS NULL OR INSTR(LOWER(repo), ?3) > 0)
               ORDER BY repo COLLATE NOCASE, repo_type"#,
            hub,
            repo_type,
            search
        );
        Ok(rows.fetch_all(&self.readers).await?)
    }

    /// All that the index knows of a repo, or `None` when it is not in the cache.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_repo(
        &self,
        hub: &str,
        repo: &CachedRepo,
    ) -> Result<Option<LibraryDetail>, StoreError> {
        let folder = repo.folder();
        let entry = sqlx::query_as!(
            LibraryEntry,
            r#"SELECT id AS "id!", folder, repo_type, repo, size_bytes, file_count, branch, commit_hash, downloaded_at,
                      used_at, branches, quantizations, mmproj_files, problems, missing_files,
                      revision_count AS "revision_count!: i64", download_status AS "download_status: String",
                      verification, verified_at, scanned_at
               FROM library_shown WHERE hub = ? AND folder = ? COLLATE NOCASE"#,
            hub,
            folder
        );
        let Some(entry) = entry.fetch_optional(&self.readers).await? else {
            return Ok(None);
        };
        let revisions = sqlx::query_as!(
            LibraryRevisionRow,
            "SELECT commit_hash, refs, modified_at, file_count, size_bytes, unique_bytes
             FROM library_revision WHERE repo_id = ? ORDER BY modified_at DESC, commit_hash",
            entry.id
        )
        .fetch_all(&self.readers)
        .await?;
        let files = sqlx::query_as!(
            LibraryFileRow,
            r#"SELECT file.commit_hash, file.path, file.size_bytes, file.blob, file.held,
                      COALESCE(own.verification, '') AS "verification!: String",
                      CASE WHEN file.blob = '' THEN '[]' ELSE (
                          SELECT json_group_array(other.repo_type || ':' || other.repo)
                          FROM library_blob AS twin JOIN library_repo AS other ON other.id = twin.repo_id
                          WHERE twin.blob = file.blob AND twin.repo_id <> file.repo_id AND other.hub = ?2
                      ) END AS "shared_with!: String"
               FROM library_file AS file
               LEFT JOIN library_blob AS own ON own.repo_id = file.repo_id AND own.blob = file.blob
               WHERE file.repo_id = ?1 ORDER BY file.commit_hash, file.path"#,
            entry.id,
            hub
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(Some(LibraryDetail {
            entry,
            revisions,
            files,
        }))
    }

    /// What the index says of these repos: folder → `complete`, `filtered` or `unknown`, only
    /// for those that have a snapshot here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_status(
        &self,
        hub: &str,
        repos: &[CachedRepo],
    ) -> Result<HashMap<String, String>, StoreError> {
        let folders: Vec<String> = repos.iter().map(CachedRepo::folder).collect();
        let folders = json_text(&folders);
        let rows = sqlx::query!(
            r#"SELECT folder, COALESCE(download_status, 'unknown') AS "status!: String" FROM library_shown
               WHERE hub = ? AND folder IN (SELECT value FROM json_each(?)) AND commit_hash <> ''"#,
            hub,
            folders
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|row| (row.folder, row.status)).collect())
    }

    /// The blobs of this repo that a live job wants, or a failed one on the list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wanted_blobs(&self, hub: &str, repo: &CachedRepo) -> Result<HashSet<BlobId>, StoreError> {
        let (repo_type, id) = (repo.repo_type().as_str(), repo.id());
        let rows = sqlx::query_scalar!(
            "SELECT DISTINCT file.blob_id FROM job JOIN file ON file.job_seq = job.seq
             WHERE job.destination = ? AND job.repo_type = ? AND job.repo = ? COLLATE NOCASE
               AND (job.lease_owner IS NOT NULL
                    OR (job.dismissed_at IS NULL AND job.status IN ('queued', 'running', 'paused', 'failed')))",
            hub,
            repo_type,
            id
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().filter_map(|text| text.parse().ok()).collect())
    }
}
