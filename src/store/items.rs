//! The items of a job of another kind than download: its plan, and how far that is carried out.
//!
//! An item is settled only after its effect is on disk. So a run that was cut short, however it
//! ended, goes on with the items that are pending, and does at most those again that it had not
//! told of yet.

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::library::CachedRepo;
use crate::model::repo::{NameError, RepoId, RepoType};
use crate::model::state::words;

use super::claim::Lease;
use super::files::json_text;
use super::writer::Durability;
use super::{Store, StoreError};

words! {
    /// How far an item is.
    ItemState {
        /// Not done.
        Pending = "pending",
        /// Done, and on disk.
        Done = "done",
        /// There was nothing to do.
        Unchanged = "unchanged",
        /// What was planned does not exist any more.
        Gone = "gone",
        /// Given up; the error says why.
        Error = "error",
    }
}

/// An item of a plan that is not stored yet.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The repo it belongs to.
    pub repo: CachedRepo,
    /// What is to be done: a word of the job's kind.
    pub task: &'static str,
    /// To what of the repo.
    pub path: String,
    /// Hash that its content must have; empty when it has none, or none is known.
    pub blob: String,
    /// Bytes that have to be read or written for it.
    pub size_bytes: u64,
}

/// One item of a job.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `item`, described in migrations/.
pub struct Item {
    pub id: i64,
    pub repo: CachedRepo,
    pub task: String,
    pub path: String,
    pub blob: String,
    pub size_bytes: u64,
    pub state: ItemState,
    pub outcome: String,
    pub error: String,
    pub error_code: Option<Code>,
}

/// What became of one item.
#[derive(Debug, Clone)]
pub struct ItemSettled {
    /// Key of the row.
    pub id: i64,
    /// Not `pending`.
    pub state: ItemState,
    /// What was found, or how it was done: a word of the job's kind.
    pub outcome: &'static str,
    /// Code and sentence of an error, or of what is wrong with what the item is about.
    pub failure: Option<(Code, String)>,
}

/// Items of one job with the same task and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemTotal {
    /// The word of the job's kind.
    pub task: String,
    /// How far they are.
    pub state: ItemState,
    /// How many they are.
    pub count: i64,
    /// Their bytes.
    pub bytes: i64,
}

/// What one job has done with one repo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoDone {
    /// Type of the repo.
    pub repo_type: RepoType,
    /// The repo.
    pub repo: RepoId,
    /// The word of the job's kind.
    pub task: String,
    /// How many items of the task are done.
    pub count: i64,
    /// Their bytes.
    pub bytes: i64,
}

struct Row {
    id: i64,
    repo_type: String,
    repo: String,
    task: String,
    path: String,
    blob: String,
    size_bytes: i64,
    state: String,
    outcome: String,
    error: String,
    error_code: Option<String>,
}

impl TryFrom<Row> for Item {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |error: NameError| StoreError::Unreadable {
            table: "item",
            row: row.id.to_string(),
            why: error.to_string(),
        };
        let code = row.error_code.as_deref().map(str::parse).transpose();
        let repo_type: RepoType = row.repo_type.parse().map_err(unreadable)?;
        Ok(Self {
            id: row.id,
            repo: CachedRepo::parse(repo_type, &row.repo).map_err(unreadable)?,
            size_bytes: row.size_bytes.max(0) as u64,
            state: row.state.parse().map_err(unreadable)?,
            error_code: code.map_err(unreadable)?,
            task: row.task,
            path: row.path,
            blob: row.blob,
            outcome: row.outcome,
            error: row.error,
        })
    }
}

impl Store {
    /// Stores the plan of a job in place of any earlier one: all of it or nothing. They are
    /// carried out in the order of `items`. On disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails; then nothing is stored.
    pub async fn plan_items(&self, lease: &Lease, items: &[NewItem]) -> Result<(), StoreError> {
        let (owner, now) = (&*lease.owner, now_ms());
        let total_files = items.len() as i64;
        let total_bytes = items.iter().map(|item| item.size_bytes as i64).sum::<i64>();
        let mut tx = self.begin(Durability::Promise).await?;
        let done = sqlx::query!(
            "UPDATE job SET total_files = ?, total_bytes = ?, completed_files = 0, downloaded_bytes = 0, updated_at = ?
             WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
            total_files,
            total_bytes,
            now,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .execute(tx.connection())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        sqlx::query!("DELETE FROM item WHERE job_seq = ?", lease.job_seq)
            .execute(tx.connection())
            .await?;
        // Several thousand rows a statement: one round trip each, and a bounded text.
        for items in items.chunks(4096) {
            let rows: Vec<_> = items
                .iter()
                .map(|item| {
                    let repo = &item.repo;
                    (
                        repo.repo_type(),
                        repo.id(),
                        item.task,
                        &item.path,
                        &item.blob,
                        item.size_bytes,
                    )
                })
                .collect();
            let rows = json_text(&rows);
            sqlx::query!(
                "INSERT INTO item (job_seq, repo_type, repo, task, path, blob, size_bytes)
                 SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
                 FROM json_each(?)",
                lease.job_seq,
                rows
            )
            .execute(tx.connection())
            .await?;
        }
        tx.changed(lease.job_seq);
        tx.commit().await?;
        Ok(())
    }

    /// The next pending items of a job, in the order of the plan, beginning behind the item `after`.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn pending_items(&self, job_seq: i64, after: i64, limit: i64) -> Result<Vec<Item>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, repo_type, repo, task, path, blob, size_bytes, state, outcome, error, error_code FROM item
             WHERE job_seq = ? AND state = 'pending' AND id > ? ORDER BY id LIMIT ?",
            job_seq,
            after,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Item::try_from).collect()
    }

    /// The first items of a job that were given up, or whose object was gone.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn failed_items(&self, job_seq: i64, limit: i64) -> Result<Vec<Item>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, repo_type, repo, task, path, blob, size_bytes, state, outcome, error, error_code FROM item
             WHERE job_seq = ? AND state IN ('error', 'gone') ORDER BY id LIMIT ?",
            job_seq,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Item::try_from).collect()
    }

    /// Items of a job that are not as they should be: those whose outcome came with a code, in the
    /// order of the plan.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn flagged_items(&self, job_seq: i64, limit: i64) -> Result<Vec<Item>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, repo_type, repo, task, path, blob, size_bytes, state, outcome, error, error_code FROM item
             WHERE job_seq = ? AND error_code IS NOT NULL ORDER BY id LIMIT ?",
            job_seq,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Item::try_from).collect()
    }

    /// How the items of a job that are settled came out: outcome, how many, and their bytes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn item_outcomes(&self, job_seq: i64) -> Result<Vec<(String, u64, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT outcome, COUNT(*) AS "count!: i64", SUM(size_bytes) AS "bytes!: i64"
               FROM item WHERE job_seq = ? AND state <> 'pending' GROUP BY outcome"#,
            job_seq
        )
        .fetch_all(&self.readers)
        .await?;
        let row = |row: (String, i64, i64)| (row.0, row.1.max(0) as u64, row.2.max(0) as u64);
        Ok(rows
            .into_iter()
            .map(|found| row((found.outcome, found.count, found.bytes)))
            .collect())
    }

    /// How many items of a job came out in one way, by repo.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn outcome_repos(
        &self,
        job_seq: i64,
        outcome: &str,
    ) -> Result<Vec<(CachedRepo, i64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT repo_type, repo, COUNT(*) AS "count!: i64" FROM item
               WHERE job_seq = ? AND outcome = ? GROUP BY repo_type, repo"#,
            job_seq,
            outcome
        )
        .fetch_all(&self.readers)
        .await?;
        let repo_of = |repo_type: &str, repo: &str| CachedRepo::parse(repo_type.parse()?, repo);
        rows.into_iter()
            .map(|row| match repo_of(&row.repo_type, &row.repo) {
                Ok(repo) => Ok((repo, row.count)),
                Err(error) => Err(StoreError::Unreadable {
                    table: "item",
                    row: row.repo,
                    why: error.to_string(),
                }),
            })
            .collect()
    }

    /// How many items of a job stand where; nothing when it has no plan yet.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn item_totals(&self, job_seq: i64) -> Result<Vec<ItemTotal>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT task, state, COUNT(*) AS "count!: i64", SUM(size_bytes) AS "bytes!: i64"
               FROM item WHERE job_seq = ? GROUP BY task, state"#,
            job_seq
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let state = row.state.parse();
                Ok(ItemTotal {
                    state: state.map_err(|error: NameError| StoreError::Unreadable {
                        table: "item",
                        row: job_seq.to_string(),
                        why: error.to_string(),
                    })?,
                    task: row.task,
                    count: row.count,
                    bytes: row.bytes,
                })
            })
            .collect()
    }

    /// What a job has done so far, by repo and task.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn done_repos(&self, job_seq: i64) -> Result<Vec<RepoDone>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT repo_type, repo, task, COUNT(*) AS "count!: i64", SUM(size_bytes) AS "bytes!: i64"
               FROM item WHERE job_seq = ? AND state = 'done' GROUP BY repo_type, repo, task"#,
            job_seq
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let unreadable = |error: NameError| StoreError::Unreadable {
                    table: "item",
                    row: row.repo.clone(),
                    why: error.to_string(),
                };
                Ok(RepoDone {
                    repo_type: row.repo_type.parse().map_err(unreadable)?,
                    repo: row.repo.parse().map_err(unreadable)?,
                    task: row.task,
                    count: row.count,
                    bytes: row.bytes,
                })
            })
            .collect()
    }

    /// Records what became of items whose effect is on disk. On disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails; then nothing is recorded.
    pub async fn settle_items(&self, lease: &Lease, items: &[ItemSettled]) -> Result<(), StoreError> {
        let (owner, now) = (&*lease.owner, now_ms());
        let rows: Vec<_> = items
            .iter()
            .map(|item| {
                let failure = item.failure.as_ref();
                let (code, text) = failure.map_or((None, ""), |(code, text)| (Some(code.as_str()), text));
                (item.id, item.state, code, text, item.outcome)
            })
            .collect();
        let rows = json_text(&rows);
        let mut tx = self.begin(Durability::Promise).await?;
        let settled = sqlx::query_scalar!(
            r#"UPDATE item SET state = news.state, error_code = news.code, error = news.error, outcome = news.outcome
               FROM (SELECT value ->> 0 AS id, value ->> 1 AS state, value ->> 2 AS code, value ->> 3 AS error,
                            value ->> 4 AS outcome
                     FROM json_each(?)) AS news
               WHERE item.id = news.id AND +item.job_seq = ? AND +item.state = 'pending'
               RETURNING state AS "state!""#,
            rows,
            lease.job_seq
        )
        .fetch_all(tx.connection())
        .await?;
        let completed = settled.iter().filter(|state| *state != "error").count() as i64;
        let done = sqlx::query!(
            "UPDATE job SET updated_at = ?, completed_files = MIN(completed_files + ?, total_files)
             WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?",
            now,
            completed,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .execute(tx.connection())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        tx.changed(lease.job_seq);
        tx.commit().await?;
        Ok(())
    }
}
