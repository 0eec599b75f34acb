//! Jobs of other kinds than downloads, as the store keeps them: claimed by kind, with a plan of
//! items that outlives the run, and a report.

use hfdepot::model::code::Code;
use hfdepot::model::job::Verify;
use hfdepot::model::library::CachedRepo;
use hfdepot::model::repo::RepoType;
use hfdepot::model::state::{JobKind, JobStatus};
use hfdepot::store::{
    Change, Claimed, ItemSettled, ItemState, Job, NewItem, NewWork, Outcome, StoreError, Submitted,
};
use serde_json::json;

use crate::support::base::Base;

const ALL: &[JobKind] = &[JobKind::Mirror, JobKind::Verify, JobKind::Export];

fn work(kind: JobKind, key: &str) -> NewWork {
    NewWork {
        kind,
        repo: None,
        spec: json!({"asked": key}),
        destination: "/nas/hub".to_owned(),
        verify: Verify::Size,
        duplicate_key: key.to_owned(),
        priority: 0,
    }
}

fn item(path: &str, size_bytes: u64) -> NewItem {
    NewItem {
        repo: CachedRepo::parse(RepoType::Model, "o/n").expect("a repo id"),
        task: "content",
        path: path.to_owned(),
        blob: String::new(),
        size_bytes,
    }
}

fn settled(id: i64, state: ItemState) -> ItemSettled {
    let failure = (state == ItemState::Error).then(|| (Code::DiskError, "bad".to_owned()));
    ItemSettled {
        id,
        state,
        outcome: "",
        failure,
    }
}

impl Base {
    async fn submit_work(&self, kind: JobKind, key: &str) -> Submitted {
        let submitted = self.store.submit_work(&work(kind, key), "ann").await;
        submitted.expect("the database works")
    }

    async fn work(&self, kind: JobKind, key: &str) -> Job {
        match self.submit_work(kind, key).await {
            Submitted::New(job) => job,
            Submitted::Existing(job) => panic!("{} is live", job.id),
        }
    }

    async fn claim_work(&self, kinds: &[JobKind]) -> Option<Claimed> {
        let claimed = self.store.claim_work(&self.owner, kinds).await;
        claimed.expect("the database works")
    }
}

#[tokio::test]
async fn one_of_each_kind_runs_at_a_time_and_none_stands_in_the_way_of_a_download() {
    let base = Base::new().await;
    let (first, second) = (
        base.work(JobKind::Mirror, "a").await,
        base.work(JobKind::Mirror, "b").await,
    );
    let verify = base.work(JobKind::Verify, "a").await;
    let download = base.submit("o/r").await;
    assert_eq!(base.claim_work(ALL).await.expect("a job").job.id, first.id);
    assert_eq!(base.claim_work(&[JobKind::Mirror]).await.map(|c| c.job.id), None);
    let running = base.claim_work(ALL).await.expect("of another kind");
    assert_eq!(running.job.id, verify.id);
    assert!(base.claim_work(ALL).await.is_none());
    assert_eq!(base.claim().await.job.id, download);
    assert!(base.try_claim().await.is_none(), "downloads only");
    let other = base.store.settle(&running.lease, &Outcome::Completed).await;
    assert_eq!(other.unwrap(), JobStatus::Completed);
    assert!(
        base.claim_work(ALL).await.is_none(),
        "the other mirror still runs"
    );
    base.store.recover("the next boot").await.unwrap();
    assert_eq!(base.claim_work(ALL).await.expect("freed").job.id, first.id);
    assert_eq!(base.status(&second.id).await, JobStatus::Queued);
    assert_eq!(first.spec, Some(json!({"asked": "a"})));
    assert_eq!((first.repo, first.result), (None, None));
}

#[tokio::test]
async fn equal_work_that_is_live_is_one_job_and_kinds_do_not_mix() {
    let base = Base::new().await;
    let first = base.work(JobKind::Mirror, "a").await;
    assert!(
        matches!(base.submit_work(JobKind::Mirror, "a").await, Submitted::Existing(job) if job.id == first.id)
    );
    base.work(JobKind::Export, "a").await;
    base.change(&first.id, Change::Cancel).await.unwrap();
    base.work(JobKind::Mirror, "a").await;
}

#[tokio::test]
async fn a_run_that_is_cut_short_leaves_its_plan_and_the_next_one_goes_on() {
    let base = Base::new().await;
    let id = base.work(JobKind::Mirror, "a").await.id;
    let old = base.claim_work(ALL).await.expect("a job");
    let seq = old.job.seq;
    let plan: Vec<_> = (0..5).map(|n| item(&format!("{n}"), 10)).collect();
    base.store.plan_items(&old.lease, &plan).await.unwrap();
    let items = base.store.pending_items(seq, 0, 2).await.unwrap();
    assert_eq!(
        items.iter().map(|item| &*item.path).collect::<Vec<_>>(),
        ["0", "1"]
    );
    let done = [
        settled(items[0].id, ItemState::Done),
        settled(items[1].id, ItemState::Error),
    ];
    base.store.settle_items(&old.lease, &done).await.unwrap();
    // Told twice, counted once.
    base.store.settle_items(&old.lease, &done[..1]).await.unwrap();
    base.store
        .report(&old.lease, &json!({"so": "far"}))
        .await
        .unwrap();
    let job = base.job(&id).await;
    assert_eq!(
        (job.total_files, job.completed_files, job.total_bytes),
        (5, 1, 50)
    );

    base.store.recover("the next boot").await.unwrap();
    let new = base.claim_work(ALL).await.expect("freed");
    assert_eq!(new.job.result, Some(json!({"so": "far"})));
    let late = base
        .store
        .settle_items(&old.lease, &[settled(items[0].id, ItemState::Gone)])
        .await;
    assert!(matches!(late, Err(StoreError::LeaseLost)));
    assert!(matches!(
        base.store.report(&old.lease, &json!(1)).await,
        Err(StoreError::LeaseLost)
    ));
    assert!(matches!(
        base.store.plan_items(&old.lease, &[]).await,
        Err(StoreError::LeaseLost)
    ));
    let rest = base.store.pending_items(seq, 0, 10).await.unwrap();
    assert_eq!(
        rest.iter().map(|item| &*item.path).collect::<Vec<_>>(),
        ["2", "3", "4"]
    );
    let failed = base.store.failed_items(seq, 10).await.unwrap();
    assert_eq!((failed.len(), failed[0].error.as_str()), (1, "bad"));
    let repos = base.store.done_repos(seq).await.unwrap();
    assert_eq!((repos.len(), repos[0].count, repos[0].bytes), (1, 1, 10));
}

#[tokio::test]
async fn a_retry_plans_anew() {
    let base = Base::new().await;
    let id = base.work(JobKind::Mirror, "a").await.id;
    let run = base.claim_work(ALL).await.expect("a job");
    base.store.plan_items(&run.lease, &[item("a", 1)]).await.unwrap();
    base.store.report(&run.lease, &json!({})).await.unwrap();
    let outcome = Outcome::Failed(Code::NotMounted, "away".to_owned());
    base.store.settle(&run.lease, &outcome).await.unwrap();
    assert_eq!(base.store.item_totals(run.job.seq).await.unwrap().len(), 1);
    base.change(&id, Change::Retry).await.unwrap();
    let job = base.job(&id).await;
    assert_eq!(
        (job.status, job.total_files, job.result),
        (JobStatus::Queued, 0, None)
    );
    assert_eq!(base.store.item_totals(run.job.seq).await.unwrap(), []);
}
