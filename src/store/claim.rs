//! Claims and leases: who runs a job, and how a run ends.
//!
//! A claim is one short write; from then on the lease columns own the row. Every write of
//! a run shows its [`Lease`] and changes nothing once the lease is lost.

use std::sync::Arc;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::state::{Intent, JobStatus, Phase, WAIT_MAX, WaitReason};

use super::jobs::{Job, shown_job};
use super::writer::{Durability, WriteTx};
use super::{Store, StoreError, file_list};

/// Milliseconds a lease lives without a heartbeat: long enough for a suspended disk, short
/// enough that a run that died inside a living process does not hold its job for long.
pub const LEASE_MS: i64 = 60_000;

/// Beyond the longest wait for so long, milliseconds, a moment is no moment of this clock.
const CLOCK_SLACK_MS: i64 = 60_000;

/// The right to run one job. Not to be made up: only a claim returns one.
#[derive(Debug, Clone)]
pub struct Lease {
    pub(super) job_seq: i64,
    pub(super) owner: Arc<str>,
    pub(super) epoch: i64,
}

impl Lease {
    /// The job's sequence number.
    pub fn job_seq(&self) -> i64 {
        self.job_seq
    }

    /// Number of the run; rises with each claim of the job.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// A claimed job and the right to run it.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The job as it was claimed.
    pub job: Job,
    /// The right to run it.
    pub lease: Lease,
}

/// How a run ended, if the user wanted nothing else meanwhile.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Every file is in place and verified.
    Completed,
    /// Gave up.
    Failed(Code, String),
    /// Goes back to the queue and waits.
    Waiting(Waiting),
    /// Goes back to the queue at once: the service stops, or fewer jobs may run.
    Released,
}

/// Why and until when a job waits in the queue.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The reason shown.
    pub reason: WaitReason,
    /// Not claimed before, UTC milliseconds.
    pub ready_at: i64,
    /// A sentence for people.
    pub text: String,
}

impl Store {
    /// Gives every job that a dead process held back to the queue, or to what the user wanted of it.
    /// Called once at start, while the lock on the data directory proves that nobody else runs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self, owner: &str) -> Result<u64, StoreError> {
        // The attempt was cut short by no fault of its own.
        self.take_back(owner, i64::MAX, 1, &[]).await
    }

    /// Gives jobs whose lease ran out back to the queue, but those of the runs that hold `living`:
    /// they are renewed. A lease runs out by the wall clock, which a machine that slept or got the
    /// right time finds minutes or years further, and the runs in this process go on all the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reclaim_expired(&self, living: &[Lease]) -> Result<u64, StoreError> {
        self.take_back("", now_ms(), 0, living).await
    }

    /// Makes jobs ready that wait longer than any wait is: the clock was set back since they began to. Those
    /// that wait for room have no moment, and those whose user chose one keep it. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_endless_waits(&self) -> Result<u64, StoreError> {
        let now = now_ms();
        let longest = now + WAIT_MAX.as_millis() as i64 + CLOCK_SLACK_MS;
        let mut tx = self.begin(Durability::Promise).await?;
        let seqs = sqlx::query_scalar!(
            r#"UPDATE job SET ready_at = ?1, updated_at = ?1
               WHERE state = 'queued' AND wait_reason <> 'disk' AND ready_at > ?2 RETURNING seq AS "seq!""#,
            now,
            longest
        )
        .fetch_all(tx.connection())
        .await?;
        seqs.iter().for_each(|&seq| tx.changed(seq));
        tx.commit().await?;
        Ok(seqs.len() as u64)
    }

    async fn take_back(
        &self,
        except_owner: &str,
        expired_at: i64,
        uncharged: i64,
        living: &[Lease],
    ) -> Result<u64, StoreError> {
        let now = now_ms();
        let mut tx = self.begin(Durability::Promise).await?;
        for lease in living {
            let (expires, owner) = (now + LEASE_MS, &*lease.owner);
            sqlx::query!(
                "UPDATE job SET lease_expires_at = ? WHERE seq = ? AND lease_owner = ? AND lease_epoch = ? AND lease_expires_at < ?",
                expires,
                lease.job_seq,
                owner,
                lease.epoch,
                now
            )
            .execute(tx.connection())
            .await?;
        }
        let seqs = sqlx::query_scalar!(
            r#"UPDATE job SET
                   state = CASE intent WHEN 'cancel' THEN 'cancelled' WHEN 'pause' THEN 'paused' ELSE 'queued' END,
                   attempt = MAX(attempt - ?1, 0), requeue = 0, lease_owner = NULL, lease_expires_at = NULL,
                   -- The last heartbeat is the last that is known of the run.
                   active_ms = active_ms + COALESCE(MAX(updated_at - run_started_at, 0), 0), run_started_at = NULL,
                   bytes_per_second = 0, phase = NULL, activity = '', ready_at = NULL,
                   actor = CASE WHEN intent = 'run' AND requeue = 0 THEN 'hfdepot' ELSE actor END, updated_at = ?2
               WHERE state = 'running' AND lease_owner <> ?3 AND lease_expires_at < ?4
               RETURNING seq AS "seq!""#,
            uncharged,
            now,
            except_owner,
            expired_at
        )
        .fetch_all(tx.connection())
        .await?;
        for &seq in &seqs {
            nothing_moves(&mut tx, seq).await?;
        }
        seqs.iter().for_each(|&seq| tx.changed(seq));
        tx.commit().await?;
        Ok(seqs.len() as u64)
    }

    /// Claims the next job that is ready: highest priority, then lowest rank.
    ///
    /// # Errors
    /// When the database fails; then nothing is claimed.
    pub async fn claim(&self, owner: &Arc<str>) -> Result<Option<Claimed>, StoreError> {
        let now = now_ms();
        let expires = now + LEASE_MS;
        let name: &str = owner;
        let mut tx = self.begin(Durability::Promise).await?;
        let claimed = sqlx::query!(
            r#"UPDATE job SET state = 'running', lease_owner = ?1, lease_epoch = lease_epoch + 1, lease_expires_at = ?2,
                      attempt = attempt + 1, wait_reason = NULL, ready_at = NULL, phase = NULL, activity = '',
                      started_at = COALESCE(started_at, ?3), run_started_at = ?3, actor = 'hfdepot', updated_at = ?3
               WHERE seq = (
                   SELECT seq FROM job
                   WHERE state = 'queued' AND intent = 'run' AND kind = 'download'
                     AND COALESCE(not_before_at, 0) <= ?3 AND COALESCE(ready_at, 0) <= ?3
                   ORDER BY priority DESC, rank, seq LIMIT 1
               )
               RETURNING seq AS "seq!", lease_epoch AS "epoch!""#,
            name,
            expires,
            now
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(claimed) = claimed else {
            tx.commit().await?;
            return Ok(None);
        };
        let job = shown_job(&mut tx, claimed.seq).await?;
        tx.changed(claimed.seq);
        tx.commit().await?;
        let lease = Lease {
            job_seq: claimed.seq,
            owner: owner.clone(),
            epoch: claimed.epoch,
        };
        Ok(Some(Claimed { job, lease }))
    }

    /// When the next queued job becomes ready, UTC milliseconds; `None` when none will.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_ready_at(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT MAX(COALESCE(not_before_at, 0), COALESCE(ready_at, 0)) AS "at!: i64"
               FROM job WHERE state = 'queued' AND intent = 'run' AND kind = 'download'
               ORDER BY MAX(COALESCE(not_before_at, 0), COALESCE(ready_at, 0)) LIMIT 1"#
        )
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Jobs of `owner` whose run must stop because the user wants something else: sequence number and epoch.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unwanted_runs(&self, owner: &str) -> Result<Vec<(i64, i64, Intent)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT seq, lease_epoch, intent FROM job WHERE lease_owner = ? AND (intent <> 'run' OR requeue = 1)",
            owner
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                (
                    row.seq,
                    row.lease_epoch,
                    row.intent.parse().unwrap_or(Intent::Pause),
                )
            })
            .collect())
    }

    /// Jobs that wait for space: sequence number, destination, bytes they miss.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_for_disk(&self) -> Result<Vec<(i64, String, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT seq AS "seq!", destination, MAX(total_bytes - downloaded_bytes, 0) AS "missing!: i64"
               FROM job WHERE state = 'queued' AND intent = 'run' AND wait_reason = 'disk'"#
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.seq, row.destination, row.missing as u64))
            .collect())
    }

    /// Lets a waiting job be claimed now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_ready(&self, seq: i64) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "UPDATE job SET ready_at = NULL WHERE seq = ? AND state = 'queued'",
            seq
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Makes jobs that wait for one of `reasons` ready now, such as after space was freed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wake_waiting(&self, reasons: &[WaitReason]) -> Result<u64, StoreError> {
        let reasons = serde_json::json!(reasons).to_string();
        let mut tx = self.begin(Durability::Progress).await?;
        let done = sqlx::query!(
            "UPDATE job SET ready_at = NULL
             WHERE state = 'queued' AND ready_at IS NOT NULL AND wait_reason IN (SELECT value FROM json_each(?))",
            reasons
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }

    /// Records what the run is doing; of a run that has to stop nothing is shown.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn set_phase(&self, lease: &Lease, phase: Phase, activity: &str) -> Result<(), StoreError> {
        let (phase, owner, now) = (phase.as_str(), &*lease.owner, now_ms());
        let mut tx = self.begin(Durability::Progress).await?;
        let done = sqlx::query!(
            "UPDATE job SET phase = CASE status WHEN 'running' THEN ? END, activity = CASE status WHEN 'running' THEN ? ELSE '' END,
                    updated_at = ?
             WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
            phase,
            activity,
            now,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .execute(tx.connection())
        .await?;
        tx.changed(lease.job_seq);
        tx.commit().await?;
        if done.rows_affected() == 0 {
            Err(StoreError::LeaseLost)
        } else {
            Ok(())
        }
    }

    /// Ends the run. What the user wanted meanwhile wins over `outcome`; the status that the
    /// job now has is returned. On disk when it returns.
    ///
    /// No job completes while a file that is wanted is not in place: one that was wanted again at
    /// the last moment sends the job back to the queue.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn settle(&self, lease: &Lease, outcome: &Outcome) -> Result<JobStatus, StoreError> {
        let now = now_ms();
        let owner: &str = &lease.owner;
        // Before the transaction: nobody but this run changes its files, and nobody waits meanwhile.
        let files = match outcome {
            Outcome::Completed | Outcome::Failed(..) => {
                file_list::gather(&mut *self.readers.acquire().await?, lease.job_seq).await?
            }
            Outcome::Waiting(_) | Outcome::Released => None,
        };
        let mut tx = self.begin(Durability::Promise).await?;
        let lacks = matches!(outcome, Outcome::Completed) && lacks_files(&mut tx, lease.job_seq).await?;
        let outcome = if lacks { &Outcome::Released } else { outcome };
        if !lacks {
            tx.files = files;
        }
        let (state, code, text, reason, ready_at) = match outcome {
            Outcome::Completed => ("completed", None, "", None, None),
            Outcome::Failed(code, text) => ("failed", Some(code.as_str()), text.as_str(), None, None),
            Outcome::Waiting(wait) => (
                "queued",
                None,
                wait.text.as_str(),
                Some(wait.reason.as_str()),
                Some(wait.ready_at),
            ),
            Outcome::Released => ("queued", None, "", None, None),
        };
        let ended_at = matches!(state, "completed" | "failed").then_some(now);
        let activity = if state == "queued" { text } else { "" };
        let error = if state == "failed" { text } else { "" };
        let settled = sqlx::query_scalar!(
            r#"UPDATE job SET
                   state = CASE intent WHEN 'cancel' THEN 'cancelled' WHEN 'pause' THEN 'paused'
                                       ELSE CASE WHEN requeue = 1 THEN 'queued' ELSE ?1 END END,
                   error = CASE WHEN intent = 'run' AND requeue = 0 THEN ?2 ELSE error END,
                   error_code = CASE WHEN intent = 'run' AND requeue = 0 THEN ?3 ELSE error_code END,
                   wait_reason = CASE WHEN intent = 'run' AND requeue = 0 THEN ?4 END,
                   ready_at = CASE WHEN intent = 'run' AND requeue = 0 THEN ?5 END,
                   -- Never before the start, whatever the clock was set to.
                   ended_at = CASE WHEN intent = 'run' AND requeue = 0 THEN MAX(?6, COALESCE(started_at, 0)) ELSE ended_at END,
                   activity = CASE WHEN intent = 'run' AND requeue = 0 THEN ?7 ELSE '' END, phase = NULL,
                   requeue = 0, lease_owner = NULL, lease_expires_at = NULL, bytes_per_second = 0,
                   active_ms = active_ms + COALESCE(MAX(?8 - run_started_at, 0), 0), run_started_at = NULL,
                   actor = CASE WHEN intent = 'run' AND requeue = 0 THEN 'hfdepot' ELSE actor END, updated_at = ?8
               WHERE seq = ?9 AND lease_owner = ?10 AND lease_epoch = ?11
               RETURNING status AS "status!""#,
            state,
            error,
            code,
            reason,
            ready_at,
            ended_at,
            activity,
            now,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .fetch_optional(tx.connection())
        .await?;
        let status = settled.ok_or(StoreError::LeaseLost)?;
        nothing_moves(&mut tx, lease.job_seq).await?;
        tx.changed(lease.job_seq);
        tx.commit().await?;
        status
            .parse()
            .map_err(|error: crate::model::repo::NameError| StoreError::Unreadable {
                table: "job",
                row: lease.job_seq.to_string(),
                why: error.to_string(),
            })
    }
}

/// Whether a file of a job that is wanted is not in place.
async fn lacks_files(tx: &mut WriteTx, seq: i64) -> Result<bool, StoreError> {
    let lacks = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM file WHERE job_seq = ? AND state NOT IN ('complete', 'skipped')
                            AND priority IN ('high', 'normal')) AS "lacks!: bool""#,
        seq
    );
    Ok(lacks.fetch_one(tx.connection()).await?)
}

/// No bytes come for the files of a job that nobody runs.
async fn nothing_moves(tx: &mut WriteTx, seq: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE file SET state = 'pending' WHERE job_seq = ? AND state NOT IN ('complete', 'skipped')
           AND state IN ('downloading', 'verifying')",
        seq
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
