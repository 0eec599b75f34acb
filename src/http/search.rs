//! `GET /api/search`: models and datasets of the Hub. `GET /api/ratelimit`: what is left of its
//! patience.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::analyze::Gated;
use super::cache;
use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::kept::Kept;
use super::state::AppState;
use super::upstream;
use crate::clock::{now_ms, rfc3339};
use crate::hub::{Bucket, BucketState, Found, Gate, SearchPage, SearchQuery};
use crate::model::code::Code;
use crate::model::library::CachedRepo;
use crate::model::repo::{RepoId, RepoType};

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
/// How long results are kept for a Hub that gives none.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Pages of results kept at most; one of 100 results takes some 50 KiB.
const KEPT_PAGES: usize = 60;

/// Results of searches, by client and query.
pub type SearchPages = Kept<(u64, SearchQuery), Arc<SearchPage>>;

/// No page yet.
pub fn pages() -> SearchPages {
    Kept::new(KEPT_PAGES)
}

/// What results can be sorted by.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, missing_docs)] // Describes `SORTS`.
pub enum SearchSort {
    Downloads,
    Likes,
    LastModified,
    TrendingScore,
    CreatedAt,
}

/// One page of results.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    results: Vec<SearchResult>,
    /// Results on this page.
    total: usize,
    /// The text that was searched for.
    query: String,
    /// Whether datasets were.
    datasets: bool,
    sort: &'static str,
    limit: u32,
    /// Where the next page begins; `null` after the last.
    #[schema(required)]
    next_cursor: Option<String>,
    /// From when these results are, where the Hub gives none now; `null` for those of this moment.
    #[schema(required, format = DateTime)]
    stale_since: Option<String>,
}

/// A repo.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    id: RepoId,
    author: String,
    /// Of the last 30 days.
    downloads: u64,
    likes: u64,
    trending_score: u64,
    private: bool,
    #[schema(value_type = Gated)]
    gated: Gate,
    pipeline_tag: String,
    library_name: String,
    tags: Vec<String>,
    /// RFC 3339, or empty.
    last_modified: String,
    /// RFC 3339, or empty.
    created_at: String,
    /// Whether some of it is in the cache.
    cached: bool,
    cache_source: &'static str,
    /// `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest; empty when it is not here.
    cache_status: String,
}

/// Models or datasets of the Hub
#[utoipa::path(
    get, path = "/api/search", tag = "hub", operation_id = "searchHub",
    params(
        ("q" = Option<String>, Query, max_length = 200, description = "Part of the id"),
        ("sort" = Option<SearchSort>, Query, description = "`downloads` by default"),
        ("limit" = Option<i64>, Query, minimum = 1, description = "Results on a page; 20 by default, at most 100"),
        ("filter" = Option<String>, Query, max_length = 4000, description = "Tags that all results have, divided by commas; at most 20"),
        ("author" = Option<String>, Query, max_length = 200, description = "Namespace"),
        ("maxParameters" = Option<String>, Query, pattern = "^[0-9]{1,6}([.][0-9]{1,3})?[KMBT]$", description = "Only models of at most so many parameters, such as `8B`"),
        ("datasets" = Option<bool>, Query, description = "Datasets instead of models"),
        ("cursor" = Option<String>, Query, max_length = 2048, description = "`nextCursor` of the page before"),
        ("stale" = Option<bool>, Query, description = "Results of the last day will do when the Hub gives none; `staleSince` tells"),
    ),
    responses(
        (status = 200, description = "One page", body = SearchResults),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn find(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<SearchResults>> {
    let query = read(&fields)?;
    let will_do = fields.flag("stale")?.unwrap_or(false);
    let hub = app.engine.hub();
    let key = (hub.serial(), query.clone());
    let asked = upstream::wait(&app, FAILED, app.patience.search, hub.search(&query)).await;
    let (page, stale_since) = match asked {
        Ok(page) => {
            let page = Arc::new(page);
            app.search_pages.keep(key, page.clone());
            (page, None)
        }
        Err(error) => {
            let known = app.search_pages.recall(&key).filter(|_| will_do);
            let (age, page) = known
                .filter(|(age, _)| *age < KEPT_FOR)
                .ok_or_else(|| as_gateway(error))?;
            let age_ms = i64::try_from(age.as_millis()).unwrap_or(0);
            (page, Some(rfc3339(now_ms() - age_ms)))
        }
    };
    let cached = cached(&app, query.repo_type, &page.results).await;
    let results: Vec<SearchResult> = page
        .results
        .iter()
        .zip(cached)
        .map(|(found, status)| view(found, status))
        .collect();
    Ok(Json(SearchResults {
        total: results.len(),
        results,
        query: query.text.unwrap_or_default(),
        datasets: query.repo_type == RepoType::Dataset,
        sort: query.sort,
        limit: query.limit,
        next_cursor: page.next.clone(),
        stale_since,
    }))
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
    let most_parameters = fields.text("maxParameters").map(str::to_owned);
    if most_parameters.as_deref().is_some_and(|text| !is_count(text)) {
        return Err(ApiError::bad_request("Invalid maxParameters")
            .details("maxParameters must be a number with K, M, B or T, such as 8B"));
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
        most_parameters,
        sort,
        limit: limit.min(LIMIT.1) as u32,
        cursor: short("cursor", CURSOR_MAX)?,
    })
}

/// A number of parameters as the Hub writes it: `8B`, `0.5B`.
fn is_count(text: &str) -> bool {
    let number = text.strip_suffix(['K', 'M', 'B', 'T']).unwrap_or_default();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole, 6) && digits(part, 3)
}

/// Whatever the Hub refuses, the search is what failed: only its call for patience is passed on.
pub(super) fn as_gateway(error: ApiError) -> ApiError {
    match error.code() {
        Some(Code::BadResponse) => error.message("Failed to parse upstream response"),
        Some(Code::RateLimited | Code::Stalled | Code::Internal) | None => error,
        Some(_) => error.with_status(StatusCode::BAD_GATEWAY),
    }
}

/// What the index of the cache says of each result; empty for those that are not here.
async fn cached(app: &AppState, repo_type: RepoType, results: &[Found]) -> Vec<String> {
    let repos: Vec<_> = results
        .iter()
        .map(|found| CachedRepo::from((repo_type, &found.id)))
        .collect();
    let marks = cache::marks(app, &repos).await;
    repos
        .iter()
        .map(|repo| marks.get(&repo.folder()).cloned().unwrap_or_default())
        .collect()
}

fn view(found: &Found, status: String) -> SearchResult {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    SearchResult {
        id: found.id.clone(),
        author: found.author.clone(),
        downloads: found.downloads,
        likes: found.likes,
        trending_score: found.trending_score.unwrap_or(0),
        private: found.private,
        gated: found.gate,
        pipeline_tag: text(&found.pipeline_tag),
        library_name: text(&found.library_name),
        tags: found.tags.clone(),
        last_modified: text(&found.last_modified),
        created_at: text(&found.created_at),
        cached: !status.is_empty(),
        cache_source: if status.is_empty() { "" } else { "HF cache" },
        cache_status: status,
    }
}

/// What is left of the Hub's patience.
#[derive(Serialize, ToSchema)]
pub struct RateLimit {
    /// Base URL of the Hub.
    endpoint: String,
    /// One for each kind of request.
    buckets: Vec<Window>,
}

/// One window of the Hub's rate limit, as last heard.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RateLimitWindow)]
pub struct Window {
    bucket: Bucket,
    /// Requests a window; `null` until the Hub says so.
    #[schema(required)]
    quota: Option<u64>,
    /// Requests left; `null` before the first answer and after the window ended.
    #[schema(required)]
    remaining: Option<u64>,
    /// Seconds until the window ends.
    #[schema(required)]
    reset_seconds: Option<u64>,
    /// Until when new requests are held back; `null` while they pass.
    #[schema(required, format = DateTime)]
    waiting_until: Option<String>,
}

/// The Hub's windows as last heard
#[utoipa::path(
    get, path = "/api/ratelimit", tag = "hub", operation_id = "getRateLimit",
    responses((status = 200, description = "The windows", body = RateLimit))
)]
pub async fn ratelimit(State(app): State<AppState>) -> Json<RateLimit> {
    Json(RateLimit {
        endpoint: app
            .settings
            .get()
            .endpoint
            .as_str()
            .trim_end_matches('/')
            .to_owned(),
        buckets: app.engine.budget().snapshot().iter().map(window).collect(),
    })
}

fn window(state: &BucketState) -> Window {
    let waiting = state.waiting_until.map(|until| {
        let since = until.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        rfc3339(since.as_millis() as i64)
    });
    Window {
        bucket: state.bucket,
        quota: state.quota,
        remaining: state.remaining,
        reset_seconds: state.reset_seconds,
        waiting_until: waiting,
    }
}
