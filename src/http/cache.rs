//! `/api/cache`: what lies in the Hub cache, answered from the index, and deleting of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::cache_views::{CacheDetail, CacheEntry, CacheFile, CacheRevision, texts};
use super::error::{ApiError, ApiResult};
use super::extract::{Actor, QueryFields, RepoParams, is_too_long};
use super::state::{App, AppState};
use crate::clock::rfc3339;
use crate::disk::friendly::FriendlyView;
use crate::engine::LibraryError;
use crate::model::code::Code;
use crate::model::library::{CachedRepo, PlainRepo};
use crate::model::repo::{RepoType, shown};
use crate::model::size::human_size;
use crate::store::{LibraryEntry, LibraryQuery};

/// How long an answer waits for a look at the disk; a slow one goes on behind it.
const PATIENCE: Duration = Duration::from_millis(100);
/// The same when the client asks for a fresh answer.
const FRESH_PATIENCE: Duration = Duration::from_secs(20);
/// Names of files that the answer to a deletion lists; all are counted.
const NAMES_SHOWN: usize = 1000;
/// Longest text to search for.
const SEARCH_MAX: usize = 200;

/// The cache.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheList {
    /// By id.
    repos: Vec<CacheEntry>,
    count: usize,
    /// The Hub cache.
    cache_dir: String,
    effective_hub_dir: String,
    /// What said where the Hub cache is.
    hub_dir_source: &'static str,
    stats: CacheStats,
    /// When the whole cache was last looked through; `null` = not yet.
    scanned_at: Option<String>,
    /// Whether a look at the disk is still under way.
    scanning: bool,
}

/// Sums over the listed repos.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheStats {
    total_models: usize,
    total_datasets: usize,
    /// Bytes on disk; what several repos share counts once.
    total_size: i64,
    total_size_human: String,
    /// What the repos would take beyond that if each kept its own copy.
    shared_size: i64,
    total_files: i64,
}

/// What a deletion takes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheDeletion {
    /// `false` when the friendly view could not follow; `errors` says why.
    success: bool,
    dry_run: bool,
    message: String,
    repo: String,
    #[serde(rename = "type")]
    repo_type: RepoType,
    /// Bytes that go.
    frees_bytes: u64,
    /// Bytes of the repo that stay.
    keeps_bytes: u64,
    /// Snapshots that go.
    revisions: Vec<String>,
    /// How many names in snapshots go.
    files: usize,
    /// The first thousand of them.
    file_names: Vec<String>,
    errors: Vec<String>,
}

/// The repos of the cache
///
/// Answered from an index that follows the disk: what other programs put there shows within
/// seconds, at once with `fresh=true`.
#[utoipa::path(
    get, path = "/api/cache", tag = "cache", operation_id = "listCache",
    params(
        ("type" = Option<RepoType>, Query, description = "Only models, or only datasets"),
        ("search" = Option<String>, Query, max_length = 200, description = "Only repos whose id contains this, in any case"),
        ("fresh" = Option<bool>, Query, description = "Wait for a look at the disk"),
    ),
    responses((status = 200, description = "The repos", body = CacheList))
)]
pub async fn list(State(app): State<AppState>, query: QueryFields) -> ApiResult<Json<CacheList>> {
    let wanted = LibraryQuery {
        repo_type: query.word("type")?,
        search: match query.text("search") {
            Some(text) if text.chars().count() > SEARCH_MAX => {
                return Err(ApiError::bad_request("Invalid search")
                    .details(format!("search must have at most {SEARCH_MAX} characters")));
            }
            text => text.map(str::to_owned),
        },
    };
    let place = Place::of(&app);
    let fresh = query.flag("fresh")?.unwrap_or(false);
    let current = place.freshen(&app, fresh).await;
    let rows = app.store.library(&place.hub_text, &wanted).await?;
    let downloads = app.store.library_downloads(&place.hub_text, None).await?;
    let shared = app.store.library_shared(&place.hub_text).await?;
    let scanned_at = app.store.library_scanned_at(&place.hub_text).await?;
    let plain = plain(&app, fresh).await;
    let (hub, root) = (place.hub.clone(), place.root.clone());
    let repos = tokio::task::spawn_blocking(move || {
        let view = FriendlyView::new(&root, &hub);
        let by_folder: HashMap<_, _> = downloads.iter().map(|one| (one.folder.as_str(), one)).collect();
        let listed: HashSet<i64> = rows.iter().map(|row| row.id).collect();
        let taken = shared.counted_by_others(|id| listed.contains(&id));
        let entry = |row: &LibraryEntry| {
            CacheEntry::new(row, by_folder.get(row.folder.as_str()).copied(), &hub, &view)
                .sharing(shared.of(row.id), taken.get(&row.id).copied().unwrap_or(0))
        };
        let mut repos: Vec<_> = rows.iter().map(entry).collect();
        // What the cache has is not shown twice.
        let known: HashSet<_> = repos.iter().map(CacheEntry::sort_key).collect();
        let text = wanted.search.map(|text| text.to_lowercase());
        let fits = |entry: &CacheEntry| {
            wanted.repo_type.is_none_or(|repo_type| entry.is(repo_type))
                && text.as_ref().is_none_or(|text| entry.sort_key().0.contains(text))
                && !known.contains(&entry.sort_key())
        };
        repos.extend(plain.iter().map(CacheEntry::plain).filter(fits));
        repos.sort_by_cached_key(CacheEntry::sort_key);
        repos
    })
    .await
    .map_err(ApiError::internal)?;
    let total_size: i64 = repos.iter().map(|entry| entry.sums().0).sum();
    let shared_size: i64 = repos.iter().map(CacheEntry::counted_by_others).sum();
    let stats = CacheStats {
        total_models: repos.iter().filter(|entry| entry.is(RepoType::Model)).count(),
        total_datasets: repos.iter().filter(|entry| entry.is(RepoType::Dataset)).count(),
        total_size,
        total_size_human: human_size(total_size as u64),
        shared_size,
        total_files: repos.iter().map(|entry| entry.sums().1).sum(),
    };
    Ok(Json(CacheList {
        count: repos.len(),
        repos,
        effective_hub_dir: place.hub_text.clone(),
        cache_dir: place.hub_text,
        hub_dir_source: place.source,
        stats,
        scanned_at: scanned_at.map(rfc3339),
        scanning: !current,
    }))
}

/// One repo of the cache
///
/// Without `type` the model is tried first. `files` are those of the shown snapshot, or of the
/// one that `revision` names (a commit or a ref); `revision=all` lists every snapshot's.
#[utoipa::path(
    get, path = "/api/cache/{*repo}", tag = "cache", operation_id = "showCached",
    params(
        RepoParams,
        ("type" = Option<RepoType>, Query, description = "Model or dataset"),
        ("revision" = Option<String>, Query, description = "Whose files"),
        ("fresh" = Option<bool>, Query, description = "Wait for a look at the disk"),
    ),
    responses(
        (status = 200, description = "The repo", body = CacheDetail),
        (status = 404, description = "It is not in the cache"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    Path(id): Path<String>,
    query: QueryFields,
) -> ApiResult<Json<CacheDetail>> {
    let types = match query.word("type")? {
        Some(repo_type) => vec![repo_type],
        None => vec![RepoType::Model, RepoType::Dataset],
    };
    let place = Place::of(&app);
    place.freshen(&app, query.flag("fresh")?.unwrap_or(false)).await;
    if is_too_long(&id) {
        return Err(missing(&id));
    }
    for repo_type in types {
        let repo = CachedRepo::parse(repo_type, &id)
            .map_err(|error| ApiError::bad_request("Invalid repo format").details(error.to_string()))?;
        if let Some(found) = app.store.library_repo(&place.hub_text, &repo).await? {
            let view = FriendlyView::new(&place.root, &place.hub);
            let folder = Some(found.entry.folder.as_str());
            let downloads = app.store.library_downloads(&place.hub_text, folder).await?;
            let shared = app.store.library_shared(&place.hub_text).await?;
            let id = found.entry.id;
            let taken = shared.counted_by_others(|_| true).remove(&id).unwrap_or(0);
            let entry = CacheEntry::new(&found.entry, downloads.first(), &place.hub, &view)
                .sharing(shared.of(id), taken);
            let wanted = match query.text("revision") {
                Some("all") => None,
                None => Some(found.entry.commit_hash.clone()),
                Some(asked) => {
                    let named = |texts_of: &str| texts(texts_of).iter().any(|name| name == asked);
                    let revision = found
                        .revisions
                        .iter()
                        .find(|row| row.commit_hash == asked || named(&row.refs));
                    let missing = || {
                        ApiError::not_found("Revision not found in cache")
                            .details(shown(asked))
                            .reason(Code::RevisionNotFound)
                    };
                    Some(revision.ok_or_else(missing)?.commit_hash.clone())
                }
            };
            let files = found
                .files
                .iter()
                .filter(|file| wanted.as_ref().is_none_or(|commit| file.commit_hash == *commit))
                .map(CacheFile::new)
                .collect();
            return Ok(Json(CacheDetail {
                entry,
                revisions: found.revisions.iter().map(CacheRevision::new).collect(),
                files,
            }));
        }
    }
    let plain = plain(&app, query.flag("fresh")?.unwrap_or(false)).await;
    let wanted = query.word("type")?.unwrap_or(RepoType::Model);
    let found = plain.iter().find(|plain| is_that(plain, wanted, &id));
    let found = found.ok_or_else(|| missing(&id))?;
    Ok(Json(CacheDetail {
        entry: CacheEntry::plain(found),
        revisions: Vec::new(),
        files: found
            .files
            .iter()
            .map(|(path, size)| CacheFile::plain(path, *size))
            .collect(),
    }))
}

fn is_that(plain: &PlainRepo, repo_type: RepoType, id: &str) -> bool {
    plain.repo.repo_type() == repo_type && plain.repo.id().eq_ignore_ascii_case(id)
}

/// Models that lie plain in folders of the settings.
async fn plain(app: &App, fresh: bool) -> Arc<Vec<PlainRepo>> {
    let settings = app.settings.get();
    let roots: Vec<PathBuf> = settings
        .local_dir
        .iter()
        .chain(&settings.local_scan_dirs)
        .chain(settings.download_routes.values())
        .cloned()
        .collect();
    let patience = if fresh { FRESH_PATIENCE } else { PATIENCE };
    app.engine.library().plain(&roots, fresh, patience).await
}

/// 404 for a repo of the cache that is asked to be changed or read; says so when it lies in a
/// folder that is only read.
pub(super) async fn not_ours(app: &App, repo_type: RepoType, id: &str) -> ApiError {
    let plain = plain(app, false).await;
    match plain.iter().find(|plain| is_that(plain, repo_type, id)) {
        None => missing(id),
        Some(found) => missing(id)
            .details(format!(
                "{id} lies in {}, not in the cache; hfdepot only reads that folder",
                found.path
            ))
            .hint("Delete or move it there, or take it into the cache with POST /api/cache/import."),
    }
}

/// Delete a repo from the cache
///
/// Or one snapshot, with `revision`; contents that another snapshot needs stay. The last snapshot
/// takes the repo along.
#[utoipa::path(
    delete, path = "/api/cache/{*repo}", tag = "cache", operation_id = "deleteCached",
    params(
        RepoParams,
        ("type" = Option<RepoType>, Query, description = "Model (default) or dataset"),
        ("revision" = Option<String>, Query, description = "Only this snapshot: a commit, its first digits, or a ref"),
        ("dryRun" = Option<bool>, Query, description = "Only tell what would go"),
    ),
    responses(
        (status = 200, description = "What went, or would go", body = CacheDeletion),
        (status = 404, description = "It is not in the cache"),
        (status = 409, description = "A job of this repo is live, or another program works on it"),
    )
)]
pub async fn delete(
    State(app): State<AppState>,
    Path(id): Path<String>,
    actor: Actor,
    query: QueryFields,
) -> ApiResult<Json<CacheDeletion>> {
    let repo_type = query.word("type")?.unwrap_or(RepoType::Model);
    if is_too_long(&id) {
        return Err(missing(&id));
    }
    let repo = CachedRepo::parse(repo_type, &id).map_err(|_| {
        ApiError::bad_request("Invalid repository ID format").details("Expected format: owner/name")
    })?;
    let dry_run = query.flag("dryRun")?.unwrap_or(false);
    let commit = query.text("revision").map(str::to_owned);
    let place = Place::of(&app);
    let library = app.engine.library().clone();
    // A task of its own: a client that hangs up must not leave half of it.
    let deleting = tokio::spawn(async move {
        let commit = commit.as_deref();
        library
            .delete(&place.hub, &place.root, &repo, commit, dry_run, &actor.0)
            .await
    });
    let deleted = match deleting.await.map_err(ApiError::internal)? {
        Ok(deleted) => deleted,
        Err(LibraryError::NotThere) => return Err(not_ours(&app, repo_type, &id).await),
        Err(error) => return Err(refused(error, &id)),
    };
    let verb = if dry_run { "Would delete" } else { "Deleted" };
    let mut file_names: Vec<String> = deleted.files.iter().map(|(_, path)| path.clone()).collect();
    file_names.sort_unstable();
    file_names.dedup();
    file_names.truncate(NAMES_SHOWN);
    Ok(Json(CacheDeletion {
        success: deleted.errors.is_empty(),
        dry_run,
        message: format!("{verb} {id} from cache"),
        repo: id,
        repo_type,
        frees_bytes: deleted.frees_bytes,
        keeps_bytes: deleted.keeps_bytes,
        revisions: deleted.revisions,
        files: deleted.files.len(),
        file_names,
        errors: deleted.errors,
    }))
}

/// Where the cache is at this moment.
pub(super) struct Place {
    pub hub: PathBuf,
    pub hub_text: String,
    pub root: PathBuf,
    /// What said where it is.
    pub source: &'static str,
}

impl Place {
    pub fn of(app: &App) -> Self {
        let settings = app.settings.get();
        Self {
            hub: settings.cache.hub.clone(),
            hub_text: settings.cache.hub.to_string_lossy().into_owned(),
            root: settings.cache.root.clone(),
            source: settings.cache.hub_dir_source.as_str(),
        }
    }

    /// Whether the index is current.
    pub async fn freshen(&self, app: &App, fresh: bool) -> bool {
        let library = app.engine.library();
        if !fresh {
            return library.freshen(&self.hub, PATIENCE).await;
        }
        let scan = library.refresh(&self.hub, false);
        tokio::time::timeout(FRESH_PATIENCE, scan).await.is_ok()
    }
}

/// What the index says of repos: folder → `complete`, `filtered` or `unknown`, for those that
/// are here. An index that cannot be asked marks none.
pub(super) async fn marks(app: &App, repos: &[CachedRepo]) -> HashMap<String, String> {
    let place = Place::of(app);
    place.freshen(app, false).await;
    match app.store.library_status(&place.hub_text, repos).await {
        Ok(marks) => marks,
        Err(error) => {
            tracing::warn!(%error, "the marks of the cache cannot be read");
            HashMap::new()
        }
    }
}

/// 404 for a repo.
pub(super) fn missing(id: &str) -> ApiError {
    ApiError::not_found("Repository not found in cache").details(shown(id))
}

/// What a refusal of the library means for a client.
pub(super) fn refused(error: LibraryError, id: &str) -> ApiError {
    match error {
        LibraryError::NotThere => missing(id),
        LibraryError::Busy(why) => ApiError::conflict("Repository is being downloaded")
            .details(why)
            .hint("Wait for the download, or cancel it, then try again."),
        LibraryError::Read(why) => ApiError::conflict("Repository is being read")
            .details(why)
            .hint("Wait for the job, pause or cancel it, then try again."),
        LibraryError::Unsafe(why) => ApiError::bad_request("Invalid path")
            .details(why)
            .hint("Look at the folder and remove it by hand."),
        LibraryError::Changed(why) => ApiError::conflict("The cache has changed")
            .details(why)
            .hint("Load the list again and choose anew."),
        LibraryError::Disk(error) => {
            ApiError::coded(error.code, "The disk refuses").details(error.to_string())
        }
        LibraryError::Store(error) => error.into(),
        LibraryError::Task(error) => ApiError::internal(error),
    }
}

/// `path` as a text.
pub(super) fn path_text(path: &FsPath) -> String {
    path.to_string_lossy().into_owned()
}
