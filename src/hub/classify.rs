//! The one retry classifier, first half: what a status means (seen on the Hub).
//! Pure. The other half, broken connections, is [`super::broken`].

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::error::{Class, HubError};
use super::headers;
use crate::model::code::Code;
use crate::model::repo::{RepoId, RepoPath, RepoType, shown};

/// What a request was about, for the sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// Kind of the repo.
    pub repo_type: RepoType,
    /// The repo.
    pub id: &'a RepoId,
    /// The part of it.
    pub part: Part<'a>,
    /// Page of the repo on the endpoint, for gated repos.
    pub page: &'a str,
}

/// The part of a repo a request was about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// A branch, tag or commit.
    Revision(&'a str),
    /// A file at a commit.
    File(&'a RepoPath),
}

/// An answer that is neither success nor redirect, read as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `X-Error-Code`; the only word to trust about missing and gated repos.
    pub error_code: Option<String>,
    /// `X-Error-Message`, or the text of the body.
    pub text: String,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// For the log.
    pub request_id: Option<String>,
}

impl Refusal {
    /// Reads the headers; `body` is the start of the body.
    pub fn new(status: u16, headers: &HeaderMap, body: &str) -> Self {
        let text = headers::text(headers, "x-error-message").map_or_else(|| body_text(body), str::to_owned);
        Self {
            status,
            error_code: headers::text(headers, "x-error-code").map(str::to_owned),
            text,
            retry_after: headers::retry_after(headers, SystemTime::now()),
            request_id: headers::request_id(headers),
        }
    }

    fn into_error(self, class: Class, code: Code, message: String) -> HubError {
        HubError {
            retry_after: self.retry_after,
            request_id: self.request_id,
            status: Some(self.status),
            named: self.error_code.is_some(),
            ..HubError::new(class, code, message)
        }
    }
}

/// The message in `{"error":"…"}`, `{"errors":[{"message":"…"}]}` or plain text.
fn body_text(body: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let found = json.as_ref().and_then(|json| {
        let message = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        message(&json["error"]).or_else(|| message(&json["errors"][0]["message"]))
    });
    found.unwrap_or_else(|| body.trim().to_owned())
}

/// What a refusal by a Hub means. `with_token`: whether the request carried one.
pub(super) fn by_hub(host: &str, about: &About<'_>, with_token: bool, refusal: Refusal) -> HubError {
    let About {
        repo_type, id, page, ..
    } = *about;
    let status = refusal.status;
    let code = refusal.error_code.clone().unwrap_or_default();
    let repo = format!("The {repo_type} {id}");
    let (class, code, message) = match (status, code.as_str()) {
        // The words of X-Error-Code win over the status, as on the Hub itself.
        (400..=499, "GatedRepo") => {
            let next = if with_token {
                "the account of the token has no access yet: ask for it there"
            } else {
                "accept its terms there and set a token of that account"
            };
            let message = format!("{repo} is gated: open {page} and {next}");
            (Class::NeedsUser, Code::Gated, message)
        }
        (400..=499, "RepoNotFound") => missing(&repo, host, with_token),
        (400..=499, "RevisionNotFound") => revision_missing(&repo, host, about),
        (400..=499, "EntryNotFound") => entry_missing(&repo, host, about),
        // Clients match this very text.
        (403, _) if refusal.text == "Access to this resource is disabled." => {
            let message = format!("{host} has disabled {}", lower(&repo));
            (Class::Permanent, Code::RepoDisabled, message)
        }
        (451, _) => {
            let message = format!("{host} must not serve {} for legal reasons (451)", lower(&repo));
            (Class::Permanent, Code::RepoDisabled, message)
        }
        // Anonymous 401: missing, private, or in need of a token; the Hub does not tell which.
        (401, _) if !with_token => missing(&repo, host, with_token),
        (401, _) => {
            let message = format!("{host} refuses the token (401)");
            (Class::NeedsUser, Code::BadToken, message)
        }
        (403, _) => {
            let message = format!(
                "{host} refuses access to {} (403){}",
                lower(&repo),
                quoted(&refusal.text)
            );
            (Class::NeedsUser, Code::AccessDenied, message)
        }
        (404 | 410, _) => match about.part {
            Part::Revision(_) => missing(&repo, host, with_token),
            Part::File(_) => entry_missing(&repo, host, about),
        },
        _ => return by_any(host, refusal),
    };
    refusal.into_error(class, code, message).at_host(host)
}

fn lower(sentence: &str) -> String {
    sentence.replacen("The", "the", 1)
}

fn missing(repo: &str, host: &str, with_token: bool) -> (Class, Code, String) {
    let why = if with_token {
        "does not exist, or the token may not see it"
    } else {
        "is missing or private, or needs a token"
    };
    (
        Class::Permanent,
        Code::RepoNotFound,
        format!("{repo} {why} (asked {host})"),
    )
}

fn revision_missing(repo: &str, host: &str, about: &About<'_>) -> (Class, Code, String) {
    let message = match about.part {
        Part::Revision(revision) => format!("{repo} has no revision \"{revision}\" on {host}"),
        Part::File(path) => format!("{repo} has lost the commit that \"{path}\" belongs to on {host}"),
    };
    (Class::Permanent, Code::RevisionNotFound, message)
}

fn entry_missing(repo: &str, host: &str, about: &About<'_>) -> (Class, Code, String) {
    let message = match about.part {
        Part::Revision(revision) => format!("{repo} has no listing at \"{revision}\" on {host}"),
        Part::File(path) => format!(
            "{repo} has no file \"{}\" at this commit on {host}",
            shown(path.as_str())
        ),
    };
    (Class::Permanent, Code::EntryNotFound, message)
}

/// What a refusal means of what belongs to no single repo, such as a search. The server's own
/// words are not repeated.
pub(super) fn without_repo(host: &str, refusal: Refusal) -> HubError {
    let (class, code, what) = match refusal.status {
        401 => (Class::NeedsUser, Code::BadToken, "wants a valid token"),
        403 => (Class::NeedsUser, Code::AccessDenied, "refuses access"),
        404 | 410 => (Class::Permanent, Code::EntryNotFound, "has nothing there"),
        _ => {
            let text = String::new();
            return by_any(host, Refusal { text, ..refusal });
        }
    };
    let message = format!("{host} {what} ({})", refusal.status);
    refusal.into_error(class, code, message).at_host(host)
}

/// What a refusal by a storage host means: its links expire, and it speaks no Hub words
/// (seen on the Hub).
pub(super) fn by_storage(host: &str, refusal: Refusal) -> HubError {
    match refusal.status {
        400 | 401 | 403 | 404 | 410 => {
            let message = format!(
                "The storage host {host} refuses the link it was given ({})",
                refusal.status
            );
            refusal
                .into_error(Class::Refresh, Code::AccessDenied, message)
                .at_host(host)
        }
        _ => by_any(host, refusal),
    }
}

/// What a status means whoever sends it.
fn by_any(host: &str, refusal: Refusal) -> HubError {
    let status = refusal.status;
    let (class, code, message) = match status {
        429 => (
            Class::Wait,
            Code::RateLimited,
            format!("{host} asks to slow down (429)"),
        ),
        // Every 5xx, 408, and 425 (too early).
        408 | 425 | 500..=599 => (
            Class::Transient,
            Code::ServerError,
            format!("{host} has trouble ({status})"),
        ),
        407 => (
            Class::NeedsUser,
            Code::AccessDenied,
            "The proxy wants a user name and password (407)".to_owned(),
        ),
        416 => (
            Class::Integrity,
            Code::SizeMismatch,
            format!("{host} holds fewer bytes of the file than the listing announces (416)"),
        ),
        400..=499 => (
            Class::Permanent,
            Code::BadRequest,
            format!("{host} refuses the request ({status}){}", quoted(&refusal.text)),
        ),
        _ => (
            Class::Transient,
            Code::BadResponse,
            format!("{host} gave an answer that does not fit ({status})"),
        ),
    };
    refusal.into_error(class, code, message).at_host(host)
}

/// The server's own words, when they are short and cannot hold a signed URL.
fn quoted(text: &str) -> String {
    let harmless = (1..=300).contains(&text.len()) && !text.contains(['<', '?']) && !text.contains("hf_");
    if harmless {
        format!(": \"{}\"", shown(text))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(status: u16, code: Option<&str>, text: &str, with_token: bool, file: bool) -> HubError {
        let id: RepoId = "acme/tiny".parse().unwrap();
        let path: RepoPath = "a/b.bin".parse().unwrap();
        let about = About {
            repo_type: RepoType::Model,
            id: &id,
            part: if file {
                Part::File(&path)
            } else {
                Part::Revision("nope")
            },
            page: "https://hub.example/acme/tiny",
        };
        let refusal = Refusal {
            status,
            error_code: code.map(str::to_owned),
            text: text.to_owned(),
            ..Refusal::default()
        };
        by_hub("hub.example", &about, with_token, refusal)
    }

    #[test]
    fn every_row_of_the_status_table_has_its_class_and_code() {
        let disabled = "Access to this resource is disabled.";
        for (status, error_code, text, token, file, class, code) in [
            (
                401,
                None,
                "Invalid username or password.",
                false,
                false,
                Class::Permanent,
                Code::RepoNotFound,
            ),
            (
                404,
                Some("RepoNotFound"),
                "",
                true,
                false,
                Class::Permanent,
                Code::RepoNotFound,
            ),
            (
                401,
                Some("RepoNotFound"),
                "",
                true,
                false,
                Class::Permanent,
                Code::RepoNotFound,
            ),
            (404, None, "", false, false, Class::Permanent, Code::RepoNotFound),
            (
                401,
                None,
                "Invalid credentials",
                true,
                false,
                Class::NeedsUser,
                Code::BadToken,
            ),
            (
                401,
                Some("GatedRepo"),
                "",
                false,
                true,
                Class::NeedsUser,
                Code::Gated,
            ),
            (
                403,
                Some("GatedRepo"),
                "",
                true,
                true,
                Class::NeedsUser,
                Code::Gated,
            ),
            (
                403,
                None,
                disabled,
                false,
                true,
                Class::Permanent,
                Code::RepoDisabled,
            ),
            (451, None, "", false, true, Class::Permanent, Code::RepoDisabled),
            (
                404,
                Some("RevisionNotFound"),
                "",
                false,
                false,
                Class::Permanent,
                Code::RevisionNotFound,
            ),
            (
                404,
                Some("EntryNotFound"),
                "",
                false,
                true,
                Class::Permanent,
                Code::EntryNotFound,
            ),
            (404, None, "", false, true, Class::Permanent, Code::EntryNotFound),
            (
                403,
                None,
                "missing scope",
                true,
                true,
                Class::NeedsUser,
                Code::AccessDenied,
            ),
            (429, None, "", false, true, Class::Wait, Code::RateLimited),
            (408, None, "", false, true, Class::Transient, Code::ServerError),
            (425, None, "", false, true, Class::Transient, Code::ServerError),
            (500, None, "", false, true, Class::Transient, Code::ServerError),
            (
                504,
                Some("GatedRepo"),
                "",
                false,
                true,
                Class::Transient,
                Code::ServerError,
            ),
            (416, None, "", false, true, Class::Integrity, Code::SizeMismatch),
            (400, None, "", false, true, Class::Permanent, Code::BadRequest),
            (407, None, "", false, true, Class::NeedsUser, Code::AccessDenied),
            (204, None, "", false, true, Class::Transient, Code::BadResponse),
        ] {
            let error = ask(status, error_code, text, token, file);
            assert_eq!(
                (error.class, error.code),
                (class, code),
                "{status} {error_code:?} {text}"
            );
            assert_eq!(error.status, Some(status));
        }
    }

    #[test]
    fn the_sentences_say_what_to_do() {
        let gated = ask(401, Some("GatedRepo"), "", false, true).message;
        assert!(gated.contains("https://hub.example/acme/tiny"), "{gated}");
        let private = ask(401, None, "", false, false).message;
        assert!(
            private.contains("missing or private, or needs a token"),
            "{private}"
        );
        let scope = ask(403, None, "needs scope repo.read", true, true).message;
        assert!(scope.contains("needs scope repo.read"), "{scope}");
        let leak = ask(403, None, "bad token hf_abcdefgh", true, true).message;
        assert!(!leak.contains("hf_"), "{leak}");
    }

    #[test]
    fn a_storage_host_that_refuses_a_link_asks_for_a_fresh_one() {
        for status in [400, 401, 403, 404, 410] {
            let refusal = Refusal {
                status,
                ..Refusal::default()
            };
            assert_eq!(by_storage("cdn", refusal).class, Class::Refresh, "{status}");
        }
        let refusal = Refusal {
            status: 503,
            ..Refusal::default()
        };
        assert_eq!(by_storage("cdn", refusal).class, Class::Transient);
    }

    #[test]
    fn the_message_of_an_error_body_is_found_in_each_of_its_shapes() {
        assert_eq!(
            body_text("{\"error\":\"Repository not found\"}"),
            "Repository not found"
        );
        assert_eq!(body_text("{\"errors\":[{\"message\":\"x\"}]}"), "x");
        assert_eq!(body_text(" Entry not found\n"), "Entry not found");
        assert_eq!(body_text("[]"), "[]");
    }
}
