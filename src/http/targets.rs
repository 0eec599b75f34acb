//! `/api/mirror/targets`: the directories that copies go to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::mirror::{RunView, runs};
use super::state::{App, AppState};
use super::target_schedule::ScheduleView;
use super::wire::{LineText, TargetName};
use crate::clock::{now_ms, rfc3339};
use crate::config::paths::check_directory;
use crate::disk;
use crate::mirror::{self, Dir, MirrorError, Place};
use crate::model::code::Code;
use crate::store::TargetRow;

/// How long a target may take to say that it is there: a network disk may hang.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest name in bytes.
const NAME_BYTES: usize = 64;
/// Longest description in characters.
const DESCRIPTION_MAX: usize = 1024;

/// A target, and whether it is there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorTarget)]
pub struct TargetView {
    /// Its name.
    name: String,
    /// Its root.
    path: String,
    /// For people.
    description: String,
    /// Whether there is a directory at its path.
    exists: bool,
    /// Whether the directory holds the marker that was made when it was registered.
    marker_ok: bool,
    /// Both: otherwise nothing is read from it nor written to it.
    mounted: bool,
    /// When it was last found mounted: now, when it is; `null` = never since that is recorded.
    #[schema(required, format = DateTime)]
    last_seen_at: Option<String>,
    /// Free bytes; `null` when it is not mounted.
    #[schema(required)]
    free: Option<u64>,
    /// Bytes of its volume.
    #[schema(required)]
    total: Option<u64>,
    /// When its newest run began or was asked for.
    #[schema(required, format = DateTime)]
    last_run_at: Option<String>,
    /// Its newest run.
    #[schema(required)]
    last_run: Option<RunView>,
    /// When runs begin by themselves; `null` = only when somebody asks.
    #[schema(required)]
    schedule: Option<ScheduleView>,
    /// Whether none begins although there is a schedule.
    paused: bool,
    /// When the next of them begins. In the past: it begins as soon as the target is mounted.
    #[schema(required, format = DateTime)]
    next_run_at: Option<String>,
}

/// All targets.
#[derive(Serialize, ToSchema)]
#[schema(as = MirrorTargets)]
pub struct TargetList {
    /// By name.
    targets: Vec<TargetView>,
    count: usize,
}

/// A target to register.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewMirrorTarget)]
pub struct NewTarget {
    #[schema(required, inline, value_type = TargetName)]
    name: Option<String>,
    /// A directory; it is created when it is missing.
    #[schema(
        required,
        nullable = false,
        min_length = 1,
        max_length = 1024,
        pattern = "^/[^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    path: Option<String>,
    /// For people.
    #[schema(inline, value_type = Option<LineText>)]
    description: Option<String>,
}

/// A target as it was registered.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredTarget)]
pub struct Registered {
    name: String,
    path: String,
    description: String,
}

/// The answer to a registration.
#[derive(Serialize, ToSchema)]
#[schema(as = MirrorTargetAdded)]
pub struct Added {
    success: bool,
    message: String,
    target: Registered,
}

/// The answer to a removal.
#[derive(Serialize, ToSchema)]
#[schema(as = MirrorTargetRemoved)]
pub struct Removed {
    success: bool,
    message: String,
}

/// The mirror targets, and whether each is mounted
#[utoipa::path(
    get, path = "/api/mirror/targets", tag = "mirror", operation_id = "listMirrorTargets",
    responses((status = 200, description = "The targets", body = TargetList))
)]
pub async fn list(State(app): State<AppState>) -> ApiResult<Json<TargetList>> {
    let mut newest = runs(&app, None).await?;
    let mut targets = Vec::new();
    for row in app.store.targets().await? {
        let run = newest.iter().position(|run| run.is_of(&row.name));
        targets.push(view(&app, row, run.map(|at| newest.swap_remove(at))).await);
    }
    let count = targets.len();
    Ok(Json(TargetList { targets, count }))
}

/// The name of each target, and whether it is mounted.
pub(super) async fn mounted(app: &App) -> ApiResult<Vec<(String, bool)>> {
    let mut found = Vec::new();
    for row in app.store.targets().await? {
        let target = view(app, row, None).await;
        found.push((target.name, target.mounted));
    }
    Ok(found)
}

async fn view(app: &App, row: TargetRow, last_run: Option<RunView>) -> TargetView {
    let (root, marker) = (PathBuf::from(&row.path), row.marker.clone());
    let look = tokio::task::spawn_blocking(move || {
        let there = Dir::target(&root, &marker).check().is_ok();
        let space = disk::space(&root).ok().filter(|_| there);
        (root.is_dir(), there, space)
    });
    let looked = tokio::time::timeout(PATIENCE, look).await;
    let (exists, mounted, space) = looked.ok().and_then(Result::ok).unwrap_or_default();
    if mounted {
        seen(app, &row).await;
    }
    TargetView {
        last_seen_at: if mounted { Some(now_ms()) } else { row.seen_at }.map(rfc3339),
        name: row.name,
        path: row.path,
        description: row.description,
        exists,
        marker_ok: mounted,
        mounted,
        free: space.map(|space| space.free_bytes),
        total: space.map(|space| space.total_bytes),
        last_run_at: last_run.as_ref().map(RunView::begun_at),
        last_run,
        schedule: row.schedule.as_ref().map(ScheduleView::from),
        paused: row.paused,
        next_run_at: row.next_run_at.map(rfc3339),
    }
}

/// A target as lists show it.
pub(super) async fn view_of(app: &App, row: TargetRow) -> ApiResult<TargetView> {
    let newest = runs(app, None).await?;
    let run = newest.into_iter().find(|run| run.is_of(&row.name));
    Ok(view(app, row, run).await)
}

/// Notes that a target is there. That it could not be noted keeps nobody from it.
async fn seen(app: &App, target: &TargetRow) {
    if let Err(error) = app.store.target_seen(target).await {
        tracing::warn!(target.name, %error, "it could not be noted that a mirror target is there");
    }
}

/// Registers a target
///
/// Creates the directory and its marker file. A target with the same name is replaced.
#[utoipa::path(
    post, path = "/api/mirror/targets", tag = "mirror", operation_id = "addMirrorTarget",
    request_body = NewTarget,
    responses(
        (status = 200, description = "The target", body = Added),
        (status = 403, description = "No target may lie there"),
        (status = 409, description = "The directory cannot be used, or the target is registered with this path and not mounted"),
    )
)]
pub async fn add(State(app): State<AppState>, JsonBody(new): JsonBody<NewTarget>) -> ApiResult<Json<Added>> {
    let given = |text: Option<String>| {
        text.map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let name = given(new.name).ok_or_else(|| ApiError::bad_request("Missing required field: name"))?;
    let path = given(new.path).ok_or_else(|| ApiError::bad_request("Missing required field: path"))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > NAME_BYTES || !name.chars().all(fits) {
        return Err(ApiError::bad_request("Invalid target name")
            .details("Use only letters, numbers, dashes, and underscores"));
    }
    let description = given(new.description).unwrap_or_default();
    if description.chars().count() > DESCRIPTION_MAX || description.chars().any(char::is_control) {
        return Err(ApiError::bad_request("Invalid target description")
            .details("Use at most 1,024 characters without control characters"));
    }
    let wrong = |why: String| ApiError::bad_request("Invalid target path").details(why);
    let path = std::path::absolute(&path).map_err(|error| wrong(error.to_string()))?;
    let path: PathBuf = path.components().collect();
    let Some(text) = path.to_str().map(str::to_owned) else {
        return Err(wrong("path must be UTF-8".to_owned()));
    };
    if let Some(before) = app
        .store
        .target(&name)
        .await?
        .filter(|before| before.path == text)
    {
        // To make a new marker here would take an empty mount point for the disk.
        open(&app, &before).await.map_err(not_mounted)?;
    }
    let own = own_directories(&app);
    let roots = app.mirror_roots.clone();
    let place = path.clone();
    let adopted = tokio::task::spawn_blocking(move || {
        check_directory(&place.to_string_lossy()).map_err(|why| format!("path {why}"))?;
        check_place(&place, &own, &roots)?;
        Ok::<_, String>(mirror::adopt(&place))
    });
    let marker = adopted
        .await
        .map_err(ApiError::internal)?
        .map_err(|why| wrong(why).with_status(StatusCode::FORBIDDEN))?
        .map_err(|error| wrong(error.text).with_status(StatusCode::CONFLICT))?;
    let target = TargetRow {
        name,
        path: text,
        description,
        marker,
        seen_at: Some(now_ms()),
        // That of a target with this name stays.
        schedule: None,
        next_run_at: None,
        paused: false,
    };
    app.store.save_target(&target).await?;
    tracing::info!(target.name, target.path, "a mirror target was registered");
    Ok(Json(Added {
        success: true,
        message: format!("Added target \"{}\"", target.name),
        target: Registered {
            name: target.name,
            path: target.path,
            description: target.description,
        },
    }))
}

/// Forgets a target; its files stay
#[utoipa::path(
    delete, path = "/api/mirror/targets/{name}", tag = "mirror", operation_id = "removeMirrorTarget",
    params(("name" = String, Path, description = "Name of the target")),
    responses(
        (status = 200, description = "Done", body = Removed),
        (status = 404, description = "There is no such target"),
    )
)]
pub async fn remove(
    State(app): State<AppState>,
    name: Result<UrlPath<String>, PathRejection>,
) -> ApiResult<Json<Removed>> {
    // What is no text names no target.
    let UrlPath(name) = name.map_err(|_| unknown())?;
    if !app.store.remove_target(&name).await? {
        return Err(unknown());
    }
    Ok(Json(Removed {
        success: true,
        message: format!("Removed target \"{name}\""),
    }))
}

/// 404 for a name that nobody registered.
pub(super) fn unknown() -> ApiError {
    ApiError::not_found("Target not found")
}

/// 409 for a target that is not there.
pub(super) fn not_mounted(error: MirrorError) -> ApiError {
    match error.code {
        Code::NotMounted => ApiError::coded(error.code, "Target not mounted").details(error.text),
        code => ApiError::coded(code, "Mirror sync failed")
            .with_status(StatusCode::INTERNAL_SERVER_ERROR)
            .details(error.text),
    }
}

/// Proves that a target is there.
pub(super) async fn open(app: &App, target: &TargetRow) -> Result<(), MirrorError> {
    let dir = Dir::target(Path::new(&target.path), &target.marker);
    let silent = || MirrorError {
        code: Code::NotMounted,
        text: format!("The target at {} does not answer", target.path),
    };
    let check = tokio::task::spawn_blocking(move || dir.check());
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(checked)) => checked?,
        Ok(Err(_)) | Err(_) => return Err(silent()),
    }
    seen(app, target).await;
    Ok(())
}

/// Directories that no target and no export may be in, above, or the same as.
pub(super) fn own_directories(app: &App) -> Vec<PathBuf> {
    let cache = &app.settings.get().cache;
    vec![cache.root.clone(), cache.hub.clone(), app.data_dir.clone()]
}

/// Whether a target or an export may lie at `path`. Links count by where they lead.
pub(super) fn check_place(path: &Path, own: &[PathBuf], roots: &[PathBuf]) -> Result<(), String> {
    let real = real(path);
    for own in own.iter().map(|own| self::real(own)) {
        if real.starts_with(&own) || own.starts_with(&real) {
            return Err(format!(
                "path must be neither in nor above {}, where hfdepot keeps its own files",
                own.display()
            ));
        }
    }
    if roots.is_empty() || roots.iter().any(|root| real.starts_with(self::real(root))) {
        return Ok(());
    }
    let roots: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
    Err(format!("path must be below {}", roots.join(" or ")))
}

/// Where a path leads, as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    });
    found.unwrap_or_else(|| path.to_owned())
}
