//! The live settings: their names, their kinds with ranges, and their defaults.

use serde_json::{Map, Value};

use crate::model::arrange::CONNECTIONS;
use crate::model::state::words;

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FieldError {
    /// Name of the setting as the API has it, such as `maxActive`.
    pub field: String,
    /// The whole sentence: field, what is allowed, and the given value unless it is a secret.
    pub message: String,
}

words! {
    /// A live setting, by its name in the API. A dot stands for nesting: `proxy.url` is `{"proxy": {"url": …}}`.
    Key {
        /// Hub token.
        Token = "token",
        /// Root of the cache.
        CacheDir = "cacheDir",
        /// Folder of plain files for downloads; empty = downloads go into the cache.
        LocalDir = "localDir",
        /// Folders that are looked through for models, and never written to.
        LocalScanDirs = "localScanDirs",
        /// Folders for sorts of models, by route key.
        DownloadRoutes = "downloadRoutes",
        /// How a snapshot of the cache shows a blob.
        LinkMode = "linkMode",
        /// Base URL of the Hub; empty = `https://huggingface.co`.
        Endpoint = "endpoint",
        /// Connections per file.
        Connections = "connections",
        /// Jobs at once.
        MaxActive = "maxActive",
        /// Files of one job at once.
        MaxFilesPerJob = "maxFilesPerJob",
        /// Connections of all jobs together.
        MaxConnections = "maxConnections",
        /// Files from this size on get several connections.
        MultipartThreshold = "multipartThreshold",
        /// What is compared before a file counts as done.
        Verify = "verify",
        /// Attempts after the first without progress.
        Retries = "retries",
        /// First wait between attempts.
        BackoffInitial = "backoffInitial",
        /// Longest wait between attempts.
        BackoffMax = "backoffMax",
        /// A connection without a byte for so long is replaced; `0` = never.
        StallTimeout = "stallTimeout",
        /// Bytes a second over all jobs; empty or `0` = no limit.
        MaxSpeed = "maxSpeed",
        /// Free bytes a volume keeps; empty = the smaller of 1 GiB and 5 % of the volume.
        FreeSpaceFloor = "freeSpaceFloor",
        /// Days a finished job stays in the list; 0 = for ever.
        RetentionDays = "retentionDays",
        /// Days that history and events are kept; 0 = for ever.
        HistoryRetention = "historyRetention",
        /// Proxy for all requests to the outside; empty = none given.
        ProxyUrl = "proxy.url",
        /// User name at the proxy.
        ProxyUsername = "proxy.username",
        /// Password at the proxy.
        ProxyPassword = "proxy.password",
        /// Hosts that are reached without the proxy, separated by commas.
        ProxyNoProxy = "proxy.noProxy",
        /// Whether `HTTP_PROXY` and its kin are ignored.
        ProxyNoEnvProxy = "proxy.noEnvProxy",
    }
}

/// What values a setting takes.
pub(super) enum Kind {
    Whole(i64, i64),
    Size,
    SizeOrNone,
    /// Shortest and longest in milliseconds, and whether `0` is allowed beside them.
    Duration(u64, u64, bool),
    Verify,
    Endpoint,
    Proxy,
    Token,
    Text,
    Password,
    Bool,
    Directory,
    Directories,
    Routes,
    LinkMode,
}

impl Key {
    /// The name in flags and in the configuration file: `max-active`; for the proxy's parts the
    /// flags are `proxy`, `proxy-user`, `proxy-pass`, `no-proxy`, `no-env-proxy`.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::CacheDir => "cache-dir",
            Self::LocalDir => "local-dir",
            Self::LocalScanDirs => "local-scan-dirs",
            Self::DownloadRoutes => "download-routes",
            Self::LinkMode => "link-mode",
            Self::Endpoint => "endpoint",
            Self::Connections => "connections",
            Self::MaxActive => "max-active",
            Self::MaxFilesPerJob => "max-files-per-job",
            Self::MaxConnections => "max-connections",
            Self::MultipartThreshold => "multipart-threshold",
            Self::Verify => "verify",
            Self::Retries => "retries",
            Self::BackoffInitial => "backoff-initial",
            Self::BackoffMax => "backoff-max",
            Self::StallTimeout => "stall-timeout",
            Self::MaxSpeed => "max-speed",
            Self::FreeSpaceFloor => "free-space-floor",
            Self::RetentionDays => "retention-days",
            Self::HistoryRetention => "history-retention",
            Self::ProxyUrl => "proxy",
            Self::ProxyUsername => "proxy-user",
            Self::ProxyPassword => "proxy-pass",
            Self::ProxyNoProxy => "no-proxy",
            Self::ProxyNoEnvProxy => "no-env-proxy",
        }
    }

    /// Whether the value may never be shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Token | Self::ProxyPassword)
    }

    /// Whether the value is a place on the disk, which the API may change only with `--allow-path-settings`.
    pub fn is_path(self) -> bool {
        matches!(
            self,
            Self::CacheDir | Self::LocalDir | Self::LocalScanDirs | Self::DownloadRoutes
        )
    }

    /// The value when nobody gives one.
    pub fn default_value(self) -> Value {
        match self {
            Self::Connections | Self::MaxFilesPerJob => 8.into(),
            Self::MaxActive => 3.into(),
            Self::MaxConnections => 16.into(),
            Self::Retries => 4.into(),
            Self::RetentionDays => 30.into(),
            Self::HistoryRetention => 0.into(),
            Self::MultipartThreshold => "32MiB".into(),
            Self::Verify => "size".into(),
            Self::BackoffInitial => "400ms".into(),
            Self::BackoffMax => "10s".into(),
            Self::StallTimeout => "60s".into(),
            Self::ProxyNoEnvProxy => false.into(),
            Self::LinkMode => "auto".into(),
            Self::LocalScanDirs => Value::Array(Vec::new()),
            Self::DownloadRoutes => Value::Object(Map::new()),
            Self::Token
            | Self::CacheDir
            | Self::LocalDir
            | Self::Endpoint
            | Self::MaxSpeed
            | Self::FreeSpaceFloor
            | Self::ProxyUrl
            | Self::ProxyUsername
            | Self::ProxyPassword
            | Self::ProxyNoProxy => "".into(),
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Connections => Kind::Whole(*CONNECTIONS.start(), *CONNECTIONS.end()),
            Self::MaxFilesPerJob => Kind::Whole(1, 64),
            Self::MaxActive => Kind::Whole(1, 32),
            Self::MaxConnections => Kind::Whole(1, 256),
            Self::Retries => Kind::Whole(0, 20),
            Self::RetentionDays | Self::HistoryRetention => Kind::Whole(0, 3650),
            Self::MultipartThreshold => Kind::Size,
            Self::MaxSpeed | Self::FreeSpaceFloor => Kind::SizeOrNone,
            Self::BackoffInitial => Kind::Duration(10, 60_000, false),
            Self::BackoffMax => Kind::Duration(10, 600_000, false),
            Self::StallTimeout => Kind::Duration(1000, 3_600_000, true),
            Self::Verify => Kind::Verify,
            Self::Endpoint => Kind::Endpoint,
            Self::ProxyUrl => Kind::Proxy,
            Self::Token => Kind::Token,
            Self::ProxyUsername | Self::ProxyNoProxy => Kind::Text,
            Self::ProxyPassword => Kind::Password,
            Self::ProxyNoEnvProxy => Kind::Bool,
            Self::CacheDir | Self::LocalDir => Kind::Directory,
            Self::LocalScanDirs => Kind::Directories,
            Self::DownloadRoutes => Kind::Routes,
            Self::LinkMode => Kind::LinkMode,
        }
    }

    /// The value of a flag or variable, as the JSON value it means.
    pub fn from_text(self, text: &str) -> Value {
        let trimmed = text.trim();
        match self.kind() {
            Kind::Whole(..) => trimmed.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            Kind::Bool => match trimmed.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => true.into(),
                "0" | "false" | "no" | "off" => false.into(),
                _ => text.into(),
            },
            // As in PATH.
            Kind::Directories => text
                .split(':')
                .map(str::trim)
                .filter(|dir| !dir.is_empty())
                .collect(),
            // `llm=/a,audio=/b`; what has no `=` is left as a key without a folder, which no check lets pass.
            Kind::Routes => text
                .split(',')
                .map(str::trim)
                .filter(|route| !route.is_empty())
                .map(|route| route.split_once('=').unwrap_or((route, "")))
                .map(|(key, dir)| (key.trim().to_owned(), Value::from(dir.trim())))
                .collect::<Map<_, _>>()
                .into(),
            _ => text.into(),
        }
    }

    /// An error about this setting; `rule` follows its name.
    pub(super) fn error(self, rule: impl std::fmt::Display) -> FieldError {
        FieldError {
            field: self.as_str().to_owned(),
            message: format!("{self} {rule}"),
        }
    }
}
