//! Jobs as JSON texts for lists and messages, each at most [`JOB_LIMIT_BYTES`] long.
//!
//! The text of a job that stays as it is, is kept: a list of a thousand finished jobs reads
//! one table, not the files of a thousand jobs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::live_settings::LiveSettings;
use super::views::{JobView, Standing};
use crate::clock::now_ms;
use crate::engine::Engine;
use crate::model::limits::Active;
use crate::model::state::{JobKind, JobStatus, Phase, WaitReason};
use crate::store::{FileRow, Job, Store, StoreError};

/// Files of one job in lists and messages.
pub const FILES_IN_LISTS: i64 = 64;
/// Longest text of one job: a message of 512 KiB minus its envelope.
pub const JOB_LIMIT_BYTES: usize = 500 * 1024;
/// Texts that are kept, in bytes; beyond that the memory starts afresh.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// A job that changed no longer ago may change again within the same millisecond, and times could
/// not tell the two texts apart. Ten times as long as the clock could be off between two threads.
const SETTLED_MS: i64 = 1000;

/// What tells one text of a job from the next.
type Edition = (i64, Option<i64>, JobStatus, Standing);

#[derive(Default)]
struct Kept {
    texts: HashMap<i64, (Edition, Arc<str>)>,
    bytes: usize,
}

/// The texts of jobs.
pub struct Shown {
    store: Store,
    settings: LiveSettings,
    engine: Engine,
    kept: Mutex<Kept>,
    /// The places of the queue, and to which of its editions they belong.
    places: Mutex<(i64, Arc<HashMap<i64, i64>>)>,
}

/// The queue and the limits at one moment, from which follows where each job stands.
pub struct Moment {
    places: Arc<HashMap<i64, i64>>,
    paused: bool,
    max_attempts: i64,
    engine: Engine,
    now: i64,
}

impl Moment {
    /// Where `job` stands.
    pub fn standing(&self, job: &Job) -> Standing {
        let queued = job.status == JobStatus::Queued;
        let later = job.not_before_at.is_some_and(|at| at > self.now);
        let wait_reason = match job.wait_reason {
            // A pause of everything holds a job that waits for something else as well, and is what
            // the user can end.
            _ if self.paused => Some(WaitReason::Schedule),
            None if later => Some(WaitReason::NotBefore),
            reason => reason,
        };
        let fetched = job.kind == JobKind::Download
            && job.status == JobStatus::Running
            && matches!(job.phase, Some(Phase::Downloading | Phase::Verifying));
        let connections_reason = match fetched {
            true => self.engine.connections_reason(job.connections),
            false => String::new(),
        };
        Standing {
            connections_reason,
            position: self.places.get(&job.seq).copied().filter(|_| queued),
            wait_reason: wait_reason.filter(|_| queued),
            max_attempts: self.max_attempts,
        }
    }
}

impl Shown {
    /// Texts of the jobs in `store`, which `engine` works on.
    pub fn new(store: Store, settings: LiveSettings, engine: Engine) -> Self {
        Self {
            store,
            settings,
            engine,
            kept: Mutex::default(),
            places: Mutex::default(),
        }
    }

    /// How the queue stands now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn moment(&self) -> Result<Moment, StoreError> {
        // Asked first: places that are newer than their edition are only read again.
        let edition = self.store.queue_edition().await?;
        let known = {
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            (places.0 == edition).then(|| Arc::clone(&places.1))
        };
        let places = match known {
            Some(places) => places,
            None => {
                let mut numbers = HashMap::new();
                for &kind in JobKind::ALL {
                    numbers.extend(self.store.queue(kind).await?.into_iter().zip(1..));
                }
                let numbers = Arc::new(numbers);
                *self.places.lock().unwrap_or_else(PoisonError::into_inner) = (edition, Arc::clone(&numbers));
                numbers
            }
        };
        Ok(self.at_places(places))
    }

    /// Where one job stands now. It costs less than [`Self::moment`], which reads the whole queue anew
    /// after each change of it.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn standing(&self, job: &Job) -> Result<Standing, StoreError> {
        let mut places = HashMap::new();
        if job.status == JobStatus::Queued
            && let Some(place) = self.store.place(job.seq).await?
        {
            places.insert(job.seq, place);
        }
        Ok(self.at_places(Arc::new(places)).standing(job))
    }

    fn at_places(&self, places: Arc<HashMap<i64, i64>>) -> Moment {
        Moment {
            places,
            paused: self.settings.holds().active == Active::Paused,
            max_attempts: i64::from(self.settings.get().retries) + 1,
            engine: self.engine.clone(),
            now: now_ms(),
        }
    }

    /// The text of a job that was just read and stands so.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub async fn text(&self, job: &Job, standing: Standing) -> Result<Arc<str>, StoreError> {
        let edition = (job.updated_at, job.ready_at, job.status, standing.clone());
        if let Some(text) = self.recall(job.seq, &edition) {
            return Ok(text);
        }
        let files = if job.all_files() > 0 {
            self.store.notable_files(job.seq, FILES_IN_LISTS).await?
        } else {
            Vec::new()
        };
        let text: Arc<str> = fitting(job, &files, standing).into();
        // Whether a running job is stalled follows from the time of asking.
        if now_ms() - job.updated_at > SETTLED_MS && job.status != JobStatus::Running {
            self.keep(job.seq, edition, &text);
        }
        Ok(text)
    }

    fn recall(&self, seq: i64, edition: &Edition) -> Option<Arc<str>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, text) = kept.texts.get(&seq)?;
        (known == edition).then(|| Arc::clone(text))
    }

    fn keep(&self, seq: i64, edition: Edition, text: &Arc<str>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + text.len() > KEPT_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += text.len();
        if let Some((_, old)) = kept.texts.insert(seq, (edition, Arc::clone(text))) {
            kept.bytes -= old.len();
        }
    }
}

/// A job with as many of `files` as fit into [`JOB_LIMIT_BYTES`].
fn fitting(job: &Job, files: &[FileRow], standing: Standing) -> String {
    let mut count = files.len();
    loop {
        let view = JobView::new(job, &files[..count]).within(standing.clone());
        let text = json(&view);
        if text.len() <= JOB_LIMIT_BYTES {
            return text;
        }
        if count == 0 {
            return json(&view.without_filters().without_result());
        }
        count /= 2;
    }
}

/// Structs of texts and numbers always have a JSON form.
pub fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
