//! `POST /api/cache/export`: real files of a repo in a folder of their own.

use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::cache::{Place, missing};
use super::cache_verify::{find, submit};
use super::cache_views::texts;
use super::error::{ApiError, ApiResult};
use super::extract::Actor;
use super::state::{App, AppState};
use super::targets::{check_place, own_directories};
use super::views::JobView;
use super::wire::{CachedText, PatternText};
use crate::config::paths::{Refusal, check_directory};
use crate::disk::export::Placing;
use crate::engine::ExportSpec;
use crate::model::code::Code;
use crate::model::filter::Filter;
use crate::model::job::Verify;
use crate::model::repo::{RepoPath, RepoType, shown};
use crate::model::state::JobKind;
use crate::store::{LibraryDetail, NewWork};

/// What to export, and where to.
#[derive(Deserialize, ToSchema)]
pub struct ExportRequest {
    #[schema(required, inline, value_type = CachedText)]
    repo: Option<String>,
    /// `model` by default.
    #[serde(rename = "type")]
    repo_type: Option<RepoType>,
    /// A ref, a commit, or its first digits, seven at least; by default what the list shows.
    revision: Option<String>,
    /// Patterns of files to have, as in a download; none means all.
    #[schema(inline, value_type = Option<Vec<PatternText>>, max_items = 1000)]
    filters: Option<Vec<String>>,
    /// The folder: below the first `--export-dir`, or an absolute path below any.
    #[schema(required, nullable = false, pattern = "\\S")]
    dest: Option<String>,
    /// `auto` by default: cloned where the file system can, else hard-linked, else copied.
    mode: Option<Placing>,
}

/// Put real files of a repo into a folder
///
/// A job of the kind `export`. A file that is there with the length and time of its content stays
/// as it is; any other is replaced in one step. Hard-linked files are those of the cache: who
/// changes one changes both.
#[utoipa::path(
    post, path = "/api/cache/export", tag = "cache", operation_id = "exportCached",
    request_body = ExportRequest,
    responses(
        (status = 202, description = "The job", body = JobView),
        (status = 200, description = "The same export that is live already", body = JobView),
        (status = 400, description = "Exports are disabled, or the folder is none"),
        (status = 403, description = "The folder is not allowed"),
        (status = 404, description = "The repo or revision is not in the cache"),
    )
)]
pub async fn export(
    State(app): State<AppState>,
    Actor(actor): Actor,
    JsonBody(asked): JsonBody<ExportRequest>,
) -> ApiResult<Response> {
    let needed = |name: &str, given: Option<String>| {
        let given = given.map(|text| text.trim().to_owned());
        given
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::bad_request(format!("Missing required field: {name}")))
    };
    let id = needed("repo", asked.repo)?;
    let dest = needed("dest", asked.dest)?;
    if app.export_dirs.is_empty() {
        return Err(ApiError::bad_request("Export is disabled")
            .details("The service was started without --export-dir")
            .hint("Start it with --export-dir DIR; exports go below that folder only."));
    }
    let place = Place::of(&app);
    let repo = find(&app, &place, asked.repo_type, &id).await?;
    let filters = asked.filters.unwrap_or_default();
    Filter::new(&filters, &[], false, repo.repo_type())
        .map_err(|why| ApiError::bad_request("Invalid filters").details(why))?;
    let found = app.store.library_repo(&place.hub_text, &repo).await?;
    let found = found.ok_or_else(|| missing(repo.id()))?;
    let commit = commit_of(&found, asked.revision.as_deref())?;
    let (root, below) = folder(&app, &dest).await?;
    let spec = ExportSpec {
        hub: place.hub.clone(),
        repo_type: repo.repo_type(),
        repo: repo.id().to_owned(),
        commit,
        filters,
        root: root.clone(),
        below: below.as_str().to_owned(),
        mode: asked.mode.unwrap_or(Placing::Auto),
    };
    let spec = serde_json::to_value(&spec).map_err(ApiError::internal)?;
    let work = NewWork {
        kind: JobKind::Export,
        repo: repo.id().parse().ok().map(|id| (repo.repo_type(), id)),
        duplicate_key: spec.to_string(),
        spec,
        destination: root.join(below.as_str()).to_string_lossy().into_owned(),
        verify: Verify::Size,
        priority: 0,
    };
    submit(&app, &work, &actor).await
}

/// The snapshot that a client means.
fn commit_of(found: &LibraryDetail, asked: Option<&str>) -> ApiResult<String> {
    let asked = asked.map(str::trim).filter(|text| !text.is_empty());
    let Some(asked) = asked else {
        let commit = &found.entry.commit_hash;
        return match commit.is_empty() {
            false => Ok(commit.clone()),
            true => Err(missing(&found.entry.repo).details("It has no snapshot")),
        };
    };
    let mut fitting = found.revisions.iter().filter(|revision| {
        texts(&revision.refs).iter().any(|name| name == asked)
            || revision.commit_hash == asked
            || asked.len() >= 7 && revision.commit_hash.starts_with(asked)
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.commit_hash.clone()),
        _ => Err(ApiError::not_found("Revision not found in cache").details(shown(asked))),
    }
}

/// The configured folder and the path below it that `dest` means.
async fn folder(app: &App, dest: &str) -> ApiResult<(PathBuf, RepoPath)> {
    let wrong = |why: String| ApiError::bad_request("Invalid dest").details(why);
    let given = Path::new(dest);
    let mut found = None;
    for root in &app.export_dirs {
        let below = match given.is_absolute() {
            true => given.strip_prefix(root).ok(),
            false => Some(given),
        };
        if let Some(below) = below {
            found = Some((root.clone(), below.to_path_buf()));
            break;
        }
    }
    let forbidden = |why: String| {
        ApiError::new(StatusCode::FORBIDDEN, "dest is not allowed")
            .details(why)
            .reason(Code::BadRequest)
            .hint("Choose a folder below one that --export-dir names.")
    };
    let Some((root, below)) = found else {
        let roots: Vec<_> = app
            .export_dirs
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        return Err(forbidden(format!("dest must be below {}", roots.join(" or "))));
    };
    let text = below.to_str().unwrap_or_default().trim_end_matches('/');
    let path: RepoPath = text
        .parse()
        .map_err(|error: crate::model::repo::NameError| wrong(error.to_string()))?;
    let whole = root.join(path.as_str());
    let own = own_directories(app);
    let top = root.clone();
    let checked = tokio::task::spawn_blocking(move || {
        if !top.is_dir() {
            return Err(wrong(format!("the folder {} is not there", top.display())));
        }
        check_directory(&whole.to_string_lossy()).map_err(|why| match why {
            Refusal::Malformed(_) | Refusal::Blocked(_) => wrong(format!("dest {why}")),
            Refusal::Forbidden(_) => forbidden(format!("dest {why}")),
        })?;
        check_place(&whole, &own, &[top]).map_err(forbidden)
    });
    checked.await.map_err(ApiError::internal)??;
    Ok((root, path))
}
