//! `PATCH /api/mirror/targets/{name}`: when a target gets its copies by itself.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path as UrlPath, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use super::targets::{TargetView, unknown, view_of};
use super::wire::VerifyText;
use crate::clock::{now_ms, time_zone};
use crate::model::job::Verify;
use crate::model::limits;
use crate::model::schedule::{DAYS, Schedule};
use crate::model::task::TaskName;

/// When runs begin by themselves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorSchedule)]
pub struct ScheduleView {
    /// Time of day, `02:30`.
    at: String,
    /// Days of the week, Monday first.
    #[schema(inline, value_type = Vec<Day>)]
    days: Vec<&'static str>,
    /// IANA name of the time zone whose clock counts.
    time_zone: String,
    /// What the runs compare.
    verify: Verify,
}

/// A day of the week.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, missing_docs)] // Describes `DAYS`.
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<&Schedule> for ScheduleView {
    fn from(schedule: &Schedule) -> Self {
        Self {
            at: schedule.at(),
            days: schedule.days(),
            time_zone: schedule.time_zone().name().to_owned(),
            verify: schedule.verify(),
        }
    }
}

/// What is to change; what is left out stays.
#[derive(ToSchema)]
#[schema(as = MirrorTargetChange)]
#[allow(dead_code)] // Describes what `change` reads.
pub struct TargetChange {
    /// When runs shall begin by themselves; `null` = only when somebody asks.
    schedule: Option<ScheduleWish>,
    /// Whether the schedule is kept and nothing runs by it. Times that go by meanwhile are not made up for.
    #[schema(nullable = false)]
    paused: Option<bool>,
}

/// When runs shall begin by themselves.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorScheduleWish)]
pub struct ScheduleWish {
    /// Time of day.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "02:30")]
    at: String,
    /// Days of the week; none means every day.
    #[serde(default)]
    #[schema(inline, value_type = Option<Vec<Day>>, max_items = 7)]
    days: Option<Vec<String>>,
    /// IANA name of a time zone; that of the machine by default.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// What the runs compare; `size` by default.
    #[schema(inline, value_type = Option<VerifyText>)]
    verify: Option<String>,
}

impl ScheduleWish {
    fn read(self) -> ApiResult<Schedule> {
        let wrong = |why: String| {
            ApiError::bad_request("Invalid schedule").details(why).hint(format!(
                "Send for example {{\"at\": \"02:30\", \"days\": [\"{}\", \"{}\"]}}; without days it is every day.",
                DAYS[0], DAYS[4]
            ))
        };
        let zone = match self.time_zone.as_deref().map(str::trim) {
            None | Some("") => time_zone(),
            Some(name) => limits::time_zone(name).map_err(wrong)?,
        };
        let verify = match self.verify.as_deref() {
            None | Some("") => Verify::Size,
            Some(word) => Verify::parse(word).map_err(|error| wrong(error.to_string()))?,
        };
        let days = self.days.unwrap_or_default();
        Schedule::new(&self.at, &days, zone, verify).map_err(wrong)
    }
}

/// Sets when a target gets its copies by itself
///
/// A run is a push of everything that the target lacks, queued as a mirror job at its time; it
/// deletes nothing. One whose time went by while the service was down or the target away begins
/// once, as soon as both are there.
#[utoipa::path(
    patch, path = "/api/mirror/targets/{name}", tag = "mirror", operation_id = "changeMirrorTarget",
    params(("name" = String, Path, description = "Name of the target")),
    request_body = TargetChange,
    responses(
        (status = 200, description = "The target", body = TargetView),
        (status = 404, description = "There is no such target"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    name: Result<UrlPath<String>, PathRejection>,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<TargetView>> {
    let UrlPath(name) = name.map_err(|_| unknown())?;
    let wrong = |field: &str, why: String| {
        ApiError::bad_request("Invalid request body").details(format!("{field}: {why}"))
    };
    let wished: Option<Option<Schedule>> = match body.get("schedule") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::Object(fields)) => {
            let wish: ScheduleWish = serde_json::from_value(Value::Object(fields.clone()))
                .map_err(|error| wrong("schedule", error.to_string()))?;
            Some(Some(wish.read()?))
        }
        Some(_) => return Err(wrong("schedule", "it must be an object or null".to_owned())),
    };
    let paused = match body.get("paused") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(paused)) => Some(*paused),
        Some(_) => return Err(wrong("paused", "it must be true or false".to_owned())),
    };
    let before = app.store.target(&name).await?.ok_or_else(unknown)?;
    let is_paused = paused.unwrap_or(before.paused);
    let schedule = match &wished {
        Some(schedule) => schedule.as_ref(),
        None => before.schedule.as_ref(),
    };
    // Counted anew by whoever sets a time or ends a pause: what went by before is over.
    let anew = wished.is_some() || before.paused != is_paused;
    let next_run_at = match (schedule, anew) {
        (None, _) => None,
        _ if is_paused => None,
        (Some(_), false) => before.next_run_at,
        (Some(schedule), true) => schedule.next_after(now_ms()),
    };
    if !app
        .store
        .set_target_schedule(&name, schedule, next_run_at, is_paused)
        .await?
    {
        return Err(unknown());
    }
    if let Some(task) = app.task(TaskName::Mirror) {
        task.ask();
    }
    tracing::info!(
        target.name = name,
        paused = is_paused,
        scheduled = schedule.is_some(),
        "the schedule of a mirror target was set"
    );
    let row = app.store.target(&name).await?.ok_or_else(unknown)?;
    Ok(Json(view_of(&app, row).await?))
}
