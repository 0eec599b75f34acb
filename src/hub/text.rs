//! Small values out of foreign JSON, cut to a sane length. Pure.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Texts are cut to so many characters; no tag, name or date of the Hub comes near.
const TEXT_MAX: usize = 200;
/// Most texts of a list that are kept.
const LIST_MAX: usize = 200;

/// Whether terms stand before the files of a repo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gate {
    /// No.
    #[default]
    Open,
    /// Accepting them opens it at once.
    Auto,
    /// The owner decides.
    Manual,
    /// Yes; the Hub does not say which.
    Closed,
}

impl Gate {
    /// Reads `false`, `true`, `"auto"` or `"manual"`; any other text closes it.
    pub(super) fn read(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(false) => Self::Open,
            Value::String(word) if word == "auto" => Self::Auto,
            Value::String(word) if word == "manual" => Self::Manual,
            _ => Self::Closed,
        }
    }
}

/// As the Hub writes it: `false`, `true`, `"auto"`, `"manual"`.
impl Serialize for Gate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open => serializer.serialize_bool(false),
            Self::Closed => serializer.serialize_bool(true),
            Self::Auto => serializer.serialize_str("auto"),
            Self::Manual => serializer.serialize_str("manual"),
        }
    }
}

/// A text of at most 200 characters without control characters; `None` when it is empty or no text.
pub(super) fn text(value: &Value) -> Option<String> {
    let text: String = value
        .as_str()?
        .chars()
        .filter(|c| !c.is_control())
        .take(TEXT_MAX)
        .collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(text).take(LIST_MAX).collect()
}

/// A count; what is negative or no number is unknown.
pub(super) fn count(value: &Value) -> Option<u64> {
    // A score may be a fraction.
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|n| (0.0..1e15).contains(n))
            .map(|n| n as u64)
    })
}

/// A time as the Hub wrote it, when it is one.
pub(super) fn time(value: &Value) -> Option<String> {
    text(value).filter(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn foreign_values_come_out_short_and_plain_or_not_at_all() {
        assert_eq!(text(&json!(" a\u{0}b\u{1b}[2J ")).as_deref(), Some("ab[2J"));
        assert_eq!(text(&json!("x".repeat(5000))).map(|t| t.len()), Some(TEXT_MAX));
        for nothing in [json!(""), json!("\u{7}"), json!(7), json!(null), json!({})] {
            assert_eq!(text(&nothing), None, "{nothing}");
        }
        assert_eq!(texts(&json!(["a", 1, null, "b"])), ["a", "b"]);
        assert_eq!(texts(&json!("a")), Vec::<String>::new());
        assert_eq!(texts(&json!(vec!["t"; 5000])).len(), LIST_MAX);
        assert_eq!(count(&json!(7)), Some(7));
        assert_eq!(count(&json!(7.9)), Some(7));
        for nothing in [json!(-1), json!("7"), json!(1e300), json!(null)] {
            assert_eq!(count(&nothing), None, "{nothing}");
        }
        assert!(time(&json!("2026-01-02T03:04:05.000Z")).is_some());
        assert_eq!(time(&json!("<script>")), None);
    }

    #[test]
    fn a_gate_is_read_and_written_as_the_hub_has_it() {
        for value in [json!(false), json!(true), json!("auto"), json!("manual")] {
            assert_eq!(serde_json::to_value(Gate::read(&value)).unwrap(), value);
        }
        assert_eq!(Gate::read(&json!(null)), Gate::Open);
        assert_eq!(Gate::read(&json!("soon")), Gate::Closed);
    }
}
