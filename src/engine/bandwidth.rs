//! Live limits of bandwidth: a bucket for all jobs, one for each job, and the gate of each reader.
//!
//! Promises: who reads asked before he read, and before he asked for it to be sent; bytes that pass at
//! once after a pause are at most [`BURST`], one piece and what one connection takes in unread; of several jobs each gets the same share as long as it can use it,
//! however many connections it has; a new rate acts at once, on those that wait too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What may be caught up after a wake-up that came late or a pause: half of the 0.2 s that are
/// allowed, for a piece of up to [`PIECE`] comes on top.
const BURST: Duration = Duration::from_millis(100);
/// Longest piece that passes at once, as time at the rate: no second sees much more than its due.
const PIECE: Duration = Duration::from_millis(50);
/// Shortest longest piece in bytes: below, waiting would cost more than it evens out.
const PIECE_MIN: u64 = 8 * 1024;
/// What a reader asks for before it knows how much a read brings.
const FIRST_READ: u64 = 16 * 1024;
/// Bytes of a body that the kernel takes in before anybody reads them: 0.44 MB each were counted on
/// the loopback interface with 16 connections. On a slower line it is less, and what was charged in
/// front only comes a little later.
const AHEAD: u64 = 448 * 1024;
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

    /// The longest piece that may pass at once; `None` without a limit.
    fn piece_bytes(&self) -> Option<u64> {
        let rate = self.lock().bytes_per_second?;
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
        if bucket.waiting.is_empty() && bucket.grant(turn, bytes) {
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
        if charged && !bucket.grant(waiter.turn, bytes) {
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
    fn grant(&mut self, turn: Turn, bytes: u64) -> bool {
        let now = Instant::now();
        if self.free_at > now {
            return false;
        }
        let rate = self.bytes_per_second.unwrap_or(u64::MAX).max(1);
        let oldest = now.checked_sub(BURST).unwrap_or(now);
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

/// What one reader passes through: the limit of its job and that of all.
///
/// The line sees bytes before their reader does: the kernel takes in [`AHEAD`] bytes of a body
/// before anybody reads. So that much is charged before the request, each read is charged for the
/// bytes that it lets in behind, and the last bytes of a body pass without another charge. Before
/// a read it asks for as much as the last read brought, and is charged for what really came. What
/// a read brings beyond one piece is passed on piece by piece.
pub struct Gate {
    /// The job's own bucket, then that of all jobs.
    lanes: [Lane; 2],
    job: i64,
    /// What the body still brings.
    left: u64,
    /// What the next read is expected to bring.
    expected: u64,
}

/// What one reader has paid one bucket.
struct Lane {
    bucket: Arc<Bandwidth>,
    /// What was charged for the next read.
    charged: u64,
    /// What was charged before the request: so many bytes at the end are free.
    ahead: u64,
}

impl Lane {
    fn new(bucket: Arc<Bandwidth>) -> Self {
        Self {
            bucket,
            charged: 0,
            ahead: 0,
        }
    }

    /// How much of `bytes` is to be charged when the body still brings `left`.
    fn due(&self, bytes: u64, left: u64) -> u64 {
        bytes.min(left.saturating_sub(self.ahead))
    }

    /// Corrects what was charged for a read to what is `due`.
    fn settle(&mut self, due: u64) {
        let charged = std::mem::take(&mut self.charged);
        if charged > 0 && charged != due {
            self.bucket.correct(due as i64 - charged as i64);
        }
    }
}

impl Gate {
    /// A gate for a reader of `job`.
    pub fn new(job: i64, own: Arc<Bandwidth>, all: Arc<Bandwidth>) -> Self {
        Self {
            lanes: [Lane::new(own), Lane::new(all)],
            job,
            left: u64::MAX,
            expected: FIRST_READ,
        }
    }

    /// Waits for the permission to ask for a body of `length` bytes.
    pub async fn open(&mut self, length: u64) {
        self.left = length;
        let bytes = length.min(AHEAD);
        for lane in &mut self.lanes {
            if lane.bucket.take(self.job, bytes).await {
                lane.ahead = bytes;
            }
        }
    }

    /// Waits for the permission to read.
    pub async fn ready(&mut self) {
        let bytes = self.expected.min(self.piece_bytes().unwrap_or(u64::MAX)).max(1);
        self.charge(bytes).await;
    }

    /// The next piece of what was read, once it may pass; `None` at its end.
    pub async fn pass(&mut self, read: &mut Bytes) -> Option<Bytes> {
        if read.is_empty() {
            return None;
        }
        let length = read.len() as u64;
        let Some(longest) = self.piece_bytes() else {
            self.lanes.iter_mut().for_each(|lane| lane.settle(0));
            self.left = self.left.saturating_sub(length);
            return Some(std::mem::take(read));
        };
        let piece = read.split_to(length.min(longest) as usize);
        let bytes = piece.len() as u64;
        if self.lanes.iter().all(|lane| lane.charged == 0) {
            self.charge(bytes).await;
        } else {
            // The first piece of a read: the next read will bring about as much.
            self.expected = length;
        }
        for lane in &mut self.lanes {
            let due = lane.due(bytes, self.left);
            lane.settle(due);
        }
        self.left = self.left.saturating_sub(bytes);
        Some(piece)
    }

    async fn charge(&mut self, bytes: u64) {
        for lane in &mut self.lanes {
            lane.settle(0);
            let due = lane.due(bytes, self.left);
            if due > 0 && lane.bucket.take(self.job, due).await {
                lane.charged = due;
            }
        }
    }

    fn piece_bytes(&self) -> Option<u64> {
        self.lanes
            .iter()
            .filter_map(|lane| lane.bucket.piece_bytes())
            .min()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.settle(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which job read how many bytes when.
    type Log = Arc<Mutex<Vec<(i64, Instant, u64)>>>;

    /// `readers` of `job` that read `chunk` bytes at a time; each read is written down.
    fn read_on(
        job: i64,
        own: &Arc<Bandwidth>,
        all: &Arc<Bandwidth>,
        (readers, chunk): (usize, usize),
        log: &Log,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let reader = |_| {
            let (own, all, log) = (own.clone(), all.clone(), log.clone());
            tokio::spawn(async move {
                let mut gate = Gate::new(job, own, all);
                loop {
                    gate.ready().await;
                    let mut read = Bytes::from(vec![0; chunk]);
                    while let Some(piece) = gate.pass(&mut read).await {
                        log.lock()
                            .unwrap()
                            .push((job, Instant::now(), piece.len() as u64));
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        (0..readers).map(reader).collect()
    }

    fn in_seconds(log: &[(i64, Instant, u64)], start: Instant, seconds: u64, job: Option<i64>) -> Vec<u64> {
        let mut sums = vec![0; seconds as usize];
        for (who, at, bytes) in log {
            let second = (*at - start).as_secs() as usize;
            if second < sums.len() && job.is_none_or(|job| job == *who) {
                sums[second] += bytes;
            }
        }
        sums
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_is_exact_and_no_second_is_above_whatever_is_read_at_once() {
        for (readers, chunk) in [(1, 1_000), (8, 16_384), (16, 400_000), (16, 3_000)] {
            let all = Arc::new(Bandwidth::new(Some(1_000_000)));
            let none = Arc::new(Bandwidth::new(None));
            let log = Arc::default();
            let start = Instant::now();
            let tasks = read_on(1, &none, &all, (readers, chunk), &log);
            tokio::time::sleep(Duration::from_secs(60)).await;
            tasks.iter().for_each(|task| task.abort());
            let seconds = in_seconds(&log.lock().unwrap(), start, 60, None);
            let sum: u64 = seconds.iter().sum();
            assert!(
                (57_000_000..=63_000_000).contains(&sum),
                "{readers} × {chunk}: {sum}"
            );
            let most = seconds.iter().max().unwrap();
            assert!(*most <= 1_250_000, "{readers} × {chunk}: {seconds:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_sees_no_second_above_though_the_kernel_takes_in_what_nobody_reads_yet() {
        const RATE: u64 = 8 << 20;
        let all = Arc::new(Bandwidth::new(Some(RATE)));
        let none = Arc::new(Bandwidth::new(None));
        let log: Log = Arc::default();
        let start = Instant::now();
        let connection = |_| {
            let (own, all, log) = (none.clone(), all.clone(), log.clone());
            tokio::spawn(async move {
                loop {
                    let length = 12 << 20;
                    let mut gate = Gate::new(1, own.clone(), all.clone());
                    gate.open(length).await;
                    let arrives = |bytes| log.lock().unwrap().push((1, Instant::now(), bytes));
                    arrives(AHEAD);
                    let (mut arrived, mut read) = (AHEAD, 0);
                    while read < length {
                        gate.ready().await;
                        let mut chunk = Bytes::from(vec![0; (100_000).min(length - read) as usize]);
                        read += chunk.len() as u64;
                        while let Some(piece) = gate.pass(&mut chunk).await {
                            let behind = (piece.len() as u64).min(length - arrived);
                            arrived += behind;
                            arrives(behind);
                        }
                    }
                }
            })
        };
        let tasks: Vec<_> = (0..16).map(connection).collect();
        tokio::time::sleep(Duration::from_secs(60)).await;
        tasks.iter().for_each(|task| task.abort());
        let seconds = in_seconds(&log.lock().unwrap(), start, 60, None);
        let sum: u64 = seconds.iter().sum();
        assert!((57 * RATE..=63 * RATE).contains(&sum), "{sum}");
        let most = seconds.iter().max().unwrap();
        assert!(*most <= RATE / 4 * 5, "{seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_share_alike_however_many_connections_they_have() {
        let all = Arc::new(Bandwidth::new(Some(1_000_000)));
        let none = || Arc::new(Bandwidth::new(None));
        let log = Arc::default();
        let start = Instant::now();
        let mut tasks = read_on(1, &none(), &all, (8, 50_000), &log);
        tasks.extend(read_on(2, &none(), &all, (1, 50_000), &log));
        tokio::time::sleep(Duration::from_secs(20)).await;
        tasks.iter().for_each(|task| task.abort());
        let log = log.lock().unwrap();
        for job in [1, 2] {
            let sum: u64 = in_seconds(&log, start, 20, Some(job)).iter().sum();
            assert!((9_000_000..=11_000_000).contains(&sum), "job {job}: {sum}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_lower_of_both_limits_holds_and_a_new_one_acts_at_once() {
        let all = Arc::new(Bandwidth::new(Some(2_000_000)));
        let own = Arc::new(Bandwidth::new(Some(500_000)));
        let log = Arc::default();
        let start = Instant::now();
        let tasks = read_on(1, &own, &all, (4, 20_000), &log);
        tokio::time::sleep(Duration::from_secs(10)).await;
        own.set_rate(Some(1_000_000));
        tokio::time::sleep(Duration::from_secs(10)).await;
        all.set_rate(Some(100_000));
        tokio::time::sleep(Duration::from_secs(10)).await;
        tasks.iter().for_each(|task| task.abort());
        let seconds = in_seconds(&log.lock().unwrap(), start, 30, None);
        for (range, rate) in [(0..10, 500_000), (10..20, 1_000_000), (20..30, 100_000)] {
            for second in range {
                let bytes = seconds[second];
                assert!(
                    bytes * 4 >= rate * 3 && bytes * 4 <= rate * 5,
                    "second {second}: {bytes}"
                );
            }
        }
    }

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
