//! When to try again: the back-off policy for one operation.
//!
//! The class of the error decides (see [`Class`]); this is the only place that turns a
//! class into a pause. Nothing here sleeps.

use std::time::Duration;

use super::config::HubConfig;
use super::error::{Class, HubError};
use crate::model::state::WAIT_MAX;

/// Factor between two back-offs.
const GROWTH: f64 = 1.6;
/// Longest pause a server may ask for at once.
pub(super) const RETRY_AFTER_MAX: Duration = WAIT_MAX;
/// First pause after a 429 that names none.
pub(super) const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Largest random addition, so that parallel ranges do not come back together.
const JITTER_MS: u64 = 120;

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this pause.
    Again(Duration),
    /// The failure stands.
    GiveUp,
}

/// Back-off of one operation, such as one range of one file.
#[derive(Debug, Clone)]
pub struct Retry {
    retries: u32,
    first: Duration,
    longest: Duration,
    offline_longest: Duration,
    /// Failures that count, in a row without progress.
    failures: u32,
    /// Requests to wait in a row.
    waits: u32,
    /// Outages in a row.
    outages: u32,
}

impl Retry {
    /// A full budget.
    pub fn new(config: &HubConfig) -> Self {
        Self {
            retries: config.retries,
            first: config.backoff_initial,
            longest: config.backoff_max,
            offline_longest: config.offline_max,
            failures: 0,
            waits: 0,
            outages: 0,
        }
    }

    /// Decides about one failure. `progressed`: whether a byte beyond the highest offset yet
    /// reached came since the last call; it refills the budget.
    pub fn next(&mut self, error: &HubError, progressed: bool) -> Decision {
        if progressed {
            self.failures = 0;
            self.waits = 0;
            self.outages = 0;
        }
        let asked = error.retry_after.map(|wait| wait.min(RETRY_AFTER_MAX));
        let pause = match error.class {
            Class::Permanent | Class::NeedsUser | Class::Integrity => return Decision::GiveUp,
            Class::Wait => {
                self.waits += 1;
                asked.unwrap_or_else(|| grown(WAIT_FIRST, 2.0, self.waits - 1, RETRY_AFTER_MAX))
            }
            Class::Offline => {
                self.outages += 1;
                asked.unwrap_or_else(|| grown(self.first, 2.0, self.outages - 1, self.offline_longest))
            }
            Class::Transient | Class::Refresh => {
                if self.failures >= self.retries {
                    return Decision::GiveUp;
                }
                self.failures += 1;
                let own = grown(self.first, GROWTH, self.failures - 1, self.longest);
                asked.map_or(own, |wait| wait.max(own))
            }
        };
        Decision::Again(pause + Duration::from_millis(fastrand::u64(0..=JITTER_MS)))
    }
}

/// `first * factor^steps`, at most `longest`.
pub(super) fn grown(first: Duration, factor: f64, steps: u32, longest: Duration) -> Duration {
    let seconds = first.as_secs_f64() * factor.powi(steps.min(64) as i32);
    if seconds >= longest.as_secs_f64() {
        longest
    } else {
        Duration::from_secs_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code::Code;

    fn error(class: Class) -> HubError {
        HubError::new(class, Code::ServerError, "x")
    }

    fn pause(decision: Decision) -> Duration {
        match decision {
            Decision::Again(pause) => pause,
            Decision::GiveUp => panic!("gave up"),
        }
    }

    #[test]
    fn a_passing_fault_is_tried_four_times_with_a_growing_pause() {
        let mut retry = Retry::new(&HubConfig::default());
        for expected in [400, 640, 1024, 1638] {
            let ms = pause(retry.next(&error(Class::Transient), false)).as_millis() as u64;
            assert!(
                (expected..=expected + JITTER_MS).contains(&ms),
                "{ms} for {expected}"
            );
        }
        assert_eq!(retry.next(&error(Class::Transient), false), Decision::GiveUp);
    }

    #[test]
    fn progress_refills_the_budget() {
        let mut retry = Retry::new(&HubConfig::default());
        for _ in 0..100 {
            pause(retry.next(&error(Class::Transient), true));
        }
    }

    #[test]
    fn waiting_and_being_offline_never_use_the_budget_up() {
        for class in [Class::Wait, Class::Offline] {
            let mut retry = Retry::new(&HubConfig::default());
            let last = (0..50)
                .map(|_| pause(retry.next(&error(class), false)))
                .last()
                .unwrap();
            assert!(last > Duration::from_secs(60), "{class:?} ends at {last:?}");
            pause(retry.next(&error(Class::Transient), false));
        }
    }

    #[test]
    fn the_servers_wish_is_honoured_up_to_five_minutes() {
        let mut retry = Retry::new(&HubConfig::default());
        for (asked, least, most) in [(7, 7, 8), (300, 300, 301), (86_400, 300, 301), (0, 0, 1)] {
            let error = error(Class::Wait).after(Some(Duration::from_secs(asked)));
            let got = pause(retry.next(&error, false)).as_secs();
            assert!((least..=most).contains(&got), "{got} for {asked}");
        }
    }

    #[test]
    fn what_another_try_cannot_change_is_given_up_at_once() {
        for class in [Class::Permanent, Class::NeedsUser, Class::Integrity] {
            assert_eq!(
                Retry::new(&HubConfig::default()).next(&error(class), true),
                Decision::GiveUp
            );
        }
    }
}
