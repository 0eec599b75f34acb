//! The settings as clients see them: `GET /api/settings` and `hfdepot config show`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::key::Key;
use super::layers::Source;
use super::settings::Settings;
use crate::model::destination::{Layout, LinkMode, RouteKey};
use crate::model::job::Verify;

/// How the outside is reached.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyShown {
    /// `http`, `https`, `socks5` or `socks5h` URL; empty = none given here.
    pub url: String,
    /// User name at the proxy; empty = none.
    pub username: String,
    /// Whether a password is known. It is never shown.
    pub has_password: bool,
    /// Hosts that are reached directly: names, `.suffix`, addresses, CIDR, `*`; commas between.
    pub no_proxy: String,
    /// Whether `HTTP_PROXY` and its kin are ignored.
    pub no_env_proxy: bool,
    /// Always `false`: certificates are always checked.
    pub insecure_skip_verify: bool,
}

/// Every setting and where it comes from. Secrets are masked.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Settings)]
pub struct SettingsShown {
    /// Masked; its last four characters show when it has more than eight. Empty = none.
    pub token: String,
    /// Whether there is a token that is not sent, because it belongs to another endpoint.
    pub token_held_back: bool,
    /// Root of the cache.
    pub cache_dir: String,
    /// Folder of plain files that takes the place of the cache; empty = none.
    pub local_dir: String,
    /// Folders that are looked through for models.
    pub local_scan_dirs: Vec<String>,
    /// Folders for sorts of models.
    #[schema(value_type = BTreeMap<String, String>)]
    pub download_routes: BTreeMap<RouteKey, String>,
    /// How a snapshot shows a blob.
    pub link_mode: LinkMode,
    /// Base URL of the Hub; empty = `https://huggingface.co`.
    pub endpoint: String,
    /// Connections per file, 1–64.
    pub connections: u32,
    /// Jobs at once, 1–32.
    pub max_active: u32,
    /// Files of one job at once, 1–64.
    pub max_files_per_job: u32,
    /// Connections of all jobs together, 1–256.
    pub max_connections: u32,
    /// Files from this size on get several connections.
    pub multipart_threshold: String,
    /// What is compared before a file counts as done.
    pub verify: Verify,
    /// Attempts after the first without progress, 0–20.
    pub retries: u32,
    /// First wait between attempts.
    pub backoff_initial: String,
    /// Longest wait between attempts.
    pub backoff_max: String,
    /// A connection without a byte for so long is replaced; `0` = never.
    pub stall_timeout: String,
    /// Bytes a second over all jobs; empty or `0` = no limit.
    pub max_speed: String,
    /// Free bytes a volume keeps; empty = the smaller of 1 GiB and 5 % of the volume.
    pub free_space_floor: String,
    /// Days a finished job stays in the list; 0 = for ever.
    pub retention_days: u32,
    /// Days that history and events are kept; 0 = for ever.
    pub history_retention: u32,
    /// How the outside is reached.
    pub proxy: ProxyShown,
    /// The configuration file in use; empty = none.
    pub config_file: String,
    /// Always empty: mirror targets are rows of the database.
    pub targets_file: &'static str,
    /// Folder below which exports go, the first of them when there are several; empty = no exports.
    pub export_dir: String,
    /// `local` when `localDir` is set.
    pub storage_mode: Layout,
    /// Root of the cache as it was given; empty = nowhere.
    pub configured_cache_dir: String,
    /// The Hub cache.
    pub effective_hub_dir: String,
    /// What said where it is.
    pub hub_dir_source: &'static str,
    /// Where each value comes from. Parts of the proxy have a dot: `proxy.url`.
    #[schema(value_type = BTreeMap<String, Source>)]
    pub sources: BTreeMap<&'static str, Source>,
    /// The flag, variable or file that gave a value.
    #[schema(value_type = BTreeMap<String, String>)]
    pub source_names: BTreeMap<&'static str, String>,
    /// Saved settings that a flag or variable overrides.
    pub shadowed: Vec<&'static str>,
    /// Settings that the API cannot change now.
    pub locked: Vec<&'static str>,
}

impl Settings {
    /// The settings as they may be shown.
    pub fn shown(&self) -> SettingsShown {
        let value = |key| self.found(key).value.into_owned();
        let text = |key| value(key).as_str().unwrap_or_default().to_owned();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let found = || Key::ALL.iter().map(|&key| (key.as_str(), self.found(key)));
        let locked =
            |key: &&Key| self.fixed.overrides(**key) || (key.is_path() && !self.fixed.allow_path_settings);
        SettingsShown {
            token: self
                .given_token
                .as_ref()
                .map(super::Secret::masked)
                .unwrap_or_default(),
            token_held_back: self.token_held_back(),
            cache_dir: path(&self.cache.root),
            local_dir: self.local_dir.as_deref().map(path).unwrap_or_default(),
            local_scan_dirs: self.local_scan_dirs.iter().map(|dir| path(dir)).collect(),
            download_routes: self
                .download_routes
                .iter()
                .map(|(key, dir)| (*key, path(dir)))
                .collect(),
            link_mode: self.link_mode,
            endpoint: text(Key::Endpoint),
            connections: self.connections,
            max_active: self.max_active,
            max_files_per_job: self.max_files_per_job,
            max_connections: self.max_connections,
            multipart_threshold: text(Key::MultipartThreshold),
            verify: self.verify,
            retries: self.retries,
            backoff_initial: text(Key::BackoffInitial),
            backoff_max: text(Key::BackoffMax),
            stall_timeout: text(Key::StallTimeout),
            max_speed: text(Key::MaxSpeed),
            free_space_floor: text(Key::FreeSpaceFloor),
            retention_days: self.retention_days.unwrap_or(0),
            history_retention: self.history_retention_days.unwrap_or(0),
            proxy: ProxyShown {
                url: text(Key::ProxyUrl),
                username: self.proxy.username.clone(),
                has_password: self.proxy.password.is_some(),
                no_proxy: self.proxy.no_proxy.clone(),
                no_env_proxy: self.proxy.no_env_proxy,
                insecure_skip_verify: false,
            },
            config_file: self.fixed.config_file.as_deref().map(path).unwrap_or_default(),
            targets_file: "",
            export_dir: self
                .fixed
                .export_dirs
                .first()
                .map(|dir| path(dir))
                .unwrap_or_default(),
            storage_mode: match self.local_dir {
                Some(_) => Layout::Local,
                None => Layout::Cache,
            },
            configured_cache_dir: text(Key::CacheDir),
            effective_hub_dir: path(&self.cache.hub),
            hub_dir_source: self.cache.hub_dir_source.as_str(),
            sources: found().map(|(name, found)| (name, found.source)).collect(),
            source_names: found()
                .filter_map(|(name, found)| Some((name, found.from?.to_owned())))
                .collect(),
            shadowed: self.shadowed(),
            locked: Key::ALL.iter().filter(locked).map(|key| key.as_str()).collect(),
        }
    }

    /// [`Settings::shown`] as a JSON document.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self.shown()).unwrap_or_default()
    }
}
