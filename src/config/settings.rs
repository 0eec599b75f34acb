//! The live settings: one checked value of each, ready to use.
//!
//! A [`Settings`] never changes; a change makes a new one (`apply.rs`), which the owner swaps
//! in. The rows of the database are [`Settings::stored`]; loading takes them back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::check::check;
use super::key::{FieldError, Key};
use super::layers::{Fixed, Found, Source, Stored};
use super::paths::CachePaths;
use crate::model::destination::{LinkMode, RouteKey};
use crate::model::duration::parse_duration;
use crate::model::job::Verify;
use crate::model::secret::Secret;
use crate::model::size::parse_size;

/// The Hub when no endpoint is set.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// How to reach the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http`, `https`, `socks5` or `socks5h` with a host; `None` = no proxy was given here.
    pub url: Option<Url>,
    /// User name at the proxy; empty = none.
    pub username: String,
    /// Password at the proxy.
    pub password: Option<Secret>,
    /// Hosts that are reached directly: exact names, `.suffix`, addresses, CIDR, `*`; commas between.
    pub no_proxy: String,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are ignored.
    pub no_env_proxy: bool,
}

/// The live settings.
#[derive(Clone)]
pub struct Settings {
    /// The token that may be sent to [`Settings::endpoint`]. `None` when there is none, or when
    /// it is held back (see [`Settings::token_held_back`]).
    pub token: Option<Secret>,
    /// Places of the cache for new jobs.
    pub cache: CachePaths,
    /// Folder of plain files for downloads that ask for no other place. `None` = the cache.
    pub local_dir: Option<PathBuf>,
    /// Folders that are looked through for models.
    pub local_scan_dirs: Vec<PathBuf>,
    /// Folders for sorts of models.
    pub download_routes: BTreeMap<RouteKey, PathBuf>,
    /// How a snapshot of the cache shows a blob.
    pub link_mode: LinkMode,
    /// Base URL of the Hub, without a slash at its end.
    pub endpoint: Url,
    /// Connections per file, 1–64.
    pub connections: u32,
    /// Jobs at once, 1–32.
    pub max_active: u32,
    /// Files of one job at once, 1–64.
    pub max_files_per_job: u32,
    /// Connections of all jobs together, 1–256.
    pub max_connections: u32,
    /// Files of at least so many bytes get several connections.
    pub multipart_threshold_bytes: u64,
    /// What is compared before a file counts as done, for jobs that say nothing else.
    pub verify: Verify,
    /// Attempts after the first without progress, 0–20.
    pub retries: u32,
    /// First wait between attempts.
    pub backoff_initial: Duration,
    /// Longest wait between attempts.
    pub backoff_max: Duration,
    /// A connection without a byte for so long is replaced. `None` = never.
    pub stall_timeout: Option<Duration>,
    /// Bytes a second over all jobs. `None` = no limit.
    pub max_speed_bytes: Option<u64>,
    /// Bytes that stay free on a volume. `None` = the smaller of 1 GiB and 5 % of the volume.
    pub free_space_floor_bytes: Option<u64>,
    /// Days a finished job stays in the list. `None` = for ever.
    pub retention_days: Option<u32>,
    /// Days that history and events are kept. `None` = for ever.
    pub history_retention_days: Option<u32>,
    /// How to reach the outside.
    pub proxy: Proxy,
    pub(super) given_token: Option<Secret>,
    pub(super) fixed: Arc<Fixed>,
    pub(super) stored: Stored,
}

impl Settings {
    /// Settings from what was given at the start and the rows `(name, JSON text)` of the database.
    ///
    /// A row that cannot be used (unknown name, bad value) does not stop the service: it is left
    /// out, and comes back as the second part for the log.
    ///
    /// # Errors
    /// When flags, variables and the configuration file alone do not make valid settings.
    pub fn load<N: AsRef<str>, T: AsRef<str>>(
        fixed: Arc<Fixed>,
        rows: impl IntoIterator<Item = (N, T)>,
    ) -> Result<(Self, Vec<FieldError>), FieldError> {
        let mut stored = Stored::new();
        let mut unusable = Vec::new();
        for (name, text) in rows {
            let name = name.as_ref();
            let row = name
                .parse::<Key>()
                .map_err(|_| FieldError {
                    field: name.to_owned(),
                    message: format!(
                        "\"{}\" is not the name of a setting",
                        crate::model::repo::shown(name)
                    ),
                })
                .and_then(|key| {
                    let value: Value = serde_json::from_str(text.as_ref())
                        .map_err(|_| key.error("is stored as something that is no JSON"))?;
                    Ok((key, check(key, &value)?))
                });
            match row {
                Ok((key, value)) => {
                    stored.insert(key, value);
                }
                Err(error) => unusable.push(error),
            }
        }
        loop {
            match Self::build(Arc::clone(&fixed), stored.clone()) {
                Ok(settings) => return Ok((settings, unusable)),
                // Values that are good alone and bad together: the one of the database gives way.
                Err(error) => match error.field.parse::<Key>() {
                    Ok(key) if stored.remove(&key).is_some() => unusable.push(error),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Makes the typed values out of checked ones.
    pub(super) fn build(fixed: Arc<Fixed>, stored: Stored) -> Result<Self, FieldError> {
        let value = |key: Key| fixed.find(key, &stored).value.into_owned();
        let text = |key: Key| value(key).as_str().unwrap_or_default().to_owned();
        let number = |key: Key| {
            value(key)
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default()
        };
        let size = |key: Key| {
            let text = text(key);
            match text.strip_suffix("/s").unwrap_or(&text) {
                "" => Ok(None),
                text => parse_size(text).map(Some).map_err(|why| key.error(why)),
            }
        };
        let duration = |key: Key| parse_duration(&text(key)).map_err(|why| key.error(why));
        let secret = |key: Key| Some(text(key)).filter(|text| !text.is_empty()).map(Secret::new);
        let backoff_initial = duration(Key::BackoffInitial)?;
        let backoff_max = duration(Key::BackoffMax)?;
        if backoff_max < backoff_initial {
            // The one that was set is the one to blame.
            let key = if stored.contains_key(&Key::BackoffMax) {
                Key::BackoffMax
            } else {
                Key::BackoffInitial
            };
            return Err(key.error(format!(
                "does not fit: backoffInitial ({}) must not be longer than backoffMax ({})",
                text(Key::BackoffInitial),
                text(Key::BackoffMax)
            )));
        }
        let endpoint = endpoint_url(&text(Key::Endpoint)).map_err(|why| Key::Endpoint.error(why))?;
        let proxy_url = match text(Key::ProxyUrl).as_str() {
            "" => None,
            url => Some(Url::parse(url).map_err(|why| Key::ProxyUrl.error(why))?),
        };
        let cache_dir = text(Key::CacheDir);
        let directory = |text: &str| fixed.environment.expand(text);
        let local_dir = text(Key::LocalDir);
        let scan_dirs = value(Key::LocalScanDirs);
        let routes = value(Key::DownloadRoutes);
        let given_token = secret(Key::Token);
        let token = given_token
            .clone()
            .filter(|_| token_fits(&fixed, &stored, &endpoint));
        Ok(Self {
            token,
            cache: CachePaths::find(
                Some(cache_dir.as_str()).filter(|dir| !dir.is_empty()),
                &fixed.environment,
            )
            .map_err(|why| FieldError {
                field: Key::CacheDir.as_str().to_owned(),
                message: why,
            })?,
            local_dir: Some(local_dir)
                .filter(|dir| !dir.is_empty())
                .map(|dir| directory(&dir)),
            local_scan_dirs: scan_dirs
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(directory)
                .collect(),
            download_routes: routes
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(key, dir)| Some((key.parse().ok()?, directory(dir.as_str()?))))
                .collect(),
            link_mode: text(Key::LinkMode).parse().unwrap_or(LinkMode::Auto),
            endpoint,
            connections: number(Key::Connections),
            max_active: number(Key::MaxActive),
            max_files_per_job: number(Key::MaxFilesPerJob),
            max_connections: number(Key::MaxConnections),
            multipart_threshold_bytes: size(Key::MultipartThreshold)?.unwrap_or_default(),
            verify: text(Key::Verify).parse().map_err(|why| Key::Verify.error(why))?,
            retries: number(Key::Retries),
            backoff_initial,
            backoff_max,
            stall_timeout: Some(duration(Key::StallTimeout)?).filter(|span| !span.is_zero()),
            max_speed_bytes: size(Key::MaxSpeed)?.filter(|&bytes| bytes > 0),
            free_space_floor_bytes: size(Key::FreeSpaceFloor)?,
            retention_days: Some(number(Key::RetentionDays)).filter(|&days| days > 0),
            history_retention_days: Some(number(Key::HistoryRetention)).filter(|&days| days > 0),
            proxy: Proxy {
                url: proxy_url,
                username: text(Key::ProxyUsername),
                password: secret(Key::ProxyPassword),
                no_proxy: text(Key::ProxyNoProxy),
                no_env_proxy: value(Key::ProxyNoEnvProxy).as_bool().unwrap_or_default(),
            },
            given_token,
            fixed,
            stored,
        })
    }

    /// Whether there is a token that is not sent, because the endpoint was set through the API and
    /// the token was not: whoever may change settings could otherwise have the token of the
    /// service's owner sent to a server of his own.
    pub fn token_held_back(&self) -> bool {
        self.given_token.is_some() && self.token.is_none()
    }

    /// Where the value of `key` comes from.
    pub fn source(&self, key: Key) -> Source {
        self.found(key).source
    }

    /// The rows of the database: name and JSON text. Holds secrets; they go nowhere else.
    pub fn stored(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.stored
            .iter()
            .map(|(key, value)| (key.as_str(), value.to_string()))
    }

    /// What to write to the database to get from `before` to these settings: name and JSON text,
    /// `None` = delete the row.
    pub fn changes_since(&self, before: &Self) -> Vec<(&'static str, Option<String>)> {
        Key::ALL
            .iter()
            .filter(|key| self.stored.get(key) != before.stored.get(key))
            .map(|key| (key.as_str(), self.stored.get(key).map(Value::to_string)))
            .collect()
    }

    /// Names of saved settings that a flag or variable overrides.
    pub fn shadowed(&self) -> Vec<&'static str> {
        self.stored
            .keys()
            .filter(|&&key| self.fixed.overrides(key))
            .map(|key| key.as_str())
            .collect()
    }

    pub(super) fn found(&self, key: Key) -> Found<'_> {
        self.fixed.find(key, &self.stored)
    }
}

impl fmt::Debug for Settings {
    // `stored` holds secrets as plain JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cache", &self.cache)
            .field("endpoint", &self.endpoint.as_str())
            .field("stored", &self.stored.keys())
            .field("fixed", &self.fixed)
            .finish_non_exhaustive()
    }
}

pub(super) fn endpoint_url(text: &str) -> Result<Url, url::ParseError> {
    Url::parse(if text.is_empty() { DEFAULT_ENDPOINT } else { text })
}

/// Whether the strongest token belongs to the strongest endpoint: a saved endpoint gets a token
/// that was not saved only when it is the same server that flags, variables and file name.
fn token_fits(fixed: &Fixed, stored: &Stored, endpoint: &Url) -> bool {
    let source = |key| fixed.find(key, stored).source;
    if source(Key::Endpoint) != Source::Database || source(Key::Token) == Source::Database {
        return true;
    }
    let nothing = Stored::new();
    let before = fixed.find(Key::Endpoint, &nothing);
    endpoint_url(before.value.as_str().unwrap_or_default()).is_ok_and(|url| url.origin() == endpoint.origin())
}
