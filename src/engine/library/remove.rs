//! Taking repos, snapshots, choices of files and rests out of the cache.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tokio::sync::OwnedRwLockWriteGuard;

use super::{Library, LibraryError, blocking};
use crate::clock::now_ms;
use crate::disk::friendly::FriendlyView;
use crate::disk::library::scan_repo;
use crate::disk::prune::{self, PruneItem, PruneSearch};
use crate::disk::remove::{remove_files, remove_repo, remove_revision};
use crate::model::library::{CachedRepo, Held, LibraryFile, LibraryRepo};
use crate::store::InUse;

/// What a deletion takes, or would take.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The repo.
    pub repo: CachedRepo,
    /// Bytes that go.
    pub frees_bytes: u64,
    /// Bytes of the repo that stay.
    pub keeps_bytes: u64,
    /// Snapshots that go.
    pub revisions: Vec<String>,
    /// Names in snapshots that go.
    pub files: Vec<(String, String)>,
    /// What could not be tidied up afterwards.
    pub errors: Vec<String>,
}

/// One path of a choice, as the client saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Path in the snapshots.
    pub path: String,
    /// Snapshots that have it, sorted.
    pub versions: Vec<String>,
    /// Length in bytes of its largest version.
    pub size_bytes: u64,
}

/// What the deletion of a choice did.
#[derive(Debug, Clone)]
pub struct Removed {
    /// Paths that are gone.
    pub removed: Vec<String>,
    /// Paths that are still there.
    pub remaining: Vec<String>,
    /// Bytes that were freed.
    pub freed_bytes: u64,
    /// Bytes that other files still need.
    pub retained_bytes: u64,
}

/// What to prune.
#[derive(Debug, Clone)]
pub struct PruneRequest {
    /// Kinds and ages.
    pub search: PruneSearch,
    /// Only show.
    pub dry_run: bool,
}

/// What was found, and what became of it.
#[derive(Debug, Clone, Default)]
pub struct Pruned {
    /// Everything that was found.
    pub items: Vec<PruneItem>,
    /// Repos that were left out because a job of theirs is live.
    pub skipped: Vec<CachedRepo>,
    /// How many items went.
    pub removed: usize,
    /// Bytes that were freed.
    pub freed_bytes: u64,
    /// What failed, as sentences.
    pub errors: Vec<String>,
}

impl Library {
    /// Keeps downloads out of a repo.
    async fn close(&self, hub: &Path, repo: &CachedRepo) -> Result<OwnedRwLockWriteGuard<()>, LibraryError> {
        let closed = self.gates.close(hub.join(repo.folder()));
        // Asked with the gate closed: a job that comes later waits before it.
        let job = self.store.library_in_use(&hub.to_string_lossy(), repo).await?;
        match (closed, job) {
            (Some(closed), None) => Ok(closed),
            (_, Some(InUse::Written(job))) => Err(LibraryError::Busy(format!(
                "Job {job} downloads {} here",
                repo.id()
            ))),
            (_, Some(InUse::Read(job))) => {
                Err(LibraryError::Read(format!("Job {job} reads {} here", repo.id())))
            }
            (None, None) => Err(LibraryError::Busy("It is being changed".to_owned())),
        }
    }

    /// Deletes a repo, or one snapshot of it. With `dry_run` only says what would go.
    ///
    /// # Errors
    /// [`LibraryError::Busy`] while a job of the repo is live or a program works on it.
    pub async fn delete(
        &self,
        hub: &Path,
        friendly_root: &Path,
        repo: &CachedRepo,
        commit: Option<&str>,
        dry_run: bool,
        actor: &str,
    ) -> Result<Deleted, LibraryError> {
        let scan = self.scan_one(hub, repo).await?.ok_or(LibraryError::NotThere)?;
        let commit = match commit {
            None => None,
            Some(asked) => Some(find_revision(&scan, asked).ok_or(LibraryError::NotThere)?),
        };
        // The last snapshot takes the repo along: a folder without snapshots is a broken repo.
        let commit = commit.filter(|_| scan.revisions.len() > 1);
        let mut deleted = preview(&scan, commit.as_deref());
        if dry_run {
            return Ok(deleted);
        }
        let _closed = self.close(hub, repo).await?;
        let (root, name, wanted) = (hub.to_owned(), repo.clone(), commit.clone());
        let freed = blocking(move || match wanted {
            Some(commit) => Ok(Some(remove_revision(&root, &name, &commit)?)),
            None => Ok(remove_repo(&root, &name).map(|()| None)?),
        })
        .await;
        let hub_text = hub.to_string_lossy();
        if freed.is_ok() {
            self.store
                .library_deleted(&hub_text, repo, commit.as_deref())
                .await?;
        }
        self.note_change(hub, repo).await;
        deleted.frees_bytes = freed?.unwrap_or(deleted.frees_bytes);
        if let Err(error) = self.tidy_view(hub, friendly_root, repo).await {
            deleted.errors.push(error.to_string());
        }
        let what = commit.map_or_else(String::new, |commit| format!(" snapshot {commit}"));
        let detail = format!(
            "{} {}{what}: {} bytes",
            repo.repo_type(),
            repo.id(),
            deleted.frees_bytes
        );
        self.store.note_library("cache_deleted", &detail, actor).await?;
        tracing::info!(repo = repo.id(), repo_type = %repo.repo_type(), freed_bytes = deleted.frees_bytes, actor, "deleted from the cache");
        Ok(deleted)
    }

    /// After a deletion: the friendly view of the repo, when there is one.
    async fn tidy_view(
        &self,
        hub: &Path,
        friendly_root: &Path,
        repo: &CachedRepo,
    ) -> Result<(), LibraryError> {
        let (view, hub, repo) = (
            FriendlyView::new(friendly_root, hub),
            hub.to_owned(),
            repo.clone(),
        );
        blocking(move || {
            if !view.path(&repo).exists() {
                return Ok(());
            }
            match scan_repo(&hub, &repo, now_ms())? {
                Some(scan) => {
                    let mut done = Default::default();
                    view.rebuild(&scan, true, &mut done)?;
                }
                None => {
                    view.forget(&repo)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Deletes the files of `members` from all snapshots, if the cache holds them exactly so, and
    /// the contents that nothing else refers to.
    ///
    /// # Errors
    /// [`LibraryError::Changed`] when they are not as the client saw them;
    /// [`LibraryError::Busy`] while a job of the repo is live or a program works on it.
    pub async fn delete_members(
        &self,
        hub: &Path,
        friendly_root: &Path,
        repo: &CachedRepo,
        members: &[Member],
        actor: &str,
    ) -> Result<Removed, LibraryError> {
        let _closed = self.close(hub, repo).await?;
        let scan = self.scan_one(hub, repo).await?.ok_or(LibraryError::NotThere)?;
        for member in members {
            let found = member_of(&scan.files, &member.path);
            if found.as_ref() != Some(member) {
                return Err(LibraryError::Changed(format!(
                    "{} is not in the cache as the request says",
                    member.path
                )));
            }
        }
        let wanted: HashSet<(String, String)> = members
            .iter()
            .flat_map(|member| {
                member
                    .versions
                    .iter()
                    .map(|commit| (commit.clone(), member.path.clone()))
            })
            .collect();
        let total = content_bytes(&scan, |file| {
            wanted.contains(&(file.commit.clone(), file.path.clone()))
        });
        let (root, name, names) = (hub.to_owned(), repo.clone(), wanted.clone());
        let done = blocking(move || Ok(remove_files(&root, &name, &names)?)).await;
        self.store.library_thinned(&hub.to_string_lossy(), repo).await?;
        self.note_change(hub, repo).await;
        let after = self.scan_one(hub, repo).await?;
        let is_there = |path: &String| {
            after
                .as_ref()
                .is_some_and(|scan| scan.files.iter().any(|file| file.path == *path))
        };
        let (remaining, removed): (Vec<_>, Vec<_>) = members
            .iter()
            .map(|member| member.path.clone())
            .partition(|path| is_there(path));
        let freed_bytes = match (done, removed.is_empty()) {
            (Ok((_, freed)), _) => freed,
            (Err(error), true) => return Err(error),
            (Err(error), false) => {
                tracing::warn!(repo = repo.id(), %error, "a choice of files was deleted in part");
                0
            }
        };
        if let Err(error) = self.tidy_view(hub, friendly_root, repo).await {
            tracing::warn!(repo = repo.id(), %error, "the friendly view could not follow a deletion");
        }
        let detail = format!("{} {}: {}", repo.repo_type(), repo.id(), removed.join(", "));
        self.store.note_library("cache_thinned", &detail, actor).await?;
        Ok(Removed {
            removed,
            remaining,
            freed_bytes,
            retained_bytes: total.saturating_sub(freed_bytes),
        })
    }

    /// Finds what nobody needs, and removes it unless it is a dry run. Repos with a live job are
    /// left out.
    ///
    /// # Errors
    /// When the cache cannot be listed or the database fails; single items that fail are told.
    pub async fn prune(
        &self,
        hub: &Path,
        request: &PruneRequest,
        actor: &str,
    ) -> Result<Pruned, LibraryError> {
        self.refresh(hub, false).await?;
        let hub_text = hub.to_string_lossy().into_owned();
        let mut pruned = Pruned::default();
        for row in self.store.library_known(&hub_text).await? {
            let Some(repo) = CachedRepo::from_folder(&row.folder) else {
                continue;
            };
            let _closed = match self.close(hub, &repo).await {
                Ok(closed) => closed,
                Err(LibraryError::Busy(_) | LibraryError::Read(_)) => {
                    pruned.skipped.push(repo);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let wanted = self.store.wanted_blobs(&hub_text, &repo).await?;
            let (root, name, search) = (hub.to_owned(), repo.clone(), request.search.clone());
            let found = blocking(move || Ok(prune::find(&root, &name, &search, &wanted)?)).await;
            match found {
                Ok(items) => self.take(hub, items, request.dry_run, &mut pruned).await?,
                Err(error) => pruned.errors.push(error.to_string()),
            }
        }
        if request.search.kinds.contains(&prune::PruneKind::Orphans) {
            let root: PathBuf = hub.to_owned();
            let rests = blocking(move || Ok(prune::find_rests(&root)?)).await?;
            self.take(hub, rests, request.dry_run, &mut pruned).await?;
        }
        if !request.dry_run && pruned.removed > 0 {
            let detail = format!("{} items: {} bytes", pruned.removed, pruned.freed_bytes);
            self.store.note_library("cache_pruned", &detail, actor).await?;
            tracing::info!(
                items = pruned.removed,
                freed_bytes = pruned.freed_bytes,
                actor,
                "pruned the cache"
            );
        }
        Ok(pruned)
    }

    async fn take(
        &self,
        hub: &Path,
        items: Vec<PruneItem>,
        dry_run: bool,
        pruned: &mut Pruned,
    ) -> Result<(), LibraryError> {
        let mut changed = None;
        if !dry_run && !items.is_empty() {
            let (root, wanted) = (hub.to_owned(), items.clone());
            let results = blocking(move || {
                Ok(wanted
                    .iter()
                    .map(|item| prune::remove(&root, item))
                    .collect::<Vec<_>>())
            })
            .await?;
            for (item, result) in items.iter().zip(results) {
                match result {
                    Ok(Some(bytes)) => {
                        pruned.removed += 1;
                        pruned.freed_bytes += bytes;
                        changed = item.repo.clone().or(changed);
                    }
                    Ok(None) => pruned.errors.push(format!("{} is in use and stays", item.path)),
                    Err(error) => pruned.errors.push(format!("{}: {error}", item.path)),
                }
            }
        }
        pruned.items.extend(items);
        if let Some(repo) = changed {
            self.note_change(hub, &repo).await;
        }
        Ok(())
    }
}

/// The snapshot that a client means by a commit, its first digits (seven at least), or a ref.
fn find_revision(scan: &LibraryRepo, asked: &str) -> Option<String> {
    let by_ref = scan.refs.iter().find(|(name, _)| name == asked);
    let wanted = by_ref.map_or(asked, |(_, commit)| commit.as_str());
    let mut fitting = scan.revisions.iter().filter(|revision| {
        revision.commit == wanted || wanted.len() >= 7 && revision.commit.starts_with(wanted)
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some(one.commit.clone()),
        _ => None,
    }
}

fn preview(scan: &LibraryRepo, commit: Option<&str>) -> Deleted {
    let files = scan
        .files
        .iter()
        .filter(|file| commit.is_none_or(|commit| file.commit == commit));
    // What another repo shares stays on the disk with it.
    let whole = scan.size_bytes.saturating_sub(scan.elsewhere_bytes);
    let frees_bytes = commit.map_or(whole, |commit| scan.freed_by(commit));
    let revisions = scan.revisions.iter().map(|revision| revision.commit.clone());
    Deleted {
        repo: scan.repo.clone(),
        frees_bytes,
        keeps_bytes: scan.size_bytes.saturating_sub(frees_bytes),
        revisions: revisions
            .filter(|name| commit.is_none_or(|commit| name == commit))
            .collect(),
        files: files
            .map(|file| (file.commit.clone(), file.path.clone()))
            .collect(),
        errors: Vec::new(),
    }
}

/// What the cache has under a path, over all snapshots.
pub fn member_of(files: &[LibraryFile], path: &str) -> Option<Member> {
    let found: Vec<&LibraryFile> = files.iter().filter(|file| file.path == path).collect();
    let mut versions: Vec<String> = found.iter().map(|file| file.commit.clone()).collect();
    versions.sort_unstable();
    Some(Member {
        path: path.to_owned(),
        size_bytes: found.iter().map(|file| file.size_bytes).max()?,
        versions,
    })
}

/// Bytes of the contents behind files, each content once.
fn content_bytes(scan: &LibraryRepo, wanted: impl Fn(&LibraryFile) -> bool) -> u64 {
    let mut seen = HashSet::new();
    scan.files
        .iter()
        .filter(|file| wanted(file))
        .filter(|file| file.held == Held::Real || seen.insert(file.blob.as_str()))
        .map(|file| file.size_bytes)
        .sum()
}
