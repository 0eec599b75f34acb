//! Repos of the cache as clients see them.

use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;
use crate::disk::friendly::FriendlyView;
use crate::model::library::{CachedRepo, PlainRepo, quant_groups};
use crate::model::manifest::ForeignManifest;
use crate::model::repo::RepoType;
use crate::model::size::human_size;
use crate::store::{LibraryDownload, LibraryEntry, LibraryFileRow, LibraryRevisionRow};

/// A file without a blob counts as a large one from here on, in bytes.
const LARGE: i64 = 10 << 20;

/// One repo of the cache.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheEntry {
    repo: String,
    #[serde(rename = "type")]
    repo_type: String,
    /// Its folder.
    path: String,
    owner: String,
    name: String,
    /// `HF cache`, or `Local` for what lies plain in a folder of the settings: that is only read.
    source: &'static str,
    /// The cache, or that folder.
    location: String,
    /// Bytes on disk; each content counts once.
    size: i64,
    size_human: String,
    /// What of it other repos have too, in one file of the disk.
    shared_size: i64,
    /// Its part of the disk: what it has alone, and an equal part of what it shares with others.
    disk_share: i64,
    /// Files of the shown snapshot.
    file_count: i64,
    /// The ref that is shown; empty when none names a snapshot.
    branch: String,
    /// First seven digits.
    commit: String,
    /// Day of the newest content, `YYYY-MM-DD`.
    downloaded: String,
    /// `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest.
    download_status: String,
    /// Names of branches and tags.
    snapshots: Vec<String>,
    quantizations: Vec<String>,
    #[serde(rename = "hasMMProj")]
    has_mm_proj: bool,
    mmproj_files: Vec<String>,
    /// `vision` where it has a projector for pictures.
    capabilities: &'static [&'static str],
    /// Its folder in the friendly view; empty when it has none.
    friendly_path: String,
    /// Last reading, as exactly as the mount keeps it.
    last_used: Option<String>,
    verified_at: Option<String>,
    /// `verified`, `partial` or `bad`; empty while nothing was compared.
    verification: String,
    revision_count: i64,
    /// Files of the shown snapshot that have no content.
    missing_files: i64,
    /// What is wrong in the folder.
    problems: Vec<String>,
    /// What is known of the download that brought the shown snapshot; `null` = nothing.
    #[schema(required)]
    manifest: Option<CacheManifest>,
}

/// A download, as whoever made it noted it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheManifest {
    /// `database` for what hfdepot fetched, `hfd.yaml` for what another program wrote down.
    source: &'static str,
    /// The revision that was asked for.
    branch: String,
    /// The whole commit.
    commit: String,
    /// When it was done.
    downloaded: String,
    /// The command line of the other program.
    #[serde(skip_serializing_if = "String::is_empty")]
    command: String,
    total_size: Option<u64>,
    total_files: Option<u64>,
    /// Whether files were left out; `null` when nobody noted it.
    #[schema(required)]
    is_filtered: Option<bool>,
    /// What chose the files; empty = no filter.
    filters: Vec<String>,
}

impl CacheManifest {
    fn of_download(download: &LibraryDownload, row: &LibraryEntry) -> Self {
        let is_filtered = row.download_status.as_deref() != Some("complete");
        // All of it may have come in an earlier download.
        let filters = if is_filtered {
            texts(&download.filters)
        } else {
            Vec::new()
        };
        Self {
            source: "database",
            branch: download.revision.clone().unwrap_or_else(|| row.branch.clone()),
            commit: download.commit_hash.clone(),
            downloaded: rfc3339(download.at),
            command: String::new(),
            total_size: u64::try_from(download.size_bytes).ok(),
            total_files: u64::try_from(row.file_count).ok(),
            is_filtered: Some(is_filtered),
            filters,
        }
    }

    fn of_another(noted: ForeignManifest) -> Self {
        Self {
            source: "hfd.yaml",
            total_size: noted.total_size,
            total_files: noted.total_files,
            is_filtered: noted.is_filtered(),
            filters: noted.filters(),
            branch: noted.branch,
            commit: noted.commit,
            downloaded: noted.completed_at,
            command: noted.command,
        }
    }
}

/// One repo with its snapshots and files.
#[derive(Serialize, ToSchema)]
pub struct CacheDetail {
    /// As in the list.
    #[serde(flatten)]
    pub entry: CacheEntry,
    /// Newest first.
    pub revisions: Vec<CacheRevision>,
    /// By name.
    pub files: Vec<CacheFile>,
}

/// One snapshot.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheRevision {
    commit: String,
    refs: Vec<String>,
    size: i64,
    /// What its removal alone frees.
    unique_size: i64,
    file_count: i64,
    last_modified: String,
}

/// One file of a snapshot.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheFile {
    name: String,
    size: i64,
    size_human: String,
    is_lfs: bool,
    /// Name of its content; empty for a real file.
    blob_id: String,
    commit: String,
    /// `linked`, `real`, `dangling` (its content is missing) or `foreign` (a link elsewhere).
    held: String,
    /// What was compared: `sha256`, `git-sha1`, `size`; `bad` when it differed; else empty.
    verification: String,
    /// `type:owner/name` of other repos that hold the same content.
    shared_with: Vec<String>,
}

/// The texts of a JSON array.
pub(super) fn texts(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// What the files let a model do beside text.
fn capabilities(mmproj_files: &[String]) -> &'static [&'static str] {
    if mmproj_files.is_empty() { &[] } else { &["vision"] }
}

impl CacheEntry {
    /// Blocks for a moment: the friendly view is asked whether it has the repo. `download` is what
    /// completed here of the shown snapshot.
    pub fn new(
        row: &LibraryEntry,
        download: Option<&LibraryDownload>,
        hub: &Path,
        view: &FriendlyView,
    ) -> Self {
        let repo_type: RepoType = row.repo_type.parse().unwrap_or_default();
        let cached = CachedRepo::parse(repo_type, &row.repo).ok();
        let friendly = cached.as_ref().map(|repo| view.path(repo));
        let friendly = friendly.filter(|path| path.is_dir());
        let manifest = match (download, &cached, &friendly) {
            (Some(download), _, _) => Some(CacheManifest::of_download(download, row)),
            (None, Some(repo), Some(_)) => view.noted(repo).map(CacheManifest::of_another),
            (None, _, _) => None,
        };
        let mmproj_files = texts(&row.mmproj_files);
        Self {
            repo: row.repo.clone(),
            repo_type: row.repo_type.clone(),
            path: hub.join(&row.folder).to_string_lossy().into_owned(),
            owner: cached.as_ref().map_or("", CachedRepo::owner).to_owned(),
            name: cached.as_ref().map_or("", CachedRepo::name).to_owned(),
            source: "HF cache",
            location: hub.to_string_lossy().into_owned(),
            size: row.size_bytes,
            size_human: human_size(row.size_bytes as u64),
            shared_size: 0,
            disk_share: row.size_bytes,
            file_count: row.file_count,
            branch: row.branch.clone(),
            commit: row.commit_hash.chars().take(7).collect(),
            downloaded: row
                .downloaded_at
                .map_or_else(String::new, |at| rfc3339(at).chars().take(10).collect()),
            download_status: row
                .download_status
                .clone()
                .unwrap_or_else(|| "unknown".to_owned()),
            snapshots: texts(&row.branches),
            quantizations: texts(&row.quantizations),
            has_mm_proj: !mmproj_files.is_empty(),
            capabilities: capabilities(&mmproj_files),
            mmproj_files,
            friendly_path: friendly.map_or_else(String::new, |path| path.to_string_lossy().into_owned()),
            last_used: row.used_at.filter(|at| *at > 0).map(rfc3339),
            verified_at: row.verified_at.map(rfc3339),
            verification: row.verification.clone(),
            revision_count: row.revision_count,
            missing_files: row.missing_files,
            problems: texts(&row.problems),
            manifest,
        }
    }
}

impl CacheEntry {
    /// A model that lies plain in a folder.
    pub fn plain(plain: &PlainRepo) -> Self {
        let size: u64 = plain.files.iter().map(|(_, size)| size).sum();
        let (mut quantizations, mut mmproj_files) = (Vec::new(), Vec::new());
        for group in quant_groups(plain.files.iter().map(|(path, _)| path.as_str())) {
            let to = match group.projector {
                true => &mut mmproj_files,
                false => &mut quantizations,
            };
            if !to.contains(&group.label) {
                to.push(group.label);
            }
        }
        Self {
            repo: plain.repo.id().to_owned(),
            repo_type: plain.repo.repo_type().to_string(),
            path: plain.path.clone(),
            owner: plain.repo.owner().to_owned(),
            name: plain.repo.name().to_owned(),
            source: "Local",
            location: plain.location.clone(),
            size: size as i64,
            size_human: human_size(size),
            shared_size: 0,
            disk_share: size as i64,
            file_count: plain.files.len() as i64,
            branch: String::new(),
            commit: String::new(),
            downloaded: rfc3339(plain.modified_at).chars().take(10).collect(),
            download_status: "unknown".to_owned(),
            snapshots: Vec::new(),
            quantizations,
            has_mm_proj: !mmproj_files.is_empty(),
            capabilities: capabilities(&mmproj_files),
            mmproj_files,
            friendly_path: String::new(),
            last_used: None,
            verified_at: None,
            verification: String::new(),
            revision_count: 0,
            missing_files: 0,
            problems: Vec::new(),
            manifest: None,
        }
    }

    /// Says what of it other repos have too, and how many bytes of that are counted with them.
    pub fn sharing(mut self, shared_bytes: i64, counted_by_others: i64) -> Self {
        // A file that the index sees grown since must not make it negative.
        self.shared_size = shared_bytes.min(self.size);
        self.disk_share = (self.size - counted_by_others).max(0);
        self
    }

    /// Bytes of it that are counted with other repos.
    pub fn counted_by_others(&self) -> i64 {
        self.size - self.disk_share
    }

    /// By which the list is sorted.
    pub fn sort_key(&self) -> (String, String) {
        (self.repo.to_lowercase(), self.repo_type.clone())
    }

    /// Its part of the bytes on disk, and files that are shown.
    pub fn sums(&self) -> (i64, i64) {
        (self.disk_share, self.file_count)
    }

    /// Whether it is one of this type.
    pub fn is(&self, repo_type: RepoType) -> bool {
        self.repo_type == repo_type.as_str()
    }
}

impl CacheRevision {
    /// From its row.
    pub fn new(row: &LibraryRevisionRow) -> Self {
        Self {
            commit: row.commit_hash.clone(),
            refs: texts(&row.refs),
            size: row.size_bytes,
            unique_size: row.unique_bytes,
            file_count: row.file_count,
            last_modified: rfc3339(row.modified_at),
        }
    }
}

impl CacheFile {
    /// A plain file.
    pub fn plain(path: &str, size: u64) -> Self {
        Self {
            name: path.to_owned(),
            size: size as i64,
            size_human: human_size(size),
            is_lfs: size as i64 > LARGE,
            blob_id: String::new(),
            commit: String::new(),
            held: "real".to_owned(),
            verification: String::new(),
            shared_with: Vec::new(),
        }
    }

    /// From its row.
    pub fn new(row: &LibraryFileRow) -> Self {
        Self {
            name: row.path.clone(),
            size: row.size_bytes,
            size_human: human_size(row.size_bytes as u64),
            is_lfs: row.blob.len() == 64 || row.blob.is_empty() && row.size_bytes > LARGE,
            blob_id: row.blob.clone(),
            commit: row.commit_hash.clone(),
            held: row.held.clone(),
            verification: row.verification.clone(),
            shared_with: texts(&row.shared_with),
        }
    }
}
