//! Floor 3: HTTP. Routes, the guard in front of them, and the web UI.
//!
//! Handlers read requests, call the floors below and shape answers; they never do the work.
//! [`guard::protect`] goes around the finished router, so that no route can be reached past
//! the checks of host, login and origin.

pub mod access;
pub mod assets;
pub mod auth;
pub mod body;
pub mod error;
pub mod guard;
pub mod host;
pub mod origin;

/// Closes `routes`: the web UI and JSON answers for everything else, and the guard around all.
pub fn finish(routes: axum::Router, config: guard::GuardConfig) -> axum::Router {
    let closed = routes
        .fallback(assets::serve)
        .method_not_allowed_fallback(error::wrong_method);
    guard::protect(closed, config)
}
