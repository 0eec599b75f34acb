//! Faults in force: which request each befalls, and how often it still will.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use globset::GlobBuilder;
use serde_json::{Value, json};

use super::fault::{Fault, FaultKind, Stage};
use super::log::{Hop, lock};
use super::pace::Pace;

/// What a fault is held against.
pub struct Facts<'a> {
    /// Listener.
    pub hop: Hop,
    /// Method.
    pub method: &'a str,
    /// Decoded path.
    pub path: &'a str,
    /// What the request is about.
    pub subject: &'a str,
    /// Whether a `Range` header came.
    pub ranged: bool,
}

/// A fault in force.
pub struct Armed {
    fault: Fault,
    glob: Option<globset::GlobMatcher>,
    seen: AtomicU64,
    /// Shared by all requests a `TotalRate` befalls.
    pub pace: Option<Arc<Pace>>,
}

impl Armed {
    /// What goes wrong.
    pub fn kind(&self) -> &FaultKind {
        &self.fault.kind
    }

    fn fits(&self, facts: &Facts<'_>) -> bool {
        let text = |text: &str| {
            self.fault.path == text || self.glob.as_ref().is_some_and(|glob| glob.is_match(text))
        };
        self.fault.hop.is_none_or(|hop| hop == facts.hop)
            && self
                .fault
                .method
                .as_deref()
                .is_none_or(|method| method.eq_ignore_ascii_case(facts.method))
            && self.fault.ranged.is_none_or(|ranged| ranged == facts.ranged)
            && (text(facts.path) || text(facts.subject))
    }

    /// Counts a fitting request; tells whether the fault befalls it.
    fn strikes(&self) -> bool {
        let seen = self.seen.fetch_add(1, SeqCst);
        let times = self.fault.times.unwrap_or(u64::MAX);
        seen >= self.fault.skip && seen - self.fault.skip < times
    }
}

/// All faults in force. The oldest is asked first.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Arc<Armed>>>);

impl Faults {
    /// Puts a fault in force.
    pub fn add(&self, fault: Fault) {
        let glob = GlobBuilder::new(&fault.path)
            .build()
            .ok()
            .map(|glob| glob.compile_matcher());
        let pace = match fault.kind {
            FaultKind::TotalRate { bytes_per_second } => Some(Arc::new(Pace::new(bytes_per_second))),
            _ => None,
        };
        lock(&self.0).push(Arc::new(Armed {
            fault,
            glob,
            seen: AtomicU64::new(0),
            pace,
        }));
    }

    /// Ends all faults.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Takes those faults of a stage that befall the request and of which `applies` holds.
    pub fn take(
        &self,
        stage: Stage,
        facts: &Facts<'_>,
        applies: impl Fn(&FaultKind) -> bool,
    ) -> Vec<Arc<Armed>> {
        let armed = lock(&self.0).clone();
        let fitting = armed.into_iter().filter(|armed| {
            armed.kind().stage() == stage && armed.fits(facts) && applies(armed.kind()) && armed.strikes()
        });
        fitting.collect()
    }

    /// All faults with the number of fitting requests so far.
    pub fn to_json(&self) -> Value {
        let armed = lock(&self.0).clone();
        let list = armed
            .iter()
            .map(|armed| json!({"fault": armed.fault, "seen": armed.seen.load(SeqCst)}));
        list.collect()
    }
}
