//! Lists of repos: search, filter, sort, pages.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;
use url::Url;

use super::HubClient;
use super::api::{self, Page};
use super::error::HubError;
use super::text::{self, Gate};
use crate::model::repo::{RepoId, RepoType};

/// Most bytes of one answer.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most entries of one answer that are looked at, whatever limit was asked.
const ENTRIES_MAX: usize = 1000;
/// Longest cursor that is passed on; the Hub's have some 100 characters.
const CURSOR_MAX: usize = 2048;

/// Fields that are asked for; the Hub's short form leaves out dates and gates.
const FIELDS: [&str; 11] = [
    "author",
    "createdAt",
    "downloads",
    "gated",
    "lastModified",
    "library_name",
    "likes",
    "pipeline_tag",
    "private",
    "tags",
    "trendingScore",
];
/// Fields of [`FIELDS`] that only models have; the Hub refuses them for datasets.
const MODEL_FIELDS: [&str; 2] = ["library_name", "pipeline_tag"];

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// Models or datasets.
    pub repo_type: RepoType,
    /// Part of the id.
    pub text: Option<String>,
    /// Namespace.
    pub author: Option<String>,
    /// Tags that all results have.
    pub filters: Vec<String>,
    /// At most so many parameters, in the Hub's words such as `8B`; models that do not tell are left out.
    pub most_parameters: Option<String>,
    /// Field that comes down: `downloads`, `likes`, `lastModified`, `createdAt`, `trendingScore`.
    pub sort: &'static str,
    /// Results on a page, 1–100.
    pub limit: u32,
    /// Where the page begins: [`SearchPage::next`] of the page before.
    pub cursor: Option<String>,
}

/// One page of results.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchPage {
    /// In the order of the Hub.
    pub results: Vec<Found>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// One result; every text is cut to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The repo.
    pub id: RepoId,
    /// Its namespace.
    pub author: String,
    /// Downloads of the last 30 days.
    pub downloads: u64,
    /// Likes.
    pub likes: u64,
    /// What the Hub makes of both lately.
    pub trending_score: Option<u64>,
    /// Whether only some accounts see it.
    pub private: bool,
    /// Whether terms stand before its files.
    pub gate: Gate,
    /// What the model is for.
    pub pipeline_tag: Option<String>,
    /// Library the model is made for.
    pub library_name: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When it changed last, RFC 3339.
    pub last_modified: Option<String>,
    /// When it was created, RFC 3339.
    pub created_at: Option<String>,
}

impl HubClient {
    /// Asks for one page of repos, in one request of the `api` bucket. Entries whose id is no
    /// `owner/name` are left out: they could not be downloaded.
    ///
    /// # Errors
    /// `bad_token`, `access_denied`, `entry_not_found` when the endpoint has no search,
    /// `rate_limited`, `server_error`, `offline`, `tls_error`; `bad_response` when the answer is
    /// no list or longer than 4 MiB.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage, HubError> {
        let mut url = self.url(&format!("api/{}", query.repo_type.plural()));
        write(query, &mut url);
        let page = api::get_within(&self.wire, url, None, BYTES_MAX).await?;
        let results = read(&page).map_err(|error| page.unreadable(&error))?;
        // Only the cursor of the next page is taken, so that no answer can lead us elsewhere.
        let next = page.next.as_deref().and_then(|link| cursor(&page.url, link));
        Ok(SearchPage { results, next })
    }
}

fn write(query: &SearchQuery, url: &mut Url) {
    let mut pairs = url.query_pairs_mut();
    if let Some(text) = &query.text {
        pairs.append_pair("search", text);
    }
    if let Some(author) = &query.author {
        pairs.append_pair("author", author);
    }
    for filter in &query.filters {
        pairs.append_pair("filter", filter);
    }
    if let Some(most) = &query.most_parameters {
        pairs.append_pair("num_parameters", &format!("max:{most}"));
    }
    pairs.append_pair("sort", query.sort);
    pairs.append_pair("limit", &query.limit.to_string());
    if let Some(cursor) = &query.cursor {
        pairs.append_pair("cursor", cursor);
    }
    for field in FIELDS {
        if query.repo_type == RepoType::Model || !MODEL_FIELDS.contains(&field) {
            pairs.append_pair("expand", field);
        }
    }
}

/// The cursor in the link to the next page.
fn cursor(from: &Url, link: &str) -> Option<String> {
    let next = from.join(link).ok()?;
    let (_, cursor) = next.query_pairs().find(|(key, _)| key == "cursor")?;
    (1..=CURSOR_MAX)
        .contains(&cursor.len())
        .then(|| cursor.into_owned())
}

fn read(page: &Page) -> Result<Vec<Found>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(&page.body);
    let found = json.deserialize_seq(Entries)?;
    json.end()?;
    Ok(found)
}

/// Reads entry by entry, so that a hostile page never stands in memory as values.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Found>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of repos")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        let mut seen = 0;
        while let Some(entry) = array.next_element::<Value>()? {
            seen += 1;
            if seen <= ENTRIES_MAX {
                found.extend(one(&entry));
            }
        }
        Ok(found)
    }
}

fn one(entry: &Value) -> Option<Found> {
    let id: RepoId = entry["id"].as_str()?.parse().ok()?;
    Some(Found {
        author: text::text(&entry["author"]).unwrap_or_else(|| id.owner().to_owned()),
        downloads: text::count(&entry["downloads"]).unwrap_or(0),
        likes: text::count(&entry["likes"]).unwrap_or(0),
        trending_score: text::count(&entry["trendingScore"]),
        private: entry["private"] == Value::Bool(true),
        gate: Gate::read(&entry["gated"]),
        pipeline_tag: text::text(&entry["pipeline_tag"]),
        library_name: text::text(&entry["library_name"]),
        tags: text::texts(&entry["tags"]),
        last_modified: text::time(&entry["lastModified"]),
        created_at: text::time(&entry["createdAt"]),
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(body: &Value) -> Page {
        Page {
            body: body.to_string().into_bytes(),
            url: Url::parse("https://hub.example/api/models").unwrap(),
            next: None,
        }
    }

    #[test]
    fn a_hostile_list_gives_only_repos_that_could_be_downloaded() {
        let list = json!([
            {"id": "acme/good", "downloads": -5, "likes": "many", "gated": "manual", "tags": ["a", 7]},
            {"id": "../../etc"}, {"id": "acme/<script>"}, {"id": "gpt2"}, {"id": 7}, {}, [], null, "x",
        ]);
        let found = read(&page(&list)).unwrap();
        assert_eq!(found.len(), 1);
        let good = &found[0];
        assert_eq!((good.id.as_str(), good.author.as_str()), ("acme/good", "acme"));
        assert_eq!((good.downloads, good.likes, good.gate), (0, 0, Gate::Manual));
        assert_eq!(good.tags, ["a"]);
        for odd in [json!({}), json!(null), json!("x"), json!({"error": "x"})] {
            assert!(read(&page(&odd)).is_err(), "{odd}");
        }
        let many = json!(vec![json!({"id": "a/b"}); ENTRIES_MAX + 1]);
        assert_eq!(read(&page(&many)).unwrap().len(), ENTRIES_MAX);
    }

    #[test]
    fn of_the_next_page_only_the_cursor_is_taken() {
        let from = Url::parse("https://hub.example/api/models?limit=1").unwrap();
        for (link, expected) in [
            (
                "https://hub.example/api/models?cursor=a%3D%3D&limit=1",
                Some("a=="),
            ),
            ("?cursor=x", Some("x")),
            ("https://evil.example/?cursor=y", Some("y")),
            ("?cursor=", None),
            ("?p=2", None),
            ("http://[", None),
        ] {
            assert_eq!(cursor(&from, link).as_deref(), expected, "{link}");
        }
        assert_eq!(
            cursor(&from, &format!("?cursor={}", "x".repeat(CURSOR_MAX + 1))),
            None
        );
    }

    #[test]
    fn what_is_asked_stands_in_the_query_and_nowhere_else() {
        let query = SearchQuery {
            repo_type: RepoType::Dataset,
            text: Some("a&b=c#d/../e".to_owned()),
            author: None,
            filters: vec!["gguf".to_owned(), "license:mit".to_owned()],
            most_parameters: Some("8B".to_owned()),
            sort: "likes",
            limit: 5,
            cursor: Some("x=".to_owned()),
        };
        let mut url = Url::parse("https://hub.example/api/datasets").unwrap();
        write(&query, &mut url);
        assert_eq!(url.path(), "/api/datasets");
        assert_eq!(url.fragment(), None);
        let pairs: Vec<_> = url.query_pairs().map(|(k, v)| format!("{k} {v}")).collect();
        assert_eq!(
            pairs[..7],
            [
                "search a&b=c#d/../e",
                "filter gguf",
                "filter license:mit",
                "num_parameters max:8B",
                "sort likes",
                "limit 5",
                "cursor x="
            ]
        );
        assert!(!pairs.contains(&"expand pipeline_tag".to_owned()));
    }
}
