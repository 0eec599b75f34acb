//! What one reader passes through.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Bandwidth;

/// What a reader asks for before it knows how much a read brings.
const FIRST_READ: u64 = 16 * 1024;
/// Time at the rate that one request asks for at most: in any second begin nine requests, so that it sees
/// an eighth more than its due, and [`BURST`](super::BURST) on top.
const PORTION: Duration = Duration::from_millis(125);
/// On a far line a request asks for so many times what passes while its answer is on the way: then one
/// connection alone fills the rate of a line that is at least twice as fast.
const ROUND_TRIPS: u32 = 2;
/// Least that one request asks for: less would be more requests than bytes are worth.
const PORTION_MIN: u64 = 64 * 1024;
/// Bytes of a body that cannot be asked for in portions, charged in front: what is small is paid at once,
/// and of what is large the kernel takes in about as much and more before anybody reads (Linux: up to
/// `net.ipv4.tcp_rmem`, 6 MiB and more).
const AHEAD: u64 = 1 << 20;

/// What one reader passes through: the limit of its job and that of all.
///
/// The line sees bytes before their reader does: the kernel takes in megabytes of a body before anybody
/// reads. So a request asks for no more than may come at once ([`Gate::open_portion`]), and pays for
/// it before it is sent. A longer body, of a source without ranges or from before the limit,
/// pays [`AHEAD`] in front; each read is charged for the bytes that it lets in behind, and the last
/// bytes pass without another charge. Before a read it asks for as much as the last read brought, and
/// is charged for what really came. What a read brings beyond one piece is passed on piece by piece.
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

    /// Waits for the permission to ask for some of `room` bytes, from where answers come after
    /// `latency`; gives how many: all without a limit, else what passes in a short time.
    pub async fn open_portion(&mut self, room: u64, latency: Duration) -> u64 {
        let time = PORTION.max(latency * ROUND_TRIPS);
        let rates = self.lanes.iter().filter_map(|lane| lane.bucket.rate());
        let bytes = rates.min().map_or(room, |rate| {
            let portion = (rate as f64 * time.as_secs_f64()) as u64;
            room.min(portion.max(PORTION_MIN))
        });
        self.pay(bytes, bytes).await;
        bytes
    }

    /// Waits for the permission to ask for a body of `length` bytes, which cannot be had in portions.
    pub async fn open(&mut self, length: u64) {
        self.pay(length, length.min(AHEAD)).await;
    }

    async fn pay(&mut self, length: u64, ahead: u64) {
        self.left = length;
        for lane in &mut self.lanes {
            if lane.bucket.take(self.job, ahead).await {
                lane.ahead = ahead;
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
    use std::sync::Mutex;

    use tokio::time::Instant;

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
        // The service has run for a while before somebody asks for something.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let start = Instant::now();
        let connection = |_| {
            let (own, all, log) = (none.clone(), all.clone(), log.clone());
            tokio::spawn(async move {
                loop {
                    let mut gate = Gate::new(1, own.clone(), all.clone());
                    let asked = gate.open_portion(32 << 20, Duration::ZERO).await;
                    // All of it, whoever reads how much of it when.
                    log.lock().unwrap().push((1, Instant::now(), asked));
                    let mut read = 0;
                    while read < asked {
                        gate.ready().await;
                        let mut chunk = Bytes::from(vec![0; (100_000).min(asked - read) as usize]);
                        while let Some(piece) = gate.pass(&mut chunk).await {
                            read += piece.len() as u64;
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
    async fn a_request_asks_for_all_without_a_limit_and_for_more_where_answers_take_long() {
        let none = Arc::new(Bandwidth::new(None));
        let portion = async |rate, latency_ms| {
            let mut gate = Gate::new(1, none.clone(), Arc::new(Bandwidth::new(rate)));
            let latency = Duration::from_millis(latency_ms);
            gate.open_portion(32 << 20, latency).await
        };
        assert_eq!(portion(None, 40).await, 32 << 20);
        assert_eq!(portion(Some(8 << 20), 40).await, 1 << 20);
        assert_eq!(portion(Some(8 << 20), 250).await, 4 << 20);
        assert_eq!(portion(Some(10_000), 0).await, PORTION_MIN);
        assert_eq!(portion(Some(1 << 30), 0).await, 32 << 20);
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
}
