//! Every error of the API: its status, its one JSON shape, and the way from a [`Code`] to both.
//!
//! The body has the keys that clients of both API documents look for:
//! `{"ok":false,"error","details"?,"error_detail":{"code","message","details"?,"reason"?,"hint"?,"request_id"?}}`.
//! Internal text goes to the log with the request id, never to the client.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::access;
use super::problem::{self, Problem};
use crate::model::code::Code;
use crate::store::{Hindrance, StoreError};

/// An error on its way to a client.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    details: Option<String>,
    reason: Option<Code>,
    hint: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// Always `false`.
    ok: bool,
    /// A short sentence.
    error: String,
    /// What helps to find the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<String>,
    /// The same in parts, and more.
    error_detail: ErrorDetail,
}

/// An error in parts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// The status in a word.
    code: &'static str,
    /// The short sentence.
    message: String,
    /// What helps to find the fault: the field, the value, the answer of the Hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<String>,
    /// The cause as a word that programs can test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<Code>,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
    /// Id of the request, as in the log and the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// What handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error with `status` and a short sentence; the sentences of the API documents go here.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: None,
            reason: None,
            hint: None,
            headers: Vec::new(),
        }
    }

    /// 400: the request is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).reason(Code::BadRequest)
    }

    /// 404: no such thing, or the transition is not allowed.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: something live stands in the way.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500. `cause` goes to the log, with the request id that the client gets.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(request_id = access::request_id(), error = %cause, "internal error");
        Self::coded(Code::Internal, "Internal server error")
    }

    /// An error known by its code; status and hint follow from it.
    pub fn coded(code: Code, message: impl Into<String>) -> Self {
        Self::new(status_of(code), message).reason(code)
    }

    /// Replaces the sentence and keeps status and code.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what helps to find the fault: the field, the value, the answer of the Hub.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into()).filter(|text| !text.is_empty());
        self
    }

    /// Adds our own code and, unless one is set, its hint.
    pub fn reason(mut self, code: Code) -> Self {
        self.reason = Some(code);
        self.hint.get_or_insert_with(|| code.hint().to_owned());
        self
    }

    /// Replaces the hint: what the user can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a response header, such as `Retry-After`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Replaces the status and keeps everything else.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The sentence.
    pub fn message_text(&self) -> &str {
        &self.message
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref().or_else(|| next_step(self.status))
    }

    /// Our own code, when there is one.
    pub fn code(&self) -> Option<Code> {
        self.reason
    }

    /// What was added to the sentence.
    pub fn details_text(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body of the answer.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            ok: false,
            error: self.message.clone(),
            details: self.details.clone(),
            error_detail: ErrorDetail {
                code: word_of(self.status),
                message: self.message.clone(),
                details: self.details.clone(),
                reason: self.reason,
                hint: self.hint_text().map(str::to_owned),
                request_id: access::request_id(),
            },
        }
    }
}

/// Nothing was stored. 507 and 503 say that the same request may be sent again later; else the
/// database fails for no reason that a client could know or mend.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let Some(hindrance) = error.hindrance() else {
            return Self::internal(error);
        };
        tracing::error!(request_id = access::request_id(), %error, "a request met a database that cannot be used");
        let (status, code, hint) = match hindrance {
            Hindrance::Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                Code::DiskFull,
                "Free space on the volume of the data directory, then send it again.",
            ),
            Hindrance::Volume => (
                StatusCode::SERVICE_UNAVAILABLE,
                Code::DiskError,
                "Check the volume of the data directory; see the system log.",
            ),
            Hindrance::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Internal,
                "A backup or a database shell may be at work; send it again in a few seconds.",
            ),
        };
        Self::new(status, "The database cannot be used now")
            .details(hindrance.to_string())
            .reason(code)
            .hint(hint)
            .header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = match access::asked().filter(|asked| asked.wants_problem) {
            Some(asked) => problem::answer(self.status, Problem::new(&self, &asked.path)),
            None => (self.status, Json(self.body())).into_response(),
        };
        let vary = HeaderValue::from_static("accept");
        response.headers_mut().append(header::VARY, vary);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// `error_detail.code`: HFDesk's word for the status.
pub(super) fn word_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad_request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        502 => "bad_gateway",
        500.. => "server_error",
        _ => "api_error",
    }
}

/// What to do next about an error that says nothing of its own.
fn next_step(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        401 => "Log in with the name and password of the service, or send an API key.",
        404 => "Check the name or id, and look at its list anew: it may be gone, or in another state by now.",
        405 => "The description of the API at /api/docs tells which methods there are.",
        408 | 503 | 504 => "Send it again in a few seconds.",
        409 => "Look at it anew, then decide again.",
        413 => "Send less at a time.",
        415 => "Send the body as JSON, with Content-Type: application/json.",
        429 => "Wait as long as Retry-After says, then send it again.",
        500 | 502 => "Send it again; if that fails as well, the system log tells more.",
        _ => return None,
    })
}

/// The status for a code. No wildcard: a new code has to say what it is.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::BadRequest | Code::NothingMatched => StatusCode::BAD_REQUEST,
        Code::RepoNotFound | Code::RevisionNotFound | Code::EntryNotFound => StatusCode::NOT_FOUND,
        // Also for a 401 of the Hub: a 401 of ours would ask the browser's user to log in here.
        Code::Gated | Code::BadToken | Code::AccessDenied | Code::RepoDisabled => StatusCode::FORBIDDEN,
        Code::UnsafePath | Code::PathCollision => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::HashMismatch
        | Code::SizeMismatch
        | Code::BadResponse
        | Code::ServerError
        | Code::Offline
        | Code::Stalled
        | Code::TlsError => StatusCode::BAD_GATEWAY,
        Code::NotMounted => StatusCode::CONFLICT,
        Code::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        Code::DiskReadOnly | Code::DiskError | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Fallback for paths below `/api` that no route has.
pub async fn unknown_path(uri: Uri) -> ApiError {
    if uri.path().trim_end_matches('/') == "/api/analyze" {
        return ApiError::bad_request("Missing repository").details("Expected /api/analyze/owner/name");
    }
    ApiError::not_found("Not found")
        .details(format!("No such path: {}", crate::model::repo::shown(uri.path())))
        .hint("The description of the API at /api/docs tells which paths there are.")
}

/// Fallback for known paths with another method; axum adds `Allow`.
pub async fn wrong_method(method: Method) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
        .details(format!("{method} is not possible here; see the Allow header"))
}

/// The answer when a handler panics. The text of the panic goes to the log only.
pub fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::internal(format_args!("a handler panicked: {text}")).into_response()
}

/// 413 for bodies above the limit.
pub(super) fn body_too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large")
        .details("The limit is 1 MiB")
        // What is left of the body is not read.
        .header(header::CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_that_a_request_can_meet_says_what_to_do_next() {
        for status in [401, 404, 405, 408, 409, 413, 415, 429, 500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(ApiError::new(status, "No").hint_text().is_some(), "{status}");
        }
        let own = ApiError::not_found("No").hint("Do that.");
        assert_eq!(own.hint_text(), Some("Do that."));
    }

    #[test]
    fn an_error_has_the_keys_of_both_documents() {
        let body = |error: ApiError| serde_json::to_value(error.body()).unwrap();
        let short = body(ApiError::not_found("Job not found"));
        let body = body(ApiError::coded(Code::Gated, "Repo is gated").details("o/n"));
        assert_eq!(body["ok"], false);
        assert_eq!(body["error"], "Repo is gated");
        assert_eq!(body["details"], "o/n");
        assert_eq!(body["error_detail"]["code"], "forbidden");
        assert_eq!(body["error_detail"]["message"], "Repo is gated");
        assert_eq!(body["error_detail"]["details"], "o/n");
        assert_eq!(body["error_detail"]["reason"], "gated");
        assert_eq!(body["error_detail"]["hint"], Code::Gated.hint());
        assert!(short.get("details").is_none() && short["error_detail"].get("reason").is_none());
    }

    #[test]
    fn the_status_has_the_word_of_the_document() {
        for (status, word) in [
            (400, "bad_request"),
            (401, "unauthorized"),
            (403, "forbidden"),
            (404, "not_found"),
            (409, "conflict"),
            (413, "api_error"),
            (429, "api_error"),
            (500, "server_error"),
            (502, "bad_gateway"),
            (507, "server_error"),
        ] {
            assert_eq!(word_of(StatusCode::from_u16(status).unwrap()), word, "{status}");
        }
    }

    #[test]
    fn no_code_asks_the_browser_to_log_in() {
        for &code in Code::ALL {
            assert_ne!(status_of(code), StatusCode::UNAUTHORIZED, "{code}");
            assert!(status_of(code).as_u16() >= 400, "{code}");
        }
    }
}
