//! The line of a run: the contents it has yet to begin, in the order its user wants them.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::model::repo::BlobId;
use crate::model::state::FilePriority;
use crate::store::FileRow;

use super::planner::BlobTask;
use super::small::SMALL_BYTES;

/// What waits to be begun, and what the user wants of each file.
#[derive(Debug, Default)]
pub struct Line {
    small: VecDeque<BlobTask>,
    large: VecDeque<BlobTask>,
    /// Files that were begun in this run, whatever became of them.
    taken: HashSet<i64>,
    skipped: HashSet<i64>,
    high: HashSet<i64>,
}

impl Line {
    /// Takes over what the database has of the files that are not in place, in the order of
    /// fetching. Whether something is to be fetched that was not before.
    pub fn refill(&mut self, open: Vec<FileRow>) -> bool {
        let of = |wish| {
            let rows = open.iter().filter(|file| file.priority == wish);
            rows.map(|file| file.id).collect()
        };
        self.high = of(FilePriority::High);
        let skipped: HashSet<i64> = of(FilePriority::Skip);
        let came_back = self.skipped.iter().any(|id| !skipped.contains(id));
        self.skipped = skipped;
        let mut tasks: Vec<BlobTask> = Vec::new();
        let mut by_blob: HashMap<BlobId, usize> = HashMap::new();
        for file in open {
            if self.skipped.contains(&file.id) || self.taken.contains(&file.id) {
                continue;
            }
            let at = *by_blob.entry(file.blob_id).or_insert_with(|| {
                tasks.push(BlobTask {
                    blob: file.blob_id,
                    size_bytes: file.size_bytes,
                    files: vec![],
                });
                tasks.len() - 1
            });
            tasks[at].files.push((file.id, file.path));
        }
        (self.small, self.large) = tasks.into_iter().partition(|task| task.size_bytes <= SMALL_BYTES);
        came_back
    }

    /// The next small content; it counts as begun.
    pub fn next_small(&mut self) -> Option<BlobTask> {
        let task = self.small.pop_front()?;
        self.taken.extend(task.ids());
        Some(task)
    }

    /// The next large content; it counts as begun.
    pub fn next_large(&mut self) -> Option<BlobTask> {
        let task = self.large.pop_front()?;
        self.taken.extend(task.ids());
        Some(task)
    }

    /// A task that was begun and stopped is first in line again, behind what is wanted before it;
    /// files that are left out meanwhile are not.
    pub fn give_back(&mut self, mut task: BlobTask) {
        for id in task.ids() {
            self.taken.remove(&id);
        }
        task.files.retain(|(id, _)| !self.skipped.contains(id));
        if task.files.is_empty() {
            return;
        }
        let is_small = task.size_bytes <= SMALL_BYTES;
        let line = if is_small { &self.small } else { &self.large };
        let place = match self.is_high(&task) {
            true => 0,
            false => line.iter().take_while(|other| self.is_high(other)).count(),
        };
        if is_small {
            self.small.insert(place, task);
        } else {
            self.large.insert(place, task);
        }
    }

    /// Large contents that wait.
    pub fn count_large(&self) -> usize {
        self.large.len()
    }

    /// Whether a large content waits that is wanted before others.
    pub fn has_high_large(&self) -> bool {
        self.large.front().is_some_and(|task| self.is_high(task))
    }

    /// Whether a task is wanted before others.
    pub fn is_high(&self, task: &BlobTask) -> bool {
        task.ids().any(|id| self.high.contains(&id))
    }

    /// Whether a task has a file that is left out: it must not go on as it is.
    pub fn leaves_out(&self, task: &BlobTask) -> bool {
        task.ids().any(|id| self.skipped.contains(&id))
    }

    /// Whether all of these files are left out.
    pub fn leaves_out_all(&self, ids: &[i64]) -> bool {
        ids.iter().all(|id| self.skipped.contains(id))
    }

    /// Files that are left out.
    pub fn skipped(&self) -> &HashSet<i64> {
        &self.skipped
    }

    /// Everything that waits.
    pub fn waiting(&self) -> impl Iterator<Item = &BlobTask> {
        self.small.iter().chain(&self.large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::FileState;
    use FilePriority::{High, Normal, Skip};

    const LARGE: u64 = SMALL_BYTES + 1;

    /// In the order of the store: by priority, then by number.
    fn open(files: &[(i64, char, FilePriority)]) -> Vec<FileRow> {
        let mut rows: Vec<_> = files
            .iter()
            .map(|&(id, blob, priority)| FileRow {
                id,
                path: format!("file-{id}").parse().unwrap(),
                size_bytes: LARGE,
                blob_id: blob.to_string().repeat(64).parse().unwrap(),
                state: FileState::Pending,
                downloaded_bytes: 0,
                verification: String::new(),
                error: String::new(),
                error_code: None,
                priority,
            })
            .collect();
        rows.sort_by_key(|row| (row.priority, row.id));
        rows
    }

    fn ids(task: Option<BlobTask>) -> Vec<i64> {
        task.map_or_else(Vec::new, |task| task.ids().collect())
    }

    #[test]
    fn what_is_wanted_first_comes_first_and_what_is_left_out_never() {
        let mut line = Line::default();
        line.refill(open(&[(1, 'a', Normal), (2, 'b', Skip), (3, 'c', High)]));
        assert!(line.has_high_large());
        assert_eq!(ids(line.next_large()), [3]);
        assert!(!line.has_high_large());
        assert_eq!(ids(line.next_large()), [1]);
        assert!(line.next_large().is_none());
    }

    #[test]
    fn what_was_begun_is_not_begun_again_by_another_choice() {
        let mut line = Line::default();
        line.refill(open(&[(1, 'a', Normal), (2, 'b', Skip)]));
        let begun = line.next_large().unwrap();
        assert!(
            line.refill(open(&[(1, 'a', Normal), (2, 'b', Normal)])),
            "2 came back"
        );
        assert_eq!(ids(line.next_large()), [2]);
        assert!(line.next_large().is_none());
        // Stopped, and wanted all the while.
        line.give_back(begun);
        assert_eq!(ids(line.next_large()), [1]);
    }

    #[test]
    fn a_task_given_back_keeps_what_is_still_wanted_of_it_and_its_place() {
        let mut line = Line::default();
        let files = |first, waits| {
            open(&[
                (1, 'a', first),
                (2, 'a', Normal),
                (3, 'c', waits),
                (4, 'd', Normal),
            ])
        };
        line.refill(files(Normal, Normal));
        let begun = line.next_large().unwrap();
        assert_eq!(begun.ids().collect::<Vec<_>>(), [1, 2]);
        assert!(!line.leaves_out(&begun));
        assert!(!line.refill(files(Skip, High)));
        assert!(line.leaves_out(&begun));
        line.give_back(begun);
        assert_eq!(ids(line.next_large()), [3], "wanted before it");
        assert_eq!(ids(line.next_large()), [2], "without the one that is left out");
        assert_eq!(ids(line.next_large()), [4]);
        assert!(line.refill(files(Normal, High)));
        assert_eq!(ids(line.next_large()), [1]);
    }
}
