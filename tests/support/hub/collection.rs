//! Collections: lists of repos, spaces and papers, `GET /api/collections` and
//! `GET /api/collections/{owner}/{slug}`.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::api::fields;
use super::ask::Ask;
use super::page::Paging;
use super::repo::Kind;
use super::world::World;

/// Collections of a page when the client names no limit.
const DEFAULT_ITEMS: usize = 10;
/// A list shows no more of each collection (the Hub's documentation of `/api/collections`).
const LISTED_ITEMS: usize = 4;
/// Digits of the id at the end of a slug; the words before them may be any others.
const ID_DIGITS: usize = 24;

/// A collection under construction or in service.
#[derive(Debug, Clone)]
pub struct Collection {
    /// `owner/words-id`.
    pub slug: String,
    title: String,
    private: bool,
    items: Vec<(String, String)>,
}

impl Collection {
    /// An empty collection; `slug` is `owner/words-id`.
    pub fn new(slug: &str, title: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            title: title.to_owned(),
            private: false,
            items: Vec::new(),
        }
    }

    /// Adds an entry: `model`, `dataset`, `space`, `paper` or `collection`.
    #[must_use]
    pub fn item(mut self, kind: &str, id: &str) -> Self {
        self.items.push((kind.to_owned(), id.to_owned()));
        self
    }

    /// Only accounts with a grant for it see it.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    fn owner(&self) -> &str {
        self.slug.split('/').next().unwrap_or_default()
    }

    /// The id at the end, by which it is found whatever words stand before it.
    fn id(&self) -> Option<&str> {
        id_of(&self.slug)
    }

    fn fields(&self, world: &World, ask: &Ask, most: usize) -> Value {
        let items = self
            .items
            .iter()
            .filter_map(|(kind, id)| item(world, ask, kind, id))
            .enumerate()
            .map(|(position, mut item)| {
                item.insert("position".to_owned(), json!(position));
                Value::Object(item)
            });
        json!({"slug": self.slug, "title": self.title, "description": format!("{}, put together", self.title),
            "lastUpdated": "2026-03-04T05:06:07.000Z", "gating": false, "theme": "blue", "private": self.private,
            "upvotes": 1, "isUpvotedByUser": false, "owner": {"type": "user", "name": self.owner()},
            "items": items.take(most).collect::<Vec<_>>()})
    }
}

fn id_of(slug: &str) -> Option<&str> {
    let id = &slug[slug.len().checked_sub(ID_DIGITS)?..];
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(id)
}

/// An entry as it is shown; a repo that is gone, or that the caller may not see, is left out.
fn item(world: &World, ask: &Ask, kind: &str, id: &str) -> Option<Map<String, Value>> {
    let repo_kind = match kind {
        "model" => Kind::Model,
        "dataset" => Kind::Dataset,
        // Neither is served here: what the Hub would say of them is not asked for by anyone.
        _ => {
            let item = json!({"_id": "65f0000000000000000000bb", "type": kind, "id": id, "title": format!("On {id}")});
            return item.as_object().cloned();
        }
    };
    let repo = world.repo(repo_kind, id)?;
    if repo.private && !may_see(world, ask, id) {
        return None;
    }
    let commit = repo.revision("main")?;
    let mut item = fields(&repo, commit);
    item.retain(|name, _| {
        [
            "id",
            "author",
            "downloads",
            "gated",
            "lastModified",
            "likes",
            "private",
            "pipeline_tag",
        ]
        .contains(&name.as_str())
    });
    item.insert("type".to_owned(), json!(kind));
    Some(item)
}

fn may_see(world: &World, ask: &Ask, id: &str) -> bool {
    ask.token()
        .and_then(|token| world.account(token))
        .is_some_and(|account| account.may_read(id))
}

/// Answers `GET /api/collections/{owner}/{slug}`.
pub fn answer(world: &World, ask: &Ask, slug: &str) -> Answer {
    let all = world.collections();
    let found = all.iter().find(|one| one.slug == slug).or_else(|| {
        let id = id_of(slug)?;
        all.iter().find(|one| one.id() == Some(id))
    });
    let Some(found) = found.filter(|one| !one.private || may_see(world, ask, &one.slug)) else {
        return Answer::error(404, None, "Collection not found");
    };
    if found.slug != slug {
        return Answer::redirect(307, &format!("/api/collections/{}", found.slug));
    }
    Answer::json(200, &found.fields(world, ask, usize::MAX))
}

/// Answers `GET /api/collections`.
pub fn list(world: &World, ask: &Ask) -> Answer {
    let owners = ask.parameters("owner");
    let all = world.collections();
    let mut found: Vec<_> = all
        .iter()
        .rev()
        .filter(|one| owners.is_empty() || owners.contains(&one.owner()))
        .filter(|one| !one.private || may_see(world, ask, &one.slug))
        .collect();
    let paging = Paging::new(world, ask, DEFAULT_ITEMS);
    found.truncate(paging.entries);
    let list: Value = found
        .iter()
        .map(|one| one.fields(world, ask, LISTED_ITEMS))
        .collect();
    Answer::json(200, &list)
}
