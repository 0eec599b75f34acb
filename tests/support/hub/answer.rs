//! Answers before they become HTTP: status, headers, and a body that is still content with a
//! span, so that faults can cut, bend and slow it.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::content::Content;

/// An answer in the making.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers but `Content-Length`, which follows from the body unless set here.
    pub headers: HeaderMap,
    /// What is sent; its `start..end` is sent.
    pub body: Content,
    /// First byte of the body.
    pub start: u64,
    /// One past the last byte of the body.
    pub end: u64,
    /// Identity of the blob whose bytes these are, when they are a blob's.
    pub blob: Option<String>,
}

impl Answer {
    /// An answer with the whole of `body`.
    pub fn new(status: u16, body: impl Into<Content>) -> Self {
        let body = body.into();
        let end = body.size();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            headers: HeaderMap::new(),
            body,
            start: 0,
            end,
            blob: None,
        }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, value.to_string()).with("content-type", "application/json; charset=utf-8")
    }

    /// An answer with a plain text.
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, text.to_owned()).with("content-type", "text/plain; charset=utf-8")
    }

    /// An API error in the Hub's shape.
    pub fn error(status: u16, code: Option<&str>, message: &str) -> Self {
        let answer = Self::json(status, &json!({ "error": message })).with("x-error-message", message);
        match code {
            Some(code) => answer.with("x-error-code", code),
            None => answer,
        }
    }

    /// A redirect with the short text that makes its `Content-Length` useless to clients.
    pub fn redirect(status: u16, location: &str) -> Self {
        let words = if status == 302 {
            "Found"
        } else {
            "Temporary Redirect"
        };
        Self::text(status, &format!("{words}. Redirecting to {location}")).with(LOCATION.as_str(), location)
    }

    /// 401 with the challenge.
    pub fn unauthorized(code: Option<&str>, message: &str) -> Self {
        let challenge = "Bearer realm=\"Authentication required\", charset=\"UTF-8\"";
        Self::error(401, code, message).with(WWW_AUTHENTICATE.as_str(), challenge)
    }

    /// Sets a header; what cannot be a header value is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a header in place.
    pub fn set(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            self.headers.insert(name, value);
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Length of the body in bytes.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether this is a blob's bytes, in whole or in part.
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Makes the error plain text, as `/resolve/` does.
    #[must_use]
    pub fn plain(mut self) -> Self {
        if let Some(message) = self.header("x-error-message").map(str::to_owned) {
            self.end = message.len() as u64;
            self.body = message.into();
            self.headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
        }
        self
    }
}
