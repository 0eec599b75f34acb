//! A file of a commit, opened range by range.

use std::ops::Range;
use std::sync::Arc;

use http::Method;
use http::header::CONTENT_RANGE;
use reqwest::Response;
use url::Url;

use super::HubClient;
use super::body::Body;
use super::budget::Bucket;
use super::error::{Class, HubError};
use super::headers;
use super::locate::{Located, Shared, Told, is_identity};
use super::redirect::{HOPS_MAX, host};
use super::transport::{Ask, Hop, is_html, plain};
use crate::model::code::Code;
use crate::model::plan::RepoFile;
use crate::model::repo::{Commit, RepoId, RepoType, shown};

/// Fresh links tried within one call; more is for the caller's [`Retry`](super::Retry).
const LINKS_A_CALL: usize = 3;

/// A file at a commit. Clones share its location: the first open asks the Hub where the bytes
/// lie, later ones go straight there until the signed link is refused; then one of them asks
/// again for all.
#[derive(Clone)]
pub struct RemoteFile {
    shared: Arc<Shared>,
}

/// What one call wants.
pub(super) struct Wanted {
    /// The bytes.
    pub span: Range<u64>,
    /// The request.
    pub ask: Ask,
}

impl RemoteFile {
    pub(super) fn new(
        hub: &HubClient,
        repo_type: RepoType,
        id: &RepoId,
        commit: &Commit,
        file: &RepoFile,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new(hub, repo_type, id, commit, file)),
        }
    }

    /// Opens `range` (bytes, end exclusive), or with `None` the whole file in one answer
    /// without a `Range` header. An empty file is opened without one in any case.
    ///
    /// # Errors
    /// Every code of [`HubClient::resolve`], and:
    /// - `gated`, `entry_not_found` when the Hub refuses this file;
    /// - class `Integrity`: `hash_mismatch`, `size_mismatch`, `bad_response` when hash, length
    ///   or commit differ from the listing; the next open asks the Hub afresh;
    /// - class `Refresh`: fresh links are refused too; at most one re-resolve in 30 s and 20 in
    ///   all while no byte of the file comes, then `access_denied` for good;
    /// - [`HubError::ranges_ignored`]: the source does not answer the range that was asked.
    /// - `internal` for a range that does not lie in the file.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<Body, HubError> {
        let wanted = self.wanted(range)?;
        let opened = self.open_wanted(&wanted).await;
        if let Err(error) = &opened
            && error.class == Class::Integrity
        {
            self.forget();
        }
        opened
    }

    /// Forgets where the bytes lie, so that the next open asks the Hub afresh: for content that
    /// turned out damaged.
    pub fn forget(&self) {
        self.shared.forget();
    }

    /// Asks the Hub whether this file may be fetched, without fetching it (one HEAD, bucket
    /// `resolvers`): shows a gate or a missing right before hundreds of files are queued.
    ///
    /// # Errors
    /// As [`Self::open`], as far as the Hub itself tells.
    pub async fn check(&self) -> Result<(), HubError> {
        let ask = Ask {
            method: Method::HEAD,
            bucket: Bucket::Resolvers,
            range: None,
        };
        match self.shared.ask_hub(&ask).await {
            Ok(Told::Here(answer, url)) => self.shared.identify(answer.headers(), &host(&url), true),
            Ok(Told::There(_)) => Ok(()),
            // A mirror without HEAD tells nothing; the first range will.
            Err(error) if matches!(error.status, Some(405 | 501)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn wanted(&self, range: Option<Range<u64>>) -> Result<Wanted, HubError> {
        let size = self.shared.file.size_bytes;
        let span = range.clone().unwrap_or(0..size);
        if span.end > size || (span.start >= span.end && size > 0) {
            let message = format!(
                "The range {}-{} does not lie in a file of {size} bytes",
                span.start, span.end
            );
            return Err(HubError::new(Class::Permanent, Code::Internal, message));
        }
        Ok(Wanted {
            ask: Ask {
                method: Method::GET,
                bucket: Bucket::Resolvers,
                // Any range of an empty file is answered with 416 (RFC 9110 section 15.5.17).
                range: range.filter(|_| size > 0),
            },
            span,
        })
    }

    async fn open_wanted(&self, wanted: &Wanted) -> Result<Body, HubError> {
        let mut refused = None;
        for _ in 0..LINKS_A_CALL {
            let (url, turn) = match self.shared.known() {
                Some(known) => known,
                None => match self.shared.locate(&wanted.ask).await? {
                    Located::Here(answer, url) => return self.accept(wanted, answer, &url),
                    Located::There(url, turn) => (url, turn),
                },
            };
            match self.fetch(wanted, url).await {
                Err(error) if error.class == Class::Refresh => {
                    self.shared.refused(turn);
                    refused = Some(error);
                }
                body => return body,
            }
        }
        Err(refused.unwrap_or_else(|| HubError::odd("The storage host refuses every link it was given")))
    }

    /// Gets the bytes from where they lie.
    async fn fetch(&self, wanted: &Wanted, start: Url) -> Result<Body, HubError> {
        let wire = &self.shared.hub.wire;
        let mut url = start;
        for _ in 0..=HOPS_MAX {
            let answer = wire.hop(&wanted.ask, &url).await?;
            let answer = match wire.sort(&url, answer).await? {
                Hop::Last(answer) => answer,
                Hop::On(step, _) => {
                    url = step.url;
                    continue;
                }
            };
            return match answer.status().as_u16() {
                200 | 206 => self.accept(wanted, answer, &url),
                _ => {
                    let error = self.shared.refusal(&wanted.ask, &url, answer).await;
                    Err(match error.status {
                        // A remembered place on the Hub itself may be out of date as well.
                        Some(400 | 401 | 403 | 404 | 410) if !error.named => HubError {
                            class: Class::Refresh,
                            ..error
                        },
                        _ => error,
                    })
                }
            };
        }
        Err(HubError::bad(format!(
            "{} redirects more than {HOPS_MAX} times",
            host(&url)
        )))
    }

    /// Checks the head of a 200, 206 or 416 against what was asked, before a byte is taken.
    fn accept(&self, wanted: &Wanted, answer: Response, url: &Url) -> Result<Body, HubError> {
        let name = host(url);
        let size = self.shared.file.size_bytes;
        let path = shown(self.shared.file.path.as_str());
        let headers = answer.headers();
        plain(headers, &name)?;
        let status = answer.status().as_u16();
        let wrong_size = |message: String| HubError {
            status: Some(status),
            ..HubError::new(Class::Integrity, Code::SizeMismatch, message)
        };
        if self.shared.hub.wire.on_hub(url) {
            self.shared.identify(headers, &name, true)?;
        }
        match (status, &wanted.ask.range) {
            (200, asked) => {
                let announced = answer.content_length();
                if announced != Some(size) && self.is_portal(headers) {
                    return Err(HubError::odd(format!(
                        "{name} answered with a web page in place of \"{path}\": a captive portal or proxy may be answering for it"
                    )));
                }
                if asked.as_ref().is_some_and(|span| *span != (0..size)) {
                    let message = format!("{name} sent the whole of \"{path}\" when a part was asked for");
                    return Err(HubError::odd(message).without_ranges());
                }
                if let Some(other) = announced.filter(|&length| length != size) {
                    return Err(wrong_size(format!(
                        "{name} holds {other} bytes of \"{path}\"; the listing announces {size}"
                    )));
                }
            }
            (206, Some(span)) => {
                let told = headers::text(headers, CONTENT_RANGE.as_str()).and_then(headers::content_range);
                match told {
                    Some((_, total)) if total != size => {
                        return Err(wrong_size(format!(
                            "{name} holds {total} bytes of \"{path}\"; the listing announces {size}"
                        )));
                    }
                    Some((told, _)) if told == *span => {}
                    _ => {
                        let message = format!("{name} sent another part of \"{path}\" than was asked for");
                        return Err(HubError::odd(message).without_ranges());
                    }
                }
            }
            (416, _) => {
                let message =
                    format!("{name} holds fewer bytes of \"{path}\" than the {size} the listing announces");
                return Err(wrong_size(message));
            }
            _ => {
                let message = format!("{name} sent a part of \"{path}\" when the whole was asked for");
                return Err(HubError::odd(message));
            }
        }
        let length = wanted.span.end - wanted.span.start;
        let stall = self.shared.hub.wire.stall_timeout();
        Ok(Body::new(answer, length, name, stall, Arc::clone(&self.shared)))
    }

    /// A web page that nobody asked for and that does not identify itself as the file.
    fn is_portal(&self, headers: &http::HeaderMap) -> bool {
        let path = self.shared.file.path.as_str().to_ascii_lowercase();
        is_html(headers) && !path.ends_with(".html") && !path.ends_with(".htm") && !is_identity(headers)
    }
}

impl std::fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteFile({})", self.shared.file.path)
    }
}
