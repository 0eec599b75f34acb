//! The numbers for Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::{NOWHERE, Service};

/// Every series with its value.
async fn series(service: &Service) -> BTreeMap<String, f64> {
    let (status, text) = service.get("/metrics").await;
    assert_eq!(status, 200);
    let lines = text.as_str().expect("text").lines();
    let mut found = BTreeMap::new();
    let mut told = BTreeMap::new();
    for line in lines {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (kind, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(!words.next().unwrap_or_default().is_empty(), "{line}");
            told.insert((name.to_owned(), kind.to_owned()), ());
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let before = found.insert(
            name.to_owned(),
            value.parse().unwrap_or_else(|_| panic!("{line}")),
        );
        assert!(before.is_none(), "twice: {line}");
        let base = name.split('{').next().unwrap();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| base.strip_suffix(end))
            .unwrap_or(base);
        for kind in ["HELP", "TYPE"] {
            assert!(
                told.contains_key(&(base.to_owned(), kind.to_owned())),
                "{kind} of {line}"
            );
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_shows_in_the_numbers() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quick")
            .file("config.json", "{}")
            .lfs("model.gguf", Content::generated(100_000, 2)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let before = series(&service).await;
    assert_eq!(before["hfdepot_network_bytes_total"], 0.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(before[&format!("hfdepot_info{{version=\"{version}\"}}")], 1.0);

    let good = service.submit("acme/quick").await;
    service.until_status(&good, "completed").await;
    let bad = service.submit("acme/missing").await;
    service.until_status(&bad, "failed").await;
    let after = series(&service).await;
    assert!(after["hfdepot_network_bytes_total"] >= 100_002.0, "{after:#?}");
    for (name, value) in [
        ("hfdepot_jobs{kind=\"download\",status=\"completed\"}", 1.0),
        ("hfdepot_jobs{kind=\"download\",status=\"failed\"}", 1.0),
        ("hfdepot_jobs_completed_total", 1.0),
        ("hfdepot_job_failures_total{code=\"repo_not_found\"}", 1.0),
        ("hfdepot_job_failures_total{code=\"disk_full\"}", 0.0),
        ("hfdepot_retries_total{code=\"server_error\"}", 0.0),
        ("hfdepot_task_failures_total{task=\"backup\"}", 0.0),
        (
            "hfdepot_http_request_duration_seconds_count{method=\"POST\",route=\"/api/download\",status=\"2xx\"}",
            2.0,
        ),
    ] {
        assert_eq!(after.get(name), Some(&value), "{name} in {after:#?}");
    }
    let data = service
        .home()
        .join(".cache/huggingface/hub")
        .display()
        .to_string();
    let free = after.get(&format!("hfdepot_volume_free_bytes{{path=\"{data}\"}}"));
    assert!(free.is_some_and(|free| *free > 0.0), "{after:#?}");
    #[cfg(target_os = "linux")]
    assert!(after["process_resident_memory_bytes"] > 1e6, "{after:#?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_is_what_a_client_made_up() {
    let service = Service::start(NOWHERE).await;
    for path in [
        "/api/made-up-by-me",
        "/made-up-page",
        "/api/jobs/0123456789ab?q=made-up",
    ] {
        service.get(path).await;
    }
    let all = series(&service).await;
    assert!(
        all.keys()
            .all(|name| !name.contains("made") && !name.contains("0123456789ab")),
        "{all:#?}"
    );
    let count = |route: &str, status: &str| {
        let labels = format!("method=\"GET\",route=\"{route}\",status=\"{status}\"");
        let name = format!("hfdepot_http_request_duration_seconds_count{{{labels}}}");
        all.get(&name).copied().unwrap_or_default()
    };
    assert_eq!(count("/api/jobs/{id}", "4xx"), 1.0);
    assert_eq!(count("other", "4xx") + count("other", "2xx"), 2.0, "{all:#?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_need_the_login_as_everything_else_does() {
    let flags = [
        "--auth-user",
        "ann",
        "--auth-pass",
        "a long password",
        "--endpoint",
        NOWHERE,
    ];
    let service = Service::start_with(&flags).await;
    let url = format!("http://{}/metrics", service.address);
    let stranger = reqwest::get(&url).await.unwrap();
    assert_eq!(stranger.status(), 401);
    let (_, key) = service
        .post("/api/keys", json!({"name": "prometheus", "scope": "read"}))
        .await;
    let known = reqwest::Client::new()
        .get(&url)
        .bearer_auth(key["key"].as_str().unwrap());
    let answer = known.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_names_every_series_and_no_other() {
    let service = Service::start(NOWHERE).await;
    // The first answer is measured when it is over.
    series(&service).await;
    let served: BTreeSet<String> = series(&service)
        .await
        .keys()
        .map(|name| {
            let base = name.split('{').next().unwrap();
            let histogram = base.strip_prefix("hfdepot_http_request_duration_seconds");
            histogram
                .map_or(base, |_| "hfdepot_http_request_duration_seconds")
                .to_owned()
        })
        .collect();
    let readme = include_str!("../README.md");
    let rows = readme.split("| series | what |").nth(1).expect("the table");
    let rows = rows.lines().skip(1).take_while(|line| line.starts_with('|'));
    let told: BTreeSet<String> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|series| series.split('{').next().unwrap().to_owned())
        .collect();
    // Of the Hub nothing was heard yet.
    let unheard = BTreeSet::from(["hfdepot_hub_requests_remaining".to_owned()]);
    let missing: Vec<_> = served.difference(&told).collect();
    assert!(missing.is_empty(), "not in the README: {missing:?}");
    let foreign: BTreeSet<_> = told.difference(&served).cloned().collect();
    assert_eq!(foreign, unheard);
    service.stop().await;
}
