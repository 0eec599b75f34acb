//! `GET` and `PUT /api/limits`: how fast, over how many connections, and when.
//!
//! The normal pair is the settings `maxSpeed` and `maxConnections`; everything else is kept
//! beside them. A change acts within a second, on what runs too.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::body::{JsonBody, object};
use super::error::{ApiError, ApiResult};
use super::live_settings::{LiveSettings, refused, rows, tuning_of};
use super::state::AppState;
use super::wire::{DayText, SizeText, Until, ZoneText};
use crate::clock::{now_ms, parse_rfc3339, rfc3339};
use crate::config::Settings;
use crate::model::arrange;
use crate::model::limits::{Active, Holds, LimitMode, Limits, PausedUntil, Week, time_zone};
use crate::tasks::Task;

/// How often the clock is looked at; a change of hour acts within this time.
pub const TICK: Duration = Duration::from_millis(500);
/// Connections that a pair may have: as the setting.
const CONNECTIONS: std::ops::RangeInclusive<u32> = 1..=256;

impl LiveSettings {
    /// The limits that the settings do not hold.
    pub fn limits(&self) -> Arc<Limits> {
        self.limits.borrow().clone()
    }

    /// What holds at this moment.
    pub fn holds(&self) -> Holds {
        *self.holds.borrow()
    }

    /// Tells when something else holds.
    pub fn holds_changes(&self) -> tokio::sync::watch::Receiver<Holds> {
        self.holds.subscribe()
    }

    /// Bytes a second that hold now as the user wrote them; empty = no limit.
    pub fn speed_now(&self) -> String {
        match self.holds().active {
            Active::Slow => self.limits().slow.max_speed.clone(),
            Active::Normal | Active::Paused => normal(&self.get()).max_speed,
        }
    }

    /// Makes the clock act, until `stop`.
    pub async fn follow_clock(self, task: Arc<Task>, stop: CancellationToken) {
        while task.due(&stop).await.is_some() {
            let round = async {
                if self.limits().at(now_ms()) != self.holds() {
                    let _one_at_a_time = self.changing.lock().await;
                    self.apply_limits();
                }
                Ok::<_, std::convert::Infallible>(self.holds().active)
            };
            // It cannot fail.
            let _ = task
                .perform(round, |active| format!("{active} limits hold"))
                .await;
        }
    }

    /// Changes limits and the settings of the normal pair together: saved first, then in force.
    async fn change_limits(
        &self,
        normal: Option<Value>,
        edit: impl FnOnce(&mut Limits) -> ApiResult<()> + Send + 'static,
    ) -> ApiResult<()> {
        let this = self.clone();
        // A task of its own: a client that hangs up must not part saving from taking effect.
        let changed = tokio::spawn(async move {
            let _one_at_a_time = this.changing.lock().await;
            let before = this.get();
            let after = match normal {
                Some(patch) => Arc::new(before.apply(&patch).map_err(refused)?),
                None => before.clone(),
            };
            let mut limits = (*this.limits()).clone();
            edit(&mut limits)?;
            this.store
                .save_limits(&limits, &rows(&after, &before))
                .await
                .map_err(|error| ApiError::internal(error).message("Failed to save limits"))?;
            this.current.send_replace(after);
            this.limits.send_replace(Arc::new(limits));
            this.apply_limits();
            Ok(())
        });
        changed.await.map_err(ApiError::internal)?
    }

    /// Puts in force what the limits say now. The caller holds `changing`.
    fn apply_limits(&self) {
        let (settings, limits) = (self.get(), self.limits());
        let holds = limits.at(now_ms());
        self.tuning.send_replace(tuning_of(&settings, &limits, holds));
        if self.holds() != holds {
            tracing::info!(active = %holds.active, reason = %holds.reason, "other limits hold now");
        }
        self.holds.send_replace(holds);
    }
}

/// How fast, over how many connections.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairView {
    /// Bytes a second of all jobs, such as `50MiB`; empty = no limit.
    max_speed: String,
    /// Connections of all jobs.
    max_connections: u32,
}

/// The week.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    /// IANA name.
    time_zone: String,
    /// Seven texts of 24 letters, Monday first: `n` normal, `s` slow, `p` paused.
    grid: Vec<String>,
}

/// All limits, and which hold now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    normal: PairView,
    slow: PairView,
    /// `normal`, `slow` or `schedule`.
    mode: &'static str,
    /// `normal`, `slow` or `paused`.
    active: &'static str,
    /// `mode`, `schedule` or `paused_until`.
    active_reason: &'static str,
    /// When something else holds; `null` when nothing is going to change.
    #[schema(required)]
    until: Option<String>,
    schedule: ScheduleView,
    /// RFC 3339, `forever`, or `null`.
    #[schema(required)]
    paused_until: Option<String>,
    /// Settings of the normal pair that a flag or variable overrides.
    shadowed: Vec<&'static str>,
}

/// The pair of the settings.
fn normal(settings: &Settings) -> PairView {
    PairView {
        max_speed: settings.shown().max_speed,
        max_connections: settings.max_connections,
    }
}

fn view(app: &LiveSettings) -> LimitsView {
    let (settings, limits, now) = (app.get(), app.limits(), now_ms());
    let holds = limits.at(now);
    let pair = ["maxSpeed", "maxConnections"];
    let paused = match limits.paused_until {
        Some(PausedUntil::Forever) => Some("forever".to_owned()),
        Some(PausedUntil::At(end)) if end > now => Some(rfc3339(end)),
        _ => None,
    };
    LimitsView {
        normal: normal(&settings),
        slow: PairView {
            max_speed: limits.slow.max_speed.clone(),
            max_connections: limits.slow.max_connections,
        },
        mode: limits.mode.as_str(),
        active: holds.active.as_str(),
        active_reason: holds.reason.as_str(),
        until: limits.until(now).map(rfc3339),
        schedule: ScheduleView {
            time_zone: limits.time_zone.name().to_owned(),
            grid: limits.week.clone().into(),
        },
        paused_until: paused,
        shadowed: settings
            .shadowed()
            .into_iter()
            .filter(|name| pair.contains(name))
            .collect(),
    }
}

/// Limits and which hold now
#[utoipa::path(
    get, path = "/api/limits", tag = "settings", operation_id = "getLimits",
    responses((status = 200, description = "The limits", body = LimitsView))
)]
pub async fn show(State(app): State<AppState>) -> Json<LimitsView> {
    Json(view(&app.settings))
}

/// A pair; a missing field stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairPatch {
    /// Bytes a second; empty = no limit.
    #[schema(inline, value_type = Option<SizeText>)]
    max_speed: Option<String>,
    #[schema(minimum = 1, maximum = 256)]
    max_connections: Option<i64>,
}

/// The week; a missing field stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePatch {
    /// IANA name, such as `Europe/Berlin`.
    #[schema(inline, value_type = Option<ZoneText>)]
    time_zone: Option<String>,
    /// Seven texts of 24 letters, Monday first: `n` normal, `s` slow, `p` paused.
    #[schema(inline, value_type = Option<Vec<DayText>>, min_items = 7, max_items = 7)]
    grid: Option<Vec<String>>,
}

/// What to change; a missing field stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsPatch {
    #[serde(default, deserialize_with = "object")]
    normal: Option<PairPatch>,
    #[serde(default, deserialize_with = "object")]
    slow: Option<PairPatch>,
    /// `normal`, `slow` or `schedule`.
    #[schema(inline, value_type = Option<LimitMode>)]
    mode: Option<String>,
    #[serde(default, deserialize_with = "object")]
    schedule: Option<SchedulePatch>,
    /// A time (RFC 3339) or `forever` pauses everything until then; `null` goes on.
    #[serde(default, deserialize_with = "given")]
    #[schema(inline, value_type = Option<Until>)]
    paused_until: Option<Option<String>>,
}

/// A field that is there, be it `null`.
fn given<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(json).map(Some)
}

fn wrong(field: &str, why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("Invalid limits")
        .details(format!("{field}: {why}"))
        .hint("Nothing was changed; correct the named field and send all fields again.")
}

/// Changes limits
///
/// All or nothing. Acts within a second: what runs beyond the new limits lets go without losing a byte.
#[utoipa::path(
    put, path = "/api/limits", tag = "settings", operation_id = "setLimits",
    request_body = LimitsPatch,
    responses(
        (status = 200, description = "The limits now", body = LimitsView),
        (status = 400, description = "A field is wrong; nothing was changed"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    JsonBody(patch): JsonBody<LimitsPatch>,
) -> ApiResult<Json<LimitsView>> {
    let normal = patch.normal.as_ref().map(|pair| {
        let mut fields = Map::new();
        if let Some(speed) = &pair.max_speed {
            fields.insert("maxSpeed".to_owned(), json!(speed));
        }
        if let Some(connections) = pair.max_connections {
            fields.insert("maxConnections".to_owned(), json!(connections));
        }
        Value::Object(fields)
    });
    app.settings
        .change_limits(normal, move |limits| edit(limits, patch, now_ms()))
        .await?;
    app.engine.wake();
    Ok(Json(view(&app.settings)))
}

fn edit(limits: &mut Limits, patch: LimitsPatch, now: i64) -> ApiResult<()> {
    if let Some(slow) = patch.slow {
        if let Some(speed) = slow.max_speed {
            limits.slow.max_speed = arrange::speed(&speed).map_err(|why| wrong("slow.maxSpeed", why))?;
        }
        if let Some(connections) = slow.max_connections {
            limits.slow.max_connections = u32::try_from(connections)
                .ok()
                .filter(|count| CONNECTIONS.contains(count))
                .ok_or_else(|| {
                    wrong(
                        "slow.maxConnections",
                        format!("must be from 1 to 256, not {connections}"),
                    )
                })?;
        }
    }
    if let Some(mode) = patch.mode {
        limits.mode = mode.parse().map_err(|why| wrong("mode", why))?;
    }
    if let Some(schedule) = patch.schedule {
        if let Some(name) = schedule.time_zone {
            limits.time_zone = time_zone(&name).map_err(|why| wrong("schedule.timeZone", why))?;
        }
        if let Some(grid) = schedule.grid {
            limits.week = Week::try_from(grid).map_err(|why| wrong("schedule.grid", why))?;
        }
    }
    match patch
        .paused_until
        .map(|text| text.filter(|text| !text.trim().is_empty()))
    {
        None => {}
        Some(None) => limits.paused_until = None,
        Some(Some(text)) if text.trim() == "forever" => limits.paused_until = Some(PausedUntil::Forever),
        Some(Some(text)) => {
            let end = parse_rfc3339(text.trim()).map_err(|why| wrong("pausedUntil", why))?;
            // A pause that is over by now, because the request was late or sent again, holds nothing up.
            limits.paused_until = Some(PausedUntil::At(end)).filter(|_| end > now);
        }
    }
    Ok(())
}
