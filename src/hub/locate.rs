//! Where the bytes of a file lie, shared by all its connections.
//!
//! The Hub answers `/resolve/` with a signed link that lives for about an hour. The link is kept
//! in memory only. When it is refused, one connection asks again and the others wait for its
//! answer (single flight); while no byte of the file comes, that happens at most once in 30 s
//! and 20 times in all (seen on the Hub).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::ETAG;
use reqwest::Response;
use tokio::time::Instant;
use url::Url;

use super::HubClient;
use super::api::path;
use super::classify::{About, Part};
use super::error::{Class, HubError};
use super::headers;
use super::redirect::{HOPS_MAX, host};
use super::transport::{Ask, Hop};
use crate::model::code::Code;
use crate::model::plan::RepoFile;
use crate::model::repo::{Commit, RepoId, RepoType};

/// Most re-resolves of one file while no byte comes (seen on the Hub).
const REFRESHES_MAX: u32 = 20;

/// What all connections of one file share.
pub(super) struct Shared {
    pub hub: HubClient,
    pub file: RepoFile,
    repo_type: RepoType,
    id: RepoId,
    commit: Commit,
    /// Held by the one connection that asks the Hub.
    flight: tokio::sync::Mutex<()>,
    place: Mutex<Place>,
    /// Whether a byte came since the last re-resolve.
    progress: AtomicBool,
}

#[derive(Default)]
struct Place {
    /// Where the bytes lie; `None` before the first answer and after a refusal.
    url: Option<Url>,
    /// Counts the answers; a refusal of an older answer's link is stale news.
    turn: u64,
    /// Whether the last link was refused, so that the next answer counts as a re-resolve.
    was_refused: bool,
    refreshes: u32,
    last_refresh: Option<Instant>,
    /// Counts the finished flights, so that those who waited for one can share its failure.
    flights: u64,
    failure: Option<HubError>,
}

/// The answer to "where?".
pub(super) enum Located {
    /// The Hub serves the bytes itself: this is the answer to the asker's own range.
    Here(Response, Url),
    /// They lie there.
    There(Url, u64),
}

/// One answer of the Hub.
pub(super) enum Told {
    Here(Response, Url),
    There(Url),
}

impl Shared {
    pub fn new(hub: &HubClient, repo_type: RepoType, id: &RepoId, commit: &Commit, file: &RepoFile) -> Self {
        Self {
            hub: hub.clone(),
            file: file.clone(),
            repo_type,
            id: id.clone(),
            commit: commit.clone(),
            flight: tokio::sync::Mutex::new(()),
            place: Mutex::default(),
            progress: AtomicBool::new(false),
        }
    }

    /// The place as last told, with its turn.
    pub fn known(&self) -> Option<(Url, u64)> {
        let place = self.place();
        place.url.clone().map(|url| (url, place.turn))
    }

    /// Forgets the place without blame.
    pub fn forget(&self) {
        self.place().url = None;
    }

    /// The link of `turn` was refused.
    pub fn refused(&self, turn: u64) {
        let mut place = self.place();
        if place.turn == turn {
            place.url = None;
            place.was_refused = true;
        }
    }

    /// A byte of the file came.
    pub fn progressed(&self) {
        self.progress.store(true, Ordering::Relaxed);
    }

    /// Asks the Hub where the bytes lie, or waits for the connection that asks already.
    pub async fn locate(&self, ask: &Ask) -> Result<Located, HubError> {
        let seen = self.place().flights;
        let _flight = self.flight.lock().await;
        {
            let mut place = self.place();
            if let Some(url) = place.url.clone() {
                return Ok(Located::There(url, place.turn));
            }
            if place.flights != seen
                && let Some(failure) = place.failure.clone()
            {
                return Err(failure);
            }
            self.may_refresh(&mut place)?;
        }
        let told = self.ask_hub(ask).await;
        let mut place = self.place();
        place.flights += 1;
        place.failure = told.as_ref().err().cloned();
        let told = told?;
        place.turn += 1;
        if std::mem::take(&mut place.was_refused) {
            place.refreshes += 1;
            place.last_refresh = Some(Instant::now());
        }
        let (Told::Here(_, url) | Told::There(url)) = &told;
        place.url = Some(url.clone());
        Ok(match told {
            Told::Here(answer, url) => Located::Here(answer, url),
            Told::There(url) => Located::There(url, place.turn),
        })
    }

    /// Bounds the re-resolves while no byte comes.
    fn may_refresh(&self, place: &mut Place) -> Result<(), HubError> {
        if self.progress.swap(false, Ordering::Relaxed) {
            place.refreshes = 0;
            place.last_refresh = None;
        }
        if !place.was_refused {
            return Ok(());
        }
        let refuse = |class| {
            let message = format!(
                "Every link to \"{}\" of {} is refused by its storage host",
                self.file.path, self.id
            );
            HubError::new(class, Code::AccessDenied, message)
        };
        if place.refreshes >= REFRESHES_MAX {
            return Err(refuse(Class::Permanent));
        }
        let pause = self.hub.config.refresh_pause;
        match place.last_refresh.map(|last| last.elapsed()) {
            Some(since) if since < pause => Err(refuse(Class::Refresh).after(Some(pause - since))),
            _ => Ok(()),
        }
    }

    /// Follows the Hub's own hops to the place of the bytes, and checks on the way that the Hub
    /// speaks of the file we mean.
    pub async fn ask_hub(&self, ask: &Ask) -> Result<Told, HubError> {
        let wire = &self.hub.wire;
        let Self {
            repo_type,
            id,
            commit,
            ..
        } = self;
        let mut url = self.hub.url(&format!(
            "{}{id}/resolve/{commit}/{}",
            repo_type.url_prefix(),
            path(self.file.path.as_str())
        ));
        for _ in 0..=HOPS_MAX {
            let answer = wire.hop(ask, &url).await?;
            let answer = match wire.sort(&url, answer).await? {
                Hop::Last(answer) => answer,
                Hop::On(step, headers) => {
                    if !step.relative {
                        self.identify(&headers, &host(&url), false)?;
                    }
                    if !wire.on_hub(&step.url) {
                        return Ok(Told::There(step.url));
                    }
                    url = step.url;
                    continue;
                }
            };
            return match answer.status().as_u16() {
                // What a 416 means depends on the file, so `RemoteFile` judges it.
                200 | 206 | 416 => Ok(Told::Here(answer, url)),
                _ => Err(self.refusal(ask, &url, answer).await),
            };
        }
        Err(HubError::bad(format!(
            "{} redirects more than {HOPS_MAX} times",
            host(&url)
        )))
    }

    /// What an answer means that is neither success nor redirect.
    pub async fn refusal(&self, ask: &Ask, url: &Url, answer: Response) -> HubError {
        let page = self.hub.page(self.repo_type, &self.id);
        let about = About {
            repo_type: self.repo_type,
            id: &self.id,
            part: Part::File(&self.file.path),
            page: &page,
        };
        self.hub.wire.refusal(ask, url, Some(&about), answer).await
    }

    /// Compares commit, hash and length with the listing, as far as the Hub hop names them:
    /// mirrors leave them out (seen on the Hub). The plain `ETag` counts only on the answer
    /// that carries the bytes (§3.1).
    pub fn identify(&self, headers: &HeaderMap, name: &str, carries_bytes: bool) -> Result<(), HubError> {
        let path = &self.file.path;
        let differs = |code, what: &str| {
            let message = format!(
                "{name} serves \"{path}\" of {} with {what} than the listing announces",
                self.id
            );
            Err(HubError::new(Class::Integrity, code, message))
        };
        let commit = headers::text(headers, COMMIT).and_then(|text| text.parse::<Commit>().ok());
        if commit.is_some_and(|commit| commit != self.commit) {
            return differs(Code::BadResponse, "another commit");
        }
        let etag = headers::text(headers, LINKED_ETAG)
            .or_else(|| headers::text(headers, ETAG.as_str()).filter(|_| carries_bytes))
            .and_then(headers::etag);
        if etag.is_some_and(|id| id != self.file.blob_id) {
            return differs(Code::HashMismatch, "another hash");
        }
        let size = headers::text(headers, LINKED_SIZE).and_then(|text| text.parse::<u64>().ok());
        if size.is_some_and(|size| size != self.file.size_bytes) {
            return differs(Code::SizeMismatch, "another length");
        }
        Ok(())
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        // Nothing panics while holding it.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const COMMIT: &str = "x-repo-commit";
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";

/// Whether an answer names the file it carries.
pub(super) fn is_identity(headers: &HeaderMap) -> bool {
    headers.contains_key(COMMIT) || headers.contains_key(LINKED_ETAG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Budget, HubConfig};

    #[test]
    fn the_late_refusal_of_an_old_link_does_not_touch_the_new_one() {
        let hub = HubClient::new(HubConfig::default(), std::sync::Arc::new(Budget::new())).unwrap();
        let file = RepoFile {
            path: "x".parse().unwrap(),
            size_bytes: 1,
            blob_id: "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a".parse().unwrap(),
            git_oid: String::new(),
            xet_hash: None,
        };
        let (id, commit) = ("o/n".parse().unwrap(), "a".repeat(40).parse().unwrap());
        let shared = Shared::new(&hub, RepoType::Model, &id, &commit, &file);
        let link = Url::parse("https://cdn.example/2").unwrap();
        *shared.place() = Place {
            url: Some(link.clone()),
            turn: 2,
            ..Place::default()
        };
        shared.refused(1);
        assert_eq!(shared.known(), Some((link, 2)));
        shared.refused(2);
        assert_eq!(shared.known(), None);
        assert!(shared.place().was_refused);
    }
}
