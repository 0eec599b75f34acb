//! What holds after each step, by the names of the rules. I8 is in [`Simulation::come_to_rest`];
//! I10, no token beyond the Hub, is a rule of sockets, which `swarm`, `faults` and `hub_client` hold.

use std::collections::BTreeSet;

use hfdepot::model::repo::BlobId;
use hfdepot::model::state::JobStatus;

use super::world::{CELLS, Cell, UNMARKED_MAX, UNSYNCED_MAX};
use super::{ACTIVE_MAX, REPOS, Run, Simulation, run};
use crate::support::ledger::{Rows, status};

/// Sequence number and number of the run of every lease.
pub fn leases(rows: &Rows) -> BTreeSet<(i64, i64)> {
    let held = rows
        .iter()
        .filter_map(|(seq, (_, epoch))| Some((*seq, (*epoch)?)));
    held.collect()
}

impl Simulation {
    pub(super) async fn check(&mut self) {
        let rows = self.ledger.rows().await;
        self.i2_what_has_ended_stays(&rows);
        self.i3_one_run_a_job(&rows);
        self.i4_marks_tell_the_truth().await;
        self.i5_what_is_published_is_right();
        self.i6_nothing_comes_twice_without_a_reason();
        self.i7_who_follows_the_changes_knows_all(&rows);
        self.i9_every_part_has_its_row().await;
    }

    /// I1: what was acknowledged is there after a restart, whatever was lost.
    pub(super) fn i1_what_was_acknowledged_is_there(&self, rows: &Rows) {
        for told in &self.told {
            let now = status(rows, told.seq);
            let kept = match (told.status, now) {
                // A run goes on from the queue; what it waits for is no promise.
                (Some(JobStatus::Running), Some(JobStatus::Queued)) => true,
                (told, now) => told == now,
            };
            assert!(kept, "I1: {told:?} is {now:?} after the restart");
        }
    }

    /// I2: what has ended, or is paused, stays so until its user says otherwise.
    fn i2_what_has_ended_stays(&self, rows: &Rows) {
        for told in &self.told {
            let now = status(rows, told.seq);
            match told.status {
                None => assert_eq!(now, None, "I2: {told:?}"),
                Some(last) if last.is_terminal() || last == JobStatus::Paused => {
                    assert_eq!(now, Some(last), "I2: {told:?}");
                }
                Some(_) => assert!(now.is_some_and(JobStatus::is_live), "I2: {told:?} is {now:?}"),
            }
        }
    }

    /// I3: at most one run holds a job, and there are no more than allowed.
    fn i3_one_run_a_job(&self, rows: &Rows) {
        let leases = leases(rows);
        assert!(leases.len() <= ACTIVE_MAX, "I3: {leases:?}");
        let runs: Vec<_> = self.runs.iter().chain(&self.hung).map(Run::key).collect();
        for lease in &leases {
            let holders = runs.iter().filter(|run| *run == lease).count();
            assert_eq!(holders, 1, "I3: {lease:?} of {leases:?} is held {holders} times");
        }
    }

    /// I4: every mark names bytes that are there: synced ones on the platter, written ones in sight.
    async fn i4_marks_tell_the_truth(&mut self) {
        let machine = self.machine();
        for (&blob, disk) in &self.world.parts {
            let Some(part) = self.ledger.part(blob).await else {
                continue;
            };
            // A row about another file is void.
            if part.identity.inode != disk.inode {
                continue;
            }
            let same_boot = part.identity.boot_id == machine;
            for segment in &part.segments {
                let start = segment.start as usize;
                let there =
                    |cells: &[Cell], bytes: u64| !cells[start..start + bytes as usize].contains(&Cell::Hole);
                assert!(
                    there(&disk.kept, segment.synced),
                    "I4: {blob}: {segment:?} is not on the platter"
                );
                assert!(
                    !same_boot || there(&disk.seen, segment.written),
                    "I4: {blob}: {segment:?} was never written"
                );
            }
        }
    }

    /// I5: what has a final name has the right bytes.
    fn i5_what_is_published_is_right(&self) {
        for (blob, content) in &self.world.published {
            let right = content.iter().all(|cell| *cell == Cell::Right);
            assert!(right, "I5: {blob}: {content:?}");
        }
    }

    /// I6: bytes come again for a reason only.
    fn i6_nothing_comes_twice_without_a_reason(&self) {
        for (blob, fetched) in &self.world.fetched {
            let allowed = CELLS as u64 + self.world.excused.get(blob).copied().unwrap_or(0);
            assert!(
                *fetched <= allowed,
                "I6: {blob}: {fetched} bytes fetched, {allowed} allowed"
            );
        }
    }

    /// The second half of I6: what no mark tells of is lost, and a crash costs no more than its bound.
    /// `fenced`: blobs of runs that had lost their job, whose marks count for nothing.
    pub(super) async fn i6_a_crash_costs_its_bound(&mut self, power_was_cut: bool, fenced: &[BlobId]) {
        let blobs: Vec<_> = self.world.parts.keys().copied().collect();
        for blob in blobs {
            let lost = self.lose_what_no_mark_tells_of(blob, power_was_cut).await;
            let bound = if power_was_cut { UNSYNCED_MAX } else { UNMARKED_MAX };
            assert!(
                lost <= bound || fenced.contains(&blob),
                "I6: a crash cost {lost} bytes of {blob}, {bound} allowed"
            );
        }
    }

    /// Clears what the next run will not believe; gives how many bytes of the part that is.
    pub(super) async fn lose_what_no_mark_tells_of(&mut self, blob: BlobId, power_was_cut: bool) -> u64 {
        let row = self.ledger.part(blob).await;
        let Some(disk) = self.world.parts.get_mut(&blob) else {
            return 0;
        };
        // What came, though a cut may have taken it from the disk.
        let had = disk.had;
        let mut seen = [Cell::Hole; CELLS];
        for segment in row
            .iter()
            .filter(|row| row.identity.inode == disk.inode)
            .flat_map(|row| &row.segments)
        {
            let mark = if power_was_cut {
                segment.synced
            } else {
                segment.written
            };
            let span = segment.start as usize..(segment.start + mark) as usize;
            seen[span.clone()].copy_from_slice(&disk.seen[span]);
        }
        disk.seen = seen;
        let lost = had - disk.bytes();
        disk.had = disk.bytes();
        self.world.excuse(blob, lost);
        lost
    }

    /// I7: who follows the changes ends with what the store says.
    fn i7_who_follows_the_changes_knows_all(&mut self, rows: &Rows) {
        while let Ok(seq) = self.changes.try_recv() {
            let row = rows.get(&seq).unwrap_or_else(|| panic!("I7: no job {seq}"));
            self.mirror.insert(seq, row.0.clone());
        }
        for told in &self.told {
            let (mirror, row) = (self.mirror.get(&told.seq), rows.get(&told.seq));
            assert_eq!(mirror, row.map(|row| &row.0), "I7: {told:?}");
        }
    }

    /// I9: whatever ends at any moment, no part file is there that no row knows.
    async fn i9_every_part_has_its_row(&mut self) {
        let parts: Vec<_> = self.world.parts.keys().copied().collect();
        for blob in parts {
            assert!(self.ledger.part(blob).await.is_some(), "I9: {blob} has no row");
        }
    }

    /// I9: no part file is left, and no row whose file nobody wants.
    pub(super) async fn i9_nothing_is_left(&mut self) {
        self.clean().await;
        assert!(self.world.parts.is_empty(), "I9: {:?}", self.world.parts);
        for blob in (0..REPOS).flat_map(run::files).map(|file| file.blob_id) {
            let row = self.ledger.part(blob).await;
            assert!(row.is_none(), "I9: {row:?}");
        }
    }
}
