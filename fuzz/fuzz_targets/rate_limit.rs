//! `Retry-After`, `RateLimit` and its policy (on a second line): pauses that a clock can hold.
#![no_main]

use std::time::{Duration, SystemTime};

use hfdepot::hub::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(limit) = first.parse() else { return };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    if let Some(pause) = fuzzing::retry_after(first.parse().expect("parsed above"), now) {
        // What the engine does with it.
        let _ = pause.min(Duration::from_secs(600));
    }
    if let Some((_, Some(reset), _)) = fuzzing::rate_limit(limit, second.parse().ok()) {
        assert!(reset <= Duration::from_secs(86_400));
    }
});
