//! Limits by the clock: a normal and a slow pair, which of them holds now, and pauses of everything.
//!
//! A week has 168 cells, one for each hour of the local clock of a time zone. An hour that the
//! clock skips in spring has no effect, an hour that comes twice in autumn holds twice.

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::repo::shown;
use super::state::words;

words! {
    /// Which pair is used.
    LimitMode {
        /// Always the normal pair.
        Normal = "normal",
        /// Always the slow pair.
        Slow = "slow",
        /// As the week says.
        Schedule = "schedule",
    }
}

words! {
    /// What holds at a moment.
    Active {
        /// The normal pair.
        Normal = "normal",
        /// The slow pair.
        Slow = "slow",
        /// Nothing runs.
        Paused = "paused",
    }
}

words! {
    /// Why it holds.
    ActiveReason {
        /// The mode names the pair.
        Mode = "mode",
        /// The cell of this hour.
        Schedule = "schedule",
        /// Everything is paused for a time or until further notice.
        PausedUntil = "paused_until",
    }
}

/// Hours of a day, and with seven days the cells of a week.
const HOURS: usize = 24;
/// Offsets of all time zones in use are multiples of this (IANA: the last other one was Liberia's,
/// until 1972), so that every hour of every local clock begins at one.
const GRAIN_S: i64 = 15 * 60;
/// A week and a day: behind the longest state that a week can hold, shifted by a change of clocks.
const HORIZON_S: i64 = 8 * 24 * 3600;

/// The week: seven texts of 24 letters, Monday first; `n` normal, `s` slow, `p` paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Week([[Active; HOURS]; 7]);

impl Default for Week {
    fn default() -> Self {
        Self([[Active::Normal; HOURS]; 7])
    }
}

impl TryFrom<Vec<String>> for Week {
    type Error = String;

    fn try_from(rows: Vec<String>) -> Result<Self, String> {
        let mut week = Self::default();
        if rows.len() != week.0.len() {
            return Err(format!("the week has 7 days, not {}", rows.len()));
        }
        for (day, row) in week.0.iter_mut().zip(&rows) {
            if row.chars().count() != HOURS {
                return Err(format!("a day has 24 letters, not \"{}\"", shown(row)));
            }
            for (cell, letter) in day.iter_mut().zip(row.chars()) {
                *cell = match letter {
                    'n' => Active::Normal,
                    's' => Active::Slow,
                    'p' => Active::Paused,
                    _ => {
                        return Err(format!(
                            "an hour is n, s or p, not \"{}\"",
                            shown(&letter.to_string())
                        ));
                    }
                };
            }
        }
        Ok(week)
    }
}

impl From<Week> for Vec<String> {
    fn from(week: Week) -> Self {
        let letter = |cell: &Active| match cell {
            Active::Normal => 'n',
            Active::Slow => 's',
            Active::Paused => 'p',
        };
        week.0
            .iter()
            .map(|day| day.iter().map(letter).collect())
            .collect()
    }
}

/// How fast, over how many connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// Bytes a second as the user wrote it; empty = no limit.
    pub max_speed: String,
    /// Connections of all jobs together; 1–256.
    pub max_connections: u32,
}

/// The end of a pause of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PausedUntil {
    /// UTC milliseconds.
    At(i64),
    /// Until somebody ends it.
    Forever,
}

/// Everything but the normal pair, which the settings hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Which pair is used.
    pub mode: LimitMode,
    /// The pair for when others need the line.
    pub slow: Pair,
    /// IANA name of the time zone of the week.
    pub time_zone: Tz,
    /// The week.
    pub week: Week,
    /// Everything is paused until then.
    pub paused_until: Option<PausedUntil>,
}

/// What holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds {
    /// Which pair, or none.
    pub active: Active,
    /// Why.
    pub reason: ActiveReason,
}

impl Limits {
    /// Nothing set: the normal pair always; the slow pair is 1 MiB/s over 4 connections.
    pub fn new(time_zone: Tz) -> Self {
        Self {
            mode: LimitMode::Normal,
            slow: Pair {
                max_speed: "1MiB".to_owned(),
                max_connections: 4,
            },
            time_zone,
            week: Week::default(),
            paused_until: None,
        }
    }

    /// What holds at `now_ms`, UTC milliseconds.
    pub fn at(&self, now_ms: i64) -> Holds {
        let paused = match self.paused_until {
            Some(PausedUntil::Forever) => true,
            Some(PausedUntil::At(end)) => now_ms < end,
            None => false,
        };
        let (active, reason) = match self.mode {
            _ if paused => (Active::Paused, ActiveReason::PausedUntil),
            LimitMode::Normal => (Active::Normal, ActiveReason::Mode),
            LimitMode::Slow => (Active::Slow, ActiveReason::Mode),
            LimitMode::Schedule => (self.cell(now_ms), ActiveReason::Schedule),
        };
        Holds { active, reason }
    }

    /// When something else holds, UTC milliseconds; `None` when nothing is going to change.
    pub fn until(&self, now_ms: i64) -> Option<i64> {
        let now = self.at(now_ms);
        match (now.reason, self.paused_until) {
            (ActiveReason::PausedUntil, Some(PausedUntil::At(end))) => return Some(end),
            (ActiveReason::PausedUntil, _) | (ActiveReason::Mode, _) => return None,
            (ActiveReason::Schedule, _) => {}
        }
        let first = now_ms.div_euclid(1000 * GRAIN_S) + 1;
        (first..first + HORIZON_S / GRAIN_S)
            .map(|grain| grain * GRAIN_S * 1000)
            .find(|&at| self.cell(at) != now.active)
    }

    fn cell(&self, now_ms: i64) -> Active {
        let now = DateTime::<Utc>::from_timestamp_millis(now_ms).unwrap_or_default();
        let local = now.with_timezone(&self.time_zone);
        let day = local.weekday().num_days_from_monday() as usize;
        self.week.0[day][local.hour() as usize % HOURS]
    }
}

/// A time zone by its IANA name.
///
/// # Errors
/// A sentence with the name.
pub fn time_zone(name: &str) -> Result<Tz, String> {
    name.trim().parse().map_err(|_| {
        format!(
            "\"{}\" is not a time zone such as Europe/Berlin or UTC",
            shown(name)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn berlin(rows: [&str; 7]) -> Limits {
        Limits {
            mode: LimitMode::Schedule,
            week: Week::try_from(rows.map(str::to_owned).to_vec()).unwrap(),
            ..Limits::new(chrono_tz::Europe::Berlin)
        }
    }

    const N: &str = "nnnnnnnnnnnnnnnnnnnnnnnn";

    #[test]
    fn a_week_is_seven_days_of_24_letters() {
        let week = Week::try_from(vec!["nnnnnnnnssssssssppppppppp"[..24].to_owned(); 7]).unwrap();
        let rows: Vec<String> = week.into();
        assert_eq!(rows[6], "nnnnnnnnsssssssspppppppp");
        for bad in [
            vec![N.to_owned(); 6],
            vec!["n".to_owned(); 7],
            vec![N.replace('n', "x"); 7],
        ] {
            assert!(Week::try_from(bad).is_err());
        }
    }

    #[test]
    fn the_hour_of_the_local_clock_decides() {
        // Monday 08:00–18:00 slow.
        let limits = berlin(["nnnnnnnnssssssssssnnnnnn", N, N, N, N, N, N]);
        for (time, active, until) in [
            ("2026-11-23T06:59:59Z", Active::Normal, "2026-11-23T07:00:00Z"),
            ("2026-11-23T07:00:00Z", Active::Slow, "2026-11-23T17:00:00Z"),
            ("2026-11-23T17:00:00Z", Active::Normal, "2026-11-30T07:00:00Z"),
            // Summer time: an hour earlier in UTC.
            ("2026-07-06T06:00:00Z", Active::Slow, "2026-07-06T16:00:00Z"),
        ] {
            assert_eq!(limits.at(ms(time)).active, active, "{time}");
            assert_eq!(limits.until(ms(time)), Some(ms(until)), "{time}");
        }
    }

    #[test]
    fn a_skipped_hour_has_no_effect_and_a_repeated_one_holds_twice() {
        // Sunday 02:00–03:00 paused.
        let limits = berlin([N, N, N, N, N, N, "nnpnnnnnnnnnnnnnnnnnnnnn"]);
        // 2026-03-29: the clock goes from 02:00 to 03:00 at 01:00 UTC.
        for time in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"] {
            assert_eq!(limits.at(ms(time)).active, Active::Normal, "{time}");
            assert_eq!(limits.until(ms(time)), Some(ms("2026-04-05T00:00:00Z")), "{time}");
        }
        // 2026-10-25: from 03:00 back to 02:00 at 01:00 UTC, so 02:00 begins at 00:00 and 01:00 UTC.
        assert_eq!(limits.at(ms("2026-10-24T23:59:59Z")).active, Active::Normal);
        for time in ["2026-10-25T00:00:00Z", "2026-10-25T01:30:00Z"] {
            assert_eq!(limits.at(ms(time)).active, Active::Paused, "{time}");
            assert_eq!(limits.until(ms(time)), Some(ms("2026-10-25T02:00:00Z")), "{time}");
        }
    }

    #[test]
    fn hours_begin_where_the_zone_has_them() {
        let mut limits = berlin(["nnnnnnnnnnnnpnnnnnnnnnnn", N, N, N, N, N, N]);
        limits.time_zone = chrono_tz::Asia::Kathmandu;
        assert_eq!(
            limits.until(ms("2026-11-23T06:00:00Z")),
            Some(ms("2026-11-23T06:15:00Z"))
        );
    }

    #[test]
    fn a_pause_of_everything_beats_the_mode_and_ends_by_itself() {
        let mut limits = Limits::new(chrono_tz::UTC);
        assert_eq!(limits.until(0), None);
        limits.paused_until = Some(PausedUntil::At(1000));
        assert_eq!(limits.at(999).active, Active::Paused);
        assert_eq!(limits.until(999), Some(1000));
        assert_eq!(limits.at(1000).reason, ActiveReason::Mode);
        limits.paused_until = Some(PausedUntil::Forever);
        assert_eq!(
            (limits.at(i64::MAX).active, limits.until(0)),
            (Active::Paused, None)
        );
    }

    #[test]
    fn a_zone_is_known_by_its_name() {
        assert_eq!(time_zone("Europe/Berlin"), Ok(chrono_tz::Europe::Berlin));
        assert!(time_zone("Berlin").unwrap_err().contains("Berlin"));
    }

    #[test]
    fn limits_survive_being_stored() {
        let limits = Limits {
            paused_until: Some(PausedUntil::At(5)),
            ..berlin([N, N, N, "ssssssssssssssssssssssss", N, N, N])
        };
        let text = serde_json::to_string(&limits).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
    }
}
