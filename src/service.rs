//! The one place that sees every floor: opens what the service needs, in order, and closes it.
//!
//! Commands start it and tests do; it takes its options and its stop from outside.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::config::{Fixed, ServeOptions, Settings};
use crate::http;
use crate::http::guard::GuardConfig;
use crate::lifecycle::CancellationToken;

/// Runs the service until `stop` is cancelled and everything has settled.
///
/// # Errors
/// When a part cannot be opened; the error carries an exit code where there is one of its own.
pub async fn start(options: ServeOptions, fixed: Arc<Fixed>, stop: CancellationToken) -> anyhow::Result<()> {
    // START OF THE FLOORS. Store (lock of the data directory, migrations, rows of the settings),
    // then engine, then their routes go here, before the address is taken; they end in the
    // opposite order below.
    let no_rows: [(&str, &str); 0] = [];
    let (settings, unusable) = Settings::load(fixed, no_rows)?;
    for error in unusable {
        tracing::warn!(%error, "a stored setting cannot be used");
    }
    let routes = Router::new().route("/healthz", get(|| async { "ok\n" }));

    let address = SocketAddr::new(options.addr, options.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("Cannot listen on {address}"))?;
    let address = listener.local_addr().context("The address is unknown")?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data_dir = %options.data_dir.display(),
        hub_cache = %settings.cache.hub.display(),
        login = options.login.is_some(),
        web_ui = http::assets::has_web_build(),
        "serving on http://{address}"
    );
    let app = http::finish(routes, GuardConfig::from(&options));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("The HTTP server failed")
}
