//! Connections of one job: a limit of its own that always holds, can change while it runs, and stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::assert_error;
use crate::support::hub::{Content, Fault, Hub, Repo};
use crate::support::service::{NOWHERE, Service};

const MIB: u64 = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

/// Three large files and a dozen small ones.
async fn hub() -> Hub {
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/many").lfs("a.bin", Content::generated(24 * MIB, 1));
    for (name, seed) in [("b.bin", 2), ("c.bin", 3)] {
        repo = repo.lfs(name, Content::generated(12 * MIB, seed));
    }
    for number in 0..12_u64 {
        repo = repo.lfs(
            &format!("small/{number}.bin"),
            Content::generated(40_000, 10 + number),
        );
    }
    hub.add(repo);
    hub
}

/// A service that fetches files from 1 MiB on over several connections.
async fn service(hub: &Hub, flags: &[&str]) -> Service {
    let endpoint = hub.endpoint();
    let flags = [&["--endpoint", &endpoint], flags].concat();
    let service = Service::start_with(&flags).await;
    service
        .post("/api/settings", json!({"multipartThreshold": "1MiB"}))
        .await;
    service
}

async fn submit(service: &Service, body: Value) -> String {
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(status, 202, "{job}");
    job["id"].as_str().expect("an id").to_owned()
}

/// Waits until so many bodies flow as `fits` says.
async fn flow(hub: &Hub, fits: impl Fn(usize) -> bool) {
    let flows = hub.log().until(PATIENCE, |log| fits(log.bodies().now())).await;
    assert!(flows, "{} bodies flow", hub.log().bodies().now());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_never_sees_more_connections_of_a_job_than_it_may_have() {
    let hub = hub().await;
    hub.set_total_rate(Some(24 * MIB));
    let service = service(&hub, &[]).await;
    let id = submit(&service, json!({"repo": "acme/many", "connections": 2})).await;
    flow(&hub, |bodies| bodies == 2).await;
    let job = service.until(&id, |job| job["connectionsReason"] != "").await;
    assert_eq!(
        (&job["connections"], &job["connectionsReason"]),
        (&json!(2), &json!("Up to 2 connections: the job may have no more")),
    );
    let done = service.until_status(&id, "completed").await;
    assert_eq!(done["refetchedBytes"], 0, "{done}");
    assert_eq!(hub.log().bodies().peak(), 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_acts_while_the_job_runs_and_on_no_other_job() {
    let hub = hub().await;
    hub.add(Repo::model("acme/other").lfs("big.bin", Content::generated(64 * MIB, 99)));
    hub.set_total_rate(Some(2 * MIB));
    let service = service(&hub, &[]).await;
    let id = submit(&service, json!({"repo": "acme/many"})).await;
    flow(&hub, |bodies| bodies > 2).await;
    let path = format!("/api/jobs/{id}");
    let (status, job) = service.patch(&path, json!({"connections": 1})).await;
    assert_eq!((status, &job["connections"]), (200, &json!(1)), "{job}");
    flow(&hub, |bodies| bodies == 1).await;
    let other = submit(&service, json!({"repo": "acme/other"})).await;
    flow(&hub, |bodies| bodies > 3).await;
    service.command(&other, "pause").await;
    flow(&hub, |bodies| bodies == 1).await;
    let (_, job) = service.patch(&path, json!({"connections": null})).await;
    assert_eq!(job["connections"], Value::Null);
    flow(&hub, |bodies| bodies > 2).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_survives_a_restart_of_the_service() {
    let hub = hub().await;
    let held = service(&hub, &[]).await;
    let body = json!({"repo": "acme/many", "connections": 1, "startPaused": true});
    let id = submit(&held, body).await;
    let dir = held.stop().await;
    let service = Service::start_in(dir, &["--endpoint", &hub.endpoint()]).await;
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(
        (&job["status"], &job["connections"]),
        (&json!("paused"), &json!(1)),
        "{job}"
    );
    service.command(&id, "resume").await;
    service.until_status(&id, "completed").await;
    assert_eq!(hub.log().bodies().peak(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_tried_again_over_fewer_connections_and_the_limits_of_all_stay() {
    let hub = hub().await;
    hub.fault(Fault::status("acme/many/a.bin", 503));
    let service = service(&hub, &["--retries", "0"]).await;
    let id = submit(&service, json!({"repo": "acme/many"})).await;
    service.until_status(&id, "failed").await;
    hub.clear_faults();
    flow(&hub, |bodies| bodies == 0).await;
    hub.log().bodies().restart();
    let retry = format!("/api/jobs/{id}/retry");
    for wrong in [json!(0), json!(65), json!("2"), json!(1.5)] {
        let answer = service.post(&retry, json!({"connections": wrong})).await;
        assert_error(&answer, 400, "bad_request", "Invalid connections", "from 1 to 64");
    }
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "failed", "a refused request changes nothing");
    let (status, answer) = service.post(&retry, json!({"connections": 1})).await;
    assert_eq!(
        (status, &answer["message"]),
        (200, &json!("Job restarted")),
        "{answer}"
    );
    let done = service.until_status(&id, "completed").await;
    assert_eq!(done["connections"], 1);
    assert_eq!(hub.log().bodies().peak(), 1);
    let (_, settings) = service.get("/api/settings").await;
    assert_eq!(
        (&settings["connections"], &settings["maxConnections"]),
        (&json!(8), &json!(16))
    );
    // Of a job that is done nothing changes.
    let (status, _) = service.post(&retry, json!({"connections": 3})).await;
    assert_eq!(status, 404);
    let (_, done) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(done["connections"], 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_without_the_field_keeps_the_limit_as_old_clients_expect() {
    let service = Service::start(NOWHERE).await;
    for (body, kept) in [
        (None, json!(5)),
        (Some(json!({})), json!(5)),
        (Some(json!({"connections": null})), Value::Null),
    ] {
        let asked = json!({"repo": "acme/later", "connections": 5, "startPaused": true});
        let id = submit(&service, asked).await;
        let path = format!("/api/jobs/{id}");
        assert_eq!(service.delete(&path).await.0, 200);
        let (status, answer) = match body {
            None => service.command(&id, "retry").await,
            Some(body) => service.post(&format!("{path}/retry"), body).await,
        };
        assert_eq!(status, 200, "{answer}");
        let (_, job) = service.get(&path).await;
        assert_eq!(job["connections"], kept);
        service.delete(&path).await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_none_is_refused_in_words_and_sets_nothing() {
    let service = Service::start(NOWHERE).await;
    let asked = json!({"repo": "acme/later", "connections": 5, "startPaused": true});
    let id = submit(&service, asked).await;
    for wrong in [0, -3, 65] {
        let why = format!("connections must be a whole number from 1 to 64, not {wrong}");
        let body = json!({"repo": "acme/new", "connections": wrong});
        let set = json!({"action": "set", "ids": [id], "connections": wrong});
        for answer in [
            service.post("/api/download", body.clone()).await,
            service.post("/api/plan", body).await,
            service
                .patch(&format!("/api/jobs/{id}"), json!({"connections": wrong}))
                .await,
            service.post("/api/jobs/bulk", set).await,
        ] {
            assert_error(&answer, 400, "bad_request", "Invalid connections", &why);
        }
    }
    let (_, jobs) = service.get("/api/jobs").await;
    assert_eq!(jobs["count"], 1);
    assert_eq!(jobs["jobs"][0]["connections"], 5);
    let set = json!({"action": "set", "ids": [id], "connections": 7});
    assert_eq!(service.post("/api/jobs/bulk", set).await.1["done"], 1);
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["connections"], 7);
    service.stop().await;
}
