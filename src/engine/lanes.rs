//! The lanes of a run: small files by the dozen beside a few large ones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::model::job::Verify;
use crate::model::repo::Commit;
use crate::model::state::{FileState, Phase};
use crate::store::FileSettled;

use super::attempt::{FileError, Halt, wait_for_disk};
use super::line::Line;
use super::planner::{self, BlobTask};
use super::publish::{self, Ready};
use super::run::{GivenUp, Run, blocking, whole_job};
use super::space::Needs;
use super::{fetch, small};

/// Small files of a job that are begun at most, whatever the connection limit says. How many are
/// in flight follows what that brings.
const SMALL_BEGUN: usize = 128;
/// Large files among which the connections are shared out. Two are hashed on two cores, and while one comes
/// to its end the other keeps the line busy: 8 files of 256 MiB took 1.0 to 1.2 of curl's time in four
/// measures, instead of 1.3 with one after the other (loopback, two cores). Three or four were no faster and
/// took 15 to 30 MiB more; and files that are finished one after the other are of use sooner.
const ABREAST: usize = 2;
/// Time after which it is asked again whether another large file would find places.
const LOOK: Duration = Duration::from_millis(50);
/// Verified files that may wait for the publisher.
const READY_QUEUE: usize = 512;

/// Which of the two lanes a task runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Small,
    Large,
}

/// A task under way.
struct Begun {
    lane: Lane,
    task: BlobTask,
    /// Ends the work on it alone: it goes back into the line.
    stop: CancellationToken,
}

/// Tasks under way, in the order they were begun.
#[derive(Default)]
struct UnderWay {
    begun: BTreeMap<u64, Begun>,
    number: u64,
}

impl UnderWay {
    fn add(&mut self, lane: Lane, task: &BlobTask, stop: &CancellationToken) -> u64 {
        self.number += 1;
        let (task, stop) = (task.clone(), stop.clone());
        self.begun.insert(self.number, Begun { lane, task, stop });
        self.number
    }

    fn of(&self, lane: Lane) -> impl Iterator<Item = &Begun> {
        self.begun.values().filter(move |begun| begun.lane == lane)
    }

    fn tasks(&self) -> impl Iterator<Item = &BlobTask> {
        self.begun.values().map(|begun| &begun.task)
    }

    /// Whether a task was told to stop and has not ended.
    fn lets_go(&self) -> bool {
        self.begun.values().any(|begun| begun.stop.is_cancelled())
    }
}

impl Run {
    /// Fetches and publishes every file that is not done. Failed ones do not stop the others.
    ///
    /// # Errors
    /// [`Halt`]; `Fail` with the first failure when files were given up.
    pub async fn fetch_all(self: &Arc<Self>, commit: &Commit) -> Result<(), Halt> {
        let mut line = Line::default();
        let first = self.look(&mut line).await?;
        self.meter.set_placed(first.placed_bytes);
        self.reserve(self.needs_of(line.waiting().cloned().collect()).await?)?;
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
        let fetched = self.fetch_lanes(&mut line, first.choices, sender).await;
        if fetched.is_err() {
            self.stop.cancel();
        }
        let published = publisher
            .await
            .unwrap_or_else(|error| Err(FileError::task(error)));
        // A publisher that failed makes fetchers see a stop: its reason is the true one.
        published.map_err(whole_job)?;
        fetched?;
        let mut failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        // What is not wanted any more may be missing.
        failures.retain(|failure| !line.leaves_out_all(&failure.files));
        match failures.as_slice() {
            [] => Ok(()),
            [GivenUp { code, text, .. }] => Err(Halt::Fail(*code, text.clone())),
            [GivenUp { code, text, .. }, rest @ ..] => Err(Halt::Fail(
                *code,
                format!("{text} (and {} more files failed)", rest.len()),
            )),
        }
    }

    /// Takes over what the user wants by now.
    async fn look(&self, line: &mut Line) -> Result<Looked, Halt> {
        let store = &self.shared.store;
        // The number first: what is read after it is at least as new.
        let choices = store.choices(self.job.seq).await.map_err(Halt::store)?;
        let (open, placed_bytes) = store.open_files(self.job.seq).await.map_err(Halt::store)?;
        let came_back = line.refill(open);
        self.meter.choose(choices, line.skipped());
        Ok(Looked {
            choices,
            placed_bytes,
            came_back,
        })
    }

    /// What these contents have yet to take from the volume.
    async fn needs_of(&self, wanted: Vec<BlobTask>) -> Result<Needs, Halt> {
        let folder = self.repo.path().to_string_lossy().into_owned();
        let begun = self.shared.store.part_blobs(&folder).await.map_err(Halt::store)?;
        let repo = self.repo.clone();
        blocking(move || {
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
        .await
    }

    /// Makes sure that what is missing fits on the volume.
    fn reserve(&self, needs: Needs) -> Result<(), Halt> {
        let floor = self.shared.tuning.borrow().free_space_floor_bytes;
        let destination = PathBuf::from(&self.job.destination.dir);
        self.shared
            .reserved
            .reserve(self.job.seq, &destination, needs, floor)
            .map_err(|text| Halt::Wait(wait_for_disk(text)))
    }

    /// Fetches what is in line until nothing is left. `known` is the number of the choice that the
    /// line goes by.
    async fn fetch_lanes(
        self: &Arc<Self>,
        line: &mut Line,
        mut known: i64,
        ready: mpsc::Sender<Ready>,
    ) -> Result<(), Halt> {
        let mut running = JoinSet::new();
        let mut under_way = UnderWay::default();
        let mut tuning = self.shared.tuning.clone();
        let mut choices = self.choices.clone();
        let mut room = Room::Settled;
        let mut halted = None;
        loop {
            let newest = *choices.borrow_and_update();
            if newest > known {
                match self.look(line).await {
                    Ok(looked) => {
                        known = looked.choices.max(newest);
                        room = room.after(looked.came_back);
                    }
                    Err(halt) => {
                        halted.get_or_insert(halt);
                        self.stop.cancel();
                    }
                }
                for begun in under_way
                    .begun
                    .values()
                    .filter(|begun| line.leaves_out(&begun.task))
                {
                    begun.stop.cancel();
                }
            }
            if room != Room::Settled && !under_way.lets_go() {
                let tasks = line.waiting().chain(under_way.tasks()).cloned().collect();
                if let Err(halt) = self.settle_room(room, tasks).await {
                    halted.get_or_insert(halt);
                    self.stop.cancel();
                }
                room = Room::Settled;
            }
            let limited = self.own.changed();
            let (max_large, max_small) = {
                let tuning = tuning.borrow_and_update();
                (
                    tuning.max_files_per_job,
                    (2 * tuning.max_connections.min(self.own.limit())).min(SMALL_BEGUN),
                )
            };
            let go_on = halted.is_none() && !self.stop.is_cancelled();
            let mut small_running = under_way.of(Lane::Small).count();
            while go_on
                && small_running < max_small
                && let Some(task) = line.next_small()
            {
                small_running += 1;
                let stop = self.stop.child_token();
                let number = under_way.add(Lane::Small, &task, &stop);
                let (run, ready) = (self.clone(), ready.clone());
                running.spawn(async move { (number, small::fetch(run, task, stop, ready).await) });
            }
            // The newest go back in line; they go on at their marks.
            for begun in under_way.of(Lane::Large).skip(max_large) {
                begun.stop.cancel();
            }
            let roomier = self.shared.places.roomier();
            let mut large_running = under_way.of(Lane::Large).count();
            let abreast = (large_running + line.count_large())
                .min(max_large)
                .clamp(1, ABREAST);
            self.abreast
                .send_if_modified(|known| std::mem::replace(known, abreast) != abreast);
            // Another one only when those under way leave places free, also once each has its share.
            let mut due: usize = under_way
                .of(Lane::Large)
                .map(|begun| self.share(begun.task.size_bytes))
                .sum();
            let leaves_room = |due| due < self.width() && self.shared.places.has_room();
            while go_on
                && large_running < max_large
                && (large_running == 0 || leaves_room(due))
                && let Some(task) = line.next_large()
            {
                large_running += 1;
                due += self.share(task.size_bytes);
                let stop = self.stop.child_token();
                let number = under_way.add(Lane::Large, &task, &stop);
                let (run, ready) = (self.clone(), ready.clone());
                let wish = self.shared.places.wish(self.share(task.size_bytes));
                running.spawn(async move { (number, fetch::fetch(run, task, stop, wish, ready).await) });
            }
            if line.has_high_large() {
                // It found no place: those that are not wanted before others make way.
                for begun in under_way
                    .of(Lane::Large)
                    .filter(|begun| !line.is_high(&begun.task))
                {
                    begun.stop.cancel();
                }
            }
            let more_large = go_on && large_running < max_large && line.count_large() > 0;
            let ended = tokio::select! {
                ended = running.join_next() => ended,
                _ = tuning.changed() => continue,
                () = limited => continue,
                Ok(()) = choices.changed(), if go_on => continue,
                () = roomier, if more_large => continue,
                () = tokio::time::sleep(LOOK), if more_large => continue,
            };
            let Some(ended) = ended else { break };
            let (number, result) = match ended {
                Ok(ended) => ended,
                Err(error) => {
                    halted.get_or_insert(Halt::task(error));
                    self.stop.cancel();
                    continue;
                }
            };
            let Some(Begun { task, stop, .. }) = under_way.begun.remove(&number) else {
                continue;
            };
            match result {
                Ok(()) => {}
                Err(FileError::Halt(Halt::Stopped)) if stop.is_cancelled() && !self.stop.is_cancelled() => {
                    task.ids().for_each(|id| self.meter.let_go(id));
                    line.give_back(task);
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

    /// Reserves what a choice left to fetch. Only what came back may be too much: a job that
    /// leaves files out does not stop for a volume that others filled.
    async fn settle_room(&self, room: Room, tasks: Vec<BlobTask>) -> Result<(), Halt> {
        let needs = self.needs_of(tasks).await?;
        match room {
            Room::Grown => self.reserve(needs),
            Room::Shrunk | Room::Settled => {
                self.shared.reserved.lower(self.job.seq, needs);
                Ok(())
            }
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
        self.failed(task.ids().collect(), code, text);
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

/// What a look at the wishes of the user found.
struct Looked {
    /// Number of the choice.
    choices: i64,
    /// Bytes of files in place.
    placed_bytes: u64,
    /// Whether files are wanted that were left out before.
    came_back: bool,
}

/// How what is to be fetched changed since room was reserved for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Settled,
    Shrunk,
    Grown,
}

impl Room {
    fn after(self, came_back: bool) -> Self {
        if came_back || self == Self::Grown {
            Self::Grown
        } else {
            Self::Shrunk
        }
    }
}
