//! The owner of the live settings: one change at a time, saved before it is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Mutex, watch};

use super::error::{ApiError, ApiResult};
use crate::clock::now_ms;
use crate::config::settings::Proxy;
use crate::config::{FieldError, Settings};
use crate::disk::Medium;
use crate::engine::Tuning;
use crate::hub::{Budget, HubClient, HubConfig, ProxyConfig};
use crate::model::arrange::speed_bytes;
use crate::model::limits::{Active, Holds, Limits};
use crate::store::Store;

/// The settings as they are now. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct LiveSettings {
    pub(super) store: Store,
    pub(super) current: Arc<watch::Sender<Arc<Settings>>>,
    pub(super) tuning: Arc<watch::Sender<Tuning>>,
    pub(super) limits: Arc<watch::Sender<Arc<Limits>>>,
    /// What holds at this moment.
    pub(super) holds: Arc<watch::Sender<Holds>>,
    /// Held from reading the old settings until the new ones are in place.
    pub(super) changing: Arc<Mutex<()>>,
}

impl LiveSettings {
    /// Starts with what was loaded from `store`.
    pub fn new(store: Store, settings: Settings, limits: Limits) -> Self {
        let holds = limits.at(now_ms());
        let tuning = Arc::new(watch::Sender::new(tuning_of(&settings, &limits, holds)));
        Self {
            store,
            current: Arc::new(watch::Sender::new(Arc::new(settings))),
            tuning,
            limits: Arc::new(watch::Sender::new(Arc::new(limits))),
            holds: Arc::new(watch::Sender::new(holds)),
            changing: Arc::default(),
        }
    }

    /// The settings now.
    pub fn get(&self) -> Arc<Settings> {
        self.current.borrow().clone()
    }

    /// What the engine follows.
    pub fn tuning(&self) -> watch::Receiver<Tuning> {
        self.tuning.subscribe()
    }

    /// Applies `patch`: saved first, then in force. Returns the settings before and after.
    ///
    /// # Errors
    /// 400 when a field is wrong, 500 when the settings cannot be saved; nothing has changed then.
    pub async fn change(&self, patch: Value) -> ApiResult<(Arc<Settings>, Arc<Settings>)> {
        let this = self.clone();
        // A task of its own: a client that hangs up must not part saving from taking effect.
        tokio::spawn(async move { this.change_now(&patch).await })
            .await
            .map_err(ApiError::internal)?
    }

    async fn change_now(&self, patch: &Value) -> ApiResult<(Arc<Settings>, Arc<Settings>)> {
        let _one_at_a_time = self.changing.lock().await;
        let before = self.get();
        let after = Arc::new(before.apply(patch).map_err(refused)?);
        let tuning = tuning_of(&after, &self.limits.borrow(), self.holds());
        let changes = rows(&after, &before);
        let reaches_out = |name: &String| name == "token" || name == "endpoint" || name.starts_with("proxy.");
        if changes.keys().any(reaches_out) {
            try_client(tuning.hub.clone()).await?;
        }
        if !changes.is_empty() {
            self.store
                .save_settings(&changes)
                .await
                .map_err(|error| ApiError::from(error).message("Failed to save settings"))?;
            let names: Vec<_> = changes.keys().collect();
            tracing::info!(?names, "settings changed");
            self.current.send_replace(Arc::clone(&after));
            self.tuning.send_replace(tuning);
        }
        Ok((before, after))
    }
}

/// What to write to get from `before` to `after`.
pub(super) fn rows(after: &Settings, before: &Settings) -> BTreeMap<String, Option<String>> {
    let changes = after.changes_since(before).into_iter();
    changes.map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn refused(error: FieldError) -> ApiError {
    ApiError::bad_request("Invalid settings")
        .details(error.message)
        .hint("Nothing was changed; correct the named field and send all fields again.")
}

/// Whether a Hub client can be made at all: what passes each check alone may not work together.
async fn try_client(config: HubConfig) -> ApiResult<()> {
    // Reads the certificates of the system.
    let made = tokio::task::spawn_blocking(move || HubClient::new(config, Arc::new(Budget::new())).map(drop));
    made.await
        .map_err(ApiError::internal)?
        .map_err(|error| ApiError::bad_request("Invalid settings").details(error.message))
}

/// What settings and limits mean for the engine.
pub fn tuning_of(settings: &Settings, limits: &Limits, holds: Holds) -> Tuning {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let (max_speed_bytes, max_connections) = if holds.active == Active::Slow {
        // Checked when it was saved.
        let speed = speed_bytes(&limits.slow.max_speed).unwrap_or(None);
        (speed, limits.slow.max_connections)
    } else {
        (settings.max_speed_bytes, settings.max_connections)
    };
    Tuning {
        connections: count(settings.connections),
        max_active: count(settings.max_active),
        max_files_per_job: count(settings.max_files_per_job),
        max_connections: count(max_connections),
        multipart_threshold_bytes: settings.multipart_threshold_bytes,
        max_speed_bytes,
        paused: holds.active == Active::Paused,
        free_space_floor_bytes: settings.free_space_floor_bytes,
        friendly: Some((settings.cache.hub.clone(), settings.cache.root.clone())),
        medium: Medium::Disk,
        hub: hub_of(settings),
    }
}

/// What the settings mean for the Hub client.
pub(super) fn hub_of(settings: &Settings) -> HubConfig {
    HubConfig {
        endpoint: settings.endpoint.clone(),
        token: settings.token.clone(),
        proxy: proxy_of(&settings.proxy),
        stall_timeout: settings.stall_timeout,
        retries: settings.retries,
        backoff_initial: settings.backoff_initial,
        backoff_max: settings.backoff_max,
        ..HubConfig::default()
    }
}

fn proxy_of(proxy: &Proxy) -> ProxyConfig {
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    ProxyConfig {
        url: proxy.url.clone(),
        username: text(&proxy.username),
        password: proxy.password.clone(),
        no_proxy: text(&proxy.no_proxy),
        no_env_proxy: proxy.no_env_proxy,
        // Certificates are always checked.
        insecure_skip_verify: false,
    }
}
