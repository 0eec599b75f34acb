//! `POST /api/download`: puts a download into the queue. It never waits for the network.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::plan;
use super::request::Asked;
use super::state::AppState;
use super::views::JobView;
use crate::store::Submitted;

/// 202 with the job as inserted, or 200 with the equal job that is live already.
pub async fn create(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Response> {
    let asked = Asked::parse(&body)?;
    if asked.dry_run {
        return Ok(plan::answer(&app, &asked.request).await?.into_response());
    }
    let settings = app.settings.get();
    let destination = settings.cache.hub.to_string_lossy();
    let verify = asked.verify.unwrap_or(settings.verify);
    let submitted = app
        .store
        .submit(&asked.request, &destination, verify, &actor)
        .await
        .map_err(|error| ApiError::from(error).message("Failed to create job"))?;
    Ok(match submitted {
        Submitted::New(job) => {
            app.engine.wake();
            (StatusCode::ACCEPTED, Json(JobView::new(&job, &[]))).into_response()
        }
        Submitted::Existing(job) => {
            let files = app
                .store
                .notable_files(job.seq, super::shown::FILES_IN_LISTS)
                .await?;
            let job = JobView::new(&job, &files);
            Json(json!({"job": job, "message": "Download already in progress"})).into_response()
        }
    })
}
