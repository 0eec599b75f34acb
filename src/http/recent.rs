//! The newest frames of the feed, for clients that come back.

use std::collections::VecDeque;

use super::frames::numbered;
use super::outbox::{Frame, Outbox, Topic};
use crate::model::state::JobKind;

/// Frames that are kept, in bytes of text.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Numbers frames, and keeps the newest of them with the kind of job that they tell of.
#[derive(Default)]
pub struct Recent {
    frames: VecDeque<(Topic, Frame, Option<JobKind>)>,
    bytes: usize,
    number: u64,
    /// Number of the newest frame that is not kept any more.
    forgotten: u64,
}

impl Recent {
    /// Number of the newest frame.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Makes the next frame of the text of a message, and keeps it.
    pub fn add(&mut self, topic: Topic, kind: Option<JobKind>, text: &str) -> Frame {
        self.number += 1;
        let frame = Frame {
            number: self.number,
            kind: match topic {
                Topic::Job(_) => "job_update",
                Topic::Event(..) => "event",
                Topic::Status => "status",
            },
            text: numbered(text, self.number),
        };
        self.bytes += frame.text.len();
        self.frames.push_back((topic, frame.clone(), kind));
        while self.bytes > KEPT_BYTES
            && let Some((_, oldest, _)) = self.frames.pop_front()
        {
            self.bytes -= oldest.text.len();
            self.forgotten = oldest.number;
        }
        frame
    }

    /// Forgets all frames: from now on nothing is told, so nobody can go on where he was.
    pub fn forget(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.number += 1;
        self.forgotten = self.number;
    }

    /// What was told behind frame `after` of what `wanted` asks for; `None` when that is not known
    /// any more.
    pub fn since(&self, after: u64, wanted: Option<JobKind>) -> Option<Outbox> {
        if !(self.forgotten..=self.number).contains(&after) {
            return None;
        }
        let outbox = Outbox::default();
        for (topic, frame, kind) in self.frames.iter().filter(|(_, frame, _)| frame.number > after) {
            if concerns(*kind, wanted) {
                outbox.put(*topic, frame.clone());
            }
        }
        Some(outbox)
    }
}

/// Whether a client that wants to hear of `wanted` hears a frame about `kind`.
pub fn concerns(kind: Option<JobKind>, wanted: Option<JobKind>) -> bool {
    kind.is_none() || wanted.is_none() || kind == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_back_gets_what_he_missed_and_a_stranger_begins_anew() {
        let mut recent = Recent::default();
        for number in 1..=3 {
            let text = format!("{{\"n\":{number}}}");
            recent.add(Topic::Job(number), Some(JobKind::Download), &text);
        }
        recent.add(Topic::Job(9), Some(JobKind::Mirror), "{}");
        let missed = recent.since(2, Some(JobKind::Download)).unwrap();
        assert_eq!(missed.next().await.text.as_str(), r#"{"seq":3,"n":3}"#);
        let nothing = recent.since(4, None).unwrap();
        assert!(futures_util::poll!(std::pin::pin!(nothing.next())).is_pending());
        assert!(recent.since(5, None).is_none(), "a frame that was never sent");
        recent.forget();
        assert!(recent.since(4, None).is_none());
    }

    #[test]
    fn the_memory_of_frames_is_bounded() {
        let mut recent = Recent::default();
        // With its number in front no frame is longer than a mebibyte.
        let text = "x".repeat(1024 * 1024 - 64);
        for number in 1..=10 {
            recent.add(Topic::Job(number), None, &text);
        }
        assert!(recent.since(5, None).is_none());
        assert!(recent.since(6, None).is_some());
    }
}
