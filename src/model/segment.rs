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

/// Cuts a file of `size_bytes` into segments of 8–32 MiB that become shorter towards the end, where
/// each is one of `connections` shares of what is left. So the last ones end at about the same time,
/// and little is left to hash after the last byte.
pub fn cut(size_bytes: u64, connections: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    while start < size_bytes {
        let left = size_bytes - start;
        let share = (left / connections.max(1) as u64).clamp(MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
        let length = share.next_multiple_of(1 << 20).min(left);
        segments.push(Segment {
            start,
            length,
            written: 0,
            synced: 0,
        });
        start += length;
    }
    segments
}

/// The right to write to one segment, until it is given back or handed to somebody else.
pub type Ticket = u64;

/// A segment as it was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The right to write to it.
    pub ticket: Ticket,
    /// The segment. Its end may come nearer while it is fetched: see [`Layout::split`].
    pub segment: Segment,
}

/// All segments of one file, with the ones that are being fetched.
///
/// Every call but [`Layout::new`] and [`Layout::covers`] costs a few steps however many
/// segments there are: chunks arrive by the ten thousand a second, and a file can have
/// sixteen thousand segments.
#[derive(Debug, Clone)]
pub struct Layout {
    segments: Vec<Segment>,
    /// Who fetches each segment; 0 is nobody.
    taken: Vec<Ticket>,
    last_ticket: Ticket,
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
            taken: vec![0; segments.len()],
            last_ticket: 0,
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

    /// Hands out the frontmost segment that is neither full nor taken.
    pub fn take(&mut self) -> Option<Taken> {
        self.next_free().map(|index| self.hand_out(index))
    }

    /// Starts of the segments that a connection has.
    pub fn taken_starts(&self) -> Vec<u64> {
        let taken = self.segments.iter().zip(&self.taken);
        taken
            .filter(|(_, taken)| **taken != 0)
            .map(|(segment, _)| segment.start)
            .collect()
    }

    /// Whether [`take`](Self::take) would hand something out.
    pub fn has_work(&self) -> bool {
        self.next_free().is_some()
    }

    /// Gives the segment at `start` back, full or not; without the right to it nothing happens.
    pub fn give_back(&mut self, start: u64, ticket: Ticket) {
        if let Some(index) = self.held(start, ticket) {
            self.taken[index] = 0;
        }
    }

    /// Bytes that whoever holds `ticket` may still write to the segment at `start`; `None` when
    /// somebody else fetches it now.
    pub fn room(&self, start: u64, ticket: Ticket) -> Option<u64> {
        let segment = &self.segments[self.held(start, ticket)?];
        Some(segment.length - segment.written)
    }

    /// Records `bytes` more at the written mark of a segment and returns how many are still to
    /// come; `None`, and nothing is recorded, when somebody else fetches it now.
    pub fn advance(&mut self, start: u64, ticket: Ticket, bytes: u64) -> Option<u64> {
        let index = self.held(start, ticket)?;
        let segment = &mut self.segments[index];
        let bytes = bytes.min(segment.length - segment.written);
        segment.written += bytes;
        let left = segment.length - segment.written;
        self.written_bytes += bytes;
        self.unsynced_bytes += bytes;
        if bytes > 0 {
            self.moved.insert(index);
            self.unsynced.insert(index);
        }
        self.move_front();
        Some(left)
    }

    /// Takes a segment away from whoever holds `ticket` and hands it out anew.
    pub fn hand_over(&mut self, start: u64, ticket: Ticket) -> Option<Taken> {
        self.held(start, ticket).map(|index| self.hand_out(index))
    }

    /// Cuts the segment at `start` so that its last `bytes` become a segment of their own, which
    /// is handed out. Whoever fetches the first half ends where the second begins. `None` when
    /// they are not all still to come.
    pub fn split(&mut self, start: u64, ticket: Ticket, bytes: u64) -> Option<Taken> {
        let index = self.held(start, ticket)?;
        let segment = &mut self.segments[index];
        if bytes == 0 || segment.length - segment.written <= bytes {
            return None;
        }
        segment.length -= bytes;
        let second = Segment {
            start: segment.start + segment.length,
            length: bytes,
            written: 0,
            synced: 0,
        };
        self.segments.insert(index + 1, second);
        self.taken.insert(index + 1, 0);
        for set in [&mut self.moved, &mut self.unsynced] {
            let behind = set.split_off(&(index + 1));
            set.extend(behind.into_iter().map(|index| index + 1));
        }
        Some(self.hand_out(index + 1))
    }

    fn hand_out(&mut self, index: usize) -> Taken {
        self.last_ticket += 1;
        self.taken[index] = self.last_ticket;
        Taken {
            ticket: self.last_ticket,
            segment: self.segments[index],
        }
    }

    /// Where the segment at `start` stands, if `ticket` is the right to it.
    fn held(&self, start: u64, ticket: Ticket) -> Option<usize> {
        let index = self.at(start)?;
        (self.taken[index] == ticket && ticket != 0).then_some(index)
    }

    fn at(&self, start: u64) -> Option<usize> {
        self.segments
            .binary_search_by_key(&start, |segment| segment.start)
            .ok()
    }

    /// The marks that a sync which begins now will prove: start and written bytes of every
    /// segment that has unsynced bytes.
    pub fn marks(&self) -> Vec<(u64, u64)> {
        self.unsynced
            .iter()
            .map(|&index| (self.segments[index].start, self.segments[index].written))
            .collect()
    }

    /// Raises the synced marks to what `marks` said before the sync that has now succeeded.
    pub fn synced(&mut self, marks: &[(u64, u64)]) {
        for &(start, mark) in marks {
            let Some(index) = self.at(start) else { continue };
            let segment = &mut self.segments[index];
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
        (self.front..self.segments.len()).find(|&i| self.taken[i] == 0 && !self.segments[i].is_written())
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
            let never_longer = segments.windows(2).all(|pair| pair[0].length >= pair[1].length);
            assert!(never_longer, "{size}");
            let last: u64 = segments.iter().rev().take(connections).map(|s| s.length).sum();
            assert!(last <= connections as u64 * MIN_SEGMENT_BYTES, "{size}");
        }
        assert!(cut(0, 8).is_empty() && Layout::new(vec![]).is_written());
    }

    #[test]
    fn segments_are_handed_out_from_the_front_and_never_twice() {
        let mut layout = Layout::new(cut(40 << 20, 1));
        let (first, second) = (layout.take().unwrap(), layout.take().unwrap());
        assert_eq!((first.segment.start, second.segment.start), (0, 32 << 20));
        layout.give_back(0, first.ticket);
        assert_eq!(layout.take().unwrap().segment.start, 0);
    }

    #[test]
    fn who_lost_a_segment_moves_no_mark_of_it() {
        let mut layout = Layout::new(cut(8 << 20, 1));
        let slow = layout.take().unwrap();
        assert_eq!(layout.advance(0, slow.ticket, 100), Some((8 << 20) - 100));
        let quick = layout.hand_over(0, slow.ticket).unwrap();
        assert_eq!(quick.segment.written, 100);
        assert_eq!(layout.advance(0, slow.ticket, 100), None);
        layout.give_back(0, slow.ticket);
        assert!(layout.take().is_none(), "it is still taken by the other");
        assert_eq!(layout.advance(0, quick.ticket, u64::MAX), Some(0));
        assert!(layout.is_written());
    }

    #[test]
    fn the_rest_of_a_segment_goes_to_another_and_both_end_where_they_meet() {
        let mut layout = Layout::new(cut(24 << 20, 3));
        let slow = layout.take().unwrap();
        let next = layout.take().unwrap();
        layout.advance(next.segment.start, next.ticket, 1 << 20);
        layout.advance(0, slow.ticket, 1 << 20);
        assert!(
            layout.split(0, slow.ticket, 7 << 20).is_none(),
            "none would be left"
        );
        let rest = layout.split(0, slow.ticket, 4 << 20).unwrap();
        assert_eq!((rest.segment.start, rest.segment.length), (4 << 20, 4 << 20));
        assert_eq!(layout.marks(), [(0, 1 << 20), (8 << 20, 1 << 20)]);
        assert_eq!(layout.room(0, slow.ticket), Some(3 << 20));
        assert_eq!(layout.advance(0, slow.ticket, 7 << 20), Some(0));
        assert_eq!(layout.contiguous_bytes(), 4 << 20);
        layout.advance(4 << 20, rest.ticket, 4 << 20);
        assert_eq!(layout.contiguous_bytes(), 9 << 20);
        assert!(layout.covers(24 << 20));
    }

    proptest! {
        #[test]
        fn marks_stay_ordered_whatever_the_connections_do(moves in prop::collection::vec((0usize..6, 1u64..9 << 20), 1..60)) {
            let size = 30 << 20;
            let mut layout = Layout::new(cut(size, 4));
            let mut held: Vec<(u64, Ticket)> = Vec::new();
            for (what, bytes) in moves {
                match what {
                    0 | 1 => if let Some(taken) = layout.take() {
                        layout.advance(taken.segment.start, taken.ticket, bytes);
                        if what == 0 {
                            layout.give_back(taken.segment.start, taken.ticket);
                        } else {
                            held.push((taken.segment.start, taken.ticket));
                        }
                    },
                    2 => { let marks = layout.marks(); layout.synced(&marks); }
                    3 => {
                        let marks: Vec<_> = layout.segments().iter().map(|s| (s.start, u64::MAX)).collect();
                        layout.synced(&marks);
                    }
                    4 => if let Some(&(start, ticket)) = held.last() {
                        held.extend(layout.split(start, ticket, bytes / 2).map(|taken| (taken.segment.start, taken.ticket)));
                    },
                    _ => if let Some((start, ticket)) = held.pop() {
                        layout.advance(start, ticket, bytes);
                        if let Some(taken) = layout.hand_over(start, ticket) {
                            layout.give_back(start, taken.ticket);
                        }
                    },
                }
                prop_assert!(layout.covers(size));
                let sum = |of: fn(&Segment) -> u64| layout.segments().iter().map(of).sum::<u64>();
                prop_assert_eq!(layout.written_bytes(), sum(|s| s.written));
                prop_assert_eq!(layout.unsynced_bytes(), sum(|s| s.written - s.synced));
                let unsynced: Vec<_> = layout.segments().iter().filter(|s| s.synced < s.written).map(|s| (s.start, s.written)).collect();
                prop_assert_eq!(layout.marks(), unsynced);
                let front = layout.segments().iter().take_while(|s| s.is_written()).count();
                let expected = layout.segments().get(front).map_or(size, |s| s.start + s.written);
                prop_assert_eq!(layout.contiguous_bytes(), expected);
            }
        }
    }
}
