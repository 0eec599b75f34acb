//! One JSON answer of the Hub's API, read within bounds.

use http::header::LINK;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use url::Url;

use super::classify::About;
use super::error::HubError;
use super::headers;
use super::redirect::{HOPS_MAX, host};
use super::transport::{Ask, Hop, Transport, chunk, is_html, plain};

/// Most bytes of one answer (`reliability.md` §4.2 "Inflation").
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
    /// The body; not empty of HTML, not longer than [`PAGE_MAX`].
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

/// Gets `url`, following redirects.
///
/// # Errors
/// What the status means; `bad_response` for a web page in place of JSON, for too many
/// redirects and for an answer that is too long.
pub(super) async fn get(wire: &Transport, url: Url, about: &About<'_>) -> Result<Page, HubError> {
    let ask = Ask::json();
    let mut url = url;
    for _ in 0..=HOPS_MAX {
        let answer = wire.hop(&ask, &url).await?;
        let mut answer = match wire.sort(&url, answer).await? {
            Hop::Last(answer) => answer,
            Hop::On(step, _) => {
                url = step.url;
                continue;
            }
        };
        if answer.status().as_u16() != 200 {
            return Err(wire.refusal(&ask, &url, about, answer).await);
        }
        let name = host(&url);
        plain(answer.headers(), &name)?;
        let portal = || {
            HubError::odd(format!(
                "{name} answered with a web page in place of data: a captive portal or proxy may be answering for it"
            ))
        };
        if is_html(answer.headers()) {
            return Err(portal());
        }
        let next = headers::text(answer.headers(), LINK.as_str())
            .and_then(headers::next_link)
            .map(str::to_owned);
        let mut body = Vec::new();
        while let Some(piece) = chunk(&mut answer, &name, wire.stall_timeout()).await? {
            if body.len() + piece.len() > PAGE_MAX {
                let message = format!("{name} sent an answer longer than {PAGE_MAX} bytes");
                return Err(HubError::bad(message));
            }
            body.extend_from_slice(&piece);
        }
        if body.trim_ascii_start().first() == Some(&b'<') {
            return Err(portal());
        }
        return Ok(Page { body, url, next });
    }
    Err(HubError::bad(format!(
        "{} redirects more than {HOPS_MAX} times",
        host(&url)
    )))
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
