//! One command on many jobs, and what users attach to jobs.

use crate::clock::now_ms;
use crate::model::arrange::Arrangement;
use crate::model::job::JobId;
use crate::model::state::JobStatus;

use super::change::{Change, Refused};
use super::files::json_text;
use super::writer::{Durability, WriteTx};
use super::{Store, StoreError};

/// Jobs in one transaction: one write to the disk for all of them, and still short enough that
/// runs can record their progress in between.
const GROUP: usize = 200;

/// What is to be done with each job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bulk {
    /// A command. [`Change::Pause`] also holds jobs that are queued.
    Change(Change),
    /// New labels, priority, start or speed.
    Set(Arrangement),
}

/// What the user wants of a run while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Sequence number of its job.
    pub seq: i64,
    /// Speed as a text; empty = no limit of its own.
    pub max_speed: String,
    /// Connections at most; `None` = no limit of its own.
    pub connections: Option<i64>,
    /// Number of the last choice of files.
    pub choices: i64,
}

/// What became of one job: its status now, or why nothing changed.
pub type BulkResult = Result<JobStatus, Refused>;

impl Store {
    /// Does the same with each of `ids`, in groups: when the database fails in between, the groups
    /// before are done. Results are in the order of `ids`. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_many(
        &self,
        ids: &[JobId],
        bulk: &Bulk,
        actor: &str,
    ) -> Result<Vec<BulkResult>, StoreError> {
        let mut results = Vec::with_capacity(ids.len());
        // Each job that starts goes before all others: the first one last.
        let backwards = *bulk == Bulk::Change(Change::Start);
        let in_order: Vec<&JobId> = if backwards {
            ids.iter().rev().collect()
        } else {
            ids.iter().collect()
        };
        for group in in_order.chunks(GROUP) {
            let mut tx = self.begin(Durability::Promise).await?;
            for &id in group {
                let done = match bulk {
                    Bulk::Change(change) => change_one(&mut tx, id, *change, actor).await?,
                    Bulk::Set(arrangement) => set(&mut tx, id, arrangement, actor).await?,
                };
                results.push(match done {
                    Ok(seq) => {
                        tx.changed(seq);
                        Ok(status_of(&mut tx, seq).await?)
                    }
                    Err(refused) => Err(refused),
                });
            }
            tx.commit().await?;
        }
        if backwards {
            results.reverse();
        }
        Ok(results)
    }

    /// Puts a failed or cancelled job back into the queue with what `new` attaches to it; a refusal
    /// attaches nothing. On disk when it returns.
    ///
    /// # Errors
    /// The outer error when the database fails; [`Refused`] when the job cannot be retried.
    pub async fn retry_with(
        &self,
        id: &JobId,
        new: &Arrangement,
        actor: &str,
    ) -> Result<Result<(), Refused>, StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        let mut done = Self::change_in(&mut tx, id, Change::Retry, actor).await?;
        if done.is_ok() {
            done = set(&mut tx, id, new, actor).await?;
        }
        if let Ok(seq) = done {
            tx.changed(seq);
            tx.commit().await?;
        }
        Ok(done.map(drop))
    }

    /// What users want of the runs of `owner`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wishes_of_runs(&self, owner: &str) -> Result<Vec<Wish>, StoreError> {
        Ok(sqlx::query_as!(
            Wish,
            r#"SELECT seq, max_speed AS "max_speed!: String", connections AS "connections?: i64",
                      choices AS "choices!: i64"
               FROM job WHERE lease_owner = ?"#,
            owner
        )
        .fetch_all(&self.readers)
        .await?)
    }
}

async fn change_one(
    tx: &mut WriteTx,
    id: &JobId,
    change: Change,
    actor: &str,
) -> Result<Result<i64, Refused>, StoreError> {
    let done = Store::change_in(tx, id, change, actor).await?;
    match (change, &done) {
        // Whoever pauses many jobs wants none of them to go on.
        (Change::Pause, Err(Refused::Status(JobStatus::Queued))) => {
            Store::change_in(tx, id, Change::Hold, actor).await
        }
        _ => Ok(done),
    }
}

async fn set(
    tx: &mut WriteTx,
    id: &JobId,
    new: &Arrangement,
    actor: &str,
) -> Result<Result<i64, Refused>, StoreError> {
    let (text, now) = (id.as_str(), now_ms());
    let tags = new.tags.as_ref().map(json_text);
    let (moves_start, start) = (new.not_before_at.is_some(), new.not_before_at.flatten());
    let (limits, connections) = (new.connections.is_some(), new.connections.flatten());
    let seq = sqlx::query_scalar!(
        r#"UPDATE job SET category = COALESCE(?, category), tags = COALESCE(?, tags), max_speed = COALESCE(?, max_speed),
                  priority = COALESCE(?, priority), not_before_at = CASE WHEN ? THEN ? ELSE not_before_at END,
                  connections = CASE WHEN ? THEN ? ELSE connections END, updated_at = ?
           WHERE id = ? AND dismissed_at IS NULL
           RETURNING seq AS "seq!""#,
        new.category,
        tags,
        new.max_speed,
        new.priority,
        moves_start,
        start,
        limits,
        connections,
        now,
        text
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(seq) = seq else {
        return Ok(Err(Refused::Unknown));
    };
    let names: Vec<&str> = [
        ("category", new.category.is_some()),
        ("tags", new.tags.is_some()),
        ("maxSpeed", new.max_speed.is_some()),
        ("connections", limits),
        ("priority", new.priority.is_some()),
        ("notBefore", moves_start),
    ]
    .into_iter()
    .filter_map(|(name, is_new)| is_new.then_some(name))
    .collect();
    if names.is_empty() {
        return Ok(Ok(seq));
    }
    let names = names.join(", ");
    sqlx::query!(
        "INSERT INTO event (job_id, event, actor, detail, at) VALUES (?, 'set', ?, ?, ?)",
        text,
        actor,
        names,
        now
    )
    .execute(tx.connection())
    .await?;
    Ok(Ok(seq))
}

async fn status_of(tx: &mut WriteTx, seq: i64) -> Result<JobStatus, StoreError> {
    let status = sqlx::query_scalar!(r#"SELECT status AS "status!" FROM job WHERE seq = ?"#, seq)
        .fetch_one(tx.connection())
        .await?;
    status
        .parse()
        .map_err(|error: crate::model::repo::NameError| StoreError::Unreadable {
            table: "job",
            row: seq.to_string(),
            why: error.to_string(),
        })
}
