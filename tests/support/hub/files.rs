//! File bytes over HTTP: ranges, conditions, ETags. Shared by the resolve cache and the CDN.

use super::answer::Answer;
use super::ask::Ask;
use super::content::Content;
use super::fault::{FaultKind, Stage};
use super::world::World;

/// Answers with the bytes of `content`: 200, 206, 304 or 416.
///
/// `etag` is what this hop shows, without quotes; `blob` is the true identity, for the log.
pub fn serve(world: &World, ask: &Ask, content: &Content, etag: &str, blob: &str) -> Answer {
    let size = content.size();
    let etag = format!("\"{etag}\"");
    if matches(ask, "if-none-match", &etag) {
        return Answer::new(304, "").with("etag", &etag);
    }
    let head = |answer: Answer| answer.with("etag", &etag).with("accept-ranges", "bytes");
    let mut range = ask.header("range").and_then(|text| parse(text, size));
    if ask.header("if-range").is_some_and(|value| value != etag) {
        range = None;
    }
    if range.is_some() {
        let struck = world.strike(Stage::Making, ask, |kind| {
            matches!(kind, FaultKind::IgnoreRange | FaultKind::RefuseRange)
        });
        for armed in struck {
            range = matches!(armed.kind(), FaultKind::RefuseRange).then_some(Range::Unsatisfiable);
        }
    }
    let mut answer = match range {
        None => Answer::new(200, content.clone()),
        Some(Range::Unsatisfiable) => {
            return head(Answer::new(416, "").with("content-range", &format!("bytes */{size}")));
        }
        Some(Range::Span { start, end }) => {
            let mut answer = Answer::new(206, content.clone());
            (answer.start, answer.end) = (start, end);
            answer.with("content-range", &format!("bytes {start}-{}/{size}", end - 1))
        }
    };
    answer.blob = Some(blob.to_owned());
    head(answer)
}

/// Whether a condition header lists the ETag.
pub fn matches(ask: &Ask, header: &str, etag: &str) -> bool {
    ask.header(header)
        .is_some_and(|list| list.split(',').any(|one| one.trim() == etag || one.trim() == "*"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// `start..end`, not empty, inside the file.
    Span {
        start: u64,
        end: u64,
    },
    Unsatisfiable,
}

/// Reads the first range of the header; `None` for what a server ignores.
fn parse(text: &str, size: u64) -> Option<Range> {
    let first = text.strip_prefix("bytes=")?.split(',').next()?.trim();
    let (from, to) = first.split_once('-')?;
    let (start, end) = match (from, to) {
        ("", last) => (size.saturating_sub(last.parse().ok()?), size),
        (from, "") => (from.parse().ok()?, size),
        (from, to) => {
            let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
            if to < from {
                return None;
            }
            (from, to.saturating_add(1).min(size))
        }
    };
    Some(if start < end {
        Range::Span { start, end }
    } else {
        Range::Unsatisfiable
    })
}
