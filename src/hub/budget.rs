//! The rate-limit budget of one endpoint, shared by all its jobs.
//!
//! The Hub counts requests in windows of five minutes and says on every answer how many are
//! left (seen on the Hub). [`Budget::admit`] lets a request through at once while there
//! are plenty, spreads the last tenth over the rest of the window, and holds everything back
//! while the window is empty, so that a 429 is the exception. Dropping the waiting future gives
//! its place back to nobody and costs nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::headers;
use super::retry::{RETRY_AFTER_MAX, WAIT_FIRST, grown};

/// Below this share of the quota requests are spread over the window.
const LOW_SHARE: u64 = 10;
/// Two answers speak of the same window when their ends are no further apart (the header counts
/// whole seconds, and answers travel).
const SAME_WINDOW: Duration = Duration::from_secs(2);
/// Added to the end of a window, because the header rounds (as `huggingface_hub` does, §4.2).
const MARGIN: Duration = Duration::from_secs(1);

/// The Hub's three windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HubWindow)]
pub enum Bucket {
    /// `/api/…`: repo info, trees, search.
    Api,
    /// `/resolve/…`: locating files.
    Resolvers,
    /// Web pages and raw text.
    Pages,
}

impl Bucket {
    /// All buckets, in the order of the snapshot.
    pub const ALL: [Self; 3] = [Self::Api, Self::Resolvers, Self::Pages];

    /// The word in the headers and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Resolvers => "resolvers",
            Self::Pages => "pages",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.as_str() == word)
    }
}

/// What is known about one bucket, for the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketState {
    /// Which one.
    pub bucket: Bucket,
    /// Requests a window, when the Hub said so.
    pub quota: Option<u64>,
    /// Requests left in this window; `None` before the first answer and after the window ended.
    pub remaining: Option<u64>,
    /// Seconds until the window ends.
    pub reset_seconds: Option<u64>,
    /// Until when new requests are held back; `None` while they pass.
    pub waiting_until: Option<SystemTime>,
}

/// The budget. Cheap to ask; no lock is held while waiting.
#[derive(Debug, Default)]
pub struct Budget {
    windows: Mutex<[Window; 3]>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Window {
    quota: Option<u64>,
    remaining: Option<u64>,
    ends: Option<Instant>,
    /// No request before this moment: after a 429.
    closed_until: Option<Instant>,
    /// Earliest start of the next request while the rest is being spread.
    next_slot: Option<Instant>,
    /// 429s in a row that named no pause.
    silent_refusals: u32,
}

impl Budget {
    /// A budget of which nothing is known yet: everything passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a request of `bucket` may leave, and counts it. Returns at once normally.
    pub async fn admit(&self, bucket: Bucket) {
        loop {
            let until = match self.lock()[bucket as usize].take(Instant::now()) {
                Ok(()) => return,
                Err(until) => until,
            };
            tokio::time::sleep_until(until).await;
        }
    }

    /// How long the next request of `bucket` would have to wait; `None` when it would not.
    pub fn wait(&self, bucket: Bucket) -> Option<Duration> {
        let now = Instant::now();
        // A copy: asking takes no request out of the window.
        let mut window = self.lock()[bucket as usize];
        window.take(now).err().map(|until| until - now)
    }

    /// State of all buckets.
    pub fn snapshot(&self) -> Vec<BucketState> {
        let now = Instant::now();
        let windows = *self.lock();
        Bucket::ALL
            .into_iter()
            .map(|bucket| {
                let mut window = windows[bucket as usize];
                window.roll(now);
                BucketState {
                    bucket,
                    quota: window.quota,
                    remaining: window.remaining,
                    reset_seconds: window.ends.map(|ends| (ends - now).as_secs_f64().ceil() as u64),
                    waiting_until: window.shut(now).map(|until| SystemTime::now() + (until - now)),
                }
            })
            .collect()
    }

    /// Learns from the headers of any answer of the endpoint.
    pub(super) fn observe(&self, headers: &HeaderMap) {
        let Some(told) = headers::rate_limit(headers) else {
            return;
        };
        let now = Instant::now();
        let window = &mut self.lock()[told.bucket as usize];
        window.roll(now);
        window.quota = told.quota.or(window.quota);
        if let (Some(remaining), Some(reset)) = (told.remaining, told.reset) {
            let ends = now + reset;
            let same = window
                .ends
                .is_some_and(|known| known.max(ends) - known.min(ends) <= SAME_WINDOW);
            // Within one window the lower count is the newer one; answers may overtake each other.
            window.remaining = Some(match window.remaining {
                Some(known) if same => known.min(remaining),
                _ => remaining,
            });
            if !same {
                window.ends = Some(ends);
                window.next_slot = None;
            }
        }
    }

    /// Learns from a success of `bucket`.
    pub(super) fn accepted(&self, bucket: Bucket) {
        self.lock()[bucket as usize].silent_refusals = 0;
    }

    /// Closes `bucket` after a 429 and tells for how long: what `RateLimit` says (when it says
    /// zero), else `Retry-After`, else a pause that doubles from one second; at most five minutes.
    pub(super) fn refused(&self, bucket: Bucket, headers: &HeaderMap) -> Duration {
        let told = headers::rate_limit(headers);
        let bucket = told.map_or(bucket, |told| told.bucket);
        let window_end = told
            .filter(|told| told.remaining == Some(0))
            .and_then(|told| told.reset)
            .map(|reset| reset + MARGIN);
        let asked = headers::retry_after(headers, SystemTime::now());
        let now = Instant::now();
        let window = &mut self.lock()[bucket as usize];
        let pause = match window_end.max(asked) {
            Some(pause) => pause.min(RETRY_AFTER_MAX),
            None => {
                window.silent_refusals += 1;
                grown(WAIT_FIRST, 2.0, window.silent_refusals - 1, RETRY_AFTER_MAX)
            }
        };
        let until = now + pause;
        window.closed_until = Some(window.closed_until.map_or(until, |known| known.max(until)));
        pause
    }

    fn lock(&self) -> MutexGuard<'_, [Window; 3]> {
        // Nothing panics while holding it, and the numbers are only advice.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Forgets what a window that has ended said.
    fn roll(&mut self, now: Instant) {
        if self.ends.is_some_and(|ends| ends + MARGIN <= now) {
            self.ends = None;
            self.remaining = None;
            self.next_slot = None;
        }
        self.closed_until = self.closed_until.filter(|&until| until > now);
    }

    /// Until when nothing passes at all.
    fn shut(&self, now: Instant) -> Option<Instant> {
        let empty = self
            .ends
            .filter(|_| self.remaining == Some(0))
            .map(|ends| (ends + MARGIN).min(now + RETRY_AFTER_MAX));
        self.closed_until.max(empty)
    }

    /// Takes one request out of the window, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        self.roll(now);
        if let Some(until) = self.shut(now) {
            return Err(until);
        }
        let Some(remaining) = self.remaining else {
            return Ok(());
        };
        let low = self.quota.unwrap_or(200) / LOW_SHARE;
        if let Some(ends) = self.ends.filter(|_| remaining <= low) {
            if let Some(slot) = self.next_slot.filter(|&slot| slot > now) {
                return Err(slot);
            }
            self.next_slot = Some(now + (ends - now) / u32::try_from(remaining.max(1)).unwrap_or(u32::MAX));
        }
        self.remaining = Some(remaining.saturating_sub(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderName;

    fn told(limit: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (HeaderName::from_static("ratelimit"), limit.parse().unwrap()),
            (
                HeaderName::from_static("ratelimit-policy"),
                "\"fixed window\";\"api\";q=100;w=300".parse().unwrap(),
            ),
        ])
    }

    /// Time that `count` admissions take.
    async fn admitting(budget: &Budget, count: usize) -> Duration {
        let start = Instant::now();
        for _ in 0..count {
            budget.admit(Bucket::Api).await;
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn plenty_passes_at_once_and_the_last_tenth_is_spread_over_the_window() {
        let budget = Budget::new();
        assert_eq!(admitting(&budget, 1000).await, Duration::ZERO);
        budget.observe(&told("\"api\";r=30;t=100"));
        assert_eq!(admitting(&budget, 20).await, Duration::ZERO);
        let slow = admitting(&budget, 10).await;
        assert!(
            slow > Duration::from_secs(60) && slow < Duration::from_secs(101),
            "{slow:?}"
        );
        // The window is used up: the next request waits for the next window, without a 429.
        let last = admitting(&budget, 1).await;
        assert!(last > Duration::ZERO, "{last:?}");
        assert!(slow + last >= Duration::from_secs(100));
        assert_eq!(admitting(&budget, 50).await, Duration::ZERO);
        assert_eq!(budget.wait(Bucket::Resolvers), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_window_holds_everything_back_and_shows_until_when() {
        let budget = Budget::new();
        budget.observe(&told("\"api\";r=0;t=30"));
        let state = budget.snapshot().remove(0);
        assert_eq!(
            (state.bucket, state.quota, state.remaining),
            (Bucket::Api, Some(100), Some(0))
        );
        assert_eq!(state.reset_seconds, Some(30));
        assert!(state.waiting_until.is_some());
        assert_eq!(admitting(&budget, 1).await, Duration::from_secs(31));
        assert_eq!(budget.snapshot()[0].waiting_until, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_closes_the_bucket_for_the_time_it_names() {
        let budget = Budget::new();
        assert_eq!(
            budget.refused(Bucket::Api, &told("\"api\";r=0;t=2")),
            Duration::from_secs(3)
        );
        assert_eq!(admitting(&budget, 1).await, Duration::from_secs(3));
        let after = HeaderMap::from_iter([(http::header::RETRY_AFTER, "7200".parse().unwrap())]);
        assert_eq!(budget.refused(Bucket::Api, &after), RETRY_AFTER_MAX);
        tokio::time::advance(RETRY_AFTER_MAX).await;
        // Without any header the pause doubles until a request is accepted again.
        for expected in [1, 2, 4] {
            let pause = budget.refused(Bucket::Resolvers, &HeaderMap::new());
            assert_eq!(pause, Duration::from_secs(expected));
        }
        budget.accepted(Bucket::Resolvers);
        assert_eq!(
            budget.refused(Bucket::Resolvers, &HeaderMap::new()),
            Duration::from_secs(1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_overtake_each_other_do_not_refill_the_window() {
        let budget = Budget::new();
        budget.observe(&told("\"api\";r=40;t=100"));
        budget.observe(&told("\"api\";r=42;t=101"));
        assert_eq!(budget.snapshot()[0].remaining, Some(40));
        tokio::time::advance(Duration::from_secs(60)).await;
        budget.observe(&told("\"api\";r=99;t=300"));
        assert_eq!(budget.snapshot()[0].remaining, Some(99));
    }
}
