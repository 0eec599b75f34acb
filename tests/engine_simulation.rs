//! Seeded simulation of the engine itself: the real store, engine, Hub client and disk, a stand-in
//! Hub within the process, and a clock that leaps whenever nothing is under way, so that hours of
//! back-off, `Retry-After`, outages and stalls pass in milliseconds. Faults of the Hub, users who
//! change their minds, settings that change, parts that are deleted, full disks, soft stops,
//! sudden deaths and losses of power come in any order; the rules hold after each step (`rules`),
//! and once the faults end, every job does too, within minutes (I8).
//!
//! `HFDEPOT_SEED=<number> cargo test --test all engine_simulation` does the same things again,
//! `HFDEPOT_SEEDS=<count>` does so many. The seed fixes what is done, and when by the simulated
//! clock; SQLite and the disk work on threads of their own, so the order of what happens at one
//! moment of that clock may differ between two runs of a seed. `simulation` replays exactly.
//!
//! A loss of power takes every commit since the last promise (and one of those moments comes
//! back), and of each part any pages that were not synced; writes find no space, and syncs fail
//! (`platter`). Whenever a life ends, its marks are held against the bytes (`bytes`). What a folder
//! forgets is for `tests/crash`, and sockets are for `swarm`.

mod bytes;
pub mod life;
mod platter;
mod rules;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hfdepot::engine::Tuning;
use hfdepot::hub::Secret;
use hfdepot::model::destination::Destination;
use hfdepot::model::job::{JobId, Verify};
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Change, DATABASE, Submitted};
use tempfile::TempDir;
use tokio::time::Instant;

use self::bytes::Strays;
use self::life::{Life, cache};
use self::platter::Platter;
use self::trouble::Kind;
use crate::support::depot::{request, tuning};
use crate::support::hub::{Content, Hub, Repo, TOKEN};
use crate::support::ledger::{Moments, Shown, template};
use crate::support::seeds;
use crate::support::virtual_time::Timeline;
use crate::support::wire;

const MIB: u64 = 1 << 20;
/// Seeds of a run that asks for none.
const SEEDS: u64 = 40;
/// Things that are done in one run.
const STEPS: usize = 30;
/// Runs at once, at most; a setting lowers it.
const ACTIVE_MAX: usize = 3;
const REPOS: usize = 3;
/// Virtual time in which every job ends once the faults are over (I8): 30 minutes.
const REST: Duration = Duration::from_secs(30 * 60);
/// Where the simulated time begins, UTC milliseconds: 2024-01-15T10:30:00Z. Files of the real disk
/// are from later, so that none is ever taken for one that was left behind long ago.
const DAWN_MS: i64 = 1_705_314_600_000;

/// Files of each repo: a large one (the last is cut into two segments), one that all repos share,
/// and small ones. Made and hashed once.
static CONTENTS: LazyLock<Vec<Vec<(String, Content)>>> = LazyLock::new(|| {
    let shared = Content::generated(3 * MIB / 2, 99);
    let files = |repo: u64| {
        let own_bytes = if repo == 2 {
            9 * MIB
        } else {
            2 * MIB + repo * 700_000
        };
        let mut files = vec![
            ("own.gguf".to_owned(), Content::generated(own_bytes, repo + 1)),
            ("shared.gguf".to_owned(), shared.clone()),
        ];
        files.extend((0..3).map(|file| {
            let small = Content::generated(10_000 + file, 100 * repo + file);
            (format!("small-{file}.json"), small)
        }));
        // Served from memory: to make them again for each answer takes most of a run.
        let made = |content: &Content| Content::from(content.to_bytes().expect("in memory"));
        let files = files.into_iter().map(|(path, content)| (path, made(&content)));
        files.collect()
    };
    (0..REPOS as u64).map(files).collect()
});

fn id_of(repo: usize) -> String {
    format!("acme/r{repo}")
}

/// A job and what its user was told last; `None` is dismissed.
#[derive(Debug, Clone)]
struct Told {
    id: JobId,
    seq: i64,
    repo: usize,
    /// Whether it wants every file of its repo.
    whole: bool,
    status: Option<JobStatus>,
}

struct Simulation {
    chance: fastrand::Rng,
    /// Kinds of trouble that may come.
    kinds: Vec<Kind>,
    line: Arc<Timeline>,
    hub: Arc<Hub>,
    /// What part files are written to.
    platter: Platter,
    dir: TempDir,
    /// Where the database is now: another folder in each life.
    place: PathBuf,
    lives: usize,
    life: Option<Life>,
    moments: Moments,
    settings: Tuning,
    settings_since: Instant,
    /// What was not marked when the last life ended.
    strays: Strays,
    /// Part files of lives in which the disk failed, by inode, and how often it did.
    suspect: BTreeSet<u64>,
    disk_failures: u32,
    /// In the order of submission.
    told: Vec<Told>,
    /// What a client that follows the changes shows of each job.
    mirror: BTreeMap<i64, Option<Shown>>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        // What the engine draws, it draws on this thread.
        fastrand::seed(seed);
        let line = Arc::new(Timeline::new(DAWN_MS));
        let shm = Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm),
            false => tempfile::tempdir(),
        };
        let dir = dir.expect("a directory");
        let place = dir.path().join("0");
        std::fs::create_dir(&place).expect("created");
        std::fs::write(place.join(DATABASE), template()).expect("written");
        let hub = Arc::new(Hub::without_sockets());
        for (repo, files) in CONTENTS.iter().enumerate() {
            let add = |repo: Repo, (path, content): &(String, Content)| match path.ends_with("json") {
                true => repo.file(path, content.clone()),
                false => repo.lfs(path, content.clone()),
            };
            hub.add(files.iter().fold(Repo::model(&id_of(repo)), add));
        }
        hub.set_total_rate(Some(8 * MIB));
        let platter = Platter::new(seed);
        let settings = settings(&hub, &platter);
        let life = Life::begin(&line, &place, settings.clone());
        let moments = Moments::begin(&life.store, &place.join(DATABASE));
        moments.note_at_rest(&life.clock);
        Self {
            kinds: trouble::swarm(&mut chance),
            chance,
            settings_since: line.now(),
            line,
            hub,
            platter,
            dir,
            place,
            lives: 1,
            life: Some(life),
            moments,
            settings,
            strays: Strays::new(),
            suspect: BTreeSet::new(),
            disk_failures: 0,
            told: vec![],
            mirror: BTreeMap::new(),
        }
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("it lives")
    }

    fn step(&mut self) {
        match self.chance.u8(..100) {
            0..20 => self.submit(),
            20..45 => self.change(),
            45..53 => self.tune(),
            53..75 => self.trouble(),
            75..80 => self.die(Death::Stop),
            80..88 => self.die(Death::Kill),
            88..93 => self.die(Death::PowerCut),
            _ => {}
        }
        self.check();
        let pauses = [0, 30, 400, 400, 3_000, 3_000, 20_000, 120_000, 1_200_000];
        let ms_max = *self.chance.choice(&pauses).expect("some");
        self.pass(ms_max);
        self.check();
    }

    /// Time passes; the engine does what is to be done at this moment in any case.
    fn pass(&mut self, ms_max: u64) {
        let pause = Duration::from_millis(self.chance.u64(..=ms_max));
        self.life().clock.pass(pause);
    }

    fn submit(&mut self) {
        let repo = self.chance.usize(..REPOS);
        let mut wanted = request(&id_of(repo));
        let whole = self.chance.u8(..4) > 0;
        if !whole {
            wanted.filters = vec!["shared".to_owned()];
        }
        let verify = *self.chance.choice(&[Verify::Size, Verify::Sha256]).expect("some");
        let cache = Destination::cache(cache(self.dir.path()).display().to_string());
        let life = self.life();
        let submitted = life.clock.run(life.store.submit(&wanted, &cache, verify, "ann"));
        life.engine.wake();
        if let Submitted::New(job) = submitted.expect("the database works") {
            self.told.push(Told {
                id: job.id,
                seq: job.seq,
                repo,
                whole,
                status: Some(JobStatus::Queued),
            });
        }
    }

    fn change(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let changes = [
            Change::Pause,
            Change::Pause,
            Change::Resume,
            Change::Resume,
            Change::Resume,
            Change::Cancel,
            Change::Retry,
            Change::Retry,
            Change::Dismiss,
            Change::Hold,
            Change::Start,
        ];
        let change = *self.chance.choice(&changes).expect("some");
        let index = self.chance.usize(..self.told.len());
        self.tell(index, change);
    }

    /// Gives a command; whether it was allowed.
    fn tell(&mut self, index: usize, change: Change) -> bool {
        let id = self.told[index].id.clone();
        let life = self.life();
        let allowed = life.clock.run(life.store.change(&id, change, "bob"));
        life.engine.wake();
        let allowed = allowed.expect("the database works").is_ok();
        if allowed {
            self.told[index].status = match change {
                Change::Pause | Change::Hold => Some(JobStatus::Paused),
                Change::Cancel => Some(JobStatus::Cancelled),
                Change::Dismiss => None,
                Change::Resume | Change::Retry | Change::Start => Some(JobStatus::Queued),
            };
        }
        allowed
    }

    fn tune(&mut self) {
        let chance = &mut self.chance;
        let settings = &mut self.settings;
        match chance.u8(..6) {
            0 => settings.max_active = chance.usize(1..=ACTIVE_MAX),
            1 => settings.connections = chance.usize(1..=8),
            2 => settings.max_connections = chance.usize(1..=16),
            3 => settings.max_speed_bytes = chance.bool().then_some(4 * MIB),
            4 => settings.paused = !settings.paused,
            _ => settings.max_files_per_job = chance.usize(1..=8),
        }
        self.apply_settings();
    }

    fn apply_settings(&mut self) {
        self.settings_since = self.line.now();
        self.life().tuning.send_replace(self.settings.clone());
    }

    /// I8: with all faults over, every live job ends within minutes, and comes right at last.
    fn come_to_rest(&mut self) {
        self.end_all_trouble();
        for index in 0..self.told.len() {
            if self.told[index].status == Some(JobStatus::Paused) {
                assert!(self.tell(index, Change::Resume), "a paused job resumes");
            }
        }
        self.until_all_have_ended();
        // What the faults damaged twice comes right once they are over. Another job may want the
        // same by now.
        for index in 0..self.told.len() {
            if self.told[index].status == Some(JobStatus::Failed) && self.tell(index, Change::Retry) {
                self.until_all_have_ended();
                let told = &self.told[index];
                assert_eq!(
                    told.status,
                    Some(JobStatus::Completed),
                    "I8: {told:?} {}",
                    self.story(index)
                );
            }
        }
        self.i9_nothing_is_left();
        self.i5_what_has_completed_is_whole();
        self.the_hub_is_not_stormed();
        let told_on = self.hub.log().authorization_at_cdn();
        assert!(told_on.is_empty(), "I10: the token came to the CDN");
        self.die(Death::Stop);
        self.check();
        self.life.take().expect("it lives").stop();
    }

    fn until_all_have_ended(&mut self) {
        let deadline = self.line.now() + REST;
        let lives = |told: &Told| told.status.is_some_and(JobStatus::is_live);
        while self.told.iter().any(lives) {
            let late = self.line.now() >= deadline;
            let live = self.told.iter().position(lives).unwrap_or_default();
            assert!(
                !late,
                "I8: never at rest: {:?} {}",
                self.told[live],
                self.story(live)
            );
            self.life().clock.pass(Duration::from_secs(2));
            self.check();
        }
    }

    /// All that is known of a job, for who has to find out.
    fn story(&self, index: usize) -> String {
        let life = self.life();
        let id = &self.told[index].id;
        let (job, events) = life.clock.run_outside(async {
            (
                life.store.job(id).await,
                life.store.events(id, &[], 0, 1000).await,
            )
        });
        format!("{job:#?}\n{events:#?}")
    }
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Stop,
    Kill,
    PowerCut,
}

fn settings(hub: &Arc<Hub>, platter: &Platter) -> Tuning {
    let mut settings = tuning(&hub.endpoint());
    let shipped = hfdepot::hub::HubConfig::default();
    settings.multipart_threshold_bytes = MIB;
    settings.medium = platter.medium();
    settings.hub.token = Some(Secret::new(TOKEN));
    settings.hub.backoff_initial = shipped.backoff_initial;
    settings.hub.backoff_max = shipped.backoff_max;
    settings.hub.wire = wire::to(hub);
    settings
}

#[test]
fn whatever_befalls_the_engine_every_promise_is_kept() {
    seeds::run("engine simulation", SEEDS, |seed, _| {
        let mut simulation = Simulation::new(seed);
        (0..STEPS).for_each(|_| simulation.step());
        simulation.come_to_rest();
    });
}
