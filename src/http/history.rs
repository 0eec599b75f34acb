//! `GET /api/history`: the ends of jobs, newest first. They stay when the job leaves the list.
//!
//! Also their files, sums by day, and the proof that nothing in it was changed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ApiResult};
use super::export::{self, Format};
use super::extract::QueryFields;
use super::state::AppState;
use super::wire::{Ends, Head, RowCursor, TimeOrDay};
use crate::clock::parse_rfc3339;
use crate::model::history::{ChainReport, HistoryDay, HistoryFile, HistoryRecord};
use crate::model::history_row::Seal;
use crate::model::state::{JobKind, JobStatus};
use crate::store::HistoryQuery;

/// Entries of an answer when the client names no limit, and at most.
pub(super) const LIMIT: (i64, i64) = (1000, 10_000);
/// Entries of a download at most: all.
const EXPORT_LIMIT: i64 = i64::MAX;
const DAY_MS: i64 = 86_400_000;

/// A page of the history.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    entries: Vec<HistoryRecord>,
    /// How many match in all.
    total: i64,
    /// Not in a download.
    #[schema(required = false)]
    limit: i64,
    /// Not in a download.
    #[schema(required = false)]
    offset: i64,
    /// For `?cursor=`: the page behind this one; null at the end. Rows that come meanwhile do not move it.
    #[schema(required = false)]
    next_cursor: Option<String>,
}

/// What the history can be asked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // Read by `QueryFields`; this describes them.
pub struct HistoryParams {
    /// Entries at most: 1000 unless told; a page has 10000 at most, a download all unless told.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Leave out so many of the newest.
    #[param(minimum = 0)]
    offset: Option<i64>,
    /// The `nextCursor` of the page before.
    #[param(inline, value_type = Option<RowCursor>)]
    cursor: Option<String>,
    /// `completed`, `failed`, `cancelled`; several with commas between.
    #[param(inline, value_type = Option<Ends>)]
    status: Option<String>,
    /// Part of the repo's id, in any case.
    repo: Option<String>,
    /// `download`, `mirror`, `verify` or `export`.
    #[param(inline, value_type = Option<JobKind>)]
    kind: Option<String>,
    /// Exactly this actor.
    actor: Option<String>,
    /// Exactly this category.
    category: Option<String>,
    /// Ended from this time on: RFC 3339, or a day in UTC.
    #[param(inline, value_type = Option<TimeOrDay>)]
    from: Option<String>,
    /// Ended before this time; a day counts to its end.
    #[param(inline, value_type = Option<TimeOrDay>)]
    to: Option<String>,
    /// Text in job id, repo, revision, commit, filters, tags, error, code or actor, in any case.
    q: Option<String>,
    /// `json`, `jsonl` or `csv`: the whole filtered history as a download.
    #[param(inline, value_type = Option<Format>)]
    format: Option<String>,
}

/// The ends of jobs, newest first.
#[utoipa::path(get, path = "/api/history", operation_id = "listHistory", tag = "history", params(HistoryParams), responses(
    (status = 200, description = "A page, or with `format` a download of everything that matches", content((HistoryPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))),
    (status = 400, description = "A parameter is wrong")
))]
pub async fn list(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Response> {
    let format = fields.word::<Format>("format")?;
    let kind = fields.word::<JobKind>("kind")?;
    let text = |name: &str| fields.text(name).map(str::to_owned);
    let mut query = HistoryQuery {
        statuses: statuses(&fields)?,
        repo: text("repo"),
        kind: kind.map(|kind| kind.as_str().to_owned()),
        actor: text("actor"),
        category: text("category"),
        from: time(&fields, "from", false)?,
        to: time(&fields, "to", true)?,
        text: text("q"),
        before: cursor(&fields)?,
        limit: 0,
        offset: fields.number("offset", 0..=i64::MAX)?.unwrap_or(0),
    };
    let history = app.store.history();
    if let Some(format) = format {
        let limit = fields.number("limit", 1..=EXPORT_LIMIT)?;
        let next = move |before: Option<i64>, limit: i64| {
            if before.is_some() {
                (query.before, query.offset) = (before, 0);
            }
            query.limit = limit;
            let (history, query) = (history.clone(), query.clone());
            async move { history.list(&query).await }
        };
        return Ok(export::download(format, "history", limit, next));
    }
    query.limit = fields
        .number("limit", 1..=i64::MAX)?
        .map_or(LIMIT.0, |limit| limit.min(LIMIT.1));
    let entries = history.list(&query).await?;
    let total = history.count(&query).await?;
    let page = HistoryPage {
        next_cursor: next_cursor(&entries, query.limit, |entry| entry.seq),
        entries,
        total,
        limit: query.limit,
        offset: query.offset,
    };
    Ok(Json(page).into_response())
}

/// Where the next page begins: behind the last entry of a full one.
pub(super) fn next_cursor<T>(entries: &[T], limit: i64, seq: impl Fn(&T) -> i64) -> Option<String> {
    let last = entries.last().filter(|_| entries.len() as i64 == limit)?;
    Some(seq(last).to_string())
}

/// `?cursor=`
pub(super) fn cursor(fields: &QueryFields) -> ApiResult<Option<i64>> {
    let wrong = || {
        ApiError::bad_request("Invalid cursor").details("cursor must be the nextCursor of an earlier answer")
    };
    let text = fields.text("cursor");
    text.map(|text| text.parse().map_err(|_| wrong())).transpose()
}

fn statuses(fields: &QueryFields) -> ApiResult<Vec<String>> {
    let wrong = |why: String| ApiError::bad_request("Invalid status").details(why);
    let words = fields
        .text("status")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(|word| match word.parse::<JobStatus>() {
            Ok(status) if status.is_terminal() => Ok(status.as_str().to_owned()),
            Ok(status) => Err(wrong(format!(
                "History has ends of jobs: completed, failed, cancelled; not {status}"
            ))),
            Err(error) => Err(wrong(error.to_string())),
        })
        .collect()
}

/// A time of the query: RFC 3339, or a day; a day as an upper bound counts to its end.
pub(super) fn time(fields: &QueryFields, name: &str, to_its_end: bool) -> ApiResult<Option<i64>> {
    let Some(text) = fields.text(name) else {
        return Ok(None);
    };
    let day = |text: &str| {
        let start = parse_rfc3339(&format!("{text}T00:00:00Z"))?;
        Ok(start + if to_its_end { DAY_MS } else { 0 })
    };
    let read = if text.len() == "2026-11-22".len() {
        day(text)
    } else {
        // A plus that was not escaped in the URL comes as a blank.
        parse_rfc3339(&text.replace(' ', "+"))
    };
    let wrong = |why: String| ApiError::bad_request(format!("Invalid {name}")).details(why);
    read.map(Some).map_err(wrong)
}

/// Files of an ended job.
#[derive(Serialize, ToSchema)]
pub struct HistoryFiles {
    files: Vec<HistoryFile>,
    total: i64,
    limit: i64,
    offset: i64,
}

/// The files of one end by path, as they were then.
#[utoipa::path(get, path = "/api/history/{seq}/files", operation_id = "listHistoryFiles", tag = "history", params(
    ("seq" = i64, Path, description = "Number of the entry"),
    ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "1000 unless told"),
    ("offset" = Option<i64>, Query, minimum = 0, description = "Leave out so many")
), responses(
    (status = 200, description = "A page of its files", body = HistoryFiles),
    (status = 404, description = "There is no such entry")
))]
pub async fn files(
    State(app): State<AppState>,
    Path(seq): Path<String>,
    fields: QueryFields,
) -> ApiResult<Json<HistoryFiles>> {
    let unknown = || ApiError::not_found("History entry not found");
    let seq = seq.parse().map_err(|_| unknown())?;
    let limit = fields.number("limit", 1..=LIMIT.1)?.unwrap_or(LIMIT.0);
    let offset = fields.number("offset", 0..=i64::MAX)?.unwrap_or(0);
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = app
        .store
        .history()
        .files(seq, count(limit), count(offset))
        .await?;
    let (files, total) = page.ok_or_else(unknown)?;
    Ok(Json(HistoryFiles {
        files,
        total,
        limit,
        offset,
    }))
}

/// Sums by day.
#[derive(Serialize, ToSchema)]
pub struct HistoryStats {
    days: Vec<HistoryDay>,
}

/// What was fetched and what ended on each day (UTC), oldest first.
#[utoipa::path(get, path = "/api/history/stats", operation_id = "sumHistory", tag = "history", params(
    ("from" = inline(Option<TimeOrDay>), Query, description = "RFC 3339, or a day in UTC"),
    ("to" = inline(Option<TimeOrDay>), Query, description = "The same; a day counts to its end")
), responses(
    (status = 200, description = "The days on which something ended", body = HistoryStats),
    (status = 400, description = "A time is wrong")
))]
pub async fn stats(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<HistoryStats>> {
    let (from, to) = (time(&fields, "from", false)?, time(&fields, "to", true)?);
    let days = app.store.history().days(from, to).await?;
    Ok(Json(HistoryStats { days }))
}

/// Proves that no row of history and events was changed, removed, inserted or moved.
#[utoipa::path(get, path = "/api/history/verify", operation_id = "verifyHistory", tag = "history", params(
    ("head" = inline(Option<Head>), Query, description = "A head that was noted earlier: some row has to have it")
), responses(
    (status = 200, description = "The verdict, good or bad", body = ChainReport),
    (status = 400, description = "The head is no SHA-256 in hex")
))]
pub async fn verify(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<ChainReport>> {
    let noted = fields.text("head").map(seal_of).transpose()?;
    Ok(Json(app.store.history().verify(noted).await?))
}

fn seal_of(text: &str) -> ApiResult<Seal> {
    let blob: Option<crate::model::repo::BlobId> = text.parse().ok().filter(|_| text.len() == 64);
    let digits = blob.map(|blob| blob.to_string()).unwrap_or_default();
    let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok())
        .collect();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ApiError::bad_request("Invalid head").details("head must be 64 hex digits"))
}
