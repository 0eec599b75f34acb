//! One request on the wire: the shared HTTP client, the token, deadlines, the budget.
//!
//! Promises: the token goes to the origin of the endpoint and nowhere else; no redirect is
//! followed here; nothing is decompressed; no URL is logged beyond its `?`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RANGE};
use http::{HeaderMap, HeaderValue, Method};
use reqwest::{Client, NoProxy, Proxy, Request, Response, redirect::Policy};
use url::Url;

use super::broken;
use super::budget::{Bucket, Budget};
use super::classify::{self, About, Refusal};
use super::config::{HubConfig, ProxyConfig};
use super::error::{Class, HubError};
use super::guard::{Guard, GuardedDns, Refused};
use super::outage::Outages;
use super::redirect::{self, Step, host, shown};
use super::wire::{Sender, Wire};
use crate::model::code::Code;

/// Most bytes of an error's body that are read.
const REFUSAL_MAX: usize = 16 * 1024;
/// Longest time spent on an error's body.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

/// Longest time spent on the text of a redirect.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Idle connections to one host that are kept: each holds on to the buffer of its last answer, up to
/// 0.4 MiB, and many more than serve at a time are seldom of use again.
const IDLE_MAX: usize = 24;

/// One answer.
pub(super) enum Hop {
    /// It leads on; its headers may speak of the file.
    On(Step, HeaderMap),
    /// It is the last one.
    Last(Response),
}

/// What to send; the URL comes with each hop.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// GET or HEAD.
    pub method: Method,
    /// The bucket that requests to the endpoint count in.
    pub bucket: Bucket,
    /// The bytes wanted; never empty.
    pub range: Option<Range<u64>>,
}

impl Ask {
    /// A GET of JSON from the API.
    pub fn json() -> Self {
        Self {
            method: Method::GET,
            bucket: Bucket::Api,
            range: None,
        }
    }
}

/// Everything between the client and the wire.
pub(super) struct Transport {
    sender: Sender,
    endpoint: Url,
    token: Option<HeaderValue>,
    guard: Arc<Guard>,
    budget: Arc<Budget>,
    pub(super) outages: Outages,
    header_timeout: Duration,
    stall_timeout: Option<Duration>,
}

impl Transport {
    /// # Errors
    /// `bad_request` when the endpoint, the token or the proxy cannot be used,
    /// `tls_error` when the system's certificates cannot be loaded.
    pub fn new(config: &HubConfig, budget: Arc<Budget>) -> Result<Self, HubError> {
        let endpoint = &config.endpoint;
        if !matches!(endpoint.scheme(), "http" | "https")
            || !endpoint.has_host()
            || !endpoint.username().is_empty()
            || endpoint.password().is_some()
        {
            return Err(wrong(format!(
                "The endpoint {} is not an http or https address without user name",
                shown(endpoint)
            )));
        }
        let token = match &config.token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                    .map_err(|_| wrong("The token holds characters that no token has".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let guard =
            Guard::new(endpoint, proxy_hosts(&config.proxy)).map_err(|Refused { message }| wrong(message))?;
        let guard = Arc::new(guard);
        let sender = match &config.wire {
            Wire::Network => Sender::Network(client(config, &guard)?),
            Wire::Within(server) => Sender::Within(Arc::clone(server)),
        };
        Ok(Self {
            sender,
            endpoint: endpoint.clone(),
            token,
            guard,
            budget,
            outages: Outages::new(config.backoff_initial, config.offline_max),
            header_timeout: config.header_timeout,
            stall_timeout: config.stall_timeout,
        })
    }

    /// Whether a URL lies on the endpoint: same scheme, host and port.
    pub fn on_hub(&self, url: &Url) -> bool {
        url.origin() == self.endpoint.origin()
    }

    /// How long a body may bring nothing.
    pub fn stall_timeout(&self) -> Option<Duration> {
        self.stall_timeout
    }

    /// The one place where the token is attached.
    fn authorization(&self, url: &Url) -> Option<HeaderValue> {
        self.token.clone().filter(|_| self.on_hub(url))
    }

    /// Sends one request and reads the head of the answer, whatever its status.
    pub async fn hop(&self, ask: &Ask, url: &Url) -> Result<Response, HubError> {
        self.guard
            .check(url)
            .map_err(|Refused { message }| HubError::bad(message))?;
        let on_hub = self.on_hub(url);
        if on_hub {
            self.budget.admit(ask.bucket).await;
        }
        let pass = self.outages.enter(host(url))?;
        let mut request = Request::new(ask.method.clone(), url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(Range { start, end }) = &ask.range {
            let range = format!("bytes={start}-{}", end.saturating_sub(1));
            if let Ok(range) = HeaderValue::from_str(&range) {
                headers.insert(RANGE, range);
            }
        }
        if let Some(authorization) = self.authorization(url) {
            headers.insert(AUTHORIZATION, authorization);
        }
        let patience = self.header_timeout;
        let name = host(url);
        let answer = match tokio::time::timeout(patience, self.sender.send(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let error = broken::no_answer(&name, error.as_ref());
                return Err(match error.class {
                    Class::Offline => pass.unreachable(error),
                    _ => error,
                });
            }
            Err(_) => {
                let message = format!(
                    "Cannot reach {name}: it does not answer within {} s",
                    patience.as_secs_f64()
                );
                let error = HubError::new(Class::Offline, Code::Offline, message).at_host(&name);
                return Err(pass.unreachable(error));
            }
        };
        pass.reached();
        tracing::debug!(url = shown(url), status = answer.status().as_u16(), "hub request");
        if on_hub {
            self.budget.observe(answer.headers());
            if answer.status().as_u16() != 429 {
                self.budget.accepted(ask.bucket);
            }
        }
        Ok(answer)
    }

    /// Sorts an answer into redirects and others.
    pub async fn sort(&self, from: &Url, answer: Response) -> Result<Hop, HubError> {
        if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(Hop::Last(answer));
        }
        let headers = answer.headers().clone();
        let location = headers
            .get(LOCATION)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
            .ok_or_else(|| HubError::odd(format!("{} answered with a redirect to nowhere", host(from))))?;
        let step = redirect::follow(from, location)?;
        // A connection whose answer was read to its end serves again; the text is a few hundred bytes.
        let _ = tokio::time::timeout(DRAIN_TIME, start_of(answer)).await;
        Ok(Hop::On(step, headers))
    }

    /// What a final answer that is no success means. Reads a little of its body. `about` is
    /// `None` for what belongs to no single repo.
    pub async fn refusal(
        &self,
        ask: &Ask,
        url: &Url,
        about: Option<&About<'_>>,
        answer: Response,
    ) -> HubError {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = tokio::time::timeout(REFUSAL_TIME, start_of(answer))
            .await
            .unwrap_or_default();
        let refusal = Refusal::new(status, &headers, &String::from_utf8_lossy(&body));
        let name = host(url);
        let on_hub = self.on_hub(url);
        // A mirror may send us to another Hub, which speaks Hub words too.
        if !on_hub && ask.bucket == Bucket::Resolvers && refusal.error_code.is_none() {
            return classify::by_storage(&name, refusal);
        }
        let with_token = self.authorization(url).is_some();
        let error = match about {
            Some(about) => classify::by_hub(&name, about, with_token, refusal),
            None => classify::without_repo(&name, refusal),
        };
        if status == 429 && on_hub {
            let pause = self.budget.refused(ask.bucket, &headers);
            return error.after(Some(pause));
        }
        error
    }
}

fn client(config: &HubConfig, guard: &Arc<Guard>) -> Result<Client, HubError> {
    let mut builder = Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        // Bulk data over HTTP/2 costs half as much CPU again.
        .http1_only()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(IDLE_MAX)
        .dns_resolver(GuardedDns(Arc::clone(guard)))
        .tls_danger_accept_invalid_certs(config.proxy.insecure_skip_verify);
    if config.proxy.no_env_proxy || config.proxy.url.is_some() {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = proxy(&config.proxy).map_err(wrong)? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        let message = format!("The HTTP client cannot start: {}", error.without_url());
        HubError::new(Class::Permanent, Code::TlsError, message)
    })
}

fn wrong(message: String) -> HubError {
    HubError::new(Class::Permanent, Code::BadRequest, message)
}

async fn start_of(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < REFUSAL_MAX
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(REFUSAL_MAX - body.len())]);
    }
    body
}

/// The next piece of a body, or an error when none comes for `stall`.
pub(super) async fn chunk(
    answer: &mut Response,
    name: &str,
    stall: Option<Duration>,
) -> Result<Option<Bytes>, HubError> {
    let next = answer.chunk();
    let next = match stall {
        None => next.await,
        Some(stall) => match tokio::time::timeout(stall, next).await {
            Ok(next) => next,
            Err(_) => return Err(broken::stalled(name, stall)),
        },
    };
    next.map_err(|_| broken::cut(name))
}

/// Refuses an answer that is encoded although identity was asked for.
pub(super) fn plain(headers: &HeaderMap, name: &str) -> Result<(), HubError> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(HubError::odd(
            format!("{name} sent encoded content although plain content was asked for"),
        )),
        _ => Ok(()),
    }
}

/// Whether an answer calls itself a web page.
pub(super) fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

fn proxy(config: &ProxyConfig) -> Result<Option<Proxy>, String> {
    let Some(url) = &config.url else { return Ok(None) };
    let name = host(url);
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") || !url.has_host() {
        return Err(format!(
            "The proxy {name} is not an http, https, socks5 or socks5h address"
        ));
    }
    let proxy = Proxy::all(url.clone()).map_err(|_| format!("The proxy {name} cannot be used"))?;
    let proxy = match &config.username {
        Some(user) => proxy.basic_auth(
            user,
            config.password.as_ref().map_or("", |password| password.expose()),
        ),
        None => proxy,
    };
    let without = match config.no_proxy.as_deref() {
        Some(list) => NoProxy::from_string(list),
        None if config.no_env_proxy => None,
        None => NoProxy::from_env(),
    };
    Ok(Some(proxy.no_proxy(without)))
}

/// Hosts of all proxies that may be used; the guard lets them be private.
fn proxy_hosts(config: &ProxyConfig) -> Vec<String> {
    let from_environment = || {
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
            .into_iter()
            .flat_map(|name| [std::env::var(name), std::env::var(name.to_ascii_lowercase())])
            .flatten()
            .filter_map(|value| {
                // The scheme may be left out in these variables.
                let full = if value.contains("://") {
                    value
                } else {
                    format!("http://{value}")
                };
                Url::parse(&full).ok()
            })
            .collect::<Vec<_>>()
    };
    let urls = match &config.url {
        Some(url) => vec![url.clone()],
        None if config.no_env_proxy => Vec::new(),
        None => from_environment(),
    };
    urls.iter()
        .filter_map(|url| url.host_str().map(str::to_owned))
        .collect()
}
