//! Branches and tags of a repo.

use serde_json::Value;

use super::HubClient;
use super::api;
use super::classify::{About, Part};
use super::error::HubError;
use crate::model::analysis::{Ref, RefKind};
use crate::model::repo::{Commit, RepoId, RepoType, Revision};

/// Most branches and tags that are kept, of each kind.
const REFS_MAX: usize = 1000;
/// Most bytes of the answer; a ref takes about 130.
const BYTES_MAX: usize = 4 * 1024 * 1024;

impl HubClient {
    /// Lists the branches and tags of a repo, in one request of the `api` bucket. Names that
    /// could not be asked for are left out; an endpoint without this route has none.
    ///
    /// # Errors
    /// As [`HubClient::resolve`], but never for a bare 404.
    pub async fn refs(&self, repo_type: RepoType, id: &RepoId) -> Result<Vec<Ref>, HubError> {
        let url = self.url(&format!("api/{}/{id}/refs", repo_type.plural()));
        let page = self.page(repo_type, id);
        let about = About {
            repo_type,
            id,
            part: Part::Revision("refs"),
            page: &page,
        };
        match api::get_within(&self.wire, url, Some(&about), BYTES_MAX).await {
            Ok(page) => Ok(read(&page.json()?)),
            Err(error) if error.status == Some(404) && !error.named => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn read(answer: &Value) -> Vec<Ref> {
    let kinds = [("branches", RefKind::Branch), ("tags", RefKind::Tag)];
    let of = |(key, kind): (&str, RefKind)| {
        let list = answer[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let refs = list.iter().filter_map(move |entry| {
            let name: Revision = entry["name"].as_str()?.parse().ok()?;
            let commit: Commit = entry["targetCommit"].as_str()?.parse().ok()?;
            Some(Ref {
                name: name.to_string(),
                kind,
                commit: commit.to_string(),
            })
        });
        refs.take(REFS_MAX).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_refs_that_can_be_asked_for_are_kept() {
        let sha = "a".repeat(40);
        let entry = |name: &str| json!({"name": name, "ref": "x", "targetCommit": sha});
        let answer = json!({
            "branches": [entry("main"), entry("../x"), {"name": "short", "targetCommit": "abc"}, null, {"name": 7}],
            "tags": [entry("v1.0")], "converts": [entry("parquet")],
        });
        let refs = read(&answer);
        let names: Vec<_> = refs
            .iter()
            .map(|found| (found.name.as_str(), found.kind))
            .collect();
        assert_eq!(names, [("main", RefKind::Branch), ("v1.0", RefKind::Tag)]);
        let many = json!({"branches": vec![entry("b"); REFS_MAX + 5]});
        assert_eq!(read(&many).len(), REFS_MAX);
        for nothing in [json!(null), json!([]), json!({"branches": {}})] {
            assert!(read(&nothing).is_empty(), "{nothing}");
        }
    }
}
