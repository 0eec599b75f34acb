//! `GET /api/search`: models and datasets of the Hub. `GET /api/ratelimit`: what is left of its
//! patience.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::AppState;
use super::upstream;
use crate::clock::rfc3339;
use crate::disk;
use crate::hub::{BucketState, Found, SearchQuery};
use crate::model::code::Code;
use crate::model::repo::RepoType;

/// Longest time for a search.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest time for a look into the cache; after that the marks are left out.
const DISK_PATIENCE: Duration = Duration::from_secs(2);
/// Results when the client names no limit, and at most.
const LIMIT: (i64, i64) = (20, 100);
/// Most characters of a text to search for, and of one filter.
const TEXT_MAX: usize = 200;
/// Most filters.
const FILTERS_MAX: usize = 20;
/// Longest cursor.
const CURSOR_MAX: usize = 2048;
/// What results can be sorted by; the first is the default.
const SORTS: [&str; 5] = ["downloads", "likes", "lastModified", "trendingScore", "createdAt"];
const FAILED: &str = "Upstream request failed";

/// `?q=&sort=&limit=&filter=&author=&datasets=&cursor=`
pub async fn find(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<Value>> {
    let query = read(&fields)?;
    let hub = app.engine.hub();
    let page = upstream::wait(&app, FAILED, PATIENCE, hub.search(&query))
        .await
        .map_err(as_gateway)?;
    let cached = cached(&app, query.repo_type, &page.results).await;
    let results: Vec<Value> = page
        .results
        .iter()
        .zip(cached)
        .map(|(found, cached)| view(found, cached))
        .collect();
    Ok(Json(json!({
        "total": results.len(),
        "results": results,
        "query": query.text.unwrap_or_default(),
        "datasets": query.repo_type == RepoType::Dataset,
        "sort": query.sort,
        "limit": query.limit,
        "nextCursor": page.next,
    })))
}

fn read(fields: &QueryFields) -> ApiResult<SearchQuery> {
    let short = |name: &str, most: usize| match fields.text(name) {
        Some(text) if text.chars().count() > most => Err(ApiError::bad_request(format!("Invalid {name}"))
            .details(format!("{name} must have at most {most} characters"))),
        text => Ok(text.map(str::to_owned)),
    };
    let sort = match fields.text("sort") {
        None => SORTS[0],
        Some(word) => SORTS.into_iter().find(|sort| *sort == word).ok_or_else(|| {
            ApiError::bad_request("Invalid sort").details(format!("sort must be one of {}", SORTS.join(", ")))
        })?,
    };
    let filters: Vec<String> = short("filter", FILTERS_MAX * TEXT_MAX)?
        .unwrap_or_default()
        .split(',')
        .map(|filter| filter.trim().to_owned())
        .filter(|filter| !filter.is_empty())
        .collect();
    if filters.len() > FILTERS_MAX {
        return Err(ApiError::bad_request("Invalid filter")
            .details(format!("filter must name at most {FILTERS_MAX} tags")));
    }
    // A larger limit is cut, as other servers of this API do.
    let limit = fields.number("limit", 1..=i64::MAX)?.unwrap_or(LIMIT.0);
    Ok(SearchQuery {
        repo_type: if fields.flag("datasets")?.unwrap_or(false) {
            RepoType::Dataset
        } else {
            RepoType::Model
        },
        text: short("q", TEXT_MAX)?,
        author: short("author", TEXT_MAX)?,
        filters,
        sort,
        limit: limit.min(LIMIT.1) as u32,
        cursor: short("cursor", CURSOR_MAX)?,
    })
}

/// Whatever the Hub refuses, the search is what failed: only its call for patience is passed on.
fn as_gateway(error: ApiError) -> ApiError {
    match error.code() {
        Some(Code::BadResponse) => error.message("Failed to parse upstream response"),
        Some(Code::RateLimited | Code::Stalled | Code::Internal) | None => error,
        Some(_) => error.with_status(StatusCode::BAD_GATEWAY),
    }
}

/// Which of `results` lie in the cache, as far as the names of its folders tell.
async fn cached(app: &AppState, repo_type: RepoType, results: &[Found]) -> Vec<bool> {
    let hub_dir = app.settings.get().cache.hub.clone();
    let ids: Vec<_> = results.iter().map(|found| found.id.clone()).collect();
    let looked = tokio::task::spawn_blocking(move || {
        ids.iter()
            .map(|id| disk::has_snapshot(&hub_dir, repo_type, id))
            .collect()
    });
    match tokio::time::timeout(DISK_PATIENCE, looked).await {
        Ok(Ok(found)) => found,
        _ => vec![false; results.len()],
    }
}

fn view(found: &Found, cached: bool) -> Value {
    json!({
        "id": found.id,
        "author": found.author,
        "downloads": found.downloads,
        "likes": found.likes,
        "trendingScore": found.trending_score.unwrap_or(0),
        "private": found.private,
        "gated": found.gate,
        "pipelineTag": found.pipeline_tag.as_deref().unwrap_or_default(),
        "libraryName": found.library_name.as_deref().unwrap_or_default(),
        "tags": found.tags,
        "lastModified": found.last_modified.as_deref().unwrap_or_default(),
        "createdAt": found.created_at.as_deref().unwrap_or_default(),
        "cached": cached,
        "cacheSource": if cached { "HF cache" } else { "" },
        // The folder does not tell whether everything is there.
        "cacheStatus": if cached { "unknown" } else { "" },
    })
}

/// `GET /api/ratelimit`: the Hub's windows as last heard.
pub async fn ratelimit(State(app): State<AppState>) -> Json<Value> {
    let buckets: Vec<Value> = app.engine.budget().snapshot().iter().map(bucket).collect();
    Json(json!({
        "endpoint": app.settings.get().endpoint.as_str().trim_end_matches('/'),
        "buckets": buckets,
    }))
}

fn bucket(state: &BucketState) -> Value {
    let waiting = state.waiting_until.map(|until| {
        let since = until.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        rfc3339(since.as_millis() as i64)
    });
    json!({
        "bucket": state.bucket.as_str(),
        "quota": state.quota,
        "remaining": state.remaining,
        "resetSeconds": state.reset_seconds,
        "waitingUntil": waiting,
    })
}
