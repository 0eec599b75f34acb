//! Commands on many jobs, their order, and what users attach to them.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, object};
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, JobPath};
use super::jobs;
use super::shown::json as text_of;
use super::state::AppState;
use super::views::JobView;
use super::wire::{BulkBody, KindOrAll, LabelText, OrderBody, SizeText, TimeOrNone};
use crate::clock::parse_rfc3339;
use crate::model::arrange::{self, Arrangement, PRIORITIES};
use crate::model::code::Code;
use crate::model::job::JobId;
use crate::model::state::{JobKind, JobStatus};
use crate::store::{Bulk, BulkResult, Change, JobFilter, MoveTo, Refused};

/// Jobs that one request may name or match.
const JOBS_MAX: usize = 10_000;
/// Files that the answer for one job carries.
const FILES_OF_ONE: i64 = 1000;

/// What to do with each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BulkAction {
    /// Running jobs stop and keep their bytes; queued ones are held.
    Pause,
    /// Paused jobs go back into the queue.
    Resume,
    /// Queued jobs are taken out of the queue until they are resumed.
    Hold,
    /// Queued and paused jobs start next, whatever they waited for.
    Start,
    /// Live jobs are given up.
    Cancel,
    /// Failed and cancelled jobs go back into the queue.
    Retry,
    /// Ended and paused jobs leave the list.
    Dismiss,
    /// What the other fields of the request name is set.
    Set,
}

/// What jobs have in common; every field that is given must fit.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkFilter {
    /// Any of these statuses.
    #[serde(default)]
    #[schema(value_type = Vec<JobStatus>)]
    status: Vec<String>,
    /// A kind of job, or `all`; `download` when it is missing.
    #[schema(inline, value_type = Option<KindOrAll>)]
    kind: Option<String>,
    /// This category.
    category: Option<String>,
    /// This tag.
    tag: Option<String>,
    /// Text in repo, category or a tag.
    q: Option<String>,
    /// Any of these error codes.
    #[serde(default)]
    #[schema(value_type = Vec<Code>)]
    error_code: Vec<String>,
}

/// What to set; a missing field stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobPatch {
    /// Higher starts first; 0 is normal.
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<i64>,
    /// At most 64 characters; empty = none.
    #[schema(inline, value_type = Option<LabelText>)]
    category: Option<String>,
    /// At most 32 of at most 64 characters.
    #[schema(inline, value_type = Option<Vec<LabelText>>, max_items = 32)]
    tags: Option<Vec<String>>,
    /// Not started before, RFC 3339; `null` = at once.
    #[serde(default, deserialize_with = "given")]
    #[schema(inline, value_type = Option<TimeOrNone>)]
    not_before: Option<Option<String>>,
    /// Bytes a second, such as `5MiB`; empty = no limit of its own.
    #[schema(inline, value_type = Option<SizeText>)]
    max_speed: Option<String>,
    /// Connections of all its files together at most; `null` = no limit of its own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 64)]
    connections: Option<Option<i64>>,
}

/// A field that is there, be it `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(json: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(json).map(Some)
}

/// One command for many jobs: `ids` or `filter`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkRequest {
    action: BulkAction,
    /// At most 10,000.
    #[serde(default)]
    #[schema(max_items = 10_000)]
    ids: Option<Vec<String>>,
    #[serde(default, deserialize_with = "object")]
    filter: Option<BulkFilter>,
    /// For the action `set`.
    #[serde(flatten)]
    set: JobPatch,
}

/// What became of one job.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkItem {
    id: String,
    ok: bool,
    /// Its status now.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same as a word: `unknown`, `status` or `twin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// What became of all of them, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkDone {
    results: Vec<BulkItem>,
    /// How many changed.
    done: usize,
    /// How many did not.
    refused: usize,
    /// Whether more jobs match the filter than one request may change: send it again.
    more: bool,
}

/// Does the same with many jobs
///
/// Each job has a result of its own; one that is refused does not hold the others up.
#[utoipa::path(
    post, path = "/api/jobs/bulk", tag = "jobs", operation_id = "changeJobs",
    request_body = BulkBody,
    responses(
        (status = 200, description = "What became of each", body = BulkDone),
        (status = 400, description = "Neither or both of ids and filter, too many ids, or a wrong field"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(body): JsonBody<BulkRequest>,
) -> ApiResult<Json<BulkDone>> {
    let bulk = match body.action {
        BulkAction::Pause => Bulk::Change(Change::Pause),
        BulkAction::Resume => Bulk::Change(Change::Resume),
        BulkAction::Hold => Bulk::Change(Change::Hold),
        BulkAction::Start => Bulk::Change(Change::Start),
        BulkAction::Cancel => Bulk::Change(Change::Cancel),
        BulkAction::Retry => Bulk::Change(Change::Retry),
        BulkAction::Dismiss => Bulk::Change(Change::Dismiss),
        BulkAction::Set => Bulk::Set(arrangement(body.set)?),
    };
    let (texts, more) = match (body.ids, body.filter) {
        (Some(ids), None) if ids.len() > JOBS_MAX => {
            return Err(wrong("ids", format!("{} are more than {JOBS_MAX}", ids.len())));
        }
        (Some(ids), None) => {
            let mut seen = HashSet::new();
            let once = ids.into_iter().filter(|id| seen.insert(id.clone()));
            (once.collect::<Vec<_>>(), false)
        }
        (None, Some(filter)) => {
            let mut ids = app
                .store
                .job_ids(&job_filter(filter)?, JOBS_MAX as i64 + 1)
                .await?;
            let more = ids.len() > JOBS_MAX;
            ids.truncate(JOBS_MAX);
            (ids, more)
        }
        _ => {
            return Err(ApiError::bad_request("Missing required field: ids or filter")
                .details("Give one of the two: ids names the jobs, filter says what they have in common"));
        }
    };
    let ids: Vec<JobId> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    let mut known = app.store.change_many(&ids, &bulk, &actor).await?.into_iter();
    let results: Vec<BulkItem> = texts
        .into_iter()
        .map(|text| match text.parse::<JobId>() {
            // What is no id names no job.
            Err(_) => item(text, Err(Refused::Unknown)),
            Ok(_) => item(text, known.next().unwrap_or(Err(Refused::Unknown))),
        })
        .collect();
    let done = results.iter().filter(|item| item.ok).count();
    if done > 0 {
        app.engine.wake();
    }
    Ok(Json(BulkDone {
        done,
        refused: results.len() - done,
        results,
        more,
    }))
}

fn item(id: String, result: BulkResult) -> BulkItem {
    let (status, error, reason) = match result {
        Ok(status) => (Some(status.as_str()), None, None),
        Err(Refused::Unknown) => (None, Some("Job not found".to_owned()), Some("unknown")),
        Err(Refused::Status(status)) => (
            Some(status.as_str()),
            Some(format!("Not possible: the job is {status}")),
            Some("status"),
        ),
        Err(Refused::Twin(twin)) => (
            None,
            Some(format!("Job {twin} does the same download and is live")),
            Some("twin"),
        ),
    };
    BulkItem {
        id,
        ok: reason.is_none(),
        status,
        error,
        reason,
    }
}

fn wrong(field: &str, why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!("Invalid {field}")).details(why.to_string())
}

fn job_filter(filter: BulkFilter) -> ApiResult<JobFilter> {
    let kind: Option<JobKind> = match filter.kind.as_deref() {
        None => Some(JobKind::Download),
        Some("all") => None,
        Some(word) => Some(word.parse().map_err(|why| wrong("kind", why))?),
    };
    let statuses: Result<Vec<JobStatus>, _> = filter.status.iter().map(|word| word.parse()).collect();
    let codes: Result<Vec<Code>, _> = filter.error_code.iter().map(|word| word.parse()).collect();
    Ok(JobFilter {
        kind,
        statuses: statuses.map_err(|why| wrong("status", why))?,
        category: filter.category,
        tag: filter.tag,
        text: filter.q.filter(|text| !text.trim().is_empty()),
        error_codes: codes.map_err(|why| wrong("errorCode", why))?,
    })
}

fn arrangement(patch: JobPatch) -> ApiResult<Arrangement> {
    let not_before_at = match patch.not_before {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) if text.trim().is_empty() => Some(None),
        Some(Some(text)) => Some(Some(
            parse_rfc3339(text.trim()).map_err(|why| wrong("notBefore", why))?,
        )),
    };
    if let Some(priority) = patch.priority.filter(|priority| !PRIORITIES.contains(priority)) {
        let (low, high) = (PRIORITIES.start(), PRIORITIES.end());
        return Err(wrong(
            "priority",
            format!("priority must be a whole number from {low} to {high}, not {priority}"),
        ));
    }
    let label = |text: String| arrange::label(&text).map_err(|why| wrong("category", why));
    let tags =
        |tags: Vec<String>| arrange::tags(tags.iter().map(String::as_str)).map_err(|why| wrong("tags", why));
    let speed = |text: String| arrange::speed(&text).map_err(|why| wrong("maxSpeed", why));
    let connections = |number| arrange::connections(number).map_err(|why| wrong("connections", why));
    let set = Arrangement {
        category: patch.category.map(label).transpose()?,
        tags: patch.tags.map(tags).transpose()?,
        max_speed: patch.max_speed.map(speed).transpose()?,
        connections: patch
            .connections
            .map(|given| given.map(connections).transpose())
            .transpose()?,
        priority: patch.priority,
        not_before_at,
    };
    Ok(set)
}

/// Changes what is attached to a job
#[utoipa::path(
    patch, path = "/api/jobs/{id}", tag = "jobs", operation_id = "setJob",
    params(("id" = JobId, Path, description = "Id of the job")),
    request_body = JobPatch,
    responses(
        (status = 200, description = "The job as it is now", body = JobView),
        (status = 400, description = "A wrong field"),
        (status = 404, description = "No such job"),
    )
)]
pub async fn set(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JobPath(id): JobPath,
    JsonBody(patch): JsonBody<JobPatch>,
) -> ApiResult<impl IntoResponse> {
    let set = arrangement(patch)?;
    let id = id.ok_or_else(jobs::unknown)?;
    // Nothing to set is nothing to do: the answer is the job all the same.
    if !set.is_empty() {
        let done = app
            .store
            .change_many(std::slice::from_ref(&id), &Bulk::Set(set), &actor)
            .await?;
        if !matches!(done.as_slice(), [Ok(_)]) {
            return Err(jobs::unknown());
        }
        app.engine.wake();
    }
    let job = jobs::find(&app, Some(id)).await?;
    let files = app.store.files(&job.id, FILES_OF_ONE, 0).await?;
    let standing = app.shown.standing(&job).await?;
    let body = text_of(&JobView::new(&job, &files).within(standing));
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

/// Where jobs go: `to` or `before`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrderRequest {
    /// At most 10,000.
    #[schema(min_items = 1, max_items = 10_000)]
    ids: Vec<String>,
    #[serde(default)]
    to: Option<Direction>,
    /// Id of the job to stand before.
    #[serde(default)]
    before: Option<String>,
}

/// Where in the queue.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = QueueMove)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Before all others, in the order of the request.
    Top,
    /// One place up, together.
    Up,
    /// One place down, together.
    Down,
    /// Behind all others, in the order of the request.
    Bottom,
}

/// How many jobs moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moved {
    success: bool,
    moved: usize,
}

/// Changes the order of the queue
///
/// Only queued jobs move; a job that passes one of another priority takes that priority.
#[utoipa::path(
    post, path = "/api/jobs/order", tag = "jobs", operation_id = "orderJobs",
    request_body = OrderBody,
    responses(
        (status = 200, description = "They moved", body = Moved),
        (status = 400, description = "Neither or both of to and before, or no ids"),
        (status = 404, description = "None of the jobs is queued, or the one to stand before is not"),
    )
)]
pub async fn order(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(body): JsonBody<OrderRequest>,
) -> ApiResult<Json<Moved>> {
    if body.ids.is_empty() || body.ids.len() > JOBS_MAX {
        return Err(wrong(
            "ids",
            format!("give 1 to {JOBS_MAX} ids, not {}", body.ids.len()),
        ));
    }
    let not_queued = |which: &str| {
        ApiError::new(StatusCode::NOT_FOUND, "Job not found or not queued").details(which.to_owned())
    };
    const ANCHOR: &str = "The job to stand before has no place in the queue";
    let to = match (body.to, &body.before) {
        (Some(Direction::Top), None) => MoveTo::Top,
        (Some(Direction::Up), None) => MoveTo::Up,
        (Some(Direction::Down), None) => MoveTo::Down,
        (Some(Direction::Bottom), None) => MoveTo::Bottom,
        (None, Some(before)) => MoveTo::Before(before.parse().map_err(|_| not_queued(ANCHOR))?),
        _ => {
            return Err(ApiError::bad_request("Missing required field: to or before")
                .details("Give one of the two: to names a direction, before the job to stand before"));
        }
    };
    let ids: Vec<JobId> = body.ids.iter().filter_map(|text| text.parse().ok()).collect();
    match app.store.order(&ids, &to, &actor).await? {
        None => Err(not_queued(ANCHOR)),
        Some(0) => Err(not_queued("None of the jobs has a place in the queue")),
        Some(moved) => {
            app.engine.wake();
            Ok(Json(Moved { success: true, moved }))
        }
    }
}
