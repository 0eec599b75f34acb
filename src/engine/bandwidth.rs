//! Live limits of bandwidth: a bucket for all jobs, one for each job, and the gate of each reader.
//!
//! Promises: who reads asked before he read, and before he asked for it to be sent; bytes that pass at
//! once after a pause are at most [`BURST`] and one portion; of several jobs each gets the same share as
//! long as it can use it, however many connections it has; a new rate acts at once, on those that wait too.

mod gate;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub use gate::Gate;

/// What may be caught up after a wake-up that came late or a short pause: half of the 0.2 s that are
/// allowed, for a piece of up to [`PIECE`] comes on top.
const BURST: Duration = Duration::from_millis(100);
/// Longest piece that passes at once, as time at the rate: no second sees much more than its due.
const PIECE: Duration = Duration::from_millis(50);
/// Shortest longest piece in bytes: below, waiting would cost more than it evens out.
const PIECE_MIN: u64 = 8 * 1024;
/// Jobs whose share is remembered before those that fell behind are forgotten.
const SHARES_KEPT: usize = 64;

/// A bucket of bytes, changeable at any time. Who asks is served by fair shares.
#[derive(Debug)]
pub struct Bandwidth {
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    bytes_per_second: Option<u64>,
    /// When everything that was granted so far will have passed at the rate.
    free_at: Instant,
    /// Who waits, by share: the next one first. Only that one watches the clock.
    waiting: BTreeMap<Turn, Arc<Notify>>,
    /// The share of the last grant.
    served: u64,
    /// Bytes that each job asked for, on the scale of `served`.
    shares: HashMap<i64, u64>,
    serial: u64,
}

/// Place of one who waits: his job's share when he came, then the order of coming.
type Turn = (u64, u64);

impl Bandwidth {
    /// A bucket for `bytes_per_second`; `None` lets everything pass.
    pub fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bucket: Mutex::new(Bucket {
                bytes_per_second,
                free_at: Instant::now(),
                waiting: BTreeMap::new(),
                served: 0,
                shares: HashMap::new(),
                serial: 0,
            }),
        }
    }

    /// Changes the rate, at once.
    pub fn set_rate(&self, bytes_per_second: Option<u64>) {
        let mut bucket = self.lock();
        if bucket.bytes_per_second == bytes_per_second {
            return;
        }
        bucket.bytes_per_second = bytes_per_second;
        bucket.free_at = Instant::now();
        bucket.waiting.values().for_each(|waiter| waiter.notify_one());
    }

    /// Waits until `job` may read `bytes`. Whether they were charged: not when there is no limit.
    pub async fn take(&self, job: i64, bytes: u64) -> bool {
        let mut waiter = match self.queue(job, bytes) {
            Ok(charged) => return charged,
            Err(waiter) => waiter,
        };
        loop {
            let watch = match self.try_grant(&mut waiter, bytes) {
                Ok(charged) => return charged,
                Err(watch) => watch,
            };
            let woken = waiter.woken.clone();
            match watch {
                Some(free_at) => tokio::select! {
                    () = woken.notified() => {}
                    () = tokio::time::sleep_until(free_at) => {}
                },
                None => woken.notified().await,
            }
        }
    }

    /// Corrects what was charged: `bytes` more, or fewer, were read.
    fn correct(&self, bytes: i64) {
        let mut bucket = self.lock();
        let Some(rate) = bucket.bytes_per_second else {
            return;
        };
        let time = Duration::from_secs_f64(bytes.unsigned_abs() as f64 / rate.max(1) as f64);
        if bytes >= 0 {
            bucket.free_at += time;
        } else {
            bucket.free_at = bucket.free_at.checked_sub(time).unwrap_or(bucket.free_at);
            bucket.wake_next();
        }
    }

    /// Bytes a second; `None` without a limit.
    fn rate(&self) -> Option<u64> {
        self.lock().bytes_per_second
    }

    /// The longest piece that may pass at once; `None` without a limit.
    fn piece_bytes(&self) -> Option<u64> {
        let rate = self.rate()?;
        Some(((rate as f64 * PIECE.as_secs_f64()) as u64).max(PIECE_MIN))
    }

    /// Grants at once when nobody waits, else takes a place among those who do.
    fn queue(&self, job: i64, bytes: u64) -> Result<bool, Waiter<'_>> {
        let mut bucket = self.lock();
        if bucket.bytes_per_second.is_none() {
            return Ok(false);
        }
        let share = bucket.shares.get(&job).copied().unwrap_or(0).max(bucket.served);
        bucket.shares.insert(job, share + bytes);
        if bucket.shares.len() > SHARES_KEPT {
            let served = bucket.served;
            bucket.shares.retain(|_, share| *share > served);
        }
        bucket.serial += 1;
        let turn = (share, bucket.serial);
        if bucket.waiting.is_empty() && bucket.grant(turn, bytes, false) {
            return Ok(true);
        }
        let woken = Arc::new(Notify::new());
        bucket.waiting.insert(turn, woken.clone());
        drop(bucket);
        Err(Waiter {
            bandwidth: self,
            turn,
            woken,
            waits: true,
        })
    }

    /// Grants when it is this one's turn and time; else when to look again, if it is his to watch.
    fn try_grant(&self, waiter: &mut Waiter<'_>, bytes: u64) -> Result<bool, Option<Instant>> {
        let mut bucket = self.lock();
        let is_next = bucket.waiting.keys().next() == Some(&waiter.turn);
        let charged = bucket.bytes_per_second.is_some();
        if charged && !is_next {
            return Err(None);
        }
        if charged && !bucket.grant(waiter.turn, bytes, true) {
            return Err(Some(bucket.free_at));
        }
        bucket.waiting.remove(&waiter.turn);
        waiter.waits = false;
        bucket.wake_next();
        Ok(charged)
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Grants `bytes` if it is time; `waited` = somebody would have taken them earlier.
    fn grant(&mut self, turn: Turn, bytes: u64, waited: bool) -> bool {
        let now = Instant::now();
        if self.free_at > now {
            return false;
        }
        let rate = self.bytes_per_second.unwrap_or(u64::MAX).max(1);
        let late = now.duration_since(self.free_at);
        // What nobody asked for in a longer pause is gone: the second after it would see it on top.
        let oldest = if waited || late <= BURST {
            now.checked_sub(BURST).unwrap_or(now)
        } else {
            now
        };
        self.free_at = self.free_at.max(oldest) + Duration::from_secs_f64(bytes as f64 / rate as f64);
        self.served = self.served.max(turn.0);
        true
    }

    fn wake_next(&self) {
        if let Some(next) = self.waiting.values().next() {
            next.notify_one();
        }
    }
}

/// One who waits; gives his place up when he is dropped.
struct Waiter<'a> {
    bandwidth: &'a Bandwidth,
    turn: Turn,
    woken: Arc<Notify>,
    waits: bool,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.waits {
            let mut bucket = self.bandwidth.lock();
            bucket.waiting.remove(&self.turn);
            bucket.wake_next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits_and_one_who_leaves_holds_nobody_up() {
        let bandwidth = Bandwidth::new(None);
        let start = Instant::now();
        assert!(!bandwidth.take(1, u64::MAX).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        bandwidth.set_rate(Some(1000));
        assert!(bandwidth.take(1, 1000).await);
        {
            let gone = bandwidth.take(1, 1_000_000);
            tokio::pin!(gone);
            assert!(futures_util::poll!(&mut gone).is_pending());
        }
        assert!(bandwidth.take(2, 1000).await);
        assert!(
            start.elapsed() <= Duration::from_millis(1100),
            "{:?}",
            start.elapsed()
        );
        let waits = bandwidth.take(1, 1);
        tokio::pin!(waits);
        assert!(futures_util::poll!(&mut waits).is_pending());
        bandwidth.set_rate(None);
        assert!(!waits.await);
    }
}
