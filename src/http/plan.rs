//! `POST /api/plan`, and `dryRun`: what a download would fetch.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::destination;
use super::error::{ApiError, ApiResult};
use super::request::{Asked, DownloadRequest};
use super::state::{App, AppState};
use crate::engine::{PlanReport, PlanTrouble};
use crate::hub::HubError;
use crate::model::code::Code;
use crate::model::destination::Destination;
use crate::model::job::JobRequest;
use crate::model::repo::{Commit, RepoId, RepoType, Revision};

/// Longest time for a plan; a repo of 100,000 files takes some ten pages of the listing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files left out that the answer names; all are counted.
const LEFT_OUT_SHOWN: usize = 1000;

/// What a download would fetch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    repo: RepoId,
    revision: Revision,
    is_dataset: bool,
    /// What the revision resolved to; `null` when the filters match no file.
    #[schema(required)]
    commit: Option<Commit>,
    /// The Hub cache, or the folder of plain files.
    output_dir: String,
    total_files: usize,
    files: Vec<PlanFile>,
    /// Bytes of all files.
    total_size: u64,
    /// Files left out, the first 1,000.
    skipped_files: Vec<SkippedFile>,
    /// How many there are.
    skipped_total: usize,
    /// Bytes that lie in the cache already.
    already_present_bytes: u64,
    /// Bytes that would come over the network.
    fetch_bytes: u64,
    /// Free bytes of the volume; `null` when nothing would be fetched.
    #[schema(required)]
    free_bytes: Option<u64>,
    /// Bytes that live jobs have reserved.
    reserved_bytes: u64,
    /// Whether there is room.
    fits: bool,
    /// Why there is none, or why nothing would be fetched.
    warning: String,
}

/// A file that would be stored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanFile {
    path: String,
    size: u64,
    /// Whether it is stored in LFS.
    lfs: bool,
    /// Whether it lies in the cache already.
    present: bool,
    /// Bytes of a part that an earlier run left.
    part_bytes: u64,
}

/// A file that would be left out.
#[derive(Serialize, ToSchema)]
pub struct SkippedFile {
    path: String,
    size: u64,
    /// Why.
    reason: &'static str,
}

/// What a download would fetch
#[utoipa::path(
    post, path = "/api/plan", tag = "downloads", operation_id = "planDownload",
    request_body = DownloadRequest,
    responses(
        (status = 200, description = "The plan", body = Plan),
        (status = 403, description = "The Hub refuses access"),
        (status = 404, description = "No such repo or revision"),
        (status = 422, description = "The repo has names that are not safe to store"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<Plan>> {
    let asked = Asked::parse(&body)?;
    let destination = destination::find(&app.settings.get(), &asked.place, asked.request.repo_type)?;
    answer(&app, &asked.request, &destination).await
}

/// The plan of `request` as clients see it.
///
/// # Errors
/// `Failed to scan repository` with the status that the cause has: 403, 404, 422, 429, 502, 504.
pub async fn answer(app: &App, request: &JobRequest, destination: &Destination) -> ApiResult<Json<Plan>> {
    let planned = tokio::select! {
        planned = tokio::time::timeout(PATIENCE, app.engine.plan(request, destination)) => planned,
        () = app.stop.cancelled() => {
            return Err(failed(StatusCode::SERVICE_UNAVAILABLE).details("The service is stopping"));
        }
    };
    match planned {
        Ok(Ok(report)) => Ok(Json(view(request, &destination.dir, &report))),
        // No file is an answer, not an error: the pattern is what the user wants to try out.
        Ok(Err(PlanTrouble::Plan(error))) if error.code == Code::NothingMatched => {
            Ok(Json(nothing(request, &destination.dir, error.text)))
        }
        Ok(Err(trouble)) => Err(refused(trouble)),
        Err(_) => Err(failed(StatusCode::GATEWAY_TIMEOUT)
            .details(format!(
                "No complete answer within {} seconds",
                PATIENCE.as_secs()
            ))
            .reason(Code::Stalled)),
    }
}

fn failed(status: StatusCode) -> ApiError {
    ApiError::new(status, "Failed to scan repository")
}

fn refused(trouble: PlanTrouble) -> ApiError {
    let coded = |code, details: String| ApiError::coded(code, "Failed to scan repository").details(details);
    match trouble {
        PlanTrouble::Hub(HubError {
            code,
            message,
            retry_after,
            ..
        }) => {
            let error = coded(code, message);
            match retry_after {
                Some(wait) => error.header(
                    header::RETRY_AFTER,
                    HeaderValue::from(wait.as_secs_f64().ceil() as u64),
                ),
                None => error,
            }
        }
        PlanTrouble::Plan(error) => coded(error.code, error.text),
        PlanTrouble::Disk(error) => coded(error.code, error.to_string()),
        PlanTrouble::Store(error) => error.into(),
    }
}

fn view(request: &JobRequest, destination: &str, report: &PlanReport) -> Plan {
    let files = report.files.iter().map(|file| PlanFile {
        path: file.path.to_string(),
        size: file.size_bytes,
        lfs: file.blob_id.is_lfs(),
        present: file.present,
        part_bytes: file.part_bytes,
    });
    let skipped = report.left_out.iter().take(LEFT_OUT_SHOWN);
    let skipped = skipped.map(|file| SkippedFile {
        path: file.path.to_string(),
        size: file.size_bytes,
        reason: file.reason,
    });
    Plan {
        commit: Some(report.commit.clone()),
        total_files: report.files.len(),
        files: files.collect(),
        total_size: report.total_bytes,
        skipped_files: skipped.collect(),
        skipped_total: report.left_out.len(),
        already_present_bytes: report.present_bytes,
        fetch_bytes: report.fetch_bytes,
        free_bytes: report.free_bytes,
        reserved_bytes: report.reserved_bytes,
        fits: report.room.is_ok(),
        warning: report.room.clone().err().unwrap_or_default(),
        ..nothing(request, destination, String::new())
    }
}

/// The plan of a request that selects no file.
fn nothing(request: &JobRequest, destination: &str, why: String) -> Plan {
    Plan {
        repo: request.repo.clone(),
        revision: request.revision.clone(),
        is_dataset: request.repo_type == RepoType::Dataset,
        commit: None,
        output_dir: destination.to_owned(),
        total_files: 0,
        files: Vec::new(),
        total_size: 0,
        skipped_files: Vec::new(),
        skipped_total: 0,
        already_present_bytes: 0,
        fetch_bytes: 0,
        free_bytes: None,
        reserved_bytes: 0,
        fits: true,
        warning: why,
    }
}
