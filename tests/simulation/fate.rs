//! What befalls the service: time, sleep, sudden deaths, losses of power; and what its own loops do.

use hfdepot::clock;
use hfdepot::model::state::WaitReason;
use hfdepot::store::DATABASE;

use super::rules::leases;
use super::run::Run;
use super::{Simulation, open};
use crate::support::ledger::Moments;

impl Simulation {
    /// Time passes, and the loops of the engine do what they do meanwhile.
    pub(super) async fn pass(&mut self, ms: i64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.set_time((self.now_ms + 50_000).min(end));
            self.heartbeat().await;
        }
    }

    /// The machine sleeps for hours, and the engine finds the clock elsewhere; no run may lose its
    /// job by that.
    pub(super) async fn sleep(&mut self) {
        let before = leases(&self.ledger.rows().await);
        let ms = self.chance.i64(60_000..8 * 3_600_000);
        self.set_time(self.now_ms + ms);
        self.heartbeat().await;
        let after = leases(&self.ledger.rows().await);
        for key in self.runs.iter().map(Run::key).filter(|key| before.contains(key)) {
            assert!(after.contains(&key), "I3: {key:?} lost its job by sleeping");
        }
    }

    pub(super) async fn heartbeat(&mut self) {
        let living: Vec<_> = self.runs.iter().map(|run| run.lease.clone()).collect();
        let taken = self.store.reclaim_expired(&living).await;
        taken.expect("the database works");
    }

    pub(super) fn set_time(&mut self, ms: i64) {
        self.now_ms = ms;
        clock::hold(Some(ms));
    }

    pub(super) async fn wake_those_with_room(&mut self) {
        if !self.world.full {
            let woken = self.store.wake_waiting(&[WaitReason::Disk]).await;
            woken.expect("the database works");
        }
    }

    /// The service dies, and with it the power of the whole machine when it is cut; then it starts again.
    pub(super) async fn restart(&mut self, power_is_cut: bool) {
        let leases = leases(&self.ledger.rows().await);
        let runs = self.runs.drain(..).chain(self.hung.drain(..));
        let fenced = runs.filter(|run| !leases.contains(&run.key()));
        let fenced: Vec<_> = fenced.filter_map(|run| run.held()).collect();
        if power_is_cut {
            let moment = self.moments.any(&mut self.chance);
            // The connections to the old files end by and by, and would touch new ones there.
            self.machine_boots += 1;
            self.place = self.dir.path().join(self.machine_boots.to_string());
            std::fs::create_dir(&self.place).expect("created");
            self.ledger.copy_as_of(moment, &self.place.join(DATABASE));
            self.world.lose_power(&mut self.chance);
        }
        self.boots += 1;
        (self.store, self.ledger) = open(&self.place).await;
        self.changes = self.store.changes();
        self.moments = Moments::begin(&self.store, &self.place.join(DATABASE));
        self.store
            .recover(&self.owner())
            .await
            .expect("the database works");
        self.moments.note();
        let rows = self.ledger.rows().await;
        self.i1_what_was_acknowledged_is_there(&rows);
        self.i6_a_crash_costs_its_bound(power_is_cut, &fenced).await;
        // Who connects now is given everything.
        self.mirror = rows.into_iter().map(|(seq, (shown, _))| (seq, shown)).collect();
    }

    /// What the worker loop does with parts that no job wants.
    pub(super) async fn clean(&mut self) {
        let unwanted = self.store.unwanted_parts().await;
        for (folder, blob) in unwanted.expect("the database works") {
            let mut runs = self.runs.iter().chain(&self.hung);
            if runs.any(|run| run.blob() == Some(blob)) {
                continue;
            }
            self.world.remove(blob);
            let forgotten = self.store.forget_part(&folder, blob).await;
            forgotten.expect("the database works");
        }
    }
}
