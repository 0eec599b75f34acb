//! Where an answer may send us: redirects and `Link: rel="next"`, judged by hand.
//!
//! Redirects are off in the HTTP client, because a client that follows them by itself would
//! carry the token along, go from https to http, and into the private network
//! (seen on the Hub).

use url::Url;

use super::config::PUBLIC_HUB;
use super::error::HubError;

/// Most hops of one request.
pub(super) const HOPS_MAX: usize = 10;

/// A URL as it may be shown: without query (signatures), fragment and user.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Host and, when it is not the scheme's own, port.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("(no host)");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// One allowed step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where to go.
    pub url: Url,
    /// Whether the answer named only a path: such hops stay on their origin and say nothing
    /// about the file (seen on the Hub).
    pub relative: bool,
}

/// Judges the `Location` of a redirect from `from`.
pub(super) fn follow(from: &Url, location: &str) -> Result<Step, HubError> {
    let bad = |why: &str| HubError::bad(format!("{} answered with a redirect {why}", host(from)));
    let url = from
        .join(location)
        .map_err(|_| bad("to something that is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(bad("that leaves the web"));
    }
    if from.scheme() == "https" && url.scheme() == "http" {
        return Err(bad("from https to http, which would give up encryption"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("that holds a user name"));
    }
    let relative = Url::parse(location).is_err() && url.origin() == from.origin();
    Ok(Step { url, relative })
}

/// Judges the next page that the page at `from` names: it must stay on the endpoint. Mirrors
/// that leak links of the Hub itself get them rewritten to the mirror (seen on the Hub).
pub(super) fn next_page(endpoint: &Url, from: &Url, link: &str) -> Result<Url, HubError> {
    let bad = |why: String| HubError::bad(format!("{} named a next page {why}", host(from)));
    let mut next = from.join(link).map_err(|_| bad("that is not a URL".to_owned()))?;
    next.set_fragment(None);
    // A user name in a URL becomes a header, and would take the place of the token.
    if !next.username().is_empty() || next.password().is_some() {
        return Err(bad("that holds a user name".to_owned()));
    }
    if next.origin() == endpoint.origin() {
        return Ok(next);
    }
    let public = Url::parse(PUBLIC_HUB).map(|url| url.origin());
    if Ok(next.origin()) == public {
        let mut here = endpoint.clone();
        let prefix = endpoint.path().trim_end_matches('/');
        here.set_path(&format!("{prefix}{}", next.path()));
        here.set_query(next.query());
        return Ok(here);
    }
    Err(bad(format!(
        "at {}, which is not the endpoint {}",
        host(&next),
        host(endpoint)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_relative_redirect_stays_and_an_absolute_one_is_known_as_such() {
        let from = url("https://hub.example/a/b/resolve/main/x");
        for (location, target, relative) in [
            (
                "/api/resolve-cache/x?y=1",
                "https://hub.example/api/resolve-cache/x?y=1",
                true,
            ),
            ("https://hub.example/z", "https://hub.example/z", false),
            ("//cdn.example/z", "https://cdn.example/z", false),
            (
                "https://cdn.example/z?sig=1",
                "https://cdn.example/z?sig=1",
                false,
            ),
        ] {
            let expected = Step {
                url: url(target),
                relative,
            };
            assert_eq!(follow(&from, location).unwrap(), expected, "{location}");
        }
    }

    #[test]
    fn a_redirect_off_the_web_or_off_encryption_is_refused() {
        let from = url("https://hub.example/x");
        for location in [
            "http://hub.example/x",
            "file:///etc/passwd",
            "ftp://hub.example/x",
            "data:text/plain,x",
            "https://user:pass@cdn.example/x",
            "https://",
            "javascript:0",
        ] {
            assert!(follow(&from, location).is_err(), "{location}");
        }
        assert!(follow(&url("http://mirror.lan/x"), "http://cdn.lan/x").is_ok());
    }

    #[test]
    fn a_next_page_stays_on_the_endpoint() {
        let endpoint = url("http://mirror.lan:81/hub");
        let from = url("http://mirror.lan:81/hub/api/models/a/b/tree/main");
        for (link, expected) in [
            (
                "?cursor=2",
                "http://mirror.lan:81/hub/api/models/a/b/tree/main?cursor=2",
            ),
            ("/hub/api/x?cursor=2", "http://mirror.lan:81/hub/api/x?cursor=2"),
            (
                "https://huggingface.co/api/x?cursor=a%3D",
                "http://mirror.lan:81/hub/api/x?cursor=a%3D",
            ),
        ] {
            assert_eq!(
                next_page(&endpoint, &from, link).unwrap(),
                url(expected),
                "{link}"
            );
        }
        for link in [
            "https://evil.example/api/x",
            "http://mirror.lan/api/x",
            "http://huggingface.co/x",
            "http://user:word@mirror.lan:81/hub/api/x",
            "http://[",
        ] {
            assert!(next_page(&endpoint, &from, link).is_err(), "{link}");
        }
    }

    #[test]
    fn a_shown_url_ends_before_the_signature() {
        let signed = url("https://u:p@cdn.example:8443/a/b?Signature=s#f");
        assert_eq!(shown(&signed), "https://cdn.example:8443/a/b");
        assert_eq!(host(&signed), "cdn.example:8443");
    }
}
