//! `GET /api/history`: the ends of jobs, newest first. They stay when the job leaves the list.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiResult;
use super::extract::QueryFields;
use super::state::AppState;
use super::views::HistoryView;
use crate::model::state::JobStatus;
use crate::store::HistoryQuery;

/// Entries of an answer when the client names no limit, and at most.
const LIMIT: (i64, i64) = (1000, 10_000);

/// Ends of jobs.
#[derive(Serialize, ToSchema)]
pub struct HistoryPage<'a> {
    /// Newest first.
    entries: Vec<HistoryView<'a>>,
    /// How many fit the question.
    total: i64,
    limit: i64,
    offset: i64,
}

/// The ends of jobs, newest first
#[utoipa::path(
    get, path = "/api/history", tag = "history", operation_id = "listHistory",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "1,000 by default"),
        ("offset" = Option<i64>, Query, minimum = 0, description = "Entries to leave out at the beginning"),
        ("status" = Option<JobStatus>, Query, description = "Only those that ended so"),
        ("repo" = Option<String>, Query, description = "Only those of this repo"),
    ),
    responses((status = 200, description = "The entries", body = HistoryPage))
)]
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<impl IntoResponse> {
    let query = HistoryQuery {
        status: query.word("status")?,
        repo: query.text("repo").map(str::to_owned),
        limit: query.number("limit", 1..=LIMIT.1)?.unwrap_or(LIMIT.0),
        offset: query.number("offset", 0..=i64::MAX)?.unwrap_or(0),
    };
    let (entries, total) = app.store.history(&query).await?;
    let page = HistoryPage {
        entries: entries.iter().map(HistoryView::from).collect(),
        total,
        limit: query.limit,
        offset: query.offset,
    };
    Ok(Json(page).into_response())
}
