//! The messages of the live feed, as clients see them.

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::summary::LimitsNow;
use super::views::JobView;
use crate::model::job::JobId;
use crate::model::state::{JobKind, JobStatus};

/// One message: `{"seq": …, "type": …, "data": …}`. The first on a connection is `init`.
#[derive(ToSchema)]
#[schema(as = LiveMessage)]
#[allow(dead_code)] // Describes what `numbered` puts together.
pub struct Numbered<'a> {
    /// Rises from message to message until the service is started anew. Numbers are left out where
    /// a newer state of a job overtook an older one: nothing is missing there.
    #[schema(required = false)]
    seq: u64,
    #[serde(flatten)]
    content: LiveMessage<'a>,
}

/// The text of a message with its number.
pub(super) fn numbered(text: &str, seq: u64) -> Utf8Bytes {
    format!("{{\"seq\":{seq},{}", text.strip_prefix('{').unwrap_or(text)).into()
}

/// What a message is about.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveContent)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum LiveMessage<'a> {
    /// The jobs as they are.
    Init(Init<'a>),
    /// A job that is new or has changed, whole.
    #[schema(value_type = JobView<'static>)]
    JobUpdate(Box<JobView<'a>>),
    /// Something that is worth a notification.
    Event(Happened<'a>),
    /// What the service does in a few numbers, every five seconds.
    Status(StatusNumbers),
}

/// The first message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveInit)]
pub struct Init<'a> {
    /// Live jobs and the newest ended ones, as many as fit into one message; in order of creation.
    pub jobs: Vec<JobView<'a>>,
    /// How many there are.
    pub jobs_total: u64,
    /// Version of the service.
    pub version: &'static str,
}

/// An event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveEvent)]
pub struct Happened<'a> {
    /// `download_complete`, `download_failed`, `job_removed`, `disk_low` and others.
    pub event: &'a str,
    /// The job it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobId>, nullable = false)]
    pub job_id: Option<&'a JobId>,
    /// The directory it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub path: Option<&'a str>,
    /// Free bytes on its volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disk_free: Option<u64>,
    /// Bytes that stay free there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub floor: Option<u64>,
}

impl<'a> Happened<'a> {
    /// An event that is about nothing in particular.
    pub fn new(event: &'a str) -> Self {
        Self {
            event,
            job_id: None,
            path: None,
            disk_free: None,
            floor: None,
        }
    }
}

/// Numbers of the moment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveStatus)]
pub struct StatusNumbers {
    /// Running jobs.
    pub active: i64,
    /// Queued jobs.
    pub queued: i64,
    /// Paused jobs.
    pub paused: i64,
    /// Speed of all jobs together.
    pub bytes_per_second: i64,
    /// Free bytes of the cache's volume; `null` until the disk answers.
    #[schema(required)]
    pub disk_free: Option<u64>,
    /// Which limits hold.
    pub limits: LimitsNow,
}

/// The event that tells of the end of a job.
pub(super) fn end_event(kind: JobKind, status: JobStatus) -> Option<&'static str> {
    Some(match (kind, status) {
        (JobKind::Download, JobStatus::Completed) => "download_complete",
        (JobKind::Download, JobStatus::Failed) => "download_failed",
        (JobKind::Mirror, JobStatus::Completed) => "mirror_complete",
        (JobKind::Mirror, JobStatus::Failed) => "mirror_failed",
        (JobKind::Verify, JobStatus::Completed) => "verify_complete",
        (JobKind::Verify, JobStatus::Failed) => "verify_failed",
        (JobKind::Export, JobStatus::Completed) => "export_complete",
        (JobKind::Export, JobStatus::Failed) => "export_failed",
        (_, JobStatus::Queued | JobStatus::Running | JobStatus::Paused | JobStatus::Cancelled) => {
            return None;
        }
    })
}
