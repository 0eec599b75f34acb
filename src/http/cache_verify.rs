//! `POST /api/cache/verify` and `/repair`: compare what lies in the cache with its hashes, and
//! fetch again what is not as it should be, and only that.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::cache::{Place, not_ours};
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::{App, AppState};
use super::views::JobView;
use super::wire::CachedOrNone;
use crate::engine::{CheckMode, CheckSpeed, VerifySpec};
use crate::model::arrange::Labels;
use crate::model::destination::Destination;
use crate::model::filter::MAX_PATTERNS;
use crate::model::job::{JobId, JobRequest, Verify};
use crate::model::library::CachedRepo;
use crate::model::repo::{RepoId, RepoType, Revision};
use crate::model::state::JobKind;
use crate::store::{Job, NewWork, Submitted};

/// Sentences of an answer about what cannot be fetched.
const TOLD: usize = 100;

/// What to check.
#[derive(Deserialize, ToSchema)]
#[schema(as = VerifyRequest)]
pub struct CheckBody {
    /// One repo, `owner/name`; all of the cache when it is left out.
    #[schema(inline, value_type = Option<CachedOrNone>)]
    repo: Option<String>,
    /// Of that repo; `model` by default.
    #[serde(rename = "type")]
    repo_type: Option<RepoType>,
    /// `sha256`, the default, reads every content; `size` compares lengths only.
    mode: Option<CheckMode>,
    /// `normal` by default; `idle` leaves three quarters of the time to others.
    speed: Option<CheckSpeed>,
}

/// Which check to repair after.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepairRequest {
    /// A check that has ended.
    #[schema(required, value_type = JobId)]
    job_id: Option<String>,
}

/// What was queued.
#[derive(Serialize, ToSchema)]
pub struct RepairAnswer<'a> {
    /// The downloads that fetch what is bad or missing.
    jobs: Vec<JobView<'a>>,
    /// How many they are.
    queued: usize,
    /// Files that they fetch.
    files: usize,
    /// What cannot be fetched, and why.
    skipped: Vec<String>,
}

/// Compare the cache with its hashes
///
/// A job of the kind `verify`; its `result` tells what is bad or missing. Names of blobs are their
/// hashes: SHA-256, or git's SHA-1. The same check that is live already is answered with 200.
#[utoipa::path(
    post, path = "/api/cache/verify", tag = "cache", operation_id = "verifyCache",
    request_body = CheckBody,
    responses(
        (status = 202, description = "The job", body = JobView),
        (status = 200, description = "The same check that is live already", body = JobView),
        (status = 404, description = "The repo is not in the cache"),
    )
)]
pub async fn verify(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<CheckBody>,
) -> ApiResult<Response> {
    let place = Place::of(&app);
    let repo = match asked.repo.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Some(find(&app, &place, asked.repo_type, id).await?),
        None => None,
    };
    let mode = asked.mode.unwrap_or(CheckMode::Sha256);
    let spec = VerifySpec {
        hub: place.hub.clone(),
        repo_type: repo.as_ref().map(CachedRepo::repo_type),
        repo: repo.as_ref().map(|repo| repo.id().to_owned()),
        mode,
        speed: asked.speed.unwrap_or(CheckSpeed::Normal),
    };
    let spec = serde_json::to_value(&spec).map_err(ApiError::internal)?;
    let work = NewWork {
        kind: JobKind::Verify,
        // A repo of the oldest form has no owner: the row shows none then, the wish has it.
        repo: repo.and_then(|repo| Some((repo.repo_type(), repo.id().parse().ok()?))),
        duplicate_key: spec.to_string(),
        spec,
        destination: place.hub_text,
        verify: match mode {
            CheckMode::Size => Verify::Size,
            CheckMode::Sha256 => Verify::Sha256,
        },
        priority: 0,
    };
    submit(&app, &work, &actor).await
}

/// A repo of the cache, as the index knows it.
pub(super) async fn find(
    app: &App,
    place: &Place,
    repo_type: Option<RepoType>,
    id: &str,
) -> ApiResult<CachedRepo> {
    let repo = CachedRepo::parse(repo_type.unwrap_or_default(), id)
        .map_err(|error| ApiError::bad_request("Invalid repo format").details(error.to_string()))?;
    place.freshen(app, true).await;
    let found = app.store.library_repo(&place.hub_text, &repo).await?;
    let Some(found) = found else {
        return Err(not_ours(app, repo.repo_type(), repo.id()).await);
    };
    // Letters as the cache has them.
    CachedRepo::parse(repo.repo_type(), &found.entry.repo).map_err(ApiError::internal)
}

/// Queues work on the cache and answers with its job.
pub(super) async fn submit(app: &App, work: &NewWork, actor: &str) -> ApiResult<Response> {
    let submitted = app
        .store
        .submit_work(work, actor)
        .await
        .map_err(|error| ApiError::from(error).message("Failed to create job"))?;
    app.engine.wake();
    let (status, job) = match submitted {
        Submitted::New(job) => (StatusCode::ACCEPTED, job),
        Submitted::Existing(job) => (StatusCode::OK, job),
    };
    let standing = app.shown.standing(&job).await?;
    Ok((status, Json(JobView::new(&job, &[]).within(standing))).into_response())
}

/// Fetch again what a check found bad or missing
///
/// Queues a download for each snapshot concerned, with exactly its bad and missing files. Each is
/// hashed once more first, so that what is right by now is left alone; a damaged content stays
/// where it is until the right one takes its place.
#[utoipa::path(
    post, path = "/api/cache/repair", tag = "cache", operation_id = "repairCache",
    request_body = RepairRequest,
    responses(
        (status = 202, description = "The downloads", body = RepairAnswer),
        (status = 200, description = "There was nothing to fetch", body = RepairAnswer),
        (status = 404, description = "There is no such check"),
        (status = 409, description = "The check has not ended"),
    )
)]
pub async fn repair(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<RepairRequest>,
) -> ApiResult<Response> {
    let id = asked
        .job_id
        .ok_or_else(|| ApiError::bad_request("Missing required field: jobId"))?;
    let id: Option<JobId> = id.trim().parse().ok();
    let job = match id {
        Some(id) => app.store.job(&id).await?,
        None => None,
    };
    let job = job.ok_or_else(|| ApiError::not_found("Job not found"))?;
    let spec: Option<VerifySpec> = job
        .spec
        .filter(|_| job.kind == JobKind::Verify)
        .and_then(|spec| serde_json::from_value(spec).ok());
    let spec = spec.ok_or_else(|| {
        ApiError::conflict("Not a check").details(format!("Job {} is of the kind {}", job.id, job.kind))
    })?;
    if !job.status.is_terminal() {
        return Err(ApiError::conflict("The check has not ended")
            .details(format!("Job {} is {}", job.id, job.status))
            .hint("Wait for its end, or cancel it; then send this again."));
    }
    let mut wanted: BTreeMap<(CachedRepo, String), Vec<String>> = BTreeMap::new();
    let mut skipped = Vec::new();
    for item in app.store.flagged_items(job.seq, i64::MAX).await? {
        match item.path.split_once('/') {
            Some((commit, path)) if commit.parse::<Revision>().is_ok() && commit.len() == 40 => {
                let key = (item.repo, commit.to_owned());
                wanted.entry(key).or_default().push(format!("={path}"));
            }
            _ => skipped.push(format!(
                "{}: {} belongs to no snapshot; POST /api/cache/prune removes it",
                item.repo.id(),
                item.path
            )),
        }
    }
    let settings = app.settings.get();
    let mut destination = Destination::cache(spec.hub.to_string_lossy());
    destination.link_mode = settings.link_mode;
    let (mut jobs, mut files): (Vec<Job>, usize) = (Vec::new(), 0);
    for ((repo, commit), paths) in &wanted {
        let (Ok(id), Ok(revision)) = (repo.id().parse::<RepoId>(), commit.parse::<Revision>()) else {
            skipped.push(format!("{}: it has no owner, so it cannot be fetched", repo.id()));
            continue;
        };
        for paths in paths.chunks(MAX_PATTERNS) {
            let request = JobRequest {
                repo: id.clone(),
                repo_type: repo.repo_type(),
                revision: revision.clone(),
                filters: paths.to_vec(),
                excludes: Vec::new(),
                exact_match: false,
                append_filter_subdir: false,
                priority: 0,
                not_before_at: None,
                labels: Labels::default(),
                start_paused: false,
            };
            let submitted = app.store.submit(&request, &destination, Verify::Sha256, &actor);
            match submitted.await? {
                Submitted::New(job) | Submitted::Existing(job) => jobs.push(job),
            }
            files += paths.len();
        }
    }
    app.engine.wake();
    skipped.truncate(TOLD);
    let moment = app.shown.moment().await?;
    let status = match jobs.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    let answer = RepairAnswer {
        queued: jobs.len(),
        files,
        skipped,
        jobs: jobs
            .iter()
            .map(|job| {
                JobView::new(job, &[])
                    .within(moment.standing(job))
                    .without_filters()
            })
            .collect(),
    };
    Ok((status, Json(answer)).into_response())
}
