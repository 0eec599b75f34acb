//! `/api/mirror`: the runs that copy.
//!
//! A run is a job. Who asks for one waits for its end and gets its report; when he goes away, or
//! asks with `async`, the job goes on all the same.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, QueryFields};
use super::state::{App, AppState};
use super::targets::{self, not_mounted};
use super::wire::{self, TargetName};
use crate::clock::rfc3339;
use crate::engine::{Comparison, Direction, MirrorReport, MirrorSpec, Sides, compare_mirror, plan_mirror};
use crate::model::job::{JobId, Verify};
use crate::model::state::{JobKind, JobStatus};
use crate::store::{Job, JobFilter, JobsQuery, Submitted, TargetRow};

/// Runs that are looked through for the newest of each target, and listed by default.
const RUNS: i64 = 200;

/// What is to be copied.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorRunRequest)]
pub struct RunRequest {
    #[schema(required, inline, value_type = TargetName)]
    target: Option<String>,
    /// Only repos whose id holds this text, in any case.
    repo_filter: Option<String>,
    /// Only say what would be done.
    dry_run: Option<bool>,
    /// What is compared; `true` means `sha256`, `false` means `size`.
    #[schema(inline, value_type = Option<wire::VerifyWish>)]
    verify: Option<VerifyWish>,
    /// Delete repos that only the destination has.
    delete_extra: Option<bool>,
    /// Copy again what is there already.
    force: Option<bool>,
    /// Answer with the id of the job at once.
    r#async: Option<bool>,
}

/// A word, or yes and no.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum VerifyWish {
    /// `true` means `sha256`.
    Flag(bool),
    /// `none`, `size` or `sha256`.
    Word(String),
}

/// A report with the job that made it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorAnswer)]
pub struct Answer {
    #[serde(flatten)]
    report: MirrorReport,
    /// `null` for a dry run.
    #[schema(required)]
    job_id: Option<JobId>,
}

/// The job that does it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorStarted)]
pub struct Started {
    job_id: JobId,
}

/// A mirror job.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorRun)]
pub struct RunView {
    job_id: JobId,
    target: String,
    direction: Direction,
    status: JobStatus,
    error: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    started_at: Option<String>,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// What came of it, as far as it is known.
    #[schema(required)]
    report: Option<MirrorReport>,
}

/// Mirror jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = MirrorRuns)]
pub struct RunList {
    /// Newest first.
    runs: Vec<RunView>,
    count: usize,
}

impl RunView {
    /// Whether it is one of this target.
    pub(super) fn is_of(&self, target: &str) -> bool {
        self.target == target
    }

    /// When it began, or was asked for.
    pub(super) fn begun_at(&self) -> String {
        self.started_at.as_ref().unwrap_or(&self.created_at).clone()
    }

    fn new(job: Job) -> Option<Self> {
        let spec: MirrorSpec = serde_json::from_value(job.spec?).ok()?;
        Some(Self {
            job_id: job.id,
            target: spec.target,
            direction: spec.direction,
            status: job.status,
            error: job.error,
            created_at: rfc3339(job.created_at),
            started_at: job.started_at.map(rfc3339),
            ended_at: job.ended_at.map(rfc3339),
            report: job.result.and_then(|result| serde_json::from_value(result).ok()),
        })
    }
}

/// The newest mirror jobs, newest first.
pub(super) async fn runs(app: &App, limit: Option<i64>) -> ApiResult<Vec<RunView>> {
    let query = JobsQuery {
        filter: JobFilter {
            kind: Some(JobKind::Mirror),
            ..JobFilter::default()
        },
        limit: Some(limit.unwrap_or(RUNS)),
        newest_first: true,
        ..JobsQuery::default()
    };
    let jobs = app.store.jobs(&query).await?;
    Ok(jobs.into_iter().filter_map(RunView::new).collect())
}

/// Mirror runs, newest first
#[utoipa::path(
    get, path = "/api/mirror/runs", tag = "mirror", operation_id = "listMirrorRuns",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "200 by default"),
        ("target" = Option<String>, Query, description = "Only those of this target"),
    ),
    responses((status = 200, description = "The runs", body = RunList))
)]
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<RunList>> {
    let mut runs = runs(&app, query.number("limit", 1..=10_000)?).await?;
    if let Some(target) = query.text("target") {
        runs.retain(|run| run.is_of(target));
    }
    let count = runs.len();
    Ok(Json(RunList { runs, count }))
}

/// Copies from the cache to a target
///
/// A job of the kind `mirror`. The answer comes at its end, or at once with `async`.
#[utoipa::path(
    post, path = "/api/mirror/push", tag = "mirror", operation_id = "pushMirror",
    request_body = RunRequest,
    responses(
        (status = 200, description = "What was done, or would be", body = Answer),
        (status = 202, description = "The job that does it", body = Started),
        (status = 404, description = "There is no such target"),
        (status = 409, description = "The target is not mounted, or the run was cancelled"),
        (status = 503, description = "The service stops; the job goes on with its next start"),
    )
)]
pub async fn push(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<RunRequest>,
) -> ApiResult<Response> {
    run(&app, &actor, asked, Direction::Push).await
}

/// Copies from a target to the cache
///
/// A job of the kind `mirror`. Repos of live downloads are left alone.
#[utoipa::path(
    post, path = "/api/mirror/pull", tag = "mirror", operation_id = "pullMirror",
    request_body = RunRequest,
    responses(
        (status = 200, description = "What was done, or would be", body = Answer),
        (status = 202, description = "The job that does it", body = Started),
        (status = 404, description = "There is no such target"),
        (status = 409, description = "The target is not mounted, or the run was cancelled"),
        (status = 503, description = "The service stops; the job goes on with its next start"),
    )
)]
pub async fn pull(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<RunRequest>,
) -> ApiResult<Response> {
    run(&app, &actor, asked, Direction::Pull).await
}

async fn run(app: &App, actor: &str, asked: RunRequest, direction: Direction) -> ApiResult<Response> {
    let target = find(app, asked.target).await?;
    let verify = match asked.verify {
        None | Some(VerifyWish::Flag(false)) => Verify::Size,
        Some(VerifyWish::Flag(true)) => Verify::Sha256,
        Some(VerifyWish::Word(word)) => Verify::parse(&word)
            .map_err(|error| ApiError::bad_request("Invalid verify").details(error.to_string()))?,
    };
    let spec = MirrorSpec {
        target: target.name.clone(),
        path: PathBuf::from(&target.path),
        hub: app.settings.get().cache.hub.clone(),
        direction,
        repo_filter: asked.repo_filter.unwrap_or_default(),
        delete_extra: asked.delete_extra.unwrap_or(false),
        force: asked.force.unwrap_or(false),
        verify,
    };
    if asked.dry_run.unwrap_or(false) {
        let sides = Sides::new(&target, &spec.hub, direction);
        let busy = app.store.busy_repos().await?;
        let comparison = compared(app, sides, spec.repo_filter.clone()).await?;
        let report = plan_mirror(&comparison, &spec, &busy).report();
        return Ok(Json(Answer { report, job_id: None }).into_response());
    }
    let work = spec.work(&target);
    // Before the submission: nothing that happens to the job is missed.
    let mut changes = app.store.changes();
    let job = match app.store.submit_work(&work, actor).await? {
        Submitted::New(job) | Submitted::Existing(job) => job,
    };
    app.engine.wake();
    if asked.r#async.unwrap_or(false) {
        return Ok((StatusCode::ACCEPTED, Json(Started { job_id: job.id })).into_response());
    }
    ended(end_of(app, &job.id, &mut changes).await?)
}

/// Waits for the end of a job. `changes` are those of the store, from before it was submitted on.
pub(super) async fn end_of(app: &App, id: &JobId, changes: &mut Receiver<i64>) -> ApiResult<Job> {
    loop {
        let now = app.store.job(id).await?;
        let now = now.ok_or_else(|| ApiError::not_found("Job not found"))?;
        if now.status.is_terminal() {
            return Ok(now);
        }
        let changed = app.stop.run_until_cancelled(async {
            // Somebody who falls behind looks again.
            loop {
                match changes.recv().await {
                    Ok(seq) if seq != now.seq => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                }
            }
        });
        if changed.await != Some(true) {
            return Err(
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The service is stopping")
                    .details(format!("Job {id} goes on with the next start")),
            );
        }
    }
}

/// The answer for a job that is over.
fn ended(job: Job) -> ApiResult<Response> {
    let report: Option<MirrorReport> = job.result.and_then(|result| serde_json::from_value(result).ok());
    match (job.status, report) {
        (JobStatus::Cancelled, _) => {
            Err(ApiError::new(StatusCode::CONFLICT, "Mirror run cancelled")
                .details(format!("Job {}", job.id)))
        }
        // Also one that failed, when its report says at what.
        (_, Some(report)) if !report.message.is_empty() => {
            let job_id = Some(job.id);
            Ok(Json(Answer { report, job_id }).into_response())
        }
        _ => {
            let error = match job.error_code {
                Some(code) => ApiError::coded(code, "Mirror sync failed"),
                None => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Mirror sync failed"),
            };
            Err(error
                .with_status(StatusCode::INTERNAL_SERVER_ERROR)
                .details(job.error))
        }
    }
}

/// The target of a request, mounted.
pub(super) async fn find(app: &App, name: Option<String>) -> ApiResult<TargetRow> {
    let name = name
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ApiError::bad_request("Missing required field: target"))?;
    let target = app.store.target(&name).await?.ok_or_else(targets::unknown)?;
    targets::open(app, &target).await.map_err(not_mounted)?;
    Ok(target)
}

/// Both places compared.
pub(super) async fn compared(app: &App, sides: Sides, filter: String) -> ApiResult<Comparison> {
    let stop = app.stop.clone();
    let compared = tokio::task::spawn_blocking(move || {
        let stopped = || stop.is_cancelled();
        compare_mirror(&*sides.local, &*sides.remote, &filter, &stopped)
    });
    compared.await.map_err(ApiError::internal)?.map_err(not_mounted)
}
