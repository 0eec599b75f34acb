//! The HTTP API as its two documents have it: statuses, texts and shapes, against the whole service.

mod download;
mod jobs;
mod plan;
mod settings;
mod system;

use serde_json::Value;

/// Fails unless `answer` is an error in the one shape that both documents can read.
#[track_caller]
pub fn assert_error(answer: &(u16, Value), status: u16, code: &str, error: &str, details: &str) {
    let (found, body) = answer;
    assert_eq!(*found, status, "{body}");
    assert_eq!(body["ok"], false, "{body}");
    assert_eq!(body["error"], error, "{body}");
    assert_eq!(body["error_detail"]["code"], code, "{body}");
    assert_eq!(body["error_detail"]["message"], error, "{body}");
    if details.is_empty() {
        assert!(body.get("details").is_none(), "{body}");
    } else {
        let text = body["details"].as_str().unwrap_or_default();
        assert!(text.contains(details), "{body}");
        assert_eq!(body["error_detail"]["details"], body["details"], "{body}");
    }
}
