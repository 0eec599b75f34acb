//! Small files: one request, or as many as it takes to come to the end, hashed in memory, written
//! once verified.
//!
//! They have no part file and no marks: a crash costs at most the files in flight, and a file
//! that was written but not published is found again by its name and hash.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::disk::BlobHasher;
use crate::hub::{Class, HubError};
use crate::model::code::Code;
use crate::model::state::FileState;

use super::attempt::{FileError, Halt, Tries};
use super::planner::BlobTask;
use super::present::{Before, before};
use super::publish::{Content, Ready};
use super::run::Run;

/// Files up to this size are fetched whole into memory: 1 MiB, what a crash may cost a range.
pub const SMALL_BYTES: u64 = 1 << 20;
/// Bytes of small files in flight over all jobs, in KiB: 16 MiB, so that the number of them can
/// follow the round trip and memory does not.
pub const ROOM_KIB: usize = 16 << 10;

/// An answer that takes so long, and would take as long again, is given up for another one, which
/// goes on where it ended: 1 MiB comes in time at 35 KiB/s. Doubles each time, up to the longest.
const PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE_MAX: Duration = Duration::from_secs(32 * 60);

/// Fetches one small file and hands it to the publisher. `stop` ends the work on this file only.
///
/// # Errors
/// [`FileError`]; a second damaged answer is `hash_mismatch` with both digests.
pub async fn fetch(
    run: Arc<Run>,
    task: BlobTask,
    stop: CancellationToken,
    ready: mpsc::Sender<Ready>,
) -> Result<(), FileError> {
    let guard = tokio::select! {
        () = stop.cancelled() => return Err(Halt::Stopped.into()),
        guard = run.shared.blobs.lock(run.repo.path(), task.blob) => guard,
    };
    let repair = match before(&run, &task, &stop).await? {
        Before::Present(verification) => {
            return run
                .hand_over(
                    &ready,
                    Ready {
                        task,
                        content: Content::Present,
                        verification,
                        _guard: guard,
                    },
                )
                .await;
        }
        Before::Missing => false,
        Before::Damaged => true,
    };
    let verification = if run.verifies() {
        task.blob.algorithm()
    } else {
        "size"
    };
    let path = match leftover(&run, &task).await? {
        Some(path) => path,
        None => {
            let room = task.size_bytes.div_ceil(1 << 10).max(1) as u32;
            let room = tokio::select! {
                () = stop.cancelled() => return Err(Halt::Stopped.into()),
                room = run.shared.small_room.clone().acquire_many_owned(room) => room,
            };
            let bytes = download(&run, &task, &stop).await?;
            let (repo, blob) = (run.repo.clone(), task.blob);
            let path = tokio::task::spawn_blocking(move || {
                let _room = room;
                repo.write_small(blob, &bytes)
            })
            .await
            .map_err(FileError::task)?
            .map_err(|error| FileError::disk(&error))?;
            run.shared.reserved.rest_shrank(run.job.seq, task.size_bytes);
            path
        }
    };
    let content = if repair {
        Content::RepairSmall(path)
    } else {
        Content::Small(path)
    };
    run.hand_over(
        &ready,
        Ready {
            task,
            content,
            verification,
            _guard: guard,
        },
    )
    .await
}

/// A verified copy that a crashed run left in the staging folder.
async fn leftover(run: &Run, task: &BlobTask) -> Result<Option<std::path::PathBuf>, FileError> {
    let Some(path) = run.leftover(task.blob) else {
        return Ok(None);
    };
    let (blob, size) = (task.blob, task.size_bytes);
    tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(&path).ok()?;
        let found = crate::disk::hash_file(&file, blob, size).ok()?;
        (found == blob).then_some(path)
    })
    .await
    .map_err(FileError::task)
}

async fn download(run: &Run, task: &BlobTask, stop: &CancellationToken) -> Result<Vec<u8>, FileError> {
    let hub = run.shared.hub();
    let remote = run.remote(&hub, task);
    let mut tries = Tries::new(&hub, &run.meter, stop);
    let mut damaged = false;
    let mut bytes = Vec::with_capacity(task.size_bytes as usize);
    let mut furthest = 0;
    let mut ranges = true;
    let mut patience = PATIENCE;
    loop {
        let admitted = tokio::select! {
            () = stop.cancelled() => return Err(Halt::Stopped.into()),
            admitted = run.admit() => admitted,
        };
        let longest = if ranges { patience } else { Duration::MAX };
        let fetched = tokio::select! {
            () = stop.cancelled() => return Err(Halt::Stopped.into()),
            fetched = read(run, task, &remote, &mut bytes, longest) => fetched,
        };
        drop(admitted);
        let progressed = bytes.len() > furthest;
        furthest = furthest.max(bytes.len());
        match fetched {
            Ok(Read::Whole) => {}
            Ok(Read::Trickles) => {
                patience = (patience * 2).min(PATIENCE_MAX);
                continue;
            }
            Err(error) => {
                ranges &= !error.ranges_ignored;
                // Only what broke off goes on where it broke.
                if !ranges || error.class == Class::Integrity {
                    run.meter.refetching(bytes.len() as u64);
                    bytes.clear();
                }
                if !error.ranges_ignored {
                    tries.after(error, progressed).await?;
                }
                continue;
            }
        }
        if !run.verifies() {
            return Ok(bytes);
        }
        let mut hasher = BlobHasher::new(task.blob, task.size_bytes);
        hasher.update(&bytes);
        let found = hasher.finish();
        if found == task.blob {
            return Ok(bytes);
        }
        if damaged {
            return Err(FileError::File(
                Code::HashMismatch,
                format!(
                    "{} should have the hash {} but twice came with {found}",
                    task.files[0].1, task.blob
                ),
            ));
        }
        damaged = true;
        bytes.clear();
        run.meter.refetching(task.size_bytes);
        run.note(
            "hash_mismatch",
            &format!("{}: fetched once more", task.files[0].1),
        )
        .await;
        remote.forget();
    }
}

/// How far an answer brought a file.
enum Read {
    Whole,
    /// Another answer may bring the rest sooner.
    Trickles,
}

/// Adds what is still to come to `bytes`. What came before an error stays there.
async fn read(
    run: &Run,
    task: &BlobTask,
    remote: &crate::hub::RemoteFile,
    bytes: &mut Vec<u8>,
    patience: Duration,
) -> Result<Read, HubError> {
    let had = bytes.len() as u64;
    let left = task.size_bytes - had;
    let mut gate = run.gate();
    gate.open(left).await;
    let asked = Instant::now();
    let mut body = remote.open((had > 0).then_some(had..task.size_bytes)).await?;
    run.shared.places.answered(asked.elapsed());
    run.meter.activity(run.connections_reason());
    for (id, _) in &task.files {
        run.meter.file(*id, 0, FileState::Downloading);
    }
    // What the bandwidth limit delays is not the fault of the source.
    let mut waited = Duration::ZERO;
    loop {
        gate.ready().await;
        let waits = Instant::now();
        let chunk = body.next().await;
        waited += waits.elapsed();
        let Some(mut chunk) = chunk? else {
            return Ok(Read::Whole);
        };
        while let Some(piece) = gate.pass(&mut chunk).await {
            run.received(piece.len() as u64);
            bytes.extend_from_slice(&piece);
        }
        let came = bytes.len() as u64 - had;
        let rest = (left - came) as f64 / came.max(1) as f64 * waited.as_secs_f64();
        if waited >= patience && rest >= PATIENCE.as_secs_f64() {
            return Ok(Read::Trickles);
        }
    }
}
