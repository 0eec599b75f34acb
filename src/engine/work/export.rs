//! Exports: files of a snapshot as real files in a folder below a configured root. What one is
//! asked, its plan, its run, and its report.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::now_ms;
use crate::disk::export::{Copy, ExportFolder, Placed, Placing, Way};
use crate::disk::library::scan_repo;
use crate::disk::{BlobHasher, Content, Contents, DiskError};
use crate::model::code::Code;
use crate::model::filter::{Filter, Verdict};
use crate::model::library::CachedRepo;
use crate::model::plan::RepoFile;
use crate::model::repo::{BlobId, RepoPath, RepoType};
use crate::model::state::Phase;
use crate::store::{Item, ItemSettled, ItemState, NewItem};

use super::passing::Passing;
use super::task::{Failure, Task};
use crate::engine::attempt::Halt;

/// A file of the snapshot.
const FILE: &str = "file";
/// Items settled together, and the longest that one waits for others.
const BATCH: usize = 128;
const BATCH_TIME: Duration = Duration::from_millis(500);
/// Sentences of a report at most.
const TOLD: usize = 200;
/// It is there already.
const UNCHANGED: &str = "unchanged";

/// What an export is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportSpec {
    /// The Hub cache.
    pub hub: PathBuf,
    /// Model or dataset.
    #[serde(rename = "type")]
    pub repo_type: RepoType,
    /// The repo.
    pub repo: String,
    /// Its snapshot.
    pub commit: String,
    /// Patterns of files to have; none means all.
    pub filters: Vec<String>,
    /// The configured folder.
    pub root: PathBuf,
    /// The folder of this export below it.
    pub below: String,
    /// How files get there.
    pub mode: Placing,
}

/// What came of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportReport {
    /// The snapshot.
    pub commit: String,
    /// The folder.
    pub dest: String,
    /// Files that are there now.
    pub files: u64,
    /// Second names of files of the cache.
    pub hardlinked: u64,
    /// Clones of files of the cache.
    pub reflinked: u64,
    /// Copies.
    pub copied: u64,
    /// Those that were there already.
    pub unchanged: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// What is not there, and why.
    pub errors: Vec<String>,
}

/// Runs an export.
///
/// # Errors
/// [`Halt`]: why it did not come to its end.
pub async fn run(task: &Task) -> Result<(), Halt> {
    let spec: ExportSpec = task.spec()?;
    let internal = |error: crate::model::repo::NameError| Halt::Fail(Code::BadRequest, error.to_string());
    let repo = CachedRepo::parse(spec.repo_type, &spec.repo).map_err(internal)?;
    let below: RepoPath = spec.below.parse().map_err(internal)?;
    let folder = ExportFolder::new(&spec.root, &below);
    // Nothing is deleted from the repo meanwhile.
    let _gate = task.shared.gates.enter(spec.hub.join(repo.folder())).await;
    if !task.planned().await? {
        make_plan(task, &spec, &repo).await?;
    }
    has_room(task, &spec).await?;
    let made = folder.clone();
    let root = spec.root.clone();
    match task.blocking(move || made.create()).await? {
        Err(error) if error.is_not_found() => {
            let text = format!("The export folder {} is not there", root.display());
            return Err(Halt::Fail(Code::NotMounted, text));
        }
        made => made.map_err(|error| Halt::disk(&error))?,
    }
    let hub_text = spec.hub.to_string_lossy();
    let damaged = task.shared.store.bad_blobs(&hub_text, &repo).await;
    let mut exporter = Exporter {
        task,
        contents: Arc::new(Contents::new(&spec.hub, &repo)),
        damaged: damaged.map_err(Halt::store)?,
        folder: folder.clone(),
        spec,
        settled: Vec::new(),
        placed: Vec::new(),
        uncounted_bytes: 0,
        oldest: Instant::now(),
        buffer: Vec::new(),
    };
    task.phase(Phase::Publishing, "").await?;
    let mut items = task.pending();
    while let Some(item) = items.next().await? {
        exporter.carry_out(&item).await?;
    }
    exporter.settle().await?;
    let end = folder.clone();
    task.blocking(move || end.finish()).await?;
    finish(task, &exporter.spec, &folder).await
}

async fn make_plan(task: &Task, spec: &ExportSpec, repo: &CachedRepo) -> Result<(), Halt> {
    task.phase(Phase::Planning, "Lists the snapshot").await?;
    let filter = Filter::new(&spec.filters, &[], false, spec.repo_type)
        .map_err(|text| Halt::Fail(Code::BadRequest, text))?;
    let (hub, name) = (spec.hub.clone(), repo.clone());
    let scan = task.blocking(move || scan_repo(&hub, &name, now_ms())).await?;
    let scan = scan.map_err(|error| Halt::disk(&error))?;
    let mut files: Vec<_> = scan.into_iter().flat_map(|scan| scan.files).collect();
    files.retain(|file| file.commit == spec.commit);
    if files.is_empty() {
        let text = format!("{} {} has no snapshot {}", spec.repo_type, spec.repo, spec.commit);
        return Err(Halt::Fail(Code::RevisionNotFound, text));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut candidates = Vec::new();
    for file in &files {
        let path = file.path.parse::<RepoPath>();
        let path = path.map_err(|error| Halt::Fail(Code::UnsafePath, error.to_string()))?;
        candidates.push(RepoFile {
            path,
            size_bytes: file.size_bytes,
            // Only whether it is large content counts here; a real file is judged by its name.
            blob_id: file.blob.parse().unwrap_or(BlobId::GitSha1([0; 20])),
            git_oid: String::new(),
            xet_hash: None,
        });
    }
    let wanted = filter.judge(&candidates);
    if !wanted.contains(&Verdict::Matched) {
        let text = format!("No file of the snapshot matches {}", spec.filters.join(", "));
        return Err(Halt::Fail(Code::NothingMatched, text));
    }
    let items: Vec<_> = files
        .into_iter()
        .zip(wanted)
        .filter(|(_, verdict)| !matches!(verdict, Verdict::LeftOut(_)))
        .map(|(file, _)| NewItem {
            repo: repo.clone(),
            task: FILE,
            path: file.path,
            blob: file.blob,
            size_bytes: file.size_bytes,
        })
        .collect();
    task.plan(&items).await
}

/// Whether there is room for what has to be copied. What is only linked or cloned takes none.
async fn has_room(task: &Task, spec: &ExportSpec) -> Result<(), Halt> {
    use std::os::unix::fs::MetadataExt;
    let (hub, root) = (spec.hub.clone(), spec.root.clone());
    let one_volume = task
        .blocking(move || {
            let device = |path: &PathBuf| path.metadata().map(|metadata| metadata.dev()).ok();
            device(&hub) == device(&root)
        })
        .await?;
    let copies = match spec.mode {
        Placing::Copy => true,
        Placing::Auto => !one_volume,
        Placing::Hardlink | Placing::Reflink => false,
    };
    if !copies {
        return Ok(());
    }
    task.fits(&spec.root, task.pending_bytes().await?)
}

/// The hands of one run.
struct Exporter<'a> {
    task: &'a Task,
    spec: ExportSpec,
    contents: Arc<Contents>,
    /// Contents that a check found damaged.
    damaged: HashSet<String>,
    folder: ExportFolder,
    settled: Vec<ItemSettled>,
    /// New names that are not synced yet.
    placed: Vec<RepoPath>,
    uncounted_bytes: u64,
    oldest: Instant,
    /// Lent to each copy.
    buffer: Vec<u8>,
}

impl Exporter<'_> {
    async fn carry_out(&mut self, item: &Item) -> Result<(), Halt> {
        if self.task.stop.is_cancelled() {
            self.settle().await?;
            return Err(Halt::Stopped);
        }
        self.task.activity(item.path.as_str());
        let mut counted = 0;
        let (state, outcome, failure) = match self.export(item, &mut counted).await {
            Ok(None) => (ItemState::Unchanged, UNCHANGED, None),
            Ok(Some(way)) => (ItemState::Done, way.as_str(), None),
            Err(Failure::Item(code, why)) => {
                tracing::warn!(job.id = %self.task.job.id, path = item.path, why, "a file was not exported");
                (ItemState::Error, "", Some((code, why)))
            }
            Err(Failure::Halt(halt)) => {
                self.task.lost(counted);
                self.settle().await?;
                return Err(halt);
            }
        };
        self.uncounted_bytes += item.size_bytes.saturating_sub(counted);
        if self.settled.is_empty() {
            self.oldest = Instant::now();
        }
        self.settled.push(ItemSettled {
            id: item.id,
            state,
            outcome,
            failure,
        });
        if self.settled.len() >= BATCH || self.oldest.elapsed() >= BATCH_TIME {
            return self.settle().await;
        }
        Ok(())
    }

    /// Makes what was done durable, then records it.
    async fn settle(&mut self) -> Result<(), Halt> {
        let (folder, placed) = (self.folder.clone(), std::mem::take(&mut self.placed));
        if !placed.is_empty() {
            let synced = self.task.blocking(move || folder.sync(placed.iter())).await?;
            // What is not synced is not settled, and so it is done again.
            synced.map_err(|error| Halt::disk(&error))?;
        }
        let items = std::mem::take(&mut self.settled);
        let uncounted = std::mem::take(&mut self.uncounted_bytes);
        if items.is_empty() {
            return Ok(());
        }
        self.task.settle(&items, uncounted).await
    }

    /// Brings one file to its place; `None` when it was there.
    async fn export(&mut self, item: &Item, counted: &mut u64) -> Result<Option<Way>, Failure> {
        if self.damaged.contains(&item.blob) {
            let why = "A check found it damaged; have it fetched again with POST /api/cache/repair";
            return Err(Failure::Item(Code::HashMismatch, why.to_owned()));
        }
        let path: RepoPath = item
            .path
            .parse()
            .map_err(|error: crate::model::repo::NameError| {
                Failure::Item(Code::UnsafePath, error.to_string())
            })?;
        let (contents, folder, mode) = (self.contents.clone(), self.folder.clone(), self.spec.mode);
        let (commit, to) = (self.spec.commit.clone(), path.clone());
        let begun = self.task.blocking(move || {
            let Some(content) = contents.of_path(&commit, to.as_str())? else {
                return Ok::<_, DiskError>(None);
            };
            let placed = folder.place(&content, &to, mode)?;
            Ok(Some((content, placed)))
        });
        let Some((content, placed)) = begun.await?? else {
            let why = "Its content is not in the cache".to_owned();
            return Err(Failure::Item(Code::EntryNotFound, why));
        };
        match placed {
            Placed::Unchanged => Ok(None),
            Placed::Done(way) => {
                self.placed.push(path);
                Ok(Some(way))
            }
            Placed::Copy(copy) => {
                self.copy(content, copy, counted).await?;
                self.placed.push(path);
                Ok(Some(Way::Copied))
            }
        }
    }

    /// Copies and compares the hash on the way.
    async fn copy(&mut self, content: Content, copy: Copy, counted: &mut u64) -> Result<(), Failure> {
        let from = content.file.try_clone();
        let from = from.map_err(|error| Failure::Item(Code::DiskError, error.to_string()))?;
        let id: Option<BlobId> = content.blob.parse().ok();
        let passing = Passing {
            from,
            to: Some(copy),
            hasher: id.map(|id| BlobHasher::new(id, content.size_bytes)),
            size_bytes: content.size_bytes,
            buffer: std::mem::take(&mut self.buffer),
        };
        let (passing, passed) = passing.run(self.task, 0, counted).await?;
        self.buffer = passing.buffer;
        passed.map_err(|error| Failure::from(DiskError::new("copy a file to", self.folder.path(), error)))?;
        if let (Some(id), Some(hasher)) = (id, passing.hasher)
            && hasher.finish() != id
        {
            let why = "The cache holds damaged content; check and repair it".to_owned();
            return Err(Failure::Item(Code::HashMismatch, why));
        }
        if let Some(copy) = passing.to {
            self.task.blocking(move || copy.finish(&content)).await??;
        }
        Ok(())
    }
}

async fn finish(task: &Task, spec: &ExportSpec, folder: &ExportFolder) -> Result<(), Halt> {
    let (store, seq) = (&task.shared.store, task.job.seq);
    let mut report = ExportReport {
        commit: spec.commit.clone(),
        dest: folder.path().to_string_lossy().into_owned(),
        ..ExportReport::default()
    };
    for (outcome, count, bytes) in store.item_outcomes(seq).await.map_err(Halt::store)? {
        let number = match outcome.as_str() {
            UNCHANGED => &mut report.unchanged,
            outcome => match outcome.parse() {
                Ok(Way::Hardlinked) => &mut report.hardlinked,
                Ok(Way::Reflinked) => &mut report.reflinked,
                Ok(Way::Copied) => &mut report.copied,
                Err(_) => continue,
            },
        };
        *number = count;
        report.files += count;
        report.bytes += bytes;
    }
    let failed = store.flagged_items(seq, TOLD as i64).await.map_err(Halt::store)?;
    let code = failed.first().and_then(|item| item.error_code);
    report.errors = failed
        .iter()
        .map(|item| format!("{}: {}", item.path, item.error))
        .collect();
    task.report(&report).await?;
    match report.errors.first() {
        None => Ok(()),
        Some(first) => Err(Halt::Fail(code.unwrap_or(Code::DiskError), first.clone())),
    }
}
