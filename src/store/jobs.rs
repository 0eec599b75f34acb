//! Jobs as users submit and see them.

use serde_json::Value;

use crate::clock::now_ms;
use crate::model::code::Code;
use crate::model::destination::{Destination, RouteKey};
use crate::model::job::{JobId, JobRequest, Verify};
use crate::model::repo::{Commit, RepoId, RepoType, Revision};
use crate::model::state::{JobKind, JobStatus, Phase, WaitReason};

use super::writer::{Durability, WriteTx};
use super::{Store, StoreError};

/// One job with its progress, as the last commit left it.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the columns of `job`, described in migrations/.
pub struct Job {
    pub seq: i64,
    pub id: JobId,
    pub kind: JobKind,
    pub repo_type: RepoType,
    /// `None` when the job concerns several repos.
    pub repo: Option<RepoId>,
    pub revision: Revision,
    pub commit: Option<Commit>,
    pub filters: Vec<String>,
    pub excludes: Vec<String>,
    pub exact_match: bool,
    pub append_filter_subdir: bool,
    pub destination: Destination,
    pub verify: Verify,
    pub priority: i64,
    pub not_before_at: Option<i64>,
    pub ready_at: Option<i64>,
    pub wait_reason: Option<WaitReason>,
    pub status: JobStatus,
    pub attempt: i64,
    pub phase: Option<Phase>,
    pub activity: String,
    pub error: String,
    pub error_code: Option<Code>,
    pub warning: String,
    pub total_files: i64,
    pub completed_files: i64,
    pub total_bytes: i64,
    pub downloaded_bytes: i64,
    pub bytes_per_second: i64,
    pub network_bytes: i64,
    pub reused_bytes: i64,
    pub refetched_bytes: i64,
    pub retries: i64,
    pub last_byte_at: Option<i64>,
    pub actor: String,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub updated_at: i64,
    /// What a job of another kind than download is asked.
    pub spec: Option<Value>,
    /// What it reports.
    pub result: Option<Value>,
    pub category: String,
    pub tags: Vec<String>,
    pub max_speed: String,
    pub connections: Option<i64>,
    /// Files that are left out of the totals.
    pub skipped_files: i64,
}

impl Job {
    /// Files that it has, those left out included.
    pub fn all_files(&self) -> i64 {
        self.total_files + self.skipped_files
    }
}

/// What became of a submission.
#[derive(Debug, Clone)]
pub enum Submitted {
    /// A new job, as inserted.
    New(Job),
    /// An equal job is live; nothing was changed.
    Existing(Job),
}

pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) repo_type: String,
    pub(super) repo: String,
    pub(super) revision: String,
    pub(super) commit_hash: Option<String>,
    pub(super) filters: String,
    pub(super) excludes: String,
    pub(super) exact_match: i64,
    pub(super) append_filter_subdir: i64,
    pub(super) destination: String,
    pub(super) verify: String,
    pub(super) priority: i64,
    pub(super) not_before_at: Option<i64>,
    pub(super) ready_at: Option<i64>,
    pub(super) wait_reason: Option<String>,
    pub(super) status: String,
    pub(super) attempt: i64,
    pub(super) phase: Option<String>,
    pub(super) activity: String,
    pub(super) error: String,
    pub(super) error_code: Option<String>,
    pub(super) warning: String,
    pub(super) total_files: i64,
    pub(super) completed_files: i64,
    pub(super) total_bytes: i64,
    pub(super) downloaded_bytes: i64,
    pub(super) bytes_per_second: i64,
    pub(super) network_bytes: i64,
    pub(super) reused_bytes: i64,
    pub(super) refetched_bytes: i64,
    pub(super) retries: i64,
    pub(super) last_byte_at: Option<i64>,
    pub(super) actor: String,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) updated_at: i64,
    pub(super) category: String,
    pub(super) tags: String,
    pub(super) max_speed: String,
    pub(super) spec: Option<String>,
    pub(super) result: Option<String>,
    pub(super) layout: String,
    pub(super) local_repo: Option<String>,
    pub(super) route_key: Option<String>,
    pub(super) link_mode: String,
    pub(super) skipped_files: i64,
    pub(super) connections: Option<i64>,
}

/// `SELECT` of every shown column plus a tail, checked at compile time. SQLite does not say of
/// a generated column, nor of a view's row id, that it is never NULL: the two marks do.
macro_rules! select_jobs {
    ($tail:literal $(+ $more:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            crate::store::jobs::Row,
            r#"SELECT seq AS "seq!", id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
                      append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason,
                      status AS "status!", attempt, phase, activity, error, error_code, warning, total_files,
                      completed_files, total_bytes, downloaded_bytes, bytes_per_second, network_bytes, reused_bytes,
                      refetched_bytes, retries, last_byte_at, actor, created_at, started_at, ended_at, updated_at,
                      category AS "category!: String", tags AS "tags!: String", max_speed AS "max_speed!: String",
                      spec AS "spec?: String", result AS "result?: String",
                      layout AS "layout!: String", local_repo AS "local_repo?: String",
                      route_key AS "route_key?: String", link_mode AS "link_mode!: String",
                      skipped_files AS "skipped_files!: i64", connections AS "connections?: i64"
               FROM job_shown "#
                + $tail $(+ $more)*
            $(, $argument)*
        )
    };
}
pub(super) use select_jobs;

impl TryFrom<Row> for Job {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |why: String| StoreError::Unreadable {
            table: "job",
            row: row.id.clone(),
            why,
        };
        fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
            text.parse().map_err(|error: T::Err| error.to_string())
        }
        fn maybe<T: std::str::FromStr<Err: std::fmt::Display>>(
            text: &Option<String>,
        ) -> Result<Option<T>, String> {
            text.as_deref().map(word).transpose()
        }
        fn document(text: &Option<String>) -> Result<Option<Value>, String> {
            let parsed = text.as_deref().map(serde_json::from_str).transpose();
            parsed.map_err(|error| error.to_string())
        }
        let list = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
        Ok(Self {
            seq: row.seq,
            id: word(&row.id).map_err(unreadable)?,
            kind: word(&row.kind).map_err(unreadable)?,
            repo_type: word(&row.repo_type).map_err(unreadable)?,
            repo: maybe(&Some(row.repo.clone()).filter(|repo| !repo.is_empty())).map_err(unreadable)?,
            revision: word(&row.revision).map_err(unreadable)?,
            commit: maybe(&row.commit_hash).map_err(unreadable)?,
            filters: list(&row.filters).map_err(unreadable)?,
            excludes: list(&row.excludes).map_err(unreadable)?,
            tags: list(&row.tags).map_err(unreadable)?,
            exact_match: row.exact_match != 0,
            append_filter_subdir: row.append_filter_subdir != 0,
            verify: word(&row.verify).map_err(unreadable)?,
            priority: row.priority,
            not_before_at: row.not_before_at,
            ready_at: row.ready_at,
            wait_reason: maybe(&row.wait_reason).map_err(unreadable)?,
            status: word(&row.status).map_err(unreadable)?,
            attempt: row.attempt,
            phase: maybe(&row.phase).map_err(unreadable)?,
            error_code: maybe(&row.error_code).map_err(unreadable)?,
            spec: document(&row.spec).map_err(unreadable)?,
            result: document(&row.result).map_err(unreadable)?,
            destination: Destination {
                layout: word(&row.layout).map_err(unreadable)?,
                local_repo: maybe(&row.local_repo).map_err(unreadable)?,
                route_key: maybe(&row.route_key).map_err(unreadable)?,
                link_mode: word(&row.link_mode).map_err(unreadable)?,
                dir: row.destination,
            },
            activity: row.activity,
            error: row.error,
            warning: row.warning,
            total_files: row.total_files,
            completed_files: row.completed_files,
            total_bytes: row.total_bytes,
            downloaded_bytes: row.downloaded_bytes,
            bytes_per_second: row.bytes_per_second,
            network_bytes: row.network_bytes,
            reused_bytes: row.reused_bytes,
            refetched_bytes: row.refetched_bytes,
            retries: row.retries,
            last_byte_at: row.last_byte_at,
            actor: row.actor,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            updated_at: row.updated_at,
            category: row.category,
            max_speed: row.max_speed,
            skipped_files: row.skipped_files,
            connections: row.connections,
        })
    }
}

impl Store {
    /// Queues a download, unless an equal one is live: of many equal requests at once exactly
    /// one makes a job. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails; then there is no job.
    pub async fn submit(
        &self,
        request: &JobRequest,
        destination: &Destination,
        verify: Verify,
        actor: &str,
    ) -> Result<Submitted, StoreError> {
        let id = JobId::from_bits(fastrand::u64(..));
        let key = request.duplicate_key(&destination.key());
        let (repo, revision) = (request.repo.as_str(), request.revision.as_str());
        let (repo_type, verify) = (request.repo_type.as_str(), verify.as_str());
        let filters = serde_json::json!(request.filters).to_string();
        let excludes = serde_json::json!(request.excludes).to_string();
        let tags = serde_json::json!(request.labels.tags).to_string();
        let layout = destination.layout.as_str();
        let local_repo = destination.local_repo.as_ref().map(RepoId::as_str);
        let route_key = destination.route_key.map(RouteKey::as_str);
        let link_mode = destination.link_mode.as_str();
        let (id_text, now) = (id.as_str(), now_ms());
        let mut tx = self.begin(Durability::Promise).await?;
        let inserted = sqlx::query_scalar!(
            r#"INSERT INTO job (id, repo_type, repo, revision, filters, excludes, exact_match, append_filter_subdir,
                                destination, verify, duplicate_key, priority, not_before_at, category, tags, max_speed,
                                actor, created_at, updated_at, layout, local_repo, route_key, link_mode, connections)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO NOTHING
               RETURNING seq AS "seq!""#,
            id_text,
            repo_type,
            repo,
            revision,
            filters,
            excludes,
            request.exact_match,
            request.append_filter_subdir,
            destination.dir,
            verify,
            key,
            request.priority,
            request.not_before_at,
            request.labels.category,
            tags,
            request.labels.max_speed,
            actor,
            now,
            now,
            layout,
            local_repo,
            route_key,
            link_mode,
            request.labels.connections
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(seq) = inserted else {
            let twin = live_twin(&mut tx, &key).await?;
            // Not a twin but an id that is taken: one chance in 2^48 for each job on the list.
            return twin.map(Submitted::Existing).ok_or(StoreError::Unreadable {
                table: "job",
                row: id.to_string(),
                why: "the random id is taken; send the request again".to_owned(),
            });
        };
        if request.start_paused {
            // A job begins in the queue; nobody can claim it in between.
            sqlx::query!(
                "UPDATE job SET intent = 'pause', state = 'paused' WHERE seq = ?",
                seq
            )
            .execute(tx.connection())
            .await?;
        }
        let job = shown_job(&mut tx, seq).await?;
        tx.changed(seq);
        tx.commit().await?;
        Ok(Submitted::New(job))
    }

    /// The job with this id, unless it was dismissed.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let id = id.as_str();
        let row = select_jobs!("WHERE id = ?", id)
            .fetch_optional(&self.readers)
            .await?;
        row.map(Job::try_from).transpose()
    }

    /// The job with this sequence number, unless it was dismissed.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn job_by_seq(&self, seq: i64) -> Result<Option<Job>, StoreError> {
        let id = sqlx::query_scalar!("SELECT id FROM job_shown WHERE seq = ?", seq)
            .fetch_optional(&self.readers)
            .await?;
        match id.and_then(|id| id.parse().ok()) {
            Some(id) => self.job(&id).await,
            None => Ok(None),
        }
    }
}

/// The live job with this key: no two have the same.
pub(super) async fn live_twin(tx: &mut WriteTx, key: &str) -> Result<Option<Job>, StoreError> {
    let twin = sqlx::query_scalar!(
        r#"SELECT seq AS "seq!" FROM job WHERE duplicate_key = ? AND status IN ('queued', 'running', 'paused')"#,
        key
    )
    .fetch_optional(tx.connection())
    .await?;
    match twin {
        Some(seq) => shown_job(tx, seq).await.map(Some),
        None => Ok(None),
    }
}

pub(super) async fn shown_job(tx: &mut WriteTx, seq: i64) -> Result<Job, StoreError> {
    select_jobs!("WHERE seq = ?", seq)
        .fetch_one(tx.connection())
        .await?
        .try_into()
}
