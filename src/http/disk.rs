//! `GET /api/disk`: the volumes that the service writes to, and who waits for room on them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiResult;
use super::state::{App, AppState};
use crate::disk::{self, Space};

/// A mount that takes longer to answer is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// One volume.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The first of our directories on it.
    pub(super) path: String,
    /// Where it is mounted; empty when that is not known.
    mount: String,
    /// Its file system, such as `ext4`; empty when that is not known.
    pub(super) fs_type: String,
    /// Bytes.
    pub(super) total: u64,
    /// Bytes that this service may use.
    pub(super) free: u64,
    /// Bytes in use.
    used: u64,
    /// Bytes that running jobs will still take.
    pub(super) reserved: u64,
    /// Bytes that stay free.
    pub(super) floor: u64,
    /// What lies on it: `cache`, `data`, `destination`, `target:` and the name of a mirror target.
    pub(super) roles: Vec<String>,
    /// Jobs that wait for room on it.
    pub(super) waiting_jobs: i64,
    /// Bytes that they miss.
    waiting_bytes: i64,
}

/// All volumes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Volumes {
    volumes: Vec<Volume>,
}

/// Volumes with reservations and those who wait
#[utoipa::path(
    get, path = "/api/disk", tag = "system", operation_id = "getDisk",
    responses((status = 200, description = "Each volume once", body = Volumes))
)]
pub async fn show(State(app): State<AppState>) -> ApiResult<Json<Volumes>> {
    let volumes = volumes(&app).await?;
    Ok(Json(Volumes { volumes }))
}

/// Each volume that the service writes to, once.
pub(super) async fn volumes(app: &App) -> ApiResult<Vec<Volume>> {
    let settings = app.settings.get();
    let mut places = vec![
        ("cache".to_owned(), settings.cache.hub.clone()),
        ("data".to_owned(), app.data_dir.clone()),
    ];
    for (name, path) in app.store.target_paths().await? {
        places.push((format!("target:{name}"), path.into()));
    }
    let waiting = app.store.waiting_by_destination().await?;
    let reserved = app.engine.reserved();
    let others = waiting.iter().map(|(path, ..)| PathBuf::from(path));
    for path in others.chain(reserved.iter().map(|(path, _)| path.clone())) {
        if places.iter().all(|(_, known)| *known != path) {
            places.push(("destination".to_owned(), path));
        }
    }
    let mut volumes: BTreeMap<u64, Volume> = BTreeMap::new();
    for (role, path) in places {
        let Some((space, mount)) = ask(path.clone()).await else {
            continue;
        };
        let volume = volumes.entry(mount.device).or_insert_with(|| Volume {
            path: path.to_string_lossy().into_owned(),
            mount: mount.point.clone(),
            fs_type: mount.fs_type.clone(),
            total: space.total_bytes,
            free: space.free_bytes,
            used: space.total_bytes.saturating_sub(space.free_bytes),
            reserved: 0,
            floor: settings
                .free_space_floor_bytes
                .unwrap_or_else(|| disk::floor_bytes(space.total_bytes)),
            roles: Vec::new(),
            waiting_jobs: 0,
            waiting_bytes: 0,
        });
        if !volume.roles.contains(&role) {
            volume.roles.push(role);
        }
        let here = |other: &PathBuf| *other == path;
        volume.reserved += reserved
            .iter()
            .filter(|(other, _)| here(other))
            .map(|(_, bytes)| bytes)
            .sum::<u64>();
        for (_, jobs, bytes) in waiting.iter().filter(|(other, ..)| here(&PathBuf::from(other))) {
            volume.waiting_jobs += jobs;
            volume.waiting_bytes += bytes;
        }
    }
    Ok(volumes.into_values().collect())
}

/// Space of the volume of `path`; `None` when it does not answer in time.
pub(super) async fn space_of(path: PathBuf) -> Option<Space> {
    let asked = tokio::task::spawn_blocking(move || disk::space(&path).ok());
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?
}

/// Space and mount of the volume of `path`; `None` when it does not answer in time.
pub(super) async fn ask(path: PathBuf) -> Option<(Space, disk::Mount)> {
    let asked = tokio::task::spawn_blocking(move || Some((disk::space(&path).ok()?, disk::mount_of(&path)?)));
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?
}
