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
/// A new file gets the number of the one that was deleted, as on many a file system.
const INODE: i64 = 3;
/// Unrecorded bytes of a part at which its marks are written: what a kill costs at most.
pub const UNMARKED_MAX: u64 = 4;
/// Unsynced bytes of a part at which it is synced: what a loss of power costs at most.
pub const UNSYNCED_MAX: u64 = 20;

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
    pub inode: i64,
    /// Bytes that came into it, a power cut notwithstanding.
    pub had: u64,
}

impl PartOnDisk {
    /// Bytes that were written.
    pub fn bytes(&self) -> u64 {
        self.seen.iter().filter(|cell| **cell != Cell::Hole).count() as u64
    }
}

/// The disk and the account of what was fetched.
#[derive(Debug, Default)]
pub struct World {
    pub parts: BTreeMap<BlobId, PartOnDisk>,
    pub published: BTreeMap<BlobId, [Cell; CELLS]>,
    pub fetched: BTreeMap<BlobId, u64>,
    /// Bytes that may be fetched again, for a reason.
    pub excused: BTreeMap<BlobId, u64>,
    pub full: bool,
    pub offline: bool,
}

impl World {
    /// The part file of `blob`, created when it is missing.
    pub fn open(&mut self, blob: BlobId) -> (&mut PartOnDisk, bool) {
        let created = !self.parts.contains_key(&blob);
        let part = self.parts.entry(blob).or_insert(PartOnDisk {
            seen: [Cell::Hole; CELLS],
            kept: [Cell::Hole; CELLS],
            inode: INODE,
            had: 0,
        });
        (part, created)
    }

    /// So many bytes of `blob` are lost, and have to come again.
    pub fn excuse(&mut self, blob: BlobId, bytes: u64) {
        *self.excused.entry(blob).or_default() += bytes;
    }

    /// The part file of `blob` is deleted: what it had is lost.
    pub fn remove(&mut self, blob: BlobId) {
        if let Some(part) = self.parts.remove(&blob) {
            self.excuse(blob, part.had);
        }
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
    /// The network goes away, for a while.
    Offline,
    /// The Hub asks to slow down.
    Throttle,
    /// A job cannot be done at all.
    Refusal,
    WrongByte,
    SyncFails,
    DiskFull,
    /// The part file is deleted by another program.
    PartGone,
    /// A run does nothing for as long as it likes, a lost lease included.
    Hang,
    /// The machine sleeps: the wall clock leaps, and everything goes on.
    Sleep,
    Kill,
    PowerCut,
}

pub fn swarm(chance: &mut fastrand::Rng) -> BTreeSet<Fault> {
    use Fault::*;
    let all = [
        Offline, Throttle, Refusal, WrongByte, SyncFails, DiskFull, PartGone, Hang, Sleep, Kill, PowerCut,
    ];
    all.into_iter().filter(|_| chance.bool()).collect()
}
