//! Speed limits: a queue of reserved sending times.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::log::lock;

/// Lets so many bytes through a second, without credit for idle time.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: u64,
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// A limit in bytes a second; 0 counts as 1.
    pub fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            free_at: Mutex::default(),
        }
    }

    /// The largest piece that keeps the flow smooth: 20 ms worth, at least one byte.
    pub fn piece_bytes(&self) -> u64 {
        (self.bytes_per_second / 50).max(1)
    }

    /// Waits until it is this piece's turn.
    pub async fn turn(&self, bytes: u64) {
        let at = {
            let mut free_at = lock(&self.free_at);
            let now = Instant::now();
            let at = free_at.map_or(now, |free| free.max(now));
            *free_at = Some(at + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64));
            at
        };
        tokio::time::sleep_until(at).await;
    }
}
