//! `GET /api/summary`: the service in a few numbers, for dashboards.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiResult;
use super::live_settings::LiveSettings;
use super::state::AppState;
use crate::clock::now_ms;
use crate::model::limits::Active;
use crate::model::state::{JobKind, JobStatus};

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Which limits hold.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsNow {
    /// `normal`, `slow` or `paused`.
    active: &'static str,
    /// Bytes a second, such as `50MiB`; empty = no limit.
    max_speed: String,
}

impl LimitsNow {
    /// Those of this moment.
    pub fn of(settings: &LiveSettings) -> Self {
        Self {
            active: settings.holds().active.as_str(),
            max_speed: settings.speed_now(),
        }
    }
}

/// Failed downloads that only the user can help.
#[derive(Debug, Serialize, ToSchema)]
pub struct NeedsYouView {
    /// Their error code.
    reason: &'static str,
    /// How many there are.
    count: i64,
}

/// Numbers of the downloads on the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    version: &'static str,
    running: i64,
    queued: i64,
    /// Of the queued ones, those that something other than their turn holds back.
    waiting: i64,
    paused: i64,
    failed: i64,
    #[serde(rename = "completed24h")]
    completed_24h: i64,
    bytes_per_second: i64,
    /// Bytes to come of what runs, waits or is paused, as far as it is planned.
    left_bytes: i64,
    /// 0 = unknown.
    eta_seconds: i64,
    /// Free bytes on the volume of the cache; `null` when it does not answer.
    #[schema(required)]
    disk_free: Option<u64>,
    /// Bytes that running jobs will still take.
    disk_reserved: u64,
    limits: LimitsNow,
    needs_you: Vec<NeedsYouView>,
}

/// The service in a few numbers
#[utoipa::path(
    get, path = "/api/summary", tag = "system", operation_id = "getSummary",
    responses((status = 200, description = "The numbers of this moment", body = Summary))
)]
pub async fn show(State(app): State<AppState>) -> ApiResult<Json<Summary>> {
    let now = now_ms();
    let counts = app.store.job_counts(Some(JobKind::Download)).await?;
    let count = |status| {
        let found = counts.iter().find(|(known, _)| *known == status);
        found.map_or(0, |(_, count)| *count)
    };
    let totals = app.store.totals(now).await?;
    let needs_you = app.store.needs_you().await?;
    let completed_24h = app.store.completed_since(now - DAY_MS).await?;
    let hub = app.settings.get().cache.hub.clone();
    let disk_free = super::disk::space_of(hub).await.map(|space| space.free_bytes);
    let holds = app.settings.holds();
    let speed = totals.bytes_per_second;
    let queued = count(JobStatus::Queued);
    Ok(Json(Summary {
        version: env!("CARGO_PKG_VERSION"),
        running: count(JobStatus::Running),
        queued,
        waiting: if holds.active == Active::Paused {
            queued
        } else {
            totals.waiting
        },
        paused: count(JobStatus::Paused),
        failed: count(JobStatus::Failed),
        completed_24h,
        bytes_per_second: speed,
        left_bytes: totals.left_bytes,
        eta_seconds: if speed > 0 { totals.left_bytes / speed } else { 0 },
        disk_free,
        disk_reserved: app.engine.reserved().iter().map(|(_, bytes)| bytes).sum(),
        limits: LimitsNow::of(&app.settings),
        needs_you: needs_you
            .into_iter()
            .map(|needs| NeedsYouView {
                reason: needs.code.as_str(),
                count: needs.count,
            })
            .collect(),
    }))
}
