//! API keys: `GET` and `POST /api/keys`, `DELETE /api/keys/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::AppState;
use crate::clock::rfc3339;
use crate::model::key::{KeyName, Scope};
use crate::store;

/// An API key; the key itself is nowhere.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Public id.
    id: String,
    /// Stands in events and history as `key:NAME`.
    name: String,
    /// What it may do.
    scope: Scope,
    /// How the key begins.
    prefix: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the minute; `null` before the first use.
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
    /// Address of the client.
    #[schema(required)]
    last_used_from: Option<String>,
}

impl From<store::ApiKey> for ApiKey {
    fn from(key: store::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scope: key.scope,
            prefix: key.prefix,
            created_at: rfc3339(key.created_at),
            last_used_at: key.last_used_at.map(rfc3339),
            last_used_from: key.last_used_from,
        }
    }
}

/// All keys.
#[derive(Serialize, ToSchema)]
pub struct ApiKeys {
    /// Oldest first.
    keys: Vec<ApiKey>,
}

/// All API keys, oldest first
#[utoipa::path(
    get, path = "/api/keys", tag = "keys", operation_id = "listKeys",
    responses((status = 200, description = "The keys", body = ApiKeys))
)]
pub async fn list(State(app): State<AppState>) -> ApiResult<Json<ApiKeys>> {
    let keys = app.store.keys().await?;
    let keys = keys.into_iter().map(ApiKey::from).collect();
    Ok(Json(ApiKeys { keys }))
}

/// A key that is to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
pub struct Wanted {
    /// Unique among the keys, in any case of its letters.
    #[schema(value_type = KeyName)]
    name: String,
    /// What it may do.
    #[schema(value_type = Scope)]
    scope: String,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub struct MadeApiKey {
    #[serde(flatten)]
    stored: ApiKey,
    /// The key itself. It is shown this once.
    key: String,
}

/// Makes an API key
///
/// The answer shows the key; afterwards nobody can see it again.
#[utoipa::path(
    post, path = "/api/keys", tag = "keys", operation_id = "createKey",
    request_body = Wanted,
    responses(
        (status = 201, description = "The key", body = MadeApiKey),
        (status = 409, description = "There is a key with this name"),
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(wanted): JsonBody<Wanted>,
) -> ApiResult<impl IntoResponse> {
    let name: KeyName = wanted
        .name
        .parse()
        .map_err(|why: crate::model::repo::NameError| ApiError::bad_request("Invalid name").details(why.0))?;
    let scope: Scope = wanted
        .scope
        .parse()
        .map_err(|why: crate::model::repo::NameError| {
            ApiError::bad_request("Invalid scope").details(why.0)
        })?;
    let made = app.store.add_key(&name, scope, &actor).await?;
    let (stored, key) = made.ok_or_else(|| {
        ApiError::conflict("Key exists")
            .details(format!("There is a key with the name \"{name}\""))
            .hint("Remove it first, or choose another name.")
    })?;
    tracing::info!(key = %name, %scope, actor, "an API key was made");
    let made = MadeApiKey {
        stored: stored.into(),
        key: key.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// A key that was removed.
#[derive(Serialize, ToSchema)]
pub struct KeyRemoved {
    /// Always `true`.
    success: bool,
    /// Says so.
    message: &'static str,
}

/// Removes an API key; it opens nothing from then on
///
/// Live streams that it opened end too.
#[utoipa::path(
    delete, path = "/api/keys/{id}", tag = "keys", operation_id = "removeKey",
    params(("id" = String, Path, description = "Id of the key")),
    responses(
        (status = 200, description = "Removed", body = KeyRemoved),
        (status = 404, description = "No such key"),
    )
)]
pub async fn remove(
    State(app): State<AppState>,
    Actor(actor): Actor,
    Path(id): Path<String>,
) -> ApiResult<Json<KeyRemoved>> {
    if !app.store.remove_key(&id).await? {
        return Err(ApiError::not_found("Key not found"));
    }
    app.removals.tell();
    tracing::info!(key_id = id, actor, "an API key was removed");
    Ok(Json(KeyRemoved {
        success: true,
        message: "Key removed",
    }))
}
