//! Commands and limits while jobs run: each acts within a second, and costs no byte.

use std::time::{Duration, Instant};

use hfdepot::engine::Tuning;
use hfdepot::model::job::{JobId, JobRequest};
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Change, Job};

use crate::support::depot::{Depot, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};

pub const MIB: u64 = 1 << 20;
pub const FOLDER: &str = "models--acme--big";
/// What pause, cancel and every limit promise.
pub const SOON: Duration = Duration::from_secs(1);
/// The same for what syncs: well below a second when nothing else goes on, but here other tests sync
/// to the same disk.
const BESIDE_OTHERS: Duration = Duration::from_secs(3);
/// What a broken connection may hold that its reader never saw, of one range of a paced Hub.
pub const IN_FLIGHT: u64 = 256 << 10;

/// One large file and a small one.
pub fn big(size: u64) -> Repo {
    Repo::model("acme/big")
        .file("config.json", "{}")
        .lfs("model.gguf", Content::generated(size, 7))
}

/// Every large file is fetched by several connections.
pub fn wide(hub: &Hub) -> Tuning {
    Tuning {
        multipart_threshold_bytes: MIB,
        ..tuning(&hub.endpoint())
    }
}

pub async fn begun(depot: &Depot, id: &JobId, bytes: i64) {
    depot.until(id, |job| job.downloaded_bytes >= bytes).await;
}

/// Lets the Hub be fast from here on. Bodies that flow keep their pace, so the jobs ask again.
pub async fn hurry(hub: &Hub, depot: &Depot, ids: &[&JobId]) {
    hub.set_total_rate(None);
    for id in ids {
        let moves = |job: &Job| job.status == JobStatus::Running || job.status.is_terminal();
        // One that came to its end by itself meanwhile is in no hurry.
        if depot.until(id, moves).await.status == JobStatus::Running {
            depot.change(id, Change::Pause).await;
            depot.change(id, Change::Resume).await;
        }
    }
}

pub async fn nothing_flows_soon(hub: &Hub) {
    let quiet = hub.log().until(SOON, |log| log.bodies().now() == 0).await;
    assert!(quiet, "bytes still flow a second later");
}

pub fn only(pattern: &str) -> JobRequest {
    JobRequest {
        filters: vec![pattern.into()],
        ..request("acme/big")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_stops_within_a_second_keeps_its_part_and_goes_on_at_its_marks() {
    let hub = Hub::start().await;
    hub.add(big(32 * MIB));
    hub.set_total_rate(Some(16 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 4 * MIB as i64).await;
    depot.change(&id, Change::Pause).await;
    assert_eq!(depot.job(&id).await.status, JobStatus::Paused);
    nothing_flows_soon(&hub).await;
    depot.until_let_go(&id).await;
    let part = depot.staged(FOLDER);
    assert!(part.iter().any(|name| name.ends_with(".part")), "{part:?}");
    hub.set_total_rate(None);
    depot.change(&id, Change::Resume).await;
    depot.until_status(&id, JobStatus::Completed).await;
    assert!(
        hub.log().bytes_twice() <= 4 * IN_FLIGHT,
        "{}",
        hub.log().bytes_twice()
    );
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_and_resume_in_quick_turns_never_make_two_runs() {
    let hub = Hub::start().await;
    hub.add(big(24 * MIB));
    hub.set_total_rate(Some(12 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, MIB as i64).await;
    for _ in 0..10 {
        depot.until(&id, |job| job.status == JobStatus::Running).await;
        depot.change(&id, Change::Pause).await;
        depot.change(&id, Change::Resume).await;
    }
    hurry(&hub, &depot, &[&id]).await;
    depot.until_status(&id, JobStatus::Completed).await;
    assert!(hub.log().bodies().peak() <= 4, "ranges of two runs at once");
    let twice = hub.log().bytes_twice();
    assert!(twice <= 11 * 3 * IN_FLIGHT, "{twice}");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_stops_within_a_second_and_its_part_and_row_go() {
    let hub = Hub::start().await;
    hub.add(big(32 * MIB));
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 2 * MIB as i64).await;
    depot.change(&id, Change::Cancel).await;
    assert_eq!(depot.job(&id).await.status, JobStatus::Cancelled);
    nothing_flows_soon(&hub).await;
    depot.until_no_part(FOLDER).await;
    assert!(
        depot.snapshot(FOLDER, "main").is_none(),
        "no ref to half a snapshot"
    );
    // The same may be asked for again at once.
    hub.set_total_rate(None);
    depot.change(&id, Change::Retry).await;
    depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_a_live_job_wants_outlives_the_cancelled_one() {
    let hub = Hub::start().await;
    hub.add(big(32 * MIB));
    hub.set_total_rate(Some(16 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let first = depot.submit(&request("acme/big")).await;
    begun(&depot, &first, 4 * MIB as i64).await;
    let second = depot.submit(&only("gguf")).await;
    depot.until(&second, |job| job.total_files > 0).await;
    depot.change(&first, Change::Cancel).await;
    depot.until_status(&second, JobStatus::Completed).await;
    let twice = hub.log().bytes_twice();
    assert!(twice <= 4 * IN_FLIGHT, "the part was begun anew: {twice}");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_job_goes_on_with_what_the_failed_try_left() {
    let hub = Hub::start().await;
    hub.add(big(24 * MIB));
    let cut = FaultKind::CutBody {
        after_bytes: 5 * MIB,
        reset: false,
    };
    hub.fault(Fault::on("acme/big/model.gguf", cut));
    let mut settings = wide(&hub);
    settings.hub.retries = 0;
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert!(
        job.error.contains("model.gguf") || job.error.contains("localhost"),
        "{}",
        job.error
    );
    let kept = job.downloaded_bytes as u64;
    assert!(kept >= MIB, "{kept} bytes are worth keeping");
    hub.clear_faults();
    hub.log().clear();
    // Planning takes a while: long enough for whoever would tidy up too early.
    hub.fault(Fault::on("acme/big", FaultKind::DelayHeaders { ms: 100 }));
    depot.change(&id, Change::Retry).await;
    depot.until_status(&id, JobStatus::Completed).await;
    let sent = hub.log().bytes_sent("acme/big/model.gguf");
    assert!(
        sent <= 24 * MIB - kept + MIB,
        "{sent} fetched although {kept} were here"
    );
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dismissing_a_paused_job_deletes_its_part() {
    let hub = Hub::start().await;
    hub.add(big(32 * MIB));
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 2 * MIB as i64).await;
    depot.change(&id, Change::Pause).await;
    depot.change(&id, Change::Dismiss).await;
    depot.until_no_part(FOLDER).await;
    assert!(depot.store.job(&id).await.unwrap().is_none(), "it left the list");
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_active_jobs_send_the_newest_back_to_the_queue_within_a_second() {
    let hub = Hub::start().await;
    let names = ["acme/a", "acme/b", "acme/c"];
    for (seed, name) in names.iter().enumerate() {
        hub.add(Repo::model(name).lfs("w.gguf", Content::generated(24 * MIB, seed as u64)));
    }
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let mut ids = Vec::new();
    for name in names {
        let id = depot.submit(&request(name)).await;
        begun(&depot, &id, 1).await;
        ids.push(id);
    }
    depot.tune(|tuning| tuning.max_active = 1);
    let since = Instant::now();
    for id in &ids[1..] {
        depot.until(id, |job| job.status == JobStatus::Queued).await;
    }
    assert!(since.elapsed() < BESIDE_OTHERS, "{:?}", since.elapsed());
    assert_eq!(depot.job(&ids[0]).await.status, JobStatus::Running);
    depot.tune(|tuning| tuning.max_active = 3);
    let since = Instant::now();
    for id in &ids[1..] {
        depot.until(id, |job| job.status == JobStatus::Running).await;
    }
    assert!(since.elapsed() < BESIDE_OTHERS, "{:?}", since.elapsed());
    hurry(&hub, &depot, &ids.iter().collect::<Vec<_>>()).await;
    for id in &ids {
        depot.until_status(id, JobStatus::Completed).await;
    }
    let twice = hub.log().bytes_twice();
    assert!(twice <= 3 * 4 * 2 * IN_FLIGHT, "{twice}");
    depot.stop().await;
}

/// Sets a limit and waits until so many bodies flow.
async fn bodies_become(hub: &Hub, depot: &Depot, wanted: usize, change: impl FnOnce(&mut Tuning)) {
    depot.tune(change);
    let reached = hub
        .log()
        .until(BESIDE_OTHERS, |log| log.bodies().now() == wanted)
        .await;
    assert!(reached, "{} bodies flow, not {wanted}", hub.log().bodies().now());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_file_and_over_all_change_while_it_is_fetched() {
    let hub = Hub::start().await;
    hub.add(big(96 * MIB));
    hub.set_total_rate(Some(4 * MIB));
    let mut settings = wide(&hub);
    settings.connections = 1;
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 1).await;
    // Cut for one connection: 24 MiB a segment, so four can work at once.
    bodies_become(&hub, &depot, 4, |tuning| tuning.connections = 8).await;
    bodies_become(&hub, &depot, 2, |tuning| tuning.connections = 2).await;
    bodies_become(&hub, &depot, 4, |tuning| tuning.connections = 4).await;
    bodies_become(&hub, &depot, 3, |tuning| tuning.max_connections = 3).await;
    bodies_become(&hub, &depot, 1, |tuning| tuning.max_connections = 1).await;
    bodies_become(&hub, &depot, 4, |tuning| tuning.max_connections = 16).await;
    hurry(&hub, &depot, &[&id]).await;
    depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(depot.job(&id).await.retries, 0, "a limit is no failure");
    let twice = hub.log().bytes_twice();
    assert!(twice <= 12 * IN_FLIGHT, "{twice}");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_job_at_once_change_while_it_runs() {
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/big");
    for index in 0..6 {
        // None comes whole before the end, however slow the disk is.
        repo = repo.lfs(&format!("m-{index}.gguf"), Content::generated(18 * MIB, index));
    }
    hub.add(repo);
    hub.set_total_rate(Some(3 * MIB));
    let mut settings = tuning(&hub.endpoint());
    settings.max_files_per_job = 2;
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    bodies_become(&hub, &depot, 2, |_| ()).await;
    bodies_become(&hub, &depot, 5, |tuning| tuning.max_files_per_job = 5).await;
    bodies_become(&hub, &depot, 1, |tuning| tuning.max_files_per_job = 1).await;
    bodies_become(&hub, &depot, 6, |tuning| tuning.max_files_per_job = 8).await;
    hurry(&hub, &depot, &[&id]).await;
    depot.until_status(&id, JobStatus::Completed).await;
    let twice = hub.log().bytes_twice();
    assert!(twice <= 6 * IN_FLIGHT, "{twice}");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bandwidth_limit_acts_within_a_second_both_ways() {
    let hub = Hub::start().await;
    hub.add(big(64 * MIB));
    hub.set_total_rate(Some(8 * MIB));
    // Each connection holds one piece that it has read and not paid for yet.
    let mut settings = wide(&hub);
    settings.connections = 1;
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    begun(&depot, &id, 2 * MIB as i64).await;
    depot.tune(|tuning| tuning.max_speed_bytes = Some(MIB));
    let set = Instant::now();
    depot.until(&id, |_| set.elapsed() > SOON).await;
    let (from, since) = (depot.job(&id).await.network_bytes, Instant::now());
    depot
        .until(&id, |_| since.elapsed() > Duration::from_millis(1500))
        .await;
    let job = depot.job(&id).await;
    let rate = (job.network_bytes - from) as f64 / since.elapsed().as_secs_f64();
    assert!((0.5..1.6).contains(&(rate / MIB as f64)), "{rate} bytes a second");
    depot.tune(|tuning| tuning.max_speed_bytes = None);
    hub.set_total_rate(None);
    let since = Instant::now();
    let before = job.network_bytes;
    depot
        .until(&id, |job| job.network_bytes > before + 4 * MIB as i64)
        .await;
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    hurry(&hub, &depot, &[&id]).await;
    depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}
