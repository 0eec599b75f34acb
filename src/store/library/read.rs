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

/// The newest download that completed here of the snapshot that a repo shows.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are columns of `history`.
pub struct LibraryDownload {
    pub folder: String,
    /// As it was asked for; nothing when retention has dropped the download from the history.
    pub revision: Option<String>,
    pub commit_hash: String,
    /// JSON array of its filters.
    pub filters: String,
    /// When it was done, UTC milliseconds.
    pub at: i64,
    /// Bytes of the snapshot, each content once.
    pub size_bytes: i64,
}

impl Store {
    /// What completed here of the repos of a cache, or of the one in `folder`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_downloads(
        &self,
        hub: &str,
        folder: Option<&str>,
    ) -> Result<Vec<LibraryDownload>, StoreError> {
        // The letters of the repo are those of the first request; another spelling is another row
        // of the history, which its index does not find: then the newest one of this spelling tells.
        let rows = sqlx::query_as!(
            LibraryDownload,
            r#"SELECT shown.folder, done.revision AS "revision?: String", own.commit_hash,
                      COALESCE(done.filters, '[]') AS "filters!: String",
                      COALESCE(done.ended_at, own.at) AS "at!: i64", snapshot.size_bytes
               FROM library_repo AS shown
               JOIN library_revision AS snapshot
                 ON snapshot.repo_id = shown.id AND snapshot.commit_hash = shown.commit_hash
               JOIN library_download AS own
                 ON own.hub = shown.hub AND own.repo_type = shown.repo_type AND own.repo = shown.repo
                AND own.commit_hash = shown.commit_hash
               LEFT JOIN history AS done ON done.seq = (
                   SELECT MAX(newest.seq) FROM history AS newest
                   WHERE newest.repo = own.repo AND newest.repo_type = own.repo_type
                     AND newest.commit_hash = own.commit_hash AND newest.destination = own.hub
                     AND newest.kind = 'download' AND newest.status = 'completed'
               )
               WHERE shown.hub = ?1 AND (?2 IS NULL OR shown.folder = ?2 COLLATE NOCASE)"#,
            hub,
            folder
        );
        Ok(rows.fetch_all(&self.readers).await?)
    }

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
