//! How fast bytes came: `GET /api/speed` and `GET /api/jobs/{id}/speed`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiResult;
use super::extract::{JobPath, QueryFields};
use super::jobs::{find, unknown};
use super::state::AppState;
use crate::clock::rfc3339;
use crate::model::job::JobId;
use crate::model::state::{JobStatus, words};
use crate::store::{JobFilter, JobsQuery, SpeedRange, SpeedSeries};

/// Events that are read for the marks of a series.
const EVENTS: i64 = 10_000;

words! {
    /// The time that a series covers.
    Range {
        /// Ten minutes in steps of 5 s.
        TenMinutes = "10m",
        /// An hour in steps of 15 s.
        Hour = "1h",
        /// A day in steps of 5 min.
        Day = "24h",
        /// All that is kept.
        All = "all",
    }
}

impl From<Range> for SpeedRange {
    fn from(range: Range) -> Self {
        match range {
            Range::TenMinutes => Self::TenMinutes,
            Range::Hour => Self::Hour,
            Range::Day => Self::Day,
            Range::All => Self::All,
        }
    }
}

/// Speeds over time, of bytes from the network.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Speed {
    /// Milliseconds from one point to the next; where they lie further apart, nothing ran.
    step_ms: i64,
    /// By time.
    points: Vec<Point>,
    /// Bytes a second now.
    now: i64,
    /// Mean over all points.
    mean: i64,
    /// What happened meanwhile; only for one job.
    #[serde(skip_serializing_if = "Option::is_none")]
    marks: Option<Vec<Mark>>,
}

/// One span of time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// Its start: RFC 3339, UTC.
    at: String,
    /// Mean over the span.
    bytes_per_second: i64,
}

/// Something that happened at a moment.
#[derive(Serialize, ToSchema)]
pub struct Mark {
    /// RFC 3339, UTC.
    at: String,
    /// `retry`: something failed and was tried again. `restart`: another run began.
    kind: &'static str,
}

impl Speed {
    fn new(series: SpeedSeries, now: i64, marks: Option<Vec<Mark>>) -> Self {
        let point = |point: &crate::store::SpeedPoint| Point {
            at: rfc3339(point.at),
            bytes_per_second: point.bytes_per_second,
        };
        Self {
            step_ms: series.step_ms,
            points: series.points.iter().map(point).collect(),
            now,
            mean: series.mean,
            marks,
        }
    }
}

/// The speed of all jobs together.
#[utoipa::path(get, path = "/api/speed", operation_id = "showSpeed", tag = "jobs", params(
    ("range" = inline(Option<Range>), Query, description = "`10m` (unless told), `1h`, `24h` or `all`")
), responses(
    (status = 200, description = "The series", body = Speed),
    (status = 400, description = "There is no such range")
))]
pub async fn of_all(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<Speed>> {
    let range = fields.word::<Range>("range")?.unwrap_or(Range::TenMinutes);
    let series = app.store.speed_of_all(range.into()).await?;
    let running = JobsQuery {
        filter: JobFilter {
            statuses: vec![JobStatus::Running],
            ..JobFilter::default()
        },
        ..JobsQuery::default()
    };
    let running = app.store.jobs(&running).await?;
    let now = running.iter().map(|job| job.bytes_per_second).sum();
    Ok(Json(Speed::new(series, now, None)))
}

/// The speed of one job, with marks where it was tried again or went on in another run.
#[utoipa::path(get, path = "/api/jobs/{id}/speed", operation_id = "showJobSpeed", tag = "jobs", params(
    ("id" = JobId, Path, description = "Id of the job"),
    ("range" = inline(Option<Range>), Query, description = "`10m` (unless told), `1h`, `24h` or `all`")
), responses(
    (status = 200, description = "The series", body = Speed),
    (status = 400, description = "There is no such range"),
    (status = 404, description = "No such job is on the list")
))]
pub async fn of_job(
    State(app): State<AppState>,
    JobPath(id): JobPath,
    fields: QueryFields,
) -> ApiResult<Json<Speed>> {
    let range = fields.word::<Range>("range")?.unwrap_or(Range::TenMinutes);
    let job = find(&app, id).await?;
    let series = app
        .store
        .speed_of(&job.id, range.into())
        .await?
        .ok_or_else(unknown)?;
    let marks = marks(&app, &job.id, &rfc3339(series.from)).await?;
    let now = match job.status {
        JobStatus::Running => job.bytes_per_second,
        _ => 0,
    };
    Ok(Json(Speed::new(series, now, Some(marks))))
}

async fn marks(app: &AppState, id: &JobId, from: &str) -> ApiResult<Vec<Mark>> {
    let mut runs = 0;
    let mut marks = Vec::new();
    for event in app.store.events(id, &[], 0, EVENTS).await? {
        let kind = match (event.event.as_str(), event.level.as_str()) {
            ("started", _) => {
                runs += 1;
                if runs == 1 {
                    continue;
                }
                "restart"
            }
            // What happened without a change of status and was got over.
            (_, "warn") if event.to_status.is_none() => "retry",
            _ => continue,
        };
        // The texts sort as the times do.
        if event.at.as_str() >= from {
            marks.push(Mark { at: event.at, kind });
        }
    }
    Ok(marks)
}
