//! The guard in front of every route: who may speak to the service, and how.
//!
//! The order of the checks, from the outside in:
//! 1. request id and line of the log (`access`), panics become 500 in JSON
//! 2. security headers on every answer, the guard's own too
//! 3. `Host` (`host`): none or two 400, foreign 403
//! 4. preflight: 204 before the login
//! 5. origin of what changes something (`origin`): 403
//! 6. login or API key (`auth`): 401, for everything but `/healthz` and `/readyz`
//! 7. scope of the key (`who`): 403
//! 8. length and type of the body (`body`): 413, 415
//!
//! All of it holds with and without a login.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use super::auth::Gate;
use super::body::{self, BODY_LIMIT_BYTES};
use super::host::HostNames;
use super::origin::Origins;
use super::who::{self, Who};
use super::{access, error, host, origin};
use crate::config::ServeOptions;
use crate::store::Store;

/// Paths that answer without a login; they tell nothing but whether the service is well.
const OPEN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// What the guard lets through.
#[derive(Clone)]
pub struct GuardConfig {
    /// Names of the service.
    pub hosts: HostNames,
    /// Pages that may use the API.
    pub origins: Origins,
    /// The login and the keys; `None` = there is neither.
    pub gate: Option<Gate>,
}

impl GuardConfig {
    /// As the options say; API keys are those of `store`.
    pub fn new(options: &ServeOptions, store: Store) -> Self {
        Self {
            hosts: HostNames::new(&host::machine_name(), &options.allow_hosts),
            origins: Origins::new(&options.allow_origins),
            gate: Some(Gate::with_keys(
                options.login.as_ref(),
                !options.needs_login(),
                store,
            )),
        }
    }
}

/// Puts the guard around `router`. Call it last: routes and fallbacks that are added afterwards
/// stand outside. Serve the result with `into_make_service_with_connect_info::<SocketAddr>()`,
/// else all clients share one count of failed logins.
pub fn protect(router: Router, config: GuardConfig) -> Router {
    router
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn_with_state(Arc::new(config), check))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(secure))
        .layer(from_fn(access::log))
}

async fn check(State(config): State<Arc<GuardConfig>>, request: Request, next: Next) -> Response {
    let host = match host::check(&config.hosts, request.version(), request.uri(), request.headers()) {
        Ok(host) => host,
        Err(error) => return error.into_response(),
    };
    let (mut parts, body) = request.into_parts();
    let preflight = (parts.method == Method::OPTIONS).then(|| origin::Preflight::of(&parts.headers));
    let mut origin = origin::single(&parts.headers);
    let mut response = if preflight.is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else if let Err(error) = origin::check(&config.origins, &parts.method, &parts.headers, &host) {
        origin = None;
        error.into_response()
    } else {
        match admit(&config, &parts).await {
            Ok(who) => {
                parts.extensions.insert(who);
                next.run(Request::from_parts(parts, body)).await
            }
            Err(error) => error.into_response(),
        }
    };
    origin::add_cors(
        &config.origins,
        origin.as_ref(),
        &host,
        preflight,
        response.headers_mut(),
    );
    response
}

/// Login, scope and body.
async fn admit(config: &GuardConfig, parts: &Parts) -> Result<Who, error::ApiError> {
    let open = OPEN_PATHS.contains(&parts.uri.path());
    let who = match config.gate.as_ref().filter(|_| !open) {
        Some(gate) => {
            let peer = access::peer(&parts.extensions);
            gate.check(&parts.headers, peer).await?
        }
        None => Who::Anyone,
    };
    who::check(&who, &parts.method, parts.uri.path())?;
    body::check(&parts.method, &parts.headers)?;
    Ok(who)
}

/// What a page of ours may do: load its own files, speak to its own server, nothing else.
/// No inline script, no frame around it, no form to elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async fn secure(request: Request, next: Next) -> Response {
    let api = is_api(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    set(headers, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(
        headers,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        headers,
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if api {
        // Paths, names of private repos, settings: nothing for a shared cache.
        set(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

/// Sets a header that the route has not set itself.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// Whether a path belongs to the API, known or not.
pub(super) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
