//! Mirror targets as they are registered, and the repos that a copy must leave alone.

use std::collections::BTreeSet;

use crate::clock::now_ms;
use crate::model::repo::{NameError, RepoId, RepoType};

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
}

/// A target that is looked at again and again is written down so often at most.
const SEEN_EVERY_MS: i64 = 60_000;

impl Store {
    /// Every target, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn targets(&self) -> Result<Vec<TargetRow>, StoreError> {
        Ok(sqlx::query_as!(
            TargetRow,
            "SELECT name, path, description, marker, seen_at FROM mirror_target ORDER BY name"
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// The target with this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn target(&self, name: &str) -> Result<Option<TargetRow>, StoreError> {
        Ok(sqlx::query_as!(
            TargetRow,
            "SELECT name, path, description, marker, seen_at FROM mirror_target WHERE name = ?",
            name
        )
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Registers a target, in place of one with the same name. On disk when it returns.
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
