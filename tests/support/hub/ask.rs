//! A request as the stand-in Hub understands it: decoded, and split into what is asked of what.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::armed::Facts;
use super::log::Hop;
use super::repo::{Commit, Kind, Repo};

/// What a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `/api/{kind}/{id}/{call}/{rest...}`; `call` is empty for the bare repo info.
    Api {
        kind: Kind,
        id: String,
        call: String,
        rest: Vec<String>,
    },
    /// `/api/{kind}`.
    List { kind: Kind },
    /// `/api/collections`.
    Collections,
    /// `/api/collections/{owner}/{slug}`.
    Collection { slug: String },
    /// `/api/whoami-v2`.
    Whoami,
    /// `/{prefix}{id}/resolve/{rest...}`.
    Resolve {
        kind: Kind,
        id: String,
        rest: Vec<String>,
    },
    /// `/{prefix}{id}/raw/{rest...}`.
    Raw {
        kind: Kind,
        id: String,
        rest: Vec<String>,
    },
    /// `/api/resolve-cache/{kind}/{id}/{sha}/{path...}`.
    ResolveCache {
        kind: Kind,
        id: String,
        rest: Vec<String>,
    },
    /// Anything at the CDN.
    Cdn,
    /// Anything else under `/api`.
    UnknownApi,
    /// Anything else.
    Unknown,
}

/// Calls below a repo that need a revision after them, and those that do not.
const WITH_REVISION: [&str; 6] = [
    "revision",
    "tree",
    "paths-info",
    "commits",
    "treesize",
    "xet-read-token",
];
const WITHOUT_REVISION: [&str; 2] = ["refs", "scan"];

/// A request, decoded.
pub struct Ask {
    /// Listener.
    pub hop: Hop,
    /// Method.
    pub method: Method,
    /// Path as sent.
    pub raw_path: String,
    /// Query as sent.
    pub raw_query: String,
    /// Decoded path.
    pub path: String,
    /// Decoded query.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// What is wanted.
    pub target: Target,
    /// `owner/name` or `owner/name/file`, with `datasets/` before it for datasets.
    pub subject: String,
    /// Names of the faults that befell it.
    pub struck: Mutex<Vec<String>>,
}

impl Ask {
    /// Decodes a request; the subject is filled in by who knows the repos.
    pub fn new(hop: Hop, parts: http::request::Parts, body: Bytes) -> Self {
        let raw_path = parts.uri.path().to_owned();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        let segments: Vec<String> = raw_path.split('/').skip(1).map(decode).collect();
        let target = match hop {
            Hop::Cdn => Target::Cdn,
            Hop::Hub => target(&segments),
        };
        Self {
            hop,
            method: parts.method,
            path: format!("/{}", segments.join("/")),
            query: form(raw_query.as_bytes()),
            raw_path,
            raw_query,
            headers: parts.headers,
            body,
            target,
            subject: String::new(),
            struck: Mutex::default(),
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// First value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter, `name` and `name[]` alike.
    pub fn parameters(&self, name: &str) -> Vec<&str> {
        let bracketed = format!("{name}[]");
        let wanted = self
            .query
            .iter()
            .filter(|(key, _)| key == name || *key == bracketed);
        wanted.map(|(_, value)| value.as_str()).collect()
    }

    /// A truth value in any case: `true`, `True`, `1`.
    pub fn flag(&self, name: &str) -> bool {
        self.parameter(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// The bearer token, if an `Authorization` header came at all.
    pub fn token(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        Some(value.strip_prefix("Bearer ").unwrap_or(value).trim())
    }

    /// Scheme and authority the client used.
    pub fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }

    /// The rate-limit bucket.
    pub fn bucket(&self) -> &'static str {
        match self.target {
            Target::Api { .. }
            | Target::List { .. }
            | Target::Collections
            | Target::Collection { .. }
            | Target::Whoami
            | Target::UnknownApi => "api",
            Target::Resolve { .. } | Target::Raw { .. } => "resolvers",
            Target::ResolveCache { .. } => "resolve-cache",
            Target::Cdn => "",
            Target::Unknown => "pages",
        }
    }

    /// Kind and id of the repo asked about.
    pub fn repo(&self) -> Option<(Kind, &str)> {
        match &self.target {
            Target::Api { kind, id, .. }
            | Target::Resolve { kind, id, .. }
            | Target::Raw { kind, id, .. }
            | Target::ResolveCache { kind, id, .. } => Some((*kind, id)),
            _ => None,
        }
    }

    /// What faults are held against.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            hop: self.hop,
            method: self.method.as_str(),
            path: &self.path,
            subject: &self.subject,
            ranged: self.headers.contains_key("range"),
        }
    }
}

/// Splits decoded segments into revision and the path after it. A revision with slashes may come
/// unencoded; then the longest one that names a ref of the repo wins.
pub fn split_revision<'a>(repo: &'a Repo, rest: &[String]) -> (String, Option<&'a Arc<Commit>>, String) {
    for count in (2..=rest.len().min(4)).rev() {
        let revision = rest[..count].join("/");
        if let Some(commit) = repo.revision(&revision) {
            return (revision, Some(commit), rest[count..].join("/"));
        }
    }
    let revision = rest.first().cloned().unwrap_or_default();
    let commit = repo.revision(&revision);
    (revision, commit, rest.get(1..).unwrap_or_default().join("/"))
}

/// Percent-decodes one segment.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Reads `a=b&c=d`.
pub fn form(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

fn target(segments: &[String]) -> Target {
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = |rest: &[&str]| rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match words.as_slice() {
        ["api", "whoami-v2"] => Target::Whoami,
        ["api", "collections"] => Target::Collections,
        ["api", "collections", owner, slug] => Target::Collection {
            slug: format!("{owner}/{slug}"),
        },
        ["api", "resolve-cache", kind, owner, name, rest @ ..] => match kind_of(kind) {
            Some(kind) => Target::ResolveCache {
                kind,
                id: format!("{owner}/{name}"),
                rest: own(rest),
            },
            None => Target::UnknownApi,
        },
        ["api", kind, rest @ ..] => match (kind_of(kind), rest) {
            (Some(kind), [] | [""]) => Target::List { kind },
            (Some(kind), rest) => api_target(kind, rest),
            (None, _) => Target::UnknownApi,
        },
        ["api"] => Target::UnknownApi,
        ["datasets", rest @ ..] => web_target(Kind::Dataset, rest),
        rest => web_target(Kind::Model, rest),
    }
}

fn kind_of(word: &str) -> Option<Kind> {
    match word {
        "models" => Some(Kind::Model),
        "datasets" => Some(Kind::Dataset),
        _ => None,
    }
}

/// `name/call/…` for legacy ids without owner, else `owner/name/call/…`.
fn api_target(kind: Kind, words: &[&str]) -> Target {
    let is_call = |at: usize| {
        words.get(at).is_some_and(|word| {
            WITHOUT_REVISION.contains(word) || (WITH_REVISION.contains(word) && words.len() > at + 1)
        })
    };
    let parts = if words.len() == 1 || (is_call(1) && !is_call(2)) {
        1
    } else {
        2
    };
    Target::Api {
        kind,
        id: words[..parts].join("/"),
        call: words
            .get(parts)
            .map(|word| (*word).to_owned())
            .unwrap_or_default(),
        rest: words
            .iter()
            .skip(parts + 1)
            .map(|word| (*word).to_owned())
            .collect(),
    }
}

fn web_target(kind: Kind, words: &[&str]) -> Target {
    let own = |rest: &[&str]| rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match words {
        [owner, name, "resolve", rest @ ..] => Target::Resolve {
            kind,
            id: format!("{owner}/{name}"),
            rest: own(rest),
        },
        [owner, name, "raw", rest @ ..] => Target::Raw {
            kind,
            id: format!("{owner}/{name}"),
            rest: own(rest),
        },
        [name, "resolve", rest @ ..] => Target::Resolve {
            kind,
            id: (*name).to_owned(),
            rest: own(rest),
        },
        [name, "raw", rest @ ..] => Target::Raw {
            kind,
            id: (*name).to_owned(),
            rest: own(rest),
        },
        _ => Target::Unknown,
    }
}
