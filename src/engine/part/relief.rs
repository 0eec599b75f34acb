//! Who fetches which segment of a part, how fast, and when another connection takes over.
//!
//! At the end of a file connections run out of segments while a slow one still has megabytes to
//! go. Then the rest of the slowest segment is cut in two so that both halves end together, and
//! a segment whose connection brings nothing goes to another one whole. The row is cut before
//! the second half is fetched: until then the stored row is longer than it need be, never wrong.
//!
//! Whoever is relieved has asked for more than it now may bring: what is on its way beyond the cut
//! comes twice. So nobody is relieved for what we ourselves delay, and of connections that are all as
//! quick none, unless it takes long: they may well share one line, which another one fills no better.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::segment::{Layout, Taken, Ticket};
use crate::store::{Store, StoreError};

use super::LivePart;
use super::grip::{Does, Grip, Held};

/// A connection that brings nothing for so long loses its segment to an idle one, long before
/// the stall timeout. Doubles with every take-over that brings nothing either.
const SILENT: Duration = Duration::from_secs(3);
/// What has to be saved to be worth another request, where a connection is clearly the slower one.
const WORTH: Duration = Duration::from_secs(1);
/// The same where it is as quick as the others.
const WORTH_A_TRIAL: Duration = Duration::from_secs(3);
/// Below this share of the best speed a connection is clearly slower.
const SLOWER: f64 = 0.5;
/// Shortest half of a segment, bytes: below it the request costs more than it saves.
const HALF_MIN_BYTES: u64 = 1 << 20;

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
        if whole {
            let rate = held.grip.mean_rate();
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
        self.grips.lock().find_relief(&layout, latency)
    }
}

impl Table {
    fn find_relief(&self, layout: &Layout, latency: Duration) -> Option<Relief> {
        if layout.has_work() || layout.is_written() {
            return None;
        }
        let patience = (SILENT * 2_u32.pow(self.vain.min(6))).max(8 * latency);
        let mut slowest: Option<(f64, u64, Ticket, u64, f64)> = None;
        let mut best = self.usual;
        for (&start, (ticket, grip)) in &self.held {
            let Some(left) = layout.room(start, *ticket).filter(|left| *left > 0) else {
                continue;
            };
            let rate = match grip.look(patience) {
                None => continue,
                Some(Does::Rest) => return Some(Relief::Over(start, *ticket)),
                Some(Does::Bring(rate)) => rate,
            };
            best = best.max(rate);
            let seconds = left as f64 / rate;
            if slowest.is_none_or(|(other, ..)| seconds > other) {
                slowest = Some((seconds, start, *ticket, left, rate));
            }
        }
        let (seconds, start, ticket, left, rate) = slowest?;
        let worth = match rate < best * SLOWER {
            true => WORTH,
            false => WORTH_A_TRIAL,
        };
        let saved = seconds * best / (best + rate);
        if saved < (worth + 4 * latency).as_secs_f64() || left < 2 * HALF_MIN_BYTES {
            return None;
        }
        let share = (left as f64 * best / (best + rate)) as u64;
        let bytes = share.clamp(HALF_MIN_BYTES, left - HALF_MIN_BYTES);
        Some(Relief::Half(start, ticket, bytes))
    }
}

impl Grips {
    fn hold(&self, taken: Taken) -> Held {
        let grip = Arc::new(Grip::new());
        self.lock()
            .held
            .insert(taken.segment.start, (taken.ticket, grip.clone()));
        Held { taken, grip }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::segment::cut;

    const MIB: u64 = 1 << 20;
    const LOOK: Duration = Duration::from_millis(250);

    /// Connections that fetch every segment of a file, one each.
    struct Fetching {
        layout: Layout,
        grips: Grips,
        held: Vec<Held>,
    }

    impl Fetching {
        fn new(size_bytes: u64) -> Self {
            let mut layout = Layout::new(cut(size_bytes, 8));
            let grips = Grips::default();
            let held = std::iter::from_fn(|| layout.take()).map(|taken| grips.hold(taken));
            let held = held.collect();
            Self { layout, grips, held }
        }

        fn bring(&mut self, connection: usize, bytes: u64) {
            let held = &self.held[connection];
            let Taken { ticket, segment } = held.taken;
            self.layout.advance(segment.start, ticket, bytes);
            held.wrote(bytes);
        }

        fn look(&self) -> Option<Relief> {
            self.grips
                .lock()
                .find_relief(&self.layout, Duration::from_millis(1))
        }

        /// Lets each connection bring so many bytes a second, until one would be relieved.
        async fn run(&mut self, rates: &[u64], time: Duration) -> Option<Relief> {
            for _ in 0..time.as_millis() / LOOK.as_millis() {
                tokio::time::advance(LOOK).await;
                for (connection, rate) in rates.iter().enumerate() {
                    self.bring(connection, rate / 4);
                }
                if let Some(relief) = self.look() {
                    return Some(relief);
                }
            }
            None
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_connections_that_are_all_as_quick_none_is_relieved() {
        let mut fetching = Fetching::new(24 * MIB);
        let relief = fetching.run(&[2 * MIB; 3], Duration::from_secs(4)).await;
        assert!(relief.is_none(), "{relief:?}");
        assert!(fetching.layout.is_written());
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_what_takes_long_is_tried_although_all_are_as_quick() {
        let mut fetching = Fetching::new(16 * MIB);
        let relief = fetching.run(&[MIB / 2; 2], Duration::from_secs(5)).await;
        assert!(matches!(relief, Some(Relief::Half(_, _, bytes)) if bytes > 3 * MIB));
    }

    #[tokio::test(start_paused = true)]
    async fn the_slower_one_is_relieved_soon_and_keeps_what_it_brings_meanwhile() {
        let mut fetching = Fetching::new(16 * MIB);
        let relief = fetching.run(&[MIB / 4, 4 * MIB], Duration::from_secs(2)).await;
        assert!(matches!(relief, Some(Relief::Half(0, _, bytes)) if (6 * MIB..8 * MIB).contains(&bytes)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stood_still_blames_nobody_for_it() {
        let mut fetching = Fetching::new(16 * MIB);
        fetching.run(&[MIB; 2], Duration::from_secs(1)).await;
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(fetching.look().is_none(), "what has come was not read yet");
        fetching.bring(1, MIB);
        tokio::time::advance(LOOK).await;
        assert!(
            matches!(fetching.look(), Some(Relief::Over(0, _))),
            "only the first is silent"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_us_is_not_slow() {
        let mut fetching = Fetching::new(16 * MIB);
        for _ in 0..40 {
            for connection in 0..2 {
                fetching.held[connection].holding_back(true);
            }
            tokio::time::advance(LOOK - Duration::from_millis(5)).await;
            assert!(fetching.look().is_none(), "we do not read");
            for connection in 0..2 {
                fetching.held[connection].holding_back(false);
            }
            tokio::time::advance(Duration::from_millis(5)).await;
            (0..2).for_each(|connection| fetching.bring(connection, 80_000));
            assert!(fetching.look().is_none(), "16 MB in each second that we wait");
        }
    }
}
