//! The listing of a commit: all pages, within bounds.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use super::HubClient;
use super::api;
use super::classify::{About, Part};
use super::entry::{Keys, Listing, SIBLING, TREE};
use super::error::HubError;
use super::redirect::{host, next_page};
use crate::model::plan::Tree;
use crate::model::repo::{Commit, RepoId, RepoType};

/// Most pages of one listing. This bound and the next two keep a
/// hostile or broken source from filling the memory.
const PAGES_MAX: usize = 1_000;
/// Most entries of one listing, folders included.
const ENTRIES_MAX: usize = 500_000;
/// Most bytes of JSON of one listing.
const BYTES_MAX: usize = 256 * 1024 * 1024;

impl HubClient {
    /// Lists every file of a commit with size and hash: one request of the `api` bucket for
    /// each page (1,000 entries on the Hub). Entries that cannot be stored are in
    /// [`Tree::bad`]. When the endpoint has no tree route, the repo info with `blobs=true`
    /// stands in (seen on the Hub).
    ///
    /// # Errors
    /// As [`HubClient::resolve`]; `bad_response` when a page leads off the endpoint, pages go
    /// in a circle, or the listing is longer than 1,000 pages, 500,000 entries or 256 MiB.
    pub async fn tree(&self, repo_type: RepoType, id: &RepoId, commit: &Commit) -> Result<Tree, HubError> {
        let page = self.page(repo_type, id);
        let about = About {
            repo_type,
            id,
            part: Part::Revision(commit.as_str()),
            page: &page,
        };
        let mut url = self.url(&format!("api/{}/{id}/tree/{commit}", repo_type.plural()));
        url.set_query(Some("recursive=true&expand=false"));
        let name = host(&url);
        let too_long =
            |what: &str| HubError::bad(format!("The listing of {id} on {name} is longer than {what}"));
        let mut listing = Bounded::default();
        let mut visited = HashSet::new();
        let mut bytes = 0;
        for number in 0..PAGES_MAX {
            if !visited.insert(url.clone()) {
                return Err(HubError::bad(format!(
                    "The listing of {id} on {name} goes in a circle"
                )));
            }
            let page = match api::get(&self.wire, url, &about).await {
                Err(error) if number == 0 && error.status == Some(404) && !error.named => {
                    return self.siblings(repo_type, id, commit).await;
                }
                page => page?,
            };
            bytes += page.body.len();
            if bytes > BYTES_MAX {
                return Err(too_long("256 MiB"));
            }
            if let Err(error) = listing.read(&page.body) {
                return Err(if listing.is_full() {
                    too_long("500,000 entries")
                } else {
                    page.unreadable(&error)
                });
            }
            match &page.next {
                None => return Ok(listing.finish()),
                Some(link) => url = next_page(&self.config.endpoint, &page.url, link)?,
            }
        }
        Err(too_long("1,000 pages"))
    }

    async fn siblings(&self, repo_type: RepoType, id: &RepoId, commit: &Commit) -> Result<Tree, HubError> {
        #[derive(Deserialize)]
        struct Info {
            #[serde(default)]
            sha: Value,
            siblings: Vec<Value>,
        }
        let page = self
            .info(repo_type, id, commit.as_str(), Some("blobs=true"))
            .await?;
        let info: Info = page.json()?;
        if info.sha.as_str().is_some_and(|sha| sha != commit.as_str()) {
            let message = format!("{} listed another commit of {id} than {commit}", host(&page.url));
            return Err(HubError::bad(message));
        }
        let mut listing = Listing::default();
        info.siblings
            .iter()
            .for_each(|entry| listing.add(entry, &SIBLING));
        Ok(listing.finish())
    }
}

/// Reads pages entry by entry, so that no page stands in memory as a whole.
#[derive(Default)]
pub(super) struct Bounded {
    entries: Listing,
    count: usize,
}

impl Bounded {
    /// Adds the entries of one page, given as its JSON.
    ///
    /// # Errors
    /// When it is no array, or the listing [`is full`](Self::is_full).
    pub(super) fn read(&mut self, page: &[u8]) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(page);
        Entries(self, &TREE).deserialize(&mut json)?;
        json.end()
    }

    /// The tree of all pages read.
    pub(super) fn finish(self) -> Tree {
        self.entries.finish()
    }

    fn is_full(&self) -> bool {
        self.count > ENTRIES_MAX
    }
}

struct Entries<'a>(&'a mut Bounded, &'a Keys);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of tree entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(entry) = array.next_element::<Value>()? {
            self.0.count += 1;
            if self.0.is_full() {
                return Err(serde::de::Error::custom("too many entries"));
            }
            self.0.entries.add(&entry, self.1);
        }
        Ok(())
    }
}
