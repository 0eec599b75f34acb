//! The periodic work of the service: shown as it is, and begun when somebody asks.

use serde_json::{Value, json};

use crate::support::depot::{eventually, names};
use crate::support::service::{NOWHERE, Service};

async fn task(service: &Service, name: &str) -> Value {
    let (status, answer) = service.get("/api/system/tasks").await;
    assert_eq!(status, 200, "{answer}");
    let tasks = answer["tasks"].as_array().expect("a list");
    let found = tasks.iter().find(|task| task["name"] == name);
    found
        .unwrap_or_else(|| panic!("{name} is not in {answer}"))
        .clone()
}

async fn run(service: &Service, name: &str) -> (u16, Value) {
    service
        .send("POST", &format!("/api/system/tasks/{name}/run"))
        .await
}

/// Waits until the task has done `rounds`.
async fn done(service: &Service, name: &str, rounds: u64) -> Value {
    eventually(async || task(service, name).await["runs"].as_u64() >= Some(rounds)).await;
    task(service, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_by_itself_is_listed_with_its_time_and_its_result() {
    let service = Service::start(NOWHERE).await;
    let library = done(&service, "library", 1).await;
    assert_eq!(
        (&library["everyMs"], &library["failures"]),
        (&json!(900_000), &json!(0))
    );
    assert_eq!(library["last"]["outcome"], "ok");
    assert_eq!(
        library["last"]["detail"],
        "0 repos, 0 looked into, 0 gone, 0 unreadable"
    );
    let queue = done(&service, "queue", 1).await;
    assert_eq!(queue["alsoOnChange"], true);
    let backup = task(&service, "backup").await;
    assert!(
        backup["last"].is_null() && backup["runningSince"].is_null(),
        "{backup}"
    );
    let (status, listed) = service.get("/api/system/tasks").await;
    let listed: Vec<&str> = listed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["name"].as_str().unwrap())
        .collect();
    assert_eq!(status, 200);
    assert_eq!(
        listed,
        [
            "backup",
            "clean_up",
            "ballast",
            "library",
            "library_deep",
            "measure",
            "mirror",
            "queue",
            "work",
            "limits"
        ]
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_runs_when_it_is_asked_to() {
    let service = Service::start(NOWHERE).await;
    for name in [
        "clean_up",
        "ballast",
        "library",
        "library_deep",
        "measure",
        "mirror",
        "backup",
    ] {
        let before = task(&service, name).await["runs"].as_u64().unwrap();
        let (status, answer) = run(&service, name).await;
        assert!(status == 202 || status == 200, "{answer}");
        let after = done(&service, name, before + 1).await;
        assert_eq!(after["last"]["outcome"], "ok", "{after}");
    }
    let copies = names(&service.home().join(".local/share/hfdepot/backups"));
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(copies[0].ends_with("-manual.db"), "{copies:?}");
    let backup = task(&service, "backup").await;
    assert_eq!(backup["last"]["detail"], copies[0].as_str());
    let next = hfdepot::clock::parse_rfc3339(backup["nextAt"].as_str().unwrap()).unwrap();
    let wait_h = (next - hfdepot::clock::now_ms()) / 3_600_000;
    assert!(
        (22..24).contains(&wait_h),
        "the next copy is due a day after this one: {backup}"
    );
    let (status, unknown) = run(&service, "dream").await;
    assert_eq!((status, &unknown["error"]), (404, &json!("Task not found")));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_fails_says_why_and_the_next_one_may_do_better() {
    let service = Service::start(NOWHERE).await;
    let folder = service.home().join(".local/share/hfdepot/backups");
    // A file where the folder should be: rights do not hold root back.
    std::fs::write(&folder, "").unwrap();
    assert_eq!(run(&service, "backup").await.0, 202);
    let failed = done(&service, "backup", 1).await;
    assert_eq!(
        (&failed["last"]["outcome"], &failed["failures"]),
        (&json!("failed"), &json!(1))
    );
    assert!(!failed["last"]["detail"].as_str().unwrap().is_empty(), "{failed}");
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(run(&service, "backup").await.0, 202);
    let better = done(&service, "backup", 2).await;
    assert_eq!(
        (&better["last"]["outcome"], &better["failures"]),
        (&json!("ok"), &json!(1))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_sees_the_tasks_and_begins_none() {
    let service = Service::start_with(&[
        "--auth-user",
        "ann",
        "--auth-pass",
        "a long password",
        "--endpoint",
        NOWHERE,
    ])
    .await;
    let (_, key) = service
        .post("/api/keys", json!({"name": "eyes", "scope": "read"}))
        .await;
    let key = key["key"].as_str().unwrap();
    let ask = |method: &str, path: &str| {
        let url = format!("http://{}{path}", service.address);
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        service.answer(request.header("x-api-key", key))
    };
    assert_eq!(ask("GET", "/api/system/tasks").await.0, 200);
    assert_eq!(ask("POST", "/api/system/tasks/clean_up/run").await.0, 403);
    assert_eq!(task(&service, "clean_up").await["runs"], 0);
    service.stop().await;
}
