//! Contents that the index knows in more than one repo.

use crate::model::library::CachedRepo;
use crate::model::repo::BlobId;
use crate::store::{Store, StoreError};

impl Store {
    /// Every content of at least `min_bytes` that several repos of a cache have, with those repos.
    /// A content whose name is no hash cannot be compared and is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_duplicates(
        &self,
        hub: &str,
        min_bytes: i64,
    ) -> Result<Vec<(BlobId, Vec<CachedRepo>)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT blob AS "blob!: String", json_group_array(folder) AS "folders!: String"
               FROM library_repo JOIN library_blob ON library_repo.id = repo_id
               WHERE hub = ? AND library_blob.size_bytes >= ?
               GROUP BY blob HAVING COUNT(*) > 1"#,
            hub,
            min_bytes
        )
        .fetch_all(&self.readers)
        .await?;
        let found = rows.into_iter().filter_map(|row| {
            let mut folders: Vec<String> = serde_json::from_str(&row.folders).ok()?;
            // A group has no order of its own.
            folders.sort_unstable();
            let repos = folders
                .iter()
                .filter_map(|folder| CachedRepo::from_folder(folder));
            Some((row.blob.parse().ok()?, repos.collect()))
        });
        Ok(found.collect())
    }
}
