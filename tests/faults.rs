//! Faults of the network and of what comes over it: each ends in the right bytes or in a
//! sentence, and never in wrong bytes under a final name.

use std::time::Duration;

use hfdepot::engine::Tuning;
use hfdepot::hub::Secret;
use hfdepot::model::code::Code;
use hfdepot::model::state::{JobStatus, WaitReason};
use hfdepot::store::Job;

use crate::support::depot::{Depot, request, tuning};
use crate::support::hub::{
    Content, Fault, FaultKind, Hop, Hub, LinkForm, Repo, TOKEN, TOKEN_WITHOUT_GRANTS, ThrottleForm,
};

const MIB: u64 = 1 << 20;
const FOLDER: &str = "models--acme--big";
const FILE: &str = "acme/big/model.gguf";
const SIZE: u64 = 20 * MIB;

fn big() -> Repo {
    Repo::model("acme/big")
        .file("config.json", "{}")
        .lfs("model.gguf", Content::generated(SIZE, 5))
}

/// Stalls and waits are short, several connections share the file, a token is set.
pub fn impatient(hub: &Hub) -> Tuning {
    let mut tuning = tuning(&hub.endpoint());
    tuning.multipart_threshold_bytes = MIB;
    tuning.hub.stall_timeout = Some(Duration::from_millis(300));
    tuning.hub.token = Some(Secret::new(TOKEN));
    tuning
}

async fn world(faults: Vec<Fault>) -> (Hub, Depot) {
    let hub = Hub::start().await;
    hub.add(big());
    faults.into_iter().for_each(|fault| hub.fault(fault));
    let depot = Depot::start_with(impatient(&hub)).await;
    (hub, depot)
}

/// The job ends with the right bytes, nothing is left behind, the CDN saw no token.
async fn comes_right(faults: Vec<Fault>) -> (Hub, Job) {
    let (hub, depot) = world(faults).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    let read = depot
        .snapshot_file(FOLDER, "main", "model.gguf")
        .expect("the file");
    assert!(read == Content::generated(SIZE, 5).to_bytes().unwrap());
    depot.assert_whole(FOLDER).await;
    assert!(hub.log().authorization_at_cdn().is_empty());
    depot.stop().await;
    (hub, job)
}

/// The job fails with this code and a sentence that says `word`; another job is not hurt.
async fn fails(faults: Vec<Fault>, code: Code, word: &str) -> Hub {
    let (hub, depot) = world(faults).await;
    hub.add(Repo::model("acme/other").lfs("o.gguf", Content::generated(2 * MIB, 3)));
    let id = depot.submit(&request("acme/big")).await;
    let other = depot.submit(&request("acme/other")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(code), "{}", job.error);
    assert!(job.error.contains(word), "{:?} says nothing of {word}", job.error);
    assert!(!job.error.contains(TOKEN), "{}", job.error);
    assert!(
        depot.snapshot(FOLDER, "main").is_none(),
        "a ref to half a snapshot"
    );
    crate::support::depot::assert_blobs(&depot.folder(FOLDER));
    depot.until_status(&other, JobStatus::Completed).await;
    assert!(hub.log().authorization_at_cdn().is_empty());
    depot.stop().await;
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_off_go_on_where_they_broke() {
    for reset in [false, true] {
        let cut = FaultKind::CutBody {
            after_bytes: MIB,
            reset,
        };
        let (hub, job) = comes_right(vec![Fault::on(FILE, cut).times(12)]).await;
        assert!(job.retries > 0);
        // What a reset throws away lies in the buffers of the kernel.
        let twice = hub.log().bytes_twice();
        assert!(reset || twice <= 12 * (256 << 10), "{twice}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_reconnects_at_its_offset() {
    let stall = FaultKind::StallBody {
        after_bytes: MIB,
        ms: None,
    };
    let (hub, job) = comes_right(vec![Fault::on(FILE, stall).times(3)]).await;
    assert!(job.retries >= 3, "{}", job.retries);
    assert!(hub.log().bytes_twice() <= 3 * (256 << 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trickle_is_progress_and_never_a_failure() {
    let trickle = FaultKind::Trickle {
        after_bytes: SIZE / 2 - 20_000,
        piece_bytes: 1_000,
        every_ms: 100,
    };
    let (_, job) = comes_right(vec![Fault::on(FILE, trickle)]).await;
    assert_eq!(job.retries, 0);
}

/// Left alone, it would take hours.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_trickle_is_asked_for_anew_with_one_connection_and_with_many() {
    for connections in [1, 8] {
        let trickle = FaultKind::Trickle {
            after_bytes: 6 * MIB,
            piece_bytes: 100,
            every_ms: 100,
        };
        let hub = Hub::start().await;
        hub.add(big());
        hub.fault(Fault::on(FILE, trickle).ranged(true).times(1));
        hub.set_total_rate(Some(8 * MIB));
        let mut settings = impatient(&hub);
        settings.connections = connections;
        let depot = Depot::start_with(settings).await;
        let id = depot.submit(&request("acme/big")).await;
        let job = depot.until_status(&id, JobStatus::Completed).await;
        depot.assert_whole(FOLDER).await;
        assert_eq!(job.retries, 0);
        assert!(hub.log().bytes_twice() <= MIB, "{}", hub.log().bytes_twice());
        depot.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lengths_are_refused_before_a_byte_is_written() {
    for by in [100, -100] {
        let resize = Fault::on(FILE, FaultKind::Resize { by });
        comes_right(vec![resize.times(2)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_ranges_serves_one_stream() {
    for kind in [
        FaultKind::IgnoreRange,
        FaultKind::WrongContentRange { shift: 512, total: 0 },
    ] {
        let (hub, _) = comes_right(vec![Fault::on(FILE, kind).at(Hop::Cdn).ranged(true)]).await;
        let whole = hub
            .log()
            .count(|entry| entry.hop == Hop::Cdn && entry.subject == FILE && entry.range.is_none());
        assert_eq!(whole, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_lie_once_are_asked_again() {
    for kind in [
        FaultKind::WrongContentRange { shift: 0, total: 5 },
        FaultKind::RefuseRange,
        FaultKind::Gzip,
        FaultKind::CorruptByte { offset: 7 * MIB },
    ] {
        comes_right(vec![Fault::on(FILE, kind).at(Hop::Cdn).times(1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_another_one_by_now_is_refused() {
    let etag = FaultKind::SetHeader {
        name: "x-linked-etag".into(),
        value: format!("\"{}\"", "ab".repeat(32)),
    };
    fails(
        vec![Fault::on(FILE, etag).at(Hop::Hub)],
        Code::HashMismatch,
        "model.gguf",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_links_are_resolved_once_for_all_and_are_no_retry() {
    let (hub, depot) = world(vec![]).await;
    hub.set_total_rate(Some(10 * MIB));
    let id = depot.submit(&request("acme/big")).await;
    let asked = || {
        hub.log()
            .count(|entry| entry.hop == Hop::Hub && entry.subject == FILE)
    };
    depot
        .until(&id, |job| job.downloaded_bytes >= 4 * MIB as i64)
        .await;
    assert_eq!(asked(), 1, "one location for all connections");
    // Links end while bodies flow; what opens next is refused, by several at once.
    hub.expire_signed_urls();
    hub.set_total_rate(None);
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.retries, 0, "an expired link is no failure");
    assert!(asked() <= 2, "{} resolves", asked());
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_good_for_one_request_are_enough() {
    let once = FaultKind::SignedUrl {
        seconds: None,
        uses: Some(1),
    };
    let (_, job) = comes_right(vec![Fault::on(FILE, once)]).await;
    assert_eq!(job.retries, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_slow_down_is_obeyed_in_each_of_its_forms() {
    for form in [
        ThrottleForm::RateLimit,
        ThrottleForm::RetryAfter,
        ThrottleForm::RetryDate,
        ThrottleForm::Silent,
    ] {
        let throttle = FaultKind::Throttle { form, seconds: 1 };
        let (hub, job) = comes_right(vec![Fault::on("acme/big", throttle).times(1)]).await;
        assert_eq!(job.retries, 0, "{form:?}: waiting is no failure");
        let asked = hub.log().filter(|entry| entry.subject == "acme/big");
        let pause = asked[1].at - asked[0].at;
        assert!(
            pause >= Duration::from_millis(if form == ThrottleForm::RetryDate { 1 } else { 950 }),
            "{form:?} {pause:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_gives_the_place_back_and_names_its_reason() {
    let throttle = FaultKind::Throttle {
        form: ThrottleForm::RetryAfter,
        seconds: 60,
    };
    let (hub, depot) = world(vec![Fault::on("acme/big", throttle)]).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until(&id, |job| job.wait_reason.is_some()).await;
    assert_eq!(
        (job.status, job.wait_reason),
        (JobStatus::Queued, Some(WaitReason::RateLimit))
    );
    assert!(job.ready_at.is_some());
    drop(hub);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_of_server_errors_are_passed_over() {
    for status in [500, 502, 503, 504, 408] {
        let (_, job) = comes_right(vec![
            Fault::status("acme/big", status).times(3),
            Fault::status(FILE, status).at(Hop::Cdn).times(3),
        ])
        .await;
        assert!(job.retries >= 4, "{status}: {}", job.retries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_between_good_segments_never_add_up() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(64 * MIB, 5)));
    // One connection, and each of its segments fails once before a byte of it comes.
    (0..8).for_each(|turn| hub.fault(Fault::status(FILE, 503).at(Hop::Cdn).after(2 * turn).times(1)));
    let mut settings = impatient(&hub);
    settings.connections = 1;
    settings.hub.retries = 1;
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert!(job.retries >= 2, "{}", job.retries);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_never_recovers_fails_the_job_with_its_name() {
    fails(vec![Fault::status("acme/big", 503)], Code::ServerError, "503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_network_costs_no_retry_and_the_job_goes_on_by_itself() {
    let (hub, depot) = world(vec![]).await;
    hub.set_total_rate(Some(8 * MIB));
    let id = depot.submit(&request("acme/big")).await;
    depot
        .until(&id, |job| job.downloaded_bytes >= 2 * MIB as i64)
        .await;
    hub.off(Hop::Cdn).await;
    let job = depot.until(&id, |job| job.activity.contains("refused")).await;
    assert_eq!(
        job.status,
        JobStatus::Running,
        "short outages are waited for in the run"
    );
    hub.on(Hop::Cdn);
    hub.set_total_rate(None);
    let job = depot.until_status(&id, JobStatus::Completed).await;
    // Bodies that broke off may count; refused connections may not.
    assert!(job.retries <= 8, "{}", job.retries);
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_queues_the_job_as_offline_until_the_network_is_back() {
    let hub = Hub::start().await;
    hub.add(big());
    hub.off(Hop::Hub).await;
    let mut settings = impatient(&hub);
    settings.hub.backoff_initial = Duration::from_millis(10_200);
    let depot = Depot::start_with(settings).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until(&id, |job| job.wait_reason.is_some()).await;
    assert_eq!(
        (job.status, job.wait_reason),
        (JobStatus::Queued, Some(WaitReason::Offline))
    );
    assert_eq!(job.retries, 0);
    hub.on(Hop::Hub);
    depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captive_portal_is_never_taken_for_a_file_or_a_listing() {
    comes_right(vec![
        Fault::captive_portal("acme/big").times(2),
        Fault::captive_portal(FILE).at(Hop::Cdn).times(2),
        Fault::captive_portal("acme/big/config.json").times(1),
    ])
    .await;
    let always = vec![Fault::captive_portal(FILE).at(Hop::Cdn)];
    fails(always, Code::BadResponse, "captive portal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_traps_end_with_a_sentence() {
    for (location, word) in [
        ("{hub}{path}", "redirects more than"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("file:///etc/passwd", "leaves the web"),
    ] {
        let trap = FaultKind::Redirect {
            status: 302,
            location: location.into(),
        };
        fails(vec![Fault::on(FILE, trap).at(Hop::Hub)], Code::BadResponse, word).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_or_foreign_listing_ends_with_a_sentence() {
    for (form, word) in [(LinkForm::Endless, "circle"), (LinkForm::Foreign, "next page")] {
        let pages = Fault::on("acme/big", FaultKind::PageSize { entries: 1 });
        let link = Fault::on("acme/big", FaultKind::Link { form });
        fails(vec![pages, link], Code::BadResponse, word).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_user_can_change_fails_at_once() {
    type Make = fn(Repo) -> Repo;
    let cases: [(Make, Option<&str>, Code, &str); 6] = [
        (
            |repo| repo.gated("auto"),
            Some(TOKEN_WITHOUT_GRANTS),
            Code::Gated,
            "acme/big",
        ),
        (|repo| repo.gated("auto"), None, Code::Gated, "terms"),
        (|repo| repo.private(), None, Code::RepoNotFound, "private"),
        (
            |repo| repo.private(),
            Some(TOKEN_WITHOUT_GRANTS),
            Code::RepoNotFound,
            "token",
        ),
        (
            |repo| repo.disabled(),
            Some(TOKEN),
            Code::RepoDisabled,
            "disabled",
        ),
        (|repo| repo, Some("hf_wrong"), Code::BadToken, "token"),
    ];
    for (make, token, code, word) in cases {
        let hub = Hub::start().await;
        hub.add(make(big()));
        let mut settings = impatient(&hub);
        settings.hub.token = token.map(Secret::new);
        // A pause before another try would show as a test that never ends.
        settings.hub.backoff_initial = Duration::from_secs(600);
        let depot = Depot::start_with(settings).await;
        let id = depot.submit(&request("acme/big")).await;
        let job = depot.until_status(&id, JobStatus::Failed).await;
        assert_eq!(job.error_code, Some(code), "{}", job.error);
        assert!(job.error.contains(word), "{}", job.error);
        assert!(
            !token.is_some_and(|token| job.error.contains(token)),
            "{}",
            job.error
        );
        assert_eq!(job.retries, 0);
        depot.stop().await;
    }
    let hub = Hub::start().await;
    let depot = Depot::start_with(impatient(&hub)).await;
    let id = depot.submit(&request("acme/none")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::RepoNotFound), "{}", job.error);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_missing_fails_alone() {
    let (_hub, depot) = world(vec![Fault::status("acme/big/config.json", 404)]).await;
    let id = depot.submit(&request("acme/big")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::EntryNotFound), "{}", job.error);
    assert!(job.error.contains("config.json"), "{}", job.error);
    assert_eq!(job.completed_files, 1, "the other file arrived");
    crate::support::depot::assert_blobs(&depot.folder(FOLDER));
    depot.until_no_part(FOLDER).await;
    depot.stop().await;
}
