//! Parsers of the headers that the Hub and its storage hosts send. Pure; foreign text in,
//! `None` for anything that is not exactly right.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{HeaderName, RETRY_AFTER};

use super::budget::Bucket;
use crate::model::repo::BlobId;

/// The header as text, when it is there once and is visible ASCII.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Request id of an answer for the log: 1–100 characters of `[A-Za-z0-9._:;=-]`.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-amzn-trace-id"]
        .iter()
        .filter_map(|name| text(headers, name))
        .find(|id| {
            (1..=100).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._:;=-".contains(&b))
        })
        .map(str::to_owned)
}

/// `Content-Range: bytes 0-9/100` as the range and the total. An unknown total (`*`) is refused,
/// because nothing could be compared with it (RFC 9110 §14.4).
pub(super) fn content_range(value: &str) -> Option<(Range<u64>, u64)> {
    let (unit, rest) = value.trim().split_once(' ')?;
    let (span, total) = rest.trim().split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total) = (number(first)?, number(last)?, number(total)?);
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < total).then(|| (first..last + 1, total))
}

/// Digits only: `+2`, ` 2` and `0x2` are not numbers in HTTP.
fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// The blob id in an ETag: `W/` and quotes dropped; `None` for opaque ones such as S3's
/// `"<32 hex>-10"` (seen on the Hub).
pub(super) fn etag(value: &str) -> Option<BlobId> {
    let value = value.trim();
    let value = value.strip_prefix("W/").unwrap_or(value);
    let value = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    value.parse().ok()
}

/// `Retry-After` as a pause: seconds, or any of the three HTTP dates (RFC 9110 §10.2.3).
/// A date that has passed asks for no pause.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    match number(value) {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => {
            let date = httpdate::parse_http_date(value).ok()?;
            Some(date.duration_since(now).unwrap_or_default())
        }
    }
}

/// What the rate-limit headers of one answer say (seen on the Hub).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateLimit {
    /// Which bucket they speak of.
    pub bucket: Bucket,
    /// Requests left in this window.
    pub remaining: Option<u64>,
    /// Time until the window ends.
    pub reset: Option<Duration>,
    /// Requests a window.
    pub quota: Option<u64>,
}

/// `RateLimit: "api";r=480;t=120` together with `RateLimit-Policy: "fixed window";"api";q=500;w=300`.
pub(super) fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
    const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
    let limit = Fields::parse(text(headers, LIMIT.as_str())?);
    let policy = text(headers, POLICY.as_str()).map(Fields::parse);
    let bucket = limit
        .bucket
        .or_else(|| policy.as_ref().and_then(|policy| policy.bucket))?;
    Some(RateLimit {
        bucket,
        remaining: limit.remaining,
        // A window longer than a day is no window; the field would only overflow the clock.
        reset: limit
            .reset
            .filter(|&seconds| seconds <= 86_400)
            .map(Duration::from_secs),
        quota: policy.and_then(|policy| policy.quota),
    })
}

#[derive(Default)]
struct Fields {
    bucket: Option<Bucket>,
    remaining: Option<u64>,
    reset: Option<u64>,
    quota: Option<u64>,
}

impl Fields {
    /// Reads the first list member that names a bucket we know.
    fn parse(value: &str) -> Self {
        let mut first = None;
        for member in value.split(',') {
            let mut fields = Self::default();
            for part in member.split(';').map(str::trim) {
                match part.split_once('=') {
                    Some(("r", value)) => fields.remaining = number(value),
                    Some(("t", value)) => fields.reset = number(value),
                    Some(("q", value)) => fields.quota = number(value),
                    Some(_) => {}
                    None => fields.bucket = fields.bucket.or_else(|| Bucket::named(part.trim_matches('"'))),
                }
            }
            if fields.bucket.is_some() {
                return fields;
            }
            first.get_or_insert(fields);
        }
        first.unwrap_or_default()
    }
}

/// Target of the first `rel="next"` in a `Link` header (RFC 8288), as written.
pub(super) fn next_link(value: &str) -> Option<&str> {
    let mut rest = value;
    loop {
        let (target, after) = rest.get(rest.find('<')? + 1..)?.split_once('>')?;
        // Parameters run to the next comma outside quotes.
        let mut quoted = false;
        let end = after
            .char_indices()
            .find(|&(_, c)| {
                quoted ^= c == '"';
                c == ',' && !quoted
            })
            .map_or(after.len(), |(at, _)| at);
        let is_next = after[..end].split(';').any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split(' ')
                        .any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_content_range_is_read_exactly_or_not_at_all() {
        assert_eq!(content_range("bytes 0-9/100"), Some((0..10, 100)));
        assert_eq!(content_range("Bytes 5-5/6"), Some((5..6, 6)));
        for bad in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 0-9/*",
            "bytes */100",
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes +0-9/100",
            "items 0-9/100",
            "bytes 0-18446744073709551615/18446744073709551616",
            "bytes 0-18446744073709551615/18446744073709551615",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_etag_is_a_blob_id_or_opaque() {
        let sha1 = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a";
        for good in [format!("\"{sha1}\""), format!("W/\"{sha1}\""), sha1.to_owned()] {
            assert_eq!(etag(&good).unwrap().to_string(), sha1, "{good}");
        }
        let long = "a".repeat(64);
        assert!(etag(&format!("\"{long}\"")).unwrap().is_lfs());
        for opaque in [
            "",
            "\"",
            "\"0123456789abcdef0123456789abcdef-10\"",
            "\"../../x\"",
            "W/",
        ] {
            assert_eq!(etag(opaque), None, "{opaque}");
        }
    }

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:00 GMT").unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
            ("Sun Nov  6 08:49:37 1994", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("1.5", None),
        ] {
            let got = retry_after(&map(&[("retry-after", value)]), now);
            assert_eq!(got, expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn rate_limit_headers_are_read_with_and_without_a_policy() {
        let seconds = Duration::from_secs;
        let full = map(&[
            ("ratelimit", "\"api\";r=480;t=120"),
            ("ratelimit-policy", "\"fixed window\";\"api\";q=500;w=300"),
        ]);
        let expected = RateLimit {
            bucket: Bucket::Api,
            remaining: Some(480),
            reset: Some(seconds(120)),
            quota: Some(500),
        };
        assert_eq!(rate_limit(&full), Some(expected));
        let bare = map(&[("ratelimit", "\"resolvers\";r=0;t=30")]);
        let got = rate_limit(&bare).unwrap();
        assert_eq!(
            (got.bucket, got.remaining, got.quota),
            (Bucket::Resolvers, Some(0), None)
        );
        let two = map(&[("ratelimit", "\"other\";r=9;t=9, \"pages\";r=1;t=2")]);
        assert_eq!(rate_limit(&two).unwrap().bucket, Bucket::Pages);
        for bad in ["", "\"other\";r=1;t=2", ";;;", "r=1;t=1"] {
            assert_eq!(rate_limit(&map(&[("ratelimit", bad)])), None, "{bad}");
        }
        let odd = map(&[("ratelimit", "\"api\";r=-1;t=99999999999999999999")]);
        let got = rate_limit(&odd).unwrap();
        assert_eq!((got.remaining, got.reset), (None, None));
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (value, expected) in [
            ("<https://h/a?c=1>; rel=\"next\"", Some("https://h/a?c=1")),
            ("<a>; rel=\"prev\", <b,c>; rel=next", Some("b,c")),
            ("<a>; title=\"x, <y>; rel=next\"; rel=\"last next\"", Some("a")),
            ("<a>; rel=\"xet-auth\"", None),
            ("<a", None),
            ("", None),
            ("a; rel=next", None),
        ] {
            assert_eq!(next_link(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(value in "\\PC{0,80}", name in 0..2usize) {
            let _ = (content_range(&value), etag(&value), next_link(&value));
            if let Ok(header) = http::HeaderValue::from_str(&value) {
                let key = [HeaderName::from_static("ratelimit"), RETRY_AFTER][name].clone();
                let headers = HeaderMap::from_iter([(key, header)]);
                let _ = (rate_limit(&headers), retry_after(&headers, SystemTime::now()), request_id(&headers));
            }
        }

        #[test]
        fn a_written_content_range_is_read_back(first in 0u64..1 << 60, length in 1u64..1 << 60, more in 0u64..1 << 60) {
            let (end, total) = (first + length, first + length + more);
            let value = format!("bytes {first}-{}/{total}", end - 1);
            prop_assert_eq!(content_range(&value), Some((first..end, total)));
        }

        #[test]
        fn a_written_link_is_read_back(target in "[a-zA-Z0-9:/?&=%,;._-]{1,60}") {
            let value = format!("<x>; rel=\"prev\", <{target}>; rel=\"next\"");
            prop_assert_eq!(next_link(&value), Some(target.as_str()));
        }
    }
}
