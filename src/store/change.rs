//! Commands of users on jobs, and the deletion of what is over. Every command is one guarded
//! statement: it names the status it leaves, and zero changed rows mean that it was refused.

use crate::clock::now_ms;
use crate::model::job::JobId;
use crate::model::state::JobStatus;

use super::jobs::live_twin;
use super::writer::{Durability, WriteTx};
use super::{Store, StoreError};

/// A command on one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Holds a running job; its bytes stay.
    Pause,
    /// Puts a paused job back into the queue.
    Resume,
    /// Gives a live job up; its partial files go.
    Cancel,
    /// Takes an ended or paused job off the list; history stays.
    Dismiss,
    /// Puts a failed or cancelled job back into the queue, planned anew.
    Retry,
    /// Takes a queued job out of the queue until it is resumed.
    Hold,
    /// Puts a queued or paused job before all others, whatever it waited for.
    Start,
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No job on the list has this id.
    Unknown,
    /// The job's status does not allow the command.
    Status(JobStatus),
    /// An equal job is live: its id.
    Twin(JobId),
}

impl Store {
    /// Carries out a command. On disk when it returns.
    ///
    /// The run of a running job lets go later; what is shown is the command at once.
    ///
    /// # Errors
    /// The outer error when the database fails; [`Refused`] when the job does not allow it.
    pub async fn change(
        &self,
        id: &JobId,
        change: Change,
        actor: &str,
    ) -> Result<Result<(), Refused>, StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        let done = Self::change_in(&mut tx, id, change, actor).await?;
        if let Ok(seq) = done {
            tx.changed(seq);
            tx.commit().await?;
        }
        Ok(done.map(drop))
    }

    /// One command within a transaction that may hold more; the sequence number of the job that
    /// changed. A refusal changes nothing.
    pub(super) async fn change_in(
        tx: &mut WriteTx,
        id: &JobId,
        change: Change,
        actor: &str,
    ) -> Result<Result<i64, Refused>, StoreError> {
        let (text, now) = (id.as_str(), now_ms());
        let Some(before) = sqlx::query!(
            r#"SELECT seq AS "seq!", status AS "status!", duplicate_key FROM job WHERE id = ? AND dismissed_at IS NULL"#,
            text
        )
        .fetch_optional(tx.connection())
        .await?
        else {
            return Ok(Err(Refused::Unknown));
        };
        if change == Change::Retry
            && let Some(twin) = live_twin(tx, &before.duplicate_key).await?
            && twin.id != *id
        {
            return Ok(Err(Refused::Twin(twin.id)));
        }
        let changed = match change {
            Change::Pause => {
                sqlx::query!(
                    "UPDATE job SET intent = 'pause', bytes_per_second = 0, actor = ?, updated_at = ?
                     WHERE seq = ? AND status = 'running'",
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Resume => {
                sqlx::query!(
                    "UPDATE job SET intent = 'run', state = CASE state WHEN 'paused' THEN 'queued' ELSE state END,
                            requeue = (state = 'running'), ready_at = NULL, wait_reason = NULL, actor = ?, updated_at = ?
                     WHERE seq = ? AND status = 'paused'",
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Cancel => {
                sqlx::query!(
                    "UPDATE job SET intent = 'cancel', state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END,
                            requeue = 0, bytes_per_second = 0, wait_reason = NULL,
                            active_ms = active_ms + COALESCE(MAX(? - run_started_at, 0), 0), run_started_at = NULL,
                            actor = ?, ended_at = MAX(?, COALESCE(started_at, 0)), updated_at = ?
                     WHERE seq = ? AND status IN ('queued', 'running', 'paused')",
                    now,
                    actor,
                    now,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Dismiss => {
                sqlx::query!(
                    "UPDATE job SET dismissed_at = ?,
                            intent = CASE status WHEN 'paused' THEN 'cancel' ELSE intent END,
                            state = CASE WHEN state = 'paused' THEN 'cancelled' ELSE state END,
                            ended_at = COALESCE(ended_at, MAX(?, COALESCE(started_at, 0))), actor = ?, updated_at = ?
                     WHERE seq = ? AND status IN ('completed', 'failed', 'cancelled', 'paused')",
                    now,
                    now,
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Retry => {
                // Planned anew, for the revision may have moved. Its files stay until that plan
                // replaces them: they are what holds the part files that the new run goes on with.
                sqlx::query!(
                    "UPDATE file SET state = 'pending', downloaded_bytes = 0, verification = '', error = '',
                            error_code = NULL, updated_at = ?
                     WHERE job_seq = ? AND EXISTS (SELECT 1 FROM job WHERE seq = job_seq AND status IN ('failed', 'cancelled'))",
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?;
                // Work of other kinds is planned anew too; what is done already is found so then.
                sqlx::query!(
                    "DELETE FROM item
                     WHERE job_seq = ? AND EXISTS (SELECT 1 FROM job WHERE seq = job_seq AND status IN ('failed', 'cancelled'))",
                    before.seq
                )
                .execute(tx.connection())
                .await?;
                sqlx::query!(
                    "UPDATE job SET intent = 'run', state = CASE state WHEN 'running' THEN state ELSE 'queued' END,
                            requeue = (state = 'running'), commit_hash = NULL, attempt = 0, ready_at = NULL,
                            wait_reason = NULL, error = '', error_code = NULL, ended_at = NULL, total_files = 0,
                            skipped_files = 0, completed_files = 0, total_bytes = 0, downloaded_bytes = 0, bytes_per_second = 0,
                            result = NULL, actor = ?, updated_at = ?
                     WHERE seq = ? AND status IN ('failed', 'cancelled')",
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Hold => {
                sqlx::query!(
                    "UPDATE job SET intent = 'pause', state = CASE state WHEN 'queued' THEN 'paused' ELSE state END,
                            requeue = 0, wait_reason = NULL, ready_at = NULL, activity = '', actor = ?, updated_at = ?
                     WHERE seq = ? AND status = 'queued'",
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
            Change::Start => {
                sqlx::query!(
                    "UPDATE job SET intent = 'run', state = CASE state WHEN 'paused' THEN 'queued' ELSE state END,
                            requeue = (state = 'running'), not_before_at = NULL, ready_at = NULL, wait_reason = NULL,
                            rank = (SELECT MIN(rank) FROM job) - 4294967296,
                            priority = MAX(priority, COALESCE((
                                SELECT first.priority FROM job AS first
                                WHERE first.state = 'queued' AND first.intent = 'run' AND first.kind = job.kind
                                ORDER BY first.priority DESC LIMIT 1), priority)),
                            actor = ?, updated_at = ?
                     WHERE seq = ? AND status IN ('queued', 'paused')",
                    actor,
                    now,
                    before.seq
                )
                .execute(tx.connection())
                .await?
            }
        };
        if changed.rows_affected() == 0 {
            let status = before
                .status
                .parse()
                .map_err(|error: crate::model::repo::NameError| StoreError::Unreadable {
                    table: "job",
                    row: id.to_string(),
                    why: error.to_string(),
                })?;
            return Ok(Err(Refused::Status(status)));
        }
        // No change of status, or not only: no trigger records it.
        let event = match change {
            Change::Dismiss => "dismissed",
            Change::Start => "moved",
            _ => return Ok(Ok(before.seq)),
        };
        sqlx::query!(
            "INSERT INTO event (job_id, event, actor, at) VALUES (?, ?, ?, ?)",
            text,
            event,
            actor,
            now
        )
        .execute(tx.connection())
        .await?;
        Ok(Ok(before.seq))
    }

    /// Deletes dismissed jobs, and ended ones older than `keep_ms`; history stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_jobs(&self, keep_ms: i64) -> Result<u64, StoreError> {
        let oldest = now_ms().saturating_sub(keep_ms);
        let mut tx = self.begin(Durability::Progress).await?;
        let done = sqlx::query!(
            "DELETE FROM job WHERE lease_owner IS NULL AND state IN ('completed', 'failed', 'cancelled')
               AND (dismissed_at IS NOT NULL OR ended_at < ?)",
            oldest
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}
