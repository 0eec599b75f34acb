//! The history of jobs: reading it, in the service or beside it.
//!
//! [`History`] only reads. The service has one over its own readers; the command line opens one
//! on the file itself, whether or not the service runs.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use crate::clock::rfc3339;
use crate::model::destination::Layout;
use crate::model::history::{HistoryDay, HistoryFile, HistoryRecord};
use crate::model::history_row::hex;
use crate::model::repo::RepoType;

use super::files::json_text;
use super::seal::{EndRow, select_ends};
use super::{Store, StoreError, file_list, open};

/// The schema that has all columns which are read here.
const FIRST_SCHEMA: i64 = 9;

/// A reader of the history. Cheap to clone.
#[derive(Clone)]
pub struct History(SqlitePool);

/// Which ends to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Only these ends; all when empty.
    pub statuses: Vec<String>,
    /// Only repos whose id holds this text, in any case.
    pub repo: Option<String>,
    /// Only jobs of this kind.
    pub kind: Option<String>,
    /// Only caused by this actor.
    pub actor: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only ended from this time on, UTC milliseconds.
    pub from: Option<i64>,
    /// Only ended before this time.
    pub to: Option<i64>,
    /// Only with this text in job id, repo, revision, commit, filters, tags, error, code or actor, in any case.
    pub text: Option<String>,
    /// Only older than the end with this number: stable while new ones come.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
    /// Leave out so many of the newest.
    pub offset: i64,
}

impl From<EndRow> for HistoryRecord {
    fn from(row: EndRow) -> Self {
        let list = |text: &str| serde_json::from_str(text).unwrap_or_default();
        let mean = i128::from(row.network_bytes) * 1000 / i128::from(row.active_ms.max(1));
        let mean = i64::try_from(mean).unwrap_or(i64::MAX);
        let flat = row.layout.as_deref() == Some(Layout::Local.as_str());
        let where_if = |holds: bool| {
            if holds {
                row.destination.clone()
            } else {
                String::new()
            }
        };
        Self {
            seq: row.seq,
            id: row.job_id,
            kind: row.kind,
            repo: row.repo,
            revision: row.revision,
            commit: row.commit_hash,
            is_dataset: row.repo_type == RepoType::Dataset.as_str(),
            filters: list(&row.filters),
            excludes: list(&row.excludes),
            exact_match: row.exact_match != 0,
            append_filter_subdir: row.append_filter_subdir != 0,
            hub_dir: where_if(!flat),
            local_dir: where_if(flat),
            flat,
            layout: row.layout,
            local_repo: row.local_repo.unwrap_or_default(),
            route_key: row.route_key.unwrap_or_default(),
            link_mode: row.link_mode,
            output_dir: row.destination,
            verify: row.verify,
            verification: row.verification,
            status: row.status,
            error: row.error,
            error_code: row.error_code,
            total_files: row.total_files,
            completed_files: row.completed_files,
            total_bytes: row.total_bytes,
            network_bytes: row.network_bytes,
            reused_bytes: row.reused_bytes,
            refetched_bytes: row.refetched_bytes,
            retries: row.retries,
            active_ms: row.active_ms,
            bytes_per_second: mean,
            average_bytes_per_second: mean,
            priority: row.priority,
            category: row.category,
            tags: list(&row.tags),
            actor: row.actor,
            created_at: rfc3339(row.created_at),
            started_at: row.started_at.map(rfc3339),
            ended_at: rfc3339(row.ended_at),
            has_files: row.files_sha256.is_some(),
            chain_position: row.chain_position,
            chain_hash: row.chain_hash.as_deref().map(hex),
        }
    }
}

impl Store {
    /// The history of this database.
    pub fn history(&self) -> History {
        History(self.readers.clone())
    }
}

impl History {
    /// Opens the history of the database at `path` without changing a byte of it; a service may
    /// be running on it.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no file, [`StoreError::OlderSchema`] when it is of a version
    /// without all that is read, [`StoreError::Damaged`] when it is no database of ours.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let name = || path.display().to_string();
        let readers = open::onlooker(path).await?;
        let schema: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history")
            .fetch_one(&readers)
            .await
            .map_err(|error| open::damaged(path, &error.to_string()))?;
        if schema < FIRST_SCHEMA {
            return Err(StoreError::OlderSchema {
                path: name(),
                found: schema,
            });
        }
        Ok(Self(readers))
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        &self.0
    }

    /// Ends of jobs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, query: &HistoryQuery) -> Result<Vec<HistoryRecord>, StoreError> {
        let statuses = (!query.statuses.is_empty()).then(|| json_text(&query.statuses));
        let rows = select_ends!(
            "WHERE (?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
               AND (?3 IS NULL OR INSTR(LOWER(repo), LOWER(?3)) > 0) AND (?4 IS NULL OR kind = ?4)
               AND (?5 IS NULL OR actor = ?5) AND (?6 IS NULL OR category = ?6)
               AND (?7 IS NULL OR ended_at >= ?7) AND (?8 IS NULL OR ended_at < ?8)
               AND (?9 IS NULL OR INSTR(LOWER(job_id || ' ' || repo || ' ' || revision || ' ' || COALESCE(commit_hash, '')
                        || ' ' || filters || ' ' || tags || ' ' || error || ' ' || COALESCE(error_code, '') || ' ' || actor),
                        LOWER(?9)) > 0)
             ORDER BY seq DESC LIMIT ?10 OFFSET ?11",
            query.before,
            statuses,
            query.repo,
            query.kind,
            query.actor,
            query.category,
            query.from,
            query.to,
            query.text,
            query.limit,
            query.offset
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows.into_iter().map(HistoryRecord::from).collect())
    }

    /// How many ends match in all, whatever the page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, query: &HistoryQuery) -> Result<i64, StoreError> {
        let statuses = (!query.statuses.is_empty()).then(|| json_text(&query.statuses));
        Ok(sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "count!: i64" FROM history
               WHERE (?1 IS NULL OR status IN (SELECT value FROM json_each(?1)))
                 AND (?2 IS NULL OR INSTR(LOWER(repo), LOWER(?2)) > 0) AND (?3 IS NULL OR kind = ?3)
                 AND (?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR category = ?5)
                 AND (?6 IS NULL OR ended_at >= ?6) AND (?7 IS NULL OR ended_at < ?7)
                 AND (?8 IS NULL OR INSTR(LOWER(job_id || ' ' || repo || ' ' || revision || ' ' || COALESCE(commit_hash, '')
                          || ' ' || filters || ' ' || tags || ' ' || error || ' ' || COALESCE(error_code, '') || ' ' || actor),
                          LOWER(?8)) > 0)"#,
            statuses,
            query.repo,
            query.kind,
            query.actor,
            query.category,
            query.from,
            query.to,
            query.text
        )
        .fetch_one(&self.0)
        .await?)
    }

    /// Whether there is an end with this number, and a page of its files by path, with how many
    /// it has in all.
    ///
    /// # Errors
    /// When the database fails or the list was damaged.
    pub async fn files(
        &self,
        seq: i64,
        limit: usize,
        offset: usize,
    ) -> Result<Option<(Vec<HistoryFile>, i64)>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT packed AS "packed?: Vec<u8>" FROM history LEFT JOIN history_files ON history_seq = seq WHERE seq = ?"#,
            seq
        )
        .fetch_optional(&self.0)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(packed) = row.packed else {
            return Ok(Some((Vec::new(), 0)));
        };
        // A list of a hundred thousand files takes a while.
        let page = tokio::task::spawn_blocking(move || file_list::page(seq, &packed, limit, offset));
        page.await
            .map_err(|error| StoreError::Unreadable {
                table: "history_files",
                row: seq.to_string(),
                why: error.to_string(),
            })?
            .map(Some)
    }

    /// What was fetched and what ended on each day (UTC), oldest first; days without an end are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn days(&self, from: Option<i64>, to: Option<i64>) -> Result<Vec<HistoryDay>, StoreError> {
        // The sums of a job go on over its retries: what an earlier end told is taken off.
        let days = sqlx::query_as!(
            HistoryDay,
            r#"SELECT date(ended_at / 1000, 'unixepoch') AS "day!: String",
                      SUM(MAX(network_bytes - COALESCE((SELECT earlier.network_bytes FROM history AS earlier
                          WHERE earlier.job_id = history.job_id AND earlier.seq < history.seq
                          ORDER BY earlier.seq DESC LIMIT 1), 0), 0)) AS "network_bytes!: i64",
                      SUM(MAX(reused_bytes - COALESCE((SELECT earlier.reused_bytes FROM history AS earlier
                          WHERE earlier.job_id = history.job_id AND earlier.seq < history.seq
                          ORDER BY earlier.seq DESC LIMIT 1), 0), 0)) AS "reused_bytes!: i64",
                      SUM(status = 'completed') AS "completed!: i64", SUM(status = 'failed') AS "failed!: i64",
                      SUM(status = 'cancelled') AS "cancelled!: i64"
               FROM history
               WHERE (?1 IS NULL OR ended_at >= ?1) AND (?2 IS NULL OR ended_at < ?2)
                 AND date(ended_at / 1000, 'unixepoch') IS NOT NULL
               GROUP BY 1 ORDER BY 1"#,
            from,
            to
        )
        .fetch_all(&self.0)
        .await?;
        Ok(days)
    }
}
