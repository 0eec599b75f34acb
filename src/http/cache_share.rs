//! `/api/cache/duplicates`: contents that several repos keep each for itself, and letting them share.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::cache::{Place, refused};
use super::cache_verify::submit;
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, QueryFields};
use super::state::AppState;
use super::views::JobView;
use crate::disk::duplicates::{self, Duplicate};
use crate::engine::ShareSpec;
use crate::model::job::Verify;
use crate::model::library::CachedRepo;
use crate::model::repo::{BlobId, RepoType};
use crate::model::state::JobKind;
use crate::store::NewWork;

/// Smaller contents are not worth a look unless that is asked: a repo has dozens of them.
const LEAST_BYTES: i64 = 1 << 20;
/// Contents that an answer lists; all are counted.
const LISTED: usize = 1_000;

/// Contents that take their room more than once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheDuplicates {
    /// The largest saving first; a thousand at most.
    items: Vec<DuplicateView>,
    /// How many they are.
    count: usize,
    /// What sharing would free.
    frees_bytes: u64,
    /// Copies that would go.
    copies: usize,
    /// Smaller contents were not looked at.
    min_bytes: i64,
}

/// One content.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CacheDuplicate)]
pub struct DuplicateView {
    /// Its hash.
    #[schema(value_type = String)]
    blob_id: BlobId,
    /// Its length.
    bytes: u64,
    /// Files that hold it: so often it takes its room.
    copies: usize,
    /// What sharing it would free.
    frees_bytes: u64,
    /// Every repo that has it.
    repos: Vec<DuplicateRepo>,
}

/// A repo that has a content.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DuplicateRepo {
    repo: String,
    #[serde(rename = "type")]
    repo_type: RepoType,
    /// Whether its copy would give way to the shared file.
    replaced: bool,
    /// Why its copy has to stay; empty when nothing keeps it.
    stays: String,
}

/// What to share.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareBody {
    /// Smaller contents are left as they are; 1 MiB by default.
    #[schema(minimum = 0)]
    min_bytes: Option<i64>,
}

impl DuplicateView {
    fn new(found: &Duplicate) -> Self {
        let repo = |repo: &CachedRepo| DuplicateRepo {
            repo: repo.id().to_owned(),
            repo_type: repo.repo_type(),
            replaced: found.replaced.contains(repo),
            stays: found
                .stays
                .iter()
                .find(|(stays, _)| stays == repo)
                .map_or_else(String::new, |(_, why)| why.clone()),
        };
        Self {
            blob_id: found.blob,
            bytes: found.size_bytes,
            copies: found.copies,
            frees_bytes: found.frees_bytes,
            repos: found.repos.iter().map(repo).collect(),
        }
    }
}

/// Contents that several repos keep each for itself
///
/// Looks at lengths, volumes and names; what is shared is compared with its hash right before.
#[utoipa::path(
    get, path = "/api/cache/duplicates", tag = "cache", operation_id = "listDuplicates",
    params(("minBytes" = Option<i64>, Query, minimum = 0, description = "Leave smaller contents out; 1 MiB by default")),
    responses((status = 200, description = "The contents", body = CacheDuplicates))
)]
pub async fn show(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<CacheDuplicates>> {
    let min_bytes = query.number("minBytes", 0..=i64::MAX)?.unwrap_or(LEAST_BYTES);
    let place = Place::of(&app);
    place.freshen(&app, true).await;
    let known = app.store.library_duplicates(&place.hub_text, min_bytes).await?;
    let hub = place.hub.clone();
    let found = tokio::task::spawn_blocking(move || duplicates::find(&hub, known))
        .await
        .map_err(ApiError::internal)?
        .map_err(|error| refused(error.into(), ""))?;
    Ok(Json(CacheDuplicates {
        count: found.len(),
        frees_bytes: found.iter().map(|one| one.frees_bytes).sum(),
        copies: found.iter().map(|one| one.replaced.len()).sum(),
        items: found.iter().take(LISTED).map(DuplicateView::new).collect(),
        min_bytes,
    }))
}

/// Let repos share the contents that they keep each for itself
///
/// A job of the kind `verify`: each file that stays is read and compared with its hash, then the
/// other repos get it, a hard link, in place of their own copy, in one step. Copies on another
/// volume, of another owner or with a name elsewhere stay. `result` tells what was freed.
#[utoipa::path(
    post, path = "/api/cache/duplicates", tag = "cache", operation_id = "shareDuplicates",
    request_body = ShareBody,
    responses(
        (status = 202, description = "The job", body = JobView),
        (status = 200, description = "The same job that is live already", body = JobView),
    )
)]
pub async fn share(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(body): JsonBody<ShareBody>,
) -> ApiResult<Response> {
    let min_bytes = body.min_bytes.unwrap_or(LEAST_BYTES);
    let share_from_bytes = u64::try_from(min_bytes).map_err(|_| {
        ApiError::bad_request("Invalid minBytes").details("minBytes must be a whole number from 0 up")
    })?;
    let place = Place::of(&app);
    let spec = ShareSpec {
        hub: place.hub.clone(),
        share_from_bytes,
    };
    let spec = serde_json::to_value(&spec).map_err(ApiError::internal)?;
    let work = NewWork {
        kind: JobKind::Verify,
        repo: None,
        duplicate_key: spec.to_string(),
        spec,
        destination: place.hub_text,
        verify: Verify::Sha256,
        priority: 0,
    };
    submit(&app, &work, &actor).await
}
