//! `GET /api/commits/{owner}/{name}`: the newest commits of a repo, and how far what is here is behind.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::analyze::revision;
use super::cache::Place;
use super::cache_views::texts;
use super::error::ApiResult;
use super::extract::{QueryFields, RepoParams, RepoPath};
use super::kept::Kept;
use super::state::AppState;
use super::upstream;
use crate::hub::CommitPage;
use crate::model::library::CachedRepo;
use crate::model::repo::{Commit, RepoId, RepoType, Revision};

/// Commits of an answer: the smallest page that the Hub gives.
const SHOWN: usize = 50;
/// How long a page of a branch or tag is remembered; that of a commit never changes.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);
/// Pages remembered at most, some 10 KiB each.
const KEPT_PAGES: usize = 100;
const FAILED: &str = "Commits not loaded";

/// Commits of a repo.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Commits {
    repo: RepoId,
    dataset: bool,
    /// As it was asked.
    revision: Revision,
    /// Newest first; at most 50.
    commits: Vec<CommitView>,
    /// Whether there are older ones.
    more: bool,
    /// How many commits are newer than the newest one that is in the cache: 0 = the newest is here.
    /// With `behindMore` it is at least so many. `null` when none of it is here, or only commits
    /// that do not belong to this revision.
    #[schema(required)]
    behind: Option<usize>,
    /// Whether `behind` is only where the list ends.
    behind_more: bool,
    /// The newest of these commits that is in the cache.
    #[schema(required)]
    held: Option<Held>,
}

/// One commit.
#[derive(Serialize, ToSchema)]
#[schema(as = UpstreamCommit)]
pub struct CommitView {
    commit: Commit,
    /// Its first line.
    title: String,
    /// RFC 3339, or empty.
    date: String,
    /// Whether a snapshot of it is in the cache.
    cached: bool,
}

/// A commit that is in the cache.
#[derive(Serialize, ToSchema)]
#[schema(as = HeldCommit)]
pub struct Held {
    commit: Commit,
    /// Branches and tags by which the cache knows it.
    refs: Vec<String>,
}

/// The newest commits of a repo, and how far what is here is behind
#[utoipa::path(
    get, path = "/api/commits/{*repo}", tag = "hub", operation_id = "listCommits",
    params(
        RepoParams,
        ("dataset" = Option<bool>, Query, description = "Whether it is a dataset"),
        ("revision" = inline(Option<Revision>), Query, description = "Branch, tag or commit; `main` by default"),
    ),
    responses(
        (status = 200, description = "The commits", body = Commits),
        (status = 403, description = "The Hub refuses access"),
        (status = 404, description = "No such repo or revision, or an endpoint that tells no commits"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    RepoPath(repo): RepoPath,
    query: QueryFields,
) -> ApiResult<Json<Commits>> {
    let dataset = query.flag("dataset")?.unwrap_or(false);
    let repo_type = if dataset {
        RepoType::Dataset
    } else {
        RepoType::Model
    };
    let revision = revision(&query)?;
    let hub = app.engine.hub();
    let key = Key {
        client: hub.serial(),
        repo_type,
        repo: repo.clone(),
        revision: revision.clone(),
    };
    // The commits of a commit never change.
    let lasts = revision.as_str().parse::<Commit>().is_ok();
    let known = app.commit_pages.recall(&key);
    let page = match known.filter(|(age, _)| lasts || *age < KEPT_FOR) {
        Some((_, page)) => page,
        None => {
            let asked = hub.commits(repo_type, &repo, &revision, SHOWN);
            let page = Arc::new(upstream::wait(&app, FAILED, app.patience.search, asked).await?);
            app.commit_pages.keep(key, page.clone());
            page
        }
    };
    let place = Place::of(&app);
    place.freshen(&app, false).await;
    let cached = CachedRepo::from((repo_type, &repo));
    let here = app.store.library_repo(&place.hub_text, &cached).await?;
    let here = here.map(|detail| detail.revisions).unwrap_or_default();
    let refs_of = |commit: &Commit| here.iter().find(|row| row.commit_hash == commit.as_str());
    let commits: Vec<CommitView> = page
        .commits
        .iter()
        .map(|head| CommitView {
            commit: head.commit.clone(),
            title: head.title.clone(),
            date: head.date.clone().unwrap_or_default(),
            cached: refs_of(&head.commit).is_some(),
        })
        .collect();
    let at = commits.iter().position(|commit| commit.cached);
    let behind_more = at.is_none() && page.more && !here.is_empty();
    let held = at.map(|at| Held {
        commit: commits[at].commit.clone(),
        refs: refs_of(&commits[at].commit).map_or_else(Vec::new, |row| texts(&row.refs)),
    });
    Ok(Json(Commits {
        repo,
        dataset,
        revision,
        behind: at.or_else(|| behind_more.then_some(commits.len())),
        behind_more,
        held,
        more: page.more,
        commits,
    }))
}

/// Everything that tells pages apart.
#[derive(PartialEq, Eq)]
pub struct Key {
    client: u64,
    repo_type: RepoType,
    repo: RepoId,
    revision: Revision,
}

/// The pages asked for lately.
pub type CommitPages = Kept<Key, Arc<CommitPage>>;

/// No page yet.
pub fn pages() -> CommitPages {
    Kept::new(KEPT_PAGES)
}
