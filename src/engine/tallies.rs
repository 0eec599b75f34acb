//! What all runs did since the start of the process: numbers that only rise, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::model::code::Code;
use crate::store::Outcome;

/// The numbers. All of them begin at 0 with the process.
#[derive(Debug)]
pub struct Tallies {
    network_bytes: AtomicU64,
    completed: AtomicU64,
    /// By place in [`Code::ALL`].
    retries: Vec<AtomicU64>,
    failures: Vec<AtomicU64>,
}

impl Default for Tallies {
    fn default() -> Self {
        let by_code = || Code::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            network_bytes: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            retries: by_code(),
            failures: by_code(),
        }
    }
}

impl Tallies {
    /// Bytes that came from the network.
    pub fn network_bytes(&self) -> u64 {
        self.network_bytes.load(Relaxed)
    }

    /// Jobs that were completed.
    pub fn completed(&self) -> u64 {
        self.completed.load(Relaxed)
    }

    /// Tries that failed and were followed by another, by the code of the failure.
    pub fn retries(&self) -> impl Iterator<Item = (Code, u64)> {
        read(&self.retries)
    }

    /// Jobs that failed, by their code.
    pub fn failures(&self) -> impl Iterator<Item = (Code, u64)> {
        read(&self.failures)
    }

    pub(super) fn received(&self, bytes: u64) {
        self.network_bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn retried(&self, code: Code) {
        count(&self.retries, code);
    }

    pub(super) fn settled(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Completed => {
                self.completed.fetch_add(1, Relaxed);
            }
            Outcome::Failed(code, _) => count(&self.failures, *code),
            Outcome::Waiting(_) | Outcome::Released => {}
        }
    }
}

fn read(counts: &[AtomicU64]) -> impl Iterator<Item = (Code, u64)> {
    let counts = counts.iter().map(|count| count.load(Relaxed));
    Code::ALL.iter().copied().zip(counts)
}

fn count(counts: &[AtomicU64], code: Code) {
    let place = Code::ALL.iter().position(|one| *one == code);
    if let Some(count) = place.and_then(|place| counts.get(place)) {
        count.fetch_add(1, Relaxed);
    }
}
