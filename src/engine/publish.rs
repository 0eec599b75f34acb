//! The publisher of one run: verified files become visible in batches.
//!
//! A batch is what came while the last one was under way, at most 256 files: data is flushed
//! once, each directory is synced once, and one commit settles all files. Order: data, blob
//! by rename, pointer, directories, row.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, mpsc};

use crate::disk::{Placed, Publication, Source};
use crate::model::repo::Commit;
use crate::model::state::FileState;
use crate::store::FileSettled;

use super::attempt::{FileError, Halt};
use super::part::LivePart;
use super::planner::BlobTask;
use super::run::Run;

/// Most files of one batch.
const BATCH_FILES: usize = 256;
/// How long a batch that is not full waits for more: long enough to gather small files that
/// arrive together, too short for anybody to notice.
const LINGER: Duration = Duration::from_millis(15);

/// A verified content on its way into the cache.
pub struct Ready {
    /// What it is and where it belongs.
    pub task: BlobTask,
    /// Where its bytes are.
    pub content: Content,
    /// What was compared: `sha256`, `git-sha1`, `size`, or nothing.
    pub verification: &'static str,
    /// Held until it is published: nobody else works on the blob.
    pub _guard: OwnedMutexGuard<()>,
}

/// Where the bytes of a content are.
pub enum Content {
    /// In a part file that was synced; the part stays locked until it is published.
    Part(Arc<LivePart>),
    /// In a small file of the staging folder that was not flushed yet.
    Small(PathBuf),
    /// In the cache.
    Present,
    /// Like `Small`, in place of a damaged blob.
    RepairSmall(PathBuf),
    /// Like `Part`, in place of a damaged blob.
    RepairPart(Arc<LivePart>),
}

impl Content {
    fn source(&self) -> Source {
        match self {
            Self::Part(part) => Source::Part(part.path()),
            Self::Small(path) => Source::Part(path.clone()),
            Self::RepairPart(part) => Source::Repair(part.path()),
            Self::RepairSmall(path) => Source::Repair(path.clone()),
            Self::Present => Source::Present,
        }
    }

    fn unflushed(&self) -> Option<PathBuf> {
        match self {
            Self::Small(path) | Self::RepairSmall(path) => Some(path.clone()),
            _ => None,
        }
    }

    fn part(&self) -> Option<&Arc<LivePart>> {
        match self {
            Self::Part(part) | Self::RepairPart(part) => Some(part),
            _ => None,
        }
    }
}

/// Publishes what comes until the queue is closed. The first failure of a batch ends it.
pub async fn run(run: Arc<Run>, commit: Commit, mut queue: mpsc::Receiver<Ready>) -> Result<(), FileError> {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH_FILES).await > 0 {
        while batch.len() < BATCH_FILES {
            let room = BATCH_FILES - batch.len();
            match tokio::time::timeout(LINGER, queue.recv_many(&mut batch, room)).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        publish(&run, &commit, std::mem::take(&mut batch)).await?;
    }
    Ok(())
}

async fn publish(run: &Run, commit: &Commit, batch: Vec<Ready>) -> Result<(), FileError> {
    let mut items = Vec::new();
    let mut rows = Vec::new();
    for ready in &batch {
        for (index, (id, path)) in ready.task.files.iter().enumerate() {
            // The first path moves the bytes, the others point at them.
            let source = if index == 0 {
                ready.content.source()
            } else {
                Source::Present
            };
            items.push(Publication {
                source,
                blob: ready.task.blob,
                size_bytes: ready.task.size_bytes,
                path: path.clone(),
            });
            rows.push((*id, ready));
        }
    }
    let unflushed: Vec<_> = batch
        .iter()
        .filter_map(|ready| ready.content.unflushed())
        .collect();
    let (repo, commit) = (run.repo.clone(), commit.clone());
    let report = tokio::task::spawn_blocking(move || {
        repo.flush_paths(&unflushed)?;
        repo.publish(&commit, &items)
    })
    .await
    .map_err(FileError::task)?
    .map_err(|error| FileError::disk(&error))?;

    let mut settled = Vec::new();
    let mut placed = Vec::new();
    for ((id, ready), result) in rows.into_iter().zip(report.items) {
        let was_here = matches!(ready.content, Content::Present);
        match result {
            Ok(how) => {
                if was_here || how == Placed::Reused && !matches!(ready.content, Content::Part(_)) {
                    run.meter.reused(ready.task.size_bytes);
                }
                placed.push((id, ready.task.size_bytes));
                settled.push(FileSettled {
                    id,
                    state: if was_here {
                        FileState::Skipped
                    } else {
                        FileState::Complete
                    },
                    verification: ready.verification,
                    failure: None,
                });
            }
            Err(error) => match FileError::disk(&error) {
                FileError::Halt(halt) => return Err(halt.into()),
                _ => settled.push(FileSettled {
                    id,
                    state: FileState::Error,
                    verification: "",
                    failure: Some((error.code, error.to_string())),
                }),
            },
        }
    }
    let parts: Vec<_> = batch.iter().filter_map(|ready| ready.content.part()).collect();
    // A part that could not be published keeps its row, so that a retry or the clean-up finds it.
    let published: Vec<_> = batch
        .iter()
        .filter(|ready| {
            let first = ready.task.files.first().map(|(id, _)| *id);
            placed.iter().any(|(id, _)| Some(*id) == first)
        })
        .filter_map(|ready| ready.content.part().map(|part| part.id))
        .collect();
    run.shared
        .store
        .settle_files(&run.meter.lease, &settled, &published)
        .await
        .map_err(Halt::store)?;
    for file in &settled {
        if let Some((code, text)) = &file.failure {
            run.failed(vec![file.id], *code, text.clone());
        }
    }
    for (id, bytes) in placed {
        run.meter.file_placed(id, bytes);
    }
    for part in parts {
        run.shared.checkpoint.forget_part(part);
    }
    Ok(())
}
