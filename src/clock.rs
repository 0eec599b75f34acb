//! Wall time, and the one form in which it is stored and shown.
//!
//! Stored times are UTC milliseconds since 1970 (columns and fields named `_at`); shown
//! times are RFC 3339 with a `Z`. Time-outs never come from here: they use the monotonic
//! `tokio::time::Instant`, because the wall clock jumps.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};

/// What the wall clock of one thread shows in a simulation, whose time is a part of its seed.
#[derive(Debug, Clone, Copy)]
enum Simulated {
    /// Always this.
    Held(i64),
    /// This at that moment of tokio's clock, and on with it.
    Following(i64, tokio::time::Instant),
}

thread_local! {
    static SIMULATED: Cell<Option<Simulated>> = const { Cell::new(None) };
}

/// Holds the wall clock of this thread at `ms`; `None` lets it go. For simulations.
pub fn hold(ms: Option<i64>) {
    SIMULATED.set(ms.map(Simulated::Held));
}

/// The wall clock of this thread was at `ms` at the moment `at` of tokio's clock, and goes with
/// that, until it is [held](hold) or let go. For simulations, whose clock leaps.
pub fn follow(ms: i64, at: tokio::time::Instant) {
    SIMULATED.set(Some(Simulated::Following(ms, at)));
}

/// The wall clock in UTC milliseconds. A clock set before 1970 gives a negative number.
pub fn now_ms() -> i64 {
    let whole = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    match SIMULATED.get() {
        Some(Simulated::Held(ms)) => return ms,
        Some(Simulated::Following(ms, at)) => return ms.saturating_add(whole(at.elapsed())),
        None => {}
    }
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

/// Notices when the wall clock is set back.
#[derive(Debug)]
pub struct BackwardLeaps {
    at: Instant,
    wall_ms: i64,
}

impl BackwardLeaps {
    /// A clock that differs by less is merely being corrected: what waits for it is not far off.
    const SLACK_MS: i64 = 60_000;

    /// Looks from now on.
    pub fn watch() -> Self {
        Self {
            at: Instant::now(),
            wall_ms: now_ms(),
        }
    }

    /// Whether the wall clock went back by more than a minute since the last call.
    pub fn leapt(&mut self) -> bool {
        let now = Self::watch();
        let steady_ms = i64::try_from((now.at - self.at).as_millis()).unwrap_or(i64::MAX);
        let lost_ms = self.wall_ms.saturating_add(steady_ms) - now.wall_ms;
        *self = now;
        lost_ms > Self::SLACK_MS
    }
}

/// The time zone of this machine; UTC when it has none that is known.
pub fn time_zone() -> chrono_tz::Tz {
    let name = iana_time_zone::get_timezone().unwrap_or_default();
    name.parse().unwrap_or(chrono_tz::UTC)
}

/// RFC 3339 in UTC with milliseconds: `2024-01-15T10:30:00.000Z`.
///
/// The width is fixed within the years 0 to 9999, so the texts sort as the times do.
/// Times beyond what a calendar can hold are shown as its first or last moment.
pub fn rfc3339(ms: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or(if ms < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    });
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads an RFC 3339 time with any offset as UTC milliseconds; fractions beyond are cut off.
///
/// # Errors
/// A sentence that names the text when it is no such time.
pub fn parse_rfc3339(text: &str) -> Result<i64, String> {
    DateTime::parse_from_rfc3339(text.trim())
        .map(|time| time.timestamp_millis())
        .map_err(|_| {
            format!(
                "\"{}\" is not a time such as 2024-01-15T10:30:00Z",
                crate::model::repo::shown(text)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_and_read_back() {
        assert_eq!(rfc3339(1_705_314_600_000), "2024-01-15T10:30:00.000Z");
        assert_eq!(rfc3339(1_705_314_600_007), "2024-01-15T10:30:00.007Z");
        for text in [
            "2024-01-15T10:30:00Z",
            "2024-01-15T11:30:00+01:00",
            "2024-01-15T10:30:00.0004Z",
        ] {
            assert_eq!(parse_rfc3339(text), Ok(1_705_314_600_000), "{text}");
        }
        for bad in ["", "yesterday", "2024-01-15", "2024-01-15T25:00:00Z"] {
            assert!(parse_rfc3339(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_clock_that_is_held_stands_still_on_its_thread_alone() {
        hold(Some(7));
        assert_eq!(now_ms(), 7);
        assert!(std::thread::spawn(now_ms).join().unwrap() > 7);
        hold(None);
        assert!(now_ms() > 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_follows_leaps_with_the_time_of_the_runtime() {
        follow(7, tokio::time::Instant::now());
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
        assert_eq!(now_ms(), 3_600_007);
        hold(None);
        assert!(now_ms() > 3_600_007);
    }

    #[test]
    fn a_clock_that_is_set_back_is_noticed_once_and_one_that_is_set_forward_is_not() {
        let mut leaps = BackwardLeaps::watch();
        for (hours, leapt) in [(1, false), (1, false), (-2, true), (-2, false)] {
            let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            hold(Some(here.as_millis() as i64 + hours * 3_600_000));
            assert_eq!(leaps.leapt(), leapt, "{hours}");
        }
        hold(None);
    }

    #[test]
    fn a_time_outside_the_calendar_is_shown_and_never_panics() {
        for ms in [i64::MIN, -1, 0, i64::MAX] {
            assert!(rfc3339(ms).ends_with('Z'), "{ms}");
        }
    }

    #[test]
    fn the_clock_counts_milliseconds_since_1970() {
        // Between 2024 and 2100: seconds or microseconds would fall outside.
        assert!((1_704_067_200_000..4_102_444_800_000).contains(&now_ms()));
    }
}
