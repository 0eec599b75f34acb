//! From a revision to the commit it means now.

use serde::Deserialize;
use serde_json::Value;

use super::api::{self, segment};
use super::classify::{About, Part};
use super::error::HubError;
use super::redirect::host;
use super::{HubClient, api::Page};
use crate::model::repo::{Commit, RepoId, RepoType, Revision};

/// What a revision means now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The commit; everything else is addressed by it.
    pub commit: Commit,
    /// The id as the Hub spells it, which may differ from what was asked (case, renames).
    pub id: RepoId,
    /// Whether terms have to be accepted before files can be fetched.
    pub gated: bool,
    /// Whether only some accounts see it.
    pub private: bool,
}

/// The fields that matter; unknown ones and nulls are fine, `gated` is a bool or a word.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    sha: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    gated: Value,
    #[serde(default)]
    private: Value,
}

impl HubClient {
    /// Asks which commit `revision` of a repo is, in one request of the `api` bucket.
    ///
    /// # Errors
    /// `repo_not_found`, `revision_not_found`, `bad_token`, `gated`, `access_denied`,
    /// `repo_disabled`, `rate_limited`, `server_error`, `offline`, `tls_error`; `bad_response`
    /// when the answer holds no commit, or another one than the commit that was asked.
    pub async fn resolve(
        &self,
        repo_type: RepoType,
        id: &RepoId,
        revision: &Revision,
    ) -> Result<Resolved, HubError> {
        let page = self.info(repo_type, id, revision.as_str(), None).await?;
        resolved(&page, id, revision)
    }

    /// Repo info at a revision, with what `more` asks for besides: `blobs=true` adds size and
    /// ids of each file, `securityStatus=true` what the scanners say.
    pub(super) async fn info(
        &self,
        repo_type: RepoType,
        id: &RepoId,
        revision: &str,
        more: Option<&str>,
    ) -> Result<Page, HubError> {
        let mut url = self.url(&format!(
            "api/{}/{id}/revision/{}",
            repo_type.plural(),
            segment(revision)
        ));
        url.set_query(more);
        let page = self.page(repo_type, id);
        let about = About {
            repo_type,
            id,
            part: Part::Revision(revision),
            page: &page,
        };
        api::get(&self.wire, url, &about).await
    }
}

/// Reads commit and access from the repo info.
///
/// # Errors
/// `bad_response` when it holds no commit, or another one than the commit that was asked.
pub(super) fn resolved(page: &Page, id: &RepoId, revision: &Revision) -> Result<Resolved, HubError> {
    let info: Info = page.json()?;
    let name = host(&page.url);
    let commit: Commit = info
        .sha
        .as_str()
        .and_then(|sha| sha.parse().ok())
        .ok_or_else(|| HubError::odd(format!("{name} named no commit for {id} at \"{revision}\"")))?;
    if revision
        .as_str()
        .parse::<Commit>()
        .is_ok_and(|asked| asked != commit)
    {
        let message = format!("{name} named the commit {commit} when {revision} of {id} was asked");
        return Err(HubError::bad(message));
    }
    // Mirrors may leave the id out or give one we cannot store; then the asked one stays.
    let canonical = info.id.as_str().and_then(|id| id.parse().ok());
    Ok(Resolved {
        commit,
        id: canonical.unwrap_or_else(|| id.clone()),
        gated: !matches!(info.gated, Value::Null | Value::Bool(false)),
        private: info.private == Value::Bool(true),
    })
}
