//! Mirror targets as they are registered, and the repos that a copy must leave alone.

use std::collections::BTreeSet;

use crate::clock::now_ms;
use crate::model::repo::{NameError, RepoId, RepoType};
use crate::model::schedule::Schedule;

use super::files::json_text;
use super::writer::Durability;
use super::{Store, StoreError};

/// A destination for mirror copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Letters, digits, dashes and underscores.
    pub name: String,
    /// Absolute.
    pub path: String,
    /// For people.
    pub description: String,
    /// What the marker file at its root holds.
    pub marker: String,
    /// When it was last found there, UTC milliseconds; `None` = never since that is recorded.
    pub seen_at: Option<i64>,
    /// When runs begin by themselves; `None` = never.
    pub schedule: Option<Schedule>,
    /// When the next of them is due, UTC milliseconds; in the past when its time came and it could
    /// not begin.
    pub next_run_at: Option<i64>,
    /// Whether none begins although there is a schedule.
    pub paused: bool,
}

/// The columns of [`TargetRow`].
struct Columns {
    name: String,
    path: String,
    description: String,
    marker: String,
    seen_at: Option<i64>,
    schedule: Option<String>,
    next_run_at: Option<i64>,
    paused: bool,
}

impl Columns {
    fn read(self) -> Result<TargetRow, StoreError> {
        let read = |text: &String| serde_json::from_str(text);
        let schedule = self.schedule.as_ref().map(read).transpose();
        Ok(TargetRow {
            schedule: schedule.map_err(|error| StoreError::Unreadable {
                table: "mirror_target",
                row: self.name.clone(),
                why: format!("schedule: {error}"),
            })?,
            name: self.name,
            path: self.path,
            description: self.description,
            marker: self.marker,
            seen_at: self.seen_at,
            next_run_at: self.next_run_at,
            paused: self.paused,
        })
    }
}

/// A target that is looked at again and again is written down so often at most.
const SEEN_EVERY_MS: i64 = 60_000;

impl Store {
    /// Every target, by name.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn targets(&self) -> Result<Vec<TargetRow>, StoreError> {
        let rows = sqlx::query_as!(
            Columns,
            r#"SELECT name, path, description, marker, seen_at, schedule, next_run_at, paused AS "paused: bool"
               FROM mirror_target ORDER BY name"#
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Columns::read).collect()
    }

    /// The target with this name.
    ///
    /// # Errors
    /// When the database fails or its row cannot be read.
    pub async fn target(&self, name: &str) -> Result<Option<TargetRow>, StoreError> {
        let row = sqlx::query_as!(
            Columns,
            r#"SELECT name, path, description, marker, seen_at, schedule, next_run_at, paused AS "paused: bool"
               FROM mirror_target WHERE name = ?"#,
            name
        )
        .fetch_optional(&self.readers)
        .await?;
        row.map(Columns::read).transpose()
    }

    /// Registers a target, in place of one with the same name, whose schedule stays. On disk when it
    /// returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_target(&self, target: &TargetRow) -> Result<(), StoreError> {
        let now = now_ms();
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!(
            "INSERT INTO mirror_target (name, path, description, marker, seen_at, created_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET path = excluded.path, description = excluded.description,
                                              marker = excluded.marker, seen_at = excluded.seen_at",
            target.name,
            target.path,
            target.description,
            target.marker,
            target.seen_at,
            now
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Notes that a target was found at its place with its marker, once a minute at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn target_seen(&self, target: &TargetRow) -> Result<(), StoreError> {
        let now = now_ms();
        // A time to come is from a clock that was wrong.
        let known = target
            .seen_at
            .is_some_and(|at| at <= now && now - at < SEEN_EVERY_MS);
        if known {
            return Ok(());
        }
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "UPDATE mirror_target SET seen_at = ? WHERE name = ? AND marker = ?",
            now,
            target.name,
            target.marker
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Sets when runs of a target begin by themselves, and when the next one is due; `false` when there
    /// is no target of this name. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_target_schedule(
        &self,
        name: &str,
        schedule: Option<&Schedule>,
        next_run_at: Option<i64>,
        paused: bool,
    ) -> Result<bool, StoreError> {
        let schedule = schedule.map(json_text);
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!(
            "UPDATE mirror_target SET schedule = ?, next_run_at = ?, paused = ? WHERE name = ?",
            schedule,
            next_run_at,
            paused,
            name
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Puts the next due time of a target in place of the one that was read before. Nothing happens
    /// when somebody changed it meanwhile. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance_target(
        &self,
        target: &TargetRow,
        next_run_at: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!(
            "UPDATE mirror_target SET next_run_at = ?
             WHERE name = ? AND paused = 0 AND next_run_at IS ?",
            next_run_at,
            target.name,
            target.next_run_at
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Forgets a target; `false` when there is none of this name. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_target(&self, name: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!("DELETE FROM mirror_target WHERE name = ?", name)
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// The repos that live downloads want, or that a run still writes to.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn busy_repos(&self) -> Result<BTreeSet<(RepoType, RepoId)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT repo_type AS "repo_type!", repo AS "repo!" FROM job
               WHERE status IN ('queued', 'running', 'paused') AND dismissed_at IS NULL AND kind = 'download'
               UNION
               SELECT repo_type, repo FROM job WHERE lease_owner IS NOT NULL AND kind = 'download'"#
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let unreadable = |error: NameError| StoreError::Unreadable {
                    table: "job",
                    row: row.repo.clone(),
                    why: error.to_string(),
                };
                Ok((
                    row.repo_type.parse().map_err(unreadable)?,
                    row.repo.parse().map_err(unreadable)?,
                ))
            })
            .collect()
    }
}
