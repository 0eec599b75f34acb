//! Sharing: contents that several repos of the cache keep each for itself become one file with a
//! name in each. What one is asked, its plan, its run, and its report.
//!
//! One item for each copy that goes. The file that stays is read and compared with its hash right
//! before, once for all copies that follow, and never trusted longer than its name leads to it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::now_ms;
use crate::disk::duplicates::{self, Shared};
use crate::disk::{BlobHasher, Content, Contents, DiskError};
use crate::model::code::Code;
use crate::model::library::{CachedRepo, Verification};
use crate::model::repo::BlobId;
use crate::model::state::Phase;
use crate::store::{BlobMark, Item, ItemSettled, ItemState, NewItem};

use super::passing::Passing;
use super::task::{Failure, Task};
use crate::engine::attempt::Halt;

/// A copy that goes, by the folder of the repo whose file stays.
const COPY: &str = "copy";
/// It is gone, and so are its bytes.
const FREED: &str = "freed";
/// It is gone, but its file has another name that keeps the bytes.
const JOINED: &str = "joined";
/// Sentences of a report at most.
const TOLD: usize = 200;

/// What a job that shares is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareSpec {
    /// The Hub cache.
    pub hub: PathBuf,
    /// Contents of fewer bytes are left as they are.
    pub share_from_bytes: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShareReport {
    /// Copies that gave way to a shared file.
    pub shared: u64,
    /// Bytes that this freed.
    pub freed_bytes: u64,
    /// Copies that stay, and why.
    pub left_out: Vec<String>,
    /// Contents that are not what their name says, or that the disk refused.
    pub errors: Vec<String>,
}

/// The file that stays, compared and open.
struct Kept {
    folder: String,
    blob: BlobId,
    content: Content,
}

/// The hands of one run.
struct Hands<'a> {
    task: &'a Task,
    spec: &'a ShareSpec,
    kept: Option<Kept>,
    /// Repos whose index has to follow.
    changed: BTreeSet<CachedRepo>,
    /// What stays, and why.
    left: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: ShareSpec = task.spec()?;
    if !task.planned().await? {
        make_plan(task, &spec).await?;
    }
    task.phase(Phase::Verifying, "").await?;
    let mut hands = Hands {
        task,
        spec: &spec,
        kept: None,
        changed: BTreeSet::new(),
        left: Vec::new(),
    };
    let ended = hands.work().await;
    // Also when it goes on later: the index follows what was changed.
    for repo in &hands.changed {
        task.shared.library.note_change(&spec.hub, repo).await;
    }
    let report = report(task, hands.left).await?;
    task.report(&report).await?;
    ended?;
    finish(task, &report).await
}

async fn make_plan(task: &Task, spec: &ShareSpec) -> Result<(), Halt> {
    task.phase(Phase::Planning, "Looks for contents that are here twice")
        .await?;
    let library = &task.shared.library;
    library.refresh(&spec.hub, false).await.map_err(Halt::library)?;
    let hub_text = spec.hub.to_string_lossy();
    let least = i64::try_from(spec.share_from_bytes).unwrap_or(i64::MAX);
    let known = task.shared.store.library_duplicates(&hub_text, least).await;
    let (known, hub) = (known.map_err(Halt::store)?, spec.hub.clone());
    let found = task.blocking(move || duplicates::find(&hub, known)).await?;
    let found = found.map_err(|error| Halt::disk(&error))?;
    let mut report = ShareReport::default();
    for duplicate in &found {
        let stays = duplicate.stays.iter();
        report
            .left_out
            .extend(stays.map(|(repo, why)| told(repo, duplicate.blob, why)));
    }
    report.left_out.truncate(TOLD);
    // Before the plan: a run that is cut short in between plans anew.
    task.report(&report).await?;
    let items: Vec<_> = found
        .iter()
        .flat_map(|duplicate| {
            duplicate.replaced.iter().map(|repo| NewItem {
                repo: repo.clone(),
                task: COPY,
                path: format!("{}\n{}", duplicate.keeper.folder(), duplicate.blob),
                blob: duplicate.blob.to_string(),
                size_bytes: duplicate.size_bytes,
            })
        })
        .collect();
    task.plan(&items).await
}

fn told(repo: &CachedRepo, blob: impl ToString, why: &str) -> String {
    let blob = blob.to_string();
    format!(
        "{} {} {}: {why}",
        repo.repo_type(),
        repo.id(),
        &blob[..blob.len().min(12)]
    )
}

impl Hands<'_> {
    async fn work(&mut self) -> Result<(), Halt> {
        let mut items = self.task.pending();
        while let Some(item) = items.next().await? {
            if self.task.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            self.carry_out(&item).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, item: &Item) -> Result<(), Halt> {
        let task = self.task;
        let mut counted = 0;
        let shared = share(task, self.spec, item, &mut self.kept, &mut counted).await;
        let (state, outcome, failure) = match shared {
            Ok(Shared::Done(freed)) => {
                self.changed.insert(item.repo.clone());
                (ItemState::Done, if freed > 0 { FREED } else { JOINED }, None)
            }
            Ok(Shared::Already) => (ItemState::Unchanged, "", None),
            Ok(Shared::Left(why)) => {
                self.left.push(told(&item.repo, &item.blob, &why));
                (ItemState::Gone, "", None)
            }
            Err(Failure::Item(code, why)) => {
                tracing::warn!(job.id = %task.job.id, repo = item.repo.id(), blob = item.blob, why, "a content was not shared");
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
        task.settle(&[settled], uncounted).await
    }
}

/// Lets the repo of an item share the file that stays.
async fn share(
    task: &Task,
    spec: &ShareSpec,
    item: &Item,
    kept: &mut Option<Kept>,
    counted: &mut u64,
) -> Result<Shared, Failure> {
    let blob: BlobId = item.blob.parse()?;
    let folder = item.path.split('\n').next().unwrap_or_default();
    let Some(keeper) = CachedRepo::from_folder(folder) else {
        return Err(Failure::Item(
            Code::Internal,
            "The plan cannot be read".to_owned(),
        ));
    };
    task.activity(item.repo.id());
    let shared = &task.shared;
    // Nothing is deleted from either repo meanwhile.
    let _gates = (
        shared.gates.enter(spec.hub.join(folder)).await,
        shared.gates.enter(spec.hub.join(item.repo.folder())).await,
    );
    let hub_text = spec.hub.to_string_lossy();
    for repo in [&keeper, &item.repo] {
        let busy = shared
            .store
            .blobs_in_work(&hub_text, repo)
            .await
            .map_err(Halt::store)?;
        if let Some(job) = busy.get(&item.blob) {
            return Ok(Shared::Left(format!("Job {job} downloads it into {}", repo.id())));
        }
    }
    let known = kept.take().filter(|kept| {
        kept.folder == folder && kept.blob == blob && kept.content.is_current().unwrap_or(false)
    });
    let proved = match known {
        Some(known) => known,
        None => match prove(task, spec, &keeper, blob, counted).await? {
            Some(content) => Kept {
                folder: folder.to_owned(),
                blob,
                content,
            },
            None => return Ok(Shared::Left(format!("{} has it no more", keeper.id()))),
        },
    };
    let (hub, repo) = (spec.hub.clone(), item.repo.clone());
    let _blob = shared.blobs.lock(spec.hub.join(item.repo.folder()), blob).await;
    let (proved, done) = task
        .blocking(move || {
            let done = duplicates::share(&hub, &proved.content, &repo, blob);
            (proved, done)
        })
        .await?;
    *kept = Some(proved);
    let done = done?;
    if let (Shared::Done(_), Some(Kept { content, .. })) = (&done, &*kept) {
        mark(task, spec, &item.repo, content, blob, true).await?;
    }
    Ok(done)
}

/// Notes in the index how the content of a repo compared with its hash.
async fn mark(
    task: &Task,
    spec: &ShareSpec,
    repo: &CachedRepo,
    content: &Content,
    blob: BlobId,
    right: bool,
) -> Result<(), Halt> {
    let mark = BlobMark {
        blob: blob.to_string(),
        size_bytes: content.size_bytes,
        modified_at: content.modified_at,
        verification: match blob {
            _ if !right => Verification::Bad,
            BlobId::Sha256(_) => Verification::Sha256,
            BlobId::GitSha1(_) => Verification::GitSha1,
        },
        verified_at: now_ms(),
    };
    let hub = spec.hub.to_string_lossy();
    let marked = task.shared.store.mark_library(&hub, repo, &[mark]).await;
    marked.map_err(Halt::store)
}

/// Reads the file that stays and compares it with its hash; `None` when it is not there.
async fn prove(
    task: &Task,
    spec: &ShareSpec,
    keeper: &CachedRepo,
    blob: BlobId,
    counted: &mut u64,
) -> Result<Option<Content>, Failure> {
    let (contents, name) = (Contents::new(&spec.hub, keeper), blob.to_string());
    let opened = task.blocking(move || {
        let content = contents.of_blob(&name)?;
        #[cfg(target_os = "linux")]
        if let Some(content) = &content {
            // What is compared has to come from the disk; a hint, which may be ignored.
            let _ = rustix::fs::fadvise(&content.file, 0, None, rustix::fs::Advice::DontNeed);
        }
        Ok::<_, DiskError>(content)
    });
    let Some(content) = opened.await?? else {
        return Ok(None);
    };
    let failed = |error| Failure::from(DiskError::new("read", keeper.folder(), error));
    let passing = Passing {
        from: content.file.try_clone().map_err(failed)?,
        to: None,
        hasher: Some(BlobHasher::new(blob, content.size_bytes)),
        size_bytes: content.size_bytes,
        buffer: Vec::new(),
    };
    let (passing, read) = passing.run(task, 0, counted).await?;
    read.map_err(failed)?;
    let hash = passing.hasher.map(BlobHasher::finish);
    mark(task, spec, keeper, &content, blob, hash == Some(blob)).await?;
    if hash != Some(blob) {
        let why = format!(
            "{}: the content that would stay is not what its name says; check the repo first",
            keeper.id()
        );
        return Err(Failure::Item(Code::HashMismatch, why));
    }
    Ok(Some(content))
}

/// What came of it so far, this run's `left` included.
async fn report(task: &Task, left: Vec<String>) -> Result<ShareReport, Halt> {
    let (store, seq) = (&task.shared.store, task.job.seq);
    let earlier = store.job_by_seq(seq).await.map_err(Halt::store)?;
    let earlier = earlier.and_then(|job| job.result).unwrap_or_default();
    let mut report = ShareReport {
        left_out: serde_json::from_value::<ShareReport>(earlier)
            .unwrap_or_default()
            .left_out,
        ..ShareReport::default()
    };
    report.left_out.extend(left);
    report.left_out.truncate(TOLD);
    for (outcome, count, bytes) in store.item_outcomes(seq).await.map_err(Halt::store)? {
        match outcome.as_str() {
            FREED => {
                report.shared += count;
                report.freed_bytes += bytes;
            }
            JOINED => report.shared += count,
            _ => {}
        }
    }
    let failed = store.flagged_items(seq, TOLD as i64).await.map_err(Halt::store)?;
    report.errors = failed
        .iter()
        .map(|item| told(&item.repo, &item.blob, &item.error))
        .collect();
    Ok(report)
}

async fn finish(task: &Task, report: &ShareReport) -> Result<(), Halt> {
    let store = &task.shared.store;
    if report.shared > 0 {
        let detail = format!("{} copies: {} bytes", report.shared, report.freed_bytes);
        let noted = store.note_library("cache_shared", &detail, &task.job.actor).await;
        noted.map_err(Halt::store)?;
    }
    let failed = store.flagged_items(task.job.seq, 1).await.map_err(Halt::store)?;
    match (failed.first(), report.errors.first()) {
        (Some(item), Some(text)) => {
            let code = item.error_code.unwrap_or(Code::DiskError);
            Err(Halt::Fail(code, text.clone()))
        }
        _ => Ok(()),
    }
}
