//! API keys: made, found by the hash of what a client shows, and taken away.

use crate::clock::now_ms;
use crate::model::job::JobId;
use crate::model::key::{KEY_BYTES, KeyName, NewKey, Scope};
use crate::model::repo::NameError;
use crate::model::secret::Secret;

use super::writer::Durability;
use super::{Store, StoreError};

/// Uses of a key within this time are one use: the row is not written for every request.
const USE_EVERY_MS: i64 = 60_000;

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Public id.
    pub id: String,
    /// Name in events and history.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// How it begins.
    pub prefix: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds, to the minute.
    pub last_used_at: Option<i64>,
    /// Address of the client that used it last.
    pub last_used_from: Option<String>,
}

impl ApiKey {
    /// Whether a use at this moment is worth a row.
    pub fn is_use_due(&self) -> bool {
        let now = now_ms();
        // A clock that went back must not keep the old time for ever.
        self.last_used_at
            .is_none_or(|last| now - last >= USE_EVERY_MS || now < last)
    }
}

/// A key as the database has it.
struct Row {
    id: String,
    name: String,
    scope: String,
    prefix: String,
    created_at: i64,
    last_used_at: Option<i64>,
    last_used_from: Option<String>,
}

impl TryFrom<Row> for ApiKey {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |why: NameError| StoreError::Unreadable {
            table: "api_key",
            row: row.id.clone(),
            why: why.to_string(),
        };
        Ok(Self {
            scope: row.scope.parse().map_err(unreadable)?,
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            last_used_from: row.last_used_from,
        })
    }
}

impl Store {
    /// All keys, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, name, scope, prefix, created_at, last_used_at, last_used_from
             FROM api_key ORDER BY created_at, id"
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    /// Whether there is still a key with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_key(&self, id: &str) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "count!: i64" FROM api_key WHERE id = ?"#,
            id
        )
        .fetch_one(&self.readers)
        .await?
            > 0)
    }

    /// The key with this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let hash = &hash[..];
        let row = sqlx::query_as!(
            Row,
            "SELECT id, name, scope, prefix, created_at, last_used_at, last_used_from
             FROM api_key WHERE key_hash = ?",
            hash
        )
        .fetch_optional(&self.readers)
        .await?;
        row.map(ApiKey::try_from).transpose()
    }

    /// Makes a key and stores what is kept of it; on disk when it returns. `None` when the name
    /// is taken, in any case of its letters.
    ///
    /// # Errors
    /// When the database fails, or the system has no random bytes.
    pub async fn add_key(
        &self,
        name: &KeyName,
        scope: Scope,
        actor: &str,
    ) -> Result<Option<(ApiKey, Secret)>, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        let key = NewKey::from_bytes(bytes);
        let id = JobId::from_bits(fastrand::u64(..)).as_str().to_owned();
        let now = now_ms();
        let (word, text, hash) = (scope.as_str(), name.as_str(), &key.hash[..]);
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!(
            "INSERT INTO api_key (id, name, scope, prefix, key_hash, actor, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
            id,
            text,
            word,
            key.prefix,
            hash,
            actor,
            now
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let stored = ApiKey {
            id,
            name: text.to_owned(),
            scope,
            prefix: key.prefix,
            created_at: now,
            last_used_at: None,
            last_used_from: None,
        };
        Ok(Some((stored, key.text)))
    }

    /// Takes a key away; it opens nothing from then on. `false` when there is none with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_key(&self, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!("DELETE FROM api_key WHERE id = ?", id)
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Records that a key was used. Losing it with the power loses nothing that counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_key(&self, id: &str, address: &str) -> Result<(), StoreError> {
        let now = now_ms();
        let mut tx = self.begin(Durability::Progress).await?;
        sqlx::query!(
            "UPDATE api_key SET last_used_at = ?, last_used_from = ? WHERE id = ?",
            now,
            address,
            id
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}
