//! Search over the configured Hub, and what is left of its patience.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::hub::{Fault, FaultKind, Hub, Repo, ThrottleForm};
use crate::support::service::Service;

fn model(id: &str, downloads: u64, likes: u64) -> Repo {
    Repo::model(id)
        .file("config.json", "{}")
        .field("downloads", json!(downloads))
        .field("likes", json!(likes))
        .field("pipeline_tag", json!("text-generation"))
        .field("library_name", json!("gguf"))
        .field("tags", json!(["gguf", "license:mit"]))
}

async fn stocked() -> Hub {
    let hub = Hub::start().await;
    hub.add(model("acme/qwen-small", 10, 300));
    hub.add(model("acme/qwen-large", 500, 20).gated("manual"));
    hub.add(model("other/qwen-mid", 100, 1).field("tags", json!(["safetensors"])));
    hub.add(model("other/llama", 9000, 9));
    hub.add(
        Repo::dataset("acme/qwen-lines")
            .file("a.csv", "a\n")
            .field("downloads", json!(3)),
    );
    hub
}

fn ids(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().filter_map(|found| found["id"].as_str()).collect()
}

/// Answers every list with this text.
fn lists_say(body: &str) -> Fault {
    Fault::on(
        "/api/models",
        FaultKind::Status {
            status: 200,
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: body.to_owned(),
        },
    )
}

/// Paths of the requests that reached the Hub.
fn asked(hub: &Hub) -> Vec<String> {
    let entries = hub.log().entries();
    entries.iter().map(|entry| entry.path.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_sorted_filtered_and_has_every_key() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    for (query, expected) in [
        (
            "q=qwen",
            &["acme/qwen-large", "other/qwen-mid", "acme/qwen-small"][..],
        ),
        (
            "q=QWEN&sort=likes",
            &["acme/qwen-small", "acme/qwen-large", "other/qwen-mid"],
        ),
        (
            "q=qwen&filter=gguf,license:mit",
            &["acme/qwen-large", "acme/qwen-small"],
        ),
        ("q=qwen&author=other", &["other/qwen-mid"]),
        ("q=qwen&datasets=true", &["acme/qwen-lines"]),
        ("q=qwen&limit=1", &["acme/qwen-large"]),
        ("q=nothing-like-that", &[]),
        (
            "limit=5000",
            &[
                "other/llama",
                "acme/qwen-large",
                "other/qwen-mid",
                "acme/qwen-small",
            ],
        ),
    ] {
        let (status, answer) = service.get(&format!("/api/search?{query}")).await;
        assert_eq!(status, 200, "{query}: {answer}");
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(answer["total"], expected.len(), "{query}");
    }
    let (_, answer) = service.get("/api/search?q=qwen%20large").await;
    let mut found = answer["results"][0].clone();
    for time in ["lastModified", "createdAt"] {
        let text = found.as_object_mut().unwrap().remove(time).unwrap();
        assert!(text.as_str().unwrap().ends_with('Z'), "{text}");
    }
    assert_eq!(
        found,
        json!({"id": "acme/qwen-large", "author": "acme", "downloads": 500, "likes": 20, "trendingScore": 1,
            "private": false, "gated": "manual", "pipelineTag": "text-generation", "libraryName": "gguf",
            "tags": ["gguf", "license:mit"], "cached": false, "cacheSource": "", "cacheStatus": ""})
    );
    assert_eq!(answer["query"], "qwen large");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_before_will_do_when_the_hub_gives_none_and_say_how_old_they_are() {
    let hub = stocked().await;
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    let (_, fresh) = service.get("/api/search?q=qwen&stale=true").await;
    assert_eq!(fresh["staleSince"], Value::Null);
    hub.fault(Fault::status("/api/models", 503));
    let (status, old) = service.get("/api/search?q=qwen&stale=true").await;
    assert_eq!((status, ids(&old)), (200, ids(&fresh)));
    let since = old["staleSince"].as_str().expect("a time");
    let age = hfdepot::clock::now_ms() - hfdepot::clock::parse_rfc3339(since).expect("a time");
    assert!((0..60_000).contains(&age), "{since}");
    // Who does not ask for them, or for others, is told what is wrong.
    for query in ["q=qwen", "q=llama&stale=true", "q=qwen&sort=likes&stale=true"] {
        assert_eq!(
            service.get(&format!("/api/search?{query}")).await.0,
            502,
            "{query}"
        );
    }
    // What another account saw is nobody else's.
    service
        .post("/api/settings", json!({"token": crate::support::hub::TOKEN}))
        .await;
    assert_eq!(service.get("/api/search?q=qwen&stale=true").await.0, 502);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_can_be_no_larger_than_wished() {
    let hub = stocked().await;
    for (id, total) in [
        ("acme/qwen-7b", 7_600_000_000u64),
        ("acme/qwen-72b", 72_000_000_000),
    ] {
        hub.add(model(id, 1, 1).field("safetensors", json!({ "total": total })));
    }
    let service = Service::start(&hub.endpoint()).await;
    for (most, expected) in [
        ("8B", &["acme/qwen-7b"][..]),
        ("0.5B", &[]),
        ("100B", &["acme/qwen-72b", "acme/qwen-7b"]),
    ] {
        let (status, answer) = service
            .get(&format!("/api/search?q=qwen&maxParameters={most}"))
            .await;
        assert_eq!((status, ids(&answer)), (200, expected.to_vec()), "{most}");
    }
    for bad in ["8", "B", "8b", "8B,min:1B", "1.2345B", "-8B"] {
        let (status, answer) = service.get(&format!("/api/search?maxParameters={bad}")).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Invalid maxParameters")),
            "{bad}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_searched_in_vain_is_told_what_may_have_been_meant() {
    let hub = stocked().await;
    hub.add(Repo::model("acme/private-thing").file("a", "a"));
    let service = Service::start(&hub.endpoint()).await;
    let suggested = async |query: &str| {
        let (status, answer) = service.get(&format!("/api/suggest?{query}")).await;
        assert_eq!(status, 200, "{query}: {answer}");
        let list = answer["suggestions"].as_array().expect("a list");
        let told = |one: &Value| {
            let text = |key: &str| one[key].as_str().expect("a text").to_owned();
            format!("{} {}", text("source"), text("id"))
        };
        list.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(
        suggested("q=qwne+large").await,
        ["hub acme/qwen-large"],
        "one word is right"
    );
    assert_eq!(suggested("q=acme/qwen-smal").await[0], "hub acme/qwen-small");
    assert_eq!(
        suggested("q=qwen-linse&datasets=true").await,
        ["hub acme/qwen-lines"]
    );
    assert_eq!(suggested("q=nothing-like-that").await, Vec::<String>::new());
    // At most two searches, each of one page.
    hub.log().clear();
    suggested("q=qwne+large+small").await;
    assert_eq!(asked(&hub), ["/api/models", "/api/models"]);
    // What is here is known without the Hub, and what was here once too.
    for repo in ["acme/private-thing", "other/llama"] {
        let id = service.submit(repo).await;
        service.until_status(&id, "completed").await;
    }
    service.delete("/api/cache/other/llama").await;
    service.get("/api/cache?fresh=true").await;
    hub.fault(Fault::status("/api/models", 503));
    assert_eq!(suggested("q=privat-thing").await, ["library acme/private-thing"]);
    assert_eq!(suggested("q=other/lama").await, ["history other/llama"]);
    let (status, answer) = service.get("/api/suggest").await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("Missing required field: q"))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_by_cursor() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let (mut all, mut path) = (Vec::new(), "/api/search?limit=3".to_owned());
    for _ in 0..2 {
        let (_, answer) = service.get(&path).await;
        all.extend(ids(&answer).into_iter().map(str::to_owned));
        match answer["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/search?limit=3&cursor={}", cursor.replace('/', "%2F")),
            None => break,
        }
    }
    assert_eq!(
        all,
        [
            "other/llama",
            "acme/qwen-large",
            "other/qwen-mid",
            "acme/qwen-small"
        ]
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_in_the_cache_is_marked() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/qwen-small").await;
    service.until_status(&id, "completed").await;
    let (_, answer) = service.get("/api/search?q=qwen").await;
    for found in answer["results"].as_array().unwrap() {
        let here = found["id"] == "acme/qwen-small";
        assert_eq!(found["cached"], here, "{found}");
        assert_eq!(found["cacheSource"], if here { "HF cache" } else { "" });
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_query_is_refused_before_the_hub_is_asked() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    for (query, error) in [
        ("sort=size".to_owned(), "Invalid sort"),
        ("limit=0".to_owned(), "Invalid limit"),
        ("limit=x".to_owned(), "Invalid limit"),
        ("datasets=perhaps".to_owned(), "Invalid datasets"),
        (format!("q={}", "x".repeat(201)), "Invalid q"),
        (format!("cursor={}", "x".repeat(2049)), "Invalid cursor"),
        (format!("filter={}", ["a"; 21].join(",")), "Invalid filter"),
    ] {
        let (status, body) = service.get(&format!("/api/search?{query}")).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{query}");
    }
    assert!(asked(&hub).is_empty());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_list_reaches_nobody() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    hub.fault(lists_say(
        r#"[{"id":"../../x"},{"id":"acme/<img>"},null,7,{"id":"acme/ok","downloads":-1,"likes":"1e9","gated":{"a":1},
            "tags":["\u0000t","<b>",{"x":1}],"pipeline_tag":["x"],"lastModified":"<script>","private":"yes"}]"#,
    ));
    let (status, answer) = service.get("/api/search").await;
    assert_eq!((status, ids(&answer)), (200, vec!["acme/ok"]));
    let found = &answer["results"][0];
    assert_eq!(
        (&found["downloads"], &found["likes"], &found["gated"]),
        (&json!(0), &json!(0), &json!(true))
    );
    assert_eq!(
        (&found["tags"], &found["lastModified"]),
        (&json!(["t", "<b>"]), &json!(""))
    );
    let secret = "the words of a foreign server";
    for body in [
        format!("{{\"error\":\"{secret}\"}}"),
        format!("<html>{secret}</html>"),
        format!("[{{\"id\":\"a/b\",\"x\":\"{}\"}}]", "y".repeat(4 << 20)),
        secret.to_owned(),
    ] {
        hub.clear_faults();
        hub.fault(lists_say(&body));
        let (status, answer) = service.get("/api/search").await;
        assert_eq!(
            (status, &answer["error"]),
            (502, &json!("Failed to parse upstream response"))
        );
        assert!(!answer.to_string().contains(secret), "{answer}");
    }
    for refusal in [400, 401, 403, 404, 418, 500, 503] {
        hub.clear_faults();
        hub.fault(Fault::on(
            "/api/models",
            FaultKind::Status {
                status: refusal,
                headers: [("x-error-message".to_owned(), secret.to_owned())].into(),
                body: secret.to_owned(),
            },
        ));
        let (status, answer) = service.get("/api/search").await;
        assert_eq!(
            (status, &answer["error"]),
            (502, &json!("Upstream request failed")),
            "{refusal}"
        );
        assert!(!answer.to_string().contains(secret), "{answer}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_call_for_patience_is_passed_on_and_then_honoured() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let (status, before) = service.get("/api/ratelimit").await;
    assert_eq!((status, &before["endpoint"]), (200, &json!(hub.endpoint())));
    assert_eq!(before["buckets"][0]["bucket"], "api");
    assert_eq!(before["buckets"][0]["remaining"], Value::Null);
    service.get("/api/search").await;
    let (_, after) = service.get("/api/ratelimit").await;
    assert_eq!(after["buckets"][0]["quota"], 10_000);
    assert_eq!(after["buckets"][0]["remaining"], 9_999);

    hub.fault(Fault::on(
        "/api/models",
        FaultKind::Throttle {
            form: ThrottleForm::RateLimit,
            seconds: 120,
        },
    ));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let search = format!("http://{}/api/search?q=x", service.address);
    for _ in 0..2 {
        let answer = client
            .get(&search)
            .timeout(Duration::from_secs(10))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 429);
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((100..=125).contains(&wait), "{wait}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error_detail"]["reason"], "rate_limited");
    }
    // The second one was answered without asking again.
    assert_eq!(asked(&hub).len(), 2);
    let (_, waiting) = service.get("/api/ratelimit").await;
    assert!(waiting["buckets"][0]["waitingUntil"].is_string(), "{waiting}");
    service.stop().await;
}
