//! Jobs and services that want the same blobs: fetched once, taken in turns.

use std::time::{Duration, Instant};

use hfdepot::model::job::Verify;
use hfdepot::model::state::JobStatus;
use hfdepot::store::Change;

use crate::control::{FOLDER, MIB, SOON, begun, big, hurry, only, wide};
use crate::support::depot::{Depot, eventually, meddle, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_two_jobs_want_is_fetched_once() {
    let hub = Hub::start().await;
    hub.add(big(24 * MIB));
    hub.set_total_rate(Some(24 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let first = depot.submit(&request("acme/big")).await;
    let second = depot.submit(&only("gguf")).await;
    assert_ne!(first, second);
    depot.until_status(&first, JobStatus::Completed).await;
    depot.until_status(&second, JobStatus::Completed).await;
    assert_eq!(hub.log().bytes_twice(), 0);
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_another_ones_blob_can_be_paused_at_once() {
    let hub = Hub::start().await;
    // One blob of the small lane, one of the large.
    hub.add(
        Repo::model("acme/big")
            .lfs("small.gguf", Content::generated(MIB / 2, 1))
            .lfs("large.gguf", Content::generated(4 * MIB, 2)),
    );
    hub.set_total_rate(Some(MIB / 4));
    let depot = Depot::start_with(tuning(&hub.endpoint())).await;
    let first = depot.submit(&request("acme/big")).await;
    begun(&depot, &first, 1).await;
    let second = depot.submit(&only("gguf")).await;
    depot
        .until(&second, |job| job.phase.is_some() && job.total_files > 0)
        .await;
    let since = Instant::now();
    depot.change(&second, Change::Pause).await;
    depot.until_let_go(&second).await;
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    hurry(&hub, &depot, &[&first]).await;
    depot.change(&second, Change::Resume).await;
    for id in [first, second] {
        depot.until_status(&id, JobStatus::Completed).await;
    }
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_on_one_cache_take_turns() {
    let hub = Hub::start().await;
    let mut repo = big(24 * MIB);
    for index in 0..40u64 {
        repo = repo.file(&format!("s/{index}.txt"), Content::generated(500 + index, index));
    }
    hub.add(repo);
    hub.set_total_rate(Some(24 * MIB));
    let (one, two) = (
        Depot::start_with(wide(&hub)).await,
        Depot::start_with(wide(&hub)).await,
    );
    let cache = one.hub_cache();
    let first = one.submit_into(&request("acme/big"), &cache, Verify::Size).await;
    let second = two.submit_into(&request("acme/big"), &cache, Verify::Size).await;
    one.until_status(&first, JobStatus::Completed).await;
    two.until_status(&second, JobStatus::Completed).await;
    let model = hub.log().bytes_sent("acme/big/model.gguf");
    // Where a connection is relieved of its segment, what was on its way to it comes again.
    let once = 24 * MIB..25 * MIB;
    assert!(once.contains(&model), "the large file was fetched twice: {model}");
    one.assert_whole(FOLDER).await;
    let path = one.folder(FOLDER).display().to_string();
    assert!(two.store.part_blobs(&path).await.unwrap().is_empty());
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_in_one_service_leaves_the_part_that_the_other_writes() {
    let hub = Hub::start().await;
    hub.add(big(24 * MIB));
    hub.set_total_rate(Some(12 * MIB));
    let (one, two) = (
        Depot::start_with(wide(&hub)).await,
        Depot::start_with(wide(&hub)).await,
    );
    let cache = one.hub_cache();
    // The first begins and pauses, so that its row outlives its hold on the part.
    let first = one.submit_into(&request("acme/big"), &cache, Verify::Size).await;
    begun(&one, &first, 2 * MIB as i64).await;
    one.change(&first, Change::Pause).await;
    one.until_let_go(&first).await;
    let second = two.submit_into(&request("acme/big"), &cache, Verify::Size).await;
    begun(&two, &second, 2 * MIB as i64).await;
    one.change(&first, Change::Cancel).await;
    let job = two.until_status(&second, JobStatus::Completed).await;
    assert_eq!(job.refetched_bytes, 0, "its part was taken away under it");
    one.engine.wake();
    one.until_no_part(FOLDER).await;
    one.assert_whole(FOLDER).await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_gets_no_byte_keeps_its_lease() {
    let hub = Hub::start().await;
    hub.add(big(4 * MIB));
    let stall = FaultKind::StallBody {
        after_bytes: MIB,
        ms: None,
    };
    hub.fault(Fault::on("acme/big/model.gguf", stall));
    let depot = Depot::start_with(tuning(&hub.endpoint())).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 1).await;
    let lease = format!("SELECT lease_expires_at FROM job WHERE id = '{id}'");
    let expires = depot.figure(&lease).await;
    // It is renewed by the clock, not by bytes: well within the minute that it lasts.
    let mut changes = depot.store.changes();
    let renewed = async {
        while depot.figure(&lease).await < expires + 10_000 {
            let _ = changes.recv().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), renewed).await;
    in_time.expect("the lease is renewed while nothing moves");
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_outlives_a_leap_of_the_wall_clock() {
    let hub = Hub::start().await;
    hub.add(big(16 * MIB));
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(tuning(&hub.endpoint())).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 2 * MIB as i64).await;
    // So it looks after an hour of sleep, or when a machine without a clock learns the time.
    meddle(depot.data_dir(), "UPDATE job SET lease_expires_at = 1").await;
    depot.engine.wake();
    let lease = format!("SELECT COALESCE(lease_expires_at, 0) FROM job WHERE id = '{id}'");
    eventually(async || depot.figure(&lease).await > 1).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(
        (job.attempt, job.refetched_bytes),
        (1, 0),
        "one run from start to end"
    );
    assert_eq!(hub.log().bytes_twice(), 0);
    depot.assert_whole("models--acme--big").await;
    depot.stop().await;
}
