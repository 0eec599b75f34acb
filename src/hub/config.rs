//! What the Hub client needs to know; one struct for each concern.

use std::time::Duration;

use url::Url;

use super::wire::Wire;
use crate::model::secret::Secret;

/// The Hub itself.
pub const PUBLIC_HUB: &str = "https://huggingface.co";

/// Settings of one Hub client. A change of any of them means a new client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Base URL that speaks the Hub API; may carry a path prefix. Default `https://huggingface.co`.
    pub endpoint: Url,
    /// Sent to the origin of `endpoint` and to nobody else. Default none.
    pub token: Option<Secret>,
    /// How to reach the network. Default: the proxies of the environment.
    pub proxy: ProxyConfig,
    /// A body that brings no byte for so long is dropped; `None` turns the rule off. Default 60 s.
    pub stall_timeout: Option<Duration>,
    /// Failed attempts in a row without a new byte before an operation is given up. Default 4.
    pub retries: u32,
    /// First back-off. Default 400 ms.
    pub backoff_initial: Duration,
    /// Longest back-off. Default 10 s.
    pub backoff_max: Duration,
    /// Longest time to connect, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// Longest time from the request to the end of the answer's head, in all. Default 30 s.
    pub header_timeout: Duration,
    /// Longest pause between two tries to reach a host that cannot be reached. Default 75 s, so
    /// that an outage costs less than one request a minute and host.
    pub offline_max: Duration,
    /// Shortest time between two re-resolves of a file whose fresh link is refused. Default 30 s:
    /// signed links of the Hub live for about an hour, so a fresh one that is refused is no accident.
    pub refresh_pause: Duration,
    /// What carries the requests. Default the network.
    pub wire: Wire,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            // The text is a constant and parses; `about:blank` would be refused by `HubClient::new`.
            endpoint: Url::parse(PUBLIC_HUB).expect("a constant URL"),
            token: None,
            proxy: ProxyConfig::default(),
            stall_timeout: Some(Duration::from_secs(60)),
            retries: 4,
            backoff_initial: Duration::from_millis(400),
            backoff_max: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            offline_max: Duration::from_secs(75),
            refresh_pause: Duration::from_secs(30),
            wire: Wire::Network,
        }
    }
}

/// How requests leave this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Proxy for every request: scheme `http`, `https`, `socks5` or `socks5h`.
    pub url: Option<Url>,
    /// User name at the proxy.
    pub username: Option<String>,
    /// Password at the proxy.
    pub password: Option<Secret>,
    /// Hosts reached without it: exact names, `.suffix`, CIDR blocks, `*`; comma-separated.
    pub no_proxy: Option<String>,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are ignored.
    pub no_env_proxy: bool,
    /// Whether any certificate is taken: only for a proxy that breaks TLS open.
    pub insecure_skip_verify: bool,
}
