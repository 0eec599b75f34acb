//! How a file is cut into segments, and which one is fetched next.
//!
//! A segment is a span of the file with its own offset, so that the number of connections
//! can change between runs without losing a byte. Invariants, kept by [`Layout`] alone:
//! segments are ordered, touch each other and cover the file; of each segment the bytes
//! `start .. start + written` are in the part file, and `synced ≤ written ≤ length`.

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
#[derive(Debug, Clone)]
pub struct Layout {
    segments: Vec<Segment>,
    taken: Vec<bool>,
}

impl Layout {
    /// Takes over stored segments; none is taken by a connection yet.
    pub fn new(mut segments: Vec<Segment>) -> Self {
        segments.sort_by_key(|segment| segment.start);
        let taken = vec![false; segments.len()];
        Self { segments, taken }
    }

    /// Whether the segments cover `size_bytes` without gap or overlap and every mark is in bounds.
    pub fn covers(&self, size_bytes: u64) -> bool {
        let mut at = 0;
        for segment in &self.segments {
            if segment.start != at
                || segment.length == 0
                || segment.written > segment.length
                || segment.synced > segment.written
            {
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
        let index = (0..self.segments.len()).find(|&i| !self.taken[i] && !self.segments[i].is_written())?;
        self.taken[index] = true;
        Some((index, self.segments[index]))
    }

    /// Whether [`take`](Self::take) would hand something out.
    pub fn has_work(&self) -> bool {
        self.segments
            .iter()
            .zip(&self.taken)
            .any(|(segment, taken)| !taken && !segment.is_written())
    }

    /// Gives a segment back, full or not.
    pub fn give_back(&mut self, index: usize) {
        self.taken[index] = false;
    }

    /// Records `bytes` more at the written mark of a segment and returns the new mark.
    pub fn advance(&mut self, index: usize, bytes: u64) -> u64 {
        let segment = &mut self.segments[index];
        segment.written = (segment.written + bytes).min(segment.length);
        segment.written
    }

    /// Raises the synced mark of each segment to what `marks` (by index) says was written
    /// before the last successful sync.
    pub fn synced(&mut self, marks: &[u64]) {
        for (segment, &mark) in self.segments.iter_mut().zip(marks) {
            segment.synced = segment.synced.max(mark.min(segment.written));
        }
    }

    /// The written mark of each segment, by index.
    pub fn marks(&self) -> Vec<u64> {
        self.segments.iter().map(|segment| segment.written).collect()
    }

    /// Bytes written in all segments together.
    pub fn written_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.written).sum()
    }

    /// Bytes written but not known to be on disk.
    pub fn unsynced_bytes(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.written - segment.synced)
            .sum()
    }

    /// Length of the gapless run of written bytes from the front of the file.
    pub fn contiguous_bytes(&self) -> u64 {
        let mut at = 0;
        for segment in &self.segments {
            at = segment.start + segment.written;
            if !segment.is_written() {
                break;
            }
        }
        at
    }

    /// Whether every byte of the file is written.
    pub fn is_written(&self) -> bool {
        self.segments.iter().all(Segment::is_written)
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
                    _ => { let marks = vec![u64::MAX; layout.segments().len()]; layout.synced(&marks); }
                }
                prop_assert!(layout.covers(size));
                prop_assert!(layout.contiguous_bytes() <= layout.written_bytes());
            }
        }
    }
}
