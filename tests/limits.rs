//! Limits: the pairs, the week, pauses of everything; and that they act.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::assert_error;
use crate::support::hub::{Content, Fault, Hop, Hub, Repo};
use crate::support::service::{NOWHERE, Service};

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_one_truth_with_the_settings_and_survive_a_restart() {
    let service = Service::start(NOWHERE).await;
    let (_, before) = service.get("/api/limits").await;
    assert_eq!(before["normal"], json!({"maxSpeed": "", "maxConnections": 16}));
    assert_eq!(
        (&before["active"], &before["activeReason"]),
        (&json!("normal"), &json!("mode"))
    );
    let grid: Vec<String> = vec!["s".repeat(24); 7];
    let body = json!({"normal": {"maxSpeed": "50MiB"}, "slow": {"maxSpeed": "2MiB", "maxConnections": 3},
        "mode": "schedule", "schedule": {"timeZone": "Europe/Berlin", "grid": grid}});
    let (status, after) = service.put("/api/limits", body).await;
    assert_eq!(status, 200, "{after}");
    assert_eq!(
        (&after["active"], &after["activeReason"]),
        (&json!("slow"), &json!("schedule"))
    );
    assert_eq!(after["until"], Value::Null, "a week of one kind never changes");
    let (_, settings) = service.get("/api/settings").await;
    assert_eq!(settings["maxSpeed"], "50MiB");
    service.post("/api/settings", json!({"maxSpeed": "40MiB"})).await;
    let dir = service.stop().await;
    let service = Service::start_in(dir, &["--endpoint", NOWHERE]).await;
    let (_, again) = service.get("/api/limits").await;
    assert_eq!(again["normal"]["maxSpeed"], "40MiB");
    assert_eq!(
        (&again["slow"], &again["schedule"]),
        (&after["slow"], &after["schedule"])
    );
    let (_, summary) = service.get("/api/summary").await;
    assert_eq!(summary["limits"], json!({"active": "slow", "maxSpeed": "2MiB"}));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named_and_changes_nothing() {
    let service = Service::start(NOWHERE).await;
    for (field, value, details) in [
        ("mode", json!("fast"), "mode"),
        ("slow", json!({"maxConnections": 0}), "slow.maxConnections"),
        ("slow", json!({"maxSpeed": "much"}), "slow.maxSpeed"),
        ("schedule", json!({"timeZone": "Mars/Olympus"}), "Mars/Olympus"),
        ("schedule", json!({"grid": ["n"]}), "7 days"),
        ("pausedUntil", json!("tomorrow"), "pausedUntil"),
    ] {
        let mut body = json!({"slow": {"maxConnections": 9}, "normal": {"maxConnections": 9}});
        body[field] = value;
        assert_error(
            &service.put("/api/limits", body).await,
            400,
            "bad_request",
            "Invalid limits",
            details,
        );
    }
    let body = json!({"normal": {"maxConnections": 0}, "mode": "slow"});
    assert_error(
        &service.put("/api/limits", body).await,
        400,
        "bad_request",
        "Invalid settings",
        "maxConnections",
    );
    let (_, limits) = service.get("/api/limits").await;
    assert_eq!(
        (&limits["slow"]["maxConnections"], &limits["mode"]),
        (&json!(4), &json!("normal"))
    );
    assert_eq!(limits["normal"]["maxConnections"], 16);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_may_leave_everything_paused_until_somebody_ends_that() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/quick").file("config.json", "{}"));
    let endpoint = hub.endpoint();
    let service = Service::start_with(&["--endpoint", NOWHERE]).await;
    let id = service.submit("acme/quick").await;
    let dir = service.stop().await;
    let paused = ["--endpoint", &endpoint, "--start-paused"];
    let service = Service::start_in(dir, &paused).await;
    let (_, limits) = service.get("/api/limits").await;
    assert_eq!(
        (&limits["active"], &limits["pausedUntil"]),
        (&json!("paused"), &json!("forever"))
    );
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(
        (&job["status"], &job["waitReason"]),
        (&json!("queued"), &json!("schedule"))
    );
    assert_eq!(hub.log().bytes_sent_total(), 0);
    // It is a wish for this start and not saved.
    let dir = service.stop().await;
    let service = Service::start_in(dir, &["--endpoint", NOWHERE]).await;
    assert_eq!(service.get("/api/limits").await.1["active"], "normal");
    let dir = service.stop().await;
    let service = Service::start_in(dir, &paused).await;
    let (status, limits) = service.put("/api/limits", json!({"pausedUntil": ""})).await;
    assert_eq!((status, &limits["active"]), (200, &json!("normal")), "{limits}");
    service.until_status(&id, "completed").await;
    service.stop().await;
}

const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_everything_puts_jobs_back_and_its_end_starts_them_without_a_byte_lost() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("big.bin", Content::generated(24 * MIB, 7)));
    hub.set_total_rate(Some(8 * MIB));
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/big").await;
    service
        .until(&id, |job| {
            job["progress"]["downloadedBytes"].as_u64() > Some(2 * MIB)
        })
        .await;
    let asked = Instant::now();
    assert_eq!(
        service
            .put("/api/limits", json!({"pausedUntil": "forever"}))
            .await
            .0,
        200
    );
    let job = service.until_status(&id, "queued").await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(
        (&job["waitReason"], &job["position"]),
        (&json!("schedule"), &json!(1)),
        "{job}"
    );
    assert_eq!(
        service.put("/api/limits", json!({"pausedUntil": null})).await.0,
        200
    );
    let done = service.until_status(&id, "completed").await;
    assert_eq!(done["refetchedBytes"], 0, "{done}");
    let soon = hfdepot::clock::rfc3339(hfdepot::clock::now_ms() + 1500);
    let (_, limits) = service.put("/api/limits", json!({"pausedUntil": soon})).await;
    assert_eq!(
        (&limits["active"], &limits["until"]),
        (&json!("paused"), &json!(soon))
    );
    hub.add(Repo::model("acme/small").file("a.bin", Content::generated(1000, 1)));
    let id = service.submit("acme/small").await;
    service.until_status(&id, "completed").await;
    assert!(
        hfdepot::clock::now_ms() >= limits_end(&soon),
        "it started by itself, and not before"
    );
    service.stop().await;
}

fn limits_end(text: &str) -> i64 {
    hfdepot::clock::parse_rfc3339(text).unwrap()
}

/// Bytes that came in each whole second of `seconds`, by the service's own count.
async fn per_second(service: &Service, id: &str, seconds: usize) -> Vec<u64> {
    let count = async || {
        let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
        (Instant::now(), job["networkBytes"].as_u64().unwrap())
    };
    let mut counts = vec![count().await];
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.tick().await;
    for _ in 0..seconds {
        tick.tick().await;
        counts.push(count().await);
    }
    let rate = |pair: &[(Instant, u64)]| {
        let time = (pair[1].0 - pair[0].0).as_secs_f64();
        ((pair[1].1 - pair[0].1) as f64 / time) as u64
    };
    counts.windows(2).map(rate).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn speeds_hold_for_all_and_for_one_and_change_within_a_second() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("big.bin", Content::generated(96 * MIB, 3)));
    let service = Service::start(&hub.endpoint()).await;
    service
        .put("/api/limits", json!({"normal": {"maxSpeed": "4MiB"}}))
        .await;
    let id = service.submit("acme/big").await;
    service
        .until(&id, |job| job["progress"]["downloadedBytes"].as_u64() > Some(MIB))
        .await;
    let mean = |rates: &[u64]| rates.iter().sum::<u64>() / rates.len() as u64;
    let rates = per_second(&service, &id, 4).await;
    let all = mean(&rates);
    assert!((3_700_000..=4_700_000).contains(&all), "{rates:?}");
    service
        .patch(&format!("/api/jobs/{id}"), json!({"maxSpeed": "1MiB"}))
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let rates = per_second(&service, &id, 4).await;
    let own = mean(&rates);
    assert!((900_000..=1_200_000).contains(&own), "{rates:?}");
    service.stop().await;
}

/// The kernel takes in megabytes that nobody has read yet: only what was not asked for stays away.
#[tokio::test(flavor = "multi_thread")]
async fn no_second_sees_much_more_asked_for_than_the_limit_lets_pass() {
    const RATE: u64 = 8 * MIB;
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("big.bin", Content::generated(6 * RATE, 3)));
    let service = Service::start(&hub.endpoint()).await;
    service
        .post(
            "/api/settings",
            json!({"multipartThreshold": "1MiB", "maxSpeed": "8MiB"}),
        )
        .await;
    let id = service.submit("acme/big").await;
    service.until_status(&id, "completed").await;
    let asked = hub.log().filter(|entry| entry.hop == Hop::Cdn);
    let connections: BTreeSet<u64> = asked.iter().map(|entry| entry.connection).collect();
    assert!(
        asked.len() > connections.len() && connections.len() <= 8,
        "{} requests on {} connections",
        asked.len(),
        connections.len()
    );
    for first in &asked {
        let second = first.at..first.at + Duration::from_secs(1);
        let spans = asked.iter().filter(|entry| second.contains(&entry.at));
        let bytes: u64 = spans
            .map(|entry| entry.span().map_or(0, |span| span.end - span.start))
            .sum();
        // The bar is a quarter; one request more may come late to a busy Hub.
        assert!(bytes <= RATE / 8 * 11, "{bytes} from {second:?}");
    }
    assert_eq!(hub.log().bytes_twice(), 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_retried_over_as_few_connections_as_the_limits_allow_by_then() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("big.bin", Content::generated(64 * MIB, 3)));
    hub.set_total_rate(Some(4 * MIB));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    service
        .post("/api/settings", json!({"multipartThreshold": "1MiB"}))
        .await;
    let id = service.submit("acme/big").await;
    let many = hub
        .log()
        .until(Duration::from_secs(10), |log| log.bodies().now() > 2)
        .await;
    assert!(many, "{} bodies flow", hub.log().bodies().now());
    service.command(&id, "pause").await;
    hub.fault(Fault::status("acme/big/big.bin", 503));
    service.command(&id, "resume").await;
    let failed = service.until_status(&id, "failed").await;
    assert_eq!(failed["errorCode"], "server_error", "{failed}");
    hub.clear_faults();
    let none = hub
        .log()
        .until(Duration::from_secs(10), |log| log.bodies().now() == 0)
        .await;
    assert!(none, "{} bodies flow", hub.log().bodies().now());

    let fewer = json!({"connections": 2, "maxConnections": 3});
    assert_eq!(service.post("/api/settings", fewer).await.0, 200);
    hub.log().bodies().restart();
    assert_eq!(service.command(&id, "retry").await.0, 200);
    let two = hub
        .log()
        .until(Duration::from_secs(10), |log| log.bodies().now() == 2)
        .await;
    assert!(two, "{} bodies flow", hub.log().bodies().now());
    // Bodies that flow keep their pace, so the job asks again.
    hub.set_total_rate(None);
    service.command(&id, "pause").await;
    service.command(&id, "resume").await;
    let done = service.until_status(&id, "completed").await;
    assert_eq!(done["errorCode"], Value::Null);
    assert_eq!(hub.log().bodies().peak(), 2);
    service.stop().await;
}
