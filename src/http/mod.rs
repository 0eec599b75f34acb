//! Floor 3: HTTP. Routes, the guard in front of them, and the web UI.
//!
//! Handlers read requests, call the floors below and shape answers; they never do the work: a
//! command is a row and a ring of the engine's bell. Answers come from the database.
//! [`guard::protect`] goes around the finished router, so that no route can be reached past
//! the checks of host, login and origin.

pub mod access;
pub mod analyze;
pub mod assets;
pub mod auth;
pub mod body;
pub mod download;
pub mod error;
pub mod extract;
pub mod feed;
pub mod guard;
pub mod history;
pub mod host;
pub mod jobs;
pub mod live;
pub mod live_settings;
pub mod markdown;
pub mod origin;
pub mod outbox;
pub mod plan;
pub mod readiness;
pub mod readme;
pub mod request;
pub mod search;
pub mod serve;
pub mod settings;
pub mod settings_trial;
pub mod shown;
pub mod state;
pub mod status;
pub mod system;
pub mod upstream;
pub mod views;

use axum::Router;
use axum::routing::{get, post};

/// Every route of the service.
pub fn routes(app: state::AppState) -> Router {
    Router::new()
        .route("/healthz", get(system::alive))
        .route("/readyz", get(system::ready))
        .route("/api/health", get(system::health))
        .route("/api/diskfree", get(system::diskfree))
        .route("/api/download", post(download::create))
        .route("/api/plan", post(plan::show))
        .route("/api/analyze", get(analyze::missing))
        .route("/api/analyze/", get(analyze::missing))
        .route("/api/analyze/{*repo}", get(analyze::show))
        .route("/api/search", get(search::find))
        .route("/api/ratelimit", get(search::ratelimit))
        .route("/api/readme/{*repo}", get(readme::show))
        .route("/api/readme-asset", get(readme::asset))
        .route("/api/jobs", get(jobs::list))
        .route("/api/jobs/{id}", get(jobs::show).delete(jobs::cancel))
        .route("/api/jobs/{id}/files", get(jobs::files))
        .route("/api/jobs/{id}/events", get(jobs::events))
        .route("/api/jobs/{id}/pause", post(jobs::pause))
        .route("/api/jobs/{id}/resume", post(jobs::resume))
        .route("/api/jobs/{id}/dismiss", post(jobs::dismiss))
        .route("/api/jobs/{id}/retry", post(jobs::retry))
        .route("/api/history", get(history::list))
        .route("/api/settings", get(settings::show).post(settings::change))
        .route("/api/settings/test", post(settings_trial::test))
        .route("/api/ws", get(live::connect))
        .with_state(app)
}

/// Closes `routes`: the web UI and JSON answers for everything else, and the guard around all.
pub fn finish(routes: Router, config: guard::GuardConfig) -> Router {
    let closed = routes
        .fallback(assets::serve)
        .method_not_allowed_fallback(error::wrong_method);
    guard::protect(closed, config)
}
