//! `POST /api/download`.

use serde_json::{Value, json};

use super::assert_error;
use crate::support::service::{NOWHERE, Service, slow_hub};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_download_is_accepted_without_asking_the_network() {
    let service = Service::start(NOWHERE).await;
    let body = json!({"repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "filters": ["q4_k_m"]});
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(status, 202, "{job}");
    let id = job["id"].as_str().unwrap();
    assert!(
        id.len() == 12
            && id
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{id}"
    );
    let hub = service.home().join(".cache/huggingface/hub");
    for (key, value) in [
        ("repo", json!("TheBloke/Mistral-7B-Instruct-v0.2-GGUF")),
        ("revision", json!("main")),
        ("isDataset", json!(false)),
        ("filters", json!(["q4_k_m"])),
        ("excludes", json!([])),
        ("outputDir", json!(hub.to_str().unwrap())),
        ("status", json!("queued")),
        ("error", json!("")),
        ("startedAt", Value::Null),
        ("endedAt", Value::Null),
        ("files", json!([])),
        ("phase", Value::Null),
        ("waitReason", Value::Null),
        ("errorCode", Value::Null),
        ("commit", Value::Null),
        ("verify", json!("size")),
        ("priority", json!(0)),
        ("attempt", json!(0)),
        ("kind", json!("download")),
        ("filesTotal", json!(0)),
        ("filesTruncated", json!(false)),
        ("exactMatch", json!(false)),
        ("appendFilterSubdir", json!(false)),
        ("lastByteAt", Value::Null),
        ("nextAttemptAt", Value::Null),
        ("notBefore", Value::Null),
        ("actor", json!("127.0.0.1")),
        ("reusedBytes", json!(0)),
        ("networkBytes", json!(0)),
        ("refetchedBytes", json!(0)),
        ("retries", json!(0)),
    ] {
        assert_eq!(job.get(key), Some(&value), "{key}");
    }
    assert_eq!(
        job["progress"],
        json!({"totalFiles": 0, "completedFiles": 0, "totalBytes": 0, "downloadedBytes": 0,
               "bytesPerSecond": 0, "etaSeconds": 0, "activity": ""})
    );
    let created = job["createdAt"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.starts_with("20"), "{created}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_equal_request_gets_the_live_job() {
    let service = Service::start(NOWHERE).await;
    let (_, first) = service
        .post(
            "/api/download",
            json!({"repo": "Org/Name", "filters": ["Q4", "q5"]}),
        )
        .await;
    let (status, again) = service
        .post("/api/download", json!({"repo": "org/name:q5,q4"}))
        .await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(again["message"], "Download already in progress");
    assert_eq!(again["job"]["id"], first["id"]);
    assert_eq!(again["job"]["repo"], "Org/Name");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_equal_requests_at_once_make_one_job() {
    let service = Service::start(NOWHERE).await;
    let requests = (0..20).map(|_| service.post("/api/download", json!({"repo": "o/n"})));
    let answers = futures_util::future::join_all(requests).await;
    let mut ids: Vec<&str> = answers
        .iter()
        .map(|(_, body)| body["id"].as_str().or(body["job"]["id"].as_str()).unwrap())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let count = |wanted| answers.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!((count(202), count(200)), (1, 19));
    assert_eq!(service.get("/api/jobs").await.1["count"], 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_counts_as_in_progress_and_stays_paused() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/slow").await;
    service.until_status(&id, "running").await;
    service.command(&id, "pause").await;
    let (status, again) = service.post("/api/download", json!({"repo": "acme/slow"})).await;
    assert_eq!((status, &again["job"]["status"]), (200, &json!("paused")));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_may_stand_behind_the_repo() {
    let service = Service::start(NOWHERE).await;
    let (status, job) = service
        .post("/api/download", json!({"repo": "o/n:q4_k_m, q5_k_m,"}))
        .await;
    assert_eq!(status, 202, "{job}");
    assert_eq!(job["repo"], "o/n");
    assert_eq!(job["filters"], json!(["q4_k_m", "q5_k_m"]));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_asks_beside_the_repo_is_kept() {
    let service = Service::start(NOWHERE).await;
    let (status, job) = service
        .post(
            "/api/download",
            json!({"repo": "o/n", "revision": "refs/pr/1", "dataset": true, "excludes": ["*.bin"],
                   "exactMatch": true, "appendFilterSubdir": true, "priority": 7, "verify": "etag",
                   "notBefore": "2999-01-01T01:00:00+01:00", "modelsDir": "/ignored"}),
        )
        .await;
    assert_eq!(status, 202, "{job}");
    for (key, value) in [
        ("revision", json!("refs/pr/1")),
        ("isDataset", json!(true)),
        ("excludes", json!(["*.bin"])),
        ("exactMatch", json!(true)),
        ("appendFilterSubdir", json!(true)),
        ("priority", json!(7)),
        ("verify", json!("size")),
        ("notBefore", json!("2999-01-01T00:00:00.000Z")),
    ] {
        assert_eq!(job[key], value, "{key}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_answered_in_the_words_of_the_documents() {
    let service = Service::start(NOWHERE).await;
    for path in ["/api/download", "/api/plan"] {
        for (body, status, code, error, details) in [
            (json!({}), 400, "bad_request", "Missing required field: repo", ""),
            (
                json!({"repo": " "}),
                400,
                "bad_request",
                "Missing required field: repo",
                "",
            ),
            (
                json!({"repo": null}),
                400,
                "bad_request",
                "Missing required field: repo",
                "",
            ),
            (
                json!({"repo": "gpt2"}),
                400,
                "bad_request",
                "Invalid repo format",
                "Expected owner/name",
            ),
            (
                json!({"repo": "../../etc"}),
                400,
                "bad_request",
                "Invalid repo format",
                "Expected owner/name",
            ),
            (
                json!({"repo": "o/n:q4", "filters": ["q5"]}),
                400,
                "bad_request",
                "Invalid repo format",
                "Expected owner/name",
            ),
            (
                json!({"repo": "o/n", "revision": "../x"}),
                400,
                "bad_request",
                "Invalid revision",
                "\"../x\" is not a branch, tag or commit",
            ),
            (
                json!({"repo": "o/n", "routeKey": "llm"}),
                400,
                "bad_request",
                "Invalid routeKey",
                "routeKey must be one of the configured route keys",
            ),
            (
                json!({"repo": "o/n", "localDir": "/x"}),
                403,
                "forbidden",
                "localDir is not allowed",
                "downloadRoutes",
            ),
            (
                json!({"repo": "o/n", "localRepo": "o/m"}),
                400,
                "bad_request",
                "Invalid localRepo",
                "own folder",
            ),
            (
                json!({"repo": 5}),
                400,
                "bad_request",
                "Invalid request body",
                "repo must be a text",
            ),
            (
                json!({"repo": "o/n", "dataset": "false"}),
                400,
                "bad_request",
                "Invalid request body",
                "dataset",
            ),
            (
                json!(["o/n"]),
                400,
                "bad_request",
                "Invalid request body",
                "JSON, but no object",
            ),
            (
                json!("o/n"),
                400,
                "bad_request",
                "Invalid request body",
                "JSON, but no object",
            ),
            (
                json!(null),
                400,
                "bad_request",
                "Invalid request body",
                "JSON, but no object",
            ),
        ] {
            let answer = service.post(path, body.clone()).await;
            assert_error(&answer, status, code, error, details);
            assert!(
                !answer.1["error_detail"]["hint"].as_str().unwrap().is_empty(),
                "{body}"
            );
        }
    }
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_refused_with_what_is_wrong_and_what_to_do() {
    let service = Service::start(NOWHERE).await;
    for (body, details, hint) in [
        ("", "The body is empty", "object in braces"),
        (
            "{'repo': 'o/n'}",
            "The body is not valid JSON: at line 1, column 2",
            "double quotes",
        ),
        (
            "{\"repo\": \"o/n\",}",
            "The body is not valid JSON: at line 1, column 16",
            "none after the last",
        ),
        (
            "{\"repo\": \"o/n\"",
            "The JSON ends before it is complete, at line 1, column 14",
            "missing, or the body was cut off",
        ),
        ("[1]", "The body is JSON, but no object", "object in braces"),
    ] {
        let (status, answer) = service.post_text("/api/download", body).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Invalid request body")),
            "{body}"
        );
        for (told, expected) in [
            (&answer["details"], details),
            (&answer["error_detail"]["hint"], hint),
        ] {
            let told = told.as_str().expect("a text");
            assert!(told.contains(expected), "{body}: {told}");
        }
    }
    // A field of a body that is read as a whole is named.
    let (status, answer) = service.post("/api/cache/verify", json!({"speed": "fast"})).await;
    let details = answer["details"].as_str().expect("details");
    assert!(status == 400 && details.starts_with("speed: "), "{answer}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_makes_the_service_fail() {
    let service = Service::start(NOWHERE).await;
    let deep = format!("{{\"repo\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let patterns = json!({"repo": "o/n", "filters": vec!["x".repeat(200); 1001]}).to_string();
    for body in [
        "",
        "{",
        "{\"repo\":",
        "\u{0}",
        "{\"repo\":\"o/n\\ud800\"}",
        "{\"repo\":\"o/n\",\"priority\":1e999}",
        "{\"repo\":\"o/n\",\"priority\":99999999999999999999}",
        "{\"repo\":\"o/n\",\"notBefore\":\"9999999-01-01T00:00:00Z\"}",
        &deep,
        &patterns,
    ] {
        let (status, answer) = service.post_text("/api/download", body).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!((status, &answer["ok"]), (400, &json!(false)), "{shown}: {answer}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_outlives_the_service_and_goes_on_by_itself() {
    let hub = slow_hub().await;
    let flags = ["--endpoint", &hub.endpoint()];
    let service = Service::start_with(&flags).await;
    let id = service.submit("acme/slow").await;
    service.until_status(&id, "running").await;
    let home = service.stop().await;
    hub.clear_faults();
    let service = Service::start_in(home, &flags).await;
    let job = service.until_status(&id, "completed").await;
    assert_eq!(job["progress"]["downloadedBytes"], job["progress"]["totalBytes"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_actor_is_the_login_where_there_is_one() {
    let flags = [
        "--endpoint",
        NOWHERE,
        "--auth-user",
        "admin",
        "--auth-pass",
        "secret",
    ];
    let service = Service::start_with(&flags).await;
    let id = service.submit("o/n").await;
    service.delete(&format!("/api/jobs/{id}")).await;
    let (_, events) = service.get(&format!("/api/jobs/{id}/events")).await;
    let events = events["events"].as_array().unwrap();
    let by_user: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["actor"] != "hfdepot")
        .map(|event| (event["event"].as_str().unwrap(), event["actor"].as_str().unwrap()))
        .collect();
    assert_eq!(by_user, [("queued", "admin"), ("cancelled", "admin")]);
    service.stop().await;
}
