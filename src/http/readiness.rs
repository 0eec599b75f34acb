//! Whether the service can do its work: `/readyz`.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::state::App;

/// So long an answer is given again: the probe writes, and anybody may ask.
const FRESH: Duration = Duration::from_secs(2);
/// A disk that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the last probe found.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whether the database and the cache take writes. One probe at a time; the rest wait for its answer.
    pub async fn check(&self, app: &App) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < FRESH
        {
            return ready;
        }
        let ready = match tokio::time::timeout(PATIENCE, probe(app)).await {
            Ok(Ok(())) => true,
            Ok(Err(why)) => {
                tracing::warn!(%why, "not ready");
                false
            }
            Err(_) => {
                tracing::warn!(
                    patience_ms = PATIENCE.as_millis() as u64,
                    "not ready: a disk does not answer"
                );
                false
            }
        };
        *last = Some((Instant::now(), ready));
        ready
    }
}

async fn probe(app: &App) -> Result<(), String> {
    app.store
        .check_writable()
        .await
        .map_err(|error| error.to_string())?;
    cache_takes_writes(app).await
}

/// Whether a file can be made in the cache, and what hinders it. May take as long as the disk does.
pub(super) async fn cache_takes_writes(app: &App) -> Result<(), String> {
    let engine = app.engine.clone();
    let hub = app.settings.get().cache.hub.to_string_lossy().into_owned();
    tokio::task::spawn_blocking(move || engine.check_cache(&hub))
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())
}
