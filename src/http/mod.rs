//! Floor 3: HTTP. Routes, the guard in front of them, and the web UI.
//!
//! Handlers read requests, call the floors below and shape answers; they never do the work: a
//! command is a row and a ring of the engine's bell. Answers come from the database.
//! [`guard::protect`] goes around the finished router, so that no route can be reached past
//! the checks of host, login and origin.

pub mod about;
pub mod access;
pub mod analyze;
pub mod analyze_upstream;
pub mod assets;
pub mod auth;
pub mod backups;
pub mod base_path;
pub mod body;
pub mod bulk;
pub mod cache;
pub mod cache_care;
pub mod cache_export;
pub mod cache_import;
pub mod cache_selection;
pub mod cache_share;
pub mod cache_verify;
pub mod cache_views;
pub mod checks;
pub mod collections;
pub mod commits;
pub mod destination;
pub mod disk;
pub mod docs;
pub mod download;
pub mod encoding;
pub mod error;
pub mod events;
pub mod export;
pub mod extract;
pub mod feed;
pub mod file_choice;
pub mod frames;
pub mod guard;
pub mod history;
pub mod host;
pub mod jobs;
pub mod kept;
pub mod keys;
pub mod limits;
pub mod live;
pub mod live_settings;
pub mod log;
pub mod markdown;
pub mod metrics;
pub mod mirror;
pub mod mirror_diff;
pub mod openapi;
pub mod origin;
pub mod outbox;
pub mod plan;
pub mod plan_many;
pub mod problem;
pub mod readiness;
pub mod readme;
pub mod recent;
pub mod removals;
pub mod request;
pub mod search;
pub mod seats;
pub mod segments;
pub mod serve;
pub mod settings;
pub mod settings_trial;
pub mod shown;
pub mod speed;
pub mod state;
pub mod status;
pub mod stream;
pub mod suggest;
pub mod summary;
pub mod system;
pub mod target_schedule;
pub mod targets;
pub mod tasks;
pub mod trends;
pub mod upstream;
pub mod views;
pub mod who;
pub mod whole;
pub mod wire;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Every route of the service, with its entry in the document of the API.
fn table() -> OpenApiRouter<state::AppState> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(system::alive))
        .routes(routes!(system::ready))
        .routes(routes!(system::health))
        .routes(routes!(system::diskfree))
        .routes(routes!(checks::show))
        .routes(routes!(log::show))
        .routes(routes!(log::follow))
        .routes(routes!(trends::show))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::run))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::download))
        .routes(routes!(about::show))
        .routes(routes!(metrics::show))
        .routes(routes!(openapi::show))
        .routes(routes!(docs::find))
        .routes(routes!(docs::show))
        .routes(routes!(docs::asset))
        .routes(routes!(download::create))
        .routes(routes!(plan::show))
        .routes(routes!(analyze::show))
        .routes(routes!(search::find))
        .routes(routes!(suggest::find))
        .routes(routes!(collections::list))
        .routes(routes!(collections::show))
        .routes(routes!(commits::show))
        .routes(routes!(search::ratelimit))
        .routes(routes!(readme::show))
        .routes(routes!(readme::asset))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::cancel, bulk::set))
        .routes(routes!(bulk::change))
        .routes(routes!(bulk::order))
        .routes(routes!(jobs::files, file_choice::choose))
        .routes(routes!(events::of_job))
        .routes(routes!(segments::show))
        .routes(routes!(speed::of_job))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::dismiss))
        .routes(routes!(jobs::retry))
        .routes(routes!(cache::list))
        .routes(routes!(cache::show, cache::delete))
        .routes(routes!(cache_care::rebuild))
        .routes(routes!(cache_care::prune))
        .routes(routes!(cache_verify::verify))
        .routes(routes!(cache_verify::repair))
        .routes(routes!(cache_share::show, cache_share::share))
        .routes(routes!(cache_export::export))
        .routes(routes!(cache_import::import))
        .routes(routes!(cache_selection::show, cache_selection::delete))
        .routes(routes!(history::list))
        .routes(routes!(targets::list, targets::add))
        .routes(routes!(targets::remove, target_schedule::change))
        .routes(routes!(mirror_diff::diff))
        .routes(routes!(mirror::push))
        .routes(routes!(mirror::pull))
        .routes(routes!(mirror::list))
        .routes(routes!(events::of_all))
        .routes(routes!(history::stats))
        .routes(routes!(history::verify))
        .routes(routes!(history::files))
        .routes(routes!(speed::of_all))
        .routes(routes!(settings::show, settings::change))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::remove))
        .routes(routes!(settings_trial::test))
        .routes(routes!(live::connect))
        .routes(routes!(stream::connect))
        .routes(routes!(limits::show, limits::change))
        .routes(routes!(summary::show))
        .routes(routes!(disk::show))
}

/// The router over the table of routes.
fn routes(app: state::AppState) -> Router {
    table().with_state(app).into()
}

/// Everything the service answers: its routes, the web UI, measured, changes carried out whole, and
/// the guard around all.
pub fn service(app: state::AppState, config: guard::GuardConfig) -> Router {
    let measured = from_fn_with_state(app.clone(), metrics::measure);
    let whole = from_fn(whole::carry_out);
    guard::protect(close(routes(app)).layer(measured).layer(whole), config)
}

/// Closes `routes`: the web UI and JSON answers for everything else, and the guard around all.
pub fn finish(routes: Router, config: guard::GuardConfig) -> Router {
    guard::protect(close(routes), config)
}

fn close(routes: Router) -> Router {
    routes
        .fallback(assets::serve)
        .method_not_allowed_fallback(error::wrong_method)
}
