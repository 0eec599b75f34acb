//! How a file is cut into segments, and which one is fetched next.
//!
//! A segment is a span of the file with its own offset, so that the number of connections
//! can change between runs without losing a byte. Invariants, kept by [`Layout`] alone:
//! segments are ordered, touch each other and cover the file; of each segment the bytes
//! `start .. start + written` are in the part file, and `synced ≤ written ≤ length`.

use std::collections::BTreeSet;

/// Shortest segment that a new file is cut into: 8 MiB.
pub const MIN_SEGMENT_BYTES: u64 = 8 << 20;
/// Longest segment that a new file is cut into: 32 MiB.
pub const MAX_SEGMENT_BYTES: u64 = 32 << 20;

/// One span of a part file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset in the file, bytes.
    pub start: u64,
    /// Length in bytes, at least 1.
    pub length: u64,
    /// Bytes from `start` that are in the page cache or on disk.
    pub written: u64,
    /// Bytes from `start` that are on disk for certain.
    pub synced: u64,
}

impl Segment {
    /// Whether every byte is written.
    pub fn is_written(&self) -> bool {
        self.written >= self.length
    }
}

/// Cuts a file of `size_bytes` into segments of 8–32 MiB, about four for each of
/// `connections`, so that no connection is idle for long at the end.
pub fn cut(size_bytes: u64, connections: usize) -> Vec<Segment> {
    let wanted = size_bytes / (connections.max(1) as u64 * 4);
    let length = wanted
        .clamp(MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES)
        .next_multiple_of(1 << 20);
    (0..size_bytes.div_ceil(length))
        .map(|index| {
            let start = index * length;
            Segment {
                start,
                length: length.min(size_bytes - start),
                written: 0,
                synced: 0,
            }
        })
        .collect()
}

/// All segments of one file, with the ones that are being fetched.
///
/// Every call but [`Layout::new`] and [`Layout::covers`] costs a few steps however many
/// segments there are: chunks arrive by the ten thousand a second, and a file can have
/// sixteen thousand segments.
#[derive(Debug, Clone)]
pub struct Layout {
    segments: Vec<Segment>,
    taken: Vec<bool>,
    /// Every segment before this one is full.
    front: usize,
    /// Segments whose written mark moved since [`Layout::drain_moved`].
    moved: BTreeSet<usize>,
    /// Segments with bytes that are not known to be on disk.
    unsynced: BTreeSet<usize>,
    written_bytes: u64,
    unsynced_bytes: u64,
}

impl Layout {
    /// Takes over stored segments; none is taken by a connection yet.
    pub fn new(mut segments: Vec<Segment>) -> Self {
        segments.sort_by_key(|segment| segment.start);
        let mut layout = Self {
            taken: vec![false; segments.len()],
            front: 0,
            moved: BTreeSet::new(),
            unsynced: (0..segments.len())
                .filter(|&i| segments[i].synced < segments[i].written)
                .collect(),
            written_bytes: segments.iter().map(|segment| segment.written).sum(),
            unsynced_bytes: segments
                .iter()
                .map(|segment| segment.written.saturating_sub(segment.synced))
                .sum(),
            segments,
        };
        layout.move_front();
        layout
    }

    /// The same bytes as one segment: what lies behind the first gap is given up. For sources
    /// that serve nothing but the whole file in one stream.
    pub fn joined(&self, size_bytes: u64) -> Self {
        let (written, synced) = (self.contiguous_bytes(), self.synced_front());
        Self::new(vec![Segment {
            start: 0,
            length: size_bytes,
            written,
            synced,
        }])
    }

    /// Length of the gapless run of synced bytes from the front.
    fn synced_front(&self) -> u64 {
        let mut at = 0;
        for segment in &self.segments {
            at = segment.start + segment.synced;
            if segment.synced < segment.length {
                break;
            }
        }
        at
    }

    /// Whether the segments cover `size_bytes` without gap or overlap and every mark is in bounds.
    pub fn covers(&self, size_bytes: u64) -> bool {
        let mut at = 0;
        for segment in &self.segments {
            let marks_hold = segment.synced <= segment.written && segment.written <= segment.length;
            if segment.start != at || segment.length == 0 || !marks_hold {
                return false;
            }
            at += segment.length;
        }
        at == size_bytes
    }

    /// Every segment in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Hands out the frontmost segment that is neither full nor taken: its index and a copy.
    pub fn take(&mut self) -> Option<(usize, Segment)> {
        let index = self.next_free()?;
        self.taken[index] = true;
        Some((index, self.segments[index]))
    }

    /// Whether [`take`](Self::take) would hand something out.
    pub fn has_work(&self) -> bool {
        self.next_free().is_some()
    }

    /// Gives a segment back, full or not.
    pub fn give_back(&mut self, index: usize) {
        self.taken[index] = false;
    }

    /// Records `bytes` more at the written mark of a segment and returns the new mark.
    pub fn advance(&mut self, index: usize, bytes: u64) -> u64 {
        let segment = &mut self.segments[index];
        let bytes = bytes.min(segment.length - segment.written);
        segment.written += bytes;
        let mark = segment.written;
        self.written_bytes += bytes;
        self.unsynced_bytes += bytes;
        self.moved.insert(index);
        self.unsynced.insert(index);
        self.move_front();
        mark
    }

    /// The marks that a sync which begins now will prove: index and written bytes of every
    /// segment that has unsynced bytes.
    pub fn marks(&self) -> Vec<(usize, u64)> {
        self.unsynced
            .iter()
            .map(|&index| (index, self.segments[index].written))
            .collect()
    }

    /// Raises the synced marks to what `marks` said before the sync that has now succeeded.
    pub fn synced(&mut self, marks: &[(usize, u64)]) {
        for &(index, mark) in marks {
            let Some(segment) = self.segments.get_mut(index) else {
                continue;
            };
            let mark = mark.min(segment.written);
            self.unsynced_bytes -= mark.saturating_sub(segment.synced);
            segment.synced = segment.synced.max(mark);
            if segment.synced == segment.written {
                self.unsynced.remove(&index);
            }
        }
    }

    /// Segments whose written mark moved since the last call: their starts and marks.
    pub fn drain_moved(&mut self) -> Vec<(u64, u64)> {
        let moved = std::mem::take(&mut self.moved);
        moved
            .into_iter()
            .map(|index| (self.segments[index].start, self.segments[index].written))
            .collect()
    }

    /// Takes every mark for moved: what was drained last reached nobody.
    pub fn move_all(&mut self) {
        let begun = (0..self.segments.len()).filter(|&index| self.segments[index].written > 0);
        self.moved.extend(begun);
    }

    /// Bytes written in all segments together.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Bytes written but not known to be on disk.
    pub fn unsynced_bytes(&self) -> u64 {
        self.unsynced_bytes
    }

    /// Length of the gapless run of written bytes from the front of the file.
    pub fn contiguous_bytes(&self) -> u64 {
        match self.segments.get(self.front) {
            Some(segment) => segment.start + segment.written,
            None => self.segments.last().map_or(0, |last| last.start + last.length),
        }
    }

    /// Whether every byte of the file is written.
    pub fn is_written(&self) -> bool {
        self.front == self.segments.len()
    }

    fn next_free(&self) -> Option<usize> {
        // The taken ones are few and lie near the front.
        (self.front..self.segments.len()).find(|&i| !self.taken[i] && !self.segments[i].is_written())
    }

    fn move_front(&mut self) {
        while self.segments.get(self.front).is_some_and(Segment::is_written) {
            self.front += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_cut_into_segments_of_8_to_32_mib_that_cover_it() {
        for (size, connections) in [
            (1, 8),
            (8 << 20, 8),
            (256 << 20, 8),
            (2 << 30, 16),
            (500_000_000_001, 8),
        ] {
            let segments = cut(size, connections);
            assert!(Layout::new(segments.clone()).covers(size), "{size}");
            assert!(
                segments
                    .iter()
                    .rev()
                    .skip(1)
                    .all(|s| (MIN_SEGMENT_BYTES..=MAX_SEGMENT_BYTES).contains(&s.length))
            );
        }
        assert!(cut(0, 8).is_empty() && Layout::new(vec![]).is_written());
    }

    #[test]
    fn segments_are_handed_out_from_the_front_and_never_twice() {
        let mut layout = Layout::new(cut(40 << 20, 1));
        let (first, _) = layout.take().unwrap();
        let (second, _) = layout.take().unwrap();
        assert_eq!((first, second), (0, 1));
        layout.give_back(first);
        assert_eq!(layout.take().unwrap().0, first);
    }

    proptest! {
        #[test]
        fn marks_stay_ordered_whatever_the_connections_do(moves in prop::collection::vec((0usize..4, 1u64..9 << 20), 1..60)) {
            let size = 30 << 20;
            let mut layout = Layout::new(cut(size, 1));
            for (what, bytes) in moves {
                match what {
                    0 | 1 => if let Some((index, segment)) = layout.take() {
                        layout.advance(index, bytes.min(segment.length - segment.written));
                        layout.give_back(index);
                    },
                    2 => { let marks = layout.marks(); layout.synced(&marks); }
                    _ => { let marks: Vec<_> = (0..9).map(|i| (i, u64::MAX)).collect(); layout.synced(&marks); }
                }
                prop_assert!(layout.covers(size));
                let sum = |of: fn(&Segment) -> u64| layout.segments().iter().map(of).sum::<u64>();
                prop_assert_eq!(layout.written_bytes(), sum(|s| s.written));
                prop_assert_eq!(layout.unsynced_bytes(), sum(|s| s.written - s.synced));
                let front = layout.segments().iter().take_while(|s| s.is_written()).count();
                let expected = layout.segments().get(front).map_or(size, |s| s.start + s.written);
                prop_assert_eq!(layout.contiguous_bytes(), expected);
            }
        }
    }
}
