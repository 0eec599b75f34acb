//! `POST /api/plan`, and `dryRun`: what a download would fetch.
//!
//! A plan says what stands on the Hub and on the disk now; it promises and reserves nothing. What
//! the Hub's scanners say of the files is asked for on top, and no plan fails for want of it.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::destination;
use super::error::{ApiError, ApiResult};
use super::plan_many::{self, ManyPlans, ManyPlansRequest};
use super::request::Asked;
use super::state::{App, AppState};
use super::upstream;
use super::wire::DownloadBody;
use crate::engine::{PlanReport, PlanTrouble};
use crate::hub::{Bucket, Flagged};
use crate::model::code::Code;
use crate::model::destination::Destination;
use crate::model::job::JobRequest;
use crate::model::repo::{Commit, RepoId, RepoType, Revision, shown};

/// The sentence of every error.
pub(super) const FAILED: &str = "Failed to scan repository";
/// Flagged files that the warning names.
const FLAGGED_NAMED: usize = 3;
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
    /// Free bytes when it and all live jobs are done; below 0 = so much is missing, `null` as `freeBytes`.
    #[schema(required)]
    free_after_bytes: Option<i64>,
    /// Whether there is room.
    fits: bool,
    /// Requests to the Hub that the download would make: one for the commit, one for each page of the
    /// listing (1,000 entries), one for each different content to fetch. Retries come on top; 0 when the
    /// filters match no file.
    requests: u64,
    /// Left in the Hub's present window for files, which gives nearly all of them; `null` while unknown.
    #[schema(required)]
    requests_remaining: Option<u64>,
    /// Files of the plan that the Hub's scanners warn of.
    unsafe_files: Vec<UnsafeFile>,
    /// Why there is no room, why nothing would be fetched, what the scanners warn of; one after the other.
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

/// A file that the Hub's scanners warn of.
#[derive(Serialize, ToSchema)]
pub struct UnsafeFile {
    path: String,
    /// The Hub's word: `unsafe`, `suspicious`, `caution`, ….
    status: String,
    /// What it means.
    detail: &'static str,
}

/// One download, or many.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // Describes two bodies that are read in two places.
pub enum PlanRequest {
    /// One.
    One(Box<DownloadBody>),
    /// Many.
    Many(ManyPlansRequest),
}

/// The plan of one, or the plans of many.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum PlanAnswer {
    /// Of one.
    One(Box<Plan>),
    /// Of many.
    Many(Box<ManyPlans>),
}

/// What a download would fetch
///
/// With `repos` up to 200 of them at once: the answer is 200 then, and each has a plan or an error of its own.
#[utoipa::path(
    post, path = "/api/plan", tag = "downloads", operation_id = "planDownload",
    request_body = PlanRequest,
    responses(
        (status = 200, description = "The plan, or one for each of `repos`", body = PlanAnswer),
        (status = 403, description = "The destination is not allowed, or the Hub refuses access"),
        (status = 404, description = "No such repo or revision"),
        (status = 409, description = "A file stands where the folder of localDir should be"),
        (status = 422, description = "The repo has names that are not safe to store"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<PlanAnswer>> {
    if let Some(repos) = body.get("repos").filter(|value| !value.is_null()) {
        let plans = plan_many::answer(&app, repos).await?;
        return Ok(Json(PlanAnswer::Many(Box::new(plans))));
    }
    let asked = Asked::parse(&body)?;
    let destination = destination::find(&app.settings.get(), &asked.place, asked.request.repo_type)?;
    let Json(plan) = answer(&app, &asked.request, &destination).await?;
    Ok(Json(PlanAnswer::One(Box::new(plan))))
}

/// The plan of `request` as clients see it.
///
/// # Errors
/// `Failed to scan repository` with the status that the cause has: 403, 404, 422, 429, 502, 504.
pub async fn answer(app: &App, request: &JobRequest, destination: &Destination) -> ApiResult<Json<Plan>> {
    let (plan, _) = make(app, request, destination, app.patience.plan).await?;
    Ok(Json(plan))
}

/// The plan within `patience`, and the report behind it when the filters match a file.
///
/// # Errors
/// As [`answer`].
pub(super) async fn make(
    app: &App,
    request: &JobRequest,
    destination: &Destination,
    patience: Duration,
) -> ApiResult<(Plan, Option<PlanReport>)> {
    let planned = tokio::select! {
        planned = tokio::time::timeout(patience, app.engine.plan(request, destination)) => planned,
        () = app.stop.cancelled() => {
            return Err(failed(StatusCode::SERVICE_UNAVAILABLE).details("The service is stopping"));
        }
    };
    match planned {
        Ok(Ok(report)) => {
            let found = scanned(app, request, &report).await;
            let mut plan = view(request, &destination.dir, &report);
            plan.warn(found);
            plan.requests_remaining = requests_remaining(app);
            Ok((plan, Some(report)))
        }
        // No file is an answer, not an error: the pattern is what the user wants to try out.
        Ok(Err(PlanTrouble::Plan(error))) if error.code == Code::NothingMatched => {
            let plan = Plan {
                requests_remaining: requests_remaining(app),
                ..nothing(request, &destination.dir, error.text)
            };
            Ok((plan, None))
        }
        Ok(Err(trouble)) => Err(refused(trouble)),
        Err(_) => Err(failed(StatusCode::GATEWAY_TIMEOUT)
            .details(upstream::too_slow(patience))
            .reason(Code::Stalled)),
    }
}

fn failed(status: StatusCode) -> ApiError {
    ApiError::new(status, FAILED)
}

fn refused(trouble: PlanTrouble) -> ApiError {
    let coded = |code, details: String| ApiError::coded(code, FAILED).details(details);
    match trouble {
        PlanTrouble::Hub(error) => upstream::refused(FAILED, &error),
        PlanTrouble::Plan(error) => coded(error.code, error.text),
        PlanTrouble::Disk(error) => coded(error.code, error.to_string()),
        PlanTrouble::Store(error) => error.into(),
    }
}

/// Bytes that stay free; below 0 = so much is missing.
pub(super) fn left(free: u64, reserved: u64, fetch: u64) -> i64 {
    let left = i128::from(free) - i128::from(reserved) - i128::from(fetch);
    i64::try_from(left).unwrap_or(if left < 0 { i64::MIN } else { i64::MAX })
}

/// Requests that the Hub's present window for files has left, as far as it said.
pub(super) fn requests_remaining(app: &App) -> Option<u64> {
    let windows = app.engine.budget().snapshot();
    let files = windows.iter().find(|window| window.bucket == Bucket::Resolvers);
    files?.remaining
}

/// What the Hub's scanners say of the commit of a plan; `None` when the Hub does not tell in time.
async fn scanned(app: &App, request: &JobRequest, report: &PlanReport) -> Option<Vec<Flagged>> {
    let revision: Revision = report.commit.as_str().parse().ok()?;
    let hub = app.engine.hub();
    let asked = hub.repo_info(request.repo_type, &request.repo, &revision);
    let info = tokio::select! {
        info = tokio::time::timeout(app.patience.scanners, asked) => info.ok()?,
        () = app.stop.cancelled() => return None,
    };
    match info {
        Ok(info) => Some(info.security.flagged),
        Err(error) => {
            tracing::debug!(repo = %request.repo, %error, "no verdict of the scanners");
            None
        }
    }
}

impl Plan {
    /// The repo.
    pub(super) fn repo(&self) -> &RepoId {
        &self.repo
    }

    /// Adds what the scanners say of its files.
    fn warn(&mut self, found: Option<Vec<Flagged>>) {
        let said = match &found {
            None => "The Hub does not say now what its scanners found in these files".to_owned(),
            Some(flagged) => {
                // Paths of findings are made safe to show, so that is how they are compared.
                let levels: HashMap<_, _> = flagged.iter().map(|one| (&one.path, &one.level)).collect();
                let files = self.files.iter().filter_map(|file| {
                    let level = levels.get(&shown(&file.path))?;
                    Some(UnsafeFile {
                        path: file.path.clone(),
                        status: (*level).clone(),
                        detail: meaning(level),
                    })
                });
                self.unsafe_files = files.collect();
                sentence(&self.unsafe_files)
            }
        };
        if !said.is_empty() {
            let before = std::mem::take(&mut self.warning);
            self.warning = if before.is_empty() {
                said
            } else {
                format!("{before}. {said}")
            };
        }
    }
}

fn meaning(level: &str) -> &'static str {
    match level {
        "unsafe" => {
            "The Hub's scanners found something dangerous in it: load it only if you know what it does"
        }
        "suspicious" => "The Hub's scanners found something in it that may be dangerous",
        _ => "The Hub's scanners advise to look at it before it is loaded",
    }
}

/// One sentence for all of them; empty for none.
fn sentence(files: &[UnsafeFile]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let named = files.iter().take(FLAGGED_NAMED);
    let named: Vec<_> = named
        .map(|file| format!("{} ({})", shown(&file.path), file.status))
        .collect();
    let more = match files.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("The Hub's scanners warn of {}{more}", named.join(", "))
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
        free_after_bytes: report
            .free_bytes
            .map(|free| left(free, report.reserved_bytes, report.fetch_bytes)),
        requests: report.requests,
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
        free_after_bytes: None,
        requests: 0,
        requests_remaining: None,
        unsafe_files: Vec::new(),
        fits: true,
        warning: why,
    }
}
