//! `POST /api/cache/rebuild` and `/prune`: the friendly view, and what nobody needs.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, OptionalBody};
use super::cache::{Place, refused};
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::AppState;
use crate::clock::now_ms;
use crate::disk::prune::{PruneItem, PruneKind, PruneSearch};
use crate::engine::PruneRequest;
use crate::model::library::CachedRepo;
use crate::model::repo::RepoType;

/// What was changed less than so long ago may still be in use: milliseconds.
const AGE_MS: i64 = 24 * 3600 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// How to rebuild.
#[derive(Deserialize, Default, ToSchema)]
pub struct RebuildRequest {
    /// Also remove links that nothing wants any more.
    #[serde(default)]
    clean: bool,
}

/// What a rebuild did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RebuildReport {
    success: bool,
    repos_scanned: usize,
    symlinks_created: usize,
    symlinks_updated: usize,
    orphans_removed: usize,
    errors: Vec<String>,
    message: String,
}

/// Rebuild the friendly view
///
/// `models/owner/name/` and `datasets/owner/name/` in the root of the cache, with relative links
/// to the files of the shown snapshot and a manifest `hfd.yaml`.
#[utoipa::path(
    post, path = "/api/cache/rebuild", tag = "cache", operation_id = "rebuildFriendlyView",
    request_body = Option<RebuildRequest>,
    responses((status = 200, description = "What was done", body = RebuildReport))
)]
pub async fn rebuild(
    State(app): State<AppState>,
    OptionalBody(body): OptionalBody<RebuildRequest>,
) -> ApiResult<Json<RebuildReport>> {
    let clean = body.unwrap_or_default().clean;
    let place = Place::of(&app);
    let library = app.engine.library().clone();
    let rebuilding = tokio::spawn(async move { library.rebuild_view(&place.hub, &place.root, clean).await });
    let (repos_scanned, done) = rebuilding
        .await
        .map_err(ApiError::internal)?
        .map_err(|error| refused(error, "").message("Rebuild failed"))?;
    let changed = done.created + done.updated + done.orphans_removed;
    Ok(Json(RebuildReport {
        success: done.errors.is_empty(),
        repos_scanned,
        symlinks_created: done.created,
        symlinks_updated: done.updated,
        orphans_removed: done.orphans_removed,
        message: if changed == 0 {
            "Friendly view is up to date".to_owned()
        } else {
            format!(
                "{} links created, {} updated, {} removed",
                done.created, done.updated, done.orphans_removed
            )
        },
        errors: done.errors,
    }))
}

/// What to prune.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PruneBody {
    /// Only show what would go; `true` by default.
    dry_run: Option<bool>,
    /// Kinds; by default all but `old_revisions`.
    what: Option<Vec<PruneKind>>,
    /// Only what was last changed so many days ago. Left out: `--stale-timeout` for unfinished files of
    /// other programs, a day for parts and unreferenced things, any age for old snapshots.
    #[schema(minimum = 0, maximum = 36_500)]
    older_than_days: Option<u32>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PruneReport {
    dry_run: bool,
    items: Vec<PruneEntry>,
    /// What all items together take.
    frees_bytes: u64,
    /// How many went.
    removed: usize,
    freed_bytes: u64,
    /// `type:owner/name` of repos that were left out because a job of theirs is live.
    skipped: Vec<String>,
    errors: Vec<String>,
}

/// One thing that can go.
#[derive(Serialize, ToSchema)]
pub struct PruneEntry {
    kind: PruneKind,
    repo: String,
    #[serde(rename = "type")]
    repo_type: Option<RepoType>,
    /// Below the cache.
    path: String,
    bytes: u64,
    reason: String,
}

impl PruneEntry {
    fn new(item: &PruneItem) -> Self {
        Self {
            kind: item.kind,
            repo: item.repo.as_ref().map_or("", CachedRepo::id).to_owned(),
            repo_type: item.repo.as_ref().map(CachedRepo::repo_type),
            path: item.path.clone(),
            bytes: item.bytes,
            reason: item.reason.clone(),
        }
    }
}

/// Find and remove what nobody needs
///
/// Only shows it unless `dryRun` is `false`. Repos with a live job are left out, and so is what
/// another program works on.
#[utoipa::path(
    post, path = "/api/cache/prune", tag = "cache", operation_id = "pruneCache",
    request_body = PruneBody,
    responses((status = 200, description = "What was found, and what went", body = PruneReport))
)]
pub async fn prune(
    State(app): State<AppState>,
    actor: Actor,
    JsonBody(body): JsonBody<PruneBody>,
) -> ApiResult<Json<PruneReport>> {
    let dry_run = body.dry_run.unwrap_or(true);
    let kinds = body
        .what
        .unwrap_or_else(|| vec![PruneKind::Incomplete, PruneKind::Orphans, PruneKind::Parts]);
    if body.older_than_days.is_some_and(|days| days > 36_500) {
        return Err(ApiError::bad_request("Invalid olderThanDays")
            .details("olderThanDays must be a whole number from 0 to 36500"));
    }
    let now = now_ms();
    let asked = body.older_than_days.map(|days| now - i64::from(days) * DAY_MS);
    let stale = i64::try_from(app.stale_timeout.as_millis()).unwrap_or(i64::MAX);
    let request = PruneRequest {
        search: PruneSearch {
            kinds,
            // A second more: with 0 days what changed in this one goes too.
            incomplete_before: asked.map_or(now - stale, |at| at + 1000),
            before: asked.map_or(now - AGE_MS, |at| at + 1000),
            revisions_before: asked.unwrap_or(now) + 1000,
        },
        dry_run,
    };
    let place = Place::of(&app);
    let library = app.engine.library().clone();
    let pruning = tokio::spawn(async move { library.prune(&place.hub, &request, &actor.0).await });
    let pruned = pruning
        .await
        .map_err(ApiError::internal)?
        .map_err(|error| refused(error, ""))?;
    let skipped = pruned.skipped.iter();
    Ok(Json(PruneReport {
        dry_run,
        frees_bytes: pruned.items.iter().map(|item| item.bytes).sum(),
        items: pruned.items.iter().map(PruneEntry::new).collect(),
        removed: pruned.removed,
        freed_bytes: pruned.freed_bytes,
        skipped: skipped
            .map(|repo| format!("{}:{}", repo.repo_type(), repo.id()))
            .collect(),
        errors: pruned.errors,
    }))
}
