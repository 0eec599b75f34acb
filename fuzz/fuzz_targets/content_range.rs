//! `Content-Range` and `ETag`: read exactly, or not at all.
#![no_main]

use hfdepot::hub::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    if let Some((range, total)) = fuzzing::content_range(value) {
        assert!(range.start < range.end && range.end <= total);
        let written = format!("bytes {}-{}/{total}", range.start, range.end - 1);
        assert_eq!(fuzzing::content_range(&written), Some((range, total)));
    }
    if let Some(blob) = fuzzing::etag(value) {
        assert_eq!(fuzzing::etag(&format!("\"{blob}\"")), Some(blob));
    }
});
