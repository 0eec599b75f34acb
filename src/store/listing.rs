//! The list of jobs: by what it can be narrowed, in which order, and how many there are.

use crate::model::code::Code;
use crate::model::job::JobId;
use crate::model::state::{JobKind, JobStatus};

use super::files::json_text;
use super::jobs::{Job, select_jobs};
use super::{Store, StoreError};

/// What jobs have in common; what is empty narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only this kind.
    pub kind: Option<JobKind>,
    /// Only these statuses.
    pub statuses: Vec<JobStatus>,
    /// Only this category; the empty text asks for jobs without one.
    pub category: Option<String>,
    /// Only jobs with this tag.
    pub tag: Option<String>,
    /// Only jobs whose repo, category or a tag holds this text, in any case.
    pub text: Option<String>,
    /// Only jobs that ended with one of these.
    pub error_codes: Vec<Code>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobsQuery {
    /// What they have in common.
    pub filter: JobFilter,
    /// At most so many; all when empty.
    pub limit: Option<i64>,
    /// Leave out so many of the first.
    pub offset: i64,
    /// Only those that come behind the job with this sequence number.
    pub after: Option<i64>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
}

/// A [`JobFilter`] as arguments of a statement.
struct Arguments {
    kind: Option<&'static str>,
    statuses: Option<String>,
    category: Option<String>,
    tag: Option<String>,
    text: Option<String>,
    codes: Option<String>,
}

impl Arguments {
    fn of(filter: &JobFilter) -> Self {
        let statuses: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
        let codes: Vec<_> = filter.error_codes.iter().map(|code| code.as_str()).collect();
        let list = |words: &Vec<&str>| Some(json_text(words)).filter(|_| !words.is_empty());
        Self {
            kind: filter.kind.map(JobKind::as_str),
            statuses: list(&statuses),
            category: filter.category.clone(),
            tag: filter.tag.clone(),
            text: filter.text.as_ref().map(|text| text.to_lowercase()),
            codes: list(&codes),
        }
    }
}

impl JobFilter {
    /// Whether an index knows the answer: at most one status, and perhaps a kind.
    fn is_plain(&self) -> bool {
        self.statuses.len() <= 1
            && self.category.is_none()
            && self.tag.is_none()
            && self.text.is_none()
            && self.error_codes.is_empty()
    }
}

/// The conditions of a [`JobFilter`] that no index serves, on `$tail` of `job_shown`.
macro_rules! narrowed_jobs {
    ($filter:expr, $after:expr, $limit:expr, $offset:expr, $tail:literal) => {{
        let it = Arguments::of($filter);
        let (after, limit, offset) = ($after, $limit, $offset);
        select_jobs!(
            "WHERE (?1 IS NULL OR kind = ?1)
               AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
               AND (?3 IS NULL OR category = ?3)
               AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?4))
               AND (?5 IS NULL OR INSTR(LOWER(repo || ' ' || category || ' ' || tags), ?5) > 0)
               AND (?6 IS NULL OR error_code IN (SELECT value FROM json_each(?6)))"
                + $tail,
            it.kind,
            it.statuses,
            it.category,
            it.tag,
            it.text,
            it.codes,
            after,
            limit,
            offset
        )
    }};
}

impl Store {
    /// Jobs on the list, in order of creation or against it.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn jobs(&self, query: &JobsQuery) -> Result<Vec<Job>, StoreError> {
        let filter = &query.filter;
        let (limit, offset, after) = (query.limit.unwrap_or(-1), query.offset, query.after);
        // Statements of their own: neither an order nor a condition that a parameter chooses can
        // use an index.
        let rows = match (filter.is_plain(), filter.statuses.first(), query.newest_first) {
            (true, Some(status), newest_first) => {
                let (kind, status) = (filter.kind.map(JobKind::as_str), status.as_str());
                if newest_first {
                    let after = after.unwrap_or(i64::MAX);
                    select_jobs!(
                        "WHERE status = ?2 AND (?1 IS NULL OR kind = ?1) AND seq < ?3 ORDER BY seq DESC LIMIT ?4 OFFSET ?5",
                        kind,
                        status,
                        after,
                        limit,
                        offset
                    )
                    .fetch_all(&self.readers)
                    .await?
                } else {
                    let after = after.unwrap_or(0);
                    select_jobs!(
                        "WHERE status = ?2 AND (?1 IS NULL OR kind = ?1) AND seq > ?3 ORDER BY seq LIMIT ?4 OFFSET ?5",
                        kind,
                        status,
                        after,
                        limit,
                        offset
                    )
                    .fetch_all(&self.readers)
                    .await?
                }
            }
            (_, _, true) => {
                narrowed_jobs!(
                    filter,
                    after.unwrap_or(i64::MAX),
                    limit,
                    offset,
                    " AND seq < ?7 ORDER BY seq DESC LIMIT ?8 OFFSET ?9"
                )
                .fetch_all(&self.readers)
                .await?
            }
            (_, _, false) => {
                narrowed_jobs!(
                    filter,
                    after.unwrap_or(0),
                    limit,
                    offset,
                    " AND seq > ?7 ORDER BY seq LIMIT ?8 OFFSET ?9"
                )
                .fetch_all(&self.readers)
                .await?
            }
        };
        rows.into_iter().map(Job::try_from).collect()
    }

    /// The sequence number of a job, dismissed ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seq_of(&self, id: &JobId) -> Result<Option<i64>, StoreError> {
        let id = id.as_str();
        Ok(
            sqlx::query_scalar!(r#"SELECT seq AS "seq!" FROM job WHERE id = ?"#, id)
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// How many jobs on the list `filter` names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_jobs(&self, filter: &JobFilter) -> Result<i64, StoreError> {
        if filter.is_plain() {
            let counts = self.job_counts(filter.kind).await?;
            let wanted = |status| filter.statuses.is_empty() || filter.statuses.contains(status);
            return Ok(counts
                .iter()
                .filter(|(status, _)| wanted(status))
                .map(|(_, count)| count)
                .sum());
        }
        let it = Arguments::of(filter);
        Ok(sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "count!: i64" FROM job_shown
               WHERE (?1 IS NULL OR kind = ?1)
                 AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
                 AND (?3 IS NULL OR category = ?3)
                 AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?4))
                 AND (?5 IS NULL OR INSTR(LOWER(repo || ' ' || category || ' ' || tags), ?5) > 0)
                 AND (?6 IS NULL OR error_code IN (SELECT value FROM json_each(?6)))"#,
            it.kind,
            it.statuses,
            it.category,
            it.tag,
            it.text,
            it.codes
        )
        .fetch_one(&self.readers)
        .await?)
    }

    /// Ids of the jobs that `filter` names, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job_ids(&self, filter: &JobFilter, limit: i64) -> Result<Vec<String>, StoreError> {
        let it = Arguments::of(filter);
        Ok(sqlx::query_scalar!(
            r#"SELECT id FROM job_shown
               WHERE (?1 IS NULL OR kind = ?1)
                 AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
                 AND (?3 IS NULL OR category = ?3)
                 AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?4))
                 AND (?5 IS NULL OR INSTR(LOWER(repo || ' ' || category || ' ' || tags), ?5) > 0)
                 AND (?6 IS NULL OR error_code IN (SELECT value FROM json_each(?6)))
               ORDER BY seq LIMIT ?7"#,
            it.kind,
            it.statuses,
            it.category,
            it.tag,
            it.text,
            it.codes,
            limit
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// How many jobs on the list have each status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job_counts(&self, kind: Option<JobKind>) -> Result<Vec<(JobStatus, i64)>, StoreError> {
        let kind = kind.map(JobKind::as_str);
        let rows = sqlx::query!(
            r#"SELECT status AS "status!", COUNT(*) AS "count!: i64" FROM job_shown
               WHERE (?1 IS NULL OR kind = ?1) GROUP BY status"#,
            kind
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.status.parse().ok()?, row.count)))
            .collect())
    }
}
