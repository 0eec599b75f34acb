//! Limits by the clock, beside the settings that hold the normal pair.

use std::collections::BTreeMap;

use crate::clock::now_ms;
use crate::model::limits::Limits;

use super::writer::Durability;
use super::{Store, StoreError};

impl Store {
    /// What was saved; `None` when nothing ever was.
    ///
    /// # Errors
    /// When the database fails, or what it holds cannot be read.
    pub async fn limits(&self) -> Result<Option<Limits>, StoreError> {
        let text = sqlx::query_scalar!("SELECT value FROM limits")
            .fetch_optional(&self.readers)
            .await?;
        let read = |text: String| {
            serde_json::from_str(&text).map_err(|error| StoreError::Unreadable {
                table: "limits",
                row: "1".to_owned(),
                why: error.to_string(),
            })
        };
        text.map(read).transpose()
    }

    /// Saves limits together with settings, as [`Store::save_settings`] does: all or nothing, on
    /// disk when it returns.
    ///
    /// # Errors
    /// When the database fails; then nothing is saved.
    pub async fn save_limits(
        &self,
        limits: &Limits,
        settings: &BTreeMap<String, Option<String>>,
    ) -> Result<(), StoreError> {
        let (text, now) = (super::files::json_text(limits), now_ms());
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!(
            "INSERT INTO limits (one, value, updated_at) VALUES (1, ?, ?)
             ON CONFLICT (one) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            text,
            now
        )
        .execute(tx.connection())
        .await?;
        super::settings::save(&mut tx, settings).await?;
        tx.commit().await
    }
}
