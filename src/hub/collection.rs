//! Collections: lists of repos, spaces and papers that somebody put together.

use serde_json::Value;

use super::HubClient;
use super::api;
use super::error::{Class, HubError};
use super::redirect::host;
use super::text::{self, Gate};
use crate::model::code::Code;
use crate::model::collection::CollectionId;
use crate::model::repo::{RepoId, RepoType};

/// Most bytes of an answer; an entry takes some 2 KiB.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most entries of a collection, and collections of an owner, that are looked at.
const ENTRIES_MAX: usize = 1000;

/// A collection with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// As the Hub names it, which may differ from what was asked: a renamed one keeps its old addresses.
    pub id: CollectionId,
    /// Name for people.
    pub title: String,
    /// What its owner says of it; cut to 200 characters.
    pub description: Option<String>,
    /// Whether only some accounts see it.
    pub private: bool,
    /// When it changed last, RFC 3339.
    pub last_updated: Option<String>,
    /// In its order.
    pub items: Vec<CollectionItem>,
}

/// One entry of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionItem {
    /// A repo that can be downloaded.
    Repo {
        /// Kind of the repo.
        repo_type: RepoType,
        /// The repo.
        id: RepoId,
        /// Whether terms stand before its files.
        gate: Gate,
        /// Whether only some accounts see it.
        private: bool,
    },
    /// Something else: a space, a paper, or what has no `owner/name`.
    Other {
        /// What it is, in the Hub's word.
        kind: String,
        /// Its id or title.
        name: String,
    },
}

/// One of an owner's collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionHead {
    /// Its name.
    pub id: CollectionId,
    /// Name for people.
    pub title: String,
    /// What its owner says of it; cut to 200 characters.
    pub description: Option<String>,
    /// Whether only some accounts see it.
    pub private: bool,
    /// When it changed last, RFC 3339.
    pub last_updated: Option<String>,
}

impl HubClient {
    /// Asks for a collection, in one request of the `api` bucket.
    ///
    /// # Errors
    /// `repo_not_found` when there is none or the token may not see it; `access_denied`, `bad_token`;
    /// `bad_response` when the answer is none; else as [`HubClient::search`].
    pub async fn collection(&self, id: &CollectionId) -> Result<Collection, HubError> {
        let url = self.url(&format!("api/collections/{id}"));
        let page = api::get_within(&self.wire, url, None, BYTES_MAX).await;
        let page = page.map_err(|error| self.named(error, id))?;
        let answer: Value = page.json()?;
        read(&answer).ok_or_else(|| {
            HubError::bad(format!(
                "{} sent something that is no collection",
                host(&page.url)
            ))
        })
    }

    /// Asks for the collections of an owner, at most `limit` (1–100), in one request of the `api` bucket.
    ///
    /// # Errors
    /// As [`HubClient::search`].
    pub async fn collections(&self, owner: &str, limit: u32) -> Result<Vec<CollectionHead>, HubError> {
        let mut url = self.url("api/collections");
        url.query_pairs_mut()
            .append_pair("owner", owner)
            .append_pair("sort", "lastModified")
            .append_pair("limit", &limit.to_string());
        let page = api::get_within(&self.wire, url, None, BYTES_MAX).await?;
        let list: Vec<Value> = page.json()?;
        Ok(list.iter().take(ENTRIES_MAX).filter_map(head).collect())
    }

    /// A refusal in words about the collection: the Hub answers 401 or 404 for one that is private.
    fn named(&self, error: HubError, id: &CollectionId) -> HubError {
        let with_token = self.config.token.is_some();
        let place = error.host.clone().unwrap_or_default();
        let (class, code, message) = match error.status {
            Some(401) if with_token => return error,
            Some(401 | 404 | 410) if with_token => (
                Class::Permanent,
                Code::RepoNotFound,
                format!("The collection {id} does not exist, or the token may not see it (asked {place})"),
            ),
            Some(401 | 404 | 410) => (
                Class::Permanent,
                Code::RepoNotFound,
                format!("The collection {id} is missing or private, or needs a token (asked {place})"),
            ),
            Some(403) => (
                Class::NeedsUser,
                Code::AccessDenied,
                format!("{place} refuses access to the collection {id} (403)"),
            ),
            _ => return error,
        };
        HubError {
            class,
            code,
            message,
            ..error
        }
    }
}

fn head(answer: &Value) -> Option<CollectionHead> {
    let id: CollectionId = answer["slug"].as_str()?.parse().ok()?;
    Some(CollectionHead {
        title: text::text(&answer["title"]).unwrap_or_else(|| id.to_string()),
        description: text::text(&answer["description"]),
        private: answer["private"] == Value::Bool(true),
        last_updated: text::time(&answer["lastUpdated"]),
        id,
    })
}

fn read(answer: &Value) -> Option<Collection> {
    let CollectionHead {
        id,
        title,
        description,
        private,
        last_updated,
    } = head(answer)?;
    let items = answer["items"].as_array()?;
    Some(Collection {
        id,
        title,
        description,
        private,
        last_updated,
        items: items.iter().take(ENTRIES_MAX).map(item).collect(),
    })
}

fn item(entry: &Value) -> CollectionItem {
    let kind = text::text(&entry["type"]).unwrap_or_else(|| "unknown".to_owned());
    let id = entry["id"].as_str().and_then(|id| id.parse().ok());
    match (kind.parse(), id) {
        (Ok(repo_type), Some(id)) => CollectionItem::Repo {
            repo_type,
            id,
            gate: Gate::read(&entry["gated"]),
            private: entry["private"] == Value::Bool(true),
        },
        _ => CollectionItem::Other {
            name: text::text(&entry["title"])
                .or_else(|| text::text(&entry["id"]))
                .or_else(|| text::text(&entry["slug"]))
                .unwrap_or_default(),
            kind,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hostile_collection_gives_only_repos_that_could_be_downloaded() {
        let answer = json!({"slug": "acme/x-1", "title": "X\u{7}", "items": [
            {"type": "model", "id": "acme/good", "gated": "manual", "private": true},
            {"type": "dataset", "id": "../../etc"}, {"type": "model", "id": "gpt2"},
            {"type": "paper", "id": "2401.1", "title": "A paper"}, {"type": 7}, null, "x",
        ]});
        let found = read(&answer).unwrap();
        assert_eq!(found.title, "X");
        let repos = found
            .items
            .iter()
            .filter(|item| matches!(item, CollectionItem::Repo { .. }));
        assert_eq!(repos.count(), 1);
        let other = |kind: &str, name: &str| CollectionItem::Other {
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(
            found.items[1..4],
            [
                other("dataset", "../../etc"),
                other("model", "gpt2"),
                other("paper", "A paper")
            ]
        );
        for odd in [
            json!({}),
            json!([]),
            json!({"slug": "../x", "items": []}),
            json!({"slug": "a/b"}),
        ] {
            assert_eq!(read(&odd), None, "{odd}");
        }
        let many =
            json!({"slug": "a/b", "items": vec![json!({"type": "model", "id": "a/b"}); ENTRIES_MAX + 1]});
        assert_eq!(read(&many).unwrap().items.len(), ENTRIES_MAX);
    }
}
