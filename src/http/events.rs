//! What happened: to one job (`GET /api/jobs/{id}/events`) and to all (`GET /api/history/events`).
//! Both outlive the job on the list.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ApiResult};
use super::export::{self, Format};
use super::extract::{JobPath, QueryFields};
use super::history::{LIMIT, cursor, next_cursor, time};
use super::jobs::unknown;
use super::state::AppState;
use super::wire::{Levels, RowCursor, TimeOrDay};
use crate::model::history::EventRecord;
use crate::model::job::JobId;
use crate::model::state::words;
use crate::store::EventsQuery;

words! {
    /// How much an event matters.
    Level {
        /// Goes as it should.
        Info = "info",
        /// hfdepot gets over it by itself, or waits.
        Warn = "warn",
        /// Ends a job.
        Error = "error",
    }
}

/// Events of one job.
#[derive(Serialize, ToSchema)]
pub struct JobEvents {
    /// Oldest first.
    events: Vec<EventRecord>,
    /// How many of them are in this answer.
    count: usize,
}

/// What happened to a job, oldest first.
#[utoipa::path(get, path = "/api/jobs/{id}/events", operation_id = "listJobEvents", tag = "jobs", params(
    ("id" = JobId, Path, description = "Id of the job; it may have left the list"),
    ("after" = Option<i64>, Query, minimum = 0, description = "Only after the event with this `seq`"),
    ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "1000 unless told"),
    ("level" = inline(Option<Levels>), Query, description = "`info`, `warn`, `error`; several with commas between")
), responses(
    (status = 200, description = "Its events", body = JobEvents),
    (status = 400, description = "A parameter is wrong"),
    (status = 404, description = "Nothing ever happened to such a job")
))]
pub async fn of_job(
    State(app): State<AppState>,
    JobPath(id): JobPath,
    fields: QueryFields,
) -> ApiResult<Json<JobEvents>> {
    let limit = fields.number("limit", 1..=LIMIT.1)?.unwrap_or(LIMIT.0);
    let after = fields.number("after", 0..=i64::MAX)?.unwrap_or(0);
    let levels = levels(&fields)?;
    let id = id.ok_or_else(unknown)?;
    let events = app.store.events(&id, &levels, after, limit).await?;
    if events.is_empty() && app.store.events(&id, &[], 0, 1).await?.is_empty() {
        return Err(unknown());
    }
    let count = events.len();
    Ok(Json(JobEvents { events, count }))
}

fn levels(fields: &QueryFields) -> ApiResult<Vec<String>> {
    let words = fields.text("level").unwrap_or_default().split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(|word| match word.parse::<Level>() {
            Ok(level) => Ok(level.as_str().to_owned()),
            Err(error) => Err(ApiError::bad_request("Invalid level").details(error.to_string())),
        })
        .collect()
}

/// A page of events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsPage {
    /// Newest first.
    entries: Vec<EventRecord>,
    /// Not in a download.
    #[schema(required = false)]
    limit: i64,
    /// For `?cursor=`: the page behind this one; null at the end.
    #[schema(required = false)]
    next_cursor: Option<String>,
}

/// What the events can be asked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // Read by `QueryFields`; this describes them.
pub struct EventsParams {
    /// Entries at most: 1000 unless told; a page has 10000 at most, a download all unless told.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    #[param(inline, value_type = Option<RowCursor>)]
    cursor: Option<String>,
    /// Only of this job.
    #[param(inline, value_type = Option<JobId>)]
    job: Option<String>,
    /// Part of the repo's id, in any case.
    repo: Option<String>,
    /// Exactly this actor.
    actor: Option<String>,
    /// `info`, `warn`, `error`; several with commas between.
    #[param(inline, value_type = Option<Levels>)]
    level: Option<String>,
    /// From this time on: RFC 3339, or a day in UTC.
    #[param(inline, value_type = Option<TimeOrDay>)]
    from: Option<String>,
    /// Before this time; a day counts to its end.
    #[param(inline, value_type = Option<TimeOrDay>)]
    to: Option<String>,
    /// Text in event, sentence, code, host or job id, in any case.
    q: Option<String>,
    /// `json`, `jsonl` or `csv`: all filtered events as a download.
    #[param(inline, value_type = Option<Format>)]
    format: Option<String>,
}

/// What happened to all jobs, newest first: who did what, and when.
#[utoipa::path(get, path = "/api/history/events", operation_id = "listEvents", tag = "history", params(EventsParams), responses(
    (status = 200, description = "A page, or with `format` a download of everything that matches", content((EventsPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))),
    (status = 400, description = "A parameter is wrong")
))]
pub async fn of_all(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Response> {
    let text = |name: &str| fields.text(name).map(str::to_owned);
    let mut query = EventsQuery {
        job: fields.word::<JobId>("job")?,
        repo: text("repo"),
        actor: text("actor"),
        levels: levels(&fields)?,
        text: text("q"),
        from: time(&fields, "from", false)?,
        to: time(&fields, "to", true)?,
        before: cursor(&fields)?,
        limit: 0,
    };
    let history = app.store.history();
    if let Some(format) = fields.word::<Format>("format")? {
        let limit = fields.number("limit", 1..=i64::MAX)?;
        let next = move |before: Option<i64>, limit: i64| {
            query.before = before.or(query.before);
            query.limit = limit;
            let (history, query) = (history.clone(), query.clone());
            async move { history.events(&query).await }
        };
        return Ok(export::download(format, "events", limit, next));
    }
    query.limit = fields
        .number("limit", 1..=i64::MAX)?
        .map_or(LIMIT.0, |limit| limit.min(LIMIT.1));
    let entries = history.events(&query).await?;
    let page = EventsPage {
        next_cursor: next_cursor(&entries, query.limit, |entry| entry.seq),
        entries,
        limit: query.limit,
    };
    Ok(Json(page).into_response())
}
