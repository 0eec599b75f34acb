//! The newest commits of a revision.

use serde_json::Value;

use super::HubClient;
use super::api::{self, segment};
use super::classify::{About, Part};
use super::error::HubError;
use super::text;
use crate::model::repo::{Commit, RepoId, RepoType, Revision};

/// Most bytes of an answer; a commit takes some 400.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// One page of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPage {
    /// Newest first.
    pub commits: Vec<CommitHead>,
    /// Whether there are older ones.
    pub more: bool,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitHead {
    /// Its hash.
    pub commit: Commit,
    /// Its first line; cut to 200 characters.
    pub title: String,
    /// When it was made, RFC 3339.
    pub date: Option<String>,
}

impl HubClient {
    /// Lists the newest `limit` (50–1000) commits of a revision, in one request of the `api` bucket.
    ///
    /// # Errors
    /// As [`HubClient::resolve`]; `bad_response` when the answer is no list.
    pub async fn commits(
        &self,
        repo_type: RepoType,
        id: &RepoId,
        revision: &Revision,
        limit: usize,
    ) -> Result<CommitPage, HubError> {
        let mut url = self.url(&format!(
            "api/{}/{id}/commits/{}",
            repo_type.plural(),
            segment(revision.as_str())
        ));
        url.set_query(Some(&format!("p=0&limit={limit}")));
        let page = self.page(repo_type, id);
        let about = About {
            repo_type,
            id,
            part: Part::Revision(revision.as_str()),
            page: &page,
        };
        let page = api::get_within(&self.wire, url, Some(&about), BYTES_MAX).await?;
        let list: Vec<Value> = page.json()?;
        Ok(read(&list, limit, page.next.is_some()))
    }
}

fn read(list: &[Value], limit: usize, has_next: bool) -> CommitPage {
    let commits = list.iter().take(limit).filter_map(|entry| {
        Some(CommitHead {
            commit: entry["id"].as_str()?.parse().ok()?,
            title: text::text(&entry["title"]).unwrap_or_default(),
            date: text::time(&entry["date"]),
        })
    });
    CommitPage {
        commits: commits.collect(),
        more: has_next || list.len() > limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_hostile_list_only_commits_are_kept() {
        let sha = "a".repeat(40);
        let list = [
            json!({"id": sha, "title": "Fix\u{0} it", "date": "2026-01-02T03:04:05.000Z"}),
            json!({"id": "short"}),
            json!(null),
            json!({"id": sha, "title": 7, "date": "yesterday"}),
        ];
        let page = read(&list, 50, false);
        assert_eq!(page.commits.len(), 2);
        assert_eq!(page.commits[0].title, "Fix it");
        assert_eq!(
            (page.commits[1].title.as_str(), &page.commits[1].date),
            ("", &None)
        );
        assert!(!page.more);
        assert!(read(&list, 3, false).more && read(&list, 50, true).more);
        assert_eq!(read(&list, 1, false).commits.len(), 1);
    }
}
