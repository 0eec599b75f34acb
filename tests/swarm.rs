//! Seeded swarm over the real engine, its real disk and real sockets: a random half of the Hub's
//! faults, users who change their minds, settings that change, parts that are deleted, soft stops
//! and sudden deaths, in any order. What was acknowledged is there after each start (I1), and once
//! the faults are over every job comes to its end (I8) with the right bytes (I5), nothing left
//! beside them (I9), and no token seen where none belongs (I10).
//!
//! The seed fixes what is done to the service, not how its threads meet it: `HFDEPOT_SEED=<number>
//! cargo test --test all swarm` does the same things again, `HFDEPOT_SEEDS=<count>` more of them.

use std::time::Duration;

use hfdepot::engine::Tuning;
use hfdepot::hub::Secret;
use hfdepot::model::job::JobId;
use hfdepot::model::state::JobStatus;
use hfdepot::store::Change;

use crate::support::depot::{Depot, assert_blobs, names, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hop, Hub, Repo, TOKEN, ThrottleForm};
use crate::support::life::Life;

const MIB: u64 = 1 << 20;
/// Seeds of a run that asks for none.
const SEEDS: u64 = 3;
/// Things that are done to the service in one run.
const STEPS: usize = 24;
const REPOS: u64 = 3;

fn id_of(repo: u64) -> String {
    format!("acme/r{repo}")
}

fn folder_of(repo: u64) -> String {
    format!("models--acme--r{repo}")
}

/// Files of a repo: a large one, one that all repos share, and small ones.
fn contents(repo: u64) -> Vec<(String, Content)> {
    let mut files = vec![
        ("own.gguf".to_owned(), Content::generated((3 + repo) * MIB, repo)),
        ("shared.gguf".to_owned(), Content::generated(2 * MIB, 99)),
    ];
    files.extend((0..4).map(|file| {
        let small = Content::generated(10_000 + file, 100 * repo + file);
        (format!("small-{file}.bin"), small)
    }));
    files
}

/// A random half of the faults, each for one or two requests.
fn trouble(chance: &mut fastrand::Rng) -> Vec<Fault> {
    let after_bytes = chance.u64(..2 * MIB);
    let kinds = [
        FaultKind::CutBody {
            after_bytes,
            reset: chance.bool(),
        },
        FaultKind::StallBody {
            after_bytes,
            ms: None,
        },
        FaultKind::CloseEarly,
        FaultKind::DelayHeaders { ms: 200 },
        FaultKind::CorruptByte {
            offset: chance.u64(..2 * MIB),
        },
        FaultKind::WrongContentRange { shift: 0, total: 7 },
        FaultKind::Resize { by: -100 },
        FaultKind::Gzip,
        FaultKind::RefuseRange,
        FaultKind::SignedUrl {
            seconds: None,
            uses: Some(1),
        },
        FaultKind::Throttle {
            form: ThrottleForm::RetryAfter,
            seconds: 1,
        },
        FaultKind::ListenerOff {
            listener: Hop::Cdn,
            ms: 300,
        },
        FaultKind::ListenerOff {
            listener: Hop::Hub,
            ms: 300,
        },
    ];
    let mut faults = Vec::new();
    for kind in kinds {
        if chance.bool() {
            let fault = Fault::on("acme/*", kind).after(chance.u64(..6));
            faults.push(fault.times(chance.u64(1..=2)));
        }
    }
    faults
}

struct Swarm {
    chance: fastrand::Rng,
    hub: Hub,
    life: Option<Life>,
    /// Each job with what its user was told last; `None` is dismissed.
    told: Vec<(JobId, Option<JobStatus>)>,
}

impl Swarm {
    fn new(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let hub = Hub::on_ports(0, 0).expect("ports");
        for repo in 0..REPOS {
            let add = |repo: Repo, (path, content): (String, Content)| repo.lfs(&path, content);
            let made = contents(repo).into_iter().fold(Repo::model(&id_of(repo)), add);
            hub.add(made);
        }
        hub.set_total_rate(Some(8 * MIB));
        trouble(&mut chance)
            .into_iter()
            .for_each(|fault| hub.fault(fault));
        let dir = tempfile::tempdir().expect("a directory");
        let life = Some(Life::begin(dir, settings(&hub)));
        Self {
            chance,
            hub,
            life,
            told: vec![],
        }
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("it lives")
    }

    fn step(&mut self) {
        match self.chance.u8(..20) {
            0..5 => self.submit(),
            5..11 => self.change(),
            11 => {
                let (active, connections) = (self.chance.usize(1..=3), self.chance.usize(1..=8));
                self.life().run(async |depot| {
                    depot.tune(|tuning| {
                        tuning.max_active = active;
                        tuning.connections = connections;
                    });
                });
            }
            12 => {
                let rate = self.chance.bool().then_some(4 * MIB);
                self.life()
                    .run(async |depot| depot.tune(|tuning| tuning.max_speed_bytes = rate));
            }
            13 => self.delete_a_part(),
            14 => self.hub.expire_signed_urls(),
            15 | 16 => self.restart(true),
            17 => self.restart(false),
            _ => {}
        }
        // Time for bytes to flow; nothing is waited for.
        std::thread::sleep(Duration::from_millis(self.chance.u64(..120)));
    }

    fn submit(&mut self) {
        let wanted = request(&id_of(self.chance.u64(..REPOS)));
        let id = self.life().run(async |depot| depot.submit(&wanted).await);
        if self.told.iter().all(|(known, _)| *known != id) {
            self.told.push((id, Some(JobStatus::Queued)));
        }
    }

    fn change(&mut self) {
        let changes = [
            Change::Pause,
            Change::Resume,
            Change::Resume,
            Change::Cancel,
            Change::Retry,
            Change::Dismiss,
        ];
        let change = *self.chance.choice(&changes).expect("some");
        if self.told.is_empty() {
            return;
        }
        let index = self.chance.usize(..self.told.len());
        let id = self.told[index].0.clone();
        let allowed = self.life().run(async |depot| {
            let allowed = depot.store.change(&id, change, "test").await;
            depot.engine.wake();
            allowed.expect("the database works").is_ok()
        });
        if allowed {
            self.told[index].1 = match change {
                Change::Pause => Some(JobStatus::Paused),
                Change::Cancel => Some(JobStatus::Cancelled),
                Change::Dismiss => None,
                _ => Some(JobStatus::Queued),
            };
        }
    }

    fn delete_a_part(&mut self) {
        let folder = folder_of(self.chance.u64(..REPOS));
        let dir = self
            .life()
            .run(async |depot| depot.folder(&folder).join(".hfdepot"));
        for name in names(&dir).iter().filter(|name| name.ends_with(".part")).take(1) {
            // It may have been published this very moment.
            let _ = std::fs::remove_file(dir.join(name));
        }
    }

    /// The service dies, suddenly or softly, and starts again: I1.
    fn restart(&mut self, suddenly: bool) {
        let life = self.life.take().expect("it lives");
        let dir = if suddenly { life.crash() } else { life.stop() };
        self.life = Some(Life::begin(dir, settings(&self.hub)));
        for (id, told) in &self.told {
            let now = self.life().run(async |depot| status(depot, id).await);
            let kept = match told {
                // What runs may have ended meanwhile, as it was asked to.
                Some(JobStatus::Queued) => now.is_some_and(|now| {
                    now.is_live() && now != JobStatus::Paused
                        || matches!(now, JobStatus::Completed | JobStatus::Failed)
                }),
                told => now == *told,
            };
            assert!(kept, "I1: {id} was {told:?} to its user and is {now:?}");
        }
    }

    /// I8 with I5, I9 and I10.
    fn come_to_rest(mut self) {
        self.hub.clear_faults();
        // One may be shut at this moment.
        std::thread::sleep(Duration::from_millis(350));
        self.hub.set_total_rate(None);
        let life = self.life.take().expect("it lives");
        let mut ends = Vec::new();
        life.run(async |depot| {
            depot.tune(|tuning| *tuning = settings(&self.hub));
            for (id, _) in self.told.iter().filter(|(_, told)| told.is_some()) {
                if status(depot, id).await == Some(JobStatus::Paused) {
                    depot.change(id, Change::Resume).await;
                }
                let mut job = depot.until(id, |job| job.status.is_terminal()).await;
                // What the faults damaged twice comes right once they are over.
                if job.status == JobStatus::Failed {
                    let retried = depot.store.change(id, Change::Retry, "test").await;
                    // Another job may want the same by now.
                    if retried.expect("the database works").is_ok() {
                        depot.engine.wake();
                        job = depot.until(id, |job| job.status.is_terminal()).await;
                        assert_eq!(job.status, JobStatus::Completed, "I8: {}", job.error);
                    }
                }
                ends.push((job.repo.expect("a repo").to_string(), job.status));
            }
            for repo in 0..REPOS {
                let folder = folder_of(repo);
                depot.until_no_part(&folder).await;
                assert_blobs(&depot.folder(&folder));
                if ends.contains(&(id_of(repo), JobStatus::Completed)) {
                    for (path, content) in contents(repo) {
                        let read = depot.snapshot_file(&folder, "main", &path);
                        assert!(
                            read.is_some_and(|read| read == content.to_bytes().unwrap()),
                            "I5: {folder}/{path}"
                        );
                    }
                }
                let known = ["blobs", "refs", "snapshots", "trees", ".hfdepot"];
                let odd: Vec<_> = names(&depot.folder(&folder))
                    .into_iter()
                    .filter(|name| !known.contains(&name.as_str()))
                    .collect();
                assert!(odd.is_empty(), "I9: {folder} has {odd:?}");
            }
        });
        assert!(self.hub.log().authorization_at_cdn().is_empty(), "I10");
        life.stop();
    }
}

async fn status(depot: &Depot, id: &JobId) -> Option<JobStatus> {
    let job = depot.store.job(id).await.expect("the database works");
    job.map(|job| job.status)
}

fn settings(hub: &Hub) -> Tuning {
    let mut settings = tuning(&hub.endpoint());
    settings.multipart_threshold_bytes = MIB;
    settings.hub.stall_timeout = Some(Duration::from_millis(300));
    settings.hub.token = Some(Secret::new(TOKEN));
    settings.hub.offline_max = Duration::from_millis(500);
    settings
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

#[test]
fn whatever_is_done_to_the_engine_every_job_comes_right_at_last() {
    let (first, count) = match number("HFDEPOT_SEED") {
        Some(seed) => (seed, 1),
        None => {
            let count = number("HFDEPOT_SEEDS").unwrap_or(SEEDS);
            (fastrand::u64(..u64::MAX / 2), count)
        }
    };
    for seed in first..first + count {
        let run = std::panic::catch_unwind(|| {
            let mut swarm = Swarm::new(seed);
            (0..STEPS).for_each(|_| swarm.step());
            swarm.come_to_rest();
        });
        if let Err(panic) = run {
            eprintln!("the swarm fails with HFDEPOT_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
