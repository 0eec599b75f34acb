//! The `status` frame: what the service does in a few numbers.

use axum::extract::ws::Utf8Bytes;
use tokio::task::JoinHandle;

use super::frames::{LiveMessage, StatusNumbers};
use super::live_settings::LiveSettings;
use super::shown::json;
use crate::disk;
use crate::model::state::JobStatus;
use crate::store::{JobsQuery, Store, StoreError};

/// Makes the frames, and remembers what the disk said last.
pub struct Status {
    store: Store,
    settings: LiveSettings,
    /// A question to the disk that has no answer yet. A dead mount never answers; then no
    /// second thread is lost to it.
    asking: Option<JoinHandle<Option<u64>>>,
    free_bytes: Option<u64>,
}

impl Status {
    /// Reads from `store`, and asks the volume of the cache in `settings`.
    pub fn new(store: Store, settings: LiveSettings) -> Self {
        Self {
            store,
            settings,
            asking: None,
            free_bytes: None,
        }
    }

    /// The frame of this moment; `None` when the database fails. `diskFree` is `null` until the disk answers.
    pub async fn frame(&mut self) -> Option<Utf8Bytes> {
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
                });
                Some(json(&frame).into())
            }
            Err(error) => {
                tracing::warn!(%error, "the live feed could not count the jobs");
                None
            }
        }
    }

    async fn numbers(&self) -> Result<(Vec<(JobStatus, i64)>, i64), StoreError> {
        let counts = self.store.job_counts().await?;
        let running = JobsQuery {
            status: Some(JobStatus::Running),
            ..JobsQuery::default()
        };
        let jobs = self.store.jobs(&running).await?;
        Ok((counts, jobs.iter().map(|job| job.bytes_per_second).sum()))
    }

    async fn ask_the_disk(&mut self) {
        if self.asking.is_none() {
            let hub = self.settings.get().cache.hub.clone();
            let ask = move || disk::space(&hub).ok().map(|space| space.free_bytes);
            self.asking = Some(tokio::task::spawn_blocking(ask));
        }
        // Long enough for a disk that is awake.
        let patience = std::time::Duration::from_millis(200);
        if let Some(asking) = &mut self.asking {
            match tokio::time::timeout(patience, asking).await {
                Ok(answer) => {
                    self.free_bytes = answer.ok().flatten();
                    self.asking = None;
                }
                Err(_) => self.free_bytes = None,
            }
        }
    }
}
