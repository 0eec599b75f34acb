//! The queue: who is claimed when, what each command does in each status, what is recorded.

use std::collections::BTreeSet;

use hfdepot::clock::now_ms;
use hfdepot::model::code::Code;
use hfdepot::model::job::JobId;
use hfdepot::model::state::FileState;
use hfdepot::model::state::{JobStatus, WaitReason};
use hfdepot::store::{
    Change, FileSettled, HistoryQuery, JobsQuery, Lease, Outcome, Refused, Submitted, Waiting,
};

use crate::support::base::{Base, FOLDER, blob, commit, file, identity, segments};
use crate::support::depot::request;

fn waiting(ready_at: i64) -> Outcome {
    Outcome::Waiting(Waiting {
        reason: WaitReason::Disk,
        ready_at,
        text: "No room".to_owned(),
    })
}

fn failed() -> Outcome {
    Outcome::Failed(Code::Gated, "The terms are not accepted".to_owned())
}

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
        order.push(claimed.job.repo.as_str().to_owned());
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

/// A job in each status, and whether a run still holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Case {
    Queued,
    /// Paused and resumed before the run let go.
    Requeued,
    Running,
    PausedHeld,
    Paused,
    CancelledHeld,
    Cancelled,
    Completed,
    Failed,
}

async fn job_in(base: &Base, case: Case) -> (JobId, Option<Lease>) {
    let id = base.submit("o/r").await;
    if case == Case::Queued {
        return (id, None);
    }
    let lease = base.claim().await.lease;
    let changes: &[Change] = match case {
        Case::Requeued => &[Change::Pause, Change::Resume],
        Case::PausedHeld | Case::Paused => &[Change::Pause],
        Case::CancelledHeld | Case::Cancelled => &[Change::Cancel],
        _ => &[],
    };
    for &change in changes {
        base.change(&id, change).await.unwrap();
    }
    let outcome = match case {
        Case::Paused | Case::Cancelled => Outcome::Released,
        Case::Completed => Outcome::Completed,
        Case::Failed => failed(),
        _ => return (id, Some(lease)),
    };
    base.store.settle(&lease, &outcome).await.unwrap();
    (id, None)
}

#[tokio::test]
async fn each_command_in_each_status_does_what_the_contract_says() {
    use Case::*;
    use Change::*;
    use JobStatus as S;
    // Status of the job, then what pause, resume, cancel, retry and dismiss make of it.
    let table: [(Case, S, [Option<S>; 5]); 9] = [
        (Queued, S::Queued, [None, None, Some(S::Cancelled), None, None]),
        (Requeued, S::Queued, [None, None, Some(S::Cancelled), None, None]),
        (
            Running,
            S::Running,
            [Some(S::Paused), None, Some(S::Cancelled), None, None],
        ),
        (
            PausedHeld,
            S::Paused,
            [
                None,
                Some(S::Queued),
                Some(S::Cancelled),
                None,
                Some(S::Cancelled),
            ],
        ),
        (
            Paused,
            S::Paused,
            [
                None,
                Some(S::Queued),
                Some(S::Cancelled),
                None,
                Some(S::Cancelled),
            ],
        ),
        (
            CancelledHeld,
            S::Cancelled,
            [None, None, None, Some(S::Queued), Some(S::Cancelled)],
        ),
        (
            Cancelled,
            S::Cancelled,
            [None, None, None, Some(S::Queued), Some(S::Cancelled)],
        ),
        (
            Completed,
            S::Completed,
            [None, None, None, None, Some(S::Completed)],
        ),
        (
            Failed,
            S::Failed,
            [None, None, None, Some(S::Queued), Some(S::Failed)],
        ),
    ];
    for (case, before, row) in table {
        for (change, expected) in [Pause, Resume, Cancel, Retry, Dismiss].into_iter().zip(row) {
            let base = Base::new().await;
            let (id, lease) = job_in(&base, case).await;
            assert_eq!(base.status(&id).await, before);
            let (rows, events) = (base.dump().await, base.events(&id).await);
            let answer = base.change(&id, change).await;
            let context = format!("{change:?} of {case:?}");
            let Some(after) = expected else {
                assert_eq!(answer, Err(Refused::Status(before)), "{context}");
                assert_eq!(base.dump().await, rows, "{context}");
                continue;
            };
            assert_eq!(answer, Ok(()), "{context}");
            let shown = base.store.job(&id).await.unwrap().map(|job| job.status);
            assert_eq!(shown, (change != Dismiss).then_some(after), "{context}");
            let news = &base.events(&id).await[events.len()..];
            let moved = usize::from(before != after) + usize::from(change == Dismiss);
            assert_eq!(news.len(), moved, "{context}: {news:?}");
            assert!(
                news.iter().all(|event| event.ends_with("by bob")),
                "{context}: {news:?}"
            );
            // The old run reports success; what the user was told stands.
            if let Some(lease) = lease {
                let told = base.events(&id).await;
                let expected = if after == S::Running { S::Completed } else { after };
                let settled = base.store.settle(&lease, &Outcome::Completed).await.unwrap();
                assert_eq!(settled, expected, "{context}");
                assert_eq!(base.events(&id).await, told, "{context}: settling is no news");
                let lost = base.store.settle(&lease, &Outcome::Completed).await;
                assert!(lost.is_err(), "{context}: a lease settles once");
            }
            assert_eq!(base.try_claim().await.is_some(), after == S::Queued, "{context}");
        }
    }
    let base = Base::new().await;
    for change in [Pause, Resume, Cancel, Retry, Dismiss] {
        assert_eq!(
            base.change(&JobId::from_bits(7), change).await,
            Err(Refused::Unknown)
        );
    }
}

#[tokio::test]
async fn a_job_resumed_before_its_run_let_go_waits_for_that_and_runs_again_under_a_higher_epoch() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let old = base.claim().await.lease;
    base.change(&id, Change::Pause).await.unwrap();
    let unwanted = base.store.unwanted_runs(&base.owner).await.unwrap();
    assert_eq!(unwanted.len(), 1);
    base.change(&id, Change::Resume).await.unwrap();
    assert_eq!(base.status(&id).await, JobStatus::Queued);
    assert_eq!(
        base.store.unwanted_runs(&base.owner).await.unwrap().len(),
        1,
        "it still has to stop"
    );
    assert!(base.try_claim().await.is_none(), "never two runs of one job");
    let status = base.store.settle(&old, &failed()).await.unwrap();
    let job = base.job(&id).await;
    assert_eq!(
        (status, job.error_code, job.error.as_str()),
        (JobStatus::Queued, None, "")
    );
    let new = base.claim().await.lease;
    assert!(new.epoch() > old.epoch());
    assert!(base.store.unwanted_runs(&base.owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_start_takes_every_job_of_a_dead_process_back_and_leaves_the_others() {
    use Case::*;
    let cases = [
        (Requeued, JobStatus::Queued, 1),
        (Running, JobStatus::Queued, 1),
        (PausedHeld, JobStatus::Paused, 1),
        (CancelledHeld, JobStatus::Cancelled, 1),
        (Queued, JobStatus::Queued, 0),
        (Paused, JobStatus::Paused, 0),
        (Cancelled, JobStatus::Cancelled, 0),
        (Completed, JobStatus::Completed, 0),
        (Failed, JobStatus::Failed, 0),
    ];
    for (case, status, taken) in cases {
        let base = Base::new().await;
        let (id, lease) = job_in(&base, case).await;
        assert_eq!(
            base.store.recover(&base.owner).await.unwrap(),
            0,
            "its own stay: {case:?}"
        );
        assert_eq!(
            base.store.recover("the next boot").await.unwrap(),
            taken,
            "{case:?}"
        );
        let job = base.job(&id).await;
        assert_eq!(job.status, status, "{case:?}");
        if let Some(lease) = lease {
            assert_eq!(job.attempt, 0, "a restart is no attempt: {case:?}");
            assert!(
                base.store.settle(&lease, &Outcome::Completed).await.is_err(),
                "{case:?}"
            );
        }
        assert_eq!(
            base.try_claim().await.is_some(),
            status == JobStatus::Queued,
            "{case:?}"
        );
    }
}

#[tokio::test]
async fn a_run_without_a_heartbeat_loses_its_job() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let old = base.claim().await.lease;
    assert_eq!(base.store.reclaim_expired().await.unwrap(), 0);
    base.sql("UPDATE job SET lease_expires_at = 1").await.unwrap();
    assert_eq!(base.store.reclaim_expired().await.unwrap(), 1);
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
        base.store.reclaim_expired().await.unwrap(),
        0,
        "progress is the heartbeat"
    );
}

/// Claims the oldest job, plans one file of it, and gives it a part.
async fn plan_with_part(base: &Base, digit: char) -> Lease {
    let lease = base.claim().await.lease;
    let files = [file("model.bin", digit), file("other.bin", 'f')];
    base.store.store_plan(&lease, &commit(), &files).await.unwrap();
    base.store
        .put_part(&lease, FOLDER, blob(digit), 1000, &identity(), None, &segments())
        .await
        .unwrap();
    lease
}

#[tokio::test]
async fn a_retry_clears_progress_and_error_is_planned_anew_and_keeps_the_bytes() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let lease = plan_with_part(&base, 'a').await;
    let files = base.store.files(&id, 9, 0).await.unwrap();
    let settled = FileSettled {
        id: files[0].id,
        state: FileState::Complete,
        verification: "sha256",
        failure: None,
    };
    base.store.settle_files(&lease, &[settled], &[]).await.unwrap();
    assert_eq!(base.job(&id).await.completed_files, 1);
    base.store.settle(&lease, &failed()).await.unwrap();
    base.change(&id, Change::Retry).await.unwrap();
    let job = base.job(&id).await;
    assert_eq!(
        (job.status, job.commit, job.attempt),
        (JobStatus::Queued, None, 0)
    );
    assert_eq!(
        (job.error.as_str(), job.error_code, job.ended_at),
        ("", None, None)
    );
    assert_eq!(
        (
            job.total_files,
            job.completed_files,
            job.total_bytes,
            job.downloaded_bytes
        ),
        (0, 0, 0, 0)
    );
    let files = base.store.files(&id, 9, 0).await.unwrap();
    assert!(
        files
            .iter()
            .all(|f| f.state == FileState::Pending && f.downloaded_bytes == 0)
    );
    assert!(base.store.unwanted_parts().await.unwrap().is_empty());
    let again = base.claim().await;
    assert!(
        base.store.unwanted_parts().await.unwrap().is_empty(),
        "nor while it plans"
    );
    base.store
        .store_plan(&again.lease, &commit(), &[file("new.bin", 'c')])
        .await
        .unwrap();
    assert_eq!(base.store.files(&id, 9, 0).await.unwrap().len(), 1);
    assert_eq!(
        base.store.unwanted_parts().await.unwrap(),
        [(FOLDER.to_owned(), blob('a'))]
    );
}

#[tokio::test]
async fn a_part_stays_while_any_job_that_lives_or_failed_wants_it() {
    let base = Base::new().await;
    let gone = [(FOLDER.to_owned(), blob('a'))];
    let (first, second) = (base.submit("a/b").await, base.submit("a/c").await);
    let one = plan_with_part(&base, 'a').await;
    let two = plan_with_part(&base, 'a').await;
    base.change(&first, Change::Cancel).await.unwrap();
    base.store.settle(&one, &Outcome::Released).await.unwrap();
    assert!(
        base.store.unwanted_parts().await.unwrap().is_empty(),
        "shared with a running job"
    );
    base.store.settle(&two, &failed()).await.unwrap();
    assert!(
        base.store.unwanted_parts().await.unwrap().is_empty(),
        "a failed job may be retried"
    );
    base.change(&second, Change::Dismiss).await.unwrap();
    assert_eq!(base.store.unwanted_parts().await.unwrap(), gone);
    base.store.forget_part(FOLDER, blob('a')).await.unwrap();
    assert!(base.store.part(FOLDER, blob('a')).await.unwrap().is_none());

    let third = base.submit("a/b").await;
    let three = plan_with_part(&base, 'a').await;
    base.change(&third, Change::Pause).await.unwrap();
    base.change(&third, Change::Dismiss).await.unwrap();
    assert!(
        base.store.unwanted_parts().await.unwrap().is_empty(),
        "its run has not let go"
    );
    base.store.settle(&three, &Outcome::Released).await.unwrap();
    assert_eq!(base.store.unwanted_parts().await.unwrap(), gone);
}

#[tokio::test]
async fn no_file_seems_to_move_once_its_job_has_stopped() {
    for crash in [false, true] {
        let base = Base::new().await;
        let id = base.submit("o/r").await;
        let lease = plan_with_part(&base, 'a').await;
        let file = base.store.files(&id, 1, 0).await.unwrap()[0].id;
        let progress = hfdepot::store::JobProgress {
            downloaded_bytes: 9999,
            bytes_per_second: 5,
            files: vec![hfdepot::store::FileProgress {
                id: file,
                downloaded_bytes: 700,
                state: FileState::Downloading,
            }],
            ..Default::default()
        };
        base.store
            .progress(&[(lease.clone(), progress)], &[])
            .await
            .unwrap();
        assert_eq!(
            base.job(&id).await.downloaded_bytes,
            2000,
            "never more than the total"
        );
        base.change(&id, Change::Pause).await.unwrap();
        if crash {
            base.store.recover("the next boot").await.unwrap();
        } else {
            base.store.settle(&lease, &waiting(7)).await.unwrap();
        }
        let job = base.job(&id).await;
        assert_eq!(
            (job.phase, job.activity.as_str(), job.bytes_per_second),
            (None, "", 0)
        );
        let file = base.store.files(&id, 1, 0).await.unwrap().remove(0);
        assert_eq!((file.state, file.downloaded_bytes), (FileState::Pending, 700));
    }
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
    let (ends, total) = base.store.history(&query).await.unwrap();
    let ends: Vec<_> = ends
        .iter()
        .map(|e| {
            (
                e.status.as_str(),
                e.error.as_str(),
                e.actor.as_str(),
                e.ended_at >= e.started_at.unwrap_or(0),
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
    assert_eq!(base.store.history(&query).await.unwrap().1, 3);
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
        let (base, kind) = (&base, Some(hfdepot::model::state::JobKind::Download));
        let query = JobsQuery {
            kind,
            status,
            limit,
            newest_first,
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
    let counts = base.store.job_counts().await.unwrap();
    assert_eq!(
        BTreeSet::from_iter(counts),
        [(JobStatus::Queued, 2), (JobStatus::Cancelled, 1)].into()
    );
}
