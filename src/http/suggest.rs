//! `GET /api/suggest`: repos that may have been meant by a search that found nothing.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::cache::Place;
use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::{App, AppState};
use super::upstream;
use crate::hub::SearchQuery;
use crate::model::repo::RepoType;
use crate::model::spelling::{Shorter, nearest, shorter};
use crate::store::{HistoryQuery, LibraryQuery};

/// Suggestions at most.
const SHOWN: usize = 5;
/// Longest text.
const TEXT_MAX: usize = 200;
/// Results of one search at the Hub: a page.
const FOUND: u32 = 100;
/// Ends of the history that are looked through.
const PAST: i64 = 500;

/// Repos that may have been meant.
#[derive(Serialize, ToSchema)]
pub struct Suggestions {
    /// The nearest first; at most five.
    suggestions: Vec<Suggestion>,
}

/// A repo that may have been meant.
#[derive(Serialize, ToSchema)]
pub struct Suggestion {
    id: String,
    dataset: bool,
    source: Source,
}

/// Where a suggestion is known from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SuggestionSource)]
pub enum Source {
    /// It is in the cache.
    Library,
    /// It was downloaded once.
    History,
    /// The Hub has it.
    Hub,
}

/// Repos whose names are near to a text
///
/// For a search that found nothing: what is in the cache, what was downloaded once, and what two
/// shorter searches find at the Hub. A Hub that does not answer is left out.
#[utoipa::path(
    get, path = "/api/suggest", tag = "hub", operation_id = "suggestRepos",
    params(
        ("q" = String, Query, max_length = 200, description = "What was searched for"),
        ("datasets" = Option<bool>, Query, description = "Datasets instead of models"),
    ),
    responses(
        (status = 200, description = "What may have been meant; often nothing", body = Suggestions),
        (status = 400, description = "No text is given"),
    )
)]
pub async fn find(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<Suggestions>> {
    let text = match fields.text("q") {
        None => return Err(ApiError::bad_request("Missing required field: q")),
        Some(text) if text.chars().count() > TEXT_MAX => {
            return Err(ApiError::bad_request("Invalid q")
                .details(format!("q must have at most {TEXT_MAX} characters")));
        }
        Some(text) => text,
    };
    let repo_type = if fields.flag("datasets")?.unwrap_or(false) {
        RepoType::Dataset
    } else {
        RepoType::Model
    };
    let mut known: Vec<(Source, String)> = Vec::new();
    let query = LibraryQuery {
        repo_type: Some(repo_type),
        search: None,
    };
    for row in app.store.library(&Place::of(&app).hub_text, &query).await? {
        known.push((Source::Library, row.repo));
    }
    let query = HistoryQuery {
        // What never came may have been misspelt itself.
        statuses: vec!["completed".to_owned()],
        kind: Some("download".to_owned()),
        limit: PAST,
        ..HistoryQuery::default()
    };
    for end in app.store.history().list(&query).await? {
        if end.is_dataset == (repo_type == RepoType::Dataset) {
            known.push((Source::History, end.repo));
        }
    }
    for asked in searched(&app, repo_type, text).await {
        known.push((Source::Hub, asked));
    }
    let found = nearest(text, known, |(_, id)| id, SHOWN);
    let suggestions = found.into_iter().map(|(source, id)| Suggestion {
        id,
        dataset: repo_type == RepoType::Dataset,
        source,
    });
    Ok(Json(Suggestions {
        suggestions: suggestions.collect(),
    }))
}

/// What the Hub finds for shorter texts; nothing when it does not answer.
async fn searched(app: &App, repo_type: RepoType, text: &str) -> Vec<String> {
    let hub = app.engine.hub();
    let queries: Vec<SearchQuery> = shorter(text)
        .into_iter()
        .map(|Shorter { author, text }| SearchQuery {
            repo_type,
            text,
            author,
            filters: Vec::new(),
            most_parameters: None,
            sort: "downloads",
            limit: FOUND,
            cursor: None,
        })
        .collect();
    let asked = queries.iter().map(|query| hub.search(query));
    let pages = futures_util::future::join_all(
        asked.map(|asked| upstream::wait(app, "Upstream request failed", app.patience.search, asked)),
    );
    let pages = pages.await.into_iter().flatten();
    pages
        .flat_map(|page| page.results)
        .map(|found| found.id.to_string())
        .collect()
}
