//! When a mirror target gets its copies by itself: a time of day on some days of the week.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::job::Verify;
use super::repo::shown;

/// Days of the week as the API writes them, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Longest step of a clock: the zones that crossed the date line skipped a whole day.
const SKIP_MAX_MINUTES: i64 = 24 * 60;
/// Offsets of all time zones in use are multiples of this, and so are the steps of their clocks.
const GRAIN_MINUTES: usize = 15;

/// A time of day on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Minute of the day on the clock of `time_zone`, 0–1439.
    minute: u16,
    /// For each day, Monday first, whether there is a run; at least one.
    days: [bool; 7],
    /// IANA name of the zone.
    time_zone: Tz,
    /// What the runs compare.
    verify: Verify,
}

impl Schedule {
    /// Checks a schedule as it is written: `02:30`, days such as `mon` (none means every day).
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn new(at: &str, days: &[String], time_zone: Tz, verify: Verify) -> Result<Self, String> {
        let wrong = || format!("\"{}\" is not a time of day such as 02:30", shown(at));
        let (hour, minute) = at.trim().split_once(':').ok_or_else(wrong)?;
        let part = |text: &str, most: u16| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number: u16 = text.parse().ok()?;
            (digits && number < most).then_some(number)
        };
        let (Some(hour), Some(minute)) = (part(hour, 24), part(minute, 60)) else {
            return Err(wrong());
        };
        let mut chosen = [days.is_empty(); 7];
        for day in days {
            let name = day.trim().to_ascii_lowercase();
            let place = DAYS.iter().position(|known| *known == name);
            let place =
                place.ok_or_else(|| format!("\"{}\" is not one of {}", shown(day), DAYS.join(", ")))?;
            chosen[place] = true;
        }
        Ok(Self {
            minute: hour * 60 + minute,
            days: chosen,
            time_zone,
            verify,
        })
    }

    /// The time of day, `02:30`.
    pub fn at(&self) -> String {
        format!("{:02}:{:02}", self.minute / 60, self.minute % 60)
    }

    /// The days, Monday first.
    pub fn days(&self) -> Vec<&'static str> {
        let chosen = DAYS.iter().zip(self.days).filter(|(_, chosen)| *chosen);
        chosen.map(|(day, _)| *day).collect()
    }

    /// IANA name of the zone whose clock counts.
    pub fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// What the runs compare.
    pub fn verify(&self) -> Verify {
        self.verify
    }

    /// The first time after `now_ms`, both UTC milliseconds. A time of day that the clock skips in
    /// spring comes when the clock goes on; one that comes twice in autumn counts once.
    pub fn next_after(&self, now_ms: i64) -> Option<i64> {
        let now = DateTime::<Utc>::from_timestamp_millis(now_ms)?;
        let today = now.with_timezone(&self.time_zone).date_naive();
        // A day more than a week: today's time may have gone by. One before, for a clock that
        // skipped over midnight.
        (-1..=8)
            .filter_map(|offset| shifted(today, offset))
            .filter(|date| self.days[date.weekday().num_days_from_monday() as usize])
            .filter_map(|date| self.moment(date))
            .find(|at| *at > now_ms)
    }

    /// The moment on a date, UTC milliseconds.
    fn moment(&self, date: NaiveDate) -> Option<i64> {
        let minute = u32::from(self.minute);
        let time = date.and_time(NaiveTime::from_hms_opt(minute / 60, minute % 60, 0)?);
        let on_the_clock = |later: i64| {
            let time = time.checked_add_signed(TimeDelta::minutes(later))?;
            self.time_zone.from_local_datetime(&time).earliest()
        };
        (0..=SKIP_MAX_MINUTES)
            .step_by(GRAIN_MINUTES)
            .find_map(on_the_clock)
            .map(|at| at.timestamp_millis())
    }
}

fn shifted(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    if days < 0 {
        date.checked_sub_days(count)
    } else {
        date.checked_add_days(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn schedule(at: &str, days: &[&str], zone: Tz) -> Schedule {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        Schedule::new(at, &days, zone, Verify::Size).unwrap()
    }

    #[test]
    fn a_schedule_is_read_as_it_is_shown() {
        let made = schedule("02:30", &["SUN", "mon"], chrono_tz::Europe::Berlin);
        assert_eq!((made.at(), made.days()), ("02:30".to_owned(), vec!["mon", "sun"]));
        assert_eq!(schedule("23:59", &[], chrono_tz::UTC).days(), DAYS);
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), made);
        for (at, days) in [
            ("2:30", vec![]),
            ("24:00", vec![]),
            ("02:60", vec![]),
            ("+2:30", vec![]),
            ("0230", vec![]),
            ("02:30", vec!["monday".to_owned()]),
        ] {
            assert!(
                Schedule::new(at, &days, chrono_tz::UTC, Verify::Size).is_err(),
                "{at} {days:?}"
            );
        }
    }

    #[test]
    fn the_next_time_is_that_of_the_local_clock_on_a_chosen_day() {
        let berlin = chrono_tz::Europe::Berlin;
        for (at, days, now, next) in [
            ("02:00", &[][..], "2026-11-23T00:59:59Z", "2026-11-23T01:00:00Z"),
            // The very moment is over.
            ("02:00", &[], "2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z"),
            // 2026-11-23 is a Monday.
            ("02:00", &["mon"], "2026-11-23T01:00:00Z", "2026-11-30T01:00:00Z"),
            (
                "00:15",
                &["wed", "fri"],
                "2026-11-25T12:00:00Z",
                "2026-11-26T23:15:00Z",
            ),
            // Summer time: an hour earlier in UTC.
            ("02:00", &[], "2026-07-06T12:00:00Z", "2026-07-07T00:00:00Z"),
        ] {
            let found = schedule(at, days, berlin).next_after(ms(now));
            assert_eq!(found, Some(ms(next)), "{at} {days:?} {now}");
        }
    }

    #[test]
    fn a_skipped_time_comes_when_the_clock_goes_on_and_a_repeated_one_once() {
        let nightly = schedule("02:30", &[], chrono_tz::Europe::Berlin);
        // 2026-03-29: from 02:00 to 03:00 at 01:00 UTC.
        let spring = nightly.next_after(ms("2026-03-28T12:00:00Z"));
        assert_eq!(spring, Some(ms("2026-03-29T01:00:00Z")));
        assert_eq!(
            nightly.next_after(ms("2026-03-29T01:00:00Z")),
            Some(ms("2026-03-30T00:30:00Z"))
        );
        // 2026-10-25: from 03:00 back to 02:00 at 01:00 UTC, so 02:30 is at 00:30 and 01:30 UTC.
        assert_eq!(
            nightly.next_after(ms("2026-10-24T12:00:00Z")),
            Some(ms("2026-10-25T00:30:00Z"))
        );
        assert_eq!(
            nightly.next_after(ms("2026-10-25T00:30:00Z")),
            Some(ms("2026-10-26T01:30:00Z"))
        );
    }
}
