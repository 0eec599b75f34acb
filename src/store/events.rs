//! Everything that happened to jobs. Changes of status are written by triggers; what is no
//! change of status comes from here.

use sqlx::SqliteConnection;

use crate::clock::{now_ms, rfc3339};
use crate::model::history::EventRecord;
use crate::model::history_row::hex;
use crate::model::job::JobId;

use super::files::json_text;
use super::history::History;
use super::writer::Durability;
use super::{Store, StoreError};

/// Something that happened and is no change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened, in past tense.
    pub event: &'static str,
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// The word of the failure.
    pub code: Option<&'static str>,
    /// The host that failed.
    pub host: Option<String>,
    /// Milliseconds until the next try.
    pub wait_ms: Option<i64>,
    /// How often it happened since the last event that says the same.
    pub times: i64,
    /// The sentence.
    pub detail: String,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventsQuery {
    /// Only of this job.
    pub job: Option<JobId>,
    /// Only of repos whose id holds this text, in any case.
    pub repo: Option<String>,
    /// Only caused by this actor.
    pub actor: Option<String>,
    /// Only these levels; all when empty.
    pub levels: Vec<String>,
    /// Only with this text in event, sentence, code, host or job id, in any case.
    pub text: Option<String>,
    /// Only from this time on, UTC milliseconds.
    pub from: Option<i64>,
    /// Only before this time.
    pub to: Option<i64>,
    /// Only older than the event with this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

pub(super) struct Row {
    seq: i64,
    job_id: String,
    repo: Option<String>,
    event: String,
    from_status: Option<String>,
    to_status: Option<String>,
    level: String,
    code: Option<String>,
    host: Option<String>,
    wait_ms: Option<i64>,
    times: i64,
    actor: String,
    detail: String,
    at: i64,
    chain_position: Option<i64>,
    chain_hash: Option<Vec<u8>>,
}

impl From<Row> for EventRecord {
    fn from(row: Row) -> Self {
        Self {
            seq: row.seq,
            job_id: row.job_id,
            repo: row.repo,
            event: row.event,
            from_status: row.from_status,
            to_status: row.to_status,
            level: row.level,
            code: row.code,
            host: row.host,
            wait_ms: row.wait_ms,
            count: row.times,
            actor: row.actor,
            detail: row.detail,
            at: rfc3339(row.at),
            chain_position: row.chain_position,
            chain_hash: row.chain_hash.as_deref().map(hex),
        }
    }
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

    /// Events of one job of at least this level, oldest first, after sequence number `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(
        &self,
        job_id: &JobId,
        levels: &[String],
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let (id, levels) = (job_id.as_str(), levels_json(levels));
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT seq, job_id, NULL AS "repo: String", event, from_status, to_status, level, code, host, wait_ms,
                      times, actor, detail, at, chain_position, chain_hash
               FROM event WHERE job_id = ?1 AND seq > ?2 AND (?3 IS NULL OR level IN (SELECT value FROM json_each(?3)))
               ORDER BY seq LIMIT ?4"#,
            id,
            after,
            levels,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(EventRecord::from).collect())
    }
}

impl History {
    /// Events of all jobs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, query: &EventsQuery) -> Result<Vec<EventRecord>, StoreError> {
        let job = query.job.as_ref().map(JobId::as_str);
        let (repo, actor) = (query.repo.as_deref(), query.actor.as_deref());
        let (levels, text) = (levels_json(&query.levels), query.text.as_deref());
        // The repo comes from an end of the job, or from the job while it has none.
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT seq AS "seq!", job_id, COALESCE(
                          (SELECT repo FROM history WHERE history.job_id = event.job_id LIMIT 1),
                          (SELECT repo FROM job WHERE job.id = event.job_id)) AS "repo: String",
                      event, from_status, to_status, level, code, host, wait_ms,
                      times, actor, detail, at, chain_position, chain_hash
               FROM event
               WHERE (?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3)
                 AND (?4 IS NULL OR job_id = ?4) AND (?5 IS NULL OR actor = ?5)
                 AND (?6 IS NULL OR level IN (SELECT value FROM json_each(?6)))
                 AND (?7 IS NULL OR INSTR(LOWER(event || ' ' || detail || ' ' || COALESCE(code, '') || ' '
                                                || COALESCE(host, '') || ' ' || job_id), LOWER(?7)) > 0)
                 AND (?8 IS NULL OR job_id IN (SELECT job_id FROM history WHERE INSTR(LOWER(repo), LOWER(?8)) > 0
                                               UNION SELECT id FROM job WHERE INSTR(LOWER(repo), LOWER(?8)) > 0))
               ORDER BY seq DESC LIMIT ?9"#,
            query.before,
            query.from,
            query.to,
            job,
            actor,
            levels,
            text,
            repo,
            query.limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(EventRecord::from).collect())
    }
}

fn levels_json(levels: &[String]) -> Option<String> {
    (!levels.is_empty()).then(|| json_text(levels))
}

/// Writes events of a job into an open transaction.
pub(super) async fn insert_events(
    connection: &mut SqliteConnection,
    job_seq: i64,
    events: &[NewEvent],
    now: i64,
) -> Result<(), StoreError> {
    for event in events {
        sqlx::query!(
            "INSERT INTO event (job_id, event, actor, detail, at, level, code, host, wait_ms, times)
             SELECT id, ?, 'hfdepot', ?, ?, ?, ?, ?, ?, ? FROM job WHERE seq = ?",
            event.event,
            event.detail,
            now,
            event.level,
            event.code,
            event.host,
            event.wait_ms,
            event.times,
            job_seq
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
