//! Doors to the private parsers of this floor, for the fuzz targets under `fuzz/`.
//!
//! Exists only with the cargo feature `fuzzing`, which nothing but those targets turns on.
//! Never in here: logic. What a door does is what the client does with the same bytes.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{headers, redirect, tree};
use crate::model::plan::Tree;
use crate::model::repo::BlobId;

/// Target of `rel="next"` in a `Link` header.
pub fn next_link(value: &str) -> Option<&str> {
    headers::next_link(value)
}

/// Where the next page lies; `None` when the listing may not go there.
pub fn next_page(endpoint: &Url, from: &Url, link: &str) -> Option<Url> {
    redirect::next_page(endpoint, from, link).ok()
}

/// Where a redirect leads; `None` when it may not be followed.
pub fn redirected(from: &Url, location: &str) -> Option<Url> {
    redirect::follow(from, location).ok().map(|step| step.url)
}

/// The listing made of `pages`; `None` when one of them cannot be read.
pub fn tree<'a>(pages: impl IntoIterator<Item = &'a [u8]>) -> Option<Tree> {
    let mut listing = tree::Bounded::default();
    for page in pages {
        listing.read(page).ok()?;
    }
    Some(listing.finish())
}

/// Range and total of a `Content-Range` header.
pub fn content_range(value: &str) -> Option<(Range<u64>, u64)> {
    headers::content_range(value)
}

/// The blob id in an `ETag` header.
pub fn etag(value: &str) -> Option<BlobId> {
    headers::etag(value)
}

/// The pause that a `Retry-After` header asks for.
pub fn retry_after(value: HeaderValue, now: SystemTime) -> Option<Duration> {
    headers::retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
}

/// Remaining requests, time until the window ends, and quota of the rate-limit headers.
pub fn rate_limit(
    limit: HeaderValue,
    policy: Option<HeaderValue>,
) -> Option<(Option<u64>, Option<Duration>, Option<u64>)> {
    let limit = (HeaderName::from_static("ratelimit"), limit);
    let policy = policy.map(|policy| (HeaderName::from_static("ratelimit-policy"), policy));
    let headers = HeaderMap::from_iter([limit].into_iter().chain(policy));
    headers::rate_limit(&headers).map(|limit| (limit.remaining, limit.reset, limit.quota))
}
