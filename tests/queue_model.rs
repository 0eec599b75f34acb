//! Random lists of commands against a model of the queue that knows no SQL: statuses, events,
//! history and the one live job of each request must agree after every step.

use std::collections::BTreeSet;

use hfdepot::model::code::Code;
use hfdepot::model::job::JobId;
use hfdepot::model::state::{Intent, JobStatus, TRANSITIONS, WaitReason};
use hfdepot::store::{Change, HistoryQuery, JobProgress, Lease, Outcome, Refused, Submitted, Waiting};
use proptest::prelude::*;
use sqlx::Row;

use crate::support::base::{Base, connect};
use crate::support::depot::request;

#[derive(Debug, Clone)]
enum Step {
    Submit { repo: usize, priority: i64 },
    Claim,
    Progress(usize),
    Settle(usize, End),
    Change(usize, Change),
    Recover,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Completed,
    Failed,
    WaitShort,
    WaitLong,
    Released,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop::sample::select(vec![
        End::Completed,
        End::Failed,
        End::WaitShort,
        End::WaitLong,
        End::Released,
    ]);
    let change = prop::sample::select(vec![
        Change::Pause,
        Change::Pause,
        Change::Resume,
        Change::Cancel,
        Change::Retry,
        Change::Dismiss,
    ]);
    let step = prop_oneof![
        3 => (0..3_usize, -1..2_i64).prop_map(|(repo, priority)| Step::Submit { repo, priority }),
        4 => Just(Step::Claim),
        1 => (0..8_usize).prop_map(Step::Progress),
        4 => (0..8_usize, end).prop_map(|(lease, end)| Step::Settle(lease, end)),
        6 => (0..6_usize, change).prop_map(|(job, change)| Step::Change(job, change)),
        1 => Just(Step::Recover),
    ];
    prop::collection::vec(step, 1..40)
}

/// One job as the rules say it is.
#[derive(Debug)]
struct Model {
    id: JobId,
    repo: usize,
    priority: i64,
    state: JobStatus,
    intent: Intent,
    requeue: bool,
    /// Number of the present run, of all runs; `None` when nobody runs it.
    run: Option<i64>,
    runs: i64,
    waits: bool,
    dismissed: bool,
    events: Vec<String>,
    ends: Vec<JobStatus>,
}

impl Model {
    fn status(&self) -> JobStatus {
        match (self.state, self.intent, self.requeue) {
            (state, ..) if state.is_terminal() => state,
            (_, Intent::Cancel, _) => JobStatus::Cancelled,
            (_, Intent::Pause, _) => JobStatus::Paused,
            (_, Intent::Run, true) => JobStatus::Queued,
            (state, ..) => state,
        }
    }

    /// Applies `change` and records what it did to the status.
    fn moved(&mut self, actor: &str, change: impl FnOnce(&mut Self)) {
        let before = self.status();
        change(self);
        let after = self.status();
        if before == after {
            return;
        }
        let legal = TRANSITIONS
            .iter()
            .find(|(from, to, _)| (*from, *to) == (before, after));
        let (.., event) = legal.unwrap_or_else(|| panic!("{before}→{after} is no legal move"));
        self.events.push(format!("{event} {before}→{after} by {actor}"));
        if after.is_terminal() {
            self.ends.push(after);
        }
    }

    fn let_go(&mut self, outcome: JobStatus) {
        let actor = "hfdepot";
        self.moved(actor, |job| {
            job.state = match (job.intent, job.requeue) {
                (Intent::Cancel, _) => JobStatus::Cancelled,
                (Intent::Pause, _) => JobStatus::Paused,
                (Intent::Run, true) => JobStatus::Queued,
                (Intent::Run, false) => outcome,
            };
            job.requeue = false;
            job.run = None;
        });
    }

    /// What the contract says of a command; `Err` is the status that refuses it.
    fn command(&mut self, change: Change) -> Result<(), Refused> {
        use JobStatus::*;
        let status = self.status();
        let allowed: &[JobStatus] = match change {
            Change::Pause => &[Running],
            Change::Resume => &[Paused],
            Change::Cancel => &[Queued, Running, Paused],
            Change::Dismiss => &[Paused, Completed, Failed, Cancelled],
            Change::Retry => &[Failed, Cancelled],
            Change::Hold => &[Queued],
            Change::Start => &[Queued, Paused],
        };
        if self.dismissed {
            return Err(Refused::Unknown);
        }
        if !allowed.contains(&status) {
            return Err(Refused::Status(status));
        }
        self.moved("bob", |job| {
            let held = job.run.is_some();
            match change {
                Change::Pause => job.intent = Intent::Pause,
                Change::Hold => {
                    (job.intent, job.requeue, job.waits) = (Intent::Pause, false, false);
                    job.state = if held { Running } else { Paused };
                }
                Change::Resume | Change::Retry | Change::Start => {
                    (job.intent, job.requeue, job.waits) = (Intent::Run, held, false);
                    job.state = if held { Running } else { Queued };
                }
                Change::Dismiss if status != Paused => {}
                Change::Cancel | Change::Dismiss => {
                    (job.intent, job.requeue) = (Intent::Cancel, false);
                    if !held {
                        job.state = Cancelled;
                    }
                }
            }
        });
        if change == Change::Dismiss {
            self.dismissed = true;
            self.events.push("dismissed -→- by bob".to_owned());
        }
        if change == Change::Start {
            self.events.push("moved -→- by bob".to_owned());
        }
        Ok(())
    }
}

struct Machine {
    base: Base,
    jobs: Vec<Model>,
    /// Every lease that was ever given out, and the run it was for.
    leases: Vec<(usize, Lease)>,
    boots: usize,
}

impl Machine {
    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Submit { repo, priority } => self.submit(repo, priority).await,
            Step::Claim => self.claim().await,
            Step::Progress(n) if !self.leases.is_empty() => {
                let (_, lease) = &self.leases[n % self.leases.len()];
                let progress = (lease.clone(), JobProgress::default());
                self.base.store.progress(&[progress], &[]).await.unwrap();
            }
            Step::Settle(n, end) if !self.leases.is_empty() => self.settle(n % self.leases.len(), end).await,
            Step::Change(n, change) if !self.jobs.is_empty() => {
                self.change(n % self.jobs.len(), change).await;
            }
            Step::Progress(_) | Step::Settle(..) | Step::Change(..) => {}
            Step::Recover => {
                self.boots += 1;
                self.base.owner = format!("boot {}", self.boots).into();
                let taken = self.base.store.recover(&self.base.owner).await.unwrap();
                let held = self.jobs.iter_mut().filter(|job| job.run.is_some());
                let count = held.map(|job| job.let_go(JobStatus::Queued)).count();
                assert_eq!(taken, count as u64);
            }
        }
    }

    fn live(&self, repo: usize) -> Option<usize> {
        self.jobs
            .iter()
            .position(|job| job.repo == repo && job.status().is_live())
    }

    async fn submit(&mut self, repo: usize, priority: i64) {
        let mut wanted = request(&format!("o/r{repo}"));
        wanted.priority = priority;
        match (self.base.submit_as(&wanted, "ann").await, self.live(repo)) {
            (Submitted::Existing(job), Some(twin)) => assert_eq!(job.id, self.jobs[twin].id),
            (Submitted::New(job), None) => self.jobs.push(Model {
                id: job.id,
                repo,
                priority,
                state: JobStatus::Queued,
                intent: Intent::Run,
                requeue: false,
                run: None,
                runs: 0,
                waits: false,
                dismissed: false,
                events: vec!["queued -→queued by ann".to_owned()],
                ends: vec![],
            }),
            (answer, twin) => panic!("{answer:?}, though {twin:?} is live"),
        }
    }

    async fn claim(&mut self) {
        let ready = |job: &Model| job.state == JobStatus::Queued && job.run.is_none() && !job.waits;
        let ready = (0..self.jobs.len()).filter(|&n| ready(&self.jobs[n]));
        let next = ready.min_by_key(|&n| (-self.jobs[n].priority, n));
        let claimed = self.base.try_claim().await;
        assert_eq!(
            claimed.as_ref().map(|claimed| claimed.job.id.clone()),
            next.map(|n| self.jobs[n].id.clone())
        );
        let (Some(claimed), Some(n)) = (claimed, next) else {
            return;
        };
        let job = &mut self.jobs[n];
        job.runs += 1;
        assert_eq!(claimed.lease.epoch(), job.runs, "one epoch a run");
        job.moved("hfdepot", |job| {
            (job.state, job.run) = (JobStatus::Running, Some(job.runs))
        });
        self.leases.push((n, claimed.lease));
    }

    async fn settle(&mut self, n: usize, end: End) {
        let (n, lease) = self.leases[n].clone();
        let wait = |ready_at| {
            Outcome::Waiting(Waiting {
                reason: WaitReason::Offline,
                ready_at,
                text: "Offline".to_owned(),
            })
        };
        let (outcome, status) = match end {
            End::Completed => (Outcome::Completed, JobStatus::Completed),
            End::Failed => (
                Outcome::Failed(Code::Internal, "Broken".to_owned()),
                JobStatus::Failed,
            ),
            End::WaitShort => (wait(1), JobStatus::Queued),
            End::WaitLong => (wait(i64::MAX), JobStatus::Queued),
            End::Released => (Outcome::Released, JobStatus::Queued),
        };
        let settled = self.base.store.settle(&lease, &outcome).await.ok();
        let job = &mut self.jobs[n];
        if job.run != Some(lease.epoch()) {
            assert_eq!(settled, None, "the lease was lost");
            return;
        }
        job.waits = end == End::WaitLong && job.intent == Intent::Run && !job.requeue;
        job.let_go(status);
        assert_eq!(settled, Some(job.status()));
    }

    async fn change(&mut self, n: usize, change: Change) {
        let answer = self.base.change(&self.jobs[n].id, change).await;
        let twin = self.live(self.jobs[n].repo).filter(|&twin| twin != n);
        if let (Change::Retry, Some(twin), false) = (change, twin, self.jobs[n].dismissed) {
            assert_eq!(answer, Err(Refused::Twin(self.jobs[twin].id.clone())));
        } else {
            assert_eq!(answer, self.jobs[n].command(change), "{change:?}");
        }
    }

    async fn agrees(&self) {
        for job in &self.jobs {
            let stored = self.base.store.job(&job.id).await.unwrap();
            let expected = (!job.dismissed).then(|| job.status());
            assert_eq!(stored.map(|stored| stored.status), expected);
            assert_eq!(self.base.events(&job.id).await, job.events);
        }
        let query = HistoryQuery {
            limit: 1000,
            ..Default::default()
        };
        let ends = self.base.store.history().list(&query).await.unwrap();
        // Whatever the commands were and however runs died, the record is sealed.
        assert!(self.base.store.history().verify(None).await.unwrap().ok);
        for job in &self.jobs {
            let own = ends.iter().rev().filter(|end| end.id == job.id.as_str());
            let own: Vec<_> = own.map(|end| end.status.parse::<JobStatus>().unwrap()).collect();
            assert_eq!(own, job.ends);
        }
        for repo in 0..3 {
            let live = self
                .jobs
                .iter()
                .filter(|job| job.repo == repo && job.status().is_live());
            assert!(live.count() <= 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_its_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let base = Base::new().await;
            let mut machine = Machine { base, jobs: vec![], leases: vec![], boots: 0 };
            for step in &steps {
                machine.take(step).await;
                machine.agrees().await;
            }
        });
    }
}

#[tokio::test]
async fn the_database_and_the_program_know_the_same_moves() {
    let base = Base::new().await;
    let mut connection = connect(&base.path()).await;
    let rows = sqlx::query("SELECT from_status, to_status, event FROM state_transition")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let rows: BTreeSet<(String, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let stated = TRANSITIONS.iter();
    let stated = stated.map(|(from, to, event)| (from.to_string(), to.to_string(), event.to_string()));
    assert_eq!(rows, stated.collect());
}

#[tokio::test]
async fn the_database_refuses_every_other_move_whoever_asks() {
    let word = |status: JobStatus| {
        let lease = match status {
            JobStatus::Running => "'somebody', lease_expires_at = 1",
            _ => "NULL, lease_expires_at = NULL",
        };
        format!("state = '{status}', lease_owner = {lease}")
    };
    for &from in JobStatus::ALL {
        for &to in JobStatus::ALL {
            let base = Base::new().await;
            base.submit("o/r").await;
            // By legal moves, as the only ones there are.
            let way: &[JobStatus] = match from {
                JobStatus::Queued => &[],
                JobStatus::Running => &[JobStatus::Running],
                other => &[JobStatus::Running, other],
            };
            for &step in way {
                base.sql(&format!("UPDATE job SET {}", word(step))).await.unwrap();
            }
            let before = base.dump().await;
            let answer = base.sql(&format!("UPDATE job SET {}", word(to))).await;
            let legal = from == to || TRANSITIONS.iter().any(|(a, b, _)| (*a, *b) == (from, to));
            assert_eq!(answer.is_ok(), legal, "{from}→{to}: {answer:?}");
            if !legal {
                assert_eq!(base.dump().await, before, "{from}→{to}");
            }
        }
    }
}

#[tokio::test]
async fn the_database_refuses_a_lease_without_a_run_and_a_job_that_begins_elsewhere() {
    let base = Base::new().await;
    base.submit("o/r").await;
    let before = base.dump().await;
    for sql in [
        "UPDATE job SET lease_owner = 'somebody', lease_expires_at = 1",
        "UPDATE job SET state = 'running'",
        "UPDATE job SET requeue = 1",
        "INSERT INTO job (id, repo_type, repo, revision, destination, verify, duplicate_key, state, actor, created_at, updated_at)
         VALUES ('0123456789ab', 'model', 'o/x', 'main', '/hub', 'size', 'x', 'completed', 'eve', 1, 1)",
    ] {
        assert!(base.sql(sql).await.is_err(), "{sql}");
        assert_eq!(base.dump().await, before, "{sql}");
    }
}
