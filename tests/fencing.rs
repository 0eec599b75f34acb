//! A run that lost its job may go on writing for a while: none of it may count.

use hfdepot::model::code::Code;
use hfdepot::model::state::{FileState, JobStatus, Phase, WaitReason};
use hfdepot::store::{
    FileProgress, FileSettled, JobProgress, Lease, Outcome, StoreError, SyncedPart, Waiting, WrittenMark,
};

use crate::support::base::{Base, FOLDER, blob, commit, file, identity, segments};
use crate::support::depot::{Depot, meddle, request};
use crate::support::hub::{Content, Hub, Repo};

/// A job that its first run lost to a second one; files and a part are stored.
async fn lost() -> (Base, Lease, Lease, i64) {
    let base = Base::new().await;
    base.submit("o/r").await;
    let old = base.claim().await.lease;
    base.store
        .store_plan(&old, &commit(), &[file("a.bin", 'a')])
        .await
        .unwrap();
    let part = base
        .store
        .put_part(&old, FOLDER, blob('a'), 1000, &identity(), None, &segments())
        .await
        .unwrap();
    base.sql("UPDATE job SET lease_expires_at = 1").await.unwrap();
    base.store.reclaim_expired(&[]).await.unwrap();
    let new = base.claim().await.lease;
    assert_eq!(old.job_seq(), new.job_seq());
    (base, old, new, part)
}

/// Every write of a run, by name; whether it was told that its lease is lost.
async fn write(base: &Base, name: &str, lease: &Lease, part_id: i64) -> Option<StoreError> {
    let store = &base.store;
    let seq = lease.job_seq();
    let id = store.job_by_seq(seq).await.unwrap().expect("on the list").id;
    let row = store.files(&id, 1, 0).await.unwrap().remove(0);
    let mark = |written_bytes| WrittenMark {
        part_id,
        start_bytes: 0,
        written_bytes,
        lease: lease.clone(),
    };
    match name {
        "store_plan" => store
            .store_plan(lease, &"2".repeat(40).parse().unwrap(), &[file("b.bin", 'b')])
            .await
            .err(),
        "progress" => {
            let progress = JobProgress {
                downloaded_bytes: 400,
                bytes_per_second: 7,
                network_bytes: 400,
                activity: "moving".to_owned(),
                files: vec![FileProgress {
                    id: row.id,
                    downloaded_bytes: 400,
                    state: FileState::Downloading,
                }],
                ..Default::default()
            };
            store
                .progress(&[(lease.clone(), progress)], &[mark(400)])
                .await
                .err()
        }
        "settle_files" => {
            let settled = FileSettled {
                id: row.id,
                state: FileState::Complete,
                verification: "sha256",
                failure: None,
            };
            store.settle_files(lease, &[settled], &[part_id]).await.err()
        }
        "put_part" => store
            .put_part(
                lease,
                FOLDER,
                blob('a'),
                1000,
                &identity(),
                Some((b"state", 100)),
                &segments()[..1],
            )
            .await
            .err(),
        "synced" => {
            let synced = SyncedPart {
                part_id,
                marks: vec![(0, 400)],
                hash: Some((b"state".to_vec(), 400)),
                lease: lease.clone(),
            };
            store.synced(&[synced]).await.err()
        }
        "set_phase" => store.set_phase(lease, Phase::Publishing, "almost").await.err(),
        "settle" => store.settle(lease, &Outcome::Completed).await.err(),
        other => panic!("no write is called {other}"),
    }
}

const WRITES: [&str; 7] = [
    "store_plan",
    "progress",
    "settle_files",
    "put_part",
    "synced",
    "set_phase",
    "settle",
];

#[tokio::test]
async fn no_write_of_a_run_that_lost_its_job_changes_a_row() {
    let (base, old, _new, part) = lost().await;
    let before = base.dump().await;
    for name in WRITES {
        let error = write(&base, name, &old, part).await;
        assert_eq!(base.dump().await, before, "{name}");
        // Progress is written for many jobs at once: one that is lost does not fail the others.
        let told = matches!(error, Some(StoreError::LeaseLost));
        assert_eq!(told, !matches!(name, "progress" | "synced"), "{name}: {error:?}");
    }
    for outcome in [
        Outcome::Released,
        Outcome::Failed(Code::Internal, "late".to_owned()),
        Outcome::Waiting(Waiting {
            reason: WaitReason::Disk,
            ready_at: 9,
            text: "late".to_owned(),
        }),
    ] {
        assert!(matches!(
            base.store.settle(&old, &outcome).await,
            Err(StoreError::LeaseLost)
        ));
        assert_eq!(base.dump().await, before, "{outcome:?}");
    }
}

#[tokio::test]
async fn the_same_writes_of_the_run_that_holds_the_job_do_change_rows() {
    for name in WRITES {
        let (base, _old, new, part) = lost().await;
        let before = base.dump().await;
        assert!(write(&base, name, &new, part).await.is_none(), "{name}");
        assert_ne!(base.dump().await, before, "{name}");
    }
}

#[tokio::test]
async fn marks_rise_and_never_fall_or_leave_their_segment() {
    let (base, _old, new, part_id) = lost().await;
    for (written, synced, expected) in [
        (300, 200, (300, 200)),
        (100, 100, (300, 200)),
        (9999, 9999, (500, 500)),
    ] {
        let mark = WrittenMark {
            part_id,
            start_bytes: 500,
            written_bytes: written,
            lease: new.clone(),
        };
        base.store.progress(&[], &[mark]).await.unwrap();
        let proof = SyncedPart {
            part_id,
            marks: vec![(500, synced)],
            hash: None,
            lease: new.clone(),
        };
        base.store.synced(&[proof]).await.unwrap();
        let part = base.store.part(FOLDER, blob('a')).await.unwrap().expect("stored");
        assert_eq!((part.segments[1].written, part.segments[1].synced), expected);
        assert_eq!((part.segments[0].written, part.segments[0].synced), (100, 50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_file_whose_row_is_refused_is_not_left_behind() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(4 << 20, 1)));
    let depot = Depot::start(&hub.endpoint()).await;
    // As a run meets it that has lost its job: the file is there, and its row may not be.
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON part BEGIN SELECT RAISE(ABORT, 'no'); END";
    meddle(depot.data_dir(), refuse).await;
    let id = depot.submit(&request("acme/big")).await;
    depot.until_status(&id, JobStatus::Failed).await;
    depot.until_let_go(&id).await;
    let staged = depot.staged("models--acme--big");
    assert!(!staged.iter().any(|name| name.ends_with(".part")), "{staged:?}");
    depot.stop().await;
}
