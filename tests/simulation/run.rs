//! A simulated run: the steps of the engine for one job over the real store, one at a time, so
//! that anything may come between two of them.

use hfdepot::clock::now_ms;
use hfdepot::engine::believed;
use hfdepot::model::code::Code;
use hfdepot::model::repo::BlobId;
use hfdepot::model::segment::Segment;
use hfdepot::model::state::{FileState, JobStatus, WaitReason};
use hfdepot::store::{
    FileRow, FileSettled, Job, JobProgress, Lease, NewFile, Outcome, PartIdentity, Store, StoreError,
    SyncedPart, Waiting, WrittenMark,
};

use super::world::{CELLS, Cell, Fault, UNMARKED_MAX, UNSYNCED_MAX, World, fresh};
use crate::support::base::{FOLDER, blob, commit};

/// Pauses after which a job that met no network, or a Hub that asked for patience, is tried again.
const AGAIN_MS: i64 = 75_000;

/// One job in the hands of a worker.
pub struct Run {
    pub job: Job,
    pub lease: Lease,
    open: Option<Open>,
    /// The blob whose part it is about to make.
    announced: Option<BlobId>,
    held: Option<BlobId>,
}

/// A file that is being fetched.
struct Open {
    file: FileRow,
    part_id: i64,
    segments: Vec<Segment>,
    /// The written marks that were recorded, by segment.
    marked: Vec<u64>,
}

/// What a step did.
#[derive(Debug, PartialEq)]
pub enum Next {
    On,
    /// Another run has the job.
    Lost,
    Ended(JobStatus),
}

/// Everything that a step needs besides the run.
pub struct Around<'a> {
    pub store: &'a Store,
    pub world: &'a mut World,
    /// This boot of the machine.
    pub boot: String,
    /// Blobs whose locks other runs hold.
    pub taken: Vec<BlobId>,
    /// Kinds of trouble that may come.
    pub faults: &'a std::collections::BTreeSet<Fault>,
    pub chance: &'a mut fastrand::Rng,
}

impl Around<'_> {
    fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.contains(&fault) && self.chance.u8(..12) == 0
    }
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

impl Open {
    fn new(file: FileRow, part_id: i64, segments: Vec<Segment>) -> Self {
        let marked = segments.iter().map(|segment| segment.written).collect();
        Self {
            file,
            part_id,
            segments,
            marked,
        }
    }

    fn unmarked(&self) -> u64 {
        let pairs = self.segments.iter().zip(&self.marked);
        pairs.map(|(segment, marked)| segment.written - marked).sum()
    }

    fn unsynced(&self) -> u64 {
        let segments = self.segments.iter();
        segments.map(|segment| segment.written - segment.synced).sum()
    }
}

impl Run {
    pub fn new(job: Job, lease: Lease) -> Self {
        Self {
            job,
            lease,
            open: None,
            announced: None,
            held: None,
        }
    }

    /// Sequence number of its job and its own number.
    pub fn key(&self) -> (i64, i64) {
        (self.job.seq, self.lease.epoch())
    }

    /// The blob it works on.
    pub fn blob(&self) -> Option<BlobId> {
        let open = self.open.as_ref().map(|open| open.file.blob_id);
        open.or(self.announced)
    }

    /// The blob whose part it had open when it lost its job.
    pub fn held(&self) -> Option<BlobId> {
        self.held
    }

    /// One step.
    pub async fn step(&mut self, around: &mut Around<'_>) -> Next {
        let next = self.work(around).await;
        self.unless_lost(next)
    }

    /// Lets go, as a run does that is told to stop: what came is synced and recorded first.
    pub async fn stop(&mut self, around: &mut Around<'_>) -> Next {
        let next = self.end(around, Outcome::Released).await;
        self.unless_lost(next)
    }

    fn unless_lost(&self, next: Result<Next, StoreError>) -> Next {
        match next {
            Ok(next) => next,
            Err(StoreError::LeaseLost) => Next::Lost,
            Err(error) => panic!("{error}"),
        }
    }

    async fn end(&mut self, around: &mut Around<'_>, outcome: Outcome) -> Result<Next, StoreError> {
        if let Some(mut open) = self.open.take() {
            self.sync(around, &mut open).await?;
        }
        Ok(Next::Ended(around.store.settle(&self.lease, &outcome).await?))
    }

    async fn wait(&mut self, around: &mut Around<'_>, reason: WaitReason) -> Result<Next, StoreError> {
        let text = "waits".to_owned();
        let ready_at = match reason {
            // Freed space wakes it, and nothing else.
            WaitReason::Disk => i64::MAX,
            _ => now_ms() + around.chance.i64(1..=AGAIN_MS),
        };
        let waiting = Waiting {
            reason,
            ready_at,
            text,
        };
        self.end(around, Outcome::Waiting(waiting)).await
    }

    async fn work(&mut self, around: &mut Around<'_>) -> Result<Next, StoreError> {
        if around.world.offline {
            return self.wait(around, WaitReason::Offline).await;
        }
        if around.strikes(Fault::Throttle) {
            return self.wait(around, WaitReason::RateLimit).await;
        }
        if self.job.commit.is_none() {
            if around.strikes(Fault::Refusal) {
                let outcome = Outcome::Failed(Code::Gated, "ask for access".to_owned());
                return self.end(around, outcome).await;
            }
            let repo = self.job.repo.as_ref().expect("a download has a repo");
            let repo = repo.name()[1..].parse().expect("repos have numbers");
            let store = around.store;
            store.store_plan(&self.lease, &commit(), &files(repo)).await?;
            self.job.commit = Some(commit());
            return Ok(Next::On);
        }
        match self.open.take() {
            None => self.open_next(around).await,
            Some(open) if open.segments.iter().all(Segment::is_written) => {
                self.finish(around, open).await.map(|()| Next::On)
            }
            Some(open) => self.fetch(around, open).await,
        }
    }

    async fn open_next(&mut self, around: &mut Around<'_>) -> Result<Next, StoreError> {
        self.held = None;
        let (open, _) = around.store.open_files(self.job.seq).await?;
        let Some(file) = open.into_iter().next() else {
            return self.end(around, Outcome::Completed).await;
        };
        if around.taken.contains(&file.blob_id) {
            return Ok(Next::On);
        }
        if around.world.published.contains_key(&file.blob_id) {
            self.settle_file(around.store, &file, &[]).await?;
            return Ok(Next::On);
        }
        if !around.world.parts.contains_key(&file.blob_id) && self.announced.is_none() {
            // The row first: a file without a row is never found.
            self.announced = Some(file.blob_id);
            let nowhere = PartIdentity::default();
            self.put(around.store, &file, &nowhere, &[]).await?;
            return Ok(Next::On);
        }
        self.announced = None;
        let stored = around.store.part(FOLDER, file.blob_id).await?;
        let (disk, created) = around.world.open(file.blob_id);
        let identity = identity(&around.boot, disk.inode);
        self.held = Some(file.blob_id);
        let mut segments = match stored {
            Some(part) if !created => believed(part, &identity, file.blob_id, CELLS as u64).0,
            _ => fresh(),
        };
        // A belief in nothing comes back as one large segment.
        if segments.len() == 1 {
            segments = fresh();
        }
        let part_id = self.put(around.store, &file, &identity, &segments).await?;
        // Between the row and the bytes: what is not believed is not there.
        for segment in &segments {
            let (from, to) = (segment.start + segment.written, segment.start + segment.length);
            disk.seen[from as usize..to as usize].fill(Cell::Hole);
        }
        disk.had = disk.bytes();
        self.open = Some(Open::new(file, part_id, segments));
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

    async fn fetch(&mut self, around: &mut Around<'_>, mut open: Open) -> Result<Next, StoreError> {
        if around.world.full {
            self.open = Some(open);
            return self.wait(around, WaitReason::Disk).await;
        }
        let blob = open.file.blob_id;
        let is_wrong = around.strikes(Fault::WrongByte);
        let Some(disk) = around.world.parts.get_mut(&blob) else {
            // Deleted below the run: its next belief is in nothing.
            return Ok(Next::On);
        };
        let unwritten = open.segments.iter_mut().filter(|segment| !segment.is_written());
        let mut unwritten: Vec<_> = unwritten.collect();
        let index = around.chance.usize(..unwritten.len());
        let segment = &mut *unwritten[index];
        let bytes = around.chance.u64(1..=segment.length - segment.written);
        let from = (segment.start + segment.written) as usize;
        let cells = &mut disk.seen[from..from + bytes as usize];
        cells.fill(Cell::Right);
        if is_wrong {
            cells[0] = Cell::Wrong;
        }
        segment.written += bytes;
        disk.had += bytes;
        *around.world.fetched.entry(blob).or_default() += bytes;
        if open.unmarked() > UNMARKED_MAX || around.chance.bool() {
            self.mark(around.store, &mut open).await?;
        }
        if open.unsynced() > UNSYNCED_MAX || around.chance.u8(..4) == 0 {
            if around.strikes(Fault::SyncFails) {
                self.distrust(around, &mut open).await?;
            } else {
                self.sync(around, &mut open).await?;
            }
        }
        self.open = Some(open);
        Ok(Next::On)
    }

    async fn mark(&self, store: &Store, open: &mut Open) -> Result<(), StoreError> {
        let mark = |segment: &Segment| WrittenMark {
            part_id: open.part_id,
            start_bytes: segment.start,
            written_bytes: segment.written,
            lease: self.lease.clone(),
        };
        let marks: Vec<_> = open.segments.iter().map(mark).collect();
        store
            .progress(&[(self.lease.clone(), JobProgress::default())], &marks)
            .await?;
        open.marked = open.segments.iter().map(|segment| segment.written).collect();
        Ok(())
    }

    /// Everything since the last good sync is lost, whatever a reader still sees.
    async fn distrust(&self, around: &mut Around<'_>, open: &mut Open) -> Result<(), StoreError> {
        let blob = open.file.blob_id;
        let lost = open.unsynced();
        let disk = around.world.parts.get_mut(&blob).expect("it is open");
        for segment in &mut open.segments {
            segment.written = segment.synced;
        }
        let identity = identity(&around.boot, disk.inode);
        self.put(around.store, &open.file, &identity, &open.segments)
            .await?;
        for segment in &open.segments {
            let (from, to) = (segment.start + segment.written, segment.start + segment.length);
            disk.seen[from as usize..to as usize].fill(Cell::Hole);
        }
        disk.kept = disk.seen;
        disk.had = disk.bytes();
        open.marked = open.segments.iter().map(|segment| segment.written).collect();
        around.world.excuse(blob, lost);
        Ok(())
    }

    /// Bytes, then sync, then row.
    async fn sync(&self, around: &mut Around<'_>, open: &mut Open) -> Result<(), StoreError> {
        if let Some(disk) = around.world.parts.get_mut(&open.file.blob_id) {
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
        around.store.synced(&[proof]).await?;
        for (segment, marked) in open.segments.iter_mut().zip(&mut open.marked) {
            segment.synced = segment.written;
            *marked = segment.written;
        }
        Ok(())
    }

    /// Verify, publish, record; or begin anew when a byte is wrong.
    async fn finish(&mut self, around: &mut Around<'_>, mut open: Open) -> Result<(), StoreError> {
        self.sync(around, &mut open).await?;
        let blob = open.file.blob_id;
        let Some(disk) = around.world.parts.get(&blob).cloned() else {
            return Ok(());
        };
        if disk.seen.contains(&Cell::Hole) {
            panic!("{blob}: a hole in what every mark calls whole");
        }
        if disk.seen.contains(&Cell::Wrong) {
            // The file first: a row without a file is void.
            around.world.remove(blob);
            around.store.forget_part(FOLDER, blob).await?;
            return Ok(());
        }
        around.world.parts.remove(&blob);
        around.world.published.insert(blob, disk.kept);
        self.settle_file(around.store, &open.file, &[open.part_id]).await
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
