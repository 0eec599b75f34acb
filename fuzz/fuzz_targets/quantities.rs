//! Sizes, durations and times as people write them: within what the database and the clock hold.
#![no_main]

use std::time::Duration;

use hfdepot::clock::{parse_rfc3339, rfc3339};
use hfdepot::model::duration::{human_duration, parse_duration};
use hfdepot::model::size::{human_size, parse_size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(bytes) = parse_size(text) {
        assert!(bytes <= i64::MAX as u64);
        assert!(!human_size(bytes).is_empty());
    }
    if let Ok(span) = parse_duration(text) {
        assert!(span <= Duration::from_secs(366 * 86_400));
        let whole = Duration::from_millis(span.as_millis() as u64);
        assert_eq!(parse_duration(&human_duration(whole)), Ok(whole));
    }
    if let Ok(at) = parse_rfc3339(text) {
        assert_eq!(parse_rfc3339(&rfc3339(at)), Ok(at), "{at}");
    }
});
