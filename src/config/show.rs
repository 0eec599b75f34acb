//! The settings as clients see them: `GET /api/settings`.

use serde_json::{Map, Value, json};

use super::key::Key;
use super::settings::Settings;
use crate::model::destination::Layout;

impl Settings {
    /// Every key of the API. Secrets are masked.
    ///
    /// Beside the values: `sources` (setting → `flag`, `env`, `database`, `file`, `default`),
    /// `sourceNames` (setting → the flag, variable or file that gave it), `shadowed` (saved, but
    /// a flag or variable is stronger), `locked` (cannot be changed through the API now).
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut sources = Map::new();
        let mut names = Map::new();
        for &key in Key::ALL {
            let found = self.found(key);
            sources.insert(key.as_str().to_owned(), found.source.as_str().into());
            if let Some(from) = found.from {
                names.insert(key.as_str().to_owned(), from.into());
            }
            if !key.is_secret() && !key.as_str().contains('.') {
                out.insert(key.as_str().to_owned(), found.value.into_owned());
            }
        }
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let found = |key| self.found(key).value.into_owned();
        let configured = out.insert("cacheDir".to_owned(), text(&self.cache.root).into());
        let masked = self
            .given_token
            .as_ref()
            .map(super::Secret::masked)
            .unwrap_or_default();
        let locked: Vec<&str> = Key::ALL
            .iter()
            .filter(|&&key| self.fixed.overrides(key) || (key.is_path() && !self.fixed.allow_path_settings))
            .map(|key| key.as_str())
            .collect();
        let more = json!({
            "token": masked,
            "tokenHeldBack": self.token_held_back(),
            "proxy": {
                "url": found(Key::ProxyUrl),
                "username": found(Key::ProxyUsername),
                "hasPassword": self.proxy.password.is_some(),
                "noProxy": found(Key::ProxyNoProxy),
                "noEnvProxy": found(Key::ProxyNoEnvProxy),
                // Certificates are always checked.
                "insecureSkipVerify": false,
            },
            "configFile": self.fixed.config_file.as_deref().map(text).unwrap_or_default(),
            // Targets are rows of the database.
            "targetsFile": "",
            "localDir": self.local_dir.as_deref().map(text).unwrap_or_default(),
            "storageMode": if self.local_dir.is_some() { Layout::Local } else { Layout::Cache },
            "configuredCacheDir": configured.unwrap_or_default(),
            "effectiveHubDir": text(&self.cache.hub),
            "hubDirSource": self.cache.hub_dir_source.as_str(),
            "sources": sources,
            "sourceNames": names,
            "shadowed": self.shadowed(),
            "locked": locked,
        });
        if let Value::Object(more) = more {
            out.extend(more);
        }
        Value::Object(out)
    }
}
