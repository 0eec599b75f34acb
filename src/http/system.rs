//! Health, readiness and free space.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::{App, AppState};
use crate::clock::{now_ms, rfc3339};
use crate::disk;

/// A mount that takes longer to answer is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// That the service runs, and for how long.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Version of the service.
    version: &'static str,
    /// The clock of the service.
    #[schema(format = DateTime)]
    time: String,
    /// Seconds since the start.
    uptime_seconds: u64,
}

/// Version, clock and time since the start
#[utoipa::path(
    get, path = "/api/health", tag = "system", operation_id = "getHealth",
    responses((status = 200, description = "The service runs", body = Health))
)]
pub async fn health(State(app): State<AppState>) -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        time: rfc3339(now_ms()),
        uptime_seconds: app.begun.elapsed().as_secs(),
    })
}

/// The process answers
#[utoipa::path(
    get, path = "/healthz", tag = "system", operation_id = "isAlive", security(()),
    responses((status = 200, description = "`ok`", body = str, content_type = "text/plain"))
)]
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Database and cache take writes
#[utoipa::path(
    get, path = "/readyz", tag = "system", operation_id = "isReady", security(()),
    responses(
        (status = 200, description = "`ok`", body = str, content_type = "text/plain"),
        (status = 503, description = "`not ready`", body = str, content_type = "text/plain"),
    )
)]
pub async fn ready(State(app): State<AppState>) -> (StatusCode, &'static str) {
    if app.readiness.check(&app).await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// Space of a volume.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskFree {
    /// The directory.
    path: String,
    /// Bytes that hfdepot may write.
    free: u64,
    /// Bytes of the volume.
    total: u64,
    /// Root of the cache.
    cache_dir: String,
    /// The Hub cache in it.
    effective_hub_dir: String,
    /// What said where the Hub cache is.
    hub_dir_source: &'static str,
}

/// Space of the volume of a configured directory
#[utoipa::path(
    get, path = "/api/diskfree", tag = "system", operation_id = "getDiskFree",
    params(("path" = Option<String>, Query, description = "A directory of the cache, or another that the settings name; by default the Hub cache")),
    responses(
        (status = 200, description = "The space", body = DiskFree),
        (status = 400, description = "The path is not one of these directories"),
        (status = 500, description = "The volume gives no answer"),
    )
)]
pub async fn diskfree(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<DiskFree>> {
    let cache = app.settings.get().cache.clone();
    let path = match query.text("path") {
        None => cache.hub.clone(),
        Some(text) => known(&app, text).ok_or_else(|| {
            // Anything else would tell what lies on this machine.
            ApiError::bad_request("Invalid path").details(format!(
                "Only the cache ({} and {}) and other directories that the settings name can be asked for",
                cache.hub.display(),
                cache.root.display()
            ))
        })?,
    };
    let asked = path.clone();
    let space = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(move || disk::space(&asked)));
    let failed =
        |why: String| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Could not stat disk").details(why);
    let space = match space.await {
        Ok(Ok(Ok(space))) => space,
        Ok(Ok(Err(error))) => return Err(failed(format!("{}: {error}", path.display()))),
        Ok(Err(error)) => return Err(ApiError::internal(error)),
        Err(_) => return Err(failed(format!("{} does not answer", path.display()))),
    };
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Ok(Json(DiskFree {
        path: text(&path),
        free: space.free_bytes,
        total: space.total_bytes,
        cache_dir: text(&cache.root),
        effective_hub_dir: text(&cache.hub),
        hub_dir_source: cache.hub_dir_source.as_str(),
    }))
}

/// `text` as a path when it is a directory that the settings or a flag name.
fn known(app: &App, text: &str) -> Option<PathBuf> {
    let settings = app.settings.get();
    let cache = &settings.cache;
    let path: PathBuf = Path::new(text).components().collect();
    let plain = !path
        .components()
        .any(|part| matches!(part, Component::ParentDir | Component::CurDir));
    let ours = [
        cache.hub.clone(),
        cache.root.clone(),
        cache.root.join("models"),
        cache.root.join("datasets"),
    ];
    let named = settings
        .local_dir
        .iter()
        .chain(&settings.local_scan_dirs)
        .chain(settings.download_routes.values())
        .chain(&app.export_dirs);
    let mut ours = ours.iter().chain(named);
    let is_ours = plain && ours.any(|own| *own == path);
    is_ours.then_some(path)
}
