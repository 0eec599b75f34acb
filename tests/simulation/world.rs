//! The parts of the world that a simulated run meets: a disk that forgets what was not synced, and
//! the cache with its published blobs. A file has [`CELLS`] bytes, each a cell that is a hole,
//! right, or wrong.

use std::collections::{BTreeMap, BTreeSet};

use hfdepot::model::repo::BlobId;
use hfdepot::model::segment::Segment;

/// Bytes of every file.
pub const CELLS: usize = 48;
/// Bytes of every segment.
pub const SEGMENT: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Hole,
    Right,
    Wrong,
}

/// One part file: what a reader sees now, and what is on the platter.
#[derive(Debug, Clone)]
pub struct PartOnDisk {
    pub seen: [Cell; CELLS],
    pub kept: [Cell; CELLS],
    /// Rises when another file takes the place.
    pub inode: i64,
}

/// The disk and the account of what was fetched.
#[derive(Debug, Default)]
pub struct World {
    pub parts: BTreeMap<BlobId, PartOnDisk>,
    pub published: BTreeMap<BlobId, [Cell; CELLS]>,
    pub fetched: BTreeMap<BlobId, usize>,
    /// Bytes that may be fetched again, for a reason.
    pub excused: BTreeMap<BlobId, usize>,
    pub full: bool,
    inodes: i64,
}

impl World {
    /// The part file of `blob`, created when it is missing.
    pub fn open(&mut self, blob: BlobId) -> (&mut PartOnDisk, bool) {
        let created = !self.parts.contains_key(&blob);
        self.inodes += i64::from(created);
        let inode = self.inodes;
        let part = self.parts.entry(blob).or_insert(PartOnDisk {
            seen: [Cell::Hole; CELLS],
            kept: [Cell::Hole; CELLS],
            inode,
        });
        (part, created)
    }

    pub fn excuse(&mut self, blob: BlobId, bytes: usize) {
        *self.excused.entry(blob).or_default() += bytes;
    }

    /// Power is lost: of what was not synced any subset remains, byte by byte.
    pub fn lose_power(&mut self, chance: &mut fastrand::Rng) {
        for part in self.parts.values_mut() {
            for (seen, kept) in part.seen.iter_mut().zip(&part.kept) {
                if chance.bool() {
                    *seen = *kept;
                }
            }
            part.kept = part.seen;
        }
    }

    /// No blob under a final name is other than right.
    pub fn check_published(&self) {
        for (blob, content) in &self.published {
            assert!(
                content.iter().all(|cell| *cell == Cell::Right),
                "{blob}: {content:?}"
            );
        }
    }

    /// No byte is fetched twice without a reason.
    pub fn check_fetched(&self) {
        for (blob, fetched) in &self.fetched {
            let allowed = CELLS + self.excused.get(blob).copied().unwrap_or(0);
            assert!(
                *fetched <= allowed,
                "{blob}: {fetched} bytes fetched, {allowed} allowed"
            );
        }
    }

    /// Every mark names bytes that are there: synced ones on the platter, written ones in sight.
    pub fn check_marks(&self, blob: BlobId, segments: &[Segment], same_boot: bool) {
        let Some(part) = self.parts.get(&blob) else {
            return;
        };
        for segment in segments {
            let start = segment.start as usize;
            let there =
                |cells: &[Cell], bytes: u64| !cells[start..start + bytes as usize].contains(&Cell::Hole);
            assert!(
                there(&part.kept, segment.synced),
                "{blob}: {segment:?} is not on the platter"
            );
            if same_boot {
                assert!(
                    there(&part.seen, segment.written),
                    "{blob}: {segment:?} was never written"
                );
            }
        }
    }
}

/// Empty segments of a new file.
pub fn fresh() -> Vec<Segment> {
    (0..CELLS)
        .step_by(SEGMENT)
        .map(|start| Segment {
            start: start as u64,
            length: SEGMENT as u64,
            written: 0,
            synced: 0,
        })
        .collect()
}

/// Kinds of trouble. Each seed lets a random half of them happen, so that rare ones meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Offline,
    WrongByte,
    SyncFails,
    DiskFull,
    Kill,
    PowerCut,
    PartGone,
}

pub fn swarm(chance: &mut fastrand::Rng) -> BTreeSet<Fault> {
    use Fault::*;
    [Offline, WrongByte, SyncFails, DiskFull, Kill, PowerCut, PartGone]
        .into_iter()
        .filter(|_| chance.bool())
        .collect()
}
