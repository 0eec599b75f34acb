//! One answer of the Hub, read within bounds: JSON of its API, or plain bytes.

use http::header::LINK;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use serde::de::DeserializeOwned;
use url::Url;

use super::classify::About;
use super::error::HubError;
use super::headers;
use super::redirect::{HOPS_MAX, host};
use super::transport::{Ask, Hop, Transport, chunk, is_html, plain};

/// Most bytes of one answer.
pub(super) const PAGE_MAX: usize = 32 * 1024 * 1024;

/// Everything but the unreserved characters of RFC 3986 §2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// A text as one segment of a URL: `refs/pr/1` becomes `refs%2Fpr%2F1`.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path inside a repo as a URL path; `/` is kept.
pub(super) fn path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// An answer with status 200.
pub(super) struct Page {
    /// The body; not empty of HTML, not longer than allowed.
    pub body: Vec<u8>,
    /// Where it came from after redirects.
    pub url: Url,
    /// The next page as `Link` names it.
    pub next: Option<String>,
}

impl Page {
    /// The body as `T`.
    ///
    /// # Errors
    /// `bad_response` when it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HubError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error))
    }

    /// The error for a body that is not what was asked for.
    pub fn unreadable(&self, error: &serde_json::Error) -> HubError {
        let place = (error.line(), error.column());
        tracing::debug!(
            ?place,
            url = super::redirect::shown(&self.url),
            "unreadable answer"
        );
        HubError::odd(format!(
            "{} sent an answer that cannot be read as JSON",
            host(&self.url)
        ))
    }
}

/// Gets JSON from `url`, following redirects. `about` is `None` for what belongs to no single repo.
///
/// # Errors
/// What the status means; `bad_response` for a web page in place of JSON, for too many
/// redirects and for an answer longer than [`PAGE_MAX`].
pub(super) async fn get(wire: &Transport, url: Url, about: &About<'_>) -> Result<Page, HubError> {
    get_within(wire, url, Some(about), PAGE_MAX).await
}

/// As [`get`], with at most `most` bytes.
///
/// # Errors
/// As [`get`].
pub(super) async fn get_within(
    wire: &Transport,
    url: Url,
    about: Option<&About<'_>>,
    most: usize,
) -> Result<Page, HubError> {
    let (answer, url) = open(wire, &Ask::json(), url, about).await?;
    let name = host(&url);
    if is_html(answer.headers()) {
        return Err(portal(&name));
    }
    let next = headers::text(answer.headers(), LINK.as_str())
        .and_then(headers::next_link)
        .map(str::to_owned);
    let Read { body, cut } = read(wire, answer, &name, most).await?;
    if cut {
        let message = format!("{name} sent an answer longer than {most} bytes");
        return Err(HubError::bad(message));
    }
    if body.trim_ascii_start().first() == Some(&b'<') {
        return Err(portal(&name));
    }
    Ok(Page { body, url, next })
}

/// The head of a 200, after redirects, with the URL it came from.
///
/// # Errors
/// What another status means; `bad_response` for too many redirects and for encoded content.
pub(super) async fn open(
    wire: &Transport,
    ask: &Ask,
    url: Url,
    about: Option<&About<'_>>,
) -> Result<(Response, Url), HubError> {
    let mut url = url;
    for _ in 0..=HOPS_MAX {
        let answer = wire.hop(ask, &url).await?;
        let answer = match wire.sort(&url, answer).await? {
            Hop::Last(answer) => answer,
            Hop::On(step, _) => {
                url = step.url;
                continue;
            }
        };
        if answer.status().as_u16() != 200 {
            return Err(wire.refusal(ask, &url, about, answer).await);
        }
        plain(answer.headers(), &host(&url))?;
        return Ok((answer, url));
    }
    Err(HubError::bad(format!(
        "{} redirects more than {HOPS_MAX} times",
        host(&url)
    )))
}

/// A body, read as far as it may be.
pub(super) struct Read {
    /// At most as many bytes as were allowed.
    pub body: Vec<u8>,
    /// Whether there is more.
    pub cut: bool,
}

/// Reads the body of `answer` up to `most` bytes.
///
/// # Errors
/// `stalled` and `server_error` when it breaks off.
pub(super) async fn read(
    wire: &Transport,
    mut answer: Response,
    name: &str,
    most: usize,
) -> Result<Read, HubError> {
    let mut body = Vec::new();
    while let Some(piece) = chunk(&mut answer, name, wire.stall_timeout()).await? {
        let room = most - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            return Ok(Read { body, cut: true });
        }
    }
    Ok(Read { body, cut: false })
}

/// The error for a web page that nobody asked for.
pub(super) fn portal(name: &str) -> HubError {
    HubError::odd(format!(
        "{name} answered with a web page in place of data: a captive portal or proxy may be answering for it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_the_official_client_does() {
        assert_eq!(segment("refs/pr/1"), "refs%2Fpr%2F1");
        assert_eq!(path("a/sp ace#1%?.gguf"), "a/sp%20ace%231%25%3F.gguf");
        assert_eq!(path("ü"), "%C3%BC");
    }
}
