//! Carries out the items of an import, one by one.
//!
//! A content comes into the staging folder of its repo, is hashed, and is published as that of a
//! download is. What is not what it claims leaves no trace.

use std::io;
use std::sync::Arc;

use crate::disk::adopt::{Adopting, open_claim};
use crate::disk::{BlobHasher, DiskError, Publication, RepoDir, Source};
use crate::model::code::Code;
use crate::model::library::CachedRepo;
use crate::model::repo::{BlobId, Commit, RepoId, RepoPath, Revision};
use crate::store::{Item, ItemSettled, ItemState};

use super::import::{CACHED, ImportSpec, REFS};
use super::passing::Passing;
use super::task::{Failure, Task};
use crate::engine::attempt::Halt;

/// It was in the cache already.
pub(super) const PRESENT: &str = "present";
/// It is in the cache now.
pub(super) const ADOPTED: &str = "adopted";
/// A ref was written, or none had to be.
const NAMED: &str = "named";

/// Carries out one item and says how it came out.
pub(super) async fn carry_out(task: &Task, spec: &ImportSpec, item: &Item) -> Result<&'static str, Halt> {
    let mut counted = 0;
    let done = match item.task.as_str() {
        REFS => name_commit(task, spec, item).await,
        _ => take_over(task, spec, item, &mut counted).await,
    };
    let (state, outcome, failure) = match done {
        Ok(PRESENT) => (ItemState::Unchanged, PRESENT, None),
        Ok(outcome) => (ItemState::Done, outcome, None),
        Err(Failure::Item(code, why)) => {
            tracing::warn!(job.id = %task.job.id, repo = item.repo.id(), why, "a file was not taken over");
            (ItemState::Error, "", Some((code, why)))
        }
        Err(Failure::Halt(halt)) => {
            task.lost(counted);
            return Err(halt);
        }
    };
    let settled = ItemSettled {
        id: item.id,
        state,
        outcome,
        failure,
    };
    let uncounted = item.size_bytes.saturating_sub(counted);
    task.settle(&[settled], uncounted).await?;
    Ok(outcome)
}

/// The folder of a repo in the cache, made.
async fn repo_dir(task: &Task, spec: &ImportSpec, repo: &CachedRepo) -> Result<Arc<RepoDir>, Failure> {
    let id: RepoId = repo.id().parse()?;
    let (shared, hub, repo_type) = (task.shared.clone(), spec.hub.clone(), repo.repo_type());
    let made = task.blocking(move || {
        let folder = shared.caches.open(&hub)?.repo(repo_type, &id);
        folder.create()?;
        Ok::<_, DiskError>(Arc::new(folder))
    });
    Ok(made.await??)
}

/// Brings one file into the cache, when its hash is the one that it claims.
async fn take_over(
    task: &Task,
    spec: &ImportSpec,
    item: &Item,
    counted: &mut u64,
) -> Result<&'static str, Failure> {
    let mut lines = item.path.splitn(3, '\n');
    let (place, commit, path) = (lines.next(), lines.next(), lines.next());
    let (Some(place), Some(commit), Some(path)) = (place, commit, path) else {
        return Err(Failure::Item(
            Code::Internal,
            "The plan cannot be read".to_owned(),
        ));
    };
    let blob: BlobId = item.blob.parse()?;
    let (commit, path): (Commit, RepoPath) = (commit.parse()?, path.parse()?);
    task.activity(path.as_str());
    let shared = &task.shared;
    let folder = spec.hub.join(item.repo.folder());
    let _gate = shared.gates.enter(folder.clone()).await;
    let _blob = shared.blobs.lock(folder, blob).await;
    let repo = repo_dir(task, spec, &item.repo).await?;
    let publication = |source| Publication {
        source,
        blob,
        size_bytes: item.size_bytes,
        path: path.clone(),
    };
    let looked = repo.clone();
    let there = task.blocking(move || looked.blob(blob)).await??;
    if there == Some(item.size_bytes) {
        publish(task, &repo, &commit, publication(Source::Present)).await?;
        return Ok(PRESENT);
    }
    let (from, to) = (spec.import_from.clone(), repo.clone());
    let (place, cached, mode) = (place.to_owned(), item.task == CACHED, spec.mode);
    let (name, hash, inner) = (item.repo.clone(), commit.clone(), path.clone());
    let begun = task.blocking(move || {
        let found = open_claim(&from, &place, cached, &name, hash.as_str(), inner.as_str())?;
        let Some(content) = found else { return Ok(None) };
        let adopting = to.adopt(&content, blob, mode)?;
        Ok::<_, DiskError>(Some((content, adopting)))
    });
    let Some((content, adopting)) = begun.await?? else {
        let why = format!("{path}: it is not there any more");
        return Err(Failure::Item(Code::EntryNotFound, why));
    };
    let hasher = Some(BlobHasher::new(blob, content.size_bytes));
    let size_bytes = content.size_bytes;
    let failed = |error: io::Error| Failure::from(DiskError::new("take over", path.as_str(), error));
    let (staged, from, to) = match adopting {
        Adopting::Staged(staged, _) => {
            let (opener, at) = (repo.clone(), staged.clone());
            let from = task.blocking(move || opener.open_staged(&at)).await??;
            (staged, from, None)
        }
        Adopting::Copy(to, staged) => (staged, content.file.try_clone().map_err(failed)?, Some(to)),
    };
    let passing = Passing {
        from,
        to,
        hasher,
        size_bytes,
        buffer: Vec::new(),
    };
    let (passing, passed) = passing.run(task, 0, counted).await?;
    passed.map_err(failed)?;
    if let Some(copy) = passing.to {
        task.blocking(move || copy.finish(&content)).await??;
    }
    let right = size_bytes == item.size_bytes && passing.hasher.map(BlobHasher::finish) == Some(blob);
    if !right {
        task.blocking(move || repo.discard_staged(&staged)).await??;
        let why = format!("{path}: its {} is another one than it claims", blob.algorithm());
        return Err(Failure::Item(Code::HashMismatch, why));
    }
    let (flusher, at) = (repo.clone(), staged.clone());
    task.blocking(move || flusher.flush_paths(&[at])).await??;
    publish(task, &repo, &commit, publication(Source::Part(staged))).await?;
    Ok(ADOPTED)
}

async fn publish(
    task: &Task,
    repo: &Arc<RepoDir>,
    commit: &Commit,
    publication: Publication,
) -> Result<(), Failure> {
    let (repo, commit) = (repo.clone(), commit.clone());
    let published = task.blocking(move || {
        let report = repo.publish(&commit, &[publication])?;
        report.into_result().map(drop)
    });
    Ok(published.await??)
}

/// Lets a ref of the other cache name its commit here too, unless one of that name is here.
async fn name_commit(task: &Task, spec: &ImportSpec, item: &Item) -> Result<&'static str, Failure> {
    let mut lines = item.path.splitn(3, '\n').skip(1);
    let (Some(name), Some(commit)) = (lines.next(), lines.next()) else {
        return Err(Failure::Item(
            Code::Internal,
            "The plan cannot be read".to_owned(),
        ));
    };
    let (revision, commit): (Revision, Commit) = (name.parse()?, commit.parse()?);
    let _gate = task.shared.gates.enter(spec.hub.join(item.repo.folder())).await;
    let repo = repo_dir(task, spec, &item.repo).await?;
    let named = task.blocking(move || {
        if repo.read_ref(&revision).is_some() || !repo.snapshot_path(&commit).is_dir() {
            return Ok(());
        }
        repo.write_ref(&revision, &commit)
    });
    named.await??;
    Ok(NAMED)
}
