//! `GET` and `POST /api/settings`.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::body::JsonBody;
use super::error::ApiResult;
use super::state::AppState;

/// The settings; secrets are masked.
pub async fn show(State(app): State<AppState>) -> Json<Value> {
    Json(app.settings.get().to_json())
}

/// Changes what the body names, all or nothing.
///
/// `shadowed` names saved settings that a flag or variable overrides; `warnings` says what the
/// change brought with it.
pub async fn change(
    State(app): State<AppState>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<Value>> {
    let (before, after) = app.settings.change(Value::Object(patch)).await?;
    let mut warnings = Vec::new();
    if before.token.is_some() && after.token.is_none() && before.endpoint.origin() != after.endpoint.origin()
    {
        warnings
            .push("The token belongs to another endpoint and is not sent to this one; set a token for it");
    }
    app.engine.wake();
    Ok(Json(json!({
        "success": true,
        "message": "Settings updated",
        "shadowed": after.shadowed(),
        "warnings": warnings,
    })))
}
