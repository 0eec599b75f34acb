//! The live feed: one task that turns changes of the database into frames for all WebSockets.
//!
//! It listens to the store, reads a changed job once, whatever the number of clients, and puts
//! the frame into every [`Outbox`]. Promises:
//! - a client gets `init` first, and afterwards no state that is older;
//! - it gets jobs of the kind it asked for, downloads unless it asked, and of no other;
//! - at most one `job_update` a job in `PACE`, and the last state always;
//! - `event` after the `job_update` that shows it;
//! - with nobody listening it does nothing.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::frames::{Happened, LiveMessage};
use super::live_settings::LiveSettings;
use super::outbox::{Outbox, Topic};
use super::shown::Shown;
use super::status::Status;
use crate::model::job::JobId;
use crate::model::state::{JobKind, JobStatus};
use crate::store::{Job, JobsQuery, Store, StoreError};

/// Shortest time between two updates of one job: four a second.
const PACE: Duration = Duration::from_millis(250);
/// Time between two `status` frames.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// Wait after the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// WebSockets at once; each costs memory and a descriptor.
const CLIENTS: usize = 256;
/// Longest `init`: 512 KiB minus its envelope.
const INIT_LIMIT_BYTES: usize = 510 * 1024;

/// The way to the feed. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    joins: mpsc::Sender<Join>,
    reload: Arc<Notify>,
}

/// What a new client gets: its first frame, and where the others come from.
type Seat = (Utf8Bytes, Arc<Outbox>);
/// Which kind of jobs a client wants (`None` = all), and where its seat goes.
type Join = (Option<JobKind>, oneshot::Sender<Option<Seat>>);

impl Feed {
    /// Starts the task; it ends with `stop`.
    pub fn start(
        store: Store,
        shown: Arc<Shown>,
        settings: LiveSettings,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (joins, joining) = mpsc::channel(16);
        let reload = Arc::new(Notify::new());
        let task = Task {
            changes: store.changes(),
            status: Status::new(store.clone(), settings),
            store,
            shown,
            joining,
            reload: Arc::clone(&reload),
            clients: Vec::new(),
            known: HashMap::new(),
            due: HashMap::new(),
            init: HashMap::new(),
        };
        let running = tokio::spawn(async move {
            stop.run_until_cancelled_owned(task.run()).await;
        });
        (Self { joins, reload }, running)
    }

    /// A seat for a new client that wants jobs of one kind, or of all; it is given up by dropping it. `None` when all are taken, the
    /// database fails or the service stops.
    pub async fn join(&self, kind: Option<JobKind>) -> Option<Seat> {
        let (reply, seat) = oneshot::channel();
        self.joins.send((kind, reply)).await.ok()?;
        seat.await.ok()?
    }

    /// Says that jobs left the list without a change that the store tells of.
    pub fn reload(&self) {
        self.reload.notify_one();
    }
}

/// What was last told of a job.
struct Known {
    id: JobId,
    kind: JobKind,
    status: JobStatus,
    ended_at: Option<i64>,
    sent_at: Option<Instant>,
}

impl Known {
    fn of(job: &Job, sent_at: Option<Instant>) -> Self {
        Self {
            id: job.id.clone(),
            kind: job.kind,
            status: job.status,
            ended_at: job.ended_at,
            sent_at,
        }
    }
}

struct Task {
    store: Store,
    shown: Arc<Shown>,
    status: Status,
    changes: broadcast::Receiver<i64>,
    joining: mpsc::Receiver<Join>,
    reload: Arc<Notify>,
    /// A client leaves by dropping its end. With each the kind of jobs that it wants.
    clients: Vec<(Option<JobKind>, Weak<Outbox>)>,
    /// Jobs on the list as the clients know them; empty while nobody listens.
    known: HashMap<i64, Known>,
    /// Changed jobs and when their update may go out.
    due: HashMap<i64, Instant>,
    /// The first frame for new clients by kind, until something changes.
    init: HashMap<Option<JobKind>, Utf8Bytes>,
}

impl Task {
    async fn run(mut self) {
        let mut status = interval(STATUS_EVERY);
        status.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = self.due.values().min().copied();
            tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(seq) => self.changed(seq),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.reload_all().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                join = self.joining.recv() => match join {
                    Some((kind, reply)) => self.welcome(kind, reply).await,
                    None => return,
                },
                () = self.reload.notified() => self.reload_all().await,
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.send_due().await,
                _ = status.tick() => self.send_status().await,
            }
        }
    }

    fn changed(&mut self, seq: i64) {
        self.init.clear();
        if !self.has_clients() {
            return;
        }
        let now = Instant::now();
        let sent_at = self.known.get(&seq).and_then(|known| known.sent_at);
        let at = sent_at.map_or(now, |sent| now.max(sent + PACE));
        self.due.entry(seq).or_insert(at);
    }

    /// Whether anybody listens. When nobody does, what is known grows stale and is forgotten.
    fn has_clients(&mut self) -> bool {
        self.clients.retain(|(_, client)| client.strong_count() > 0);
        if self.clients.is_empty() {
            self.known.clear();
            self.due.clear();
        }
        !self.clients.is_empty()
    }

    /// Looks at every job again: too many changes at once, or one that nobody told of.
    async fn reload_all(&mut self) {
        self.init.clear();
        if !self.has_clients() {
            return;
        }
        let now = Instant::now();
        match self.jobs().await {
            Ok(jobs) => {
                let listed = jobs.iter().map(|job| job.seq);
                let seqs: Vec<i64> = listed.chain(self.known.keys().copied()).collect();
                for seq in seqs {
                    self.due.entry(seq).or_insert(now);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the live feed could not read the jobs");
                self.reload.notify_one();
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.store.jobs(&JobsQuery::default()).await
    }

    async fn send_due(&mut self) {
        let now = Instant::now();
        let ready: Vec<i64> = self
            .due
            .iter()
            .filter(|&(_, &at)| at <= now)
            .map(|(&seq, _)| seq)
            .collect();
        for seq in ready {
            // Taken off before the job is read: a change after that makes it due again.
            self.due.remove(&seq);
            if let Err(error) = self.send_job(seq, now).await {
                tracing::warn!(%error, "the live feed could not read a job");
                self.due.insert(seq, now + RETRY);
            }
        }
    }

    async fn send_job(&mut self, seq: i64, now: Instant) -> Result<(), StoreError> {
        let Some(job) = self.store.job_by_seq(seq).await? else {
            if let Some(gone) = self.known.remove(&seq) {
                self.send_event(seq, "job_removed", gone.kind, &gone.id);
            }
            return Ok(());
        };
        let text = self.shown.text(&job).await?;
        self.send(
            Topic::Job(seq),
            Some(job.kind),
            format!(r#"{{"type":"job_update","data":{text}}}"#).into(),
        );
        let before = self.known.insert(seq, Known::of(&job, Some(now)));
        // The end may be a second one: failed, retried and failed again between two looks.
        let ended =
            before.is_none_or(|before| before.status != job.status || before.ended_at != job.ended_at);
        if let Some(event) = end_event(job.kind, job.status)
            && ended
        {
            self.send_event(seq, event, job.kind, &job.id);
        }
        Ok(())
    }

    fn send_event(&mut self, seq: i64, event: &'static str, kind: JobKind, id: &JobId) {
        let frame = LiveMessage::Event(Happened {
            event,
            job_id: Some(id),
        });
        let frame = super::shown::json(&frame).into();
        self.send(Topic::Event(seq, event), Some(kind), frame);
    }

    async fn send_status(&mut self) {
        if self.has_clients()
            && let Some(frame) = self.status.frame().await
        {
            self.send(Topic::Status, None, frame);
        }
    }

    /// Sends to those who want jobs of `about`; what is about no job goes to everybody.
    fn send(&mut self, topic: Topic, about: Option<JobKind>, frame: Utf8Bytes) {
        self.clients.retain(|(wanted, client)| match client.upgrade() {
            Some(outbox) => {
                if about.is_none() || wanted.is_none() || about == *wanted {
                    outbox.put(topic, frame.clone());
                }
                true
            }
            None => false,
        });
    }

    /// Gives a new client its first frame and an empty outbox. Nothing is sent to anybody in
    /// between, so what comes later is newer than the first frame.
    async fn welcome(&mut self, kind: Option<JobKind>, reply: oneshot::Sender<Option<Seat>>) {
        let first = !self.has_clients();
        let seat = if self.clients.len() >= CLIENTS {
            tracing::warn!(
                clients = CLIENTS,
                "a WebSocket was turned away: too many are open"
            );
            None
        } else {
            match self.first_frame(kind, first).await {
                Ok(frame) => {
                    let outbox = Arc::new(Outbox::default());
                    self.clients.push((kind, Arc::downgrade(&outbox)));
                    Some((frame, outbox))
                }
                Err(error) => {
                    tracing::warn!(%error, "the live feed could not read the jobs");
                    None
                }
            }
        };
        // When the client has gone meanwhile, its outbox is dropped here.
        let _ = reply.send(seat);
    }

    async fn first_frame(&mut self, kind: Option<JobKind>, first: bool) -> Result<Utf8Bytes, StoreError> {
        if let (Some(frame), false) = (self.init.get(&kind), first) {
            return Ok(frame.clone());
        }
        let mut jobs = self.jobs().await?;
        if first {
            self.known = jobs.iter().map(|job| (job.seq, Known::of(job, None))).collect();
        }
        jobs.retain(|job| kind.is_none_or(|kind| job.kind == kind));
        let frame: Utf8Bytes = self.init_of(&jobs).await?.into();
        self.init.insert(kind, frame.clone());
        Ok(frame)
    }

    /// `init`: live jobs first, then the newest ended ones, as many as fit; in order of creation.
    async fn init_of(&self, jobs: &[Job]) -> Result<String, StoreError> {
        let running = jobs.iter().filter(|job| job.status == JobStatus::Running);
        let waiting = jobs
            .iter()
            .filter(|job| job.status.is_live() && job.status != JobStatus::Running);
        let ended = jobs.iter().rev().filter(|job| job.status.is_terminal());
        let mut texts = Vec::new();
        let mut room = INIT_LIMIT_BYTES;
        for job in running.chain(waiting).chain(ended) {
            let text = self.shown.text(job).await?;
            let Some(left) = room.checked_sub(text.len() + 1) else {
                break;
            };
            room = left;
            texts.push((job.seq, text));
        }
        texts.sort_unstable_by_key(|(seq, _)| *seq);
        let texts: Vec<&str> = texts.iter().map(|(_, text)| &**text).collect();
        Ok(format!(
            r#"{{"type":"init","data":{{"jobs":[{}],"jobsTotal":{},"version":"{}"}}}}"#,
            texts.join(","),
            jobs.len(),
            env!("CARGO_PKG_VERSION")
        ))
    }
}

/// The event that tells of the end of a job.
fn end_event(kind: JobKind, status: JobStatus) -> Option<&'static str> {
    Some(match (kind, status) {
        (JobKind::Download, JobStatus::Completed) => "download_complete",
        (JobKind::Download, JobStatus::Failed) => "download_failed",
        (JobKind::Mirror, JobStatus::Completed) => "mirror_complete",
        (JobKind::Mirror, JobStatus::Failed) => "mirror_failed",
        (JobKind::Verify, JobStatus::Completed) => "verify_complete",
        (JobKind::Verify, JobStatus::Failed) => "verify_failed",
        (JobKind::Export, JobStatus::Completed) => "export_complete",
        (JobKind::Export, JobStatus::Failed) => "export_failed",
        (_, JobStatus::Queued | JobStatus::Running | JobStatus::Paused | JobStatus::Cancelled) => {
            return None;
        }
    })
}
