//! Jobs of other kinds than downloads: submitted with what they are asked, claimed by kind,
//! and reported on. From the claim on they are jobs like any other: leased, fenced, settled.

use std::sync::Arc;

use serde_json::Value;

use crate::clock::now_ms;
use crate::model::job::{JobId, Verify};
use crate::model::repo::{RepoId, RepoType};
use crate::model::state::JobKind;

use super::claim::{Claimed, LEASE_MS, Lease};
use super::files::json_text;
use super::jobs::{Submitted, live_twin, shown_job};
use super::writer::Durability;
use super::{Store, StoreError};

/// A job of another kind than download, as it is asked for.
#[derive(Debug, Clone)]
pub struct NewWork {
    /// Not `download`: those come in through [`Store::submit`].
    pub kind: JobKind,
    /// The repo it concerns; `None` when it concerns several.
    pub repo: Option<(RepoType, RepoId)>,
    /// What is asked, in the words of the kind. Kept as it is for the whole life of the job.
    pub spec: Value,
    /// The directory that the job writes to, or reads when it writes nothing. While the job
    /// waits for room, this is where room is looked for.
    pub destination: String,
    /// What is compared.
    pub verify: Verify,
    /// Two live jobs of one kind with the same key are one job.
    pub duplicate_key: String,
    /// Higher first.
    pub priority: i64,
}

impl Store {
    /// Queues a job of another kind than download, unless an equal one is live. On disk when
    /// it returns.
    ///
    /// # Errors
    /// When the database fails; then there is no job.
    pub async fn submit_work(&self, work: &NewWork, actor: &str) -> Result<Submitted, StoreError> {
        debug_assert_ne!(work.kind, JobKind::Download);
        let id = JobId::from_bits(fastrand::u64(..));
        let (kind, verify) = (work.kind.as_str(), work.verify.as_str());
        // Begins like no key of a download, which is an array that starts with a type of repo.
        let key = serde_json::json!([kind, work.duplicate_key]).to_string();
        let (repo_type, repo) = match &work.repo {
            Some((repo_type, repo)) => (repo_type.as_str(), repo.as_str()),
            None => (RepoType::Model.as_str(), ""),
        };
        let spec = work.spec.to_string();
        let (id_text, now) = (id.as_str(), now_ms());
        let mut tx = self.begin(Durability::Promise).await?;
        let inserted = sqlx::query_scalar!(
            r#"INSERT INTO job (id, kind, repo_type, repo, revision, destination, verify, duplicate_key, priority, spec,
                                actor, created_at, updated_at)
               VALUES (?, ?, ?, ?, 'main', ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO NOTHING
               RETURNING seq AS "seq!""#,
            id_text,
            kind,
            repo_type,
            repo,
            work.destination,
            verify,
            key,
            work.priority,
            spec,
            actor,
            now,
            now
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(seq) = inserted else {
            let twin = live_twin(&mut tx, &key).await?;
            // Not a twin but an id that is taken: one chance in 2^48 for each job on the list.
            return twin.map(Submitted::Existing).ok_or(StoreError::Unreadable {
                table: "job",
                row: id.to_string(),
                why: "the random id is taken; send the request again".to_owned(),
            });
        };
        let job = shown_job(&mut tx, seq).await?;
        tx.changed(seq);
        tx.commit().await?;
        Ok(Submitted::New(job))
    }

    /// Claims the next ready job of one of `kinds`: highest priority, then oldest. Of each kind
    /// one runs at a time: two copies to one target would be in each other's way.
    ///
    /// # Errors
    /// When the database fails; then nothing is claimed.
    pub async fn claim_work(
        &self,
        owner: &Arc<str>,
        kinds: &[JobKind],
    ) -> Result<Option<Claimed>, StoreError> {
        let now = now_ms();
        let expires = now + LEASE_MS;
        let (name, kinds): (&str, _) = (owner, json_text(kinds));
        let mut tx = self.begin(Durability::Promise).await?;
        let claimed = sqlx::query!(
            r#"UPDATE job SET state = 'running', lease_owner = ?1, lease_epoch = lease_epoch + 1, lease_expires_at = ?2,
                      attempt = attempt + 1, wait_reason = NULL, ready_at = NULL, phase = NULL, activity = '',
                      started_at = COALESCE(started_at, ?3), run_started_at = ?3, actor = 'hfdepot', updated_at = ?3
               WHERE seq = (
                   SELECT seq FROM job
                   WHERE state = 'queued' AND intent = 'run' AND kind IN (SELECT value FROM json_each(?4))
                     AND kind NOT IN (SELECT kind FROM job WHERE lease_owner IS NOT NULL)
                     AND COALESCE(not_before_at, 0) <= ?3 AND COALESCE(ready_at, 0) <= ?3
                   ORDER BY priority DESC, seq LIMIT 1
               )
               RETURNING seq AS "seq!", lease_epoch AS "epoch!""#,
            name,
            expires,
            now,
            kinds
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

    /// When the next queued job of one of `kinds` becomes ready, UTC milliseconds; `None` when
    /// none will.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_work_at(&self, kinds: &[JobKind]) -> Result<Option<i64>, StoreError> {
        let kinds = json_text(kinds);
        Ok(sqlx::query_scalar!(
            r#"SELECT MAX(COALESCE(not_before_at, 0), COALESCE(ready_at, 0)) AS "at!: i64"
               FROM job WHERE state = 'queued' AND intent = 'run' AND kind IN (SELECT value FROM json_each(?))
               ORDER BY MAX(COALESCE(not_before_at, 0), COALESCE(ready_at, 0)) LIMIT 1"#,
            kinds
        )
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Records what the job reports, in place of what it reported before. On disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn report(&self, lease: &Lease, result: &Value) -> Result<(), StoreError> {
        let (result, owner, now) = (result.to_string(), &*lease.owner, now_ms());
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!(
            "UPDATE job SET result = ?, updated_at = ? WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
            result,
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
        tx.changed(lease.job_seq);
        tx.commit().await?;
        Ok(())
    }
}
