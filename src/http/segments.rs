//! `GET /api/jobs/{id}/segments`: which spans of which file are here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiResult;
use super::extract::JobPath;
use super::jobs::find;
use super::state::AppState;
use crate::model::destination::Layout;
use crate::model::job::JobId;
use crate::model::state::JobStatus;
use crate::store::FileParts;

/// Files of an answer at most: those with a part file, which are few.
const FILES: i64 = 64;

/// The files of a job that are under way.
#[derive(Serialize, ToSchema)]
pub struct JobSegments {
    /// By path; those that have no part file yet, or none any more, are left out.
    files: Vec<FileSegments>,
}

/// One file that is under way. All in bytes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileSegments {
    path: String,
    total_bytes: u64,
    /// Handed to the system: survives the end of the process.
    written: u64,
    /// On disk: survives a loss of power.
    synced: u64,
    /// Hashed from the front.
    hashed: u64,
    segments: Vec<SegmentView>,
}

/// A span of a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SegmentView {
    start: u64,
    length: u64,
    /// Bytes from its start.
    written: u64,
    /// Bytes from its start.
    synced: u64,
    /// Whether a connection fills it now.
    open: bool,
}

/// Which spans of the files under way are here.
#[utoipa::path(get, path = "/api/jobs/{id}/segments", operation_id = "listJobSegments", tag = "jobs", params(
    ("id" = JobId, Path, description = "Id of the job")
), responses(
    (status = 200, description = "The files under way", body = JobSegments),
    (status = 404, description = "No such job is on the list")
))]
pub async fn show(State(app): State<AppState>, JobPath(id): JobPath) -> ApiResult<Json<JobSegments>> {
    let job = find(&app, id).await?;
    let own_folder = job
        .repo
        .as_ref()
        .map_or_else(String::new, |repo| match job.destination.layout {
            Layout::Cache => repo.folder(job.repo_type),
            Layout::Local => job.destination.local_repo.as_ref().unwrap_or(repo).to_string(),
        });
    let mut by_path: BTreeMap<String, FileParts> = BTreeMap::new();
    for file in app.store.file_parts(job.seq, FILES).await? {
        // Another repo with the same content has a part of its own; the job's own one counts.
        let inside = |file: &FileParts| {
            file.folder.starts_with(&job.destination.dir) && file.folder.ends_with(&own_folder)
        };
        match by_path.get(&file.path) {
            Some(known) if inside(known) || !inside(&file) => {}
            _ => {
                by_path.insert(file.path.clone(), file);
            }
        }
    }
    let running = job.status == JobStatus::Running;
    let files = by_path.into_values().map(|file| {
        let open = if running {
            app.engine.open_segments(file.part_id)
        } else {
            Vec::new()
        };
        view(file, &open)
    });
    Ok(Json(JobSegments {
        files: files.collect(),
    }))
}

fn view(file: FileParts, open: &[u64]) -> FileSegments {
    FileSegments {
        path: file.path,
        total_bytes: file.size_bytes,
        written: file.segments.iter().map(|segment| segment.written).sum(),
        synced: file.segments.iter().map(|segment| segment.synced).sum(),
        hashed: file.hashed_bytes,
        segments: file
            .segments
            .iter()
            .map(|segment| SegmentView {
                start: segment.start,
                length: segment.length,
                written: segment.written,
                synced: segment.synced,
                open: open.contains(&segment.start),
            })
            .collect(),
    }
}
