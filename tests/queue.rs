//! The queue: who is submitted, claimed and listed when, and what is recorded of it.

use std::collections::BTreeSet;

use hfdepot::clock::now_ms;
use hfdepot::model::state::{JobKind, JobStatus, WAIT_MAX, WaitReason};
use hfdepot::store::{Change, HistoryQuery, JobFilter, JobsQuery, Outcome, Refused, Submitted, Waiting};

use crate::support::base::{Base, failed, waiting};
use crate::support::depot::request;

#[tokio::test]
async fn jobs_are_claimed_by_priority_then_in_order_of_creation_and_not_before_their_time() {
    let base = Base::new().await;
    for (repo, priority, not_before_at) in [
        ("o/low", -1, None),
        ("o/first", 0, None),
        ("o/later", 9, Some(now_ms() + 3_600_000)),
        ("o/second", 0, Some(now_ms() - 1)),
        ("o/high", 5, None),
    ] {
        let mut request = request(repo);
        (request.priority, request.not_before_at) = (priority, not_before_at);
        base.submit_as(&request, "ann").await;
    }
    let mut order = Vec::new();
    while let Some(claimed) = base.try_claim().await {
        assert_eq!((claimed.job.status, claimed.job.attempt), (JobStatus::Running, 1));
        order.push(claimed.job.repo.expect("a repo").as_str().to_owned());
    }
    assert_eq!(order, ["o/high", "o/first", "o/second", "o/low"]);
    let at = base.store.next_ready_at().await.unwrap().expect("one is left");
    assert!((now_ms() + 3_590_000..=now_ms() + 3_600_000).contains(&at));
}

#[tokio::test]
async fn a_waiting_job_is_claimed_when_it_is_ready_or_made_ready() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let later = now_ms() + 3_600_000;
    for woken in [false, true] {
        let lease = base.claim().await.lease;
        let status = base.store.settle(&lease, &waiting(later)).await.unwrap();
        let job = base.job(&id).await;
        assert_eq!((status, job.status), (JobStatus::Queued, JobStatus::Queued));
        assert_eq!(
            (job.wait_reason, job.ready_at),
            (Some(WaitReason::Disk), Some(later))
        );
        assert_eq!(job.activity, "No room");
        assert_eq!(base.store.next_ready_at().await.unwrap(), Some(later));
        assert!(base.try_claim().await.is_none());
        let places = base.store.waiting_for_disk().await.unwrap();
        assert_eq!(places, [(job.seq, "/hub".to_owned(), 0)]);
        if woken {
            for (reason, woken) in [(WaitReason::Offline, 0), (WaitReason::Disk, 1)] {
                assert_eq!(base.store.wake_waiting(&[reason]).await.unwrap(), woken);
            }
            let claimed = base.claim().await;
            assert_eq!((claimed.job.attempt, claimed.lease.epoch()), (3, 3));
            assert_eq!(claimed.job.wait_reason, None);
            break;
        }
        base.store.make_ready(job.seq).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_job_waiting_longer_than_servers_may_ask() {
    let base = Base::new().await;
    let wait_ms = WAIT_MAX.as_millis() as i64;
    for (repo, wait_ms) in [("o/asked", wait_ms), ("o/set-back", wait_ms + 86_400_000)] {
        base.submit(repo).await;
        let lease = base.claim().await.lease;
        let wait = Outcome::Waiting(Waiting {
            reason: WaitReason::RateLimit,
            ready_at: now_ms() + wait_ms,
            text: "Later".to_owned(),
        });
        base.store.settle(&lease, &wait).await.unwrap();
    }
    let mut chosen = request("o/chosen");
    chosen.not_before_at = Some(now_ms() + 2 * 86_400_000);
    base.submit_as(&chosen, "ann").await;
    assert_eq!(base.store.end_endless_waits().await.unwrap(), 1);
    let claimed = base.claim().await;
    assert_eq!(claimed.job.repo.expect("a repo").as_str(), "o/set-back");
    assert!(
        base.try_claim().await.is_none(),
        "the others wait for their moments"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_equal_requests_at_once_in_any_case_and_order_make_one_job() {
    let base = Base::new().await;
    let spellings = [
        ("Org/Name", ["Q4_K_M", "q8_0"]),
        ("org/name", ["Q8_0", "q4_k_m"]),
        ("ORG/NAME", [" q8_0 ", "q4_K_m"]),
    ];
    let requests = (0..200).map(|n| {
        let (repo, filters) = spellings[n % 3];
        let mut request = request(repo);
        request.filters = filters.iter().map(|f| f.to_string()).collect();
        let base = &base;
        async move { base.submit_as(&request, "ann").await }
    });
    let answers = futures_util::future::join_all(requests).await;
    let new = answers.iter().filter(|a| matches!(a, Submitted::New(_))).count();
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|a| match a {
            Submitted::New(job) | Submitted::Existing(job) => job.id.clone(),
        })
        .collect();
    assert_eq!((new, ids.len()), (1, 1));
    let mut other = request("org/name");
    other.filters = vec!["q4_k_m".to_owned()];
    assert!(matches!(base.submit_as(&other, "ann").await, Submitted::New(_)));
}

#[tokio::test]
async fn an_acknowledged_cancel_frees_the_place_though_the_run_has_not_let_go() {
    let base = Base::new().await;
    let old = base.submit("o/r").await;
    let claimed = base.claim().await;
    base.change(&old, Change::Cancel).await.unwrap();
    let new = base.submit("o/r").await;
    assert_eq!(
        base.change(&old, Change::Retry).await,
        Err(Refused::Twin(new.clone()))
    );
    let status = base
        .store
        .settle(&claimed.lease, &Outcome::Completed)
        .await
        .unwrap();
    assert_eq!(
        (status, base.status(&new).await),
        (JobStatus::Cancelled, JobStatus::Queued)
    );
}

#[tokio::test]
async fn a_run_without_a_heartbeat_loses_its_job() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let old = base.claim().await.lease;
    assert_eq!(base.store.reclaim_expired(&[]).await.unwrap(), 0);
    base.sql("UPDATE job SET lease_expires_at = 1").await.unwrap();
    assert_eq!(base.store.reclaim_expired(&[]).await.unwrap(), 1);
    assert_eq!(base.status(&id).await, JobStatus::Queued);
    let new = base.claim().await;
    assert_eq!((new.lease.epoch(), new.job.attempt), (old.epoch() + 1, 2));
    assert!(base.store.settle(&old, &Outcome::Completed).await.is_err());
    base.sql("UPDATE job SET lease_expires_at = 1").await.unwrap();
    base.store
        .progress(&[(new.lease.clone(), Default::default())], &[])
        .await
        .unwrap();
    assert_eq!(
        base.store.reclaim_expired(&[]).await.unwrap(),
        0,
        "progress is the heartbeat"
    );
}

#[tokio::test]
async fn every_change_leaves_an_event_with_its_actor_and_every_end_a_row_of_history() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let one = base.claim().await.lease;
    base.store.settle(&one, &failed()).await.unwrap();
    base.change(&id, Change::Retry).await.unwrap();
    let two = base.claim().await.lease;
    base.change(&id, Change::Pause).await.unwrap();
    base.change(&id, Change::Resume).await.unwrap();
    base.store.settle(&two, &Outcome::Released).await.unwrap();
    let three = base.claim().await.lease;
    base.store.settle(&three, &Outcome::Completed).await.unwrap();
    base.change(&id, Change::Dismiss).await.unwrap();
    let expected = [
        "queued -→queued by ann",
        "started queued→running by hfdepot",
        "failed running→failed by hfdepot",
        "retried failed→queued by bob",
        "started queued→running by hfdepot",
        "paused running→paused by bob",
        "resumed paused→queued by bob",
        "started queued→running by hfdepot",
        "completed running→completed by hfdepot",
        "dismissed -→- by bob",
    ];
    assert_eq!(base.events(&id).await, expected);
    let cancelled = base.submit("o/r").await;
    base.change(&cancelled, Change::Cancel).await.unwrap();
    let query = HistoryQuery {
        limit: 10,
        ..Default::default()
    };
    let ends = base.store.history().list(&query).await.unwrap();
    let total = base.store.history().count(&query).await.unwrap();
    let ends: Vec<_> = ends
        .iter()
        .map(|e| {
            (
                e.status.as_str(),
                e.error.as_str(),
                e.actor.as_str(),
                e.started_at.as_ref().is_none_or(|started| &e.ended_at >= started),
            )
        })
        .collect();
    assert_eq!(total, 3);
    assert_eq!(
        ends,
        [
            ("cancelled", "", "bob", true),
            ("completed", "", "hfdepot", true),
            ("failed", "The terms are not accepted", "hfdepot", true)
        ]
    );
}

#[tokio::test]
async fn a_purge_takes_dismissed_and_old_jobs_and_leaves_the_record() {
    let base = Base::new().await;
    let (live, old, fresh, hidden) = (
        base.submit("o/live").await,
        base.submit("o/old").await,
        base.submit("o/fresh").await,
        base.submit("o/hidden").await,
    );
    for id in [&old, &fresh, &hidden] {
        base.change(id, Change::Cancel).await.unwrap();
    }
    base.change(&hidden, Change::Dismiss).await.unwrap();
    base.sql(&format!("UPDATE job SET ended_at = 5 WHERE id = '{old}'"))
        .await
        .unwrap();
    assert_eq!(base.store.purge_jobs(60_000).await.unwrap(), 2);
    let ids: Vec<_> = base.store.jobs(&JobsQuery::default()).await.unwrap();
    let ids: Vec<_> = ids.into_iter().map(|job| job.id).collect();
    assert_eq!(ids, [live, fresh]);
    let query = HistoryQuery {
        limit: 10,
        ..Default::default()
    };
    assert_eq!(base.store.history().count(&query).await.unwrap(), 3);
    assert_eq!(base.events(&old).await.len(), 2);
}

#[tokio::test]
async fn the_list_is_in_order_of_creation_by_kind_status_and_limit() {
    let base = Base::new().await;
    let ids = [
        base.submit("o/a").await,
        base.submit("o/b").await,
        base.submit("o/c").await,
    ];
    base.change(&ids[1], Change::Cancel).await.unwrap();
    let list = |status, newest_first, limit| {
        let (base, kind) = (&base, Some(JobKind::Download));
        let query = JobsQuery {
            filter: JobFilter {
                kind,
                statuses: Vec::from_iter(status),
                ..JobFilter::default()
            },
            limit,
            newest_first,
            ..JobsQuery::default()
        };
        async move {
            let jobs = base.store.jobs(&query).await.unwrap();
            jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
        }
    };
    let [a, b, c] = ids.clone();
    assert_eq!(list(None, false, None).await, ids);
    assert_eq!(list(None, true, Some(2)).await, [c.clone(), b.clone()]);
    assert_eq!(list(Some(JobStatus::Queued), false, None).await, [a, c.clone()]);
    assert_eq!(list(Some(JobStatus::Queued), true, Some(1)).await, [c]);
    let counts = base.store.job_counts(None).await.unwrap();
    assert_eq!(
        BTreeSet::from_iter(counts),
        [(JobStatus::Queued, 2), (JobStatus::Cancelled, 1)].into()
    );
}
