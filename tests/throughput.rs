//! How connections are used: the slow are relieved, the idle are used again, and there are as many
//! as bring something.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hfdepot::engine::Tuning;
use hfdepot::hub::Secret;
use hfdepot::model::job::Verify;
use hfdepot::model::state::JobStatus;

use crate::engine_simulation::life;
use crate::support::depot::{Depot, eventually, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hop, Hub, Repo, TOKEN};

const MIB: u64 = 1 << 20;
const FOLDER: &str = "models--acme--big";
const FILE: &str = "acme/big/model.gguf";
/// Two segments of 8 MiB.
const SIZE: u64 = 16 * MIB;

fn two_connections(hub: &Hub) -> Tuning {
    Tuning {
        multipart_threshold_bytes: MIB,
        connections: 2,
        ..tuning(&hub.endpoint())
    }
}

/// A Hub that serves one file of two segments, the answer to the first range with a fault.
async fn world(kind: FaultKind) -> (Hub, Depot) {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(SIZE, 5)));
    hub.fault(Fault::on(FILE, kind).at(Hop::Cdn).times(1));
    let depot = Depot::start_with(two_connections(&hub)).await;
    (hub, depot)
}

fn assert_right(depot: &Depot) {
    let read = depot.snapshot_file(FOLDER, "main", "model.gguf");
    assert!(read.expect("the file") == Content::generated(SIZE, 5).to_bytes().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_last_segment_is_taken_over_long_before_the_stall_time() {
    let (hub, depot) = world(FaultKind::StallBody {
        after_bytes: MIB,
        ms: None,
    })
    .await;
    depot.tune(|tuning| tuning.hub.stall_timeout = Some(Duration::from_secs(300)));
    let begun = Instant::now();
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(job.retries, 0, "nothing failed");
    assert_right(&depot);
    assert!(
        hub.log().bytes_twice() <= 512 << 10,
        "{}",
        hub.log().bytes_twice()
    );
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_slow_segment_is_shared_and_hardly_a_byte_comes_twice() {
    let (hub, depot) = world(FaultKind::Rate {
        bytes_per_second: 256 << 10,
    })
    .await;
    let begun = Instant::now();
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    // Alone it would take 32 s.
    assert!(begun.elapsed() < Duration::from_secs(24), "{:?}", begun.elapsed());
    assert_eq!((job.retries, job.refetched_bytes), (0, 0));
    assert_right(&depot);
    let starts: BTreeSet<u64> = hub
        .log()
        .ranges(FILE)
        .into_iter()
        .map(|(start, _)| start)
        .collect();
    assert!(starts.iter().any(|start| start % (8 * MIB) != 0), "{starts:?}");
    assert!(hub.log().bytes_twice() <= MIB, "{}", hub.log().bytes_twice());
    depot.stop().await;
}

/// Fetches a file of three segments over as many as eight connections that share a line of
/// 5 MiB/s, the answer to the first range with a fault, in simulated time. Gives the ranges that
/// were sent, the bytes sent twice, and the time it took.
fn over_one_line(fault: Option<FaultKind>) -> (usize, u64, Duration) {
    let hub = Arc::new(Hub::without_sockets());
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(24 * MIB, 5)));
    hub.set_total_rate(Some(5 * MIB));
    if let Some(kind) = fault {
        hub.fault(Fault::on(FILE, kind).at(Hop::Cdn).times(1));
    }
    let settings = Tuning {
        connections: 8,
        ..two_connections(&hub)
    };
    let (_, took) = life::fetched(&hub, "acme/big", settings, Verify::Size);
    (hub.log().ranges(FILE).len(), hub.log().bytes_twice(), took)
}

#[test]
fn connections_that_share_one_line_leave_each_other_their_segments() {
    let (ranges, twice, _) = over_one_line(None);
    assert_eq!((ranges, twice), (3, 0));
}

#[test]
fn whoever_takes_over_from_a_silent_connection_begins_where_it_fell_silent() {
    let silent = FaultKind::StallBody {
        after_bytes: MIB,
        ms: None,
    };
    let (_, twice, took) = over_one_line(Some(silent));
    assert_eq!(twice, 0);
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_relieved_connection_brings_its_half_to_the_last_byte() {
    let slow = FaultKind::Rate {
        bytes_per_second: 64 << 10,
    };
    let (_, twice, took) = over_one_line(Some(slow));
    // What it had asked for beyond the cut: one piece of a fiftieth of a second, a few times.
    assert!(twice <= 8 << 10, "{twice}");
    // Alone it would take two minutes.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_do_not_concern_the_hub_keep_its_connections() {
    let hub = Hub::start().await;
    for number in 0..4 {
        hub.add(Repo::model(&format!("acme/m{number}")).file("config.json", "{}"));
    }
    let depot = Depot::start_with(Tuning {
        max_active: 1,
        ..two_connections(&hub)
    })
    .await;
    let run = async |number: usize| {
        let id = depot.submit(&request(&format!("acme/m{number}"))).await;
        depot.until_status(&id, JobStatus::Completed).await;
        let of_the_api = hub.log().filter(|entry| entry.path.starts_with("/api/"));
        let connections: BTreeSet<u64> = of_the_api.iter().map(|entry| entry.connection).collect();
        connections
    };
    let first = run(0).await;
    depot.tune(|tuning| tuning.max_connections = 3);
    depot.tune(|tuning| tuning.max_speed_bytes = Some(1 << 30));
    run(1).await;
    assert_eq!(run(2).await, first, "the same connections serve again");

    let client = depot.engine.hub().serial();
    depot.tune(|tuning| tuning.hub.token = Some(Secret::new(TOKEN)));
    eventually(async || depot.engine.hub().serial() != client).await;
    assert!(run(3).await.len() > first.len(), "another token, another client");
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_small_files_are_in_flight_when_each_takes_long_to_answer() {
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/many");
    for number in 0..700 {
        repo = repo.file(&format!("f{number}.txt"), format!("file {number}"));
    }
    hub.add(repo);
    hub.fault(Fault::on("acme/many/*", FaultKind::DelayHeaders { ms: 250 }));
    let depot = Depot::start_with(Tuning {
        max_connections: 64,
        ..tuning(&hub.endpoint())
    })
    .await;
    let id = depot.submit(&request("acme/many")).await;
    depot
        .until(&id, |job| job.activity.contains("% more than 16"))
        .await;
    depot.until_status(&id, JobStatus::Completed).await;
    let peak = hub.log().connections(Hop::Hub).peak();
    assert!((17..=64).contains(&peak), "{peak}");
    depot.assert_whole("models--acme--many").await;
    depot.stop().await;
}
