//! `GET /api/ws`: what clients see of jobs while they run.

use std::time::Instant;

use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::hub::{Content, Fault, FaultKind, Repo};
use crate::support::service::{Live, NOWHERE, Service, slow_hub};

#[tokio::test(flavor = "multi_thread")]
async fn init_comes_first_and_holds_every_job() {
    let service = Service::start(NOWHERE).await;
    let mut live = Live::connect(&service).await;
    let init = live.next().await;
    assert_eq!(init["type"], "init");
    assert_eq!(
        init["data"],
        json!({"jobs": [], "jobsTotal": 0, "version": env!("CARGO_PKG_VERSION")})
    );
    let id = service.submit("o/n").await;
    let update = live.until(|message| message["type"] == "job_update").await;
    assert_eq!(update["data"]["id"], id.as_str());
    let (_, listed) = service.get("/api/jobs").await;
    let init = Live::connect(&service).await.next().await;
    assert_eq!(init["type"], "init");
    assert_eq!(init["data"]["jobs"][0]["id"], listed["jobs"][0]["id"]);
    assert_eq!(init["data"]["jobsTotal"], 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_followed_to_its_end_and_then_announced() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let mut live = Live::connect(&service).await;
    live.next().await;
    let id = service.submit("acme/quick").await;
    let last = live
        .until(|message| message["data"]["status"] == "completed")
        .await;
    assert_eq!(
        (&last["type"], &last["data"]["id"]),
        (&json!("job_update"), &json!(id))
    );
    assert_eq!(last["data"]["progress"]["completedFiles"], 2);
    let event = live.until(|message| message["type"] != "status").await;
    assert_eq!(
        (&event["type"], &event["data"]),
        (
            &json!("event"),
            &json!({"event": "download_complete", "jobId": id})
        )
    );
    service.command(&id, "dismiss").await;
    let event = live.until(|message| message["type"] != "status").await;
    assert_eq!(
        (&event["type"], &event["data"]),
        (&json!("event"), &json!({"event": "job_removed", "jobId": id}))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_a_job_after_its_last_state() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let mut live = Live::connect(&service).await;
    let id = service.submit("acme/quick").await;
    live.until(|message| message["data"]["event"] == "download_complete")
        .await;
    // Between two summaries lie five seconds: whatever was held back has come by then.
    for _ in 0..2 {
        let next = live
            .until(|message| message["type"] == "status" || message.to_string().contains(&id))
            .await;
        assert_eq!(next["type"], "status", "{next}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_of_messages_rise_from_init_on() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let mut live = Live::connect(&service).await;
    let number = |message: &serde_json::Value| message["seq"].as_u64().expect("a number");
    let mut before = number(&live.next().await);
    service.submit("acme/quick").await;
    loop {
        let message = live.next().await;
        assert!(number(&message) > before, "{message}");
        before = number(&message);
        if message["data"]["event"] == "download_complete" {
            break;
        }
    }
    // Who comes later begins where the others are.
    let init = Live::connect(&service).await.next().await;
    assert!(number(&init) >= before, "{init}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_announced_each_time() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let mut live = Live::connect(&service).await;
    let id = service.submit("acme/absent").await;
    for _ in 0..2 {
        let event = live.until(|message| message["type"] == "event").await;
        assert_eq!(event["data"], json!({"event": "download_failed", "jobId": id}));
        service.command(&id, "retry").await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_one_job_come_at_most_four_times_a_second() {
    let hub = slow_hub().await;
    hub.add(Repo::model("acme/steady").lfs("model.bin", Content::generated(3 << 20, 5)));
    hub.fault(Fault::on(
        "acme/steady/model.bin",
        FaultKind::Rate {
            bytes_per_second: 1 << 20,
        },
    ));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--connections", "1"]).await;
    let mut live = Live::connect(&service).await;
    live.next().await;
    let begun = Instant::now();
    let id = service.submit("acme/steady").await;
    let mut updates = 0;
    let mut downloaded = 0;
    loop {
        let message = live.next().await;
        if message["type"] != "job_update" {
            continue;
        }
        assert_eq!(message["data"]["id"], id.as_str());
        updates += 1;
        let now = message["data"]["progress"]["downloadedBytes"].as_u64().unwrap();
        assert!(now >= downloaded, "{downloaded} fell to {now}");
        downloaded = now;
        if message["data"]["status"] == "completed" {
            break;
        }
    }
    // One more for the first, one for the edge of the last quarter, and two for changes of status,
    // which are told at once.
    let allowed = begun.elapsed().as_millis() / 250 + 4;
    assert!(updates <= allowed, "{updates} updates, {allowed} allowed");
    assert!(updates >= 4, "only {updates} updates in {:?}", begun.elapsed());
    assert_eq!(downloaded, 3 << 20);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_gets_the_last_state_and_not_the_backlog() {
    let service = Service::start(NOWHERE).await;
    let mut sleeper = Live::connect(&service).await;
    // More than any buffer between the two ends holds, if each state were sent.
    let long = vec!["x".repeat(250); 400];
    let mut ids = Vec::new();
    for n in 0..60 {
        let body = json!({"repo": format!("o/n{n}"), "filters": long, "notBefore": "2999-01-01T00:00:00Z"});
        let (_, job) = service.post("/api/download", body).await;
        ids.push(job["id"].as_str().unwrap().to_owned());
    }
    for id in &ids {
        for _ in 0..3 {
            service.delete(&format!("/api/jobs/{id}")).await;
            service.command(id, "retry").await;
        }
        service.delete(&format!("/api/jobs/{id}")).await;
    }
    let (mut ended, mut messages) = (std::collections::HashSet::new(), 0);
    while !ids.iter().all(|id| ended.contains(id)) {
        let message = sleeper.next().await;
        messages += 1;
        if message["type"] == "job_update" {
            let id = message["data"]["id"].as_str().unwrap().to_owned();
            if message["data"]["status"] == "cancelled" {
                ended.insert(id);
            } else {
                ended.remove(&id);
            }
        }
    }
    assert!(messages < 60 * 8, "{messages} messages for 60 jobs of 8 states");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_comes_every_few_seconds() {
    let hub = slow_hub().await;
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--max-active", "1"]).await;
    let running = service.submit("acme/slow0").await;
    service.until_status(&running, "running").await;
    service.submit("acme/slow1").await;
    let mut live = Live::connect(&service).await;
    let status = live.until(|message| message["type"] == "status").await;
    let data = &status["data"];
    assert_eq!(
        (&data["active"], &data["queued"], &data["paused"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert!(data["bytesPerSecond"].is_u64(), "{status}");
    assert!(data["diskFree"].as_u64().is_some_and(|free| free > 0), "{status}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_closes_the_connection_and_a_small_one_is_ignored() {
    let service = Service::start(NOWHERE).await;
    let mut live = Live::connect(&service).await;
    live.next().await;
    live.send(Message::text("anything")).await;
    live.send(Message::binary(vec![0; 500 * 1024])).await;
    service.submit("o/n").await;
    live.until(|message| message["type"] == "job_update").await;
    live.send(Message::text("x".repeat(513 * 1024))).await;
    loop {
        match live.frame().await {
            Some(Message::Close(frame)) => {
                assert_eq!(frame.unwrap().code, CloseCode::Size);
                break;
            }
            Some(_) => {}
            None => panic!("closed without a reason"),
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_that_the_service_goes_away() {
    let service = Service::start(NOWHERE).await;
    let mut live = Live::connect(&service).await;
    live.next().await;
    let stopping = tokio::spawn(service.stop());
    loop {
        match live.frame().await {
            Some(Message::Close(frame)) => {
                assert_eq!(frame.unwrap().code, CloseCode::Away);
                break;
            }
            Some(_) => {}
            None => panic!("closed without a reason"),
        }
    }
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_great_many_filters_still_fits_into_one_message() {
    let service = Service::start(NOWHERE).await;
    let mut live = Live::connect(&service).await;
    live.next().await;
    let filters = vec!["\u{1f600}".repeat(64); 1000];
    let excludes = vec!["x".repeat(256); 1000];
    let body = json!({"repo": "o/n", "filters": filters, "excludes": excludes});
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(
        (status, job["filters"].as_array().map(Vec::len)),
        (202, Some(1000))
    );
    let update = live.until(|message| message["type"] == "job_update").await;
    assert!(update.to_string().len() <= 512 * 1024);
    assert_eq!(update["data"]["filtersTruncated"], true);
    let init = Live::connect(&service).await.next().await;
    assert!(init.to_string().len() <= 512 * 1024);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_opens_no_socket_and_a_listed_one_does() {
    let flags = ["--endpoint", NOWHERE, "--allow-origin", "https://nas.example"];
    let service = Service::start_with(&flags).await;
    let own = format!("http://{}", service.address);
    for (origin, opens) in [
        (None, true),
        (Some(own.as_str()), true),
        (Some("https://nas.example"), true),
        (Some("https://evil.example"), false),
        (Some("null"), false),
    ] {
        let mut request = format!("ws://{}/api/ws", service.address)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok(_) => assert!(opens, "{origin:?}"),
            // Refused before the upgrade.
            Err(Error::Http(answer)) => {
                assert_eq!((opens, answer.status().as_u16()), (false, 403), "{origin:?}")
            }
            Err(error) => panic!("{origin:?}: {error}"),
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_for_the_socket_is_told_what_is_missing() {
    let service = Service::start(NOWHERE).await;
    let (status, answer) = service.get("/api/ws").await;
    assert_eq!((status, &answer["error"]), (400, &json!("WebSocket expected")));
    let flags = ["--endpoint", NOWHERE, "--auth-user", "a", "--auth-pass", "b"];
    let closed = Service::start_with(&flags).await;
    let refused = tokio_tungstenite::connect_async(format!("ws://{}/api/ws", closed.address)).await;
    assert!(refused.unwrap_err().to_string().contains("401"));
    let mut live = Live::connect(&closed).await;
    assert_eq!(live.next().await["type"], "init");
    service.stop().await;
    closed.stop().await;
}
