//! The list of jobs, one job, and the commands on it.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::OptionalBody;
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, JobPath, QueryFields};
use super::request::connections_of;
use super::shown::json as text_of;
use super::state::{App, AppState};
use super::views::{FileView, JobView};
use super::wire::{Codes, KindOrAll, Statuses};
use crate::model::arrange::Arrangement;
use crate::model::job::JobId;
use crate::model::state::JobKind;
use crate::store::{Change, Job, JobFilter, JobsQuery, Refused};

/// Files that the answer for one job carries.
const FILES_OF_ONE: i64 = 1000;
/// Rows that one page may have.
const PAGE: std::ops::RangeInclusive<i64> = 1..=10_000;

/// Jobs. The answer is put together from texts; this describes it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct JobList<'a> {
    /// In order of creation, each with at most 64 of its files.
    pub jobs: Vec<JobView<'a>>,
    /// How many are in this answer.
    pub count: u64,
    /// How many there are.
    pub total: u64,
    /// Leads to the next older page; `null` on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What follows the jobs of an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Paging<'a> {
    count: usize,
    total: i64,
    next_cursor: Option<&'a str>,
}

/// Jobs in order of creation
///
/// With `limit` a page of them: the newest first of all, and each page in order of creation.
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", operation_id = "listJobs",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "Only the newest"),
        ("offset" = Option<i64>, Query, minimum = 0, description = "Leave out so many of the newest"),
        ("cursor" = inline(Option<JobId>), Query, description = "`nextCursor` of the page before"),
        ("status" = inline(Option<Statuses>), Query, description = "Only those with one of these statuses, with commas between"),
        ("category" = Option<String>, Query, description = "Only those of this category"),
        ("tag" = Option<String>, Query, description = "Only those with this tag"),
        ("q" = Option<String>, Query, description = "Only those with this text in repo, category or a tag"),
        ("errorCode" = inline(Option<Codes>), Query, description = "Only those that ended with one of these codes, with commas between"),
        ("kind" = inline(Option<KindOrAll>), Query, description = "`download` (default), `mirror`, `verify`, `export` or `all`"),
    ),
    responses(
        (status = 200, description = "The jobs", body = JobList),
        (status = 404, description = "The job that the cursor names is not known any more"),
    )
)]
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<impl IntoResponse> {
    let limit = query.number("limit", PAGE)?;
    let offset = query.number("offset", 0..=i64::MAX)?;
    let cursor = match query.text("cursor") {
        None => None,
        Some(text) => Some(before(&app, text).await?),
    };
    let filter = filter_of(&query)?;
    let paged = limit.is_some() || offset.is_some() || cursor.is_some();
    let mut jobs = app
        .store
        .jobs(&JobsQuery {
            filter: filter.clone(),
            // One more than the page: is there another?
            limit: limit.map(|limit| limit + 1),
            offset: offset.unwrap_or(0),
            after: cursor,
            newest_first: paged,
        })
        .await?;
    let has_more = limit.is_some_and(|limit| jobs.len() as i64 > limit);
    if has_more {
        jobs.pop();
    }
    if paged {
        jobs.reverse();
    }
    let total = if paged {
        app.store.count_jobs(&filter).await?
    } else {
        jobs.len() as i64
    };
    let next = jobs.first().map(|job| job.id.as_str()).filter(|_| has_more);
    let moment = app.shown.moment().await?;
    // Put together as text: the parts are texts already, and most of them are kept.
    let mut body = String::from("{\"jobs\":[");
    for (index, job) in jobs.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&app.shown.text(job, moment.standing(job)).await?);
    }
    let rest = text_of(&Paging {
        count: jobs.len(),
        total,
        next_cursor: next,
    });
    body.push_str("],");
    body.push_str(&rest[1..]);
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// What `?kind=&status=&category=&tag=&q=` narrow a list to; `status` is one word or several with
/// commas between.
fn filter_of(query: &QueryFields) -> ApiResult<JobFilter> {
    let text = |name| query.text(name).map(str::to_owned);
    Ok(JobFilter {
        kind: kind_of(query)?,
        statuses: query.words("status")?,
        category: text("category"),
        tag: text("tag"),
        text: text("q"),
        error_codes: query.words("errorCode")?,
    })
}

/// The sequence number that a cursor stands for.
async fn before(app: &App, cursor: &str) -> ApiResult<i64> {
    let wrong = || {
        ApiError::bad_request("Invalid cursor").details("cursor must be the nextCursor of an earlier answer")
    };
    let id: JobId = cursor.parse().map_err(|_| wrong())?;
    app.store.seq_of(&id).await?.ok_or_else(|| {
        ApiError::not_found("Unknown cursor")
            .details("The job that the cursor names is not known any more")
            .hint("Begin again without a cursor.")
    })
}

/// `?kind=`: downloads unless another kind, or `all`, is asked for.
pub(super) fn kind_of(query: &QueryFields) -> ApiResult<Option<JobKind>> {
    match query.text("kind") {
        None => Ok(Some(JobKind::Download)),
        Some("all") => Ok(None),
        Some(_) => query.word("kind"),
    }
}

/// One job, with at most 1,000 of its files
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs", operation_id = "getJob",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "No such job"),
    )
)]
pub async fn show(State(app): State<AppState>, JobPath(id): JobPath) -> ApiResult<impl IntoResponse> {
    let job = find(&app, id).await?;
    let files = app.store.files(&job.id, FILES_OF_ONE, 0).await?;
    let standing = app.shown.standing(&job).await?;
    let body = text_of(&JobView::new(&job, &files).within(standing));
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// Files of a job.
#[derive(Serialize, ToSchema)]
pub struct JobFiles<'a> {
    /// By path.
    files: Vec<FileView<'a>>,
    /// How many the job has.
    total: i64,
    limit: i64,
    offset: i64,
}

/// All files of a job, by path
#[utoipa::path(
    get, path = "/api/jobs/{id}/files", tag = "jobs", operation_id = "listJobFiles",
    params(
        ("id" = JobId, Path, description = "The job"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "1,000 by default"),
        ("offset" = Option<i64>, Query, minimum = 0, description = "Files to leave out at the beginning"),
    ),
    responses(
        (status = 200, description = "The files", body = JobFiles),
        (status = 404, description = "No such job"),
    )
)]
pub async fn files(
    State(app): State<AppState>,
    JobPath(id): JobPath,
    query: QueryFields,
) -> ApiResult<impl IntoResponse> {
    let limit = query.number("limit", PAGE)?.unwrap_or(FILES_OF_ONE);
    let offset = query.number("offset", 0..=i64::MAX)?.unwrap_or(0);
    let job = find(&app, id).await?;
    let files = app.store.files(&job.id, limit, offset).await?;
    let answer = JobFiles {
        files: files.iter().map(FileView::hashed).collect(),
        total: job.all_files(),
        limit,
        offset,
    };
    Ok(Json(answer).into_response())
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
#[derive(Serialize, ToSchema)]
pub struct Done {
    /// Always `true`.
    success: bool,
    /// What was done.
    message: &'static str,
}

/// Cancels a job and deletes its partial files
#[utoipa::path(
    delete, path = "/api/jobs/{id}", tag = "jobs", operation_id = "cancelJob",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Done", body = Done),
        (status = 404, description = "No such job, or it has ended"),
    )
)]
pub async fn cancel(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Cancel).await
}

/// Pauses a job; what was fetched stays
#[utoipa::path(
    post, path = "/api/jobs/{id}/pause", tag = "jobs", operation_id = "pauseJob",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Done", body = Done),
        (status = 404, description = "No such job, or it is neither queued nor running"),
    )
)]
pub async fn pause(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Pause).await
}

/// Goes on with a paused job
#[utoipa::path(
    post, path = "/api/jobs/{id}/resume", tag = "jobs", operation_id = "resumeJob",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Done", body = Done),
        (status = 404, description = "No such job, or it is not paused"),
    )
)]
pub async fn resume(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Resume).await
}

/// Takes an ended job off the list
#[utoipa::path(
    post, path = "/api/jobs/{id}/dismiss", tag = "jobs", operation_id = "dismissJob",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Done", body = Done),
        (status = 404, description = "No such job"),
        (status = 409, description = "The job has not ended; cancel it first"),
    )
)]
pub async fn dismiss(app: State<AppState>, actor: Actor, id: JobPath) -> ApiResult<Json<Done>> {
    command(app, actor, id, Change::Dismiss).await
}

/// What a job has otherwise when it is tried again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RetryRequest {
    /// Connections of all its files together at most; `null` = no limit of its own. As before when
    /// it is missing.
    #[schema(minimum = 1, maximum = 64)]
    pub connections: Option<i64>,
}

/// Queues a failed or cancelled job again
#[utoipa::path(
    post, path = "/api/jobs/{id}/retry", tag = "jobs", operation_id = "retryJob",
    params(("id" = JobId, Path, description = "The job")),
    request_body = Option<RetryRequest>,
    responses(
        (status = 200, description = "Done", body = Done),
        (status = 400, description = "A wrong number of connections"),
        (status = 404, description = "No such job, it did not fail, or the same download is live"),
    )
)]
pub async fn retry(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JobPath(id): JobPath,
    OptionalBody(body): OptionalBody<Map<String, Value>>,
) -> ApiResult<Json<Done>> {
    let connections = match body.as_ref().and_then(|body| body.get("connections")) {
        None => None,
        Some(Value::Null) => Some(None),
        Some(number) => Some(Some(connections_of(number)?)),
    };
    let new = Arrangement {
        connections,
        ..Arrangement::default()
    };
    let id = id.ok_or_else(|| refused(Change::Retry, &Refused::Unknown))?;
    let done = app.store.retry_with(&id, &new, &actor).await?;
    answer(&app, Change::Retry, done)
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
    let done = app.store.change(&id, change, &actor).await?;
    answer(&app, change, done)
}

/// What the client hears of a command.
fn answer(app: &App, change: Change, done: Result<(), Refused>) -> ApiResult<Json<Done>> {
    match done {
        Ok(()) => {
            app.engine.wake();
            let message = match change {
                Change::Pause => "Job paused",
                Change::Resume => "Job resumed",
                Change::Cancel => "Job cancelled",
                Change::Dismiss => "Job dismissed",
                Change::Retry => "Job restarted",
                Change::Hold => "Job held",
                Change::Start => "Job moved to the top",
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
        (Change::Hold, _) => (StatusCode::NOT_FOUND, "Job not found or not queued"),
        (Change::Start, _) => (StatusCode::NOT_FOUND, "Job not found or not waiting"),
        (Change::Retry, _) => (StatusCode::NOT_FOUND, "Job not found or not retryable"),
    };
    let error = ApiError::new(status, text);
    match why {
        Refused::Unknown => error,
        Refused::Status(status) => error.details(format!("The job is {status}")),
        Refused::Twin(twin) => error.details(format!("Job {twin} does the same download and is live")),
    }
}
