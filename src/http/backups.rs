//! Copies of the database: `GET` and `POST /api/system/backups`, `GET /api/system/backups/{name}`.
//!
//! A copy holds what the database holds, the token too: only an administrator gets one.

use std::path::PathBuf;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::AppState;
use crate::clock::rfc3339;
use crate::model::backup::BackupName;
use crate::model::task::TaskName;
use crate::store::{self, BACKUPS_KEPT};

/// The media type of SQLite's files, as IANA has it.
const MEDIA_TYPE: &str = "application/vnd.sqlite3";

/// One copy.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Backup)]
pub struct BackupView {
    name: BackupName,
    /// Why it was made: `daily`, `manual`, or `schema-7` before a migration from that schema.
    label: String,
    #[schema(format = DateTime)]
    made_at: String,
    /// Bytes of the file.
    size: u64,
    /// Version of the schema in it; `null` when the file cannot be read.
    #[schema(required)]
    schema_version: Option<i64>,
    /// Whether this version of the service can be put back to it.
    usable: bool,
}

/// All copies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backups {
    /// Newest first.
    backups: Vec<BackupView>,
    /// Where they lie.
    directory: String,
    /// Newest schema version that this version of the service knows.
    schema_version: i64,
    /// Copies of each sort that are kept.
    kept: usize,
}

impl From<store::Backup> for BackupView {
    fn from(backup: store::Backup) -> Self {
        Self {
            label: backup.name.label().to_owned(),
            made_at: rfc3339(backup.name.made_at()),
            size: backup.size_bytes,
            schema_version: backup.schema_version,
            usable: backup
                .schema_version
                .is_some_and(|version| version <= store::known_schema()),
            name: backup.name,
        }
    }
}

/// The copies of the database, newest first
#[utoipa::path(
    get, path = "/api/system/backups", tag = "system", operation_id = "listBackups",
    responses((status = 200, description = "The copies", body = Backups))
)]
pub async fn list(State(app): State<AppState>) -> ApiResult<Json<Backups>> {
    let backups = store::backups(&app.data_dir).await?;
    Ok(Json(Backups {
        backups: backups.into_iter().map(BackupView::from).collect(),
        directory: app.data_dir.join(store::BACKUPS).to_string_lossy().into_owned(),
        schema_version: store::known_schema(),
        kept: BACKUPS_KEPT,
    }))
}

/// Copies the database now
///
/// The answer comes when the copy is on disk.
#[utoipa::path(
    post, path = "/api/system/backups", tag = "system", operation_id = "createBackup",
    responses((status = 201, description = "The copy", body = BackupView))
)]
pub async fn create(State(app): State<AppState>, Actor(actor): Actor) -> ApiResult<impl IntoResponse> {
    let task = app
        .task(TaskName::Backup)
        .ok_or_else(|| ApiError::internal("no task copies"))?;
    // A task of its own: a client that hangs up must not leave half a copy.
    let made = tokio::spawn(async move {
        let database = app.data_dir.join(store::DATABASE);
        let copy = app.store.backup(&database, "manual");
        task.perform(copy, |copy| copy.name.to_string()).await
    });
    let made = made.await.map_err(ApiError::internal)??;
    tracing::info!(copy = %made.name, size_bytes = made.size_bytes, actor, "copied the database");
    Ok((StatusCode::CREATED, Json(BackupView::from(made))))
}

/// The file of a copy
///
/// Needs the scope `admin`: it holds everything that the service knows, the token too.
#[utoipa::path(
    get, path = "/api/system/backups/{name}", tag = "system", operation_id = "downloadBackup",
    params(("name" = BackupName, Path, description = "Name of the copy")),
    responses(
        (status = 200, description = "An SQLite database", body = Vec<u8>, content_type = "application/vnd.sqlite3"),
        (status = 404, description = "There is no such copy"),
    )
)]
pub async fn download(
    State(app): State<AppState>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> ApiResult<Response> {
    let unknown = || ApiError::not_found("Backup not found");
    let name: BackupName = name.parse().map_err(|_| unknown())?;
    let path: PathBuf = store::backup_file(&app.data_dir, &name).ok_or_else(unknown)?;
    let file = tokio::fs::File::open(&path).await.map_err(ApiError::internal)?;
    let size = file.metadata().await.map_err(ApiError::internal)?.len();
    tracing::info!(copy = %name, actor, "a copy of the database is downloaded");
    let mut response = Body::from_stream(ReaderStream::with_capacity(file, 128 << 10)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CONTENT_LENGTH, size.into());
    let file = format!("attachment; filename=\"{name}\"");
    if let Ok(file) = HeaderValue::from_str(&file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
