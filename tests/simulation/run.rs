//! A simulated run: the steps of the engine for one job over the real store, one at a time, so
//! that anything may come between two of them.

use hfdepot::engine::believed;
use hfdepot::model::code::Code;
use hfdepot::model::repo::BlobId;
use hfdepot::model::segment::Segment;
use hfdepot::model::state::{FileState, JobStatus, WaitReason};
use hfdepot::store::{
    FileRow, FileSettled, Job, JobProgress, Lease, NewFile, Outcome, PartIdentity, Store, StoreError,
    SyncedPart, Waiting, WrittenMark,
};

use super::world::{CELLS, Cell, Fault, World, fresh};
use crate::support::base::{FOLDER, blob, commit};

/// One job in the hands of a worker.
pub struct Run {
    pub job: Job,
    pub lease: Lease,
    open: Option<Open>,
}

/// A file that is being fetched.
struct Open {
    file: FileRow,
    part_id: i64,
    segments: Vec<Segment>,
}

/// What a step did.
#[derive(Debug, PartialEq)]
pub enum Next {
    On,
    /// Another run has the job.
    Lost,
    Ended(JobStatus),
}

/// Files of a repo by its number; all repos share one blob.
pub fn files(repo: usize) -> Vec<NewFile> {
    let file = |path: &str, digit| NewFile {
        path: path.parse().expect("a path"),
        size_bytes: CELLS as u64,
        blob_id: blob(digit),
    };
    let own = char::from(b'a' + repo as u8);
    vec![file("own.bin", own), file("shared.bin", 'f')]
}

impl Run {
    pub fn new(job: Job, lease: Lease) -> Self {
        Self {
            job,
            lease,
            open: None,
        }
    }

    /// The blob it works on.
    pub fn blob(&self) -> Option<BlobId> {
        self.open.as_ref().map(|open| open.file.blob_id)
    }

    /// One step; `strikes` says whether a kind of trouble comes now. Other runs hold the locks of
    /// the blobs in `taken`.
    #[allow(clippy::too_many_arguments)]
    pub async fn step(
        &mut self,
        taken: &[BlobId],
        store: &Store,
        world: &mut World,
        boot: &str,
        strikes: &mut impl FnMut(Fault) -> bool,
        chance: &mut fastrand::Rng,
    ) -> Next {
        match self.work(taken, store, world, boot, strikes, chance).await {
            Ok(next) => next,
            Err(StoreError::LeaseLost) => Next::Lost,
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn settle(&self, store: &Store, outcome: Outcome) -> Result<Next, StoreError> {
        Ok(Next::Ended(store.settle(&self.lease, &outcome).await?))
    }

    async fn wait(&self, store: &Store, reason: WaitReason) -> Result<Next, StoreError> {
        let text = "waits".to_owned();
        let ready_at = i64::MAX;
        self.settle(
            store,
            Outcome::Waiting(Waiting {
                reason,
                ready_at,
                text,
            }),
        )
        .await
    }

    #[allow(clippy::too_many_arguments)]
    async fn work(
        &mut self,
        taken: &[BlobId],
        store: &Store,
        world: &mut World,
        boot: &str,
        strikes: &mut impl FnMut(Fault) -> bool,
        chance: &mut fastrand::Rng,
    ) -> Result<Next, StoreError> {
        if strikes(Fault::Offline) {
            return self.wait(store, WaitReason::Offline).await;
        }
        if self.job.commit.is_none() {
            let repo = self.job.repo.as_ref().expect("a download has a repo");
            let repo = repo.name()[1..].parse().expect("repos have numbers");
            store.store_plan(&self.lease, &commit(), &files(repo)).await?;
            self.job.commit = Some(commit());
            return Ok(Next::On);
        }
        match self.open.take() {
            None => self.open_next(taken, store, world, boot).await,
            Some(open) if open.segments.iter().all(Segment::is_written) => {
                self.finish(store, world, open).await.map(|()| Next::On)
            }
            Some(open) => self.fetch(store, world, boot, open, strikes, chance).await,
        }
    }

    async fn open_next(
        &mut self,
        taken: &[BlobId],
        store: &Store,
        world: &mut World,
        boot: &str,
    ) -> Result<Next, StoreError> {
        let (open, _) = store.open_files(self.job.seq).await?;
        let Some(file) = open.into_iter().next() else {
            return self.settle(store, Outcome::Completed).await;
        };
        if taken.contains(&file.blob_id) {
            return Ok(Next::On);
        }
        if world.published.contains_key(&file.blob_id) {
            self.settle_file(store, &file, &[]).await?;
            return Ok(Next::On);
        }
        let stored = store.part(FOLDER, file.blob_id).await?;
        let (disk, created) = world.open(file.blob_id);
        let identity = identity(boot, disk.inode);
        let mut segments = match stored {
            Some(part) if !created => believed(part, &identity, file.blob_id, CELLS as u64).0,
            _ => fresh(),
        };
        // A belief in nothing comes back as one large segment.
        if segments.len() == 1 {
            segments = fresh();
        }
        // Between the row and the bytes: what is not believed is not there.
        for segment in &segments {
            let (from, to) = (segment.start + segment.written, segment.start + segment.length);
            disk.seen[from as usize..to as usize].fill(Cell::Hole);
        }
        let part_id = self.put(store, &file, &identity, &segments).await?;
        self.open = Some(Open {
            file,
            part_id,
            segments,
        });
        Ok(Next::On)
    }

    async fn put(
        &self,
        store: &Store,
        file: &FileRow,
        identity: &PartIdentity,
        segments: &[Segment],
    ) -> Result<i64, StoreError> {
        store
            .put_part(
                &self.lease,
                FOLDER,
                file.blob_id,
                CELLS as u64,
                identity,
                None,
                segments,
            )
            .await
    }

    async fn fetch(
        &mut self,
        store: &Store,
        world: &mut World,
        boot: &str,
        mut open: Open,
        strikes: &mut impl FnMut(Fault) -> bool,
        chance: &mut fastrand::Rng,
    ) -> Result<Next, StoreError> {
        if world.full {
            return self.wait(store, WaitReason::Disk).await;
        }
        let blob = open.file.blob_id;
        let Some(disk) = world.parts.get_mut(&blob) else {
            // Deleted below the run: its next belief is in nothing.
            world.excuse(blob, CELLS);
            return Ok(Next::On);
        };
        let unwritten = open.segments.iter_mut().filter(|segment| !segment.is_written());
        let mut unwritten: Vec<_> = unwritten.collect();
        let index = chance.usize(..unwritten.len());
        let segment = &mut *unwritten[index];
        let bytes = chance.u64(1..=segment.length - segment.written);
        let from = (segment.start + segment.written) as usize;
        let cells = &mut disk.seen[from..from + bytes as usize];
        cells.fill(Cell::Right);
        if strikes(Fault::WrongByte) {
            cells[0] = Cell::Wrong;
        }
        segment.written += bytes;
        *world.fetched.entry(blob).or_default() += bytes as usize;
        if chance.bool() {
            let mark = WrittenMark {
                part_id: open.part_id,
                start_bytes: segment.start,
                written_bytes: segment.written,
                lease: self.lease.clone(),
            };
            store
                .progress(&[(self.lease.clone(), JobProgress::default())], &[mark])
                .await?;
        }
        if chance.u8(..4) == 0 {
            if strikes(Fault::SyncFails) {
                // Everything since the last good sync is lost, whatever a reader still sees.
                for segment in &mut open.segments {
                    let (from, to) = (segment.start + segment.synced, segment.start + segment.length);
                    disk.seen[from as usize..to as usize].fill(Cell::Hole);
                    segment.written = segment.synced;
                }
                disk.kept = disk.seen;
                let identity = identity(boot, disk.inode);
                world.excuse(blob, CELLS);
                self.put(store, &open.file, &identity, &open.segments).await?;
            } else {
                self.sync(store, world, &mut open).await?;
            }
        }
        self.open = Some(open);
        Ok(Next::On)
    }

    /// Bytes, then sync, then row.
    async fn sync(&self, store: &Store, world: &mut World, open: &mut Open) -> Result<(), StoreError> {
        if let Some(disk) = world.parts.get_mut(&open.file.blob_id) {
            disk.kept = disk.seen;
        }
        let marks = open
            .segments
            .iter()
            .map(|segment| (segment.start, segment.written));
        let proof = SyncedPart {
            part_id: open.part_id,
            marks: marks.collect(),
            hash: None,
            lease: self.lease.clone(),
        };
        store.synced(&[proof]).await?;
        open.segments
            .iter_mut()
            .for_each(|segment| segment.synced = segment.written);
        Ok(())
    }

    /// Verify, publish, record; or begin anew when a byte is wrong.
    async fn finish(&mut self, store: &Store, world: &mut World, mut open: Open) -> Result<(), StoreError> {
        self.sync(store, world, &mut open).await?;
        let blob = open.file.blob_id;
        let Some(disk) = world.parts.get(&blob).cloned() else {
            world.excuse(blob, CELLS);
            return Ok(());
        };
        if disk.seen.contains(&Cell::Hole) {
            panic!("{blob}: a hole in what every mark calls whole");
        }
        if disk.seen.contains(&Cell::Wrong) {
            world.excuse(blob, CELLS);
            // The row first: a row without a file is void.
            store.forget_part(FOLDER, blob).await?;
            world.parts.remove(&blob);
            return Ok(());
        }
        world.parts.remove(&blob);
        world.published.insert(blob, disk.kept);
        self.settle_file(store, &open.file, &[open.part_id]).await
    }

    async fn settle_file(&self, store: &Store, file: &FileRow, parts: &[i64]) -> Result<(), StoreError> {
        let settled = FileSettled {
            id: file.id,
            state: FileState::Complete,
            verification: "sha256",
            failure: None::<(Code, String)>,
        };
        store.settle_files(&self.lease, &[settled], parts).await
    }
}

fn identity(boot: &str, inode: i64) -> PartIdentity {
    PartIdentity {
        boot_id: boot.to_owned(),
        mount_id: 1,
        device: 2,
        inode,
    }
}
