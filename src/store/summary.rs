//! The queue in a few numbers.

use crate::model::code::Code;

use super::{Store, StoreError};

/// Sums over the downloads on the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes a second of those that run.
    pub bytes_per_second: i64,
    /// Bytes that are still to come for those that run, wait or are paused, as far as they are planned.
    pub left_bytes: i64,
    /// Queued ones that something other than their turn holds back.
    pub waiting: i64,
}

/// Failed jobs that only the user can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsYou {
    /// Why they failed.
    pub code: Code,
    /// How many there are.
    pub count: i64,
}

impl Store {
    /// The sums of this moment. `now` in UTC milliseconds decides whose earliest start is to come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn totals(&self, now: i64) -> Result<Totals, StoreError> {
        let row = sqlx::query!(
            r#"SELECT COALESCE(SUM(bytes_per_second), 0) AS "speed!: i64",
                      COALESCE(SUM(MAX(total_bytes - downloaded_bytes, 0)), 0) AS "left!: i64",
                      COALESCE(SUM(status = 'queued' AND (wait_reason IS NOT NULL OR COALESCE(not_before_at, 0) > ?)), 0) AS "waiting!: i64"
               FROM job
               WHERE status IN ('queued', 'running', 'paused') AND kind = 'download' AND dismissed_at IS NULL"#,
            now
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(Totals {
            bytes_per_second: row.speed,
            left_bytes: row.left,
            waiting: row.waiting,
        })
    }

    /// Bytes a second of everything that runs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn speed(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT COALESCE(SUM(bytes_per_second), 0) AS "speed!: i64" FROM job
               WHERE status = 'running' AND kind = 'download' AND dismissed_at IS NULL"#
        )
        .fetch_one(&self.readers)
        .await?)
    }

    /// Downloads that were completed since `since`, UTC milliseconds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn completed_since(&self, since: i64) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "count!: i64" FROM history
               WHERE status = 'completed' AND ended_at >= ? AND kind = 'download'"#,
            since
        )
        .fetch_one(&self.readers)
        .await?)
    }

    /// Failed jobs on the list by reason, those that [`Code::needs_user`] names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn needs_you(&self) -> Result<Vec<NeedsYou>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT error_code AS "code!", COUNT(*) AS "count!: i64" FROM job
               WHERE status = 'failed' AND dismissed_at IS NULL AND error_code IS NOT NULL GROUP BY error_code"#
        )
        .fetch_all(&self.readers)
        .await?;
        let known = rows.into_iter().filter_map(|row| {
            let code: Code = row.code.parse().ok()?;
            Some(NeedsYou {
                code,
                count: row.count,
            })
        });
        Ok(known.filter(|needs| needs.code.needs_user()).collect())
    }

    /// Destinations of downloads that wait for room: how many there are in each, and the bytes they miss.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_by_destination(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT destination, COUNT(*) AS "count!: i64",
                      COALESCE(SUM(MAX(total_bytes - downloaded_bytes, 0)), 0) AS "missing!: i64"
               FROM job WHERE state = 'queued' AND intent = 'run' AND wait_reason = 'disk' GROUP BY destination"#
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.destination, row.count, row.missing))
            .collect())
    }

    /// Mirror targets: name and path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn target_paths(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query!("SELECT name, path FROM mirror_target")
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.path)).collect())
    }
}
