//! The list of jobs, one job, and the commands on it.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult};
use super::extract::{Actor, JobPath, QueryFields};
use super::shown::json as text_of;
use super::state::{App, AppState};
use super::views::{FileView, JobView};
use crate::model::job::JobId;
use crate::model::state::JobKind;
use crate::store::{Change, Job, JobsQuery, Refused};

/// Files that the answer for one job carries.
const FILES_OF_ONE: i64 = 1000;
/// Rows that one page may have.
const PAGE: std::ops::RangeInclusive<i64> = 1..=10_000;

/// `GET /api/jobs`: in order of creation; with `?limit=` the newest of them.
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<impl IntoResponse> {
    let limit = query.number("limit", PAGE)?;
    let mut jobs = app
        .store
        .jobs(&JobsQuery {
            kind: kind_of(&query)?,
            status: query.word("status")?,
            limit,
            newest_first: limit.is_some(),
        })
        .await?;
    if limit.is_some() {
        jobs.reverse();
    }
    // Put together as text: the parts are texts already, and most of them are kept.
    let mut body = String::from("{\"jobs\":[");
    for (index, job) in jobs.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&app.shown.text(job).await?);
    }
    body.push_str("],\"count\":");
    body.push_str(&jobs.len().to_string());
    body.push('}');
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// `?kind=`: downloads unless another kind, or `all`, is asked for.
fn kind_of(query: &QueryFields) -> ApiResult<Option<JobKind>> {
    match query.text("kind") {
        None => Ok(Some(JobKind::Download)),
        Some("all") => Ok(None),
        Some(_) => query.word("kind"),
    }
}

/// `GET /api/jobs/{id}`
pub async fn show(State(app): State<AppState>, JobPath(id): JobPath) -> ApiResult<impl IntoResponse> {
    let job = find(&app, id).await?;
    let files = app.store.files(&job.id, FILES_OF_ONE, 0).await?;
    let body = text_of(&JobView::new(&job, &files));
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// `GET /api/jobs/{id}/files?limit=&offset=`: all files, by path.
pub async fn files(
    State(app): State<AppState>,
    JobPath(id): JobPath,
    query: QueryFields,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", PAGE)?.unwrap_or(FILES_OF_ONE);
    let offset = query.number("offset", 0..=i64::MAX)?.unwrap_or(0);
    let job = find(&app, id).await?;
    let files = app.store.files(&job.id, limit, offset).await?;
    let files: Vec<FileView> = files.iter().map(FileView::from).collect();
    Ok(Json(
        json!({"files": files, "total": job.total_files, "limit": limit, "offset": offset}),
    ))
}

pub(super) async fn find(app: &App, id: Option<JobId>) -> ApiResult<Job> {
    match id {
        Some(id) => app.store.job(&id).await?.ok_or_else(unknown),
        None => Err(unknown()),
    }
}

pub(super) fn unknown() -> ApiError {
    ApiError::not_found("Job not found")
}

/// The answer to a command that was carried out.
#[derive(Serialize)]
pub struct Done {
    success: bool,
    message: &'static str,
}

/// `DELETE /api/jobs/{id}`
pub async fn cancel(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Cancel).await
}

/// `POST /api/jobs/{id}/pause`
pub async fn pause(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Pause).await
}

/// `POST /api/jobs/{id}/resume`
pub async fn resume(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Resume).await
}

/// `POST /api/jobs/{id}/dismiss`
pub async fn dismiss(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Dismiss).await
}

/// `POST /api/jobs/{id}/retry`
pub async fn retry(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Retry).await
}

async fn command(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JobPath(id): JobPath,
    change: Change,
) -> ApiResult<Json<Done>> {
    let Some(id) = id else {
        return Err(refused(change, &Refused::Unknown));
    };
    match app.store.change(&id, change, &actor).await? {
        Ok(()) => {
            app.engine.wake();
            let message = match change {
                Change::Pause => "Job paused",
                Change::Resume => "Job resumed",
                Change::Cancel => "Job cancelled",
                Change::Dismiss => "Job dismissed",
                Change::Retry => "Job restarted",
            };
            Ok(Json(Done {
                success: true,
                message,
            }))
        }
        Err(why) => Err(refused(change, &why)),
    }
}

/// The texts of the API documents; the details say what stands in the way.
fn refused(change: Change, why: &Refused) -> ApiError {
    let (status, text) = match (change, why) {
        (Change::Dismiss, Refused::Status(_)) => (
            StatusCode::CONFLICT,
            "Cannot dismiss an active job; cancel it first",
        ),
        (Change::Dismiss, _) => (StatusCode::NOT_FOUND, "Job not found"),
        (Change::Pause, _) => (StatusCode::NOT_FOUND, "Job not found or not running"),
        (Change::Resume, _) => (StatusCode::NOT_FOUND, "Job not found or not paused"),
        (Change::Cancel, _) => (StatusCode::NOT_FOUND, "Job not found or already completed"),
        (Change::Retry, _) => (StatusCode::NOT_FOUND, "Job not found or not retryable"),
    };
    let error = ApiError::new(status, text);
    match why {
        Refused::Unknown => error,
        Refused::Status(status) => error.details(format!("The job is {status}")),
        Refused::Twin(twin) => error.details(format!("Job {twin} does the same download and is live")),
    }
}
