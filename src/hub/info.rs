//! What the Hub says of a repo besides its files.

use serde::Deserialize;
use serde_json::Value;

use super::HubClient;
use super::error::HubError;
use super::revision::{Resolved, resolved};
use super::text::{self, Gate};
use crate::model::repo::{RepoId, RepoType, Revision, shown};

/// Most flagged files that are kept.
const FLAGGED_MAX: usize = 1000;

/// The info of a repo at a revision.
#[derive(Debug, Clone)]
pub struct RepoInfo {
    /// What the revision means now, and the id as the Hub spells it.
    pub resolved: Resolved,
    /// Whether terms stand before the files.
    pub gate: Gate,
    /// Whether the Hub switched the repo off.
    pub disabled: bool,
    /// Tags, such as `license:mit` and `base_model:quantized:owner/name`.
    pub tags: Vec<String>,
    /// What the model is for.
    pub pipeline_tag: Option<String>,
    /// Library the model is made for.
    pub library_name: Option<String>,
    /// Downloads of the last 30 days.
    pub downloads: Option<u64>,
    /// Likes.
    pub likes: Option<u64>,
    /// When the repo changed last, RFC 3339.
    pub last_modified: Option<String>,
    /// What the Hub's scanners say of the files.
    pub security: Security,
}

/// What the Hub's scanners say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// Whether all scans are done; `None` when the endpoint does not tell.
    pub scans_done: Option<bool>,
    /// Files with findings.
    pub flagged: Vec<Flagged>,
}

/// A file with a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagged {
    /// Its path, safe to show.
    pub path: String,
    /// `unsafe`, `suspicious`, `caution`, …
    pub level: String,
}

/// Each field is read by itself, so that an odd one spoils no other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Info {
    gated: Value,
    disabled: Value,
    tags: Value,
    #[serde(rename = "pipeline_tag")]
    pipeline_tag: Value,
    #[serde(rename = "library_name")]
    library_name: Value,
    downloads: Value,
    likes: Value,
    last_modified: Value,
    security_repo_status: Value,
}

impl HubClient {
    /// Asks what `revision` of a repo is and what is known of the repo: one request of the
    /// `api` bucket, which gated repos answer too.
    ///
    /// # Errors
    /// As [`HubClient::resolve`].
    pub async fn repo_info(
        &self,
        repo_type: RepoType,
        id: &RepoId,
        revision: &Revision,
    ) -> Result<RepoInfo, HubError> {
        let page = self
            .info(repo_type, id, revision.as_str(), Some("securityStatus=true"))
            .await?;
        let resolved = resolved(&page, id, revision)?;
        let info: Info = page.json()?;
        Ok(RepoInfo {
            resolved,
            gate: Gate::read(&info.gated),
            disabled: info.disabled == Value::Bool(true),
            tags: text::texts(&info.tags),
            pipeline_tag: text::text(&info.pipeline_tag),
            library_name: text::text(&info.library_name),
            downloads: text::count(&info.downloads),
            likes: text::count(&info.likes),
            last_modified: text::time(&info.last_modified),
            security: security(&info.security_repo_status),
        })
    }
}

fn security(status: &Value) -> Security {
    let files = status["filesWithIssues"].as_array();
    let flagged = files.into_iter().flatten().filter_map(|file| {
        Some(Flagged {
            path: shown(file["path"].as_str()?),
            level: text::text(&file["level"])?,
        })
    });
    Security {
        scans_done: status["scansDone"].as_bool(),
        flagged: flagged.take(FLAGGED_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn findings_are_read_and_odd_ones_passed_over() {
        let status = json!({"scansDone": true, "filesWithIssues": [
            {"path": "x.pkl", "level": "unsafe"}, {"path": 7, "level": "unsafe"}, {"path": "y"}, null,
        ]});
        let found = security(&status);
        assert_eq!(found.scans_done, Some(true));
        let expected = Flagged {
            path: "x.pkl".to_owned(),
            level: "unsafe".to_owned(),
        };
        assert_eq!(found.flagged, [expected]);
        for nothing in [json!(null), json!([]), json!("x"), json!({"filesWithIssues": 7})] {
            assert_eq!(security(&nothing), Security::default(), "{nothing}");
        }
    }
}
