//! Who fetches which segment of a part, how fast, and when another connection takes over.
//!
//! At the end of a file connections run out of segments while a slow one still has megabytes to
//! go. Then the rest of the slowest segment is cut in two so that both halves end together, and
//! a segment whose connection brings nothing goes to another one whole. The row is cut before
//! the second half is fetched: until then the stored row is longer than it need be, never wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::segment::{Taken, Ticket};
use crate::store::{Store, StoreError};

use super::LivePart;

/// A connection that brings nothing for so long loses its segment to an idle one, long before
/// the stall timeout. Doubles with every take-over that brings nothing either.
const SILENT: Duration = Duration::from_secs(3);
/// A segment that takes so much longer is worth another request.
const WORTH: Duration = Duration::from_secs(1);
/// What a connection brought in a shorter time says nothing about its speed.
const KNOWN_AFTER: Duration = Duration::from_millis(250);
/// Shortest half of a segment, bytes: below it the request costs more than it saves.
const HALF_MIN_BYTES: u64 = 1 << 20;

/// A segment in the hands of one connection.
pub struct Held {
    /// The segment and the right to it.
    pub taken: Taken,
    grip: Arc<Grip>,
}

struct Grip {
    began: Instant,
    bytes: AtomicU64,
    /// Milliseconds from `began` to the last byte.
    last_ms: AtomicU64,
    /// It is we who do not read: a speed limit or a slow disk.
    held_back: AtomicBool,
    lost: CancellationToken,
}

/// All segments that are being fetched, by start.
#[derive(Default)]
pub(super) struct Grips(Mutex<Table>);

#[derive(Default)]
struct Table {
    held: BTreeMap<u64, (Ticket, Arc<Grip>)>,
    /// Bytes a second of the last segments that came whole.
    usual: f64,
    /// Take-overs in a row that brought nothing.
    vain: u32,
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
        if !held_back {
            self.grip.touch();
        }
        self.grip.held_back.store(held_back, Relaxed);
    }

    pub(super) fn wrote(&self, bytes: u64) {
        self.grip.bytes.fetch_add(bytes, Relaxed);
        self.grip.touch();
    }
}

impl Grip {
    fn touch(&self) {
        self.last_ms
            .store(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    fn silent(&self) -> Duration {
        self.began
            .elapsed()
            .saturating_sub(Duration::from_millis(self.last_ms.load(Relaxed)))
    }

    /// Bytes a second; `None` when it is too early to say.
    fn rate(&self) -> Option<f64> {
        let age = self.began.elapsed();
        (age >= KNOWN_AFTER).then(|| self.bytes.load(Relaxed) as f64 / age.as_secs_f64())
    }
}

/// What an idle connection could do.
#[derive(Debug, Clone, Copy)]
enum Relief {
    Over(u64, Ticket),
    /// Take that many bytes off the end.
    Half(u64, Ticket, u64),
}

impl LivePart {
    /// Hands out the frontmost free segment.
    pub fn take(&self) -> Option<Held> {
        let taken = self.lock().take()?;
        Some(self.grips.hold(taken))
    }

    /// Gives a segment back.
    pub fn give_back(&self, held: &Held) {
        let start = held.taken.segment.start;
        let whole = self.lock().room(start, held.taken.ticket) == Some(0);
        self.lock().give_back(start, held.taken.ticket);
        let mut table = self.grips.lock();
        if table
            .held
            .get(&start)
            .is_some_and(|(ticket, _)| *ticket == held.taken.ticket)
        {
            table.held.remove(&start);
        }
        if whole && let Some(rate) = held.grip.rate() {
            table.usual = if table.usual == 0.0 {
                rate
            } else {
                (table.usual * 3.0 + rate) / 4.0
            };
            table.vain = 0;
        }
    }

    /// Whether an idle connection could help a slow one now.
    pub fn wants_relief(&self, latency: Duration) -> bool {
        self.find_relief(latency).is_some()
    }

    /// Lets an idle connection take over from a slow one: all of its segment when it brings
    /// nothing, else the part of it that lets both end together. `None` when nobody is so slow
    /// that it would pay.
    ///
    /// # Errors
    /// When the cut cannot be stored.
    pub async fn relieve(&self, store: &Store, latency: Duration) -> Result<Option<Held>, StoreError> {
        match self.find_relief(latency) {
            None => Ok(None),
            Some(Relief::Over(start, ticket)) => {
                let Some(taken) = self.lock().hand_over(start, ticket) else {
                    return Ok(None);
                };
                let mut table = self.grips.lock();
                table.vain += 1;
                if let Some((_, grip)) = table.held.get(&start) {
                    grip.lost.cancel();
                }
                drop(table);
                Ok(Some(self.grips.hold(taken)))
            }
            Some(Relief::Half(start, ticket, bytes)) => {
                let Some(taken) = self.lock().split(start, ticket, bytes) else {
                    return Ok(None);
                };
                let second = taken.segment;
                store
                    .split_segment(&self.meter.lease, self.id, start, second.start, second.length)
                    .await?;
                Ok(Some(self.grips.hold(taken)))
            }
        }
    }

    fn find_relief(&self, latency: Duration) -> Option<Relief> {
        let layout = self.lock();
        if layout.has_work() || layout.is_written() {
            return None;
        }
        let table = self.grips.lock();
        let patience = (SILENT * 2_u32.pow(table.vain.min(6))).max(8 * latency);
        let mut slowest: Option<(f64, u64, Ticket, u64, f64)> = None;
        let mut best = table.usual;
        for (&start, (ticket, grip)) in &table.held {
            if grip.held_back.load(Relaxed) {
                continue;
            }
            let Some(left) = layout.room(start, *ticket).filter(|left| *left > 0) else {
                continue;
            };
            if grip.silent() >= patience {
                return Some(Relief::Over(start, *ticket));
            }
            let Some(rate) = grip.rate().filter(|rate| *rate > 0.0) else {
                continue;
            };
            best = best.max(rate);
            let seconds = left as f64 / rate;
            if slowest.is_none_or(|(other, ..)| seconds > other) {
                slowest = Some((seconds, start, *ticket, left, rate));
            }
        }
        let (seconds, start, ticket, left, rate) = slowest?;
        let worth = WORTH + 4 * latency;
        if seconds < worth.as_secs_f64() || left < 2 * HALF_MIN_BYTES {
            return None;
        }
        let share = (left as f64 * best / (best + rate)) as u64;
        let bytes = share.clamp(HALF_MIN_BYTES, left - HALF_MIN_BYTES);
        Some(Relief::Half(start, ticket, bytes))
    }
}

impl Grips {
    fn hold(&self, taken: Taken) -> Held {
        let grip = Arc::new(Grip {
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
            lost: CancellationToken::new(),
        });
        self.lock()
            .held
            .insert(taken.segment.start, (taken.ticket, grip.clone()));
        Held { taken, grip }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
