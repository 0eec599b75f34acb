//! Seeded simulation: runs over the real store, a disk that forgets, a Hub that fails, users who
//! change their minds, kills and losses of power, in any order. After each step the rules of
//! storage hold; once the faults end, every job does too.
//!
//! One number is a whole run. A failure prints it, and `HFDEPOT_SEED=<number> cargo test
//! --test all simulation` runs it again; `HFDEPOT_SEEDS=<count>` runs so many instead of a few.
//!
//! A loss of power takes every commit since the last promise (and a random one of those moments
//! comes back), as SQLite's WAL does. Time, sockets and the engine's threads are not simulated:
//! `resume` and `tests/crash` see to those.

mod run;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hfdepot::model::destination::Destination;
use hfdepot::model::job::{JobId, Verify};
use hfdepot::model::state::{Intent, JobStatus, WaitReason};
use hfdepot::store::{Change, Outcome, Store, Submitted};
use tempfile::TempDir;

use self::run::{Next, Run};
use self::world::{Fault, World, swarm};
use crate::support::base::FOLDER;
use crate::support::depot::{figure_in, request};

/// Seeds of a run that asks for none.
const SEEDS: u64 = 24;
/// Steps with faults.
const STEPS: usize = 150;
/// Steps within which every job must have ended once the faults have.
const PATIENCE: usize = 1_500;
const MAX_ACTIVE: usize = 2;
const REPOS: usize = 3;

/// The database file and its log at one moment.
type Image = (Vec<u8>, Vec<u8>);

struct Simulation {
    chance: fastrand::Rng,
    faults: BTreeSet<Fault>,
    world: World,
    dir: TempDir,
    /// Where the database is now: another folder after each loss of power.
    place: PathBuf,
    store: Store,
    boots: usize,
    /// Starts of the machine, not of the service.
    machine_boots: usize,
    runs: Vec<Run>,
    /// What the user was told of each job; `None` is dismissed.
    told: BTreeMap<JobId, Option<JobStatus>>,
    /// The database as the last promise left it, and each moment since.
    images: Vec<Image>,
    /// Promises of this store that `images` knows of.
    promises: u64,
}

fn image(dir: &Path) -> Image {
    let read = |name| std::fs::read(dir.join(name)).unwrap_or_default();
    (read("hfdepot.db"), read("hfdepot.db-wal"))
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        // In memory where there is such a place: thousands of promises are made.
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() {
            tempfile::tempdir_in(shm)
        } else {
            tempfile::tempdir()
        };
        let dir = dir.expect("a directory");
        let store = Store::open(&dir.path().join("hfdepot.db"))
            .await
            .expect("a database");
        Self {
            faults: swarm(&mut chance),
            chance,
            world: World::default(),
            images: vec![image(dir.path())],
            promises: store.promises().await,
            place: dir.path().to_owned(),
            dir,
            store,
            boots: 0,
            machine_boots: 0,
            runs: vec![],
            told: BTreeMap::new(),
        }
    }

    fn machine(&self) -> String {
        format!("machine {}", self.machine_boots)
    }

    fn owner(&self) -> std::sync::Arc<str> {
        format!("service {}", self.boots).into()
    }

    /// Notes what a loss of power would leave now.
    async fn note_commit(&mut self) {
        let promises = self.store.promises().await;
        let now = image(&self.place);
        // A promise that changed nothing wrote nothing, and so made nothing else durable.
        let is_new = self.images.last() != Some(&now);
        if promises > self.promises && is_new {
            self.images.clear();
        }
        if is_new {
            self.images.push(now);
        }
        self.promises = promises;
    }

    async fn step(&mut self) {
        match self.chance.u8(..100) {
            0..14 => self.submit().await,
            14..30 => self.change().await,
            30..45 => self.claim().await,
            45..90 => self.step_run().await,
            90..93 => {
                let reasons = [WaitReason::Offline, WaitReason::Disk];
                self.store
                    .wake_waiting(&reasons)
                    .await
                    .expect("the database works");
            }
            93 => self.world.full = self.faults.contains(&Fault::DiskFull) && !self.world.full,
            94 if self.faults.contains(&Fault::PartGone) => {
                if let Some((&blob, _)) = self.world.parts.iter().next() {
                    self.world.parts.remove(&blob);
                    self.world.excuse(blob, world::CELLS);
                }
            }
            95..97 if self.faults.contains(&Fault::Kill) => self.restart(false).await,
            97 if self.faults.contains(&Fault::PowerCut) => self.restart(true).await,
            98 => self.clean().await,
            _ => {}
        }
        self.note_commit().await;
        self.check().await;
    }

    async fn submit(&mut self) {
        let wanted = request(&format!("o/r{}", self.chance.usize(..REPOS)));
        let submitted = self
            .store
            .submit(&wanted, &Destination::cache("/hub"), Verify::Size, "ann")
            .await;
        if let Submitted::New(job) = submitted.expect("the database works") {
            self.told.insert(job.id, Some(JobStatus::Queued));
        }
    }

    async fn change(&mut self) {
        let ids: Vec<_> = self.told.keys().cloned().collect();
        let Some(id) = self.chance.choice(&ids) else {
            return;
        };
        let changes = [
            Change::Pause,
            Change::Resume,
            Change::Resume,
            Change::Cancel,
            Change::Retry,
            Change::Dismiss,
        ];
        let change = *self.chance.choice(&changes).expect("some");
        let allowed = self
            .store
            .change(id, change, "bob")
            .await
            .expect("the database works");
        if allowed.is_ok() {
            let status = self.status(id).await;
            self.told.insert(id.clone(), status);
            if matches!(change, Change::Cancel | Change::Dismiss) {
                // What was fetched for it may go with it.
                for file in self.store.files(id, 10, 0).await.unwrap_or_default() {
                    self.world.excuse(file.blob_id, world::CELLS);
                }
                (0..REPOS)
                    .flat_map(run::files)
                    .for_each(|file| self.world.excuse(file.blob_id, world::CELLS));
            }
        }
    }

    async fn claim(&mut self) {
        if self.runs.len() < MAX_ACTIVE
            && let Some(claimed) = self.store.claim(&self.owner()).await.expect("the database works")
        {
            self.runs.push(Run::new(claimed.job, claimed.lease));
        }
    }

    async fn step_run(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let index = self.chance.usize(..self.runs.len());
        let unwanted = self
            .store
            .unwanted_runs(&self.owner())
            .await
            .expect("the database works");
        let machine = self.machine();
        let others = (0..self.runs.len()).filter(|other| *other != index);
        let taken: Vec<_> = others.filter_map(|other| self.runs[other].blob()).collect();
        let run = &mut self.runs[index];
        let is_unwanted = unwanted
            .iter()
            .any(|(seq, epoch, _): &(i64, i64, Intent)| (*seq, *epoch) == (run.job.seq, run.lease.epoch()));
        let next = if is_unwanted {
            run.settle(&self.store, Outcome::Released)
                .await
                .unwrap_or(Next::Lost)
        } else {
            let (faults, mut dice) = (&self.faults, self.chance.fork());
            let mut strikes = |fault| faults.contains(&fault) && dice.u8(..12) == 0;
            run.step(
                &taken,
                &self.store,
                &mut self.world,
                &machine,
                &mut strikes,
                &mut self.chance,
            )
            .await
        };
        match next {
            Next::On => {}
            Next::Lost => drop(self.runs.remove(index)),
            Next::Ended(status) => {
                let run = self.runs.remove(index);
                if let Some(told @ Some(_)) = self.told.get_mut(&run.job.id) {
                    *told = Some(status);
                }
            }
        }
    }

    /// The service dies, and with it the power of the whole machine when it is cut; then it starts again.
    async fn restart(&mut self, power_is_cut: bool) {
        let begun: Vec<_> = self.world.parts.keys().copied().collect();
        begun
            .into_iter()
            .for_each(|blob| self.world.excuse(blob, world::CELLS));
        self.runs.clear();
        if power_is_cut {
            self.store.close().await;
            let moment = self.chance.usize(..self.images.len());
            let (database, log) = self.images.swap_remove(moment);
            // The connections to the old files end by and by, and would touch new ones there.
            self.machine_boots += 1;
            self.place = self.dir.path().join(self.machine_boots.to_string());
            std::fs::create_dir(&self.place).expect("created");
            std::fs::write(self.place.join("hfdepot.db"), database).expect("written");
            std::fs::write(self.place.join("hfdepot.db-wal"), log).expect("written");
            self.world.lose_power(&mut self.chance);
        }
        self.boots += 1;
        self.store = Store::open(&self.place.join("hfdepot.db"))
            .await
            .expect("the database opens");
        self.promises = 0;
        self.images = vec![image(&self.place)];
        self.store
            .recover(&self.owner())
            .await
            .expect("the database works");
        self.note_commit().await;
        for (id, told) in self.told.clone() {
            let now = self.status(&id).await;
            let kept = match (told, now) {
                // A run goes on from the queue; what it waits for is no promise.
                (Some(JobStatus::Running), Some(JobStatus::Queued)) => true,
                (told, now) => told == now,
            };
            assert!(
                kept,
                "{id} was {told:?} to its user and is {now:?} after the restart"
            );
        }
    }

    /// What the worker loop does with parts that no job wants.
    async fn clean(&mut self) {
        for (folder, blob) in self.store.unwanted_parts().await.expect("the database works") {
            if self.runs.iter().any(|run| run.blob() == Some(blob)) {
                continue;
            }
            self.world.parts.remove(&blob);
            self.store
                .forget_part(&folder, blob)
                .await
                .expect("the database works");
        }
    }

    async fn status(&self, id: &JobId) -> Option<JobStatus> {
        self.store
            .job(id)
            .await
            .expect("the database works")
            .map(|job| job.status)
    }

    async fn check(&mut self) {
        self.world.check_published();
        self.world.check_fetched();
        for blob in (0..REPOS)
            .flat_map(run::files)
            .map(|file| file.blob_id)
            .collect::<BTreeSet<_>>()
        {
            if let Some(part) = self.store.part(FOLDER, blob).await.expect("the database works") {
                let inode = self.world.parts.get(&blob).map(|disk| disk.inode);
                // A row about another file is void.
                if inode == Some(part.identity.inode) {
                    let same_boot = part.identity.boot_id == self.machine();
                    self.world.check_marks(blob, &part.segments, same_boot);
                }
            }
        }
        for (id, told) in &self.told {
            let now = self.status(id).await;
            match told {
                None => assert_eq!(now, None, "{id} was dismissed"),
                Some(told) if told.is_terminal() => assert_eq!(now, Some(*told), "{id} had ended"),
                Some(JobStatus::Paused) => assert_eq!(now, Some(JobStatus::Paused), "{id}"),
                Some(_) => assert!(
                    now.is_some_and(|now| now.is_live()),
                    "{id} is {now:?}, told {told:?}"
                ),
            }
        }
        let held = "SELECT COUNT(*) FROM job WHERE lease_owner IS NOT NULL";
        assert!(
            figure_in(&self.place, held).await <= MAX_ACTIVE as i64,
            "more runs than allowed"
        );
    }

    /// With all faults over, every live job ends as completed and nothing is left behind.
    async fn come_to_rest(&mut self) {
        self.faults.clear();
        self.world.full = false;
        for (id, told) in self.told.clone() {
            if told == Some(JobStatus::Paused) {
                let resumed = self
                    .store
                    .change(&id, Change::Resume, "bob")
                    .await
                    .expect("the database works");
                resumed.expect("a paused job resumes");
                self.told.insert(id, Some(JobStatus::Queued));
            }
        }
        for _ in 0..PATIENCE {
            let live = self
                .told
                .values()
                .flatten()
                .filter(|status| status.is_live())
                .count();
            if live == 0 && self.runs.is_empty() {
                break;
            }
            let reasons = [WaitReason::Offline, WaitReason::Disk];
            self.store
                .wake_waiting(&reasons)
                .await
                .expect("the database works");
            self.claim().await;
            self.step_run().await;
        }
        self.check().await;
        for (id, told) in &self.told {
            assert!(
                told.is_none_or(JobStatus::is_terminal),
                "{id} never ended: {told:?}"
            );
        }
        self.clean().await;
        assert!(
            self.world.parts.is_empty(),
            "parts nobody knows: {:?}",
            self.world.parts
        );
        assert_eq!(figure_in(&self.place, "SELECT COUNT(*) FROM part").await, 0);
    }
}

/// One whole run.
fn simulate(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut simulation = Simulation::new(seed).await;
        for _ in 0..STEPS {
            simulation.step().await;
        }
        simulation.come_to_rest().await;
    });
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

#[test]
fn no_order_of_faults_and_commands_breaks_a_promise() {
    if let Some(seed) = number("HFDEPOT_SEED") {
        return simulate(seed);
    }
    let begun = std::time::Instant::now();
    let first = fastrand::u64(..u64::MAX / 2);
    let count = number("HFDEPOT_SEEDS").unwrap_or(SEEDS);
    for seed in first..first + count {
        if let Err(panic) = std::panic::catch_unwind(|| simulate(seed)) {
            eprintln!("the simulation fails with HFDEPOT_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    eprintln!(
        "{count} seeds from {first}, {:.0} a minute",
        count as f64 / minutes
    );
}
