//! `GET` and `POST /api/settings`.

use serde_json::{Value, json};

use super::assert_error;
use crate::support::hub::{Hub, Repo, TOKEN};
use crate::support::service::{NOWHERE, Service, slow_hub};

async fn settings(service: &Service) -> Value {
    let (status, settings) = service.get("/api/settings").await;
    assert_eq!(status, 200, "{settings}");
    settings
}

async fn change(service: &Service, patch: Value) -> Value {
    let (status, answer) = service.post("/api/settings", patch).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["success"], &answer["message"]),
        (&json!(true), &json!("Settings updated"))
    );
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_whole_and_kept_over_a_restart() {
    let service = Service::start_with(&[]).await;
    let root = service.home().join(".cache/huggingface");
    let first = settings(&service).await;
    for (key, value) in [
        ("token", json!("")),
        ("cacheDir", json!(root.to_str().unwrap())),
        ("connections", json!(8)),
        ("maxActive", json!(3)),
        ("multipartThreshold", json!("32MiB")),
        ("verify", json!("size")),
        ("retries", json!(4)),
        ("endpoint", json!("")),
        ("maxSpeed", json!("")),
        ("stallTimeout", json!("60s")),
        ("storageMode", json!("cache")),
        ("localScanDirs", json!([])),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(first["proxy"]["hasPassword"], false);
    change(
        &service,
        json!({"connections": 16, "verify": "etag", "maxSpeed": "10MiB", "unknown": {"x": 1}, "retries": null}),
    )
    .await;
    let home = service.stop().await;
    let service = Service::start_in(home, &[]).await;
    let kept = settings(&service).await;
    assert_eq!(
        (
            &kept["connections"],
            &kept["verify"],
            &kept["maxSpeed"],
            &kept["retries"]
        ),
        (&json!(16), &json!("size"), &json!("10MiB"), &json!(4))
    );
    assert_eq!(kept["sources"]["connections"], "database");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_that_clients_look_for_is_there_though_nothing_is_set() {
    let service = Service::start(NOWHERE).await;
    let shown = settings(&service).await;
    for (key, kind) in [
        ("token", "text"),
        ("cacheDir", "text"),
        ("connections", "number"),
        ("maxActive", "number"),
        ("multipartThreshold", "text"),
        ("verify", "text"),
        ("retries", "number"),
        ("endpoint", "text"),
        ("configFile", "text"),
        ("targetsFile", "text"),
        ("localDir", "text"),
        ("localScanDirs", "list"),
        ("storageMode", "text"),
        ("downloadRoutes", "object"),
        ("maxSpeed", "text"),
        ("stallTimeout", "text"),
        ("configuredCacheDir", "text"),
        ("effectiveHubDir", "text"),
        ("hubDirSource", "text"),
        ("exportDir", "text"),
        ("linkMode", "text"),
        ("sources", "object"),
    ] {
        let found = match &shown[key] {
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
            _ => "something else",
        };
        assert_eq!(found, kind, "{key}: {shown}");
    }
    assert_eq!(
        shown["proxy"],
        json!({"url": "", "username": "", "hasPassword": false, "noProxy": "", "noEnvProxy": false, "insecureSkipVerify": false})
    );
    for (key, value) in [
        ("exportDir", ""),
        ("hubDirSource", "default"),
        ("storageMode", "cache"),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    service.stop().await;
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| dir.path().join(name).display().to_string();
    let (local, exports) = (folder("local"), folder("exports"));
    let flags = [
        "--endpoint",
        NOWHERE,
        "--local-dir",
        &local,
        "--export-dir",
        &exports,
    ];
    let service = Service::start_with(&flags).await;
    let shown = settings(&service).await;
    for (key, value) in [
        ("exportDir", exports.as_str()),
        ("localDir", &local),
        ("storageMode", "local"),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_change_through_the_api_where_that_is_allowed_and_only_to_good_ones() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| dir.path().join(name).display().to_string();
    let service = Service::start_with(&["--endpoint", NOWHERE, "--allow-path-settings"]).await;
    let before = settings(&service).await;
    for (patch, word) in [
        (
            json!({"cacheDir": "relative"}),
            "cacheDir must be an absolute path",
        ),
        (json!({"cacheDir": "/etc/models"}), "directory of the system"),
        (
            json!({"localDir": format!("{}/../x", folder("a"))}),
            "localDir must not lead through",
        ),
        (
            json!({"localScanDirs": [folder("a"), "/"]}),
            "localScanDirs must not be a directory of the system",
        ),
        (
            json!({"downloadRoutes": {"llm": "/proc"}}),
            "downloadRoutes must not be a directory of the system",
        ),
        (json!({"downloadRoutes": {"games": folder("a")}}), "games"),
    ] {
        let answer = service.post("/api/settings", patch).await;
        assert_error(&answer, 400, "bad_request", "Invalid settings", word);
    }
    assert_eq!(settings(&service).await, before);
    change(
        &service,
        json!({"cacheDir": folder("cache"), "localDir": folder("local"), "localScanDirs": [folder("scan")], "downloadRoutes": {"audio": folder("sound")}}),
    )
    .await;
    let after = settings(&service).await;
    assert_eq!(
        (&after["cacheDir"], &after["localDir"]),
        (&json!(folder("cache")), &json!(folder("local")))
    );
    assert_eq!(after["localScanDirs"], json!([folder("scan")]));
    assert_eq!(after["downloadRoutes"], json!({"audio": folder("sound")}));
    assert_eq!(
        after["effectiveHubDir"],
        json!(format!("{}/hub", folder("cache")))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_field_refuses_the_whole_change() {
    let service = Service::start(NOWHERE).await;
    let before = settings(&service).await;
    for (patch, word) in [
        (json!({"maxActive": 5, "connections": 0}), "connections"),
        (json!({"maxActive": 5, "connections": 65}), "1 to 64"),
        (json!({"maxActive": 33, "retries": 1}), "maxActive"),
        (json!({"maxActive": 5, "retries": 21}), "retries"),
        (json!({"maxActive": 5, "verify": "md5"}), "verify"),
        (
            json!({"maxActive": 5, "multipartThreshold": "lots"}),
            "multipartThreshold",
        ),
        (json!({"maxActive": 5, "endpoint": "ftp://x"}), "endpoint"),
        (
            json!({"maxActive": 5, "endpoint": "http://169.254.169.254"}),
            "endpoint",
        ),
        (
            json!({"maxActive": 5, "proxy": {"url": "gopher://x"}}),
            "proxy.url",
        ),
        (json!({"maxActive": 5, "proxy": 1}), "proxy"),
        (json!({"maxActive": 5, "stallTimeout": "soon"}), "stallTimeout"),
        (json!({"maxActive": 5, "maxSpeed": "fast"}), "maxSpeed"),
        (json!({"maxActive": "5"}), "maxActive"),
        (json!({"maxActive": 5, "token": {"a": 1}}), "token"),
    ] {
        let answer = service.post("/api/settings", patch.clone()).await;
        assert_error(&answer, 400, "bad_request", "Invalid settings", word);
    }
    for body in ["", "[]", "7", "{"] {
        let (status, answer) = service.post_text("/api/settings", body).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Invalid request body")),
            "{body}"
        );
    }
    assert_eq!(settings(&service).await, before);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_masked_and_its_mask_is_never_saved() {
    let service = Service::start(NOWHERE).await;
    change(&service, json!({"token": "hf_abcdefghijklmnop"})).await;
    assert_eq!(settings(&service).await["token"], "********mnop");
    // A client that sends back what it got.
    let all = settings(&service).await;
    change(&service, all).await;
    for keep in [
        json!({"token": "********mnop"}),
        json!({"token": null}),
        json!({"token": "********"}),
    ] {
        change(&service, keep).await;
        assert_eq!(settings(&service).await["token"], "********mnop");
    }
    change(&service, json!({"token": "short"})).await;
    assert_eq!(settings(&service).await["token"], "********");
    change(&service, json!({"token": ""})).await;
    assert_eq!(settings(&service).await["token"], "");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_opens_a_gated_repo_at_once() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/gated")
            .file("config.json", "{}")
            .gated("manual"),
    );
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/gated").await;
    let job = service.until_status(&id, "failed").await;
    assert_eq!(job["errorCode"], "gated", "{job}");
    change(&service, json!({"token": TOKEN})).await;
    service.command(&id, "retry").await;
    service.until_status(&id, "completed").await;
    let dir = service.stop().await;
    let log = hub.log().to_json().to_string();
    assert!(!log.is_empty());
    drop(dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_token_does_not_follow_the_endpoint_to_another_host() {
    let service = Service::start_with(&[]).await;
    change(
        &service,
        json!({"endpoint": "http://127.0.0.1:1", "token": "hf_abcdefghijklmnop"}),
    )
    .await;
    let answer = change(&service, json!({"endpoint": "http://127.0.0.2:1"})).await;
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(settings(&service).await["token"], "");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_stay_where_they_are() {
    let service = Service::start(NOWHERE).await;
    let before = settings(&service).await["cacheDir"].clone();
    change(
        &service,
        json!({"cacheDir": "/elsewhere", "modelsDir": "/elsewhere", "datasetsDir": "/elsewhere"}),
    )
    .await;
    assert_eq!(settings(&service).await["cacheDir"], before);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flag_overrides_is_saved_and_named() {
    let service = Service::start_with(&["--endpoint", NOWHERE, "--connections", "4"]).await;
    let answer = change(&service, json!({"connections": 12})).await;
    assert_eq!(answer["shadowed"], json!(["connections"]));
    assert_eq!(settings(&service).await["connections"], 4);
    let home = service.stop().await;
    let service = Service::start_in(home, &["--endpoint", NOWHERE]).await;
    assert_eq!(settings(&service).await["connections"], 12);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_jobs_at_once_take_effect_without_a_restart() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let mut ids = Vec::new();
    for repo in ["acme/slow0", "acme/slow1", "acme/slow2"] {
        ids.push(service.submit(repo).await);
    }
    for id in &ids {
        service.until_status(id, "running").await;
    }
    change(&service, json!({"maxActive": 1})).await;
    for id in &ids[1..] {
        service.until_status(id, "queued").await;
    }
    let (_, running) = service.get("/api/jobs?status=running").await;
    assert_eq!(
        (&running["count"], &running["jobs"][0]["id"]),
        (&json!(1), &json!(ids[0]))
    );
    change(&service, json!({"maxActive": 3})).await;
    for id in &ids {
        service.until_status(id, "running").await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_are_all_kept() {
    let service = Service::start(NOWHERE).await;
    let patches = [
        json!({"connections": 3}),
        json!({"maxActive": 4}),
        json!({"retries": 5}),
        json!({"maxFilesPerJob": 6}),
        json!({"maxConnections": 7}),
        json!({"retentionDays": 8}),
    ];
    futures_util::future::join_all(patches.iter().map(|patch| change(&service, patch.clone()))).await;
    let home = service.stop().await;
    let service = Service::start_in(home, &["--endpoint", NOWHERE]).await;
    let kept = settings(&service).await;
    for patch in &patches {
        for (key, value) in patch.as_object().unwrap() {
            assert_eq!(&kept[key], value, "{key}");
        }
    }
    service.stop().await;
}
