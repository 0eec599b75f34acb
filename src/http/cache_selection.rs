//! `/api/cache-selection`: choices of files in a cached GGUF repo, and deleting one of them.
//!
//! The list of members that a client sends back is a precondition: when the cache holds them
//! otherwise by now, nothing is deleted.

use std::collections::{BTreeMap, HashSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::cache::{Place, not_ours, path_text, refused};
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, QueryFields};
use super::state::AppState;
use super::wire::{LocationWord, ModelWord, RepoText};
use crate::engine::Member;
use crate::model::library::{CachedRepo, quant_groups};
use crate::model::repo::RepoType;
use crate::store::{InUse, LibraryFileRow};

/// The one place where choices can be deleted.
const LOCATION: &str = "hf-cache";

/// Choices of a repo.
#[derive(Serialize, ToSchema)]
pub struct CacheSelection {
    repo: String,
    #[serde(rename = "type")]
    repo_type: RepoType,
    locations: Vec<SelectionLocation>,
}

/// Where the repo lies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelectionLocation {
    id: &'static str,
    source: &'static str,
    path: String,
    groups: Vec<SelectionGroup>,
    warning: String,
    can_delete: bool,
    delete_reason: String,
}

/// Files that are one choice.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelectionGroup {
    id: String,
    label: String,
    /// The quantisation; empty for a projector.
    quant: String,
    members: Vec<SelectionMember>,
    warning: String,
    can_delete: bool,
}

/// One path of a choice.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelectionMember {
    path: String,
    /// Snapshots that have it.
    #[serde(default)]
    versions: Vec<String>,
    /// Bytes.
    size: u64,
    /// Its content is needed elsewhere too: only the name goes.
    #[serde(default)]
    link_only: bool,
    #[serde(default)]
    message: String,
}

/// What to delete, as it was shown.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelectionBody {
    #[schema(inline, value_type = RepoText)]
    repo: String,
    #[serde(rename = "type")]
    #[schema(inline, value_type = ModelWord)]
    repo_type: String,
    #[schema(inline, value_type = LocationWord)]
    location_id: String,
    group_id: String,
    members: Vec<SelectionMember>,
}

/// What became of a choice.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SelectionDeleted {
    ok: bool,
    repo: String,
    group_id: String,
    /// Paths that are gone.
    removed: Vec<String>,
    /// Paths that could not be removed.
    remaining: Vec<String>,
    message: String,
    freed_bytes: u64,
    /// Bytes that other files still need.
    retained_payloads: u64,
}

fn repo_of(repo_type: Option<&str>, id: Option<&str>) -> ApiResult<CachedRepo> {
    let id = id.ok_or_else(|| ApiError::bad_request("Missing required field: repo"))?;
    match repo_type {
        Some("model") => {}
        None => return Err(ApiError::bad_request("Missing required field: type")),
        Some(_) => {
            return Err(ApiError::bad_request("Invalid type").details("Only models have choices to delete"));
        }
    }
    CachedRepo::parse(RepoType::Model, id)
        .map_err(|error| ApiError::bad_request("Invalid repo format").details(error.to_string()))
}

fn check_location(id: &str) -> ApiResult<()> {
    match id {
        LOCATION => Ok(()),
        _ => {
            Err(ApiError::bad_request("Unknown location").details(format!("The one location is {LOCATION}")))
        }
    }
}

/// Choices of files that can be deleted
#[utoipa::path(
    get, path = "/api/cache-selection", tag = "cache", operation_id = "showCacheSelection",
    params(
        ("repo" = inline(RepoText), Query, description = "owner/name"),
        ("type" = inline(ModelWord), Query, description = "`model`"),
        ("locationId" = inline(Option<LocationWord>), Query, description = "Only this location"),
    ),
    responses(
        (status = 200, description = "The choices", body = CacheSelection),
        (status = 404, description = "The repo is not in the cache"),
    )
)]
pub async fn show(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<CacheSelection>> {
    let repo = repo_of(query.text("type"), query.text("repo"))?;
    query.text("locationId").map_or(Ok(()), check_location)?;
    let place = Place::of(&app);
    place.freshen(&app, true).await;
    let found = app.store.library_repo(&place.hub_text, &repo).await?;
    let Some(found) = found else {
        return Err(not_ours(&app, repo.repo_type(), repo.id()).await);
    };
    let job = app.store.library_in_use(&place.hub_text, &repo).await?;
    let delete_reason = match job {
        None => String::new(),
        Some(InUse::Written(job)) => format!("Job {job} downloads this repo"),
        Some(InUse::Read(job)) => format!("Job {job} reads this repo"),
    };
    let location = SelectionLocation {
        id: LOCATION,
        source: "HF cache",
        path: path_text(&place.hub.join(repo.folder())),
        groups: groups(&found.files, delete_reason.is_empty()),
        warning: String::new(),
        can_delete: delete_reason.is_empty(),
        delete_reason,
    };
    Ok(Json(CacheSelection {
        repo: repo.id().to_owned(),
        repo_type: RepoType::Model,
        locations: vec![location],
    }))
}

/// The choices among `files` of all snapshots.
fn groups(files: &[LibraryFileRow], can_delete: bool) -> Vec<SelectionGroup> {
    let mut by_path: BTreeMap<&str, Vec<&LibraryFileRow>> = BTreeMap::new();
    for file in files {
        by_path.entry(&file.path).or_default().push(file);
    }
    let paths: Vec<&str> = by_path.keys().copied().collect();
    quant_groups(paths.iter().copied())
        .into_iter()
        .map(|group| {
            let own: HashSet<&str> = group.indices.iter().map(|index| paths[*index]).collect();
            let members = group
                .indices
                .iter()
                .map(|index| member(paths[*index], &by_path[paths[*index]], files, &own));
            SelectionGroup {
                id: format!("gguf-{}", group.stem.trim_start_matches('/')),
                quant: if group.projector {
                    String::new()
                } else {
                    group.label.clone()
                },
                members: members.collect(),
                label: group.label,
                warning: String::new(),
                can_delete,
            }
        })
        .collect()
}

fn member(
    path: &str,
    versions: &[&LibraryFileRow],
    files: &[LibraryFileRow],
    own: &HashSet<&str>,
) -> SelectionMember {
    let other = files.iter().find(|file| {
        !file.blob.is_empty()
            && !own.contains(file.path.as_str())
            && versions.iter().any(|version| version.blob == file.blob)
    });
    let mut commits: Vec<String> = versions.iter().map(|file| file.commit_hash.clone()).collect();
    commits.sort_unstable();
    SelectionMember {
        path: path.to_owned(),
        versions: commits,
        size: versions
            .iter()
            .map(|file| file.size_bytes as u64)
            .max()
            .unwrap_or(0),
        link_only: other.is_some(),
        message: other.map_or_else(String::new, |file| {
            format!("{} has the same content, which stays", file.path)
        }),
    }
}

/// Delete one choice of files
#[utoipa::path(
    delete, path = "/api/cache-selection", tag = "cache", operation_id = "deleteCacheSelection",
    request_body = SelectionBody,
    responses(
        (status = 200, description = "All of it is gone", body = SelectionDeleted),
        (status = 207, description = "A part is gone", body = SelectionDeleted),
        (status = 404, description = "The repo is not in the cache"),
        (status = 409, description = "The cache does not hold it so any more, or a job of the repo is live"),
    )
)]
pub async fn delete(
    State(app): State<AppState>,
    actor: Actor,
    JsonBody(body): JsonBody<SelectionBody>,
) -> ApiResult<Response> {
    let repo = repo_of(Some(&body.repo_type), Some(&body.repo))?;
    check_location(&body.location_id)?;
    let place = Place::of(&app);
    place.freshen(&app, true).await;
    let found = app.store.library_repo(&place.hub_text, &repo).await?;
    let Some(found) = found else {
        return Err(not_ours(&app, repo.repo_type(), repo.id()).await);
    };
    let changed = |why: &str| ApiError::conflict("The cache has changed").details(why);
    let group = groups(&found.files, true)
        .into_iter()
        .find(|group| group.id == body.group_id)
        .ok_or_else(|| changed("There is no such choice any more"))?;
    let here: HashSet<&str> = group.members.iter().map(|member| member.path.as_str()).collect();
    let asked: HashSet<&str> = body.members.iter().map(|member| member.path.as_str()).collect();
    if here != asked || asked.len() != body.members.len() {
        return Err(changed("The choice has other files by now"));
    }
    let members: Vec<Member> = body
        .members
        .into_iter()
        .map(|mut member| {
            member.versions.sort_unstable();
            Member {
                path: member.path,
                versions: member.versions,
                size_bytes: member.size,
            }
        })
        .collect();
    let library = app.engine.library().clone();
    let target = repo.clone();
    let deleting = tokio::spawn(async move {
        library
            .delete_members(&place.hub, &place.root, &target, &members, &actor.0)
            .await
    });
    let done = deleting
        .await
        .map_err(ApiError::internal)?
        .map_err(|error| refused(error, repo.id()))?;
    let whole = done.remaining.is_empty();
    let answer = SelectionDeleted {
        ok: whole,
        repo: body.repo,
        message: format!("Deleted {} of {}", group.label, repo.id()),
        group_id: body.group_id,
        removed: done.removed,
        remaining: done.remaining,
        freed_bytes: done.freed_bytes,
        retained_payloads: done.retained_bytes,
    };
    let status = if whole {
        StatusCode::OK
    } else {
        StatusCode::MULTI_STATUS
    };
    Ok((status, Json(answer)).into_response())
}
