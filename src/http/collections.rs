//! `/api/collections`: lists of repos that somebody on the Hub put together.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::analyze::Gated;
use super::cache;
use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::AppState;
use super::upstream;
use crate::hub::{CollectionHead, CollectionItem, Gate};
use crate::model::code::Code;
use crate::model::collection::CollectionId;
use crate::model::library::CachedRepo;
use crate::model::repo::{NameError, RepoId, RepoType};

/// Collections of an owner when the client names no limit, and at most.
const LIMIT: (i64, i64) = (20, 100);
/// Longest name of an owner.
const OWNER_MAX: usize = 96;
const FAILED: &str = "Collection not loaded";
/// What to do about a collection that is not there.
const HINT: &str =
    "Check the address of the collection; for a private one set a token whose account may see it.";

/// A collection with what it holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    #[serde(flatten)]
    head: CollectionSummary,
    /// What can be downloaded, in the order of the collection, each repo once.
    items: Vec<CollectionRepo>,
    /// What cannot: spaces, papers and what else has no files to fetch.
    left_out: Vec<LeftOut>,
}

/// A repo of a collection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollectionRepo {
    repo: RepoId,
    dataset: bool,
    #[schema(value_type = Gated)]
    gated: Gate,
    private: bool,
    /// Whether some of it is in the cache.
    cached: bool,
}

/// An entry of a collection that is nothing to download.
#[derive(Serialize, ToSchema)]
pub struct LeftOut {
    /// `space`, `paper` or another word of the Hub.
    #[serde(rename = "type")]
    kind: String,
    /// Its title, else its id.
    name: String,
}

/// A collection as lists show it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollectionSummary {
    /// `owner/slug`.
    id: CollectionId,
    title: String,
    /// The beginning of its description; may be empty.
    description: String,
    private: bool,
    /// RFC 3339; `null` when the Hub does not say.
    #[schema(required, format = DateTime)]
    last_updated: Option<String>,
}

/// Collections of an owner.
#[derive(Serialize, ToSchema)]
pub struct Collections {
    /// Changed last first.
    collections: Vec<CollectionSummary>,
}

/// What a collection of the Hub holds
///
/// The last two parts of its address, as in `https://huggingface.co/collections/{owner}/{slug}`.
#[utoipa::path(
    get, path = "/api/collections/{owner}/{slug}", tag = "hub", operation_id = "showCollection",
    params(
        ("owner" = String, Path, max_length = 96, pattern = "^[A-Za-z0-9]+([._-]?[A-Za-z0-9_-]+)*$", description = "Who made it"),
        ("slug" = String, Path, max_length = 200, pattern = "^[A-Za-z0-9]+([._-]?[A-Za-z0-9_-]+)*$", description = "Its name on the Hub, with the id at its end"),
    ),
    responses(
        (status = 200, description = "The collection", body = Collection),
        (status = 403, description = "The Hub refuses access"),
        (status = 404, description = "There is none, or it is private and no token opens it"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    Path((owner, slug)): Path<(String, String)>,
) -> ApiResult<Json<Collection>> {
    let id: CollectionId = format!("{owner}/{slug}")
        .parse()
        .map_err(|error: NameError| ApiError::bad_request("Invalid collection").details(error.to_string()))?;
    let hub = app.engine.hub();
    let found = upstream::wait(&app, FAILED, app.patience.search, hub.collection(&id))
        .await
        .map_err(named)?;
    let mut seen: HashSet<(RepoType, String)> = HashSet::new();
    let (mut repos, mut left_out) = (Vec::new(), Vec::new());
    for item in found.items {
        match item {
            CollectionItem::Other { kind, name } => left_out.push(LeftOut { kind, name }),
            CollectionItem::Repo {
                repo_type,
                id,
                gate,
                private,
            } => {
                if seen.insert((repo_type, id.as_str().to_lowercase())) {
                    repos.push((repo_type, id, gate, private));
                }
            }
        }
    }
    let folders: Vec<CachedRepo> = repos
        .iter()
        .map(|(repo_type, id, ..)| CachedRepo::from((*repo_type, id)))
        .collect();
    let marks = cache::marks(&app, &folders).await;
    let items = repos
        .into_iter()
        .zip(folders)
        .map(|((repo_type, repo, gated, private), folder)| CollectionRepo {
            repo,
            dataset: repo_type == RepoType::Dataset,
            gated,
            private,
            cached: marks.contains_key(&folder.folder()),
        })
        .collect();
    Ok(Json(Collection {
        head: CollectionSummary::from(CollectionHead {
            id: found.id,
            title: found.title,
            description: found.description,
            private: found.private,
            last_updated: found.last_updated,
        }),
        items,
        left_out,
    }))
}

/// Collections of an owner of the Hub
#[utoipa::path(
    get, path = "/api/collections", tag = "hub", operation_id = "listCollections",
    params(
        ("owner" = String, Query, max_length = 96, description = "User or organisation"),
        ("limit" = Option<i64>, Query, minimum = 1, description = "20 by default, at most 100"),
    ),
    responses(
        (status = 200, description = "The collections; none when the Hub has none of this owner", body = Collections),
        (status = 400, description = "No owner is named"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn list(State(app): State<AppState>, fields: QueryFields) -> ApiResult<Json<Collections>> {
    let owner = match fields.text("owner") {
        None => {
            return Err(ApiError::bad_request("Missing required field: owner")
                .hint("Name a user or an organisation: ?owner=Qwen"));
        }
        Some(owner) if owner.chars().count() > OWNER_MAX => {
            return Err(ApiError::bad_request("Invalid owner")
                .details(format!("owner must have at most {OWNER_MAX} characters")));
        }
        Some(owner) => owner,
    };
    let limit = fields.number("limit", 1..=i64::MAX)?.unwrap_or(LIMIT.0);
    let hub = app.engine.hub();
    let asked = hub.collections(owner, limit.min(LIMIT.1) as u32);
    let found = upstream::wait(&app, "Collections not loaded", app.patience.search, asked)
        .await
        .map_err(super::search::as_gateway)?;
    Ok(Json(Collections {
        collections: found.into_iter().map(CollectionSummary::from).collect(),
    }))
}

impl From<CollectionHead> for CollectionSummary {
    fn from(head: CollectionHead) -> Self {
        Self {
            id: head.id,
            title: head.title,
            description: head.description.unwrap_or_default(),
            private: head.private,
            last_updated: head.last_updated,
        }
    }
}

/// Says of a collection that is not there what to look at.
fn named(error: ApiError) -> ApiError {
    match error.code() {
        Some(Code::RepoNotFound) => error.message("Collection not found").hint(HINT),
        _ => error,
    }
}
