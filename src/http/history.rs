//! `GET /api/history`: the ends of jobs, newest first. They stay when the job leaves the list.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::error::ApiResult;
use super::extract::QueryFields;
use super::state::AppState;
use super::views::HistoryView;
use crate::store::HistoryQuery;

/// Entries of an answer when the client names no limit, and at most.
const LIMIT: (i64, i64) = (1000, 10_000);

/// `?limit=&offset=&status=&repo=`
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<Value>> {
    let query = HistoryQuery {
        status: query.word("status")?,
        repo: query.text("repo").map(str::to_owned),
        limit: query.number("limit", 1..=LIMIT.1)?.unwrap_or(LIMIT.0),
        offset: query.number("offset", 0..=i64::MAX)?.unwrap_or(0),
    };
    let (entries, total) = app.store.history(&query).await?;
    let entries: Vec<HistoryView> = entries.iter().map(HistoryView::from).collect();
    Ok(Json(
        json!({"entries": entries, "total": total, "limit": query.limit, "offset": query.offset}),
    ))
}
