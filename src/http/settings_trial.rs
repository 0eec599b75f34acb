//! `POST /api/settings/test`: endpoint, token and proxy are tried out before they are saved.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::ApiResult;
use super::live_settings::{hub_of, refused};
use super::settings::ProxyPatch;
use super::state::AppState;
use super::wire::{EndpointText, TokenText};
use crate::hub::{Budget, HubClient, HubError};

/// Longest wait for each answer: a person is looking at a button.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a trial. Nothing was saved.
#[derive(Serialize, ToSchema)]
pub struct Trial {
    /// Whether everything that was tried works.
    ok: bool,
    endpoint: EndpointTrial,
    token: TokenTrial,
    proxy: ProxyTrial,
}

/// Whether the endpoint answers as a Hub does.
#[derive(Serialize, ToSchema)]
struct EndpointTrial {
    ok: bool,
    /// A sentence for people.
    message: String,
    /// Milliseconds from the request to the end of one small answer; 0 when there was none.
    ms: u64,
}

/// Whether the endpoint knows the token.
#[derive(Serialize, ToSchema)]
struct TokenTrial {
    /// True also when there is no token: public repos need none.
    ok: bool,
    message: String,
    /// Whether there is a token at all.
    given: bool,
    /// Account of the token; empty when it is not known.
    name: String,
    /// What the token may do, in the words of the Hub.
    scopes: Vec<String>,
}

/// Whether the proxy takes connections.
#[derive(Serialize, ToSchema)]
struct ProxyTrial {
    /// True also when there is no proxy.
    ok: bool,
    message: String,
    /// Whether a proxy is set.
    given: bool,
}

/// What is to be tried; what is missing or `null` is taken as it is.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes what `config` reads field by field.
pub struct SettingsTrial {
    /// Base URL of a Hub.
    #[schema(inline, value_type = Option<EndpointText>)]
    endpoint: Option<String>,
    /// Hub token.
    #[schema(inline, value_type = Option<TokenText>)]
    token: Option<String>,
    /// How the outside is reached.
    proxy: Option<ProxyPatch>,
}

/// Tries settings out without saving them
///
/// What the body names is tried even where a flag or variable is stronger; the rest is taken as it
/// is. No job notices.
#[utoipa::path(
    post,
    path = "/api/settings/test",
    tag = "settings",
    operation_id = "testSettings",
    request_body = SettingsTrial,
    responses((status = 200, description = "What works and what does not", body = Trial))
)]
pub async fn test(
    State(app): State<AppState>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<Trial>> {
    let patch: Map<String, Value> = patch
        .into_iter()
        .filter(|(name, _)| ["endpoint", "token", "proxy"].contains(&name.as_str()))
        .collect();
    let settings = app.settings.get().trial(&Value::Object(patch)).map_err(refused)?;
    let mut config = hub_of(&settings);
    config.connect_timeout = PATIENCE;
    config.header_timeout = PATIENCE;
    config.stall_timeout = Some(PATIENCE);
    // Of its own: what a wrong endpoint says of its limits must not slow the right one down.
    let budget = Arc::new(Budget::new());
    let made = tokio::task::spawn_blocking(move || HubClient::new(config, budget)).await;
    let hub = match made.map_err(super::error::ApiError::internal)? {
        Ok(hub) => hub,
        Err(error) => return Ok(Json(unusable(&error))),
    };
    let proxy = try_proxy(&hub).await;
    let endpoint = try_endpoint(&hub, &proxy).await;
    let token = match (settings.token.is_some(), settings.token_held_back()) {
        (true, _) if endpoint.ok => try_token(&hub).await,
        (true, _) => TokenTrial::unknown("Not tried, because the endpoint does not answer"),
        (false, true) => TokenTrial::unknown(
            "The token belongs to another endpoint and is not sent to this one; set a token for it",
        ),
        (false, false) => TokenTrial {
            ok: true,
            message: "No token is set; public repositories need none".to_owned(),
            given: false,
            name: String::new(),
            scopes: Vec::new(),
        },
    };
    Ok(Json(Trial {
        ok: proxy.ok && endpoint.ok && token.ok,
        endpoint,
        token,
        proxy,
    }))
}

async fn try_proxy(hub: &HubClient) -> ProxyTrial {
    let (given, tried) = match hub.reach_proxy().await {
        None => (false, Ok("No proxy is set here".to_owned())),
        Some(Ok(())) => (true, Ok("The proxy takes connections".to_owned())),
        Some(Err(error)) => (true, Err(error.message)),
    };
    ProxyTrial {
        ok: tried.is_ok(),
        message: tried.unwrap_or_else(|why| why),
        given,
    }
}

async fn try_endpoint(hub: &HubClient, proxy: &ProxyTrial) -> EndpointTrial {
    match hub.ping().await {
        Ok(took) => {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let through = if proxy.given {
                ", with the proxy of the settings"
            } else {
                ""
            };
            EndpointTrial {
                ok: true,
                message: format!("The endpoint answers within {ms} ms{through}"),
                ms,
            }
        }
        Err(error) => EndpointTrial {
            ok: false,
            message: explained(&error),
            ms: 0,
        },
    }
}

async fn try_token(hub: &HubClient) -> TokenTrial {
    match hub.whoami().await {
        Ok(account) => TokenTrial {
            ok: true,
            message: format!("The token belongs to {}", account.name),
            given: true,
            name: account.name,
            scopes: account.scopes,
        },
        Err(error) => TokenTrial::unknown(&explained(&error)),
    }
}

impl TokenTrial {
    fn unknown(message: &str) -> Self {
        Self {
            ok: false,
            message: message.to_owned(),
            given: true,
            name: String::new(),
            scopes: Vec::new(),
        }
    }
}

/// The error and what to do about it.
fn explained(error: &HubError) -> String {
    format!("{}. {}", error.message.trim_end_matches('.'), error.code.hint())
}

/// What passes each check alone and makes no client together.
fn unusable(error: &HubError) -> Trial {
    Trial {
        ok: false,
        endpoint: EndpointTrial {
            ok: false,
            message: error.message.clone(),
            ms: 0,
        },
        token: TokenTrial::unknown("Not tried"),
        proxy: ProxyTrial {
            ok: false,
            message: error.message.clone(),
            given: false,
        },
    }
}
