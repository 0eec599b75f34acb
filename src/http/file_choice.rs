//! Which files of a job are wanted, and which first, while it is not over.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, JobPath};
use super::jobs::{find, unknown};
use super::state::{App, AppState};
use super::views::FileView;
use super::wire::FileWishBody;
use crate::model::glob::Glob;
use crate::model::job::JobId;
use crate::model::state::FilePriority;
use crate::store::ChoiceRefused;

/// Wishes of one request, and files of its answer.
const MOST: usize = 10_000;

/// What is wanted of some files.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FileWish {
    /// Path of one file.
    path: Option<String>,
    /// Every file whose whole path it matches; `*` crosses `/`, in any case.
    glob: Option<String>,
    priority: FilePriority,
}

/// Wishes, all or none; where several name one file, the last one holds.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FileWishes {
    /// At most 10,000.
    #[schema(min_items = 1, max_items = 10_000, value_type = Vec<FileWishBody>)]
    files: Vec<FileWish>,
}

/// The files that were named, as they are now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilesChosen<'a> {
    /// By path; the first 10,000.
    files: Vec<FileView<'a>>,
    /// How many were named.
    matched: usize,
    /// Totals of the job without files that are left out.
    total_files: i64,
    total_bytes: i64,
    skipped_files: i64,
}

/// Chooses files while a job is not over
///
/// `skip` leaves a file out: one that is being fetched stops within a second, keeps its bytes until
/// the job ends, and no longer counts in the totals. `normal` and `high` bring it back. A file that
/// is in place already stays as it is. A retry keeps the choice.
#[utoipa::path(
    patch, path = "/api/jobs/{id}/files", tag = "jobs", operation_id = "chooseJobFiles",
    params(("id" = JobId, Path, description = "The job")),
    request_body = FileWishes,
    responses(
        (status = 200, description = "The files as they are now", body = FilesChosen),
        (status = 400, description = "A path or pattern that no file of the job has; nothing was changed"),
        (status = 404, description = "No such job"),
        (status = 409, description = "The job is over"),
    )
)]
pub async fn choose(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JobPath(id): JobPath,
    JsonBody(body): JsonBody<FileWishes>,
) -> ApiResult<impl IntoResponse> {
    if body.files.is_empty() || body.files.len() > MOST {
        let count = body.files.len();
        return Err(
            ApiError::bad_request("Invalid files").details(format!("Give 1 to {MOST} files, not {count}"))
        );
    }
    let id = find(&app, id).await?.id;
    let wishes = expanded(&app, &id, body.files).await?;
    let files = match app.store.choose_files(&id, &wishes, MOST as i64, &actor).await? {
        Ok(files) => files,
        Err(why) => return Err(refused(&why)),
    };
    app.engine.wake();
    let job = find(&app, Some(id)).await?;
    let answer = FilesChosen {
        files: files.iter().map(FileView::hashed).collect(),
        matched: wishes.len(),
        total_files: job.total_files,
        total_bytes: job.total_bytes,
        skipped_files: job.skipped_files,
    };
    Ok(Json(answer).into_response())
}

/// The wish for each path.
async fn expanded(app: &App, id: &JobId, wishes: Vec<FileWish>) -> ApiResult<BTreeMap<String, FilePriority>> {
    let globs = wishes.iter().any(|wish| wish.glob.is_some());
    let paths = if globs {
        app.store.file_paths(id).await?
    } else {
        Vec::new()
    };
    let mut by_path = BTreeMap::new();
    for FileWish { path, glob, priority } in wishes {
        match (path, glob) {
            (Some(path), None) => {
                by_path.insert(path, priority);
            }
            (None, Some(text)) => {
                let glob = Glob::new(&text).map_err(|why| wrong(&why))?;
                let matching = paths.iter().filter(|path| glob.matches(path));
                let mut matched = false;
                for path in matching {
                    matched = true;
                    by_path.insert(path.clone(), priority);
                }
                if !matched {
                    return Err(wrong(&format!("No file of the job matches \"{text}\"")));
                }
            }
            _ => {
                return Err(ApiError::bad_request("Missing required field: path or glob")
                    .details("Give one of the two: path names a file, glob all that it matches"));
            }
        }
    }
    Ok(by_path)
}

fn wrong(why: &str) -> ApiError {
    ApiError::bad_request("Invalid files")
        .details(why)
        .hint("GET /api/jobs/{id}/files lists the files; a job has none before it was planned.")
}

fn refused(why: &ChoiceRefused) -> ApiError {
    match why {
        ChoiceRefused::Unknown => unknown(),
        ChoiceRefused::Status(status) => {
            ApiError::conflict("The files of a job that is over cannot be chosen")
                .details(format!("The job is {status}"))
                .hint("Queue the repo again with filters for the files you want.")
        }
        ChoiceRefused::Paths(paths) => {
            let named: Vec<_> = paths.iter().map(|path| format!("\"{path}\"")).collect();
            wrong(&format!("The job has no file {}", named.join(", ")))
        }
    }
}
