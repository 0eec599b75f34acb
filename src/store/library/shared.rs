//! Files of the disk that several repos have.

use std::collections::{HashMap, HashSet};

use crate::model::library::FileId;
use crate::store::{Store, StoreError};

/// The files that more than one repo of a cache has: by hard links, or through the store that
/// repos share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedFiles {
    /// Length of each in bytes, and the repos that have it, by their rows.
    files: HashMap<FileId, (i64, HashSet<i64>)>,
}

impl SharedFiles {
    /// Bytes that a repo has together with others.
    pub fn of(&self, repo_id: i64) -> i64 {
        let own = self.files.values().filter(|(_, repos)| repos.contains(&repo_id));
        own.map(|(size, _)| size).sum()
    }

    /// Bytes to take off the size of each repo so that the sizes of those that are `added` count
    /// every file once: of a file that `n` of them have, each keeps an equal part.
    pub fn counted_by_others(&self, added: impl Fn(i64) -> bool) -> HashMap<i64, i64> {
        let mut taken: HashMap<i64, i64> = HashMap::new();
        for (size, repos) in self.files.values() {
            let mut holders: Vec<i64> = repos.iter().copied().filter(|repo| added(*repo)).collect();
            holders.sort_unstable();
            let count = holders.len().max(1) as i64;
            for (place, repo) in holders.into_iter().enumerate() {
                // The first takes what cannot be divided.
                let part = size / count + if place == 0 { size % count } else { 0 };
                *taken.entry(repo).or_default() += size - part;
            }
        }
        taken
    }
}

impl Store {
    /// The files that several repos of a cache have. A repo that was not looked at since that is
    /// noted has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn library_shared(&self, hub: &str) -> Result<SharedFiles, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT twin.repo_id, twin.inode AS "inode!: i64", twin.device AS "device!: i64", twin.size_bytes
               FROM (SELECT inode, device FROM library_blob WHERE inode IS NOT NULL
                     GROUP BY inode, device HAVING MIN(repo_id) <> MAX(repo_id)) AS many
               CROSS JOIN library_blob AS twin ON twin.inode = many.inode AND twin.device = many.device
               CROSS JOIN library_repo ON library_repo.id = twin.repo_id
               WHERE library_repo.hub = ?"#,
            hub
        )
        .fetch_all(&self.readers)
        .await?;
        let mut shared = SharedFiles::default();
        for row in rows {
            let file = FileId {
                device: row.device as u64,
                inode: row.inode as u64,
            };
            let known = shared.files.entry(file).or_default();
            known.0 = known.0.max(row.size_bytes);
            known.1.insert(row.repo_id);
        }
        // Another cache may have a part of them, or a file on a volume of the same number.
        shared.files.retain(|_, (_, repos)| repos.len() > 1);
        Ok(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once_among_those_that_are_added_up() {
        let file = |inode| FileId { device: 0, inode };
        let shared = SharedFiles {
            files: [
                (file(1), (100, HashSet::from([1, 2, 3]))),
                (file(2), (7, HashSet::from([2, 3]))),
            ]
            .into(),
        };
        assert_eq!([1, 2, 3, 4].map(|repo| shared.of(repo)), [100, 107, 107, 0]);
        let taken = shared.counted_by_others(|_| true);
        // 34 + 33 + 33 of the first, 4 + 3 of the second.
        assert_eq!(taken, HashMap::from([(1, 66), (2, 70), (3, 71)]));
        assert_eq!(taken.values().sum::<i64>(), 2 * 100 + 7);
        let some = shared.counted_by_others(|repo| repo != 2);
        assert_eq!(some.values().sum::<i64>(), 100);
        let one = shared.counted_by_others(|repo| repo == 1);
        assert_eq!(one.values().sum::<i64>(), 0);
    }
}
