//! `POST /api/plan`, and `dryRun`: what a download would fetch.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::request::Asked;
use super::state::{App, AppState};
use crate::engine::{PlanReport, PlanTrouble};
use crate::hub::HubError;
use crate::model::code::Code;
use crate::model::job::JobRequest;
use crate::model::repo::RepoType;

/// Longest time for a plan; a repo of 100,000 files takes some ten pages of the listing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files left out that the answer names; all are counted.
const LEFT_OUT_SHOWN: usize = 1000;

/// 200 with the plan.
pub async fn show(
    State(app): State<AppState>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<Value>> {
    answer(&app, &Asked::parse(&body)?.request).await
}

/// The plan of `request` as clients see it.
///
/// # Errors
/// `Failed to scan repository` with the status that the cause has: 403, 404, 422, 429, 502, 504.
pub async fn answer(app: &App, request: &JobRequest) -> ApiResult<Json<Value>> {
    let destination = app.settings.get().cache.hub.to_string_lossy().into_owned();
    let planned = tokio::select! {
        planned = tokio::time::timeout(PATIENCE, app.engine.plan(request, &destination)) => planned,
        () = app.stop.cancelled() => {
            return Err(failed(StatusCode::SERVICE_UNAVAILABLE).details("The service is stopping"));
        }
    };
    match planned {
        Ok(Ok(report)) => Ok(Json(view(request, &destination, &report))),
        // No file is an answer, not an error: the pattern is what the user wants to try out.
        Ok(Err(PlanTrouble::Plan(error))) if error.code == Code::NothingMatched => {
            Ok(Json(nothing(request, &destination, &error.text)))
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

fn view(request: &JobRequest, destination: &str, report: &PlanReport) -> Value {
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|file| {
            json!({
                "path": file.path,
                "size": file.size_bytes,
                "lfs": file.blob_id.is_lfs(),
                "present": file.present,
                "partBytes": file.part_bytes,
            })
        })
        .collect();
    let skipped: Vec<Value> = report
        .left_out
        .iter()
        .take(LEFT_OUT_SHOWN)
        .map(|file| json!({"path": file.path, "size": file.size_bytes, "reason": file.reason}))
        .collect();
    json!({
        "repo": request.repo,
        "revision": request.revision,
        "isDataset": request.repo_type == RepoType::Dataset,
        "commit": report.commit,
        "outputDir": destination,
        "totalFiles": files.len(),
        "files": files,
        "totalSize": report.total_bytes,
        "skippedFiles": skipped,
        "skippedTotal": report.left_out.len(),
        "alreadyPresentBytes": report.present_bytes,
        "fetchBytes": report.fetch_bytes,
        "freeBytes": report.free_bytes,
        "reservedBytes": report.reserved_bytes,
        "fits": report.room.is_ok(),
        "warning": report.room.as_ref().err().map(String::as_str).unwrap_or_default(),
    })
}

/// The plan of a request that selects no file.
fn nothing(request: &JobRequest, destination: &str, why: &str) -> Value {
    json!({
        "repo": request.repo,
        "revision": request.revision,
        "isDataset": request.repo_type == RepoType::Dataset,
        "commit": null,
        "outputDir": destination,
        "totalFiles": 0,
        "files": [],
        "totalSize": 0,
        "skippedFiles": [],
        "skippedTotal": 0,
        "alreadyPresentBytes": 0,
        "fetchBytes": 0,
        "freeBytes": null,
        "reservedBytes": 0,
        "fits": true,
        "warning": why,
    })
}
