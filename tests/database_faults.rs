//! A database whose volume is full, refuses writes, or is held by another program: commands say
//! that nothing was stored, jobs wait, and all goes on by itself.

use std::time::Duration;

use hfdepot::model::destination::Destination;
use hfdepot::model::job::Verify;
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Hindrance, Store, Submitted};
use serde_json::json;
use sqlx::Connection;

use crate::disk_faults::Volume;
use crate::support::base::connect;
use crate::support::depot::{Depot, assert_blobs, eventually, request, tuning};
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

const MIB: u64 = 1 << 20;

/// Submits until the volume refuses; gives what stood in the way.
async fn submit_until_refused(store: &Store, name: &str) -> Hindrance {
    for index in 0..10_000 {
        let wanted = request(&format!("acme/{name}-{index}"));
        if let Err(error) = store
            .submit(&wanted, &Destination::cache("/hub"), Verify::Size, "test")
            .await
        {
            return error.hindrance().unwrap_or_else(|| panic!("{error}"));
        }
    }
    panic!("the volume takes everything");
}

#[tokio::test]
async fn a_full_volume_gives_up_the_space_set_aside_and_the_database_goes_on() {
    let Some(volume) = Volume::mount("size=160m") else {
        return;
    };
    let path = volume.dir.path().join("hfdepot.db");
    let ballast = path.with_extension("ballast");
    let store = Store::open(&path).await.expect("a database");
    store.lay_ballast(&path).expect("room");
    assert_eq!(ballast.metadata().unwrap().len(), 8 * MIB);
    let filler = volume.fill(160 * MIB);
    assert_eq!(submit_until_refused(&store, "first").await, Hindrance::Full);
    assert!(!ballast.exists(), "given up");
    let submitted = store
        .submit(
            &request("acme/second"),
            &Destination::cache("/hub"),
            Verify::Size,
            "test",
        )
        .await;
    assert!(matches!(submitted, Ok(Submitted::New(_))), "{submitted:?}");
    store.check_writable().await.expect("ready again");
    // Where room is short it stays away; with room it is laid again.
    store.lay_ballast(&path).expect("no error");
    assert!(!ballast.exists());
    std::fs::remove_file(filler).unwrap();
    store.lay_ballast(&path).expect("room");
    assert!(ballast.exists());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_be_stored_is_answered_with_507_and_works_once_there_is_room() {
    let Some(volume) = Volume::mount("size=24m") else {
        return;
    };
    let data = volume.dir.path().join("data");
    let flags = [
        "--endpoint",
        "http://127.0.0.1:1",
        "--data-dir",
        data.to_str().unwrap(),
    ];
    let service = Service::start_with(&flags).await;
    assert_eq!(service.get("/readyz").await.0, 200);
    let filler = volume.fill(24 * MIB);
    let mut refused = None;
    for index in 0..10_000 {
        let answer = service
            .post("/api/download", json!({"repo": format!("acme/r{index}")}))
            .await;
        if answer.0 != 202 {
            refused = Some(answer);
            break;
        }
    }
    let (status, body) = refused.expect("the volume is full at last");
    assert_eq!(status, 507, "{body}");
    assert_eq!(body["error"], "Failed to create job");
    assert_eq!(body["error_detail"]["reason"], "disk_full", "{body}");
    assert!(
        body["error_detail"]["hint"]
            .as_str()
            .unwrap()
            .contains("data directory")
    );
    // What is read is still answered, and nobody is told that all is well.
    assert_eq!(service.get("/api/jobs?limit=1").await.0, 200);
    let not_ready = async || service.get("/readyz").await.0 == 503;
    eventually(not_ready).await;
    std::fs::remove_file(filler).unwrap();
    let (status, body) = service.post("/api/download", json!({"repo": "acme/later"})).await;
    assert_eq!(status, 202, "{body}");
    let ready = async || service.get("/readyz").await.0 == 200;
    eventually(ready).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_database_is_full_waits_and_goes_on_when_there_is_room() {
    let Some(volume) = Volume::mount("size=24m") else {
        return;
    };
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/big");
    for index in 0..40 {
        repo = repo.lfs(&format!("m-{index}.gguf"), Content::generated(MIB, index));
    }
    hub.add(repo);
    hub.set_total_rate(Some(8 * MIB));
    let cache = tempfile::tempdir().unwrap();
    // The database alone lies on the small volume.
    let data = tempfile::tempdir_in(volume.dir.path()).unwrap();
    let depot = Depot::start_in(data, tuning(&hub.endpoint())).await;
    let id = depot
        .submit_into(&request("acme/big"), cache.path(), Verify::Size)
        .await;
    depot.until(&id, |job| job.network_bytes > MIB as i64).await;
    let filler = volume.fill(24 * MIB);
    let is_stuck = async || depot.store.check_writable().await.is_err();
    eventually(is_stuck).await;
    hub.set_total_rate(None);
    // A window, not a condition: the run meets the full volume and must not give the job up.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let job = depot.job(&id).await;
    assert!(!job.status.is_terminal(), "{} {}", job.status, job.error);
    std::fs::remove_file(filler).unwrap();
    depot.engine.wake();
    depot.until_status(&id, JobStatus::Completed).await;
    assert_blobs(&cache.path().join("models--acme--big"));
    depot.stop().await;
}

#[tokio::test]
async fn a_database_that_another_program_holds_is_busy_and_not_broken() {
    let base = crate::support::base::Base::new().await;
    let mut other = connect(&base.path()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let refused = base
        .store
        .submit(&request("a/b"), &Destination::cache("/hub"), Verify::Size, "test")
        .await;
    assert_eq!(refused.unwrap_err().hindrance(), Some(Hindrance::Busy));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    base.submit("a/b").await;
}
