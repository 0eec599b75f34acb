//! Where a download goes: what the request asks for, and what the settings allow.
//!
//! The request's own folder comes first, then its route, then the local folder of the settings,
//! then the cache. The answer is frozen in the job.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;

use super::error::{ApiError, ApiResult};
use crate::config::Settings;
use crate::config::paths::{Refusal, check_directory};
use crate::model::code::Code;
use crate::model::destination::{Destination, Layout, RouteKey};
use crate::model::repo::{RepoId, RepoType};

/// What a request says of its destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Folder of plain files.
    pub local_dir: Option<String>,
    /// Repo whose folder is used.
    pub local_repo: Option<RepoId>,
    /// Sort of the model.
    pub route_key: Option<RouteKey>,
}

/// The destination of a download.
///
/// # Errors
/// 400 for a key that has no folder, a path that is none, and another repo's folder in the cache;
/// 403 for a folder that lies below none of the settings, 409 for one that a file stands in the way of.
pub fn find(settings: &Settings, place: &Place, repo_type: RepoType) -> ApiResult<Destination> {
    // Datasets are of no sort that a key names.
    let route_key = place.route_key.filter(|_| repo_type == RepoType::Model);
    let route = match route_key {
        Some(key) => Some(folder_of(settings, key).ok_or_else(no_such_route)?),
        None => None,
    };
    let local = match &place.local_dir {
        Some(text) => Some(allowed(settings, text)?),
        None => route.or(settings.local_dir.as_deref()).map(Path::to_owned),
    };
    let mut destination = match local {
        Some(dir) => Destination {
            layout: Layout::Local,
            local_repo: place.local_repo.clone(),
            ..Destination::cache(dir.to_string_lossy())
        },
        None if place.local_repo.is_some() => {
            return Err(ApiError::bad_request("Invalid localRepo")
                .details("In the cache each repo has its own folder")
                .hint("Give a localDir or a routeKey too, or leave localRepo out."));
        }
        None => Destination::cache(settings.cache.hub.to_string_lossy()),
    };
    destination.route_key = route_key;
    destination.link_mode = settings.link_mode;
    Ok(destination)
}

/// The error for a key that leads nowhere.
pub fn no_such_route() -> ApiError {
    ApiError::bad_request("Invalid routeKey")
        .details("routeKey must be one of the configured route keys")
        .hint("See downloadRoutes in the settings, or leave routeKey out.")
}

/// The folder of a key, or that of its parent.
fn folder_of(settings: &Settings, key: RouteKey) -> Option<&Path> {
    let own = settings.download_routes.get(&key);
    let parent = || settings.download_routes.get(&key.parent()?);
    own.or_else(parent).map(PathBuf::as_path)
}

/// A folder that a request names, when it lies in one that the settings name.
fn allowed(settings: &Settings, text: &str) -> ApiResult<PathBuf> {
    let checked = check_directory(text);
    if let Err(Refusal::Malformed(why)) = &checked {
        return Err(ApiError::bad_request("Invalid localDir").details(format!("localDir {why}")));
    }
    let forbidden = |details: String| {
        ApiError::new(StatusCode::FORBIDDEN, "localDir is not allowed")
            .details(details)
            .reason(Code::BadRequest)
            .hint(
                "Choose a folder below one that the settings name, leave localDir out, or start the service with --local-dir.",
            )
    };
    let wanted: PathBuf = Path::new(text).components().collect();
    if let Err(Refusal::Forbidden(why)) = &checked {
        return Err(forbidden(format!("localDir {why}")));
    }
    let mut roots = settings.local_dir.iter().chain(settings.download_routes.values());
    // Links count by where they lead, on both sides.
    if !roots.any(|root| real(&wanted).starts_with(real(root))) {
        return Err(forbidden(
            "It lies below no folder that localDir or downloadRoutes of the settings name".to_owned(),
        ));
    }
    // Only who may write there learns what lies there.
    checked
        .map_err(|why| ApiError::conflict("localDir cannot be used").details(format!("localDir {why}")))?;
    Ok(wanted)
}

/// The path with the links of its existing part resolved.
fn real(path: &Path) -> PathBuf {
    let nearest = path.ancestors().find(|ancestor| ancestor.exists());
    nearest
        .and_then(|found| Some((found.canonicalize().ok()?, path.strip_prefix(found).ok()?)))
        .map_or_else(|| path.to_owned(), |(found, rest)| found.join(rest))
}
