//! `POST /api/mirror/diff`: the cache and a target compared.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::ApiResult;
use super::mirror::{compared, find};
use super::state::AppState;
use super::wire::TargetName;
use crate::engine::{Compared, Direction, Sides};
use crate::model::repo::RepoType;
use crate::model::size::human_size;

/// What is to be compared.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorDiffRequest)]
pub struct DiffRequest {
    #[schema(required, inline, value_type = TargetName)]
    target: Option<String>,
    /// Only repos whose id holds this text, in any case.
    repo_filter: Option<String>,
}

/// One repo that differs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorDifference)]
pub struct Different {
    repo: String,
    r#type: RepoType,
    /// `missing`: only in the cache. `extra`: only at the target. `outdated`: the target lacks
    /// something that the cache has. `unreadable`: see `error`.
    status: &'static str,
    /// Bytes in the cache.
    local_size: u64,
    /// Bytes at the target.
    remote_size: u64,
    /// The larger of both, for people.
    size_human: String,
    /// Bytes that a push would copy.
    copy_size: u64,
    /// What `main` names in the cache, and at the target.
    local_commit: String,
    remote_commit: String,
    /// Why it cannot be read.
    error: String,
}

/// How many repos there are of each status.
#[derive(Serialize, ToSchema, Default)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorSummary)]
pub struct Summary {
    missing: u64,
    missing_size: u64,
    missing_size_human: String,
    extra: u64,
    extra_size: u64,
    extra_size_human: String,
    outdated: u64,
    in_sync: u64,
    unreadable: u64,
}

/// The cache and a target compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorDiff)]
pub struct Diff {
    /// Those that are not in sync, in order.
    diffs: Vec<Different>,
    /// Root of the cache.
    local_path: String,
    /// Root of the target.
    target_path: String,
    effective_hub_dir: String,
    hub_dir_source: &'static str,
    summary: Summary,
    /// Folders of repos that have no form that is copied.
    ignored: Vec<String>,
}

/// Compares the cache with a target
#[utoipa::path(
    post, path = "/api/mirror/diff", tag = "mirror", operation_id = "diffMirror",
    request_body = DiffRequest,
    responses(
        (status = 200, description = "What differs", body = Diff),
        (status = 404, description = "There is no such target"),
        (status = 409, description = "The target is not mounted"),
    )
)]
pub async fn diff(
    State(app): State<AppState>,
    JsonBody(asked): JsonBody<DiffRequest>,
) -> ApiResult<Json<Diff>> {
    let target = find(&app, asked.target).await?;
    let filter = asked.repo_filter.unwrap_or_default();
    let cache = app.settings.get().cache.clone();
    let sides = Sides::new(&target, &cache.hub, Direction::Push);
    let comparison = compared(&app, sides, filter).await?;
    let mut summary = Summary::default();
    let diffs: Vec<_> = comparison
        .repos
        .iter()
        .filter_map(|compared| judged(compared, &mut summary))
        .collect();
    summary.missing_size_human = human_size(summary.missing_size);
    summary.extra_size_human = human_size(summary.extra_size);
    Ok(Json(Diff {
        diffs,
        local_path: cache.root.display().to_string(),
        target_path: target.path,
        effective_hub_dir: cache.hub.display().to_string(),
        hub_dir_source: cache.hub_dir_source.as_str(),
        summary,
        ignored: comparison.ignored,
    }))
}

/// One repo as it stands, counted; `None` when it is in sync.
fn judged(compared: &Compared, summary: &mut Summary) -> Option<Different> {
    let (repo_type, repo) = &compared.key;
    let mut different = Different {
        repo: repo.to_string(),
        r#type: *repo_type,
        status: "unreadable",
        local_size: 0,
        remote_size: 0,
        size_human: String::new(),
        copy_size: 0,
        local_commit: String::new(),
        remote_commit: String::new(),
        error: String::new(),
    };
    let (local, remote) = match (&compared.local, &compared.remote) {
        (Ok(local), Ok(remote)) => (local, remote),
        (Err(error), _) | (_, Err(error)) => {
            summary.unreadable += 1;
            different.error = error.clone();
            return Some(different);
        }
    };
    let missing = local.missing_in(remote);
    (different.local_size, different.remote_size) = (local.size_bytes(), remote.size_bytes());
    different.size_human = human_size(different.local_size.max(different.remote_size));
    different.copy_size = missing.size_bytes();
    different.local_commit = local.commit().unwrap_or_default().to_owned();
    different.remote_commit = remote.commit().unwrap_or_default().to_owned();
    different.status = match (local.is_empty(), remote.is_empty(), missing.is_empty()) {
        (false, true, _) => {
            summary.missing += 1;
            summary.missing_size += different.local_size;
            "missing"
        }
        (true, false, _) => {
            summary.extra += 1;
            summary.extra_size += different.remote_size;
            "extra"
        }
        (false, false, false) => {
            summary.outdated += 1;
            "outdated"
        }
        _ => {
            summary.in_sync += 1;
            return None;
        }
    };
    Some(different)
}
