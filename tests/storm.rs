//! Storms of commands over the API: what the last answer said is what holds, no job has two runs,
//! and nothing is fetched that was there.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

const MIB: u64 = 1 << 20;
const JOBS: u64 = 20;
/// Commands to one job, one after the other; to all of them 2,000.
const COMMANDS: usize = 100;
/// Longest time from the last answer until every job shows what it was told.
const SETTLED: Duration = Duration::from_secs(2);

/// What a job is told at random, and the last of it that was accepted. A cancelled job is asked
/// for again now and then, so that no storm dies down.
async fn pelt(service: &Service, id: &str, seed: u64) -> &'static str {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut last = "resume";
    for _ in 0..COMMANDS {
        let command = match chance.u8(..20) {
            0 => "cancel",
            1 => "retry",
            2..=10 => "pause",
            _ => "resume",
        };
        let (status, body) = match command {
            "cancel" => service.delete(&format!("/api/jobs/{id}")).await,
            _ => service.command(id, command).await,
        };
        match status {
            200 | 202 => last = command,
            // What a command gets that does not fit the state, as a pause after a cancel.
            404 | 409 => {}
            _ => panic!("{command}: {status} {body}"),
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_commands_over_twenty_jobs_leave_each_where_its_last_one_put_it() {
    let hub = Hub::start().await;
    for index in 0..JOBS {
        let content = Content::generated(2 * MIB + index, index);
        hub.add(Repo::model(&format!("acme/storm-{index}")).lfs("model.gguf", content));
    }
    hub.set_total_rate(Some(4 * MIB));
    let service = Service::start(&hub.endpoint()).await;
    let mut ids = Vec::new();
    for index in 0..JOBS {
        ids.push(service.submit(&format!("acme/storm-{index}")).await);
    }
    let storms = ids.iter().zip(0..).map(|(id, seed)| pelt(&service, id, seed));
    let told = join_all(storms).await;
    let begun = Instant::now();
    for (id, last) in ids.iter().zip(&told) {
        let fits = |status: &str| match *last {
            "pause" => status == "paused",
            "cancel" => status == "cancelled",
            _ => matches!(status, "queued" | "running" | "completed"),
        };
        service
            .until(id, |job| fits(job["status"].as_str().expect("a status")))
            .await;
    }
    assert!(begun.elapsed() <= SETTLED, "{:?}", begun.elapsed());
    hub.set_total_rate(None);
    for (id, last) in ids.iter().zip(&told) {
        let again = match *last {
            "pause" => "resume",
            "cancel" => "retry",
            _ => continue,
        };
        let (status, body) = service.command(id, again).await;
        assert!(matches!(status, 200 | 202), "{again}: {status} {body}");
    }
    for id in &ids {
        service.until_status(id, "completed").await;
    }
    // One connection a file below the size from which a file is cut, and three jobs at a time.
    let peak = hub.log().bodies().peak();
    assert!(peak <= 3, "{peak} bodies at once: a job had two runs");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_equal_requests_at_once_are_one_job() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/one").lfs("model.gguf", Content::generated(MIB, 1)));
    hub.set_total_rate(Some(MIB / 2));
    let service = Service::start(&hub.endpoint()).await;
    let ask = || service.post("/api/download", json!({"repo": "acme/one"}));
    let answers = join_all((0..200).map(|_| ask())).await;
    let id = |body: &serde_json::Value| {
        let job = if body["job"].is_object() {
            &body["job"]
        } else {
            body
        };
        job["id"].as_str().map(str::to_owned)
    };
    let first = id(&answers[0].1).expect("an id");
    for (status, body) in &answers {
        assert!(matches!(status, 200 | 202), "{status} {body}");
        assert_eq!(id(body).as_deref(), Some(first.as_str()), "{body}");
    }
    let accepted = answers.iter().filter(|(status, _)| *status == 202).count();
    assert_eq!(accepted, 1, "only the first is new");
    hub.set_total_rate(None);
    service.until_status(&first, "completed").await;
    assert_eq!(service.get("/api/jobs").await.1["count"], 1);
    assert_eq!(hub.log().bytes_twice(), 0);
    service.stop().await;
}
