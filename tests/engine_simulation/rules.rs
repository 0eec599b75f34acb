//! What holds after each step, by the names of the rules. I4, marks that never lead the disk, and
//! I6, what the end of a life costs, are in `bytes`.

use std::collections::BTreeSet;
use std::time::Duration;

use hfdepot::model::state::JobStatus;
use tokio::sync::broadcast::error::TryRecvError;

use super::life::cache;
use super::{ACTIVE_MAX, CONTENTS, REPOS, Simulation};
use crate::support::depot::{assert_blobs, names};
use crate::support::ledger::{Rows, status};

/// Time in which a lower limit acts: a second, and what a run needs to sync what it has.
const SETTLED: Duration = Duration::from_secs(2);

const MINUTE: Duration = Duration::from_secs(60);
const STORM: usize = 3 * 5 * 2 * 10;

fn folder_of(repo: usize) -> String {
    format!("models--acme--r{repo}")
}

impl Simulation {
    /// Every job that was ever acknowledged.
    pub(super) fn rows(&mut self) -> Rows {
        let life = self.life.as_mut().expect("it lives");
        life.clock.run_outside(life.ledger.rows())
    }

    pub(super) fn check(&mut self) {
        let rows = self.rows();
        self.i2_what_has_ended_stays(&rows);
        self.i3_no_more_runs_than_allowed(&rows);
        self.i7_who_follows_the_changes_knows_all();
    }

    /// I1: what was acknowledged is there after a restart, whatever was lost.
    pub(super) fn i1_what_was_acknowledged_is_there(&mut self) {
        let rows = self.rows();
        for told in &self.told {
            let now = status(&rows, told.seq);
            let kept = match told.status {
                // It goes on, and may have ended before it was looked at.
                Some(JobStatus::Queued) => {
                    now.is_some_and(|now| !matches!(now, JobStatus::Paused | JobStatus::Cancelled))
                }
                told => told == now,
            };
            assert!(kept, "I1: {told:?} is {now:?} after the restart");
        }
    }

    /// I2: what has ended, or is paused, stays so until its user says otherwise.
    fn i2_what_has_ended_stays(&mut self, rows: &Rows) {
        for index in 0..self.told.len() {
            let told = &self.told[index];
            let now = status(rows, told.seq);
            match (told.status, now) {
                (Some(JobStatus::Queued), Some(JobStatus::Queued | JobStatus::Running)) => {}
                (Some(JobStatus::Queued), Some(JobStatus::Completed | JobStatus::Failed)) => {
                    self.told[index].status = now;
                }
                (told, now) if told == now => {}
                _ => panic!("I2: {told:?} is {now:?} {}", self.story(index)),
            }
        }
    }

    /// I3: no more runs hold jobs than are allowed.
    fn i3_no_more_runs_than_allowed(&self, rows: &Rows) {
        let settled = self.line.now() > self.settings_since + SETTLED;
        let most = if settled {
            self.settings.max_active
        } else {
            ACTIVE_MAX
        };
        let leases: BTreeSet<_> = rows
            .iter()
            .filter_map(|(seq, (_, epoch))| Some((*seq, (*epoch)?)))
            .collect();
        assert!(leases.len() <= most, "I3: {leases:?} are more than {most}");
    }

    /// I7: who follows the changes ends with what the store says.
    fn i7_who_follows_the_changes_knows_all(&mut self) {
        // A change is told of after its commit: what differs must be a change on its way.
        for attempt in 0.. {
            let mut told = BTreeSet::new();
            let mut everything = false;
            let life = self.life.as_mut().expect("it lives");
            loop {
                match life.changes.try_recv() {
                    Ok(seq) => _ = told.insert(seq),
                    // As the live feed does: it begins anew with everything.
                    Err(TryRecvError::Lagged(_)) => everything = true,
                    Err(_) => break,
                }
            }
            // Who is told looks, in this order.
            let rows = self.rows();
            for (seq, (shown, _)) in rows.iter().filter(|(seq, _)| everything || told.remove(seq)) {
                self.mirror.insert(*seq, shown.clone());
            }
            assert!(everything || told.is_empty(), "I7: no jobs {told:?}");
            let differs = |(seq, (shown, _)): &(&i64, &(_, _))| self.mirror.get(seq) != Some(shown);
            match rows.iter().find(differs) {
                None => return,
                Some((seq, row)) => assert!(
                    attempt < 5,
                    "I7: job {seq} is {row:?} and shows as {:?}",
                    self.mirror.get(seq)
                ),
            }
            self.life().clock.pass(Duration::from_millis(1));
        }
    }

    /// What has a final name has the content that the name promises.
    pub(super) fn i5_what_is_published_is_right(&self) {
        for repo in 0..REPOS {
            assert_blobs(&cache(self.dir.path()).join(folder_of(repo)));
        }
    }

    /// I5: every completed job left a snapshot with the right bytes in it.
    pub(super) fn i5_what_has_completed_is_whole(&self) {
        self.i5_what_is_published_is_right();
        for told in self
            .told
            .iter()
            .filter(|told| told.status == Some(JobStatus::Completed))
        {
            let life = self.life();
            let job = life.clock.run_outside(life.store.job(&told.id));
            let commit = job.expect("the database works").and_then(|job| job.commit);
            let commit = commit.expect("what has completed has a commit");
            let repo = cache(self.dir.path()).join(folder_of(told.repo));
            let snapshot = repo.join("snapshots").join(commit.as_str());
            for (path, content) in CONTENTS[told.repo]
                .iter()
                .filter(|(path, _)| told.whole || !path.starts_with("own"))
            {
                let found = std::fs::metadata(snapshot.join(path)).map(|found| found.len());
                assert_eq!(found.ok(), Some(content.size()), "I5: {path} of {told:?}");
            }
        }
    }

    /// Whatever goes wrong, the Hub is asked with pauses: no minute of the simulated clock has more
    /// requests than three jobs need whose every file is asked for ten times.
    pub(super) fn the_hub_is_not_stormed(&self) {
        let entries = self.hub.log().entries();
        for (first, last) in entries.iter().zip(entries.iter().skip(STORM)) {
            let span = last.at.saturating_sub(first.at);
            let (one, other) = (&first.subject, &last.subject);
            assert!(
                span > MINUTE,
                "{STORM} requests within {span:?}, from {one} to {other}"
            );
        }
    }

    /// I9: no part file is left that nobody wants, and nothing but known names.
    pub(super) fn i9_nothing_is_left(&mut self) {
        // The worker deletes what no job wants with its next turns.
        self.life().clock.pass(Duration::from_secs(15));
        for repo in 0..REPOS {
            let folder = cache(self.dir.path()).join(folder_of(repo));
            let parts = names(&folder.join(".hfdepot"));
            let parts: Vec<_> = parts.iter().filter(|name| name.ends_with(".part")).collect();
            assert!(parts.is_empty(), "I9: {} has {parts:?}", folder.display());
            let text = folder.display().to_string();
            let life = self.life();
            let rows = life.clock.run_outside(life.store.part_blobs(&text));
            let rows = rows.expect("the database works");
            assert!(rows.is_empty(), "I9: rows of {rows:?}");
            let known = ["blobs", "refs", "snapshots", "trees", ".hfdepot"];
            let odd: Vec<_> = names(&folder)
                .into_iter()
                .filter(|name| !known.contains(&name.as_str()))
                .collect();
            assert!(odd.is_empty(), "I9: {} has {odd:?}", folder.display());
        }
    }
}
