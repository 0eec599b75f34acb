//! Which connection of a part is slow, and what would help: more time, another connection in its
//! place, or another one beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::segment::{Layout, Taken, Ticket};

use super::grip::{Does, Grip, Held};

/// A connection that brings nothing for so long loses its segment to an idle one, long before
/// the stall timeout. Doubles with every take-over that brings nothing either.
const SILENT: Duration = Duration::from_secs(3);
/// What has to be saved to be worth another request, where a connection is clearly the slower one.
const WORTH: Duration = Duration::from_secs(1);
/// The same where it is as quick as the others.
const WORTH_A_TRIAL: Duration = Duration::from_secs(3);
/// The same for what is too little to be cut in two, where a connection is as quick as all that are
/// known: others may be no better, and what is on its way comes twice.
const WORTH_A_LATE_TRIAL: Duration = Duration::from_secs(30);
/// So many times as long as a silent connection such a one may bring little.
const LATE: u32 = 10;
/// Below this share of the best speed a connection is clearly slower.
const SLOWER: f64 = 0.5;
/// The same where much is left and no idle connection may help: lines that are shared unevenly are
/// not to be changed all the time.
const TRICKLE: f64 = 0.05;
/// Shortest half of a segment, bytes: below it the request costs more than it saves.
const HALF_MIN_BYTES: u64 = 1 << 20;

/// All segments that are being fetched, by start.
#[derive(Default)]
pub struct Grips(Mutex<Table>);

/// Who fetches what, and what is known of it.
#[derive(Default)]
pub struct Table {
    /// By start of the segment.
    pub held: BTreeMap<u64, (Ticket, Arc<Grip>)>,
    /// Bytes a second of the last segments that came whole.
    pub usual: f64,
    /// Take-overs in a row that brought nothing.
    pub vain: u32,
}

/// What an idle connection could do.
#[derive(Debug, Clone, Copy)]
pub enum Relief {
    /// Take a silent one's segment.
    Over(u64, Ticket),
    /// Take that many bytes off the end.
    Half(u64, Ticket, u64),
    /// It trickles, and too little is left to be cut in two.
    Anew(u64, Ticket),
}

impl Table {
    /// Whoever fetches the segment at `start` is to leave it.
    pub fn take_from(&mut self, start: u64) {
        self.vain += 1;
        if let Some((_, grip)) = self.held.get(&start) {
            grip.lost.cancel();
        }
    }

    /// How long a connection may be silent.
    fn patience(&self, latency: Duration) -> Duration {
        (SILENT * 2_u32.pow(self.vain.min(6))).max(8 * latency)
    }

    /// What an idle connection could do now.
    pub fn find_relief(&self, layout: &Layout, latency: Duration) -> Option<Relief> {
        if layout.has_work() || layout.is_written() {
            return None;
        }
        let patience = self.patience(latency);
        let slowest = match self.look(layout, patience)? {
            Seen::Silent(start, ticket) => return Some(Relief::Over(start, ticket)),
            Seen::Slowest(slowest) => slowest,
        };
        if slowest.is_little() {
            let trickles = slowest.trickles(patience, latency);
            return trickles.then_some(Relief::Anew(slowest.start, slowest.ticket));
        }
        let Slowest { left, rate, best, .. } = slowest;
        let worth = match rate < best * SLOWER {
            true => WORTH,
            false => WORTH_A_TRIAL,
        };
        if slowest.saves(best) < worth + 4 * latency {
            return None;
        }
        let share = (left as f64 * best / (best + rate)) as u64;
        let bytes = share.clamp(HALF_MIN_BYTES, left - HALF_MIN_BYTES);
        Some(Relief::Half(slowest.start, slowest.ticket, bytes))
    }

    /// Start of a segment that trickles.
    pub fn find_trickle(&self, layout: &Layout, latency: Duration) -> Option<u64> {
        let patience = self.patience(latency);
        match self.look(layout, patience)? {
            Seen::Slowest(slowest) => slowest.trickles(patience, latency).then_some(slowest.start),
            Seen::Silent(..) => None,
        }
    }

    /// A silent connection, or else the one that needs the longest time.
    fn look(&self, layout: &Layout, patience: Duration) -> Option<Seen<'_>> {
        let mut slowest: Option<(f64, Slowest)> = None;
        let mut best = self.usual;
        for (&start, &(ticket, ref grip)) in &self.held {
            let Some(left) = layout.room(start, ticket).filter(|left| *left > 0) else {
                continue;
            };
            let rate = match grip.look(patience) {
                None => continue,
                Some(Does::Rest) => return Some(Seen::Silent(start, ticket)),
                Some(Does::Bring(rate)) => rate,
            };
            best = best.max(rate);
            let seconds = left as f64 / rate;
            if slowest.as_ref().is_none_or(|(other, _)| seconds > *other) {
                let this = Slowest {
                    start,
                    ticket,
                    left,
                    rate,
                    best,
                    grip,
                };
                slowest = Some((seconds, this));
            }
        }
        slowest.map(|(_, slowest)| Seen::Slowest(Slowest { best, ..slowest }))
    }
}

enum Seen<'a> {
    Silent(u64, Ticket),
    Slowest(Slowest<'a>),
}

/// The segment that is longest to come.
struct Slowest<'a> {
    start: u64,
    ticket: Ticket,
    /// Bytes to come.
    left: u64,
    /// Bytes a second.
    rate: f64,
    /// The best speed known, bytes a second.
    best: f64,
    grip: &'a Grip,
}

impl Slowest<'_> {
    /// Whether too little is left to be cut in two.
    fn is_little(&self) -> bool {
        self.left < 2 * HALF_MIN_BYTES
    }

    /// Time that another connection of speed `best` would save.
    fn saves(&self, best: f64) -> Duration {
        let seconds = self.left as f64 / self.rate * best / (best + self.rate);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Whether it is and was so slow that another connection in its place would pay.
    fn trickles(&self, patience: Duration, latency: Duration) -> bool {
        // It may be the only one there ever was.
        let best = self.best.max(self.grip.mean_rate());
        let slower = if self.is_little() { SLOWER } else { TRICKLE };
        let (worth, long) = match self.rate < best * slower {
            true => (WORTH_A_TRIAL, patience),
            false => (WORTH_A_LATE_TRIAL, LATE * patience),
        };
        let may_be_tried = self.is_little() || self.rate < best * slower;
        let brings_little = may_be_tried && self.saves(best) >= worth + 4 * latency;
        self.grip.trickles(brings_little, long)
    }
}

impl Grips {
    /// Notes who fetches a segment from now on.
    pub fn hold(&self, taken: Taken) -> Held {
        let grip = Arc::new(Grip::new());
        self.lock()
            .held
            .insert(taken.segment.start, (taken.ticket, grip.clone()));
        Held { taken, grip }
    }

    /// All that is known.
    pub fn lock(&self) -> MutexGuard<'_, Table> {
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

    /// Three MiB came as quickly, and then the last MiB trickles.
    async fn until_little_is_left() -> Fetching {
        let mut fetching = Fetching::new(4 * MIB);
        let relief = fetching.run(&[2 * MIB], Duration::from_millis(1500)).await;
        assert!(relief.is_none(), "{relief:?}");
        fetching.grips.lock().usual = 2.0 * MIB as f64;
        fetching
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_bit_that_trickles_goes_to_another_whole() {
        let mut fetching = until_little_is_left().await;
        let relief = fetching.run(&[2000], Duration::from_secs(3)).await;
        assert!(relief.is_none(), "{relief:?}");
        let relief = fetching.run(&[2000], Duration::from_secs(2)).await;
        assert!(matches!(relief, Some(Relief::Anew(0, _))), "{relief:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_shortly_before_the_end_costs_nobody_its_segment() {
        let mut fetching = until_little_is_left().await;
        for (rate, ms) in [(2000, 2500), (MIB / 2, 500), (2000, 2500), (MIB / 2, 500)] {
            let relief = fetching.run(&[rate], Duration::from_millis(ms)).await;
            assert!(relief.is_none(), "{relief:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn with_much_to_come_only_a_trickle_is_asked_for_anew() {
        let mut fetching = Fetching::new(64 * MIB);
        let trickle = |fetching: &Fetching| {
            let table = fetching.grips.lock();
            table.find_trickle(&fetching.layout, Duration::from_millis(1))
        };
        // The eight segments come on lines that are shared unevenly, and then the second dries up.
        let mut rates = [MIB; 8];
        rates[1] = MIB / 8;
        for (rate, seconds, expected) in [(MIB / 8, 4, None), (1000, 3, None), (1000, 2, Some(8 * MIB))] {
            rates[1] = rate;
            let mut found = None;
            for _ in 0..seconds * 4 {
                tokio::time::advance(LOOK).await;
                for (connection, rate) in rates.iter().enumerate() {
                    fetching.bring(connection, (rate / 4).min(7 * MIB / 40));
                }
                found = found.or(trickle(&fetching));
            }
            assert_eq!(found, expected, "{rate} for {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_trickle_another_is_tried_late_and_ever_later() {
        let mut fetching = Fetching::new(MIB);
        let mut tried = async |seconds: u64| {
            let relief = fetching.run(&[4000], Duration::from_secs(seconds)).await;
            if let Some(Relief::Anew(start, _)) = relief {
                fetching.grips.lock().take_from(start);
                let (ticket, _) = fetching.grips.lock().held[&start];
                let taken = fetching.layout.hand_over(start, ticket).expect("it has it");
                fetching.held = vec![fetching.grips.hold(taken)];
            }
            relief.is_some()
        };
        assert!(!tried(30).await);
        assert!(tried(2).await);
        assert!(!tried(60).await);
        assert!(tried(2).await);
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
