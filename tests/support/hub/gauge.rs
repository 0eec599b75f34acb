//! A number that goes up and down.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};

/// A number that goes up and down and remembers its peak.
#[derive(Default)]
pub struct Gauge {
    now: AtomicUsize,
    peak: AtomicUsize,
    total: AtomicU64,
}

impl Gauge {
    /// One more; gives its running number, from 1.
    pub fn enter(&self) -> u64 {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(now, SeqCst);
        self.total.fetch_add(1, SeqCst) + 1
    }

    /// One less.
    pub fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }

    /// The peak begins anew from the present number.
    pub fn restart(&self) {
        self.peak.store(self.now.load(SeqCst), SeqCst);
    }

    /// The present number.
    pub fn now(&self) -> usize {
        self.now.load(SeqCst)
    }

    /// The highest number since the start or the last clearing.
    pub fn peak(&self) -> usize {
        self.peak.load(SeqCst)
    }

    /// All three numbers.
    pub fn to_json(&self) -> Value {
        json!({"now": self.now(), "peak": self.peak(), "total": self.total.load(SeqCst)})
    }
}
