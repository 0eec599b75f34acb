//! Health, readiness and free space.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::AppState;
use crate::clock::{now_ms, rfc3339};
use crate::config::CachePaths;
use crate::disk;

/// A mount that takes longer to answer is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /api/health`
pub async fn health(State(app): State<AppState>) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "time": rfc3339(now_ms()),
        "uptimeSeconds": app.begun.elapsed().as_secs(),
    }))
}

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: database and cache take writes.
pub async fn ready(State(app): State<AppState>) -> (StatusCode, &'static str) {
    if app.readiness.check(&app).await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// `GET /api/diskfree?path=`: space of the volume of a configured directory, by default the Hub cache.
pub async fn diskfree(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<Value>> {
    let cache = app.settings.get().cache.clone();
    let path = match query.text("path") {
        None => cache.hub.clone(),
        Some(text) => known(&cache, text).ok_or_else(|| {
            // Anything else would tell what lies on this machine.
            ApiError::bad_request("Invalid path").details(format!(
                "Only the directories of the cache can be asked for: {} and {}",
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
    Ok(Json(json!({
        "path": path.to_string_lossy(),
        "free": space.free_bytes,
        "total": space.total_bytes,
        "cacheDir": cache.root.to_string_lossy(),
        "effectiveHubDir": cache.hub.to_string_lossy(),
        "hubDirSource": cache.hub_dir_source.as_str(),
    })))
}

/// `text` as a path when it is one of our directories.
fn known(cache: &CachePaths, text: &str) -> Option<PathBuf> {
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
    Some(path).filter(|path| plain && ours.contains(path))
}
