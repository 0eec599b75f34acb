//! The files a job is to have: its plan, and what its user wants of each.
//!
//! `priority` is written for the user, `state` by the run, which hears of a choice by the number
//! in `job.choices`.

use std::collections::{BTreeMap, HashMap};

use crate::clock::now_ms;
use crate::model::job::JobId;
use crate::model::repo::{BlobId, Commit, NameError, RepoPath};
use crate::model::state::{FilePriority, JobStatus};

use super::claim::Lease;
use super::files::{FileRow, Row, json_text};
use super::writer::Durability;
use super::{Store, StoreError};

const NORMAL: &str = FilePriority::Normal.as_str();
const SKIP: &str = FilePriority::Skip.as_str();

/// A file of a plan that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Path in the repo.
    pub path: RepoPath,
    /// Length in bytes.
    pub size_bytes: u64,
    /// The content it must have.
    pub blob_id: BlobId,
}

/// Why nothing was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceRefused {
    /// No job on the list has this id.
    Unknown,
    /// The job is over, and no retry would go by the choice.
    Status(JobStatus),
    /// The job has no files of these paths: the first few of them.
    Paths(Vec<String>),
}

impl Store {
    /// Stores the plan of a job: its commit and every file it will have. What its user chose of
    /// files of an earlier plan holds for those of the same path.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails; then nothing is stored.
    pub async fn store_plan(
        &self,
        lease: &Lease,
        commit: &Commit,
        files: &[NewFile],
    ) -> Result<(), StoreError> {
        let (commit, owner, now) = (commit.as_str(), &*lease.owner, now_ms());
        let mut tx = self.begin(Durability::Promise).await?;
        // A job that is planned anew keeps what its user chose.
        let chosen = sqlx::query!(
            "SELECT path, priority FROM file WHERE job_seq = ? AND priority <> 'normal'",
            lease.job_seq
        )
        .fetch_all(tx.connection())
        .await?;
        let chosen: HashMap<String, String> =
            chosen.into_iter().map(|row| (row.path, row.priority)).collect();
        let priority = |file: &NewFile| chosen.get(file.path.as_str()).map_or(NORMAL, String::as_str);
        let wanted = files.iter().filter(|file| priority(file) != SKIP);
        let total_files = wanted.clone().count() as i64;
        let total_bytes = wanted.map(|file| file.size_bytes as i64).sum::<i64>();
        let skipped_files = files.len() as i64 - total_files;
        let done = sqlx::query!(
            "UPDATE job SET commit_hash = ?, total_files = ?, total_bytes = ?, skipped_files = ?, completed_files = 0,
                    updated_at = ?
             WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
            commit,
            total_files,
            total_bytes,
            skipped_files,
            now,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .execute(tx.connection())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        sqlx::query!("DELETE FROM file WHERE job_seq = ?", lease.job_seq)
            .execute(tx.connection())
            .await?;
        // Several thousand rows a statement: one round trip each, and a bounded text.
        for files in files.chunks(4096) {
            let rows: Vec<_> = files
                .iter()
                .map(|file| {
                    (
                        file.path.as_str(),
                        file.size_bytes,
                        file.blob_id.to_string(),
                        priority(file),
                    )
                })
                .collect();
            let rows = json_text(&rows);
            sqlx::query!(
                "INSERT INTO file (job_seq, path, size_bytes, blob_id, priority, updated_at)
                 SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ? FROM json_each(?)",
                lease.job_seq,
                now,
                rows
            )
            .execute(tx.connection())
            .await?;
        }
        tx.changed(lease.job_seq);
        tx.commit().await?;
        Ok(())
    }

    /// Every path of a job, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_paths(&self, id: &JobId) -> Result<Vec<String>, StoreError> {
        let id = id.as_str();
        let paths = sqlx::query_scalar!(
            "SELECT path FROM file WHERE job_seq = (SELECT seq FROM job_shown WHERE id = ?) ORDER BY path",
            id
        );
        Ok(paths.fetch_all(&self.readers).await?)
    }

    /// Number of the last choice of files of a job.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn choices(&self, job_seq: i64) -> Result<i64, StoreError> {
        let number = sqlx::query_scalar!(
            r#"SELECT choices AS "choices!: i64" FROM job WHERE seq = ?"#,
            job_seq
        );
        Ok(number.fetch_one(&self.readers).await?)
    }

    /// Sets what is wanted of files, all or none, and answers them as they are now, at most
    /// `limit`, by path. Files in place stay as they are. Totals change with it; a run hears of it
    /// by the number of the choice. On disk when it returns.
    ///
    /// # Errors
    /// The outer error when the database fails; [`ChoiceRefused`] when nothing was changed.
    pub async fn choose_files(
        &self,
        id: &JobId,
        wishes: &BTreeMap<String, FilePriority>,
        limit: i64,
        actor: &str,
    ) -> Result<Result<Vec<FileRow>, ChoiceRefused>, StoreError> {
        let (text, now) = (id.as_str(), now_ms());
        let asked: Vec<_> = wishes.iter().map(|(path, wish)| (path, wish.as_str())).collect();
        let asked = json_text(&asked);
        let mut tx = self.begin(Durability::Promise).await?;
        let job = sqlx::query!(
            r#"SELECT seq AS "seq!", status AS "status!" FROM job WHERE id = ? AND dismissed_at IS NULL"#,
            text
        );
        let Some(job) = job.fetch_optional(tx.connection()).await? else {
            return Ok(Err(ChoiceRefused::Unknown));
        };
        let status: JobStatus = job
            .status
            .parse()
            .map_err(|error: NameError| StoreError::Unreadable {
                table: "job",
                row: id.to_string(),
                why: error.to_string(),
            })?;
        // A failed one is planned anew by a retry, which keeps the choice.
        if matches!(status, JobStatus::Completed | JobStatus::Cancelled) {
            return Ok(Err(ChoiceRefused::Status(status)));
        }
        let strangers = sqlx::query_scalar!(
            r#"SELECT asked.value ->> 0 AS "path!: String" FROM json_each(?) AS asked
               WHERE NOT EXISTS (SELECT 1 FROM file WHERE job_seq = ? AND path = asked.value ->> 0) LIMIT 5"#,
            asked,
            job.seq
        )
        .fetch_all(tx.connection())
        .await?;
        if !strangers.is_empty() {
            return Ok(Err(ChoiceRefused::Paths(strangers)));
        }
        let sums = sqlx::query!(
            r#"SELECT COUNT(*) AS "changed!: i64",
                      COALESCE(SUM(new = 'high'), 0) AS "high!: i64",
                      COALESCE(SUM(new = 'skip'), 0) AS "skipped!: i64",
                      COALESCE(SUM(old = 'skip'), 0) AS "wanted!: i64",
                      COALESCE(SUM(size_bytes * ((old = 'skip') - (new = 'skip'))), 0) AS "bytes!: i64",
                      COALESCE(SUM(downloaded_bytes * ((old = 'skip') - (new = 'skip'))), 0) AS "downloaded!: i64",
                      COALESCE(MIN(path), '') AS "first!: String"
               FROM (SELECT file.path, size_bytes, downloaded_bytes, file.priority AS old, news.priority AS new
                     FROM (SELECT value ->> 0 AS path, value ->> 1 AS priority FROM json_each(?)) AS news
                          CROSS JOIN file ON file.job_seq = ? AND file.path = news.path
                     WHERE +state NOT IN ('complete', 'skipped') AND file.priority <> news.priority)"#,
            asked,
            job.seq
        )
        .fetch_one(tx.connection())
        .await?;
        if sums.changed > 0 {
            // The limit makes SQLite find the rows first, each by its path: else it would walk the list
            // for every file of the job.
            sqlx::query!(
                "UPDATE file SET priority = wanted.priority, updated_at = ?
                 FROM (SELECT own.id, value ->> 1 AS priority
                       FROM json_each(?) CROSS JOIN file AS own ON own.job_seq = ? AND own.path = value ->> 0
                       WHERE +own.state NOT IN ('complete', 'skipped') AND own.priority <> value ->> 1
                       LIMIT -1) AS wanted
                 WHERE file.id = wanted.id",
                now,
                asked,
                job.seq
            )
            .execute(tx.connection())
            .await?;
            let fewer = sums.skipped - sums.wanted;
            sqlx::query!(
                "UPDATE job SET total_files = total_files - ?, skipped_files = skipped_files + ?,
                        total_bytes = total_bytes + ?,
                        downloaded_bytes = MAX(MIN(downloaded_bytes + ?, total_bytes + ?), 0),
                        choices = choices + 1, updated_at = ? WHERE seq = ?",
                fewer,
                fewer,
                sums.bytes,
                sums.downloaded,
                sums.bytes,
                now,
                job.seq
            )
            .execute(tx.connection())
            .await?;
            let detail = told(&sums.first, sums.changed, sums.skipped, sums.wanted, sums.high);
            sqlx::query!(
                "INSERT INTO event (job_id, event, actor, detail, at) VALUES (?, 'files_chosen', ?, ?, ?)",
                text,
                actor,
                detail,
                now
            )
            .execute(tx.connection())
            .await?;
        }
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, path, size_bytes, blob_id, state, downloaded_bytes, verification, error, error_code, priority
             FROM file WHERE job_seq = ? AND path IN (SELECT value ->> 0 FROM json_each(?)) ORDER BY path LIMIT ?",
            job.seq,
            asked,
            limit
        )
        .fetch_all(tx.connection())
        .await?;
        if sums.changed > 0 {
            tx.changed(job.seq);
        }
        tx.commit().await?;
        Ok(Ok(rows
            .into_iter()
            .map(FileRow::try_from)
            .collect::<Result<_, _>>()?))
    }
}

/// What was chosen, as a sentence for the record.
fn told(first: &str, changed: i64, skipped: i64, wanted: i64, high: i64) -> String {
    if changed == 1 {
        let what = match (skipped, wanted, high) {
            (1, ..) => "left out",
            (.., 1) => "to come first",
            (_, 1, _) => "wanted again",
            _ => "in its turn",
        };
        return format!("{first}: {what}");
    }
    let parts = [
        (skipped, "left out"),
        (wanted, "wanted again"),
        (high, "to come first"),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(count, _)| *count > 0).collect();
    if parts.is_empty() {
        return format!("{changed} files in their turn");
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("{changed} files: {}", parts.join(", "))
}
