//! One run of one job, from the claim to the last row.
//!
//! 1. Open the cache. 2. Resolve and plan, unless an earlier run did. 3. See what is here.
//! 4. Reserve disk. 5. Fetch and publish. 6. Listing, then ref: the last thing to appear.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::disk::{DiskError, LeftoverKind, RepoDir};
use crate::hub::{HubClient, RemoteFile};
use crate::model::code::Code;
use crate::model::destination::Layout;
use crate::model::job::Verify;
use crate::model::library::CachedRepo;
use crate::model::plan::RepoFile;
use crate::model::repo::{BlobId, Commit, RepoId};
use crate::model::state::{Phase, WaitReason};
use crate::store::{Claimed, Job, NewFile, Waiting};

use super::Shared;
use super::attempt::{FileError, Halt, Tries};
use super::bandwidth::{Bandwidth, Gate};
use super::checkpoint::Followed;
use super::ending;
use super::limits::{Permit, Permits};
use super::meter::Meter;
use super::planner::{self, Asked, BlobTask, PlanTrouble};
use super::publish::Ready;
use super::trouble::Trouble;
use super::width::Place;

/// What a crashed run left in the staging folder goes after this time, milliseconds: another
/// instance on the same cache may be using younger files.
const STALE_MS: i64 = 3_600_000;

/// What every task of a run sees.
pub struct Run {
    /// The engine.
    pub shared: Arc<Shared>,
    /// The job as it was claimed.
    pub job: Job,
    /// The repo it wants.
    pub repo_id: RepoId,
    /// Its repo in the cache.
    pub repo: Arc<RepoDir>,
    /// What it has done, and the right to record it.
    pub meter: Arc<Meter>,
    /// The job's own limit.
    pub bandwidth: Arc<Bandwidth>,
    /// Connections that it may have, whatever others may.
    pub own: Arc<Permits>,
    /// Cancelled when the run has to end.
    pub stop: CancellationToken,
    /// What the revision resolved to.
    pub commit: Commit,
    leftovers: Mutex<HashMap<BlobId, PathBuf>>,
    /// Why files were given up, in order.
    pub failures: Mutex<Vec<GivenUp>>,
    /// Number of the user's last choice of files.
    pub choices: watch::Receiver<i64>,
    /// Large files among which the connections are shared out.
    pub abreast: watch::Sender<usize>,
}

/// What the user may change of a run while it goes on.
pub struct Steering {
    /// The job's own limit of speed.
    pub bandwidth: Arc<Bandwidth>,
    /// The job's own limit of connections.
    pub connections: Arc<Permits>,
    /// Number of the last choice of files.
    pub choices: watch::Receiver<i64>,
}

/// Why files were given up.
#[derive(Debug)]
pub struct GivenUp {
    /// Keys of their rows.
    pub files: Vec<i64>,
    /// The word of the failure.
    pub code: Code,
    /// The sentence.
    pub text: String,
}

/// Runs a claimed job until it ends or `stop` is cancelled, and settles it.
pub async fn run(shared: Arc<Shared>, claimed: Claimed, steering: Steering, stop: CancellationToken) {
    let Claimed { job, lease } = claimed;
    tracing::info!(job.id = %job.id, repo = job.repo.as_ref().map(RepoId::as_str), revision = %job.revision, attempt = job.attempt, "job started");
    let meter = Arc::new(Meter::new(lease, &job, shared.tallies.clone()));
    let followed = Followed::new(&shared, &meter);
    let id = job.id.clone();
    let work = drive(&shared, job, meter.clone(), steering, stop);
    let mut result = ending::guarded(&id, work).await;
    if matches!(result, Err(Halt::Stopped)) && shared.tuning.borrow().paused {
        // Ready at once: what holds it back is that nothing is claimed meanwhile.
        result = Err(Halt::Wait(Waiting {
            reason: WaitReason::Schedule,
            ready_at: now_ms(),
            text: "Waits until work goes on".to_owned(),
        }));
    }
    ending::settle(&shared, &meter, followed, &id, result).await;
}

async fn drive(
    shared: &Arc<Shared>,
    mut job: Job,
    meter: Arc<Meter>,
    steering: Steering,
    stop: CancellationToken,
) -> Result<(), Halt> {
    let Some(repo_id) = job.repo.clone() else {
        return Err(Halt::Fail(
            Code::Internal,
            "The download names no repo".to_owned(),
        ));
    };
    // A deletion of this repo is waited for; none begins while the run is in it.
    let cached = CachedRepo::from((job.repo_type, &repo_id));
    let hub_dir = PathBuf::from(&job.destination.dir);
    let in_local_folder = job.destination.layout == Layout::Local;
    let _in_use = shared.gates.enter(hub_dir.join(cached.folder())).await;
    let repo = open_repo(shared, &job, &repo_id).await?;
    let commit = match job.commit.clone() {
        Some(commit) => commit,
        None => {
            let work = plan(shared, &job, &repo_id, &meter, &repo, &stop);
            let commit = tokio::select! {
                () = stop.cancelled() => return Err(Halt::Stopped),
                planned = work => planned?,
            };
            job.commit = Some(commit.clone());
            commit
        }
    };
    let run = Arc::new(Run {
        shared: shared.clone(),
        leftovers: Mutex::new(leftovers(&repo).await),
        job,
        repo_id,
        repo,
        meter,
        bandwidth: steering.bandwidth,
        own: steering.connections,
        stop,
        commit: commit.clone(),
        failures: Mutex::default(),
        choices: steering.choices,
        abreast: watch::Sender::new(1),
    });
    let fetched = run.fetch_all(&commit).await;
    let finished = match fetched {
        Ok(()) => run.finish(&commit).await,
        Err(halt) => Err(halt),
    };
    // Before the job is settled: who hears of its end finds the repo in the list.
    if !in_local_folder {
        shared.library.note_change(&hub_dir, &cached).await;
        let (hub_text, seq) = (hub_dir.to_string_lossy(), run.job.seq);
        if let Err(error) = shared.store.mark_downloaded(&hub_text, &cached, seq).await {
            tracing::warn!(%error, "what a download compared could not be noted in the index of the cache");
        }
        let friendly = shared.tuning.borrow().friendly.clone();
        if let Some((hub, root)) = friendly
            && finished.is_ok()
            && hub == hub_dir
        {
            shared.library.follow_view(&hub, &root, &cached).await;
        }
    }
    finished
}

/// Runs disk work on a thread that may wait.
///
/// # Errors
/// What the failure means for the job.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DiskError> + Send + 'static,
) -> Result<T, Halt> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Halt::disk(&error)),
        Err(error) => Err(Halt::task(error)),
    }
}

async fn open_repo(shared: &Arc<Shared>, job: &Job, repo: &RepoId) -> Result<Arc<RepoDir>, Halt> {
    let subfolders = planner::subfolders(job.append_filter_subdir, &job.filters);
    if let Some(folder) = planner::local_folder(&job.destination, repo, subfolders) {
        return Ok(Arc::new(folder));
    }
    let (shared, job_repo, repo_type) = (shared.clone(), repo.clone(), job.repo_type);
    let (cache, links) = (PathBuf::from(&job.destination.dir), job.destination.link_mode);
    blocking(move || {
        let repo = shared.caches.open(&cache)?.repo(repo_type, &job_repo);
        Ok(Arc::new(repo.with_links(links)))
    })
    .await
}

/// Verified small files that a crashed run left, by blob.
async fn leftovers(repo: &Arc<RepoDir>) -> HashMap<BlobId, PathBuf> {
    let repo = repo.clone();
    let listed = blocking(move || {
        let dir = repo.parts_dir();
        Ok(repo
            .leftovers()?
            .into_iter()
            .filter_map(|leftover| match leftover.kind {
                LeftoverKind::Small(blob) => Some((blob, dir.join(leftover.name))),
                _ => None,
            })
            .collect())
    });
    // Without the list they are fetched again.
    listed.await.unwrap_or_default()
}

async fn plan(
    shared: &Arc<Shared>,
    job: &Job,
    repo_id: &RepoId,
    meter: &Meter,
    repo: &Arc<RepoDir>,
    stop: &CancellationToken,
) -> Result<Commit, Halt> {
    let store = &shared.store;
    let asked = Asked {
        repo_type: job.repo_type,
        repo: repo_id,
        filters: &job.filters,
        excludes: &job.excludes,
        exact_match: job.exact_match,
    };
    let hub = shared.hub();
    let mut tries = Tries::new(&hub, meter, stop);
    store
        .set_phase(&meter.lease, Phase::Resolving, "Asks the Hub for the commit")
        .await
        .map_err(Halt::store)?;
    let commit = loop {
        let asked = Instant::now();
        match hub.resolve(job.repo_type, repo_id, &job.revision).await {
            Ok(resolved) => {
                shared.places.introduced(asked.elapsed());
                break resolved.commit;
            }
            Err(error) => tries.after(error, false).await.map_err(whole_job)?,
        }
    };
    store
        .set_phase(&meter.lease, Phase::Planning, "Lists the files")
        .await
        .map_err(Halt::store)?;
    let listing = loop {
        match planner::list(&hub, &asked, commit.clone()).await {
            Ok(listing) => break listing,
            Err(PlanTrouble::Hub(error)) => tries.after(error, false).await.map_err(whole_job)?,
            Err(PlanTrouble::Plan(error)) => return Err(Halt::Fail(error.code, error.text)),
            Err(error) => return Err(Halt::Fail(Code::Internal, error.to_string())),
        }
    };
    let files: Vec<_> = listing
        .selection
        .files
        .iter()
        .map(|file| NewFile {
            path: file.path.clone(),
            size_bytes: file.size_bytes,
            blob_id: file.blob_id,
        })
        .collect();
    let (repo, staged) = (repo.clone(), commit.clone());
    blocking(move || {
        repo.create()?;
        match listing.tree_json {
            Some(json) if !repo.is_local() => repo.stage_tree(&staged, &json),
            _ => Ok(()),
        }
    })
    .await?;
    store
        .store_plan(&meter.lease, &listing.commit, &files)
        .await
        .map_err(Halt::store)?;
    Ok(commit)
}

/// A failure while planning concerns the whole job.
pub fn whole_job(error: FileError) -> Halt {
    match error {
        FileError::Halt(halt) => halt,
        FileError::File(code, text) | FileError::Disk(code, text) => Halt::Fail(code, text),
        FileError::Damaged(text) => Halt::Fail(Code::HashMismatch, text),
        FileError::Gone(text) => Halt::Fail(Code::DiskError, text),
        FileError::NoRanges => Halt::Fail(Code::BadResponse, "The source does not serve ranges".to_owned()),
    }
}

impl Run {
    /// A location of a task's content on the Hub, for all its connections.
    pub fn remote(&self, hub: &HubClient, task: &BlobTask) -> RemoteFile {
        let (_, path) = &task.files[0];
        let file = RepoFile {
            path: path.clone(),
            size_bytes: task.size_bytes,
            blob_id: task.blob,
            git_oid: String::new(),
            xet_hash: None,
        };
        hub.file(self.job.repo_type, &self.repo_id, &self.commit, &file)
    }

    /// Connections that the job should have now: those worth having, as far as it may.
    pub fn width(&self) -> usize {
        self.shared.places.count().min(self.own.limit())
    }

    /// Connections that a file of this size should have now: its share of what the job should have.
    pub fn share(&self, size_bytes: u64) -> usize {
        let share = self.width().div_ceil(*self.abreast.borrow());
        share.min(self.connections(size_bytes))
    }

    /// Connections that a file of this size may have at most.
    pub fn connections(&self, size_bytes: u64) -> usize {
        let tuning = self.shared.tuning.borrow();
        if size_bytes < tuning.multipart_threshold_bytes {
            1
        } else {
            tuning.connections.min(self.own.limit())
        }
    }

    /// Waits until one more connection may work: for the job, as one worth having, and for all jobs. In
    /// this order, so that a job at its own limit holds nothing that another could use.
    pub async fn admit(&self) -> (Permit, Place, Permit) {
        let own = self.own.acquire().await;
        let place = self.shared.places.acquire().await;
        (own, place, self.shared.connections.acquire().await)
    }

    /// Why it is fetched over as many connections as it is, for people.
    pub fn connections_reason(&self) -> String {
        self.shared.places.reason(self.own.limit())
    }

    /// Whether content is hashed before it is published.
    pub fn verifies(&self) -> bool {
        self.job.verify != Verify::None
    }

    /// A copy of a small content that a crashed run left.
    pub fn leftover(&self, blob: BlobId) -> Option<PathBuf> {
        self.leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&blob)
    }

    /// Records that files are given up; the job will end as failed unless they are left out.
    pub fn failed(&self, files: Vec<i64>, code: Code, text: String) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(GivenUp { files, code, text });
    }

    /// Records an oddity in the job's events.
    pub async fn note(&self, event: &'static str, detail: &str) {
        self.meter.trouble(Trouble::oddity(event, detail));
    }

    /// Counts bytes that came from the network.
    pub fn received(&self, bytes: u64) {
        self.meter.received(bytes);
        self.shared.places.received(bytes);
    }

    /// What one reader of this run passes through.
    pub fn gate(&self) -> Gate {
        Gate::new(
            self.job.seq,
            self.bandwidth.clone(),
            self.shared.bandwidth.clone(),
        )
    }

    /// Sleeps unless `stop` is cancelled.
    ///
    /// # Errors
    /// [`Halt::Stopped`].
    pub async fn pause(&self, time: Duration, stop: &CancellationToken) -> Result<(), Halt> {
        tokio::select! {
            () = stop.cancelled() => Err(Halt::Stopped),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// Gives verified content to the publisher.
    ///
    /// # Errors
    /// [`Halt::Stopped`] when the publisher has ended; its own error tells why.
    pub async fn hand_over(&self, publisher: &mpsc::Sender<Ready>, ready: Ready) -> Result<(), FileError> {
        publisher.send(ready).await.map_err(|_| Halt::Stopped.into())
    }

    /// Makes the snapshot known: listing first, ref last.
    async fn finish(&self, commit: &Commit) -> Result<(), Halt> {
        self.shared
            .store
            .set_phase(&self.meter.lease, Phase::Publishing, "")
            .await
            .map_err(Halt::store)?;
        let (repo, commit, revision) = (self.repo.clone(), commit.clone(), self.job.revision.clone());
        blocking(move || {
            // When every file was left out there is nothing to make known.
            if repo.is_local() || repo.snapshot_path(&commit).is_dir() {
                repo.make_known(&revision, &commit)?;
            }
            repo.remove_stale(now_ms() - STALE_MS)?;
            Ok(())
        })
        .await
    }
}
