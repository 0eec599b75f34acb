//! The files of jobs: how far each one is, and what became of it.

use serde::Serialize;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::job::JobId;
use crate::model::repo::{BlobId, NameError, RepoPath};
use crate::model::state::{FilePriority, FileState};

use super::claim::{LEASE_MS, Lease};
use super::events::{NewEvent, insert_events};
use super::parts::{WrittenMark, write_marks};
use super::speed::sample;
use super::writer::Durability;
use super::{Store, StoreError};

/// One file of a job.
#[derive(Debug, Clone)]
pub struct FileRow {
    /// Key of the row.
    pub id: i64,
    /// Path in the repo.
    pub path: RepoPath,
    /// Length in bytes.
    pub size_bytes: u64,
    /// The content it must have.
    pub blob_id: BlobId,
    /// How far it is.
    pub state: FileState,
    /// Bytes in place or in its part file.
    pub downloaded_bytes: u64,
    /// What was compared: `sha256`, `git-sha1`, `size`; empty while nothing was.
    pub verification: String,
    /// Why it failed, as a sentence.
    pub error: String,
    /// Why it failed, as a word.
    pub error_code: Option<Code>,
    /// What the user wants of it.
    pub priority: FilePriority,
}

impl FileRow {
    /// The state that everybody sees: the wish to leave a file out shows at once, whether or not
    /// the run has let go of it.
    pub fn shown_state(&self) -> FileState {
        match self.priority {
            FilePriority::Skip if !self.state.is_in_place() => FileState::Skipped,
            _ => self.state,
        }
    }

    /// Where its bytes came from: `network`, `reused`; empty when it is not in place.
    pub fn source(&self) -> &'static str {
        source_of(self.state)
    }
}

/// Where the bytes of a file came from that ended in this state. What lay at the destination
/// before is the only thing that a run takes without fetching.
pub(super) fn source_of(state: FileState) -> &'static str {
    match state {
        FileState::Complete => "network",
        FileState::Skipped => "reused",
        FileState::Pending | FileState::Downloading | FileState::Verifying | FileState::Error => "",
    }
}

/// What became of one file.
#[derive(Debug, Clone)]
pub struct FileSettled {
    /// Key of the row.
    pub id: i64,
    /// `complete`, `skipped` or `error`; `pending` to try again.
    pub state: FileState,
    /// What was compared.
    pub verification: &'static str,
    /// Code and sentence of a failure.
    pub failure: Option<(Code, String)>,
}

/// How far one file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileProgress {
    /// Key of the row.
    pub id: i64,
    /// Bytes in its part file.
    pub downloaded_bytes: u64,
    /// `downloading` or `verifying`.
    pub state: FileState,
}

/// How far one job is, as its run knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Bytes in place or in part files.
    pub downloaded_bytes: u64,
    /// Speed over the last seconds, network bytes only.
    pub bytes_per_second: u64,
    /// Bytes from the network over all runs.
    pub network_bytes: u64,
    /// Bytes found in the cache.
    pub reused_bytes: u64,
    /// Bytes fetched a second time.
    pub refetched_bytes: u64,
    /// Failed tries.
    pub retries: u64,
    /// When the last byte came, UTC milliseconds.
    pub last_byte_at: Option<i64>,
    /// What the run is doing, for people.
    pub activity: String,
    /// The files that changed.
    pub files: Vec<FileProgress>,
    /// What happened that is no change of status.
    pub events: Vec<NewEvent>,
    /// Number of the last choice of files that these figures go by.
    pub choices: i64,
}

pub(super) struct Row {
    pub(super) id: i64,
    pub(super) path: String,
    pub(super) size_bytes: i64,
    pub(super) blob_id: String,
    pub(super) state: String,
    pub(super) downloaded_bytes: i64,
    pub(super) verification: String,
    pub(super) error: String,
    pub(super) error_code: Option<String>,
    pub(super) priority: String,
}

impl TryFrom<Row> for FileRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |error: NameError| StoreError::Unreadable {
            table: "file",
            row: row.id.to_string(),
            why: error.to_string(),
        };
        Ok(Self {
            id: row.id,
            path: row.path.parse().map_err(unreadable)?,
            size_bytes: row.size_bytes.max(0) as u64,
            blob_id: row.blob_id.parse().map_err(unreadable)?,
            state: row.state.parse().map_err(unreadable)?,
            downloaded_bytes: row.downloaded_bytes.max(0) as u64,
            verification: row.verification,
            error: row.error,
            error_code: row
                .error_code
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(unreadable)?,
            priority: row.priority.parse().map_err(unreadable)?,
        })
    }
}

impl Store {
    /// Files of a job, by path.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn files(&self, id: &JobId, limit: i64, offset: i64) -> Result<Vec<FileRow>, StoreError> {
        let id = id.as_str();
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, path, size_bytes, blob_id, state, downloaded_bytes, verification, error, error_code, priority
             FROM file WHERE job_seq = (SELECT seq FROM job_shown WHERE id = ?) ORDER BY path LIMIT ? OFFSET ?",
            id,
            limit,
            offset
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(FileRow::try_from).collect()
    }

    /// The files worth showing when there is no room for all: moving ones, failed ones, then
    /// those that changed last; by path.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn notable_files(&self, job_seq: i64, limit: i64) -> Result<Vec<FileRow>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, path, size_bytes, blob_id, state, downloaded_bytes, verification, error, error_code, priority
             FROM file WHERE id IN (
                 SELECT id FROM file WHERE job_seq = ?
                 ORDER BY CASE state WHEN 'downloading' THEN 0 WHEN 'verifying' THEN 0 WHEN 'error' THEN 1 ELSE 2 END,
                          updated_at DESC, id LIMIT ?
             ) ORDER BY path",
            job_seq,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(FileRow::try_from).collect()
    }

    /// Files of a planned job that are not in place, those left out included, in the order of
    /// fetching, and the bytes of those that are in place.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn open_files(&self, job_seq: i64) -> Result<(Vec<FileRow>, u64), StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, path, size_bytes, blob_id, state, downloaded_bytes, verification, error, error_code, priority
             FROM file WHERE job_seq = ? AND state NOT IN ('complete', 'skipped') ORDER BY priority, id",
            job_seq
        )
        .fetch_all(&self.readers)
        .await?;
        let done = sqlx::query_scalar!(
            r#"SELECT COALESCE(SUM(size_bytes), 0) AS "bytes!: i64" FROM file
               WHERE job_seq = ? AND state IN ('complete', 'skipped')"#,
            job_seq
        )
        .fetch_one(&self.readers)
        .await?;
        let files = rows
            .into_iter()
            .map(FileRow::try_from)
            .collect::<Result<_, _>>()?;
        Ok((files, done.max(0) as u64))
    }

    /// Records how far jobs and their segments are, all in one transaction that a crash of the
    /// process survives; also the heartbeat of the leases. Runs that lost their lease change nothing.
    ///
    /// # Errors
    /// When the database fails; the marks stay where they were.
    pub async fn progress(
        &self,
        jobs: &[(Lease, JobProgress)],
        marks: &[WrittenMark],
    ) -> Result<(), StoreError> {
        let now = now_ms();
        let expires = now + LEASE_MS;
        let mut tx = self.begin(Durability::Progress).await?;
        write_marks(tx.connection(), marks).await?;
        for (lease, progress) in jobs {
            let owner: &str = &lease.owner;
            let number = |value: u64| value as i64;
            let (downloaded, speed) = (
                number(progress.downloaded_bytes),
                number(progress.bytes_per_second),
            );
            let (network, reused) = (number(progress.network_bytes), number(progress.reused_bytes));
            let (refetched, retries) = (number(progress.refetched_bytes), number(progress.retries));
            // Before the row is raised: what came is the difference to it.
            sample(tx.connection(), lease, network, now).await?;
            let done = sqlx::query!(
                "UPDATE job SET downloaded_bytes = CASE choices WHEN ? THEN MIN(?, total_bytes) ELSE downloaded_bytes END,
                        bytes_per_second = CASE status WHEN 'running' THEN ? ELSE 0 END,
                        network_bytes = ?, reused_bytes = ?, refetched_bytes = ?, retries = ?, last_byte_at = ?,
                        activity = ?, lease_expires_at = ?, updated_at = ?
                 WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
                progress.choices,
                downloaded,
                speed,
                network,
                reused,
                refetched,
                retries,
                progress.last_byte_at,
                progress.activity,
                expires,
                now,
                lease.job_seq,
                owner,
                lease.epoch
            )
            .execute(tx.connection())
            .await?;
            if done.rows_affected() == 0 {
                continue;
            }
            insert_events(tx.connection(), lease.job_seq, &progress.events, now).await?;
            if progress.files.is_empty() {
                continue;
            }
            let files: Vec<_> = progress
                .files
                .iter()
                .map(|file| (file.id, file.downloaded_bytes, file.state.as_str()))
                .collect();
            let files = json_text(&files);
            // The plus keeps the index on job_seq out: with it SQLite would walk every file of
            // the job, and the whole list for each one.
            sqlx::query!(
                "UPDATE file SET downloaded_bytes = MIN(news.bytes, size_bytes), state = news.state, updated_at = ?
                 FROM (SELECT value ->> 0 AS id, value ->> 1 AS bytes, value ->> 2 AS state FROM json_each(?)) AS news
                 WHERE file.id = news.id AND +file.job_seq = ?
                   AND file.state IN ('pending', 'downloading', 'verifying', 'error')",
                now,
                files,
                lease.job_seq
            )
            .execute(tx.connection())
            .await?;
        }
        jobs.iter().for_each(|(lease, _)| tx.changed(lease.job_seq));
        tx.commit().await?;
        Ok(())
    }

    /// Records what became of files, and drops the rows of part files that were published.
    /// On disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails; then nothing is recorded.
    pub async fn settle_files(
        &self,
        lease: &Lease,
        files: &[FileSettled],
        published_parts: &[i64],
    ) -> Result<(), StoreError> {
        let (owner, now) = (&*lease.owner, now_ms());
        let rows: Vec<_> = files
            .iter()
            .map(|file| {
                let (code, text) = file
                    .failure
                    .as_ref()
                    .map_or((None, ""), |(code, text)| (Some(code.as_str()), text));
                (file.id, file.state.as_str(), file.verification, code, text)
            })
            .collect();
        let (rows, parts) = (json_text(&rows), json_text(published_parts));
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!(
            "UPDATE file SET state = news.state, verification = news.verification, error_code = news.code,
                    error = news.error, updated_at = ?,
                    downloaded_bytes = CASE WHEN news.state IN ('complete', 'skipped') THEN size_bytes ELSE downloaded_bytes END
             FROM (SELECT value ->> 0 AS id, value ->> 1 AS state, value ->> 2 AS verification, value ->> 3 AS code,
                          value ->> 4 AS error FROM json_each(?)) AS news
             WHERE file.id = news.id AND +file.job_seq = ?",
            now,
            rows,
            lease.job_seq
        )
        .execute(tx.connection())
        .await?;
        // Left out when it was all but here: it is here now, and counts again.
        let late = sqlx::query_scalar!(
            "UPDATE file SET priority = 'normal'
             FROM (SELECT value ->> 0 AS id FROM json_each(?)) AS news
             WHERE file.id = news.id AND +file.job_seq = ? AND priority = 'skip' AND state IN ('complete', 'skipped')
             RETURNING size_bytes AS \"size_bytes!\"",
            rows,
            lease.job_seq
        )
        .fetch_all(tx.connection())
        .await?;
        let (late_files, late_bytes) = (late.len() as i64, late.iter().sum::<i64>());
        sqlx::query!(
            "DELETE FROM part WHERE id IN (SELECT value FROM json_each(?))",
            parts
        )
        .execute(tx.connection())
        .await?;
        let done = sqlx::query!(
            "UPDATE job SET updated_at = ?1, total_files = total_files + ?5, total_bytes = total_bytes + ?6,
                    skipped_files = skipped_files - ?5, completed_files = MAX(total_files + ?5 -
                    (SELECT COUNT(*) FROM file WHERE job_seq = ?2 AND state NOT IN ('complete', 'skipped')
                       AND priority IN ('high', 'normal')), 0)
             WHERE seq = ?2 AND lease_owner = ?3 AND lease_epoch = ?4",
            now,
            lease.job_seq,
            owner,
            lease.epoch,
            late_files,
            late_bytes
        )
        .execute(tx.connection())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        tx.changed(lease.job_seq);
        tx.commit().await?;
        Ok(())
    }
}

/// JSON text for a parameter of `json_each`; these values always serialise.
pub(super) fn json_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "[]".to_owned())
}
