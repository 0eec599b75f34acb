//! What went wrong and was got over, as events: retries, stalls, answers that did not fit.
//!
//! The first of a kind becomes an event at once. Those that follow are counted and share one
//! event a while later; the while doubles each time, so that a night without network writes
//! some dozens of rows a job and not a row a second.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::{Class, HubError};
use crate::model::code::Code;
use crate::store::NewEvent;

/// Shortest and longest time between two events of one kind.
const SHARED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1800));
/// Kinds that are told apart in one run; whatever comes beyond them shares one.
const KINDS: usize = 64;

/// Something that went wrong and was got over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    event: &'static str,
    code: Option<&'static str>,
    host: Option<String>,
    wait_ms: Option<i64>,
    detail: String,
}

impl Trouble {
    /// A request that failed and is made again, after a pause when there is one.
    pub fn of(error: &HubError, pause: Option<Duration>) -> Self {
        let event = match (error.class, error.code) {
            (_, Code::Stalled) => "stalled",
            (Class::Refresh, _) => "resolved_again",
            (Class::Integrity, _) => "mismatched",
            (Class::Offline, _) => "went_offline",
            (Class::Wait, _) => "rate_limited",
            _ => "tried_again",
        };
        Self {
            event,
            code: Some(error.code.as_str()),
            host: error.host.clone(),
            wait_ms: pause.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
            detail: error.message.clone(),
        }
    }

    /// Something odd about the content or the disk.
    pub fn oddity(event: &'static str, detail: &str) -> Self {
        Self {
            event,
            code: None,
            host: None,
            wait_ms: None,
            detail: detail.to_owned(),
        }
    }
}

/// One kind of trouble: since when it is counted, and what the newest was.
struct Kind {
    told: Instant,
    gap: Duration,
    times: i64,
    newest: Trouble,
}

/// The troubles of one run.
#[derive(Default)]
pub struct Troubles {
    due: Vec<NewEvent>,
    kinds: HashMap<(&'static str, Option<&'static str>, Option<String>), Kind>,
    closed: bool,
}

impl Troubles {
    /// Something went wrong.
    pub fn add(&mut self, trouble: Trouble, now: Instant) {
        let key = (trouble.event, trouble.code, trouble.host.clone());
        let full = self.kinds.len() >= KINDS && !self.kinds.contains_key(&key);
        let key = if full { (trouble.event, None, None) } else { key };
        match self.kinds.get_mut(&key) {
            Some(kind) => {
                kind.times += 1;
                kind.newest = trouble;
            }
            None => {
                self.due.push(event(&trouble, 1));
                let kind = Kind {
                    told: now,
                    gap: SHARED.0,
                    times: 0,
                    newest: trouble,
                };
                self.kinds.insert(key, kind);
            }
        }
    }

    /// Nothing comes any more: what was counted is due.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The events to write now.
    pub fn take_due(&mut self, now: Instant) -> Vec<NewEvent> {
        for kind in self.kinds.values_mut() {
            if kind.times > 0 && (self.closed || now - kind.told >= kind.gap) {
                self.due.push(event(&kind.newest, kind.times));
                kind.told = now;
                kind.times = 0;
                kind.gap = (kind.gap * 2).min(SHARED.1);
            }
        }
        std::mem::take(&mut self.due)
    }
}

fn event(trouble: &Trouble, times: i64) -> NewEvent {
    NewEvent {
        event: trouble.event,
        level: "warn",
        code: trouble.code,
        host: trouble.host.clone(),
        wait_ms: trouble.wait_ms,
        times,
        detail: trouble.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(detail: &str) -> Trouble {
        Trouble::oddity("tried_again", detail)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_at_once_and_the_rest_is_counted() {
        let mut troubles = Troubles::default();
        let start = Instant::now();
        troubles.add(trouble("1"), start);
        let told = troubles.take_due(start);
        assert_eq!((told.len(), told[0].times, told[0].detail.as_str()), (1, 1, "1"));
        for n in 2..=5 {
            troubles.add(trouble(&n.to_string()), start);
        }
        assert!(troubles.take_due(start + SHARED.0 / 2).is_empty());
        let told = troubles.take_due(start + SHARED.0);
        assert_eq!((told.len(), told[0].times, told[0].detail.as_str()), (1, 4, "5"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_night_of_failures_writes_few_rows_and_loses_no_count() {
        let mut troubles = Troubles::default();
        let start = Instant::now();
        let (mut rows, mut times) = (0, 0);
        for second in 0..10 * 3600 {
            let now = start + Duration::from_secs(second);
            troubles.add(trouble("again"), now);
            for event in troubles.take_due(now) {
                (rows, times) = (rows + 1, times + event.times);
            }
        }
        troubles.close();
        times += troubles
            .take_due(start)
            .iter()
            .map(|event| event.times)
            .sum::<i64>();
        assert!(rows < 40, "{rows} rows");
        assert_eq!(times, 10 * 3600);
    }

    #[tokio::test(start_paused = true)]
    async fn countless_kinds_share_rows() {
        let mut troubles = Troubles::default();
        let start = Instant::now();
        for n in 0..10_000 {
            let host = Some(format!("host{n}"));
            troubles.add(Trouble { host, ..trouble("x") }, start);
        }
        assert!(troubles.take_due(start).len() <= KINDS + 1);
    }
}
