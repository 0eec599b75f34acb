//! The record of all that happened: events of jobs, and the history of their ends.

use crate::clock::now_ms;
use crate::model::job::JobId;
use crate::model::state::JobStatus;

use super::writer::Durability;
use super::{Store, StoreError};

/// One thing that happened to a job.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `event`.
pub struct EventRow {
    pub seq: i64,
    pub job_id: String,
    pub event: String,
    pub from_status: Option<String>,
    pub to_status: Option<String>,
    pub actor: String,
    pub detail: String,
    pub at: i64,
}

/// The end of one job.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `history`.
pub struct HistoryEntry {
    pub seq: i64,
    pub job_id: String,
    pub kind: String,
    pub repo_type: String,
    pub repo: String,
    pub revision: String,
    pub commit_hash: Option<String>,
    pub filters: String,
    pub excludes: String,
    pub destination: String,
    pub verify: String,
    pub status: String,
    pub error: String,
    pub error_code: Option<String>,
    pub total_files: i64,
    pub completed_files: i64,
    pub total_bytes: i64,
    pub network_bytes: i64,
    pub reused_bytes: i64,
    pub refetched_bytes: i64,
    pub retries: i64,
    pub active_ms: i64,
    pub actor: String,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub ended_at: i64,
}

/// Which ends to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Only this end.
    pub status: Option<JobStatus>,
    /// Only repos whose id holds this text, in any case.
    pub repo: Option<String>,
    /// At most so many.
    pub limit: i64,
    /// Leave out so many of the newest.
    pub offset: i64,
}

impl Store {
    /// Records something that is no change of status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, job_id: &JobId, event: &str, detail: &str) -> Result<(), StoreError> {
        let (id, now) = (job_id.as_str(), now_ms());
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "INSERT INTO event (job_id, event, actor, detail, at) VALUES (?, ?, 'hfdepot', ?, ?)",
            id,
            event,
            detail,
            now
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Events of one job, oldest first, after sequence number `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, job_id: &JobId, after: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        let id = job_id.as_str();
        Ok(sqlx::query_as!(
            EventRow,
            "SELECT seq, job_id, event, from_status, to_status, actor, detail, at FROM event
             WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            id,
            after,
            limit
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// Ends of jobs, newest first, and how many match in all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn history(&self, query: &HistoryQuery) -> Result<(Vec<HistoryEntry>, i64), StoreError> {
        let status = query.status.map(JobStatus::as_str);
        let repo = query.repo.as_deref();
        let entries = sqlx::query_as!(
            HistoryEntry,
            "SELECT * FROM history
             WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR INSTR(LOWER(repo), LOWER(?2)) > 0)
             ORDER BY seq DESC LIMIT ?3 OFFSET ?4",
            status,
            repo,
            query.limit,
            query.offset
        )
        .fetch_all(&self.readers)
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "count!: i64" FROM history
               WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR INSTR(LOWER(repo), LOWER(?2)) > 0)"#,
            status,
            repo
        )
        .fetch_one(&self.readers)
        .await?;
        Ok((entries, total))
    }
}
