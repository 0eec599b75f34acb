//! Floor 1: the Hugging Face Hub and everything that speaks its language.
//!
//! [`HubClient::resolve`] turns a revision into a commit, [`HubClient::tree`] lists it, and
//! [`HubClient::file`] opens byte ranges of its files. [`HubClient::search`],
//! [`HubClient::repo_info`], [`HubClient::refs`] and [`HubClient::text_file`] serve people who
//! look before they download. Promises:
//!
//! - the token reaches the origin of the endpoint and nobody else; signed URLs are neither
//!   stored nor logged nor shown;
//! - names and ids from the network are checked by the types of [`crate::model::repo`];
//! - a [`Body`] yields exactly the bytes that were asked for, in order, or an error;
//! - every failure is a [`HubError`] whose [`Class`] says whether to try again ([`Retry`]);
//! - every future may be dropped at any time; that only closes a connection.
//!
//! Never in here: SQL, files, jobs, and loops that sleep between tries (the engine owns those).

mod account;
mod api;
mod body;
mod broken;
mod budget;
mod classify;
mod collection;
mod commits;
mod config;
mod entry;
mod error;
mod file;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod headers;
mod info;
mod locate;
mod outage;
mod raw;
mod redirect;
mod refs;
mod retry;
mod revision;
mod search;
mod text;
mod transport;
mod tree;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use url::Url;

pub use crate::model::secret::Secret;
pub use account::Account;
pub use body::Body;
pub use budget::{Bucket, BucketState, Budget};
pub use collection::{Collection, CollectionHead, CollectionItem};
pub use commits::{CommitHead, CommitPage};
pub use config::{HubConfig, PUBLIC_HUB, ProxyConfig};
pub use error::{Class, HubError};
pub use file::RemoteFile;
pub use info::{Flagged, RepoInfo, Security};
pub use raw::TextFile;
pub use retry::{Decision, Retry};
pub use revision::Resolved;
pub use search::{Found, SearchPage, SearchQuery};
pub use text::Gate;
pub use wire::{Answering, Server, Wire};

use crate::model::plan::RepoFile;
use crate::model::repo::{Commit, RepoId, RepoType};
use transport::Transport;

/// Clients made so far in this process.
static CLIENTS: AtomicU64 = AtomicU64::new(0);

/// A client of one endpoint with one token. A clone shares everything with its original.
#[derive(Clone)]
pub struct HubClient {
    wire: Arc<Transport>,
    config: Arc<HubConfig>,
    serial: u64,
}

impl HubClient {
    /// A client for `config`; `budget` is shared with all other clients of the same endpoint.
    ///
    /// # Errors
    /// `bad_request` when endpoint, token or proxy cannot be used; `tls_error` when the
    /// certificates of the system cannot be loaded.
    pub fn new(config: HubConfig, budget: Arc<Budget>) -> Result<Self, HubError> {
        let wire = Arc::new(Transport::new(&config, budget)?);
        Ok(Self {
            wire,
            config: Arc::new(config),
            serial: CLIENTS.fetch_add(1, Relaxed),
        })
    }

    /// Tells clients apart: clones share it, a client made later has another one. What was learnt
    /// with one token must not be told to another.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The settings this client was made with.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Hosts that could not be reached by the last request to each, with what was wrong. Asks nothing.
    pub fn unreachable(&self) -> Vec<(String, HubError)> {
        self.wire.outages.away()
    }

    /// A file of a commit. All connections of one file share one value (or its clones): one
    /// location, and one re-resolve for all when its link expires.
    pub fn file(&self, repo_type: RepoType, id: &RepoId, commit: &Commit, file: &RepoFile) -> RemoteFile {
        RemoteFile::new(self, repo_type, id, commit, file)
    }

    /// Web page of a repo on this endpoint, for people.
    pub fn page(&self, repo_type: RepoType, id: &RepoId) -> String {
        self.url(&format!("{}{id}", repo_type.url_prefix())).into()
    }

    /// `path` (encoded already) below the endpoint, whose own path prefix is kept.
    fn url(&self, path: &str) -> Url {
        let mut url = self.config.endpoint.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/{path}"));
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}

impl std::fmt::Debug for HubClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubClient({})", redirect::shown(&self.config.endpoint))
    }
}
