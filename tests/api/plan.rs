//! `POST /api/plan`, and `dryRun`.

use serde_json::{Value, json};

use super::assert_error;
use crate::support::hub::{Content, Fault, Hub, Repo};
use crate::support::service::{NOWHERE, Service};

fn quantized() -> Repo {
    Repo::model("acme/quant")
        .file("config.json", "{}")
        .lfs("model.Q4_K_M.gguf", Content::generated(5000, 1))
        .lfs("model.Q8_0.gguf", Content::generated(9000, 2))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_every_file_and_makes_no_job() {
    let hub = Hub::start().await;
    let commit = hub.add(quantized());
    let service = Service::start(&hub.endpoint()).await;
    let body = json!({"repo": "acme/quant", "filters": ["q4_k_m"]});
    let (status, plan) = service.post("/api/plan", body.clone()).await;
    assert_eq!(status, 200, "{plan}");
    assert_eq!(
        (&plan["repo"], &plan["revision"]),
        (&json!("acme/quant"), &json!("main"))
    );
    assert_eq!(
        (&plan["totalFiles"], &plan["totalSize"]),
        (&json!(2), &json!(5002))
    );
    assert_eq!(plan["commit"], commit);
    assert_eq!(plan["alreadyPresentBytes"], 0);
    assert_eq!(plan["fits"], true);
    assert!(plan["freeBytes"].as_u64().is_some_and(|free| free > 0), "{plan}");
    let file = |index: usize, key: &str| plan["files"][index][key].clone();
    assert_eq!(
        (file(0, "path"), file(0, "size"), file(0, "lfs")),
        (json!("config.json"), json!(2), json!(false))
    );
    assert_eq!(
        (file(1, "path"), file(1, "size"), file(1, "lfs")),
        (json!("model.Q4_K_M.gguf"), json!(5000), json!(true))
    );
    assert_eq!(plan["skippedFiles"][0]["path"], "model.Q8_0.gguf");

    let mut dry = body;
    dry["dryRun"] = json!(true);
    let (status, answer) = service.post("/api/download", dry).await;
    assert_eq!((status, &answer["files"]), (200, &plan["files"]));
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_matches_nothing_gives_an_empty_plan_with_a_warning() {
    let hub = Hub::start().await;
    hub.add(quantized());
    let service = Service::start(&hub.endpoint()).await;
    let (status, plan) = service
        .post("/api/plan", json!({"repo": "acme/quant", "filters": ["q2_k"]}))
        .await;
    assert_eq!(status, 200, "{plan}");
    assert_eq!((&plan["files"], &plan["totalFiles"]), (&json!([]), &json!(0)));
    assert!(plan["warning"].as_str().unwrap().contains("q2_k"), "{plan}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_takes_every_part_of_a_split_quantisation_and_no_other() {
    let hub = Hub::start().await;
    let part = |name: &str, n| format!("m-{name}-0000{n}-of-00003.gguf");
    let mut repo = Repo::model("acme/split").file("config.json", "{}");
    for name in ["Q4_K", "Q4_K_M"] {
        for n in 1..=3 {
            repo = repo.lfs(&part(name, n), Content::generated(1000 + n, n));
        }
    }
    hub.add(repo);
    let service = Service::start(&hub.endpoint()).await;
    for (filter, exact, names) in [
        ("q4_k_m", false, &["Q4_K_M"][..]),
        ("q4_k", true, &["Q4_K"]),
        // Without exactMatch it is a part of the longer name too.
        ("q4_k", false, &["Q4_K", "Q4_K_M"]),
    ] {
        let asked = json!({"repo": "acme/split", "filters": [filter], "exactMatch": exact});
        let (status, plan) = service.post("/api/plan", asked).await;
        assert_eq!(status, 200, "{plan}");
        let files = plan["files"].as_array().unwrap().iter();
        let mut found: Vec<_> = files
            .map(|file| file["path"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        let parts = names.iter().flat_map(|name| (1..=3).map(|n| part(name, n)));
        let mut expected: Vec<_> = parts.chain(["config.json".to_owned()]).collect();
        expected.sort();
        assert_eq!(found, expected, "{filter} {exact}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_refuses_has_the_status_of_its_cause() {
    let hub = Hub::start().await;
    hub.add(quantized().disabled());
    hub.add(Repo::model("acme/broken").file("x", "x"));
    hub.fault(Fault::status("acme/broken", 500));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    for (repo, status, code, reason) in [
        ("acme/none", 404, "not_found", "repo_not_found"),
        ("acme/quant", 403, "forbidden", "repo_disabled"),
        ("acme/broken", 502, "bad_gateway", "server_error"),
    ] {
        let answer = service.post("/api/plan", json!({"repo": repo})).await;
        let details = answer.1["details"].as_str().unwrap_or_default().to_owned();
        assert!(!details.is_empty(), "{}", answer.1);
        assert_error(&answer, status, code, "Failed to scan repository", &details);
        assert_eq!(answer.1["error_detail"]["reason"], reason);
        assert_ne!(answer.1["error_detail"]["hint"], Value::Null);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_hub_never_asks_the_browser_for_our_login() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/shut").file("x", "x"));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    for status in [401, 403] {
        hub.clear_faults();
        hub.fault(Fault::status("acme/shut", status));
        for request in [
            service
                .request("POST", "/api/plan")
                .json(&json!({"repo": "acme/shut"})),
            service.request("GET", "/api/analyze/acme/shut?dataset=false"),
            service.request("GET", "/api/readme/acme/shut"),
        ] {
            let answer = request.send().await.unwrap();
            let place = format!("{status} {}", answer.url().path());
            // A 401 of the Hub may also stand for a repo that it does not show.
            assert!(
                [403, 404].contains(&answer.status().as_u16()),
                "{place}: {}",
                answer.status()
            );
            assert!(!answer.headers().contains_key("www-authenticate"), "{place}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["ok"], false, "{place}");
            assert_ne!(body["error_detail"]["reason"], Value::Null, "{place}: {body}");
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_cannot_be_reached_is_a_bad_gateway() {
    let service = Service::start(NOWHERE).await;
    let answer = service.post("/api/plan", json!({"repo": "o/n"})).await;
    assert_error(
        &answer,
        502,
        "bad_gateway",
        "Failed to scan repository",
        "127.0.0.1",
    );
    assert_eq!(answer.1["error_detail"]["reason"], "offline");
    service.stop().await;
}
