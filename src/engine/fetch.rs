//! Large files: several connections fill one part file while a follower hashes its front.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::disk::{DiskError, Opened, PartError};
use crate::hub::{HubClient, RemoteFile};
use crate::model::code::Code;
use crate::model::repo::BlobId;
use crate::model::state::WaitReason;

use super::attempt::{FileError, Halt};
use super::connection::Connection;
use super::limits::Permits;
use super::part::{How, LivePart};
use super::planner::BlobTask;
use super::present::{Before, before};
use super::publish::{Content, Ready};
use super::run::Run;
use super::width::Wish;

/// Pause between two looks at a part that another program writes.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// Time between two looks whether an idle connection could help a slow one.
const RELIEF_LOOK: Duration = Duration::from_millis(250);
/// How often a part may be deleted or cut under us before its file is given up.
const GONE_MAX: u32 = 20;

/// Fetches one large file, verifies it and hands it to the publisher. `stop` ends the work on
/// this file only, so that it can go on later in the same run. `wish` stands for its connections
/// until they are there.
///
/// # Errors
/// [`FileError`]; content that is damaged twice is `hash_mismatch` with both digests.
pub async fn fetch(
    run: Arc<Run>,
    task: BlobTask,
    stop: CancellationToken,
    wish: Wish,
    ready: mpsc::Sender<Ready>,
) -> Result<(), FileError> {
    let mut wish = Some(wish);
    let guard = tokio::select! {
        () = stop.cancelled() => return Err(Halt::Stopped.into()),
        guard = run.shared.blobs.lock(run.repo.path(), task.blob) => guard,
    };
    let hub = run.shared.hub();
    let remote = run.remote(&hub, &task);
    let mut begun_anew = false;
    let mut disk_failed = false;
    let mut single_stream = false;
    let mut gone = 0;
    loop {
        // Each time: another program may have finished it while we waited for its part.
        let repair = match before(&run, &task, &stop).await? {
            Before::Present(verification) => {
                run.shared.reserved.part_lacks(run.job.seq, task.blob, 0);
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
        let Some(part) = open_part(&run, &task, repair, single_stream).await? else {
            run.pause(BUSY_PAUSE, &stop).await?;
            continue;
        };
        run.shared.checkpoint.add_part(&part);
        drop(wish.take());
        let result = fill_and_verify(&run, &task, &part, &hub, &remote, &stop, single_stream).await;
        part.close();
        let error = match result {
            Ok(verification) => {
                run.shared.reserved.part_lacks(run.job.seq, task.blob, 0);
                let content = if repair {
                    Content::RepairPart(part)
                } else {
                    Content::Part(part)
                };
                return run
                    .hand_over(
                        &ready,
                        Ready {
                            task,
                            content,
                            verification,
                            _guard: guard,
                        },
                    )
                    .await;
            }
            Err(error) => error,
        };
        // What it has now is what the job shows when this is its end.
        part.report();
        run.shared.checkpoint.forget_part(&part);
        match error {
            FileError::NoRanges if !single_stream => {
                single_stream = true;
                run.note(
                    "ranges_refused",
                    &format!("{}: fetched in one stream", task.files[0].1),
                )
                .await;
            }
            FileError::NoRanges => {
                let text = format!(
                    "The source of {} answers neither ranges nor the whole file",
                    task.files[0].1
                );
                return Err(FileError::File(Code::BadResponse, text));
            }
            FileError::Damaged(text) if !begun_anew => {
                begun_anew = true;
                run.meter.refetching(part.written_bytes());
                run.note("begun_anew", &text).await;
                part.discard(&run.shared.store).await?;
                remote.forget();
            }
            FileError::Damaged(text) => {
                part.discard(&run.shared.store).await?;
                return Err(FileError::File(Code::HashMismatch, text));
            }
            FileError::Gone(text) if gone < GONE_MAX => {
                gone += 1;
                run.meter.refetching(part.written_bytes());
                part.discard(&run.shared.store).await?;
                run.note("part_gone", &text).await;
            }
            FileError::Gone(text) => return Err(FileError::File(Code::DiskError, text)),
            FileError::Disk(_, text) if !disk_failed => {
                disk_failed = true;
                part.distrust(&run.shared.store).await?;
                run.note("disk_failed", &text).await;
            }
            FileError::Disk(code, text) => return Err(FileError::File(code, text)),
            error => return Err(error),
        }
    }
}

/// Opens the part and takes it over; `None` while another program writes it, and when one has
/// just finished the blob.
async fn open_part(
    run: &Run,
    task: &BlobTask,
    repair: bool,
    single_stream: bool,
) -> Result<Option<Arc<LivePart>>, FileError> {
    let folder = run.repo.path().to_string_lossy().into_owned();
    let opened = match find_or_make(run, task, &folder, repair).await? {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(None),
        Err(PartError::Busy { path }) => {
            run.meter.activity(format!(
                "Waits for another program that writes {}",
                path.display()
            ));
            return Ok(None);
        }
        Err(PartError::Disk(error)) => return Err(FileError::disk(&error)),
    };
    let how = How {
        connections: run.connections(task.size_bytes),
        single_stream,
        verify: run.verifies(),
    };
    let files = task.files.iter().map(|(id, _)| *id).collect();
    let part = LivePart::open(&run.shared, &run.meter, files, folder, task.blob, opened, how)
        .await
        .map_err(FileError::store)?;
    Ok(Some(Arc::new(part)))
}

/// Opens the part, or makes one, which is announced in the database first; `None` when another
/// program has just finished the blob.
async fn find_or_make(
    run: &Run,
    task: &BlobTask,
    folder: &str,
    repair: bool,
) -> Result<Result<Option<Opened>, PartError>, FileError> {
    let (repo, blob, size) = (run.repo.clone(), task.blob, task.size_bytes);
    let found = tokio::task::spawn_blocking(move || repo.find_part(blob, size));
    let found = found.await.map_err(FileError::task)?;
    if !matches!(found, Ok(None)) {
        return Ok(found);
    }
    let store = &run.shared.store;
    let announced = LivePart::announce(store, &run.meter.lease, folder, blob, size);
    announced.await.map_err(FileError::store)?;
    let repo = run.repo.clone();
    let made = tokio::task::spawn_blocking(move || {
        let opened = repo.open_part(blob, size)?;
        // A part is renamed into place by its holder: nobody finishes the blob from here on.
        if opened.created && !repair && repo.blob(blob)? == Some(size) {
            opened.file.remove()?;
            return Ok(None);
        }
        Ok(Some(opened))
    });
    let made = made.await.map_err(FileError::task)?;
    if !matches!(made, Ok(Some(_))) {
        let withdrawn = store.forget_part(folder, blob);
        withdrawn.await.map_err(FileError::store)?;
    }
    Ok(made)
}

/// Ends the follower of a part when the work on it ends in any way, a dropped future included:
/// a follower that waits for ever would hold the lock of the part for ever.
struct Closing<'a>(&'a LivePart);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Fills the part, syncs it, and compares its hash. Returns what was compared.
async fn fill_and_verify(
    run: &Arc<Run>,
    task: &BlobTask,
    part: &Arc<LivePart>,
    hub: &HubClient,
    remote: &RemoteFile,
    stop: &CancellationToken,
    single_stream: bool,
) -> Result<&'static str, FileError> {
    let _closing = Closing(part);
    let follower = tokio::spawn(part.clone().follow());
    let shared = &run.shared;
    let fill_stop = stop.child_token();
    let allocation = {
        let (part, stop) = (part.clone(), fill_stop.clone());
        tokio::task::spawn_blocking(move || part.allocate(&stop))
    };
    let filled = {
        let fill = fill(run, task, part, hub, remote, &fill_stop, single_stream);
        let fill = with_space(fill, allocation, &fill_stop);
        let sync = part.sync_as_it_grows(&shared.store, &shared.checkpoint);
        tokio::pin!(fill, sync);
        tokio::select! {
            filled = &mut fill => filled,
            // It only ends before the part is closed when it failed.
            failed = &mut sync => {
                fill_stop.cancel();
                let _ = fill.await;
                failed.and(Err(Halt::Stopped.into()))
            }
        }
    };
    if let Err(error) = filled {
        part.close();
        // It holds the part file open, and so its lock, until it has noticed.
        let _ = follower.await;
        // What came is kept, unless the disk itself failed.
        if !matches!(
            error,
            FileError::Damaged(_) | FileError::Gone(_) | FileError::Disk(..)
        ) {
            part.sync(&shared.store, &shared.checkpoint).await?;
        }
        let for_disk =
            matches!(&error, FileError::Halt(Halt::Wait(waiting)) if waiting.reason == WaitReason::Disk);
        if for_disk || run.meter.leaves_out(task.ids()) {
            let part = part.clone();
            let _ = tokio::task::spawn_blocking(move || part.free_unwritten()).await;
        }
        return Err(error);
    }
    // The last bytes reach the disk while the last bytes are hashed.
    let (synced, hashed) = {
        let both = async { tokio::join!(part.sync(&shared.store, &shared.checkpoint), follower) };
        tokio::pin!(both);
        tokio::select! {
            both = &mut both => both,
            // The hash may be far behind: what it has is saved, and it goes on there.
            () = stop.cancelled() => {
                part.close();
                both.await
            }
        }
    };
    synced?;
    let found = hashed.map_err(FileError::task)??;
    if !run.verifies() {
        return Ok("size");
    }
    if found.is_none() && stop.is_cancelled() {
        return Err(Halt::Stopped.into());
    }
    compare(run, task, part, found, stop).await
}

/// Fills the part while its space is allocated; without space it is not filled. Both have ended
/// when this returns.
async fn with_space(
    fill: impl Future<Output = Result<(), FileError>>,
    allocation: JoinHandle<Result<(), DiskError>>,
    stop: &CancellationToken,
) -> Result<(), FileError> {
    let allocation = async {
        let allocated = allocation.await.map_err(FileError::task)?;
        allocated.map_err(|error| FileError::disk(&error))
    };
    tokio::pin!(fill, allocation);
    tokio::select! {
        filled = &mut fill => {
            stop.cancel();
            // Too late to matter: what came is on the disk, and what did not come has its reason.
            let _ = allocation.await;
            filled
        }
        allocated = &mut allocation => match allocated {
            Ok(()) => fill.await,
            Err(error) => {
                stop.cancel();
                let _ = fill.await;
                Err(error)
            }
        },
    }
}

async fn compare(
    run: &Run,
    task: &BlobTask,
    part: &Arc<LivePart>,
    found: Option<BlobId>,
    stop: &CancellationToken,
) -> Result<&'static str, FileError> {
    if found == Some(task.blob) {
        return Ok(task.blob.algorithm());
    }
    let mut found = found;
    if part.hash_was_resumed || found.is_none() {
        // Before the data is blamed: the saved state may be what is damaged.
        run.note("hashing_again", &task.files[0].1.to_string()).await;
        let (part, stop) = (part.clone(), stop.clone());
        let again = tokio::task::spawn_blocking(move || part.hash_again(&stop))
            .await
            .map_err(FileError::task)?;
        let Some(again) = again.map_err(|error| FileError::disk(&error))? else {
            return Err(Halt::Stopped.into());
        };
        found = Some(again);
        if found == Some(task.blob) {
            return Ok(task.blob.algorithm());
        }
    }
    let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
    Err(FileError::Damaged(format!(
        "{} should have the hash {} but came with {found}",
        task.files[0].1, task.blob
    )))
}

/// Lets connections fetch segments until every byte is written.
async fn fill(
    run: &Arc<Run>,
    task: &BlobTask,
    part: &Arc<LivePart>,
    hub: &HubClient,
    remote: &RemoteFile,
    stop: &CancellationToken,
    single_stream: bool,
) -> Result<(), FileError> {
    let mut connections = JoinSet::new();
    let mut tuning = run.shared.tuning.clone();
    let mut abreast = run.abreast.subscribe();
    let seats = Permits::new(1);
    loop {
        tuning.mark_unchanged();
        abreast.mark_unchanged();
        let roomier = run.shared.places.roomier();
        let limited = run.own.changed();
        let (wanted, most) = if single_stream {
            (1, 1)
        } else {
            (run.share(task.size_bytes), run.connections(task.size_bytes))
        };
        // Those beyond the share end with their segments; only those beyond the limit end at once.
        seats.set_limit(most);
        let latency = run.shared.places.latency();
        let slow = |alive| alive > 0 && !single_stream && part.wants_relief(latency);
        while connections.len() < wanted && (part.has_work() || slow(connections.len())) {
            let relieves = !part.has_work();
            let connection = Connection {
                run: run.clone(),
                part: part.clone(),
                hub: hub.clone(),
                remote: remote.clone(),
                stop: stop.clone(),
                seats: seats.clone(),
                single_stream,
            };
            connections.spawn(connection.run());
            if relieves {
                // One helper at a time: the next look tells whether another is of use.
                break;
            }
        }
        if connections.is_empty() {
            return if part.is_written() {
                Ok(())
            } else {
                Err(Halt::Stopped.into())
            };
        }
        let connections_idle = connections.len() < wanted;
        tokio::select! {
            ended = connections.join_next() => match ended {
                Some(Ok(Ok(()))) | None => {}
                Some(Ok(Err(error))) => {
                    stop.cancel();
                    while connections.join_next().await.is_some() {}
                    return Err(error);
                }
                Some(Err(panic)) => return Err(FileError::task(panic)),
            },
            _ = tuning.changed() => {}
            _ = abreast.changed() => {}
            () = roomier => {}
            () = limited => {}
            () = tokio::time::sleep(RELIEF_LOOK), if !single_stream => {
                if !connections_idle {
                    part.renew_what_trickles(run.shared.places.latency());
                }
            }
        }
    }
}
