//! Which web pages may use the API: the defence against cross-site requests, and CORS.
//!
//! Requests that change something, and WebSockets, must come from our own pages, from a
//! listed origin, or from no browser at all. Reading is open to the browser's own rule:
//! without `Access-Control-Allow-Origin` another page does not get to see the answer.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use super::error::ApiError;

/// The origins of `--allow-origin`.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    any: bool,
    listed: Vec<String>,
}

impl Origins {
    /// Origins as browsers write them, or `*`.
    pub fn new(origins: &[String]) -> Self {
        Self {
            any: origins.iter().any(|origin| origin == "*"),
            listed: origins.iter().filter(|origin| *origin != "*").cloned().collect(),
        }
    }

    fn lists(&self, origin: &str) -> bool {
        origin != "null" && (self.any || self.listed.iter().any(|listed| listed == origin))
    }
}

/// The `Origin` header, when there is exactly one.
pub(super) fn single(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    given.next().cloned().filter(|_| given.next().is_none())
}

/// Whether a request may change something: a WebSocket may, whatever its method.
fn guarded(method: &Method, headers: &HeaderMap) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || headers.contains_key(header::UPGRADE)
}

/// Refuses what a page of another site sends.
///
/// # Errors
/// 403 with the origin and the flag that would allow it.
pub(super) fn check(
    origins: &Origins,
    method: &Method,
    headers: &HeaderMap,
    host: &Authority,
) -> Result<(), ApiError> {
    if !guarded(method, headers) {
        return Ok(());
    }
    // Two of them, or one that is no text, are as foreign as one can be.
    let single = single(headers);
    let origin = match &single {
        Some(value) => Some(value.to_str().unwrap_or("null")),
        None => headers.contains_key(header::ORIGIN).then_some("null"),
    };
    if let Some(origin) = origin {
        if origins.lists(origin) {
            return Ok(());
        }
        if !is_own(origin, host) {
            return Err(blocked(origin));
        }
    }
    // Pages of the same site but another port or scheme are other pages too. Of several
    // values (no browser sends them) none may be foreign.
    let foreign = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    if foreign {
        return Err(blocked(origin.unwrap_or("another site")));
    }
    Ok(())
}

fn blocked(origin: &str) -> ApiError {
    let shown = crate::model::repo::shown(origin);
    ApiError::new(StatusCode::FORBIDDEN, "Cross-origin request blocked")
        .details(format!(
            "The request comes from {shown}, which is not this service"
        ))
        .hint(format!(
            "Start the service with --allow-origin {shown} if that page may control it."
        ))
}

/// Whether `origin` is the server that `host` names. The scheme is not compared: behind a
/// proxy that ends TLS we cannot know it; it only says which port a missing port is.
fn is_own(origin: &str, host: &Authority) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let default = match url.scheme() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let same_name = url
        .host_str()
        .is_some_and(|name| plain(name) == plain(host.host()));
    same_name && url.port().unwrap_or(default) == host.port_u16().unwrap_or(default)
}

/// What a preflight asks for beyond what the API document has; that is added to the answer only when
/// it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Preflight {
    patch: bool,
    key: bool,
}

impl Preflight {
    /// What these headers of a request ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let names = |header, wanted: &str| {
            headers
                .get_all(header)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|text| text.split(','))
                .any(|name| name.trim().eq_ignore_ascii_case(wanted))
        };
        Self {
            patch: names(header::ACCESS_CONTROL_REQUEST_METHOD, "PATCH"),
            key: names(header::ACCESS_CONTROL_REQUEST_HEADERS, "X-Api-Key"),
        }
    }
}

/// Adds the CORS headers: `Allow-Origin` only for origins that may read the answer, the others
/// always on a preflight.
pub(super) fn add_cors(
    origins: &Origins,
    origin: Option<&HeaderValue>,
    host: &Authority,
    preflight: Option<Preflight>,
    headers: &mut HeaderMap,
) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let text = origin.and_then(|value| value.to_str().ok());
    let allowed = match (origin, text) {
        _ if origins.any => Some(HeaderValue::from_static("*")),
        (Some(value), Some(text)) if origins.lists(text) || is_own(text, host) => Some(value.clone()),
        _ => None,
    };
    if allowed.is_some() || preflight.is_some() {
        let more = preflight.unwrap_or(Preflight {
            patch: false,
            key: false,
        });
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(match more.patch {
                false => "GET, POST, PUT, DELETE, OPTIONS",
                true => "GET, POST, PUT, DELETE, OPTIONS, PATCH",
            }),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(match more.key {
                false => "Content-Type, Authorization",
                true => "Content-Type, Authorization, X-Api-Key",
            }),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_ours_when_host_and_port_are_the_same() {
        let own = |origin, host: &str| is_own(origin, &host.parse().unwrap());
        assert!(own("http://nas:8080", "nas:8080"));
        assert!(own("http://NAS:8080", "nas.:8080"));
        assert!(own("https://nas", "nas"));
        assert!(own("https://nas", "nas:443"));
        assert!(own("http://[::1]:8080", "[::1]:8080"));
        for (origin, host) in [
            ("http://nas:8081", "nas:8080"),
            ("http://nas", "nas:8080"),
            ("https://nas", "nas:80"),
            ("http://evil", "nas"),
            ("null", "nas"),
            ("", "nas"),
            ("file://nas", "nas"),
            ("http://nas@evil", "nas"),
        ] {
            assert!(!own(origin, host), "{origin} {host}");
        }
    }
}
