//! Values of settings saved through the API: name → JSON text.

use std::collections::BTreeMap;
use std::path::Path;

use crate::clock::now_ms;

use super::files::json_text;
use super::open;
use super::writer::{Durability, WriteTx};
use super::{Store, StoreError};

impl Store {
    /// Every saved value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let rows = sqlx::query!("SELECT name, value FROM setting")
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }

    /// Saves values (JSON text), and forgets those that are `None`; all or nothing, on disk when it returns.
    ///
    /// # Errors
    /// When the database fails; then nothing is saved.
    pub async fn save_settings(&self, values: &BTreeMap<String, Option<String>>) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        save(&mut tx, values).await?;
        tx.commit().await
    }
}

/// The rows of the database at `path`, name and JSON text, without a service; none when there is no database.
///
/// # Errors
/// When the file is there and cannot be read.
pub async fn saved_settings(path: &Path) -> Result<BTreeMap<String, String>, StoreError> {
    let readers = match open::onlooker(path).await {
        Err(StoreError::Absent { .. }) => return Ok(BTreeMap::new()),
        opened => opened?,
    };
    let rows = sqlx::query!("SELECT name, value FROM setting")
        .fetch_all(&readers)
        .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
}

/// The two statements of a change, within a transaction that may hold more.
pub(super) async fn save(
    tx: &mut WriteTx,
    values: &BTreeMap<String, Option<String>>,
) -> Result<(), StoreError> {
    let now = now_ms();
    let gone: Vec<_> = values
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name)
        .collect();
    let kept: Vec<_> = values.iter().filter(|(_, value)| value.is_some()).collect();
    let (gone, kept) = (json_text(&gone), json_text(&kept));
    sqlx::query!(
        "DELETE FROM setting WHERE name IN (SELECT value FROM json_each(?))",
        gone
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "INSERT INTO setting (name, value, updated_at)
         SELECT value ->> 0, value ->> 1, ? FROM json_each(?) WHERE TRUE
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        now,
        kept
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
