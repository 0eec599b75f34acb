//! Faults of the way to the Hub as jobs meet them: certificates, names, answers that drip, links
//! that live for a moment, and waits that a user may end at once.

use std::time::{Duration, Instant};

use hfdepot::model::code::Code;
use hfdepot::model::state::{JobStatus, WaitReason};
use hfdepot::store::Change;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::faults::impatient;
use crate::support::depot::{Depot, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hop, Hub, Kind, Repo, ThrottleForm};
use crate::support::tls::SelfSigned;

const MIB: u64 = 1 << 20;
const FOLDER: &str = "models--acme--big";
const FILE: &str = "acme/big/model.gguf";

async fn hub_with(size: u64) -> Hub {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(size, 5)));
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_fails_the_job_at_once() {
    let host = SelfSigned::start(String::new()).await;
    let mut settings = tuning(host.url.as_str());
    settings.hub.proxy.no_env_proxy = true;
    // A pause before another try would show as a test that never ends.
    settings.hub.backoff_initial = Duration::from_secs(600);
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::TlsError), "{}", job.error);
    assert!(job.error.contains("certificate of localhost"), "{}", job.error);
    assert_eq!((job.retries, host.knocks(), host.asked()), (0, 1, 0));
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_resolved_and_a_proxy_that_is_down_cost_no_retry() {
    let down = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for proxy in [None, Some(down.parse().unwrap())] {
        let through_proxy = proxy.is_some();
        let mut settings = tuning("http://nowhere.invalid");
        settings.hub.proxy.no_env_proxy = true;
        settings.hub.proxy.url = proxy;
        // So that the first failure ends the run, and the wait shows.
        settings.hub.backoff_initial = Duration::from_secs(20);
        let depot = Depot::start_with(settings).await;
        let id = depot.submit(&request("acme/big")).await;
        let job = depot
            .until(&id, |job| job.wait_reason.is_some() || job.status.is_terminal())
            .await;
        assert_eq!(
            (job.status, job.wait_reason, job.retries),
            (JobStatus::Queued, Some(WaitReason::Offline), 0),
            "{} {}",
            job.activity,
            job.error
        );
        let word = if through_proxy { "refused" } else { "name" };
        assert!(job.activity.contains(word), "{}", job.activity);
        depot.stop().await;
    }
}

/// Sends a head byte by byte, for ever.
async fn dripping() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 1024];
                let _ = client.read(&mut head).await;
                let _ = client.write_all(b"HTTP/1.1 200 OK\r\nx-drip: ").await;
                while client.write_all(b"z").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_given_up_after_the_deadline_of_the_whole_head() {
    let mut settings = tuning(&dripping().await);
    settings.hub.header_timeout = Duration::from_millis(300);
    settings.hub.backoff_initial = Duration::from_secs(20);
    let depot = Depot::start_with(settings).await;
    let begun = Instant::now();
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until(&id, |job| job.wait_reason.is_some()).await;
    assert_eq!(job.wait_reason, Some(WaitReason::Offline), "{}", job.activity);
    assert!(job.activity.contains("does not answer"), "{}", job.activity);
    // Each byte came long before the deadline; together they did not.
    assert!(begun.elapsed() >= Duration::from_millis(300));
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_host_whose_heads_drip_is_left_and_asked_again() {
    let hub = hub_with(4 * MIB).await;
    let trap = FaultKind::Redirect {
        status: 302,
        location: dripping().await,
    };
    hub.fault(Fault::on(FILE, trap).at(Hop::Cdn).times(1));
    let mut settings = impatient(&hub);
    settings.hub.header_timeout = Duration::from_millis(500);
    settings.hub.stall_timeout = Some(Duration::from_secs(20));
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.retries, 0, "silence is an outage");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_live_for_a_second_carry_a_download_that_takes_several() {
    let hub = hub_with(20 * MIB).await;
    hub.set_total_rate(Some(6 * MIB));
    let brief = FaultKind::SignedUrl {
        seconds: Some(1),
        uses: None,
    };
    hub.fault(Fault::on(FILE, brief));
    let mut settings = impatient(&hub);
    // Of three segments, so that the last is asked for when the link is long gone.
    settings.connections = 2;
    settings.hub.stall_timeout = Some(Duration::from_secs(20));
    let depot = Depot::start_with(settings).await;
    let begun = Instant::now();
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.retries, 0, "an expired link is no failure");
    let asked = hub
        .log()
        .count(|entry| entry.hop == Hop::Hub && entry.subject == FILE);
    // One for all connections each time it ran out, and never one for each connection.
    let most = 2 + begun.elapsed().as_secs() as usize;
    assert!((2..=most).contains(&asked), "{asked} resolves, {most} allowed");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_taken_back_in_the_middle_fails_the_job_and_says_so() {
    let hub = hub_with(8 * MIB).await;
    hub.set_total_rate(Some(4 * MIB));
    let depot = Depot::start_with(impatient(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    depot.until(&id, |job| job.downloaded_bytes >= MIB as i64).await;
    depot.change(&id, Change::Pause).await;
    depot.until_let_go(&id).await;
    // The same files, a history that was written anew.
    hub.remove(Kind::Model, "acme/big");
    hub.add(Repo::model("acme/big").file("other.txt", "another history"));
    hub.set_total_rate(None);
    depot.change(&id, Change::Resume).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::RevisionNotFound), "{}", job.error);
    assert!(job.error.contains("commit"), "{}", job.error);
    assert!(depot.snapshot(FOLDER, "main").is_none());
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_names_its_end_is_waited_for_in_either_form() {
    for as_date in [false, true] {
        let at = std::time::SystemTime::now() + Duration::from_secs(3);
        let value = match as_date {
            true => httpdate::fmt_http_date(at),
            false => "1".to_owned(),
        };
        let hub = hub_with(2 * MIB).await;
        let busy = FaultKind::Status {
            status: 503,
            headers: [("retry-after".to_owned(), value)].into(),
            body: String::new(),
        };
        hub.fault(Fault::on("acme/big", busy).times(1));
        let depot = Depot::start_with(impatient(&hub)).await;
        let id = depot.submit(&request("acme/big")).await;
        depot.until_status(&id, JobStatus::Completed).await;
        let asked = hub.log().filter(|entry| entry.subject == "acme/big");
        let pause = asked[1].at - asked[0].at;
        // A date counts whole seconds, and some time has passed since it was made.
        let least = if as_date { 500 } else { 1000 };
        assert!(pause >= Duration::from_millis(least), "{pause:?}");
        depot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_the_rate_limit_is_paused_and_cancelled_at_once() {
    let hub = hub_with(2 * MIB).await;
    hub.add(Repo::model("acme/other").lfs("o.gguf", Content::generated(2 * MIB, 3)));
    // Short enough to be waited for inside the run, long enough to be noticed.
    let throttle = FaultKind::Throttle {
        form: ThrottleForm::RetryAfter,
        seconds: 8,
    };
    hub.fault(Fault::on("acme/big", throttle).times(1));
    let depot = Depot::start_with(impatient(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    depot.until(&id, |job| job.activity.contains("slow down")).await;
    // The gate is shut for every job of this Hub: the other one waits before it asks.
    let other = depot.submit(&request("acme/other")).await;
    depot.until_status(&other, JobStatus::Running).await;
    for (id, change, status) in [
        (&id, Change::Pause, JobStatus::Paused),
        (&other, Change::Cancel, JobStatus::Cancelled),
    ] {
        let begun = Instant::now();
        depot.change(id, change).await;
        depot.until_let_go(id).await;
        assert_eq!(depot.job(id).await.status, status);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    assert_eq!(
        hub.log().count(|entry| entry.subject == "acme/other"),
        0,
        "a Hub that asked to slow down was asked by another job"
    );
    depot.stop().await;
}
