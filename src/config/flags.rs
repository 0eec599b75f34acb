//! The flags of `hfdepot serve`, each with its variable `HFDEPOT_…`.
//!
//! Values of live settings stay texts here: [`super::check::check`] judges them as it judges
//! the values of every other source, so that an error reads the same everywhere.

// These comments are also what `--help` prints, where angle brackets would only disturb.
#![allow(rustdoc::bare_urls)]

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

/// Everything `hfdepot serve` can be told.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// What is fixed while the service runs.
    #[command(flatten)]
    pub fixed: FixedArgs,
    /// What can be changed through the API too; a flag or variable given here wins over that.
    #[command(flatten)]
    pub live: LiveArgs,
}

/// Flags for what is fixed while the service runs.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Service")]
pub struct FixedArgs {
    /// Configuration file (TOML) [default: hfdepot/config.toml in the XDG configuration directory]
    #[arg(long, env = "HFDEPOT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address to listen on; any other than a loopback one needs a login, an API key or --no-auth [default: 127.0.0.1]
    #[arg(long, env = "HFDEPOT_ADDR", value_name = "IP", value_parser = parse_addr)]
    pub addr: Option<IpAddr>,
    /// Port to listen on; 0 takes any free one [default: 8080]
    #[arg(short, long, env = "HFDEPOT_PORT", value_name = "N")]
    pub port: Option<u16>,
    /// User name of the login
    #[arg(long, env = "HFDEPOT_AUTH_USER", value_name = "NAME")]
    pub auth_user: Option<String>,
    /// Password of the login; visible in the process list, so prefer the variable or --auth-pass-file
    #[arg(long, env = "HFDEPOT_AUTH_PASS", value_name = "TEXT", hide_env_values = true)]
    pub auth_pass: Option<String>,
    /// File with the password of the login
    #[arg(long, env = "HFDEPOT_AUTH_PASS_FILE", value_name = "FILE")]
    pub auth_pass_file: Option<PathBuf>,
    /// Serve without a login on an address that other machines reach
    #[arg(long, env = "HFDEPOT_NO_AUTH", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub no_auth: Option<bool>,
    /// Origin whose web pages may use the API, such as https://nas.example; * allows any (repeatable)
    #[arg(
        long,
        env = "HFDEPOT_ALLOW_ORIGIN",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub allow_origin: Vec<String>,
    /// Host name under which clients may reach the service, beside its addresses, localhost and the machine's name (repeatable)
    #[arg(long, env = "HFDEPOT_ALLOW_HOST", value_delimiter = ',', value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Path below which a reverse proxy shows the service, such as /depot [default: /]
    #[arg(long, env = "HFDEPOT_BASE_PATH", value_name = "PATH")]
    pub base_path: Option<String>,
    /// Directory of the database [default: hfdepot in the XDG data directory]
    #[arg(long, env = "HFDEPOT_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Directory below which mirror targets may lie; without it they may lie anywhere outside the system's directories and hfdepot's own (repeatable)
    #[arg(long, env = "HFDEPOT_MIRROR_ROOT", value_delimiter = ',', value_name = "DIR")]
    pub mirror_root: Vec<String>,
    /// Directory below which exports of the cache may go, and imports may come from; without it there are no exports (repeatable)
    #[arg(long, env = "HFDEPOT_EXPORT_DIR", value_delimiter = ',', value_name = "DIR")]
    pub export_dir: Vec<String>,
    /// Let the API change directories too
    #[arg(long, env = "HFDEPOT_ALLOW_PATH_SETTINGS", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_path_settings: Option<bool>,
    /// Begin with everything paused, until somebody ends the pause
    #[arg(long, env = "HFDEPOT_START_PAUSED", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub start_paused: Option<bool>,
    /// Open the pages in the browser once they are served [default: no]
    #[arg(long, env = "HFDEPOT_OPEN", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub open: Option<bool>,
    /// Open no browser, whatever variable and configuration file say
    #[arg(long)]
    pub no_open: bool,
    /// Age from which on an unfinished file of another program counts as left behind when the cache is pruned [default: 24h]
    #[arg(long, env = "HFDEPOT_STALE_TIMEOUT", value_name = "DURATION")]
    pub stale_timeout: Option<String>,
    /// File with the Hub token
    #[arg(long, env = "HFDEPOT_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// Flags for live settings, as texts. The name of each field is the flag's with `_` for `-`.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Settings (a flag or variable wins over what the API saved)")]
pub struct LiveArgs {
    /// Hub token; visible in the process list, so prefer HF_TOKEN or --token-file
    #[arg(
        short,
        long,
        env = "HFDEPOT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Root of the cache; the Hub cache is its folder hub [default: HF_HOME, else ~/.cache/huggingface]
    #[arg(long, env = "HFDEPOT_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<String>,
    /// Folder of plain files, by owner, name and path, in place of the cache
    #[arg(long, env = "HFDEPOT_LOCAL_DIR", value_name = "DIR")]
    pub local_dir: Option<String>,
    /// Folders to look through for models, separated by colons; never written to
    #[arg(long, env = "HFDEPOT_LOCAL_SCAN_DIRS", value_name = "DIRS")]
    pub local_scan_dirs: Option<String>,
    /// Folders for sorts of models: llm=DIR,llm/gguf=DIR,llm/safetensors=DIR,diffusion=DIR,audio=DIR,embedding=DIR
    #[arg(long, env = "HFDEPOT_DOWNLOAD_ROUTES", value_name = "ROUTES")]
    pub download_routes: Option<String>,
    /// How snapshots show blobs: auto, symlink, hardlink or copy [default: auto]
    #[arg(long, env = "HFDEPOT_LINK_MODE", value_name = "MODE")]
    pub link_mode: Option<String>,
    /// Base URL of the Hub [default: HF_ENDPOINT, else https://huggingface.co]
    #[arg(long, env = "HFDEPOT_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// Connections per file, 1-64 [default: 8]
    #[arg(short, long, env = "HFDEPOT_CONNECTIONS", value_name = "N")]
    pub connections: Option<String>,
    /// Jobs at once, 1-32 [default: 3]
    #[arg(long, env = "HFDEPOT_MAX_ACTIVE", value_name = "N")]
    pub max_active: Option<String>,
    /// Files of one job at once, 1-64 [default: 8]
    #[arg(long, env = "HFDEPOT_MAX_FILES_PER_JOB", value_name = "N")]
    pub max_files_per_job: Option<String>,
    /// Connections of all jobs together, 1-256 [default: 16]
    #[arg(long, env = "HFDEPOT_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<String>,
    /// Files from this size on get several connections [default: 32MiB]
    #[arg(long, env = "HFDEPOT_MULTIPART_THRESHOLD", value_name = "SIZE")]
    pub multipart_threshold: Option<String>,
    /// none, size or sha256 [default: size]
    #[arg(long, env = "HFDEPOT_VERIFY", value_name = "MODE")]
    pub verify: Option<String>,
    /// Attempts after the first without progress, 0-20 [default: 4]
    #[arg(long, env = "HFDEPOT_RETRIES", value_name = "N")]
    pub retries: Option<String>,
    /// First wait between attempts [default: 400ms]
    #[arg(long, env = "HFDEPOT_BACKOFF_INITIAL", value_name = "DURATION")]
    pub backoff_initial: Option<String>,
    /// Longest wait between attempts [default: 10s]
    #[arg(long, env = "HFDEPOT_BACKOFF_MAX", value_name = "DURATION")]
    pub backoff_max: Option<String>,
    /// Replace a connection that delivers nothing for so long; 0 = never [default: 60s]
    #[arg(long, env = "HFDEPOT_STALL_TIMEOUT", value_name = "DURATION")]
    pub stall_timeout: Option<String>,
    /// Bytes a second over all jobs; 0 = no limit [default: 0]
    #[arg(long, env = "HFDEPOT_MAX_SPEED", value_name = "SIZE")]
    pub max_speed: Option<String>,
    /// Free space that every volume keeps [default: the smaller of 1GiB and 5 % of the volume]
    #[arg(long, env = "HFDEPOT_FREE_SPACE_FLOOR", value_name = "SIZE")]
    pub free_space_floor: Option<String>,
    /// Days a finished job stays in the list; 0 = for ever [default: 30]
    #[arg(long, env = "HFDEPOT_RETENTION_DAYS", value_name = "N")]
    pub retention_days: Option<String>,
    /// Days that history and events are kept; 0 = for ever [default: 0]
    #[arg(long, env = "HFDEPOT_HISTORY_RETENTION", value_name = "N")]
    pub history_retention: Option<String>,
    /// Proxy: http, https, socks5 or socks5h URL [default: HTTP_PROXY and its kin]
    #[arg(short = 'x', long, env = "HFDEPOT_PROXY", value_name = "URL")]
    pub proxy: Option<String>,
    /// User name at the proxy
    #[arg(long, env = "HFDEPOT_PROXY_USER", value_name = "NAME")]
    pub proxy_user: Option<String>,
    /// Password at the proxy; visible in the process list, so prefer the variable
    #[arg(long, env = "HFDEPOT_PROXY_PASS", value_name = "TEXT", hide_env_values = true)]
    pub proxy_pass: Option<String>,
    /// Hosts reached without the proxy, separated by commas
    #[arg(long, env = "HFDEPOT_NO_PROXY", value_name = "HOSTS")]
    pub no_proxy: Option<String>,
    /// Ignore HTTP_PROXY and its kin
    #[arg(long, env = "HFDEPOT_NO_ENV_PROXY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub no_env_proxy: Option<String>,
}

impl std::fmt::Debug for FixedArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out.
        f.debug_struct("FixedArgs")
            .field("config", &self.config)
            .field("addr", &self.addr)
            .field("port", &self.port)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for LiveArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Token and password stay out.
        f.debug_struct("LiveArgs").finish_non_exhaustive()
    }
}

/// An address, also in brackets; `localhost` is 127.0.0.1.
pub(super) fn parse_addr(text: &str) -> Result<IpAddr, String> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    if bare.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    bare.parse()
        .map_err(|_| "an IP address is needed, such as 127.0.0.1, 0.0.0.0 or ::".to_owned())
}
