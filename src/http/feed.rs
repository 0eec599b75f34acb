//! The live feed: one task that turns changes of the database into frames for all WebSockets
//! and event streams.
//!
//! It listens to the store, reads a changed job once, whatever the number of clients, and puts
//! the frame into every [`Outbox`]. Promises:
//! - a client gets `init` first, and afterwards no state that is older;
//! - at most one `job_update` a job in `PACE`, but another status at once, and the last state always;
//! - `event` after the `job_update` that shows it;
//! - with nobody listening it does nothing.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::frames;
use super::frames::{Happened, LiveMessage};
use super::live_settings::LiveSettings;
use super::outbox::{Frame, Outbox, Topic};
use super::recent::{Recent, concerns};
use super::seats;
use super::shown::Shown;
use super::status::Status;
use crate::model::job::JobId;
use crate::model::limits::Holds;
use crate::model::state::{JobKind, JobStatus};
use crate::store::{Job, JobFilter, JobsQuery, Store, StoreError};

/// Shortest time between two updates of one job: four a second.
const PACE: Duration = Duration::from_millis(250);
/// Time between two `status` frames.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// Wait after the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// Longest `init`: 512 KiB minus its envelope.
const INIT_LIMIT_BYTES: usize = 510 * 1024;
/// How long frames are kept after the last client has gone.
const LINGER: Duration = Duration::from_secs(60);
/// Queues up to this length are told anew when somebody enters or leaves them: every place behind
/// has changed.
const TOLD_WHOLE: usize = 256;

/// The way to the feed. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    joins: mpsc::Sender<Join>,
    reload: Arc<Notify>,
}

/// What a client wants to hear.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Jobs of this kind only; all kinds when empty.
    pub kind: Option<JobKind>,
    /// The last frame that it got from this service, when it was here before.
    pub after: Option<u64>,
}

/// What a new client gets: its first frame, unless it goes on where it was, and where the others
/// come from.
type Seat = (Option<Frame>, Arc<Outbox>);
type Join = (Wish, oneshot::Sender<Option<Seat>>);

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
            holds: settings.holds_changes(),
            status: Status::new(store.clone(), settings),
            store,
            shown,
            joining,
            reload: Arc::clone(&reload),
            clients: Vec::new(),
            known: HashMap::new(),
            due: HashMap::new(),
            init: HashMap::new(),
            recent: Recent::default(),
            alone_since: None,
        };
        let running = tokio::spawn(async move {
            stop.run_until_cancelled_owned(task.run()).await;
        });
        (Self { joins, reload }, running)
    }

    /// A seat for a new client; it is given up by dropping it. `None` when all are taken, the
    /// database fails or the service stops.
    pub async fn join(&self, wish: Wish) -> Option<Seat> {
        let (reply, seat) = oneshot::channel();
        self.joins.send((wish, reply)).await.ok()?;
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
    /// Tells when other limits hold.
    holds: watch::Receiver<Holds>,
    /// A client leaves by dropping its end.
    clients: Vec<(Weak<Outbox>, Option<JobKind>)>,
    /// Jobs on the list as the clients know them; empty while nobody listens.
    known: HashMap<i64, Known>,
    /// Changed jobs and when their update may go out.
    due: HashMap<i64, Instant>,
    /// The first frame for new clients by what they want to hear, until something changes.
    init: HashMap<Option<JobKind>, Arc<str>>,
    /// For clients that come back.
    recent: Recent,
    /// Since when nobody listens; then frames are made for a while, for those who come back.
    alone_since: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        let mut status = interval(STATUS_EVERY);
        status.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = self.due.values().min().copied();
            tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(seq) => self.changed(seq).await,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.reload_all().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                join = self.joining.recv() => match join {
                    Some((wish, reply)) => self.welcome(wish, reply).await,
                    None => return,
                },
                () = self.reload.notified() => self.reload_all().await,
                Ok(()) = self.holds.changed() => {
                    self.send_status().await;
                    self.reload_all().await;
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.send_due().await,
                _ = status.tick() => self.send_status().await,
            }
        }
    }

    async fn changed(&mut self, seq: i64) {
        self.init.clear();
        if !self.has_clients() {
            return;
        }
        let now = Instant::now();
        let known = self.known.get(&seq);
        let paced = known.and_then(|known| known.sent_at).map(|sent| sent + PACE);
        let at = match paced {
            Some(paced) if paced > now => {
                // Progress can wait for its turn; another status is what somebody waits for.
                let before = known.map(|known| known.status);
                let job = self.store.job_by_seq(seq).await;
                let same = job.is_ok_and(|job| job.map(|job| job.status) == before);
                if same { paced } else { now }
            }
            _ => now,
        };
        let due = self.due.entry(seq).or_insert(at);
        *due = at.min(*due);
    }

    /// Whether anybody listens. When nobody does, what is known grows stale and is forgotten.
    fn has_clients(&mut self) -> bool {
        self.clients.retain(|(client, _)| client.strong_count() > 0);
        if !self.clients.is_empty() {
            self.alone_since = None;
            return true;
        }
        // Nobody ever came, or the last one left a short while ago and may come back.
        if self.known.is_empty() && self.recent.is_empty() {
            return false;
        }
        let since = *self.alone_since.get_or_insert_with(Instant::now);
        if since.elapsed() < LINGER {
            return true;
        }
        self.known.clear();
        self.due.clear();
        self.recent.forget();
        self.alone_since = None;
        false
    }

    /// Looks at every job again: too many changes at once, or one that nobody told of.
    async fn reload_all(&mut self) {
        self.init.clear();
        if !self.has_clients() {
            return;
        }
        let now = Instant::now();
        match self.jobs(None).await {
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

    async fn jobs(&self, kind: Option<JobKind>) -> Result<Vec<Job>, StoreError> {
        self.store
            .jobs(&JobsQuery {
                filter: JobFilter {
                    kind,
                    ..JobFilter::default()
                },
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
                self.send_event((seq, gone.kind), "job_removed", &gone.id);
            }
            return Ok(());
        };
        let standing = self.shown.standing(&job).await?;
        let text = self.shown.text(&job, standing).await?;
        self.send(
            Topic::Job(seq),
            Some(job.kind),
            &format!(r#"{{"type":"job_update","data":{text}}}"#),
        );
        let before = self.known.insert(seq, Known::of(&job, Some(now)));
        let was_queued = before
            .as_ref()
            .is_some_and(|before| before.status == JobStatus::Queued);
        if before.is_none() || was_queued != (job.status == JobStatus::Queued) {
            self.places_changed(seq, now);
        }
        // The end may be a second one: failed, retried and failed again between two looks.
        let ended =
            before.is_none_or(|before| before.status != job.status || before.ended_at != job.ended_at);
        if let Some(event) = frames::end_event(job.kind, job.status)
            && ended
        {
            self.send_event((seq, job.kind), event, &job.id);
        }
        Ok(())
    }

    /// Somebody entered or left the queue: the others stand elsewhere now.
    fn places_changed(&mut self, except: i64, now: Instant) {
        let queued = |known: &Known| known.status == JobStatus::Queued;
        if self.known.values().filter(|known| queued(known)).count() > TOLD_WHOLE {
            return;
        }
        let others = self
            .known
            .iter()
            .filter(|&(&seq, known)| seq != except && queued(known));
        for (&seq, known) in others {
            let at = known.sent_at.map_or(now, |sent| now.max(sent + PACE));
            self.due.entry(seq).or_insert(at);
        }
    }

    fn send_event(&mut self, (seq, kind): (i64, JobKind), event: &'static str, id: &JobId) {
        let frame = LiveMessage::Event(Happened {
            job_id: Some(id),
            ..Happened::new(event)
        });
        self.send(Topic::Event(seq, event), Some(kind), &super::shown::json(&frame));
    }

    async fn send_status(&mut self) {
        if self.has_clients()
            && let Some(frame) = self.status.frame().await
        {
            self.send(Topic::Status, None, &frame);
            if let Some(frame) = self.status.disk_turned_low() {
                self.send(Topic::Event(0, "disk_low"), None, &frame);
            }
        }
    }

    /// Sends `text` to everybody who wants to hear of this kind of job; `None` concerns all.
    fn send(&mut self, topic: Topic, kind: Option<JobKind>, text: &str) {
        let frame = self.recent.add(topic, kind, text);
        for (client, wanted) in &self.clients {
            if let Some(outbox) = client.upgrade().filter(|_| concerns(kind, *wanted)) {
                outbox.put(topic, frame.clone());
            }
        }
    }

    /// Gives a new client its first frame and an empty outbox. Nothing is sent to anybody in
    /// between, so what comes later is newer than the first frame.
    async fn welcome(&mut self, wish: Wish, reply: oneshot::Sender<Option<Seat>>) {
        let first = !self.has_clients();
        let clients = seats::live_clients();
        let seat = if self.clients.len() >= clients {
            tracing::warn!(
                clients,
                "a client of the live feed was turned away: too many are there"
            );
            None
        } else {
            let known = wish.after.filter(|_| !first);
            let first_frame = match known.and_then(|after| self.recent.since(after, wish.kind)) {
                Some(outbox) => Ok((None, outbox)),
                None => self
                    .first_frame(first, wish.kind)
                    .await
                    .map(|frame| (Some(frame), Outbox::default())),
            };
            match first_frame {
                Ok((frame, outbox)) => {
                    let outbox = Arc::new(outbox);
                    self.clients.push((Arc::downgrade(&outbox), wish.kind));
                    self.alone_since = None;
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

    async fn first_frame(&mut self, first: bool, kind: Option<JobKind>) -> Result<Frame, StoreError> {
        if first {
            // What is known is about all kinds.
            let jobs = self.jobs(None).await?;
            self.known = jobs.iter().map(|job| (job.seq, Known::of(job, None))).collect();
            self.init.clear();
        }
        let text = match self.init.get(&kind) {
            Some(text) => Arc::clone(text),
            None => {
                let jobs = self.jobs(kind).await?;
                let text: Arc<str> = self.init_of(&jobs).await?.into();
                self.init.insert(kind, Arc::clone(&text));
                text
            }
        };
        let number = self.recent.number();
        Ok(Frame {
            number,
            kind: "init",
            text: frames::numbered(&text, number),
        })
    }

    /// `init`: live jobs first, then the newest ended ones, as many as fit; in order of creation.
    async fn init_of(&self, jobs: &[Job]) -> Result<String, StoreError> {
        let running = jobs.iter().filter(|job| job.status == JobStatus::Running);
        let waiting = jobs
            .iter()
            .filter(|job| job.status.is_live() && job.status != JobStatus::Running);
        let ended = jobs.iter().rev().filter(|job| job.status.is_terminal());
        let moment = self.shown.moment().await?;
        let mut texts = Vec::new();
        let mut room = INIT_LIMIT_BYTES;
        for job in running.chain(waiting).chain(ended) {
            let text = self.shown.text(job, moment.standing(job)).await?;
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
