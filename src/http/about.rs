//! `GET /api/system/about`: what runs here, and where it keeps its things.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::assets;
use super::state::AppState;
use crate::clock::rfc3339;
use crate::store;

/// How this binary was built.
#[derive(Serialize, ToSchema)]
#[schema(as = AboutBuild)]
pub struct Build {
    /// `release` or `debug`.
    profile: &'static str,
    /// The machine it was built for, such as `x86_64-linux`.
    target: String,
    /// What its packager named it by `HFDEPOT_BUILD` when it was built; mostly empty.
    label: &'static str,
    /// Whether the web pages are inside.
    web: bool,
}

/// Directories of the service.
#[derive(Serialize, ToSchema)]
#[schema(as = AboutPaths)]
pub struct Paths {
    /// The database.
    database: String,
    /// Its copies.
    backups: String,
    /// Root of the cache.
    cache: String,
    /// The Hub cache in it.
    hub: String,
}

/// What runs here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct About {
    version: &'static str,
    build: Build,
    /// SPDX expression of the licence.
    licence: &'static str,
    /// When the service started.
    #[schema(format = DateTime)]
    started_at: String,
    /// Version of the schema of the database.
    schema_version: i64,
    /// Id of the process.
    pid: u32,
    paths: Paths,
}

/// What runs here, and where it keeps its things
#[utoipa::path(
    get, path = "/api/system/about", tag = "system", operation_id = "getAbout",
    responses((status = 200, description = "Version, build and directories", body = About))
)]
pub async fn show(State(app): State<AppState>) -> Json<About> {
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let cache = app.settings.get().cache.clone();
    Json(About {
        version: env!("CARGO_PKG_VERSION"),
        build: Build {
            profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            label: option_env!("HFDEPOT_BUILD").unwrap_or(""),
            web: assets::has_web_build(),
        },
        licence: env!("CARGO_PKG_LICENSE"),
        started_at: rfc3339(app.begun_at),
        schema_version: store::known_schema(),
        pid: std::process::id(),
        paths: Paths {
            database: text(&app.data_dir.join(store::DATABASE)),
            backups: text(&app.data_dir.join(store::BACKUPS)),
            cache: text(&cache.root),
            hub: text(&cache.hub),
        },
    })
}
