//! What waits to be sent to one WebSocket.
//!
//! A slow client gets the newest state of each job, not every state it had: a frame that waits
//! is replaced by its successor and keeps its place. So the last state is never lost, and a
//! client that reads nothing costs one frame a job.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

/// One message: the same for every client that gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Rises with every message of the feed.
    pub number: u64,
    /// `init`, `job_update`, `event` or `status`.
    pub kind: &'static str,
    /// The JSON text.
    pub text: Utf8Bytes,
}

/// What a frame is about: of each there is one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// State of the job with this sequence number.
    Job(i64),
    /// Something that happened to it.
    Event(i64, &'static str),
    /// The summary.
    Status,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<Topic>,
    frames: HashMap<Topic, Frame>,
}

/// The frames of one client. One side puts, the other takes.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

impl Outbox {
    /// Adds a frame, in place of one about the same topic that was not sent yet.
    pub fn put(&self, topic: Topic, frame: Frame) {
        let mut waiting = self.lock();
        if waiting.frames.insert(topic, frame).is_none() {
            waiting.order.push_back(topic);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// The next frame; waits for one. May be dropped at any time without losing a frame.
    pub async fn next(&self) -> Frame {
        loop {
            if let Some(frame) = self.take() {
                return frame;
            }
            // `put` before this line leaves a permit, so nothing is slept through.
            self.filled.notified().await;
        }
    }

    fn take(&self) -> Option<Frame> {
        let mut waiting = self.lock();
        let topic = waiting.order.pop_front()?;
        waiting.frames.remove(&topic)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Frame {
        Frame {
            number: 0,
            kind: "event",
            text: text.into(),
        }
    }

    #[tokio::test]
    async fn a_frame_that_waits_is_replaced_and_keeps_its_place() {
        let outbox = Outbox::default();
        outbox.put(Topic::Job(1), frame("running 1 %"));
        outbox.put(Topic::Job(2), frame("queued"));
        outbox.put(Topic::Job(1), frame("completed"));
        outbox.put(Topic::Event(1, "download_complete"), frame("complete"));
        for expected in ["completed", "queued", "complete"] {
            assert_eq!(outbox.next().await.text.as_str(), expected);
        }
        assert!(outbox.take().is_none());
    }

    #[tokio::test]
    async fn a_reader_that_waits_wakes_for_a_frame() {
        let outbox = std::sync::Arc::new(Outbox::default());
        let reader = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.next().await }
        });
        tokio::task::yield_now().await;
        outbox.put(Topic::Status, frame("status"));
        assert_eq!(reader.await.unwrap().text.as_str(), "status");
    }
}
