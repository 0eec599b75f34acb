//! A segment in the hands of one connection, and how fast that is.
//!
//! Only the time counts in which we waited for bytes: what a speed limit or a slow disk delays is
//! not the connection's fault.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::segment::Taken;

/// It loses it when it is still silent so long after it was first found to be: a process that stood
/// still itself reads what has come meanwhile before it blames anybody.
const STILL: Duration = Duration::from_millis(200);
/// What a connection brought in a shorter time says nothing about its speed.
const KNOWN_AFTER: Duration = Duration::from_millis(500);
/// Keeps a speed finite.
const SHORTEST_SECONDS: f64 = 0.001;

/// A segment in the hands of one connection.
pub struct Held {
    /// The segment and the right to it.
    pub taken: Taken,
    pub(super) grip: Arc<Grip>,
}

/// A hold on a segment, with what is known of who has it.
pub(super) struct Grip {
    began: Instant,
    bytes: AtomicU64,
    /// When the first bytes came, and how many.
    first: OnceLock<Seen>,
    /// Milliseconds from `began` to the last byte.
    last_ms: AtomicU64,
    /// It is we who do not read: a speed limit or a slow disk.
    held_back: AtomicBool,
    /// Microseconds from `began` to the last time that it began, and how many it was in all.
    held_since_us: AtomicU64,
    held_us: AtomicU64,
    looks: Mutex<Looks>,
    /// Another connection has taken over.
    pub lost: CancellationToken,
}

/// How far a connection was at one moment.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    bytes: u64,
    held_us: u64,
}

/// What the looks at a connection showed.
#[derive(Default)]
struct Looks {
    /// From where on its speed is measured, when not from the first byte.
    from: Option<Seen>,
    /// Bytes a second of the time in which we waited for them, lately.
    rate: Option<f64>,
    /// When it was first found silent.
    silent_since: Option<Instant>,
    /// Since when each look found that it brings so little that another one would pay.
    little_since: Option<Instant>,
}

/// What a connection does.
pub(super) enum Does {
    /// Nothing, and not because of us.
    Rest,
    /// So many bytes a second.
    Bring(f64),
}

impl Held {
    /// First byte of the segment that is still to come.
    pub fn offset(&self) -> u64 {
        self.taken.segment.start + self.taken.segment.written
    }

    /// Returns when another connection has taken over.
    pub async fn lost(&self) {
        self.grip.lost.cancelled().await;
    }

    /// Says whether it is we who do not read.
    pub fn holding_back(&self, held_back: bool) {
        self.grip.hold_back(held_back);
    }

    pub(super) fn wrote(&self, bytes: u64) {
        self.grip.wrote(bytes);
    }
}

impl Grip {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            first: OnceLock::new(),
            last_ms: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
            held_since_us: AtomicU64::new(0),
            held_us: AtomicU64::new(0),
            looks: Mutex::default(),
            lost: CancellationToken::new(),
        }
    }

    // Only the connection itself writes these figures; a look reads them.
    fn hold_back(&self, held_back: bool) {
        let now_us = self.began.elapsed().as_micros() as u64;
        let was = self.held_back.swap(held_back, Relaxed);
        if held_back && !was {
            self.held_since_us.store(now_us, Relaxed);
        } else if was && !held_back {
            let held_us = now_us.saturating_sub(self.held_since_us.load(Relaxed));
            self.held_us.fetch_add(held_us, Relaxed);
        }
        if !held_back {
            self.touch();
        }
    }

    fn wrote(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.first.get_or_init(|| self.seen());
        self.touch();
    }

    fn touch(&self) {
        self.last_ms
            .store(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    fn seen(&self) -> Seen {
        Seen {
            at: Instant::now(),
            bytes: self.bytes.load(Relaxed),
            held_us: self.held_us.load(Relaxed),
        }
    }

    fn silent(&self) -> Duration {
        self.began
            .elapsed()
            .saturating_sub(Duration::from_millis(self.last_ms.load(Relaxed)))
    }

    /// Bytes a second since it began.
    pub fn mean_rate(&self) -> f64 {
        self.bytes.load(Relaxed) as f64 / self.began.elapsed().as_secs_f64().max(SHORTEST_SECONDS)
    }

    fn rate_since(&self, from: &Seen) -> Option<f64> {
        let now = self.seen();
        let took = now.at - from.at;
        let waited = took.saturating_sub(Duration::from_micros(now.held_us.saturating_sub(from.held_us)));
        let bytes = now.bytes - from.bytes;
        (took >= KNOWN_AFTER).then(|| bytes as f64 / waited.as_secs_f64().max(SHORTEST_SECONDS))
    }

    /// Looks what it does; `None` when it is too early to say, or it is we who do not read.
    pub fn look(&self, patience: Duration) -> Option<Does> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if self.held_back.load(Relaxed) {
            looks.silent_since = None;
            return None;
        }
        if self.silent() >= patience {
            let since = *looks.silent_since.get_or_insert_with(Instant::now);
            return (since.elapsed() >= STILL).then_some(Does::Rest);
        }
        looks.silent_since = None;
        let from = looks.from.as_ref().or_else(|| self.first.get())?;
        if let Some(rate) = self.rate_since(from) {
            looks.rate = Some(rate);
            looks.from = Some(self.seen());
        }
        looks.rate.filter(|rate| *rate > 0.0).map(Does::Bring)
    }

    /// Notes whether it brings so little that another one would pay; whether it has for so `long`.
    pub fn trickles(&self, brings_little: bool, long: Duration) -> bool {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if !brings_little {
            looks.little_since = None;
            return false;
        }
        looks.little_since.get_or_insert_with(Instant::now).elapsed() >= long
    }
}
