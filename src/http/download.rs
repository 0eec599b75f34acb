//! `POST /api/download`: puts a download into the queue. It never waits for the network.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::destination;
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::plan;
use super::request::Asked;
use super::state::AppState;
use super::views::JobView;
use super::wire::DownloadBody;
use crate::store::Submitted;

/// The equal job that is live already.
#[derive(Serialize, ToSchema)]
pub struct Existing<'a> {
    /// As it is now.
    job: JobView<'a>,
    /// Says so.
    message: &'static str,
}

/// What 200 carries: with `dryRun` the plan, else the equal job that is live already.
#[derive(ToSchema)]
#[schema(as = NotQueued)]
#[serde(untagged)]
#[allow(dead_code)] // Describes two answers that are made in two places.
pub enum NotQueued {
    /// With `dryRun`.
    Plan(Box<plan::Plan>),
    /// The same download is under way.
    Existing(Box<Existing<'static>>),
}

/// Puts a download into the queue
///
/// It never waits for the network. The same download that is live already is not queued twice.
#[utoipa::path(
    post, path = "/api/download", tag = "downloads", operation_id = "createDownload",
    request_body = DownloadBody,
    responses(
        (status = 202, description = "The new job", body = JobView),
        (status = 200, description = "Already live, or the plan of a dry run", body = NotQueued),
        (status = 403, description = "The destination is not allowed, or a dry run was refused by the Hub"),
        (status = 404, description = "A dry run found no such repo or revision"),
        (status = 409, description = "A file stands where the folder of localDir should be"),
        (status = 422, description = "A dry run found names that are not safe to store"),
        (status = 502, description = "A dry run got no usable answer from the Hub"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "A dry run took too long"),
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Response> {
    let asked = Asked::parse(&body)?;
    let settings = app.settings.get();
    let destination = destination::find(&settings, &asked.place, asked.request.repo_type)?;
    if asked.dry_run {
        return Ok(plan::answer(&app, &asked.request, &destination)
            .await?
            .into_response());
    }
    let verify = asked.verify.unwrap_or(settings.verify);
    let submitted = app
        .store
        .submit(&asked.request, &destination, verify, &actor)
        .await
        .map_err(|error| ApiError::from(error).message("Failed to create job"))?;
    Ok(match submitted {
        Submitted::New(job) => {
            app.engine.wake();
            let standing = app.shown.standing(&job).await?;
            (
                StatusCode::ACCEPTED,
                Json(JobView::new(&job, &[]).within(standing)),
            )
                .into_response()
        }
        Submitted::Existing(job) => {
            let files = app
                .store
                .notable_files(job.seq, super::shown::FILES_IN_LISTS)
                .await?;
            let standing = app.shown.standing(&job).await?;
            Json(Existing {
                job: JobView::new(&job, &files).within(standing),
                message: "Download already in progress",
            })
            .into_response()
        }
    })
}
