//! Jobs: the list, one job, and the commands on it.

use serde_json::{Value, json};

use super::assert_error;
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::{NOWHERE, Service, slow_hub};

fn done(message: &str) -> (u16, Value) {
    (200, json!({"success": true, "message": message}))
}

const NOT_RUNNING: &str = "Job not found or not running";
const NOT_PAUSED: &str = "Job not found or not paused";
const COMPLETED: &str = "Job not found or already completed";
const NOT_RETRYABLE: &str = "Job not found or not retryable";

/// What each command answers in a status: `""` stands for success.
async fn assert_refusals(service: &Service, id: &str, refused: &[(&str, &str)]) {
    for (command, error) in refused {
        let answer = match *command {
            "cancel" => service.delete(&format!("/api/jobs/{id}")).await,
            other => service.command(id, other).await,
        };
        if *command == "dismiss" {
            assert_error(&answer, 409, "conflict", error, "The job is");
        } else {
            assert_error(&answer, 404, "not_found", error, "The job is");
        }
    }
}

const ACTIVE: &str = "Cannot dismiss an active job; cancel it first";

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_can_be_paused_resumed_and_cancelled() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/slow").await;
    service.until_status(&id, "running").await;
    let refused = [
        ("resume", NOT_PAUSED),
        ("dismiss", ACTIVE),
        ("retry", NOT_RETRYABLE),
    ];
    assert_refusals(&service, &id, &refused).await;
    assert_eq!(service.command(&id, "pause").await, done("Job paused"));
    // What was answered is what is shown from then on.
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "paused");
    assert_eq!(job["progress"]["bytesPerSecond"], 0);
    assert_refusals(&service, &id, &[("pause", NOT_RUNNING), ("retry", NOT_RETRYABLE)]).await;
    assert_eq!(service.command(&id, "resume").await, done("Job resumed"));
    service.until_status(&id, "running").await;
    assert_eq!(
        service.delete(&format!("/api/jobs/{id}")).await,
        done("Job cancelled")
    );
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "cancelled");
    assert_ne!(job["endedAt"], Value::Null);
    let refused = [
        ("pause", NOT_RUNNING),
        ("resume", NOT_PAUSED),
        ("cancel", COMPLETED),
    ];
    assert_refusals(&service, &id, &refused).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_job_can_be_cancelled_and_nothing_else() {
    let service = Service::start(NOWHERE).await;
    let (_, job) = service
        .post(
            "/api/download",
            json!({"repo": "o/n", "notBefore": "2999-01-01T00:00:00Z"}),
        )
        .await;
    let id = job["id"].as_str().unwrap();
    let refused = [
        ("pause", NOT_RUNNING),
        ("resume", NOT_PAUSED),
        ("dismiss", ACTIVE),
        ("retry", NOT_RETRYABLE),
    ];
    assert_refusals(&service, id, &refused).await;
    assert_eq!(
        service.delete(&format!("/api/jobs/{id}")).await,
        done("Job cancelled")
    );
    assert_eq!(service.command(id, "retry").await, done("Job restarted"));
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(
        (&job["status"], &job["endedAt"]),
        (&json!("queued"), &Value::Null)
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_job_can_be_dismissed_and_is_gone() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/quick").await;
    let job = service.until_status(&id, "completed").await;
    assert_eq!(job["progress"]["completedFiles"], 2);
    assert_eq!(job["progress"]["downloadedBytes"], 100_002);
    assert_eq!(job["progress"]["bytesPerSecond"], 0);
    assert_eq!(job["files"][0]["path"], "config.json");
    assert_eq!(job["files"][1]["totalBytes"], 100_000);
    assert_eq!(job["files"][1]["downloaded"], 100_000);
    assert_eq!(job["files"][1]["status"], "complete");
    assert_eq!(job["files"][1]["verification"], "sha256");
    let refused = [
        ("pause", NOT_RUNNING),
        ("resume", NOT_PAUSED),
        ("cancel", COMPLETED),
        ("retry", NOT_RETRYABLE),
    ];
    assert_refusals(&service, &id, &refused).await;
    assert_eq!(service.command(&id, "dismiss").await, done("Job dismissed"));
    let gone = service.get(&format!("/api/jobs/{id}")).await;
    assert_error(&gone, 404, "not_found", "Job not found", "");
    assert_eq!(
        service.get("/api/jobs").await.1,
        json!({"jobs": [], "count": 0, "total": 0, "nextCursor": null})
    );
    assert_error(
        &service.command(&id, "dismiss").await,
        404,
        "not_found",
        "Job not found",
        "",
    );
    // What happened stays.
    let (status, events) = service.get(&format!("/api/jobs/{id}/events")).await;
    assert_eq!((status, &events["events"][0]["event"]), (200, &json!("queued")));
    let (_, history) = service.get("/api/history").await;
    assert_eq!(
        (&history["total"], &history["entries"][0]["id"]),
        (&json!(1), &json!(id))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_says_why_and_can_be_retried_in_place() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/absent").await;
    let job = service.until_status(&id, "failed").await;
    assert_eq!(job["errorCode"], "repo_not_found");
    assert!(!job["error"].as_str().unwrap().is_empty() && !job["hint"].as_str().unwrap().is_empty());
    assert_refusals(&service, &id, &[("pause", NOT_RUNNING), ("cancel", COMPLETED)]).await;
    hub.add(Repo::model("acme/absent").file("config.json", "{}"));
    assert_eq!(service.command(&id, "retry").await, done("Job restarted"));
    let job = service.until_status(&id, "completed").await;
    assert_eq!((&job["error"], &job["errorCode"]), (&json!(""), &Value::Null));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_twin_is_live_cannot_be_retried() {
    let service = Service::start(NOWHERE).await;
    let first = service.submit("o/n").await;
    service.delete(&format!("/api/jobs/{first}")).await;
    let twin = service.submit("o/n").await;
    let answer = service.command(&first, "retry").await;
    assert_error(&answer, 404, "not_found", NOT_RETRYABLE, &twin);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_job_is_not_found_by_any_route() {
    let service = Service::start(NOWHERE).await;
    for id in [
        "0123456789ab",
        "ABCDEF012345",
        "x",
        "..%2f..",
        "%ff",
        "0123456789ab0",
    ] {
        for path in ["", "/files", "/events"] {
            let answer = service.get(&format!("/api/jobs/{id}{path}")).await;
            assert_error(&answer, 404, "not_found", "Job not found", "");
        }
        let answer = service.delete(&format!("/api/jobs/{id}")).await;
        assert_error(&answer, 404, "not_found", COMPLETED, "");
        for (command, error) in [
            ("pause", NOT_RUNNING),
            ("resume", NOT_PAUSED),
            ("retry", NOT_RETRYABLE),
            ("dismiss", "Job not found"),
        ] {
            assert_error(&service.command(id, command).await, 404, "not_found", error, "");
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_in_order_of_creation_and_can_be_narrowed() {
    let service = Service::start(NOWHERE).await;
    assert_eq!(
        service.get("/api/jobs").await,
        (
            200,
            json!({"jobs": [], "count": 0, "total": 0, "nextCursor": null})
        )
    );
    for repo in ["o/a", "o/b", "o/c"] {
        service
            .post(
                "/api/download",
                json!({"repo": repo, "notBefore": "2999-01-01T00:00:00Z"}),
            )
            .await;
    }
    let repos = async |query: &str| {
        let (status, answer) = service.get(&format!("/api/jobs{query}")).await;
        assert_eq!(status, 200, "{answer}");
        let jobs = answer["jobs"].as_array().unwrap();
        assert_eq!(answer["count"], jobs.len());
        jobs.iter()
            .map(|job| job["repo"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(repos("").await, ["o/a", "o/b", "o/c"]);
    let (_, list) = service.get("/api/jobs").await;
    let id = list["jobs"][1]["id"].as_str().unwrap();
    service.delete(&format!("/api/jobs/{id}")).await;
    assert_eq!(repos("?status=queued").await, ["o/a", "o/c"]);
    assert_eq!(repos("?status=cancelled").await, ["o/b"]);
    assert_eq!(repos("?limit=2").await, ["o/b", "o/c"]);
    assert_eq!(repos("?kind=mirror").await, Vec::<String>::new());
    assert_eq!(repos("?kind=all&status=&limit=").await.len(), 3);
    for (query, error) in [
        ("?status=active", "Invalid status"),
        ("?limit=0", "Invalid limit"),
        ("?limit=ten", "Invalid limit"),
        ("?limit=-1", "Invalid limit"),
        ("?kind=upload", "Invalid kind"),
    ] {
        let answer = service.get(&format!("/api/jobs{query}")).await;
        let details = answer.1["details"].as_str().unwrap_or_default().to_owned();
        assert!(!details.is_empty());
        assert_error(&answer, 400, "bad_request", error, &details);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_carry_some_files_one_job_a_thousand_and_its_pages_all() {
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/many");
    for n in 0..1100 {
        repo = repo.file(
            &format!("part-{n:04}.json"),
            Content::from(format!("{{\"n\":{n}}}")),
        );
    }
    hub.add(repo);
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/many").await;
    let update = service.until_status(&id, "completed").await;
    let (_, list) = service.get("/api/jobs").await;
    let (_, one) = service.get(&format!("/api/jobs/{id}")).await;
    for (job, files) in [(&update, 64), (&list["jobs"][0], 64), (&one, 1000)] {
        assert_eq!(job["files"].as_array().unwrap().len(), files);
        assert_eq!(
            (&job["filesTotal"], &job["filesTruncated"]),
            (&json!(1100), &json!(true))
        );
    }
    let (_, page) = service
        .get(&format!("/api/jobs/{id}/files?limit=100&offset=1050"))
        .await;
    assert_eq!(page["total"], 1100);
    let files = page["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[49]["path"]), (50, &json!("part-1099.json")));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_files_says_which_content_each_has_and_where_it_came_from() {
    let hub = Hub::start().await;
    let weights = Content::generated(100_000, 2);
    hub.add(
        Repo::model("acme/told")
            .file("config.json", "{}")
            .lfs("model.gguf", weights.clone()),
    );
    let service = Service::start(&hub.endpoint()).await;
    let told = async |id: &str| {
        let (_, page) = service.get(&format!("/api/jobs/{id}/files")).await;
        page["files"].as_array().unwrap().clone()
    };
    let id = service.submit("acme/told").await;
    let job = service.until_status(&id, "completed").await;
    let files = told(&id).await;
    assert_eq!(files[0]["blobId"].as_str().unwrap().len(), 40);
    assert!(files[0].get("sha256").is_none(), "{files:?}");
    for key in ["blobId", "sha256"] {
        assert_eq!(files[1][key], weights.sha256(), "{key}");
    }
    assert!(files.iter().all(|file| file["source"] == "network"), "{files:?}");
    // Messages have room for neither hash.
    let live = &job["files"][1];
    assert!(
        live.get("blobId").is_none() && live["source"] == "network",
        "{live}"
    );

    service.send("POST", &format!("/api/jobs/{id}/dismiss")).await;
    let again = service.submit("acme/told").await;
    service.until_status(&again, "completed").await;
    let files = told(&again).await;
    assert!(files.iter().all(|file| file["source"] == "reused"), "{files:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_lists_every_end_newest_first() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let completed = service.submit("acme/quick").await;
    service.until_status(&completed, "completed").await;
    let failed = service.submit("acme/absent").await;
    service.until_status(&failed, "failed").await;
    let cancelled = service.submit("acme/slow").await;
    service.until_status(&cancelled, "running").await;
    service.delete(&format!("/api/jobs/{cancelled}")).await;
    let ids = async |query: &str| {
        let (status, answer) = service.get(&format!("/api/history{query}")).await;
        assert_eq!(status, 200, "{answer}");
        let entries = answer["entries"].as_array().unwrap();
        let ids: Vec<String> = entries
            .iter()
            .map(|e| e["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, answer["total"].as_i64().unwrap())
    };
    let all = (vec![cancelled.clone(), failed.clone(), completed.clone()], 3);
    assert_eq!(ids("").await, all);
    assert_eq!(ids("?limit=1&offset=1").await, (vec![failed.clone()], 3));
    assert_eq!(ids("?status=cancelled").await, (vec![cancelled], 1));
    assert_eq!(ids("?repo=QUICK").await, (vec![completed.clone()], 1));
    let (_, history) = service.get("/api/history?status=completed").await;
    let entry = &history["entries"][0];
    for (key, value) in [
        ("repo", json!("acme/quick")),
        ("revision", json!("main")),
        ("isDataset", json!(false)),
        ("status", json!("completed")),
        ("error", json!("")),
        ("totalFiles", json!(2)),
        ("totalBytes", json!(100_002)),
        ("filters", json!([])),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    for key in ["startedAt", "endedAt"] {
        assert!(entry[key].as_str().unwrap().ends_with('Z'), "{key}");
    }
    let answer = service.get("/api/history?status=done").await;
    assert_error(&answer, 400, "bad_request", "Invalid status", "done");
    let (status, _) = service.delete("/api/history").await;
    assert_eq!(status, 405);
    service.stop().await;
}
