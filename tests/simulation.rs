//! Seeded simulation: runs over the real store, a disk that forgets, a Hub that fails, users who
//! change their minds, time that passes, kills and losses of power, in any order. After each step
//! the rules of storage hold (`rules`); once the faults end, every job does too, within minutes.
//!
//! One number is a whole run, time and ids included. A failure prints it, and
//! `HFDEPOT_SEED=<number> cargo test --test all simulation` runs it again; `HFDEPOT_SEEDS=<count>`
//! runs so many instead of a few. The first of each hundred seeds runs twice, and must leave the
//! same trace.
//!
//! A loss of power takes every commit since the last promise (and a random one of those moments
//! comes back), as SQLite's WAL does. The wall clock is the simulation's. Sockets and the engine's
//! own tasks are not simulated: `swarm`, `resume` and `tests/crash` see to those.

mod fate;
mod rules;
mod run;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use hfdepot::clock;
use hfdepot::model::destination::Destination;
use hfdepot::model::job::{JobId, Verify};
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Change, DATABASE, Store, Submitted};
use tempfile::TempDir;
use tokio::sync::broadcast;

use self::run::{Around, Next, Run};
use self::world::{Fault, World, swarm};
use crate::support::depot::request;
use crate::support::ledger::{Ledger, Moments, Shown, status, template};
use crate::support::seeds;

/// Seeds of a run that asks for none.
const SEEDS: u64 = 150;
/// Steps with faults.
const STEPS: usize = 150;
/// Runs at once, at most; a setting lowers it.
const ACTIVE_MAX: usize = 3;
const REPOS: usize = 3;
/// Virtual time in which every job ends once the faults are over (I8): 30 minutes.
const REST_MS: i64 = 30 * 60_000;
/// Where the simulated time begins: 2024-01-15T10:30:00Z.
const DAWN_MS: i64 = 1_705_314_600_000;

/// A job and what its user was told last; `None` is dismissed.
#[derive(Debug, Clone)]
struct Told {
    id: JobId,
    seq: i64,
    status: Option<JobStatus>,
}

struct Simulation {
    chance: fastrand::Rng,
    faults: BTreeSet<Fault>,
    world: World,
    dir: TempDir,
    /// Where the database is now: another folder after each loss of power.
    place: PathBuf,
    store: Store,
    /// What the database says, asked past the store.
    ledger: Ledger,
    boots: usize,
    /// Starts of the machine, not of the service.
    machine_boots: usize,
    now_ms: i64,
    active_max: usize,
    runs: Vec<Run>,
    /// Runs that do nothing at the moment, and whose lease nobody renews.
    hung: Vec<Run>,
    /// In the order of submission.
    told: Vec<Told>,
    changes: broadcast::Receiver<i64>,
    /// What a client that follows the changes shows of each job.
    mirror: BTreeMap<i64, Option<Shown>>,
    /// What a loss of power would leave of the database.
    moments: Moments,
    trace: DefaultHasher,
}

async fn open(dir: &Path) -> (Store, Ledger) {
    let path = dir.join(DATABASE);
    let store = Store::open(&path).await.expect("the database opens");
    (store, Ledger::open(&path).await)
}

impl Simulation {
    async fn new(seed: u64, template: &[u8]) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        clock::hold(Some(DAWN_MS));
        // In memory where there is such a place: thousands of promises are made.
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() {
            tempfile::tempdir_in(shm)
        } else {
            tempfile::tempdir()
        };
        let dir = dir.expect("a directory");
        // Ids of jobs are drawn from here.
        fastrand::seed(seed);
        let database = dir.path().join(DATABASE);
        std::fs::write(&database, template).expect("written");
        let (store, ledger) = open(dir.path()).await;
        Self {
            faults: swarm(&mut chance),
            chance,
            world: World::default(),
            moments: Moments::begin(&store, &database),
            place: dir.path().to_owned(),
            dir,
            changes: store.changes(),
            store,
            ledger,
            boots: 0,
            machine_boots: 0,
            now_ms: DAWN_MS,
            active_max: ACTIVE_MAX,
            runs: vec![],
            hung: vec![],
            told: vec![],
            mirror: BTreeMap::new(),
            trace: DefaultHasher::new(),
        }
    }

    fn machine(&self) -> String {
        format!("machine {}", self.machine_boots)
    }

    fn owner(&self) -> std::sync::Arc<str> {
        format!("service {}", self.boots).into()
    }

    async fn step(&mut self) {
        let has = |faults: &BTreeSet<Fault>, fault| faults.contains(&fault);
        let kind = self.chance.u8(..100);
        match kind {
            0..13 => self.submit().await,
            13..27 => self.change().await,
            27..40 => self.claim().await,
            40..82 => self.step_run().await,
            82..86 => {
                let ms = *self.chance.choice(&[200, 5_000, 40_000, 150_000]).expect("some");
                self.pass(ms).await;
            }
            86 if has(&self.faults, Fault::Sleep) => self.sleep().await,
            87 => self.world.full = has(&self.faults, Fault::DiskFull) && !self.world.full,
            88 => self.world.offline = has(&self.faults, Fault::Offline) && !self.world.offline,
            89 if has(&self.faults, Fault::PartGone) => {
                if let Some((&blob, _)) = self.world.parts.iter().next() {
                    self.world.remove(blob);
                }
            }
            90 if has(&self.faults, Fault::Hang) && !self.runs.is_empty() => {
                let index = self.chance.usize(..self.runs.len());
                self.hung.push(self.runs.remove(index));
            }
            91 => self.runs.append(&mut self.hung),
            92 => {
                self.active_max = self.chance.usize(1..=ACTIVE_MAX);
                while self.runs.len() > self.active_max {
                    let newest = self.runs.len() - 1;
                    self.stop_run(newest).await;
                }
            }
            93..95 if has(&self.faults, Fault::Kill) => self.restart(false).await,
            95 if has(&self.faults, Fault::PowerCut) => self.restart(true).await,
            96 => self.clean().await,
            97 => self.wake_those_with_room().await,
            _ => {}
        }
        self.moments.note();
        self.check().await;
        self.note_trace(kind).await;
    }

    async fn note_trace(&mut self, kind: u8) {
        (kind, self.now_ms, self.runs.len(), self.hung.len()).hash(&mut self.trace);
        for (blob, part) in &self.world.parts {
            (blob.to_string(), part.bytes(), part.inode).hash(&mut self.trace);
        }
        format!("{:?} {:?}", self.mirror, self.world.fetched).hash(&mut self.trace);
    }

    async fn submit(&mut self) {
        let wanted = request(&format!("o/r{}", self.chance.usize(..REPOS)));
        let submitted = self
            .store
            .submit(&wanted, &Destination::cache("/hub"), Verify::Size, "ann")
            .await;
        if let Submitted::New(job) = submitted.expect("the database works") {
            self.told.push(Told {
                id: job.id,
                seq: job.seq,
                status: Some(JobStatus::Queued),
            });
        }
    }

    async fn change(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let index = self.chance.usize(..self.told.len());
        let changes = [
            Change::Pause,
            Change::Resume,
            Change::Resume,
            Change::Cancel,
            Change::Retry,
            Change::Dismiss,
            Change::Hold,
            Change::Start,
        ];
        let change = *self.chance.choice(&changes).expect("some");
        let id = self.told[index].id.clone();
        let allowed = self.store.change(&id, change, "bob").await;
        if allowed.expect("the database works").is_ok() {
            let rows = self.ledger.rows().await;
            self.told[index].status = status(&rows, self.told[index].seq);
        }
    }

    async fn claim(&mut self) {
        if self.runs.len() + self.hung.len() < self.active_max
            && let Some(claimed) = self.store.claim(&self.owner()).await.expect("the database works")
        {
            self.runs.push(Run::new(claimed.job, claimed.lease));
        }
    }

    /// Lets one run do its next step, or stop when its user wants something else.
    async fn step_run(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let index = self.chance.usize(..self.runs.len());
        let owner = self.owner();
        let unwanted = self.ledger.unwanted_runs(&self.store, &owner).await;
        let key = self.runs[index].key();
        if unwanted.contains(&key) {
            return self.stop_run(index).await;
        }
        let mut run = self.runs.remove(index);
        let next = run.step(&mut self.around()).await;
        self.after(run, next, index).await;
    }

    async fn stop_run(&mut self, index: usize) {
        let mut run = self.runs.remove(index);
        let next = run.stop(&mut self.around()).await;
        self.after(run, next, index).await;
    }

    fn around(&mut self) -> Around<'_> {
        let boot = self.machine();
        let others = self.runs.iter().chain(&self.hung);
        Around {
            boot,
            taken: others.filter_map(Run::blob).collect(),
            store: &self.store,
            world: &mut self.world,
            faults: &self.faults,
            chance: &mut self.chance,
        }
    }

    async fn after(&mut self, run: Run, next: Next, index: usize) {
        match next {
            Next::On => self.runs.insert(index, run),
            Next::Lost => {
                // Its marks counted for nothing since it lost the job.
                if let Some(blob) = run.held() {
                    self.lose_what_no_mark_tells_of(blob, false).await;
                }
            }
            Next::Ended(status) => {
                let told = self.told.iter_mut().find(|told| told.seq == run.job.seq);
                if let Some(told) = told.filter(|told| told.status.is_some()) {
                    told.status = Some(status);
                }
            }
        }
    }

    /// I8: with all faults over, every live job ends within minutes; and I9.
    async fn come_to_rest(&mut self) {
        self.faults.clear();
        (self.world.full, self.world.offline) = (false, false);
        self.active_max = ACTIVE_MAX;
        self.runs.append(&mut self.hung);
        for index in 0..self.told.len() {
            if self.told[index].status == Some(JobStatus::Paused) {
                let id = self.told[index].id.clone();
                let resumed = self.store.change(&id, Change::Resume, "bob").await;
                let resumed = resumed.expect("the database works");
                resumed.expect("a paused job resumes");
                self.told[index].status = Some(JobStatus::Queued);
            }
        }
        let deadline = self.now_ms + REST_MS;
        loop {
            let lives = |told: &Told| told.status.is_some_and(JobStatus::is_live);
            if self.runs.is_empty() && !self.told.iter().any(lives) {
                break;
            }
            assert!(self.now_ms < deadline, "I8: never at rest: {:?}", self.told);
            self.pass(if self.runs.is_empty() { 10_000 } else { 1_000 }).await;
            self.wake_those_with_room().await;
            self.claim().await;
            for _ in 0..4 * ACTIVE_MAX {
                self.step_run().await;
            }
        }
        self.check().await;
        // One that failed keeps what it has for another try, as long as it is on the list.
        for told in self
            .told
            .iter_mut()
            .filter(|told| told.status == Some(JobStatus::Failed))
        {
            let dismissed = self.store.change(&told.id, Change::Dismiss, "bob").await;
            let dismissed = dismissed.expect("the database works");
            dismissed.expect("a failed job is dismissed");
            told.status = None;
        }
        self.i9_nothing_is_left().await;
        self.note_trace(u8::MAX).await;
    }
}

/// One whole run; gives its trace.
fn simulate(seed: u64) -> u64 {
    let template = template();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut simulation = Simulation::new(seed, template).await;
        for _ in 0..STEPS {
            simulation.step().await;
        }
        simulation.come_to_rest().await;
        simulation.trace.finish()
    })
}

#[test]
fn no_order_of_faults_and_commands_breaks_a_promise() {
    seeds::run("simulation", SEEDS, |seed, number| {
        let trace = simulate(seed);
        // Else a seed would say nothing about a failure.
        if number.is_multiple_of(100) {
            assert_eq!(simulate(seed), trace, "the same seed went another way");
        }
    });
}
