//! How fast bytes came, over time: kept over a restart, with its gaps.

use hfdepot::clock::now_ms;
use hfdepot::store::{JobProgress, Lease, Outcome, SpeedRange, Store};
use serde_json::Value;

use crate::support::base::Base;
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

async fn received(base: &Base, lease: &Lease, network_bytes: u64) {
    let progress = JobProgress {
        network_bytes,
        ..Default::default()
    };
    base.store
        .progress(&[(lease.clone(), progress)], &[])
        .await
        .unwrap();
}

/// Bytes of all spans of one width.
async fn recorded(base: &Base, job: i64, span_ms: i64) -> i64 {
    crate::support::depot::figure_in(
        base.dir.path(),
        &format!("SELECT COALESCE(SUM(bytes), 0) FROM speed WHERE job_seq = {job} AND span_ms = {span_ms}"),
    )
    .await
}

#[tokio::test]
async fn every_byte_is_counted_once_for_its_job_and_for_all() {
    let base = Base::new().await;
    let mut leases = Vec::new();
    for repo in ["o/a", "o/b"] {
        base.submit(repo).await;
        leases.push(base.claim().await.lease);
    }
    for bytes in [100, 100, 350, 1000] {
        received(&base, &leases[0], bytes).await;
        received(&base, &leases[1], bytes * 2).await;
    }
    for span in [5_000, 60_000, 600_000] {
        assert_eq!(recorded(&base, leases[0].job_seq(), span).await, 1000, "{span}");
        assert_eq!(recorded(&base, leases[1].job_seq(), span).await, 2000, "{span}");
        assert_eq!(recorded(&base, 0, span).await, 3000, "{span}");
    }
    // A run that lost its lease records nothing.
    base.store.settle(&leases[0], &Outcome::Completed).await.unwrap();
    received(&base, &leases[0], 9999).await;
    assert_eq!(recorded(&base, 0, 5_000).await, 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_tells_its_speed_and_the_seconds_that_are_left_and_a_stopped_one_neither() {
    const RATE: u64 = 1 << 20;
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/steady").lfs("m.gguf", Content::generated(60 * RATE, 4)));
    hub.set_total_rate(Some(RATE));
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/steady").await;
    let number = |job: &Value, key: &str| job["progress"][key].as_u64().expect("a number");
    // Once the first seconds are measured: a third off, on a machine that does other things too.
    let near = |found: u64, expected: u64| found * 3 >= expected * 2 && found * 2 <= expected * 3;
    let running = service
        .until(&id, |job| {
            let left = number(job, "totalBytes").saturating_sub(number(job, "downloadedBytes"));
            number(job, "downloadedBytes") > 3 * RATE
                && near(number(job, "bytesPerSecond"), RATE)
                && near(number(job, "etaSeconds"), left / RATE)
        })
        .await;
    assert_eq!(running["status"], "running");
    service.command(&id, "pause").await;
    let (_, paused) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(
        (number(&paused, "bytesPerSecond"), number(&paused, "etaSeconds")),
        (0, 0),
        "{paused}"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_series_survives_a_restart_and_shows_the_gap() {
    let base = Base::new().await;
    let id = base.submit("o/a").await;
    let seq = base.claim().await.lease.job_seq();
    let start = now_ms() / 5000 * 5000 - 300_000;
    for n in [0, 1, 3, 20, 21] {
        base.sql(&format!(
            "INSERT INTO speed VALUES ({seq}, 5000, {}, 5000), (0, 5000, {0}, 10000)",
            start + n * 5000
        ))
        .await
        .unwrap();
    }
    base.store.close().await;
    let store = Store::open(&base.path()).await.unwrap();
    let series = store
        .speed_of(&id, SpeedRange::TenMinutes)
        .await
        .unwrap()
        .unwrap();
    let points: Vec<_> = series
        .points
        .iter()
        .map(|p| ((p.at - start) / 5000, p.bytes_per_second))
        .collect();
    assert_eq!(
        points,
        [(0, 1000), (1, 1000), (2, 0), (3, 1000), (20, 1000), (21, 1000)]
    );
    assert_eq!((series.step_ms, series.mean), (5000, 25_000 / 30));
    let all = store.speed_of_all(SpeedRange::Hour).await.unwrap();
    assert_eq!(all.step_ms, 15_000);
    assert!(all.points.len() >= 3 && all.mean > 0, "{all:?}");
}

#[tokio::test]
async fn old_spans_and_those_of_jobs_that_are_gone_are_dropped() {
    let base = Base::new().await;
    base.submit("o/a").await;
    let seq = base.claim().await.lease.job_seq();
    let now = now_ms() / 5000 * 5000;
    let hour = 3_600_000;
    for (job, at) in [
        (seq, now),
        (seq, now - hour / 2),
        (seq, now - 2 * hour),
        (0, now - 2 * hour),
        (0, now - 100 * hour),
        (0, now + 1000 * hour),
        (4711, now),
    ] {
        base.sql(&format!("INSERT INTO speed VALUES ({job}, 5000, {at}, 1)"))
            .await
            .unwrap();
    }
    assert_eq!(base.store.purge_speed().await.unwrap(), 4);
    assert_eq!(recorded(&base, seq, 5000).await, 2);
    assert_eq!(recorded(&base, 0, 5000).await, 1);
    assert_eq!(recorded(&base, 4711, 5000).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_tells_speed_segments_and_retries_of_a_job() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(3 << 20, 1)));
    hub.fault(
        crate::support::hub::Fault::on(
            "acme/big/model.gguf",
            crate::support::hub::FaultKind::CutBody {
                after_bytes: 1 << 20,
                reset: false,
            },
        )
        .times(1),
    );
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--backoff-initial", "10ms"]).await;
    let id = service.submit("acme/big").await;
    service.until_status(&id, "completed").await;
    let (status, events) = service.get(&format!("/api/jobs/{id}/events?level=warn")).await;
    assert_eq!(status, 200, "{events}");
    let retry = &events["events"][0];
    assert_eq!(
        (&retry["event"], &retry["code"], &retry["count"]),
        (
            &Value::from("tried_again"),
            &Value::from("server_error"),
            &Value::from(1)
        ),
        "{events}"
    );
    assert!(
        retry["host"].as_str().is_some_and(|host| host.contains(':')),
        "{retry}"
    );
    assert!(retry["waitMs"].as_i64().is_some(), "{retry}");
    for path in [
        format!("/api/jobs/{id}/speed?range=all"),
        "/api/speed?range=1h".to_owned(),
    ] {
        let (status, speed) = service.get(&path).await;
        assert_eq!(status, 200, "{speed}");
        assert!(
            speed["stepMs"].as_i64().unwrap() >= 5000 && speed["points"].is_array(),
            "{speed}"
        );
    }
    let (_, speed) = service.get(&format!("/api/jobs/{id}/speed")).await;
    assert_eq!(speed["marks"][0]["kind"], "retry", "{speed}");
    let (status, segments) = service.get(&format!("/api/jobs/{id}/segments")).await;
    assert_eq!(
        (status, &segments["files"]),
        (200, &Value::Array(vec![])),
        "all are in place"
    );
    for path in ["/api/speed?range=1y", "/api/jobs/123456789abc/segments"] {
        assert!([400, 404].contains(&service.get(path).await.0), "{path}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_tell_what_is_here_while_a_file_is_fetched() {
    let hub = crate::support::service::slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/slow").await;
    let job = service
        .until(&id, |job| {
            job["progress"]["downloadedBytes"].as_i64() >= Some(1 << 20)
        })
        .await;
    let why = job["connectionsReason"].as_str().unwrap();
    assert!(why.contains(" connections"), "{why}");
    let (status, answer) = service.get(&format!("/api/jobs/{id}/segments")).await;
    assert_eq!(status, 200, "{answer}");
    let file = &answer["files"][0];
    assert_eq!(
        (&file["path"], &file["totalBytes"]),
        (&Value::from("model.safetensors"), &Value::from(3 << 20))
    );
    assert!(file["written"].as_i64().unwrap() >= 1 << 20, "{file}");
    let segments = file["segments"].as_array().unwrap();
    assert!(segments.iter().any(|segment| segment["open"] == true), "{file}");
    let length: i64 = segments
        .iter()
        .map(|segment| segment["length"].as_i64().unwrap())
        .sum();
    assert_eq!(length, 3 << 20);
    service.stop().await;
}
