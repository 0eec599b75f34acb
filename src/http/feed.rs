//! The live feed: one task that turns changes of the database into frames for all WebSockets.
//!
//! It listens to the store, reads a changed job once, whatever the number of clients, and puts
//! the frame into every [`Outbox`]. Promises:
//! - a client gets `init` first, and afterwards no state that is older;
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
type Join = oneshot::Sender<Option<Seat>>;

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
            init: None,
        };
        let running = tokio::spawn(async move {
            stop.run_until_cancelled_owned(task.run()).await;
        });
        (Self { joins, reload }, running)
    }

    /// A seat for a new client; it is given up by dropping it. `None` when all are taken, the
    /// database fails or the service stops.
    pub async fn join(&self) -> Option<Seat> {
        let (reply, seat) = oneshot::channel();
        self.joins.send(reply).await.ok()?;
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
    status: JobStatus,
    ended_at: Option<i64>,
    sent_at: Option<Instant>,
}

impl Known {
    fn of(job: &Job, sent_at: Option<Instant>) -> Self {
        Self {
            id: job.id.clone(),
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
    /// A client leaves by dropping its end.
    clients: Vec<Weak<Outbox>>,
    /// Jobs on the list as the clients know them; empty while nobody listens.
    known: HashMap<i64, Known>,
    /// Changed jobs and when their update may go out.
    due: HashMap<i64, Instant>,
    /// The first frame for new clients, until something changes.
    init: Option<Utf8Bytes>,
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
                    Some(reply) => self.welcome(reply).await,
                    None => return,
                },
                () = self.reload.notified() => self.reload_all().await,
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.send_due().await,
                _ = status.tick() => self.send_status().await,
            }
        }
    }

    fn changed(&mut self, seq: i64) {
        self.init = None;
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
        self.clients.retain(|client| client.strong_count() > 0);
        if self.clients.is_empty() {
            self.known.clear();
            self.due.clear();
        }
        !self.clients.is_empty()
    }

    /// Looks at every job again: too many changes at once, or one that nobody told of.
    async fn reload_all(&mut self) {
        self.init = None;
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
        self.store
            .jobs(&JobsQuery {
                kind: Some(JobKind::Download),
                ..JobsQuery::default()
            })
            .await
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
                self.send_event(seq, "job_removed", &gone.id);
            }
            return Ok(());
        };
        if job.kind != JobKind::Download {
            return Ok(());
        }
        let text = self.shown.text(&job).await?;
        self.send(
            Topic::Job(seq),
            format!(r#"{{"type":"job_update","data":{text}}}"#).into(),
        );
        let before = self.known.insert(seq, Known::of(&job, Some(now)));
        // The end may be a second one: failed, retried and failed again between two looks.
        let ended =
            before.is_none_or(|before| before.status != job.status || before.ended_at != job.ended_at);
        match job.status {
            JobStatus::Completed if ended => self.send_event(seq, "download_complete", &job.id),
            JobStatus::Failed if ended => self.send_event(seq, "download_failed", &job.id),
            _ => {}
        }
        Ok(())
    }

    fn send_event(&mut self, seq: i64, event: &'static str, id: &JobId) {
        let frame = LiveMessage::Event(Happened {
            event,
            job_id: Some(id),
        });
        self.send(Topic::Event(seq, event), super::shown::json(&frame).into());
    }

    async fn send_status(&mut self) {
        if self.has_clients()
            && let Some(frame) = self.status.frame().await
        {
            self.send(Topic::Status, frame);
        }
    }

    fn send(&mut self, topic: Topic, frame: Utf8Bytes) {
        self.clients.retain(|client| match client.upgrade() {
            Some(outbox) => {
                outbox.put(topic, frame.clone());
                true
            }
            None => false,
        });
    }

    /// Gives a new client its first frame and an empty outbox. Nothing is sent to anybody in
    /// between, so what comes later is newer than the first frame.
    async fn welcome(&mut self, reply: Join) {
        let first = !self.has_clients();
        let seat = if self.clients.len() >= CLIENTS {
            tracing::warn!(
                clients = CLIENTS,
                "a WebSocket was turned away: too many are open"
            );
            None
        } else {
            match self.first_frame(first).await {
                Ok(frame) => {
                    let outbox = Arc::new(Outbox::default());
                    self.clients.push(Arc::downgrade(&outbox));
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

    async fn first_frame(&mut self, first: bool) -> Result<Utf8Bytes, StoreError> {
        if let (Some(frame), false) = (&self.init, first) {
            return Ok(frame.clone());
        }
        let jobs = self.jobs().await?;
        let frame: Utf8Bytes = self.init_of(&jobs).await?.into();
        if first {
            self.known = jobs.iter().map(|job| (job.seq, Known::of(job, None))).collect();
        }
        self.init = Some(frame.clone());
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
