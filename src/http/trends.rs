//! `GET /api/system/trends`: memory and errors over the last day, as far as this process lived it.
//!
//! A sample a minute, kept in memory: what is measured belongs to the process, and is gone with it.
//! Speed over time is not here: the database keeps it (`GET /api/speed`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::resident_bytes;
use super::state::AppState;
use crate::clock::{now_ms, rfc3339};
use crate::engine::Tallies;
use crate::model::code::Code;

/// Samples that are kept: a day of minutes, and the one before it, which the day is counted from.
const KEPT: usize = 24 * 60 + 1;
/// Samples that become one point of an answer.
const JOINED: usize = 5;

/// One minute.
#[derive(Debug, Clone)]
struct Sample {
    /// UTC milliseconds.
    at: i64,
    /// `None` where the system does not tell.
    memory_bytes: Option<i64>,
    errors: Errors,
}

/// What went wrong since the start of the process, by place in [`Code::ALL`].
#[derive(Debug, Clone, Default)]
struct Errors {
    failures: Vec<u64>,
    retries: Vec<u64>,
}

impl Errors {
    fn of(tallies: &Tallies) -> Self {
        Self {
            failures: tallies.failures().map(|(_, count)| count).collect(),
            retries: tallies.retries().map(|(_, count)| count).collect(),
        }
    }
}

/// The samples, oldest first.
#[derive(Debug, Default)]
pub struct Trends(Mutex<VecDeque<Sample>>);

impl Trends {
    /// Takes the sample of this minute. Says how much memory the process holds, in bytes.
    pub fn sample(&self, tallies: &Tallies) -> Option<i64> {
        let memory_bytes = resident_bytes();
        self.push(Sample {
            at: now_ms(),
            memory_bytes,
            errors: Errors::of(tallies),
        });
        memory_bytes
    }

    fn push(&self, sample: Sample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back(sample);
        while samples.len() > KEPT {
            samples.pop_front();
        }
    }

    /// The memory over time, and the errors before the time that is covered, with its beginning;
    /// `None` when it is covered from the start of the process on.
    fn read(&self) -> (Vec<MemoryPoint>, Option<(i64, Errors)>) {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = samples.len() < KEPT;
        let before = samples.front().filter(|_| !whole);
        let before = before.map(|sample| (sample.at, sample.errors.clone()));
        let known: Vec<&Sample> = samples.iter().collect();
        // From the newest back, so that a point does not change its members with each minute more
        // than it has to, and the last one is complete.
        let points = known.rchunks(JOINED).rev().filter_map(|span| {
            Some(MemoryPoint {
                at: rfc3339(span.first()?.at),
                bytes: span.iter().filter_map(|sample| sample.memory_bytes).max()?,
            })
        });
        (points.collect(), before)
    }
}

/// Memory and errors of the last day, or since the start when that is shorter.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemTrends {
    /// When the process started: nothing of before is known.
    #[schema(format = DateTime)]
    started_at: String,
    /// Milliseconds that a point covers.
    step_ms: u64,
    /// By time; empty where the system does not tell.
    memory: Vec<MemoryPoint>,
    /// From when on the errors are counted.
    #[schema(format = DateTime)]
    errors_since: String,
    /// Those that occurred, by code.
    errors: Vec<ErrorCount>,
}

/// The memory of the process in a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemoryPoint {
    /// Its start.
    #[schema(format = DateTime)]
    at: String,
    /// The most that the process held in it.
    bytes: i64,
}

/// What went wrong with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorCount {
    code: Code,
    /// Jobs that failed.
    failures: u64,
    /// Requests that failed and were made again.
    retries: u64,
}

/// The errors between two moments, those that did not occur left out; the most frequent first.
fn between(before: Option<&Errors>, now: &Errors) -> Vec<ErrorCount> {
    let since = |now: &[u64], before: Option<&Vec<u64>>, place: usize| {
        let count = |counts: &[u64]| counts.get(place).copied().unwrap_or(0);
        count(now).saturating_sub(before.map_or(0, |before| count(before)))
    };
    let mut counts: Vec<ErrorCount> = Code::ALL
        .iter()
        .enumerate()
        .map(|(place, code)| ErrorCount {
            code: *code,
            failures: since(&now.failures, before.map(|before| &before.failures), place),
            retries: since(&now.retries, before.map(|before| &before.retries), place),
        })
        .filter(|count| count.failures + count.retries > 0)
        .collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.failures + count.retries));
    counts
}

/// Memory and errors over the last day
///
/// A sample a minute since the start of the service; a restart begins anew.
#[utoipa::path(
    get, path = "/api/system/trends", tag = "system", operation_id = "getSystemTrends",
    responses((status = 200, description = "The last day, or since the start", body = SystemTrends))
)]
pub async fn show(State(app): State<AppState>) -> Json<SystemTrends> {
    let (memory, before) = app.trends.read();
    let since = before.as_ref().map_or(app.begun_at, |(at, _)| *at);
    Json(SystemTrends {
        started_at: rfc3339(app.begun_at),
        step_ms: JOINED as u64 * 60_000,
        memory,
        errors_since: rfc3339(since),
        errors: between(
            before.as_ref().map(|(_, errors)| errors),
            &Errors::of(app.engine.tallies()),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(minute: i64, stalled: u64) -> Sample {
        let stalls = Code::ALL
            .iter()
            .map(|code| if *code == Code::Stalled { stalled } else { 0 });
        Sample {
            at: minute * 60_000,
            memory_bytes: Some(minute),
            errors: Errors {
                failures: Vec::new(),
                retries: stalls.collect(),
            },
        }
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let trends = Trends::default();
        for minute in 0..2000 {
            trends.push(sample(minute, minute as u64));
        }
        let (memory, before) = trends.read();
        assert_eq!(memory.len(), KEPT.div_ceil(JOINED));
        assert_eq!(memory.last().map(|point| point.bytes), Some(1999));
        let (at, errors) = before.expect("the day before is counted from");
        assert_eq!(at, (1999 - 1440) * 60_000);
        let counted = between(Some(&errors), &sample(0, 2000).errors);
        let expected = ErrorCount {
            code: Code::Stalled,
            failures: 0,
            retries: 1441,
        };
        assert_eq!(counted, [expected]);
    }

    #[test]
    fn a_young_process_counts_from_its_start() {
        let trends = Trends::default();
        for minute in 0..7 {
            trends.push(sample(minute, 3));
        }
        let (memory, before) = trends.read();
        assert!(before.is_none());
        let spans: Vec<i64> = memory.iter().map(|point| point.bytes).collect();
        assert_eq!(spans, [1, 6]);
        assert_eq!(between(None, &sample(7, 3).errors)[0].retries, 3);
    }
}
