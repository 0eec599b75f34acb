//! The lanes of a run: small files by the dozen beside a few large ones.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::model::code::Code;
use crate::model::job::Verify;
use crate::model::repo::{BlobId, Commit};
use crate::model::state::{FileState, Phase};
use crate::store::FileSettled;

use super::attempt::{FileError, Halt, wait_for_disk};
use super::planner::{self, BlobTask};
use super::publish::{self, Ready};
use super::run::{Run, blocking, whole_job};
use super::space::Needs;
use super::{fetch, small};

/// Small files of a job that are begun at most, whatever the connection limit says. How many are
/// in flight follows what that brings.
const SMALL_BEGUN: usize = 128;
/// Time after which it is asked again whether another large file would find places.
const LOOK: Duration = Duration::from_millis(50);
/// Verified files that may wait for the publisher.
const READY_QUEUE: usize = 512;

/// Which of the two lanes a task runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Small,
    /// With the number of its stop.
    Large(u64),
}

impl Run {
    /// Fetches and publishes every file that is not done. Failed ones do not stop the others.
    ///
    /// # Errors
    /// [`Halt`]; `Fail` with the first failure when files were given up.
    pub async fn fetch_all(self: &Arc<Self>, commit: &Commit) -> Result<(), Halt> {
        let (open, placed_bytes) = self
            .shared
            .store
            .open_files(self.job.seq)
            .await
            .map_err(Halt::store)?;
        self.meter.set_placed(placed_bytes);
        let mut tasks: Vec<BlobTask> = Vec::new();
        let mut by_blob: HashMap<BlobId, usize> = HashMap::new();
        for file in open {
            let at = *by_blob.entry(file.blob_id).or_insert_with(|| {
                tasks.push(BlobTask {
                    blob: file.blob_id,
                    size_bytes: file.size_bytes,
                    files: vec![],
                });
                tasks.len() - 1
            });
            tasks[at].files.push((file.id, file.path));
        }
        self.reserve(&tasks).await?;
        let phase = if self.job.verify == Verify::Sha256 {
            Phase::Verifying
        } else {
            Phase::Downloading
        };
        self.shared
            .store
            .set_phase(&self.meter.lease, phase, "")
            .await
            .map_err(Halt::store)?;

        let (sender, queue) = mpsc::channel(READY_QUEUE);
        let publisher = tokio::spawn(publish::run(self.clone(), commit.clone(), queue));
        let fetched = self.fetch_lanes(tasks, sender).await;
        if fetched.is_err() {
            self.stop.cancel();
        }
        let published = publisher
            .await
            .unwrap_or_else(|error| Err(FileError::internal(error)));
        // A publisher that failed makes fetchers see a stop: its reason is the true one.
        published.map_err(whole_job)?;
        fetched?;
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        match failures.as_slice() {
            [] => Ok(()),
            [(code, text)] => Err(Halt::Fail(*code, text.clone())),
            [(code, text), rest @ ..] => Err(Halt::Fail(
                *code,
                format!("{text} (and {} more files failed)", rest.len()),
            )),
        }
    }

    /// Makes sure that what is missing fits on the volume.
    async fn reserve(&self, tasks: &[BlobTask]) -> Result<(), Halt> {
        let wanted: Vec<BlobTask> = tasks.to_vec();
        let folder = self.repo.path().to_string_lossy().into_owned();
        let begun = self.shared.store.part_blobs(&folder).await.map_err(Halt::store)?;
        let repo = self.repo.clone();
        let needs = blocking(move || {
            let present = planner::present(&repo, &wanted)?;
            let mut needs = Needs::default();
            for (task, _) in wanted.iter().zip(present).filter(|(_, present)| !present) {
                if task.size_bytes <= small::SMALL_BYTES {
                    needs.rest_bytes += task.size_bytes;
                    continue;
                }
                let allocated_bytes = match begun.contains(&task.blob) {
                    true => repo.part_allocated_bytes(task.blob),
                    false => 0,
                };
                let lacking = task.size_bytes.saturating_sub(allocated_bytes);
                needs.parts.insert(task.blob, lacking);
            }
            Ok(needs)
        })
        .await?;
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        let destination = PathBuf::from(&self.job.destination.dir);
        self.shared
            .reserved
            .reserve(self.job.seq, &destination, needs, floor)
            .map_err(|text| Halt::Wait(wait_for_disk(text)))
    }

    async fn fetch_lanes(
        self: &Arc<Self>,
        tasks: Vec<BlobTask>,
        ready: mpsc::Sender<Ready>,
    ) -> Result<(), Halt> {
        let (mut small, mut large): (VecDeque<_>, VecDeque<_>) = tasks
            .into_iter()
            .partition(|task| task.size_bytes <= small::SMALL_BYTES);
        let mut running = JoinSet::new();
        let mut small_running = 0;
        // Of every large file under way, in the order they were begun.
        let mut stops: BTreeMap<u64, CancellationToken> = BTreeMap::new();
        let mut begun = 0;
        let mut tuning = self.shared.tuning.clone();
        let mut halted = None;
        loop {
            let (max_large, max_small) = {
                let tuning = tuning.borrow_and_update();
                (
                    tuning.max_files_per_job,
                    (2 * tuning.max_connections).min(SMALL_BEGUN),
                )
            };
            let go_on = halted.is_none() && !self.stop.is_cancelled();
            while go_on
                && small_running < max_small
                && let Some(task) = small.pop_front()
            {
                small_running += 1;
                let (run, ready, files) = (self.clone(), ready.clone(), task.clone());
                running.spawn(async move { (Lane::Small, files, small::fetch(run, task, ready).await) });
            }
            // The newest go back in line; they go on at their marks.
            for stop in stops.values().skip(max_large) {
                stop.cancel();
            }
            // Another one only when those under way leave places free: files that are finished
            // one after the other are of use sooner, and the disk is written in order.
            while go_on
                && stops.len() < max_large
                && (stops.is_empty() || self.shared.places.has_room())
                && let Some(task) = large.pop_front()
            {
                begun += 1;
                let (lane, stop) = (Lane::Large(begun), self.stop.child_token());
                stops.insert(begun, stop.clone());
                let (run, ready, files) = (self.clone(), ready.clone(), task.clone());
                let wish = self.shared.places.wish(self.connections(task.size_bytes));
                running.spawn(async move { (lane, files, fetch::fetch(run, task, stop, wish, ready).await) });
            }
            let more_large = go_on && stops.len() < max_large && !large.is_empty();
            let ended = tokio::select! {
                ended = running.join_next() => ended,
                _ = tuning.changed() => continue,
                () = self.shared.places.roomier(), if more_large => continue,
                () = tokio::time::sleep(LOOK), if more_large => continue,
            };
            let Some(ended) = ended else { break };
            let (lane, task, result) = match ended {
                Ok(ended) => ended,
                Err(panic) => {
                    halted.get_or_insert(Halt::Fail(
                        Code::Internal,
                        format!("An internal task failed: {panic}"),
                    ));
                    self.stop.cancel();
                    continue;
                }
            };
            let mut sent_back = false;
            match lane {
                Lane::Small => small_running -= 1,
                Lane::Large(number) => {
                    sent_back = stops.remove(&number).is_some_and(|stop| stop.is_cancelled());
                }
            }
            match result {
                Ok(()) => {}
                Err(FileError::Halt(Halt::Stopped)) if sent_back && !self.stop.is_cancelled() => {
                    large.push_front(task);
                }
                Err(FileError::Halt(halt)) => {
                    // The first reason is the reason; the others are its echo.
                    halted.get_or_insert(halt);
                    self.stop.cancel();
                }
                Err(error) => self.give_up(&task, error).await?,
            }
        }
        match halted {
            Some(halt) => Err(halt),
            None if self.stop.is_cancelled() => Err(Halt::Stopped),
            None => Ok(()),
        }
    }

    /// Records that the files of a task failed; the others go on.
    async fn give_up(&self, task: &BlobTask, error: FileError) -> Result<(), Halt> {
        let (code, text) = match whole_job(error) {
            Halt::Fail(code, text) => (code, text),
            halt => return Err(halt),
        };
        let rows: Vec<_> = task
            .files
            .iter()
            .map(|(id, _)| FileSettled {
                id: *id,
                state: FileState::Error,
                verification: "",
                failure: Some((code, text.clone())),
            })
            .collect();
        tracing::warn!(job.id = %self.job.id, path = %task.files[0].1, code = code.as_str(), %text, "a file is given up");
        self.failed(code, text);
        let (reserved, seq) = (&self.shared.reserved, self.job.seq);
        match task.size_bytes <= small::SMALL_BYTES {
            true => reserved.rest_shrank(seq, task.size_bytes),
            false => reserved.part_lacks(seq, task.blob, 0),
        }
        self.shared
            .store
            .settle_files(&self.meter.lease, &rows, &[])
            .await
            .map_err(Halt::store)
    }
}
