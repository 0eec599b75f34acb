//! `GET /api/system/tasks` and `POST /api/system/tasks/{name}/run`: the periodic work of the service.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::AppState;
use crate::clock::rfc3339;
use crate::model::task::{TaskName, TaskOutcome};
use crate::tasks::{Round, Snapshot};

/// A round that has ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskRun {
    #[schema(format = DateTime)]
    started_at: String,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    outcome: TaskOutcome,
    /// What was done, or why it failed; for people. May be empty.
    detail: String,
}

/// One sort of periodic work.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SystemTask)]
pub struct TaskView {
    name: TaskName,
    /// Longest time from one round to the next, in milliseconds.
    every_ms: u64,
    /// Whether a change begins a round too.
    also_on_change: bool,
    /// Since when a round goes on; `null` when none does.
    #[schema(required, format = DateTime)]
    running_since: Option<String>,
    /// When the next round is due.
    #[schema(format = DateTime)]
    next_at: String,
    /// The newest round that ended; `null` when there was none since the start of the service.
    #[schema(required)]
    last: Option<TaskRun>,
    /// Rounds since the start of the service.
    runs: u64,
    /// Those of them that failed.
    failures: u64,
}

/// All periodic work.
#[derive(Serialize, ToSchema)]
pub struct SystemTasks {
    tasks: Vec<TaskView>,
}

impl From<Round> for TaskRun {
    fn from(round: Round) -> Self {
        Self {
            started_at: rfc3339(round.started_at),
            duration_ms: u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX),
            outcome: round.outcome,
            detail: round.detail,
        }
    }
}

impl From<Snapshot> for TaskView {
    fn from(task: Snapshot) -> Self {
        Self {
            name: task.name,
            every_ms: u64::try_from(task.every.as_millis()).unwrap_or(u64::MAX),
            also_on_change: task.also_on_change,
            running_since: task.running_since.map(rfc3339),
            next_at: rfc3339(task.next_at),
            last: task.last.map(TaskRun::from),
            runs: task.runs,
            failures: task.failures,
        }
    }
}

/// The periodic work of the service, and how it went
#[utoipa::path(
    get, path = "/api/system/tasks", tag = "system", operation_id = "listTasks",
    responses((status = 200, description = "Each task", body = SystemTasks))
)]
pub async fn list(State(app): State<AppState>) -> Json<SystemTasks> {
    let tasks = app.tasks.iter().map(|task| task.snapshot().into()).collect();
    Json(SystemTasks { tasks })
}

/// Begins a round of a task now
///
/// The round goes on behind the answer; `last` of the list tells how it went.
#[utoipa::path(
    post, path = "/api/system/tasks/{name}/run", tag = "system", operation_id = "runTask",
    params(("name" = TaskName, Path, description = "Name of the task")),
    responses(
        (status = 202, description = "It begins", body = TaskView),
        (status = 200, description = "A round goes on already; nothing else is begun", body = TaskView),
        (status = 404, description = "There is no such task"),
    )
)]
pub async fn run(
    State(app): State<AppState>,
    Actor(actor): Actor,
    Path(name): Path<String>,
) -> ApiResult<impl IntoResponse> {
    let task = name.parse().ok().and_then(|name: TaskName| app.task(name));
    let task = task.ok_or_else(|| {
        let names: Vec<_> = TaskName::ALL.iter().map(|name| name.as_str()).collect();
        ApiError::not_found("Task not found").details(format!("The tasks are {}", names.join(", ")))
    })?;
    let status = match task.ask() {
        true => StatusCode::ACCEPTED,
        false => StatusCode::OK,
    };
    tracing::info!(task = %task.name(), actor, "a round was asked for");
    Ok((status, Json(TaskView::from(task.snapshot()))))
}
