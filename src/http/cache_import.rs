//! `POST /api/cache/import`: files of other folders that say what they are, taken into the cache.

use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::cache::Place;
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::mirror::end_of;
use super::state::{App, AppState};
use super::targets::{own_directories, real};
use super::wire::RepoOrNone;
use crate::config::paths::check_directory;
use crate::disk::export::Placing;
use crate::engine::{ImportReport, ImportSpec};
use crate::model::job::{JobId, Verify};
use crate::model::repo::{RepoId, RepoType, shown};
use crate::model::state::{JobKind, JobStatus};
use crate::store::{NewWork, Submitted};

/// What to take over.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRequest {
    /// An absolute path, in a folder that `localScanDirs`, `localDir` or `downloadRoutes` of the
    /// settings or `--export-dir` name.
    #[schema(required, nullable = false, pattern = "^/[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    dir: Option<String>,
    /// Only show what would be taken over; `true` by default.
    dry_run: Option<bool>,
    /// `auto` by default: cloned where the file system can, else hard-linked, else copied.
    mode: Option<Placing>,
    /// Whose files they are, when `dir` is a folder of plain files that is not named `owner/name`.
    #[schema(inline, value_type = Option<RepoOrNone>)]
    repo: Option<String>,
    /// Of that repo; `model` by default.
    #[serde(rename = "type")]
    repo_type: Option<RepoType>,
    /// Answer with the id of the job at once.
    r#async: Option<bool>,
}

/// What was found and done, with the job that did it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportAnswer {
    #[serde(flatten)]
    report: ImportReport,
    /// `null` for a dry run.
    #[schema(required)]
    job_id: Option<JobId>,
}

/// The job that does it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportStarted {
    job_id: JobId,
}

/// Take files of another folder into the cache
///
/// Two layouts say what their files are: a Hugging Face cache, and a folder that
/// `hf download --local-dir` or a download of this service filled. Each file is hashed before it
/// counts; the folder stays as it is. Without `dryRun: false` it is only shown. The work is a job
/// of the kind `export`; the answer comes at its end, or at once with `async`. Hard-linked files
/// are those of the folder: who changes one changes both.
#[utoipa::path(
    post, path = "/api/cache/import", tag = "cache", operation_id = "importIntoCache",
    request_body = ImportRequest,
    responses(
        (status = 200, description = "What was found, and taken over", body = ImportAnswer),
        (status = 202, description = "The job that does it", body = ImportStarted),
        (status = 400, description = "The folder cannot be looked through"),
        (status = 403, description = "The folder is not allowed"),
        (status = 404, description = "The folder is not there"),
        (status = 409, description = "The import was cancelled"),
        (status = 503, description = "The service stops; the job goes on with its next start"),
    )
)]
pub async fn import(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<ImportRequest>,
) -> ApiResult<Response> {
    let dir = asked.dir.map(|dir| dir.trim().to_owned());
    let dir = dir.filter(|dir| !dir.is_empty());
    let dir = dir.ok_or_else(|| ApiError::bad_request("Missing required field: dir"))?;
    let repo = asked.repo.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let repo: Option<RepoId> =
        repo.map(|id| id.parse())
            .transpose()
            .map_err(|why: crate::model::repo::NameError| {
                ApiError::bad_request("Invalid repo format").details(why.to_string())
            })?;
    let import_from = allowed(&app, &dir).await?;
    let place = Place::of(&app);
    let spec = ImportSpec {
        hub: place.hub.clone(),
        import_from,
        repo_type: asked.repo_type.unwrap_or_default(),
        repo: repo.map(|repo| repo.as_str().to_owned()),
        mode: asked.mode.unwrap_or(Placing::Auto),
    };
    if asked.dry_run.unwrap_or(true) {
        let looked = tokio::task::spawn_blocking(move || spec.preview());
        let report = looked
            .await
            .map_err(ApiError::internal)?
            .map_err(|error| ApiError::bad_request("Invalid dir").details(error.to_string()))?;
        return Ok(Json(ImportAnswer { report, job_id: None }).into_response());
    }
    let spec = serde_json::to_value(&spec).map_err(ApiError::internal)?;
    let work = NewWork {
        kind: JobKind::Export,
        repo: None,
        duplicate_key: spec.to_string(),
        spec,
        destination: place.hub_text,
        verify: Verify::Sha256,
        priority: 0,
    };
    // Before the submission: nothing that happens to the job is missed.
    let mut changes = app.store.changes();
    let job = match app.store.submit_work(&work, &actor).await? {
        Submitted::New(job) | Submitted::Existing(job) => job,
    };
    app.engine.wake();
    if asked.r#async.unwrap_or(false) {
        return Ok((StatusCode::ACCEPTED, Json(ImportStarted { job_id: job.id })).into_response());
    }
    let ended = end_of(&app, &job.id, &mut changes).await?;
    let report: Option<ImportReport> = ended
        .result
        .and_then(|result| serde_json::from_value(result).ok());
    match (ended.status, report) {
        (JobStatus::Cancelled, _) => {
            Err(ApiError::conflict("Import cancelled").details(format!("Job {}", ended.id)))
        }
        // Also one that failed, when its report says at what.
        (status, Some(report)) if status == JobStatus::Completed || !report.errors.is_empty() => {
            let job_id = Some(ended.id);
            Ok(Json(ImportAnswer { report, job_id }).into_response())
        }
        _ => Err(match ended.error_code {
            Some(code) => ApiError::coded(code, "Import failed"),
            None => ApiError::internal("the import has no report"),
        }
        .details(ended.error)),
    }
}

/// The folder of a request, when the settings name one that it lies in.
async fn allowed(app: &App, dir: &str) -> ApiResult<PathBuf> {
    let settings = app.settings.get();
    let named = settings.local_scan_dirs.iter().chain(&settings.local_dir);
    let named = named.chain(settings.download_routes.values());
    let roots: Vec<PathBuf> = named.chain(&app.export_dirs).cloned().collect();
    let own = own_directories(app);
    let wanted: PathBuf = Path::new(dir).components().collect();
    let wrong = |why: String| ApiError::bad_request("Invalid dir").details(format!("dir {why}"));
    if !wanted.is_absolute() {
        return Err(wrong("must be an absolute path".to_owned()));
    }
    let text = dir.to_owned();
    let checked = tokio::task::spawn_blocking(move || {
        // Links count by where they lead, on both sides.
        let place = real(&wanted);
        let inside = |root: &PathBuf| place.starts_with(real(root));
        if !roots.iter().any(inside) || own.iter().any(inside) {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "dir is not allowed")
                .details("It lies in no folder that localScanDirs, localDir or downloadRoutes of the settings or --export-dir name")
                .reason(crate::model::code::Code::BadRequest)
                .hint("Start the service with --local-scan-dirs DIR, then import from there."));
        }
        check_directory(&text).map_err(|why| wrong(why.to_string()))?;
        if !wanted.is_dir() {
            return Err(ApiError::not_found("Folder not found").details(shown(&text)));
        }
        Ok(wanted)
    });
    checked.await.map_err(ApiError::internal)?
}
