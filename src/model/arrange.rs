//! What users attach to their jobs and may change at any time: category, tags, speed, connections,
//! priority and the earliest start.

use super::repo::shown;
use super::size::parse_size;

/// Longest category or tag, in characters.
pub const LABEL_MAX: usize = 64;
/// Most tags of one job.
pub const TAGS_MAX: usize = 32;
/// Priorities that a job may have.
pub const PRIORITIES: std::ops::RangeInclusive<i64> = -1_000_000..=1_000_000;
/// Connections that a job, or a large file, may be limited to.
pub const CONNECTIONS: std::ops::RangeInclusive<i64> = 1..=64;

/// How a user sorts a job, and what it may take of the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// One word for the kind of work; empty = none.
    pub category: String,
    /// Any further words, each once.
    pub tags: Vec<String>,
    /// Bytes a second as the user wrote it; empty = no limit of its own.
    pub max_speed: String,
    /// Connections of all its files together; `None` = no limit of its own.
    pub connections: Option<i64>,
}

/// A change of what is attached to a job; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// See [`Labels::category`].
    pub category: Option<String>,
    /// See [`Labels::tags`].
    pub tags: Option<Vec<String>>,
    /// See [`Labels::max_speed`].
    pub max_speed: Option<String>,
    /// See [`Labels::connections`]; `Some(None)` = no limit of its own.
    pub connections: Option<Option<i64>>,
    /// Higher starts first.
    pub priority: Option<i64>,
    /// Not started before, UTC milliseconds; `Some(None)` = at once.
    pub not_before_at: Option<Option<i64>>,
}

impl Arrangement {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A category or tag without the blanks around it.
///
/// # Errors
/// A sentence when it is too long or holds control characters.
pub fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LABEL_MAX {
        return Err(format!(
            "\"{}\" is longer than {LABEL_MAX} characters",
            shown(text)
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("\"{}\" holds control characters", shown(text)));
    }
    Ok(text.to_owned())
}

/// Tags: empty ones are dropped, each counts once, the order stays.
///
/// # Errors
/// A sentence for the first that is no [`label`], or when they are more than [`TAGS_MAX`].
pub fn tags<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for text in texts {
        let tag = label(text)?;
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(format!("{} tags are more than {TAGS_MAX}", tags.len()));
    }
    Ok(tags)
}

/// A speed as it is stored: the text without blanks around it, and empty for `0`.
///
/// # Errors
/// A sentence when it is no size with or without `/s` behind it.
pub fn speed(text: &str) -> Result<String, String> {
    let text = text.trim();
    Ok(speed_bytes(text)?.map_or_else(String::new, |_| text.to_owned()))
}

/// Bytes a second of a speed; `None` = no limit.
///
/// # Errors
/// As [`speed`].
pub fn speed_bytes(text: &str) -> Result<Option<u64>, String> {
    match text.trim().strip_suffix("/s").unwrap_or(text.trim()) {
        "" => Ok(None),
        size => Ok(parse_size(size)
            .map_err(|_| format!("\"{}\" is not a speed such as 5MiB or 800KB", shown(text)))?)
        .map(|bytes| Some(bytes).filter(|&bytes| bytes > 0)),
    }
}

/// A number of connections that a job may be limited to.
///
/// # Errors
/// A sentence when it is none of [`CONNECTIONS`].
pub fn connections(number: i64) -> Result<i64, String> {
    if CONNECTIONS.contains(&number) {
        Ok(number)
    } else {
        Err(no_connections(&number.to_string()))
    }
}

/// Why `given` is no number of connections.
pub fn no_connections(given: &str) -> String {
    let (least, most) = (CONNECTIONS.start(), CONNECTIONS.end());
    format!(
        "connections must be a whole number from {least} to {most}, not {}",
        shown(given)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_trimmed_bounded_and_free_of_control_characters() {
        assert_eq!(label(" language models 🦙 ").unwrap(), "language models 🦙");
        assert_eq!(label(&"x".repeat(64)).unwrap().len(), 64);
        assert!(label(&"x".repeat(65)).is_err());
        assert!(label("a\nb").is_err());
    }

    #[test]
    fn tags_are_a_set_in_order() {
        assert_eq!(tags(["b", " a ", "", "b"]).unwrap(), ["b", "a"]);
        let many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
        assert!(tags(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn a_job_has_at_least_one_connection_and_not_more_than_a_file_may_have() {
        assert_eq!((connections(1), connections(64)), (Ok(1), Ok(64)));
        for wrong in [0, -1, 65, i64::MAX] {
            let why = connections(wrong).unwrap_err();
            assert!(
                why.contains("from 1 to 64") && why.contains(&wrong.to_string()),
                "{why}"
            );
        }
    }

    #[test]
    fn a_speed_is_a_size_and_zero_is_no_limit() {
        assert_eq!(speed_bytes("5MiB/s"), Ok(Some(5 << 20)));
        assert_eq!(speed_bytes(" 800KB "), Ok(Some(800_000)));
        assert_eq!(speed("0").unwrap(), "");
        assert_eq!(speed(" 1M ").unwrap(), "1M");
        assert!(speed("fast").unwrap_err().contains("fast"));
    }
}
