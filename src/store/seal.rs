//! Sealing: rows of the record join the chain in the transaction that inserts them.
//!
//! The chain runs through both tables in the order of commits, events of one commit before its
//! ends of jobs. Promises: a committed row of the record carries the hash over itself and all
//! rows before it; a row that did not come through the writer is never sealed, so that
//! verification finds it. The bytes that are hashed stand in `model/history_row.rs`.

use sqlx::{Connection, SqliteConnection};

use crate::clock::now_ms;
use crate::model::history_row::{RowForm, Seal, hex};

use super::StoreError;
use super::file_list::{self, FileList};
use super::files::json_text;

/// Rows that are sealed at once when a database gets its chain.
const OLD_ROWS: i64 = 2000;

/// Rows that a transaction inserted.
#[derive(Debug, Default)]
pub(super) struct Unsealed {
    events: Vec<i64>,
    ends: Vec<i64>,
}

impl Unsealed {
    /// SQLite tells of a new row.
    pub(super) fn inserted(&mut self, table: &str, seq: i64) {
        match table {
            "event" => self.events.push(seq),
            "history" => self.ends.push(seq),
            _ => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.ends.is_empty()
    }
}

/// An event as it is sealed.
pub(super) struct EventRow {
    pub(super) seq: i64,
    pub(super) job_id: String,
    pub(super) event: String,
    pub(super) from_status: Option<String>,
    pub(super) to_status: Option<String>,
    pub(super) actor: String,
    pub(super) detail: String,
    pub(super) at: i64,
    pub(super) level: String,
    pub(super) code: Option<String>,
    pub(super) host: Option<String>,
    pub(super) wait_ms: Option<i64>,
    pub(super) times: i64,
    pub(super) chain_position: Option<i64>,
    pub(super) chain_hash: Option<Vec<u8>>,
}

impl EventRow {
    /// Every column, so that none can be left out of the seal.
    pub(super) fn form(&self) -> RowForm {
        let Self {
            seq,
            job_id,
            event,
            from_status,
            to_status,
            actor,
            detail,
            at,
            level,
            code,
            host,
            wait_ms,
            times,
            chain_position: _,
            chain_hash: _,
        } = self;
        RowForm::new("event", 1)
            .int(*seq)
            .text(job_id.as_str())
            .text(event.as_str())
            .text(from_status.as_deref())
            .text(to_status.as_deref())
            .text(actor.as_str())
            .text(detail.as_str())
            .int(*at)
            .text(level.as_str())
            .text(code.as_deref())
            .text(host.as_deref())
            .int(*wait_ms)
            .int(*times)
    }
}

/// The end of a job as it is sealed.
pub(super) struct EndRow {
    pub(super) seq: i64,
    pub(super) job_id: String,
    pub(super) kind: String,
    pub(super) repo_type: String,
    pub(super) repo: String,
    pub(super) revision: String,
    pub(super) commit_hash: Option<String>,
    pub(super) filters: String,
    pub(super) excludes: String,
    pub(super) destination: String,
    pub(super) verify: String,
    pub(super) status: String,
    pub(super) error: String,
    pub(super) error_code: Option<String>,
    pub(super) total_files: i64,
    pub(super) completed_files: i64,
    pub(super) total_bytes: i64,
    pub(super) network_bytes: i64,
    pub(super) reused_bytes: i64,
    pub(super) refetched_bytes: i64,
    pub(super) retries: i64,
    pub(super) active_ms: i64,
    pub(super) actor: String,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) ended_at: i64,
    pub(super) exact_match: i64,
    pub(super) append_filter_subdir: i64,
    pub(super) priority: i64,
    pub(super) category: String,
    pub(super) tags: String,
    pub(super) verification: String,
    pub(super) files_sha256: Option<Vec<u8>>,
    /// `None` when the row was sealed before destinations were kept.
    pub(super) layout: Option<String>,
    pub(super) local_repo: Option<String>,
    pub(super) route_key: Option<String>,
    pub(super) link_mode: Option<String>,
    pub(super) chain_position: Option<i64>,
    pub(super) chain_hash: Option<Vec<u8>>,
}

impl EndRow {
    /// Every column, so that none can be left out of the seal.
    pub(super) fn form(&self) -> RowForm {
        let Self {
            seq,
            job_id,
            kind,
            repo_type,
            repo,
            revision,
            commit_hash,
            filters,
            excludes,
            destination,
            verify,
            status,
            error,
            error_code,
            total_files,
            completed_files,
            total_bytes,
            network_bytes,
            reused_bytes,
            refetched_bytes,
            retries,
            active_ms,
            actor,
            created_at,
            started_at,
            ended_at,
            exact_match,
            append_filter_subdir,
            priority,
            category,
            tags,
            verification,
            files_sha256,
            layout,
            local_repo,
            route_key,
            link_mode,
            chain_position: _,
            chain_hash: _,
        } = self;
        let number = if layout.is_some() { 2 } else { 1 };
        let mut form = RowForm::new("history", number).int(*seq);
        for text in [job_id, kind, repo_type, repo, revision] {
            form = form.text(text.as_str());
        }
        form = form.text(commit_hash.as_deref());
        for text in [filters, excludes, destination, verify, status, error] {
            form = form.text(text.as_str());
        }
        form = form.text(error_code.as_deref());
        for number in [
            total_files,
            completed_files,
            total_bytes,
            network_bytes,
            reused_bytes,
            refetched_bytes,
            retries,
            active_ms,
        ] {
            form = form.int(*number);
        }
        form = form.text(actor.as_str()).int(*created_at).int(*started_at);
        for number in [ended_at, exact_match, append_filter_subdir, priority] {
            form = form.int(*number);
        }
        form = form
            .text(category.as_str())
            .text(tags.as_str())
            .text(verification.as_str())
            .blob(files_sha256.as_deref());
        let later = [layout, local_repo, route_key, link_mode];
        // In form 1 none of them may be there: one that is has come in later.
        if later.iter().any(|text| text.is_some()) {
            for text in later {
                form = form.text(text.as_deref());
            }
        }
        form
    }
}

/// `SELECT` of all columns of an event that are sealed, and its seal.
macro_rules! select_events {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            $crate::store::seal::EventRow,
            "SELECT seq, job_id, event, from_status, to_status, actor, detail, at, level, code, host, wait_ms, times,
                    chain_position, chain_hash FROM event "
                + $tail
            $(, $argument)*
        )
    };
}
pub(super) use select_events;

/// `SELECT` of all columns of an end that are sealed, and its seal.
macro_rules! select_ends {
    ($tail:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            $crate::store::seal::EndRow,
            "SELECT seq, job_id, kind, repo_type, repo, revision, commit_hash, filters, excludes, destination, verify,
                    status, error, error_code, total_files, completed_files, total_bytes, network_bytes, reused_bytes,
                    refetched_bytes, retries, active_ms, actor, created_at, started_at, ended_at, exact_match,
                    append_filter_subdir, priority, category, tags, verification, files_sha256, layout,
                    local_repo, route_key, link_mode, chain_position, chain_hash FROM history "
                + $tail
            $(, $argument)*
        )
    };
}
pub(super) use select_ends;

/// Seals what the open transaction inserted. `files` are those of the job that it ends, when
/// they were gathered before; the files of any other job that it ends are gathered here.
pub(super) async fn seal(
    connection: &mut SqliteConnection,
    rows: &Unsealed,
    mut files: Option<FileList>,
) -> Result<(), StoreError> {
    let events = json_text(&rows.events);
    let events = select_events!(
        "WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
        events
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut ends = Vec::new();
    for &seq in &rows.ends {
        let Some(mut end) = select_ends!("WHERE seq = ?", seq)
            .fetch_optional(&mut *connection)
            .await?
        else {
            continue;
        };
        keep_files(&mut *connection, &mut end, &mut files).await?;
        ends.push(end);
    }
    link(connection, &events, &ends).await
}

/// Puts the list of files beside an end, and what it says into its row.
async fn keep_files(
    connection: &mut SqliteConnection,
    end: &mut EndRow,
    gathered: &mut Option<FileList>,
) -> Result<(), StoreError> {
    // Only the newest end of a job: an earlier one had other files.
    let job_seq = sqlx::query_scalar!(
        r#"SELECT seq AS "seq!" FROM job
           WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM history WHERE job_id = ?1 AND seq > ?2)"#,
        end.job_id,
        end.seq
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(job_seq) = job_seq else { return Ok(()) };
    let list = match gathered.take_if(|list| list.job_seq == job_seq) {
        Some(list) => Some(list),
        None => file_list::gather(&mut *connection, job_seq).await?,
    };
    let Some(list) = list else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO history_files (history_seq, packed) VALUES (?, ?)",
        end.seq,
        list.packed
    )
    .execute(connection)
    .await?;
    end.verification = list.verification.to_owned();
    end.files_sha256 = Some(list.sha256.to_vec());
    Ok(())
}

/// Adds rows to the chain: events, then ends.
async fn link(
    connection: &mut SqliteConnection,
    events: &[EventRow],
    ends: &[EndRow],
) -> Result<(), StoreError> {
    let head = sqlx::query!("SELECT position, hash, event_seq, history_seq FROM chain")
        .fetch_one(&mut *connection)
        .await?;
    let mut hash: Seal = head.hash.try_into().map_err(|_| StoreError::Unreadable {
        table: "chain",
        row: "1".to_owned(),
        why: "its hash has not 32 bytes".to_owned(),
    })?;
    let mut position = head.position;
    let mut next = |form: RowForm| {
        hash = form.seal(&hash);
        position += 1;
        (position, hex(&hash))
    };
    let seals: Vec<_> = events
        .iter()
        .map(|event| {
            let (position, hash) = next(event.form());
            (event.seq, position, hash)
        })
        .collect();
    if !seals.is_empty() {
        let seals = json_text(&seals);
        sqlx::query!(
            "UPDATE event SET chain_position = news.position, chain_hash = unhex(news.hash)
             FROM (SELECT value ->> 0 AS seq, value ->> 1 AS position, value ->> 2 AS hash FROM json_each(?)) AS news
             WHERE event.seq = news.seq",
            seals
        )
        .execute(&mut *connection)
        .await?;
    }
    for end in ends {
        let (position, hash) = next(end.form());
        sqlx::query!(
            "UPDATE history SET verification = ?, files_sha256 = ?, chain_position = ?, chain_hash = unhex(?)
             WHERE seq = ?",
            end.verification,
            end.files_sha256,
            position,
            hash,
            end.seq
        )
        .execute(&mut *connection)
        .await?;
    }
    let hash = hash.as_slice();
    let event_seq = events.last().map_or(head.event_seq, |event| event.seq);
    let history_seq = ends.last().map_or(head.history_seq, |end| end.seq);
    sqlx::query!(
        "UPDATE chain SET position = ?, hash = ?, event_seq = ?, history_seq = ?",
        position,
        hash,
        event_seq,
        history_seq
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Seals the rows from before the chain, once in the life of a database: what is found
/// unsealed later was not written by this program.
pub(super) async fn seal_old(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let has_begun = "SELECT begun_at IS NOT NULL FROM chain";
    if sqlx::query_scalar(has_begun).fetch_one(&mut *connection).await? {
        return Ok(());
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Another process that starts at the same time may have been first.
    if sqlx::query_scalar(has_begun).fetch_one(&mut *tx).await? {
        return Ok(());
    }
    let (mut sealed, mut event_seq, mut history_seq) = (0, 0, 0);
    loop {
        let events = select_events!("WHERE seq > ? ORDER BY seq LIMIT ?", event_seq, OLD_ROWS)
            .fetch_all(&mut *tx)
            .await?;
        event_seq = events.last().map_or(event_seq, |event| event.seq);
        let mut ends = Vec::new();
        if events.is_empty() {
            ends = select_ends!("WHERE seq > ? ORDER BY seq LIMIT ?", history_seq, OLD_ROWS)
                .fetch_all(&mut *tx)
                .await?;
            history_seq = ends.last().map_or(history_seq, |end| end.seq);
            for end in &mut ends {
                keep_files(&mut tx, end, &mut None).await?;
            }
        }
        if events.is_empty() && ends.is_empty() {
            break;
        }
        sealed += events.len() + ends.len();
        link(&mut tx, &events, &ends).await?;
    }
    let now = now_ms();
    sqlx::query!("UPDATE chain SET begun_at = ?", now)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    if sealed > 0 {
        tracing::info!(rows = sealed, "the history from before this version is sealed");
    }
    Ok(())
}
