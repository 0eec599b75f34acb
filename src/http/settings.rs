//! `GET` and `POST /api/settings`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::ApiResult;
use super::state::AppState;

/// The settings; secrets are masked
#[utoipa::path(
    get, path = "/api/settings", tag = "settings", operation_id = "getSettings",
    responses((status = 200, description = "Every setting, and where it comes from", body = HashMap<String, Value>))
)]
pub async fn show(State(app): State<AppState>) -> Json<Value> {
    Json(app.settings.get().to_json())
}

/// A change that was made.
#[derive(Serialize, ToSchema)]
pub struct SettingsChanged {
    /// Always `true`.
    success: bool,
    /// Says so.
    message: &'static str,
    /// Saved settings that a flag or variable overrides.
    shadowed: Vec<&'static str>,
    /// What the change brought with it.
    warnings: Vec<&'static str>,
}

/// Changes what the body names, all or nothing
#[utoipa::path(
    post, path = "/api/settings", tag = "settings", operation_id = "changeSettings",
    request_body = HashMap<String, Value>,
    responses(
        (status = 200, description = "Changed", body = SettingsChanged),
        (status = 403, description = "The setting is locked"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<SettingsChanged>> {
    let (before, after) = app.settings.change(Value::Object(patch)).await?;
    let mut warnings = Vec::new();
    if before.token.is_some() && after.token.is_none() && before.endpoint.origin() != after.endpoint.origin()
    {
        warnings
            .push("The token belongs to another endpoint and is not sent to this one; set a token for it");
    }
    app.engine.wake();
    Ok(Json(SettingsChanged {
        success: true,
        message: "Settings updated",
        shadowed: after.shadowed(),
        warnings,
    }))
}
