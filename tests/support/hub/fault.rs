//! Faults as data: which requests they befall, how often, and what goes wrong.
//!
//! A fault is used up only by a request it can really befall: a cut body is not spent on a
//! redirect, a wrong `Content-Range` only on a 206. The same words work from Rust and as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::log::Hop;

/// One rule. In JSON the fields of the kind stand beside the others:
/// `{"path": "acme/tiny/*.safetensors", "hop": "cdn", "times": 2, "fault": "cut_body", "after_bytes": 1000}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Listener it is bound to; both when absent.
    #[serde(default)]
    pub hop: Option<Hop>,
    /// Glob (`*` crosses `/`) or exact text, held against the decoded path and against the subject
    /// (`owner/name` for metadata, `owner/name/file` for files on either hop).
    #[serde(default = "anything")]
    pub path: String,
    /// `GET`, `HEAD` or `POST`; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests with (`true`) or without (`false`) a `Range` header.
    #[serde(default)]
    pub ranged: Option<bool>,
    /// Lets that many fitting requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Befalls that many requests; all when absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

fn anything() -> String {
    "*".to_owned()
}

/// How a `Link` header or cursor goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LinkForm {
    /// Path and query only.
    Relative,
    /// The same path on the CDN's host.
    Foreign,
    /// The next page is the first page, for ever.
    Endless,
}

/// What a 429 tells of when to come back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleForm {
    /// `RateLimit: "resolvers";r=0;t=<seconds>`.
    RateLimit,
    /// `Retry-After: <seconds>`.
    RetryAfter,
    /// `Retry-After: <date>`.
    RetryDate,
    /// Nothing.
    Silent,
}

/// What goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind {
    /// Waits before the answer's head.
    DelayHeaders { ms: u64 },
    /// Answers with this instead.
    Status {
        /// Status code.
        status: u16,
        /// Header lines.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body, UTF-8.
        #[serde(default)]
        body: String,
    },
    /// 429 with or without a word on when to come back.
    Throttle { form: ThrottleForm, seconds: u64 },
    /// Redirects; `{hub}`, `{cdn}`, `{path}` (with query) are filled in.
    Redirect { status: u16, location: String },
    /// Closes the connection before any byte of the answer.
    CloseEarly,
    /// 401 unless an `Authorization` header came.
    TokenRequired,
    /// Points a branch at another commit before answering.
    MoveBranch {
        repo: String,
        branch: String,
        commit: String,
    },
    /// Closes a listener and all its connections, and opens it again after a while.
    ListenerOff { listener: Hop, ms: u64 },

    /// Redirects to the CDN with a link that lives that long or that often.
    SignedUrl {
        /// Seconds to live; an hour when absent.
        #[serde(default)]
        seconds: Option<u64>,
        /// Requests it is good for; any number when absent.
        #[serde(default)]
        uses: Option<u64>,
    },
    /// Serves file bytes at `/resolve/` itself, 200 or 206, as plain mirrors do.
    ServeDirectly,
    /// Listings come in pages of at most so many entries.
    PageSize { entries: usize },
    /// The link to the next page is odd.
    Link { form: LinkForm },

    /// A ranged request gets everything with 200.
    IgnoreRange,
    /// A ranged request gets 416 although its range is good.
    RefuseRange,
    /// A 206 whose `Content-Range` is off by so much.
    WrongContentRange {
        /// Added to start and end.
        #[serde(default)]
        shift: i64,
        /// Added to the total.
        #[serde(default)]
        total: i64,
    },
    /// A relative redirect becomes an absolute one to the same host.
    AbsoluteRedirect,
    /// Sets a header of an answer below 400.
    SetHeader { name: String, value: String },
    /// Takes a header away where it is present. Without `Content-Length` the body comes chunked.
    DropHeader { name: String },

    /// Breaks off the body after so many bytes: by FIN, or by RST.
    CutBody {
        after_bytes: u64,
        /// Abort the connection instead of closing it.
        #[serde(default)]
        reset: bool,
    },
    /// Stops sending after so many bytes: for a while, or until the client goes.
    StallBody {
        after_bytes: u64,
        /// Length of the pause; no end when absent.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// After so many bytes sends only small pieces with pauses.
    Trickle {
        after_bytes: u64,
        piece_bytes: u64,
        every_ms: u64,
    },
    /// Limits each answer.
    Rate { bytes_per_second: u64 },
    /// Limits all answers it befalls together.
    TotalRate { bytes_per_second: u64 },
    /// Flips all bits of the byte at this offset of the file.
    CorruptByte { offset: u64 },
    /// Makes the whole body longer or shorter, with a `Content-Length` that agrees.
    Resize { by: i64 },
    /// Compresses although nobody asked.
    Gzip,
}

/// When in the making of an answer a kind is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the Hub looks at the request.
    Before,
    /// While the answer is made.
    Making,
    /// On the finished answer.
    After,
}

impl FaultKind {
    /// When this kind is looked for.
    pub fn stage(&self) -> Stage {
        match self {
            Self::DelayHeaders { .. }
            | Self::Status { .. }
            | Self::Throttle { .. }
            | Self::Redirect { .. }
            | Self::CloseEarly
            | Self::TokenRequired
            | Self::MoveBranch { .. }
            | Self::ListenerOff { .. } => Stage::Before,
            Self::SignedUrl { .. }
            | Self::ServeDirectly
            | Self::PageSize { .. }
            | Self::Link { .. }
            | Self::IgnoreRange
            | Self::RefuseRange => Stage::Making,
            _ => Stage::After,
        }
    }

    /// The word in JSON.
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["fault"].as_str().unwrap_or("unnamed").to_owned()
    }
}

impl Fault {
    /// `kind` on every request whose path or subject fits `path`.
    pub fn on(path: &str, kind: FaultKind) -> Self {
        Self {
            hop: None,
            path: path.to_owned(),
            method: None,
            ranged: None,
            skip: 0,
            times: None,
            kind,
        }
    }

    /// Only at this listener.
    #[must_use]
    pub fn at(mut self, hop: Hop) -> Self {
        self.hop = Some(hop);
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after so many fitting requests.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Only requests with or without a `Range` header.
    #[must_use]
    pub fn ranged(mut self, ranged: bool) -> Self {
        self.ranged = Some(ranged);
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// The error a broken Hub gives: `status` with an HTML body.
    pub fn status(path: &str, status: u16) -> Self {
        let headers = [("content-type".to_owned(), "text/html".to_owned())].into();
        Self::on(
            path,
            FaultKind::Status {
                status,
                headers,
                body: format!("<h1>{status}</h1>"),
            },
        )
    }

    /// A hotel network: 200 with a page instead of what was asked for.
    pub fn captive_portal(path: &str) -> Self {
        let headers = [("content-type".to_owned(), "text/html; charset=utf-8".to_owned())].into();
        let body = "<!doctype html><title>Welcome</title><form>Room number?</form>".to_owned();
        Self::on(
            path,
            FaultKind::Status {
                status: 200,
                headers,
                body,
            },
        )
    }

    /// The CDN says 403, as it does to an expired link.
    pub fn cdn_forbidden(path: &str) -> Self {
        let headers = [("content-type".to_owned(), "application/xml".to_owned())].into();
        let body = super::cdn::FORBIDDEN.to_owned();
        Self::on(
            path,
            FaultKind::Status {
                status: 403,
                headers,
                body,
            },
        )
        .at(Hop::Cdn)
    }

    /// Reads one fault; fields that mean nothing are refused, so that a typing error cannot hide.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let fault: Self = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        let known = serde_json::to_value(&fault).map_err(|error| error.to_string())?;
        let unknown = value
            .as_object()
            .and_then(|map| map.keys().find(|key| known.get(key).is_none()));
        unknown.map_or(Ok(fault), |key| Err(format!("unknown field `{key}`")))
    }
}
