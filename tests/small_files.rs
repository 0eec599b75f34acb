//! Small files, which have no part file: what broke off goes on where it broke all the same.

use std::sync::Arc;
use std::time::Duration;

use hfdepot::model::job::Verify;
use hfdepot::model::state::JobStatus;
use hfdepot::store::Job;

use crate::engine_simulation::life;
use crate::support::depot::{Depot, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};

const FILE: &str = "acme/small/vocab.json";
const SIZE: u64 = 600_000;

fn small() -> Repo {
    Repo::model("acme/small").file("vocab.json", Content::generated(SIZE, 3))
}

/// The Hub after a fetch with these faults, and the job, which completed.
async fn fetched(faults: Vec<Fault>) -> (Hub, Job) {
    let hub = Hub::start().await;
    hub.add(small());
    faults.into_iter().for_each(|fault| hub.fault(fault));
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot.submit(&request("acme/small")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole("models--acme--small").await;
    depot.stop().await;
    (hub, job)
}

fn cut(after_bytes: u64) -> Fault {
    let reset = false;
    Fault::on(FILE, FaultKind::CutBody { after_bytes, reset })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_again_and_again_goes_on_where_it_broke() {
    // More often than there are retries: each brings some.
    let (hub, job) = fetched(vec![cut(70_000)]).await;
    assert_eq!((hub.log().bytes_twice(), job.refetched_bytes), (0, 0));
    assert!(job.retries >= 8, "{}", job.retries);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ranges_are_ignored_it_is_begun_anew() {
    let ignored = Fault::on(FILE, FaultKind::IgnoreRange);
    let (_, job) = fetched(vec![cut(200_000).times(1), ignored]).await;
    assert_eq!(job.refetched_bytes, 200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_comes_further_is_given_up() {
    let hub = Hub::start().await;
    hub.add(small());
    hub.fault(cut(200_000));
    hub.fault(Fault::on(FILE, FaultKind::IgnoreRange));
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot.submit(&request("acme/small")).await;
    depot.until_status(&id, JobStatus::Failed).await;
    depot.stop().await;
}

/// In simulated time: left alone, it would take seven hours.
#[test]
fn a_body_that_trickles_is_asked_for_anew_where_it_stands() {
    let hub = Arc::new(Hub::without_sockets());
    hub.add(small());
    let trickle = FaultKind::Trickle {
        after_bytes: 100_000,
        piece_bytes: 20,
        every_ms: 1_000,
    };
    hub.fault(Fault::on(FILE, trickle).times(2));
    let (job, took) = life::fetched(&hub, "acme/small", tuning(&hub.endpoint()), Verify::Sha256);
    assert_eq!((job.retries, job.refetched_bytes), (0, 0));
    assert!(took < Duration::from_secs(120), "{took:?}");
    assert_eq!(hub.log().bytes_twice(), 0);
}
