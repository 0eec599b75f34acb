//! The one error of the Hub client and the classes that decide about another try.

use std::fmt;
use std::time::Duration;

use crate::model::code::Code;

/// What kind of failure it is, and so what to do (seen on the Hub).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Another try gives the same answer: fail.
    Permanent,
    /// Only the user can change it (terms, token, rights): fail with the reason.
    NeedsUser,
    /// The server asks for patience (429): wait, however often.
    Wait,
    /// A passing fault: back off, keep the bytes, count the tries.
    Transient,
    /// Nothing can be reached: wait without counting, less than one request a minute.
    Offline,
    /// The storage host refuses a fresh link: resolve again, bounded while no byte comes.
    Refresh,
    /// The content is not what the tree announced: throw away, once more, then fail.
    Integrity,
}

/// Why a request failed. The message is a sentence for users that names the host and the
/// cause; it never holds a token or a signed URL.
#[derive(Clone, PartialEq, Eq)]
pub struct HubError {
    /// What to do about it.
    pub class: Class,
    /// The code for programs.
    pub code: Code,
    /// The sentence for people.
    pub message: String,
    /// How long the server (or the outage gate) asks to wait before the next request.
    pub retry_after: Option<Duration>,
    /// `X-Request-Id` or `X-Amzn-Trace-Id` of the answer, for the log.
    pub request_id: Option<String>,
    /// Host that failed, where one did.
    pub host: Option<String>,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The source did not serve the range that was asked: a single stream from byte 0
    /// (`open(None)`) may still work.
    pub ranges_ignored: bool,
    /// Whether the Hub named the failure by `X-Error-Code`; a bare 404 may only mean that a
    /// mirror lacks the route.
    pub(crate) named: bool,
}

impl HubError {
    /// An error without the details of an answer.
    pub(crate) fn new(class: Class, code: Code, message: impl Into<String>) -> Self {
        Self {
            class,
            code,
            message: message.into(),
            retry_after: None,
            request_id: None,
            host: None,
            status: None,
            ranges_ignored: false,
            named: false,
        }
    }

    /// The answer is not one the protocol allows, and asking again will not change that.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(Class::Permanent, Code::BadResponse, message)
    }

    /// The answer is not one the protocol allows, but a proxy or portal may go away again.
    pub(crate) fn odd(message: impl Into<String>) -> Self {
        Self::new(Class::Transient, Code::BadResponse, message)
    }

    /// An error of our own making.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Class::Permanent, Code::Internal, message)
    }

    pub(crate) fn at_host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    pub(crate) fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    pub(crate) fn without_ranges(mut self) -> Self {
        self.ranges_ignored = true;
        self
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}: {}", self.class, self.code, self.message)?;
        if let Some(status) = self.status {
            write!(f, " (status {status})")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for HubError {}
