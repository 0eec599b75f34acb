//! The `status` frame: what the service does in a few numbers.

use tokio::task::JoinHandle;

use super::frames::{Happened, LiveMessage, StatusNumbers};
use super::live_settings::LiveSettings;
use super::shown::json;
use super::summary::LimitsNow;
use crate::disk::{self, Space};
use crate::model::state::{JobKind, JobStatus};
use crate::store::{Store, StoreError};

/// Makes the frames, and remembers what the disk said last.
pub struct Status {
    store: Store,
    settings: LiveSettings,
    /// A question to the disk that has no answer yet. A dead mount never answers; then no
    /// second thread is lost to it.
    asking: Option<JoinHandle<Option<Space>>>,
    free_bytes: Option<u64>,
    /// What has to stay free on that volume.
    floor_bytes: u64,
    /// Whether the volume was low when it was last told of.
    was_low: bool,
}

impl Status {
    /// Reads from `store`, and asks the volume of the cache in `settings`.
    pub fn new(store: Store, settings: LiveSettings) -> Self {
        Self {
            store,
            settings,
            asking: None,
            free_bytes: None,
            floor_bytes: 0,
            was_low: false,
        }
    }

    /// A frame when the volume of the cache has just become low: less than twice what has to stay
    /// free. It counts as filled up again above three times that.
    pub fn disk_turned_low(&mut self) -> Option<String> {
        let free = self.free_bytes?;
        let bound = self.floor_bytes.saturating_mul(if self.was_low { 3 } else { 2 });
        let turned = free < bound && !self.was_low;
        self.was_low = free < bound;
        let path = self.settings.get().cache.hub.to_string_lossy().into_owned();
        let frame = LiveMessage::Event(Happened {
            path: Some(&path),
            disk_free: Some(free),
            floor: Some(self.floor_bytes),
            ..Happened::new("disk_low")
        });
        turned.then(|| json(&frame))
    }

    /// The frame of this moment; `None` when the database fails. `diskFree` is `null` until the disk answers.
    pub async fn frame(&mut self) -> Option<String> {
        self.ask_the_disk().await;
        match self.numbers().await {
            Ok((counts, speed)) => {
                let count = |status| {
                    counts
                        .iter()
                        .find(|(known, _)| *known == status)
                        .map_or(0, |(_, count)| *count)
                };
                let frame = LiveMessage::Status(StatusNumbers {
                    active: count(JobStatus::Running),
                    queued: count(JobStatus::Queued),
                    paused: count(JobStatus::Paused),
                    bytes_per_second: speed,
                    disk_free: self.free_bytes,
                    limits: LimitsNow::of(&self.settings),
                });
                Some(json(&frame))
            }
            Err(error) => {
                tracing::warn!(%error, "the live feed could not count the jobs");
                None
            }
        }
    }

    async fn numbers(&self) -> Result<(Vec<(JobStatus, i64)>, i64), StoreError> {
        let counts = self.store.job_counts(Some(JobKind::Download)).await?;
        Ok((counts, self.store.speed().await?))
    }

    async fn ask_the_disk(&mut self) {
        if self.asking.is_none() {
            let hub = self.settings.get().cache.hub.clone();
            let ask = move || disk::space(&hub).ok();
            self.asking = Some(tokio::task::spawn_blocking(ask));
        }
        // Long enough for a disk that is awake.
        let patience = std::time::Duration::from_millis(200);
        if let Some(asking) = &mut self.asking {
            match tokio::time::timeout(patience, asking).await {
                Ok(answer) => {
                    let space = answer.ok().flatten();
                    self.free_bytes = space.map(|space| space.free_bytes);
                    let total = space.map_or(0, |space| space.total_bytes);
                    let floor = self.settings.get().free_space_floor_bytes;
                    self.floor_bytes = floor.unwrap_or_else(|| disk::floor_bytes(total));
                    self.asking = None;
                }
                Err(_) => self.free_bytes = None,
            }
        }
    }
}
