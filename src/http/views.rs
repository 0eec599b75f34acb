//! The JSON of jobs and files: every key of the API documents, always present.
//!
//! Rows come in, texts and numbers go out; nothing is asked or decided here.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::{now_ms, rfc3339};
use crate::model::code::Code;
use crate::model::destination::{Layout, RouteKey};
use crate::model::job::Verify;
use crate::model::repo::{BlobId, RepoId, RepoType};
use crate::model::state::{FilePriority, FileState, JobKind, JobStatus, Phase, WaitReason};
use crate::store::{FileRow, Job};

/// A job as clients see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobView<'a> {
    id: &'a str,
    kind: JobKind,
    repo: &'a str,
    revision: &'a str,
    is_dataset: bool,
    filters: &'a [String],
    excludes: &'a [String],
    exact_match: bool,
    append_filter_subdir: bool,
    /// Where the files go: the Hub cache, or a folder of plain files.
    output_dir: &'a str,
    /// The Hub cache directory; empty when the files do not go there.
    hub_dir: &'a str,
    /// The folder of plain files; empty when the files go into the cache.
    local_dir: &'a str,
    /// Repo whose folder is used in place of the repo's own.
    local_repo: &'a str,
    /// Key that chose the folder.
    route_key: &'a str,
    /// Whether files lie plain, under their own names.
    flat: bool,
    destination_warning: &'a str,
    status: JobStatus,
    #[schema(required)]
    phase: Option<Phase>,
    #[schema(required)]
    wait_reason: Option<WaitReason>,
    progress: ProgressView<'a>,
    error: &'a str,
    #[schema(required)]
    error_code: Option<Code>,
    hint: &'a str,
    #[schema(required)]
    commit: Option<&'a str>,
    verify: Verify,
    priority: i64,
    attempt: i64,
    /// Failed tries over all runs.
    retries: i64,
    /// Bytes from the network, found in the cache, and fetched a second time; over all runs.
    network_bytes: i64,
    reused_bytes: i64,
    refetched_bytes: i64,
    #[schema(required, format = DateTime)]
    last_byte_at: Option<String>,
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
    #[schema(required, format = DateTime)]
    not_before: Option<String>,
    /// Place in the queue, from 1; `null` when the job is not queued.
    #[schema(required)]
    position: Option<i64>,
    category: &'a str,
    tags: &'a [String],
    /// Bytes a second of this job at most; empty = no limit of its own.
    max_speed: &'a str,
    /// Connections of all its files together at most; `null` = no limit of its own.
    #[schema(required, minimum = 1, maximum = 64)]
    connections: Option<i64>,
    /// Tries without progress before the job fails.
    max_attempts: i64,
    /// Why the engine uses as many connections as it does; empty unless it fetches this job now.
    connections_reason: String,
    /// Since when no byte came although bytes are waited for.
    #[schema(required, format = DateTime)]
    stalled_since: Option<String>,
    /// `user` for a paused job.
    #[schema(required)]
    pause_reason: Option<&'static str>,
    actor: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    started_at: Option<String>,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    #[schema(format = DateTime)]
    updated_at: String,
    files: Vec<FileView<'a>>,
    /// Files the job has, those left out included; `files` may hold fewer.
    files_total: i64,
    files_truncated: bool,
    /// Files that the user left out; the totals of `progress` are without them.
    skipped_files: i64,
    /// Whether filters or excludes were left out because they would not fit into one message.
    filters_truncated: bool,
    /// What a job of another kind than download is asked, and what it reports.
    #[schema(required, value_type = Option<Object>)]
    spec: Option<&'a Value>,
    #[schema(required, value_type = Option<Object>)]
    result: Option<&'a Value>,
    /// Whether the report was left out because it would not fit; the job alone shows it.
    result_truncated: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobProgress)]
struct ProgressView<'a> {
    total_files: i64,
    completed_files: i64,
    total_bytes: i64,
    downloaded_bytes: i64,
    bytes_per_second: i64,
    /// 0 = unknown.
    eta_seconds: i64,
    activity: &'a str,
}

/// A file of a job as clients see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JobFile)]
pub struct FileView<'a> {
    path: &'a str,
    total_bytes: u64,
    downloaded: u64,
    /// `skipped`: was here before, or with the priority `skip` is left out.
    status: FileState,
    /// What the user wants of it.
    priority: FilePriority,
    /// `sha256`, `git-sha1`, `size`, or empty while nothing was compared.
    verification: &'a str,
    /// Where its bytes came from: `network`, `reused` (they lay at the destination before); empty
    /// until it is in place.
    source: &'static str,
    error: &'a str,
    #[schema(required)]
    error_code: Option<Code>,
    /// Name of its blob in the cache: SHA-256 (LFS) or git's SHA-1. Only in the list of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    blob_id: Option<BlobId>,
    /// The SHA-256, where the Hub announces one. Only in the list of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    sha256: Option<BlobId>,
}

impl<'a> FileView<'a> {
    /// A file with its hashes: messages and lists of jobs have no room for those of all files.
    pub fn hashed(file: &'a FileRow) -> Self {
        Self {
            blob_id: Some(file.blob_id),
            sha256: matches!(file.blob_id, BlobId::Sha256(_)).then_some(file.blob_id),
            ..Self::from(file)
        }
    }
}

impl<'a> From<&'a FileRow> for FileView<'a> {
    fn from(file: &'a FileRow) -> Self {
        Self {
            path: file.path.as_str(),
            total_bytes: file.size_bytes,
            downloaded: file.downloaded_bytes.min(file.size_bytes),
            status: file.shown_state(),
            priority: file.priority,
            verification: &file.verification,
            source: file.source(),
            error: &file.error,
            error_code: file.error_code,
            blob_id: None,
            sha256: None,
        }
    }
}

/// Where a job stands among the others at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Place in the queue, from 1.
    pub position: Option<i64>,
    /// What it waits for, its turn excepted.
    pub wait_reason: Option<WaitReason>,
    /// Tries without progress that it has.
    pub max_attempts: i64,
    /// Why it has as many connections as it has; empty unless it is fetched.
    pub connections_reason: String,
}

/// A job without a byte for so long counts as stalled, in milliseconds: twice the time over which
/// its speed is the mean.
const STALLED_MS: i64 = 10_000;

fn stalled_since(job: &Job) -> Option<i64> {
    let waits = job.status == JobStatus::Running
        && job.phase == Some(Phase::Downloading)
        && job.bytes_per_second == 0;
    job.last_byte_at
        .filter(|&at| waits && now_ms() - at > STALLED_MS && Some(at) >= job.started_at)
}

impl<'a> JobView<'a> {
    /// A job with some of its files.
    pub fn new(job: &'a Job, files: &'a [FileRow]) -> Self {
        let at = |ms: Option<i64>| ms.map(rfc3339);
        let is_download = job.kind == JobKind::Download;
        let flat = job.destination.layout == Layout::Local;
        Self {
            id: job.id.as_str(),
            kind: job.kind,
            repo: job.repo.as_ref().map_or("", RepoId::as_str),
            revision: job.revision.as_str(),
            is_dataset: job.repo_type == RepoType::Dataset,
            filters: &job.filters,
            excludes: &job.excludes,
            exact_match: job.exact_match,
            append_filter_subdir: job.append_filter_subdir,
            output_dir: &job.destination.dir,
            hub_dir: if flat { "" } else { &job.destination.dir },
            local_dir: if flat { &job.destination.dir } else { "" },
            local_repo: job.destination.local_repo.as_ref().map_or("", RepoId::as_str),
            route_key: job.destination.route_key.map_or("", RouteKey::as_str),
            flat,
            destination_warning: &job.warning,
            status: job.status,
            phase: job.phase.filter(|_| job.status == JobStatus::Running),
            wait_reason: job.wait_reason.filter(|_| job.status == JobStatus::Queued),
            progress: ProgressView::new(job),
            error: &job.error,
            error_code: job.error_code,
            hint: job.error_code.map(Code::hint).unwrap_or_default(),
            commit: job.commit.as_ref().map(|commit| commit.as_str()),
            verify: job.verify,
            priority: job.priority,
            attempt: job.attempt,
            retries: job.retries,
            network_bytes: job.network_bytes,
            reused_bytes: job.reused_bytes,
            refetched_bytes: job.refetched_bytes,
            last_byte_at: at(job.last_byte_at),
            next_attempt_at: at(job.ready_at),
            not_before: at(job.not_before_at),
            position: None,
            category: &job.category,
            tags: &job.tags,
            max_speed: &job.max_speed,
            connections: job.connections,
            max_attempts: 0,
            connections_reason: String::new(),
            stalled_since: at(stalled_since(job)),
            pause_reason: (job.status == JobStatus::Paused).then_some("user"),
            actor: &job.actor,
            created_at: rfc3339(job.created_at),
            started_at: at(job.started_at),
            ended_at: at(job.ended_at),
            updated_at: rfc3339(job.updated_at),
            files: files.iter().map(FileView::from).collect(),
            // What other kinds of jobs count are no files of this list.
            files_total: if is_download { job.all_files() } else { 0 },
            files_truncated: is_download && job.all_files() > files.len() as i64,
            skipped_files: job.skipped_files,
            filters_truncated: false,
            spec: job.spec.as_ref(),
            result: job.result.as_ref(),
            result_truncated: false,
        }
    }

    /// Leaves the report out: lists and messages have no room for a long one.
    pub fn without_result(mut self) -> Self {
        self.result_truncated = self.result.take().is_some();
        self
    }

    /// Adds what the job's row does not say: where it stands among the others.
    pub fn within(mut self, standing: Standing) -> Self {
        self.position = standing.position;
        self.wait_reason = standing.wait_reason;
        self.max_attempts = standing.max_attempts;
        self.connections_reason = standing.connections_reason;
        self
    }

    /// Leaves filters and excludes out: a job with a thousand long ones is larger than a message may be.
    pub fn without_filters(mut self) -> Self {
        self.filters_truncated = !self.filters.is_empty() || !self.excludes.is_empty();
        (self.filters, self.excludes) = (&[], &[]);
        self
    }
}

impl<'a> ProgressView<'a> {
    fn new(job: &'a Job) -> Self {
        let running = job.status == JobStatus::Running;
        let speed = if running { job.bytes_per_second } else { 0 };
        // Everything is in place, whatever the last mark of the run said.
        let downloaded = if job.status == JobStatus::Completed {
            job.total_bytes
        } else {
            job.downloaded_bytes.clamp(0, job.total_bytes.max(0))
        };
        let left = job.total_bytes - downloaded;
        Self {
            total_files: job.total_files,
            completed_files: job.completed_files,
            total_bytes: job.total_bytes,
            downloaded_bytes: downloaded,
            bytes_per_second: speed,
            eta_seconds: if speed > 0 { left.max(0) / speed } else { 0 },
            activity: &job.activity,
        }
    }
}
