//! What each command does in each status, and what becomes of runs, files and parts.

use hfdepot::model::job::JobId;
use hfdepot::model::state::{FileState, JobStatus};
use hfdepot::store::{Change, FileProgress, FileSettled, JobProgress, Lease, Outcome, Refused};

use crate::support::base::{Base, FOLDER, blob, commit, failed, file, identity, segments, waiting};

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
        let progress = JobProgress {
            downloaded_bytes: 9999,
            bytes_per_second: 5,
            files: vec![FileProgress {
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
