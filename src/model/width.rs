//! How many connections are worth having: a number that follows what more of them bring.
//!
//! It begins with [`START`], or where answers come from afar with [`START_AFAR`], doubles while that
//! gains, goes back when it does not, and now and then asks whether fewer would do as well. It never
//! leaves the cap. What counts is work: bytes, with [`ANSWER_WORK_BYTES`] for each answer, so that
//! thousands of small files count too.
//!
//! No clock and no tasks in here: whoever looks says what time it is.

use std::fmt;

/// Connections that a transfer begins with when the cap has room. On a near and fast line a few
/// bring all there is, and many cost: 16 took a sixth more CPU and a quarter more time than 4 for one
/// file of 2 GiB over loopback, on two cores.
pub const START: usize = 4;
/// The same when an answer takes 10 ms: there each connection waits most of the time. It is what
/// `curl --parallel` and `aria2c -x` users give.
pub const START_AFAR: usize = 16;
/// Time to the head of an answer from which on a source is far away, milliseconds: more than any
/// server in the same house or town takes.
const AFAR_MS: u64 = 10;
/// Fewer are not tried: with so few, one slow connection would be most of the transfer.
const LEAST: usize = 4;
/// What an answer counts besides its bytes: a small file costs a round trip, not bandwidth.
pub const ANSWER_WORK_BYTES: u64 = 128 << 10;
/// More connections are kept when they bring so much more; doubling them could bring twice as much.
const GAIN: f64 = 1.15;
/// Fewer are kept when they bring at least this share.
const ENOUGH: f64 = 0.97;
/// A rate below this share of the held one means that the world has changed.
const FALLEN: f64 = 0.6;
/// Shortest time over which work is measured, and that a change is given to show, milliseconds.
const WINDOW_MS: u64 = 200;
/// First time until the next trial, and the longest, milliseconds: each trial that brings nothing
/// doubles it.
const HOLD_MS: u64 = 10_000;
const HOLD_MAX_MS: u64 = 160_000;
/// Without work for so long, the next transfer begins anew, milliseconds.
const IDLE_MS: u64 = 1_000;

/// One look at the transfer.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Milliseconds since any fixed moment.
    pub at_ms: u64,
    /// All work done so far: bytes, and [`ANSWER_WORK_BYTES`] for each answer.
    pub work: u64,
    /// Connections at work.
    pub in_use: usize,
    /// From a request to the head of its answer, milliseconds.
    pub latency_ms: u64,
    /// Whether a speed limit of the user is in force: then it is not the connections that count.
    pub limited: bool,
}

/// Why the number is what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// Nothing was measured yet.
    Beginning,
    /// The cap allows no more, and fewer were not tried yet.
    AtCap,
    /// There is not enough work for more.
    Enough,
    /// The speed limit is what counts.
    SpeedLimit,
    /// It brought this much more than the number before it, in per cent.
    Gained(usize, i64),
    /// The number tried brought only this much more, in per cent.
    NoGain(usize, i64),
    /// As much came as with the number before it.
    FewerDo(usize),
    /// With the number tried, this much less came, in per cent.
    FewerBringLess(usize, i64),
}

/// The number, and how it came about.
#[derive(Debug)]
pub struct Width {
    cap: usize,
    current: usize,
    reason: Reason,
    stage: Stage,
    window: Option<Window>,
    /// A change is not judged before this moment.
    settled_at_ms: u64,
    hold_ms: u64,
    next_is_up: bool,
    /// When work was last seen, and how much there was then.
    worked: (u64, u64),
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Measure,
    Trial { before: usize, rate: f64 },
    Hold { rate: f64, until_ms: u64 },
}

#[derive(Debug, Clone, Copy)]
struct Window {
    at_ms: u64,
    work: u64,
    peak: usize,
}

impl Width {
    /// At most `cap` connections, at least one.
    pub fn new(cap: usize) -> Self {
        let cap = cap.max(1);
        Self {
            cap,
            current: START.min(cap),
            reason: Reason::Beginning,
            stage: Stage::Measure,
            window: None,
            settled_at_ms: 0,
            hold_ms: HOLD_MS,
            next_is_up: true,
            worked: (0, 0),
        }
    }

    /// Connections that may work now.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Changes the cap; what is measured begins anew.
    pub fn set_cap(&mut self, cap: usize) {
        if cap.max(1) != self.cap {
            let worked = self.worked;
            *self = Self {
                worked,
                ..Self::new(cap)
            };
        }
    }

    /// An answer of the source took `latency_ms`: one from afar makes for another beginning, as long
    /// as nothing was measured yet.
    pub fn answered_in(&mut self, latency_ms: u64) {
        if self.reason == Reason::Beginning && latency_ms >= AFAR_MS && self.current < START_AFAR {
            self.current = START_AFAR.min(self.cap);
            self.window = None;
        }
    }

    /// Looks at the transfer, a few times in each window of 200 ms.
    pub fn look(&mut self, look: Look) {
        if look.work != self.worked.1 || look.in_use > 0 && self.worked.0 == 0 {
            self.worked = (look.at_ms, look.work);
        } else if look.in_use == 0 && look.at_ms.saturating_sub(self.worked.0) >= IDLE_MS {
            let worked = (look.at_ms, look.work);
            *self = Self {
                worked,
                ..Self::new(self.cap)
            };
            return;
        }
        if look.in_use > 0 {
            self.answered_in(look.latency_ms);
        }
        let room = WINDOW_MS.max(2 * look.latency_ms);
        // Connections that are one too many leave when their request ends.
        if look.at_ms < self.settled_at_ms || look.in_use > self.current {
            self.window = None;
            return;
        }
        let window = self.window.get_or_insert(Window {
            at_ms: look.at_ms,
            work: look.work,
            peak: 0,
        });
        window.peak = window.peak.max(look.in_use);
        let Window { at_ms, work, peak } = *window;
        let took_ms = look.at_ms - at_ms;
        if took_ms < room {
            return;
        }
        self.window = None;
        let rate = (look.work - work) as f64 / took_ms as f64;
        self.judge(rate, peak >= self.current, &look);
    }

    fn judge(&mut self, rate: f64, full: bool, look: &Look) {
        match self.stage {
            Stage::Measure if look.limited => self.reason = Reason::SpeedLimit,
            Stage::Measure if !full => self.reason = Reason::Enough,
            Stage::Measure => {
                if self.current < self.cap {
                    self.try_width(self.current * 2, rate, look);
                } else {
                    self.reason = Reason::AtCap;
                    self.hold(rate, look);
                }
            }
            Stage::Trial { before, rate: old } => self.settle_trial(before, old, rate, full, look),
            Stage::Hold { .. } if look.limited || !full => {}
            Stage::Hold { rate: held, .. } if rate < held * FALLEN => {
                self.hold_ms = HOLD_MS;
                self.stage = Stage::Measure;
            }
            Stage::Hold { until_ms, .. } if look.at_ms >= until_ms => {
                let up = (self.next_is_up || self.current <= LEAST) && self.current < self.cap;
                if up {
                    self.try_width(self.current * 2, rate, look);
                } else if self.current > LEAST {
                    self.try_width(self.current * 2 / 3, rate, look);
                } else {
                    self.hold(rate, look);
                }
            }
            Stage::Hold { .. } => {}
        }
    }

    fn settle_trial(&mut self, before: usize, old: f64, rate: f64, full: bool, look: &Look) {
        let tried = self.current;
        let gained = rate / old.max(f64::MIN_POSITIVE);
        let per_cent = |share: f64| ((share - 1.0) * 100.0).round().clamp(-100.0, 9999.0) as i64;
        if tried > before {
            if full && gained >= GAIN {
                self.reason = Reason::Gained(before, per_cent(gained));
                self.hold_ms = HOLD_MS;
                self.stage = Stage::Measure;
                if tried < self.cap {
                    self.try_width(tried * 2, rate, look);
                } else {
                    self.hold(rate, look);
                }
                return;
            }
            self.reason = if full {
                Reason::NoGain(tried, per_cent(gained))
            } else {
                Reason::Enough
            };
        } else if gained >= ENOUGH {
            self.reason = Reason::FewerDo(before);
            self.hold(rate, look);
            return;
        } else {
            self.reason = Reason::FewerBringLess(tried, -per_cent(gained));
        }
        self.next_is_up = tried < before;
        self.change(before, look);
        self.hold(old, look);
        self.hold_ms = (self.hold_ms * 2).min(HOLD_MAX_MS);
    }

    fn try_width(&mut self, wanted: usize, rate: f64, look: &Look) {
        self.stage = Stage::Trial {
            before: self.current,
            rate,
        };
        self.change(wanted.clamp(LEAST.min(self.cap), self.cap), look);
    }

    fn change(&mut self, wanted: usize, look: &Look) {
        self.current = wanted;
        // New connections need round trips before they show what they bring.
        self.settled_at_ms = look.at_ms + (WINDOW_MS / 2).max(4 * look.latency_ms);
        self.window = None;
    }

    fn hold(&mut self, rate: f64, look: &Look) {
        self.stage = Stage::Hold {
            rate,
            until_ms: look.at_ms + self.hold_ms,
        };
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.current;
        match self.reason {
            Reason::Beginning => write!(f, "Begins with up to {now} connections"),
            Reason::AtCap => write!(f, "Up to {now} connections: the limit allows no more"),
            Reason::Enough => write!(f, "Up to {now} connections: there is no work for more"),
            Reason::SpeedLimit => write!(f, "Up to {now} connections: the speed limit is what counts"),
            Reason::Gained(before, gain) => {
                write!(
                    f,
                    "Up to {now} connections: they bring {gain} % more than {before}"
                )
            }
            Reason::NoGain(tried, gain) if gain > 0 => {
                write!(f, "Up to {now} connections: {tried} brought only {gain} % more")
            }
            Reason::NoGain(tried, _) => write!(f, "Up to {now} connections: {tried} brought no more"),
            Reason::FewerDo(before) => {
                write!(f, "Up to {now} connections: they bring as much as {before}")
            }
            Reason::FewerBringLess(tried, loss) => {
                write!(f, "Up to {now} connections: {tried} brought {loss} % less")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets `width` look every 50 ms for `seconds` at a source that gives `rate(connections)`
    /// bytes a second.
    struct Source {
        width: Width,
        at_ms: u64,
        work: u64,
        demand: usize,
        latency_ms: u64,
    }

    impl Source {
        fn new(cap: usize) -> Self {
            Self {
                width: Width::new(cap),
                at_ms: 1,
                work: 0,
                demand: usize::MAX,
                latency_ms: 20,
            }
        }

        fn run(&mut self, seconds: u64, rate: impl Fn(usize) -> u64) -> Vec<usize> {
            let mut widths = Vec::new();
            for _ in 0..seconds * 20 {
                let in_use = self.width.current().min(self.demand);
                self.at_ms += 50;
                self.work += if in_use == 0 { 0 } else { rate(in_use) / 20 };
                self.width.look(Look {
                    at_ms: self.at_ms,
                    work: self.work,
                    in_use,
                    latency_ms: self.latency_ms,
                    limited: false,
                });
                widths.push(self.width.current());
            }
            widths
        }
    }

    #[test]
    fn it_grows_to_the_cap_while_every_connection_brings_its_own_share() {
        let mut source = Source::new(64);
        let widths = source.run(2, |connections| connections as u64 * 20_000_000);
        assert_eq!(source.width.current(), 64);
        assert_eq!(source.width.reason(), Reason::Gained(32, 100));
        assert!(widths.iter().all(|width| (START_AFAR..=64).contains(width)));
    }

    #[test]
    fn it_falls_back_when_more_bring_nothing_and_says_so() {
        let mut source = Source::new(64);
        let widths = source.run(5, |_| 100_000_000);
        assert_eq!(source.width.current(), START_AFAR);
        assert_eq!(source.width.reason(), Reason::NoGain(32, 0));
        assert!(source.width.to_string().contains("32 brought no more"));
        let tried = widths.iter().filter(|width| **width > START_AFAR).count();
        assert!((1..20).contains(&tried), "one short trial, not {tried} looks");
    }

    #[test]
    fn fewer_are_kept_when_they_do_as_well_and_never_below_the_least() {
        let mut source = Source::new(16);
        source.run(1_000, |_| 10_000_000);
        assert_eq!(source.width.current(), LEAST);
        assert_eq!(Source::new(2).run(1_000, |_| 10_000_000).last(), Some(&2));
    }

    #[test]
    fn it_comes_back_when_fewer_bring_less() {
        let mut source = Source::new(16);
        let widths = source.run(60, |connections| connections as u64 * 1_000_000);
        assert_eq!(source.width.current(), 16);
        assert!(
            matches!(source.width.reason(), Reason::FewerBringLess(10, loss) if (30..45).contains(&loss))
        );
        let low = widths.iter().filter(|width| **width < 16).count();
        assert!(low < widths.len() / 20, "{low} of {}", widths.len());
    }

    #[test]
    fn it_grows_again_when_the_way_becomes_wider() {
        let mut source = Source::new(64);
        source.run(5, |_| 100_000_000);
        assert_eq!(source.width.current(), START_AFAR);
        source.run(60, |connections| connections as u64 * 20_000_000);
        assert_eq!(source.width.current(), 64);
    }

    #[test]
    fn it_stays_where_it_is_without_work_for_more_and_begins_anew_after_a_pause() {
        let mut source = Source::new(64);
        source.demand = 3;
        source.run(5, |_| 1_000_000);
        assert_eq!(
            (source.width.current(), source.width.reason()),
            (START_AFAR, Reason::Enough)
        );
        source.demand = usize::MAX;
        source.run(3, |connections| connections as u64 * 1_000_000);
        assert_eq!(source.width.current(), 64);
        source.demand = 0;
        source.run(3, |_| 0);
        assert_eq!(
            (source.width.current(), source.width.reason()),
            (START, Reason::Beginning)
        );
    }

    #[test]
    fn a_near_source_begins_with_few_and_gets_more_only_when_they_gain() {
        let mut source = Source::new(64);
        source.latency_ms = 1;
        let widths = source.run(5, |_| 100_000_000);
        assert_eq!(widths.first(), Some(&START));
        assert_eq!(source.width.reason(), Reason::NoGain(2 * START, 0));
        let mut source = Source::new(16);
        source.latency_ms = 1;
        let widths = source.run(5, |connections| connections as u64 * 20_000_000);
        assert_eq!(source.width.current(), 16);
        let narrow = widths.iter().filter(|width| **width < 16).count();
        assert!(narrow <= 16, "{} ms until all connections work", narrow * 50);
    }

    #[test]
    fn a_lower_cap_acts_at_once() {
        let mut source = Source::new(64);
        source.run(3, |connections| connections as u64 * 1_000_000);
        source.width.set_cap(2);
        assert_eq!(source.width.current(), 2);
        source.run(30, |connections| connections as u64 * 1_000_000);
        assert_eq!(source.width.current(), 2);
    }
}
