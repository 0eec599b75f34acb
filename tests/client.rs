//! `hfdepot add`, `plan`, `ls`, `pause`, `resume`, `cancel`, `retry`: clients of a running service.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::{NOWHERE, Service, slow_hub};

mod address;
mod analyze;
mod cache;
mod mirror;
mod settings;

/// The program with these words and nothing of this process's environment that it reads.
fn program(server: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfdepot"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HFDEPOT_")) {
        command.env_remove(name);
    }
    command.args(words).env("HFDEPOT_SERVER", server);
    command
}

/// Exit code, standard output, standard error.
fn read(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("a code"),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Runs it beside the service, whose runtime must go on.
pub async fn run(service: &Service, words: &[&str]) -> (i32, String, String) {
    let mut command = program(&format!("http://{}/", service.address), words);
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs"));
    read(output.await.expect("no panic"))
}

pub fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_queued_listed_commanded_and_each_refusal_has_its_code() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let (code, queued, _) = run(
        &service,
        &[
            "add",
            "acme/slow:model,config",
            "--exact",
            "-E",
            "x",
            "--connections",
            "2",
            "--json",
        ],
    )
    .await;
    assert_eq!(code, 0, "{queued}");
    let job = document(&queued);
    assert_eq!(
        (&job["status"], &job["filters"]),
        (&json!("queued"), &json!(["model", "config"]))
    );
    assert_eq!(
        (&job["exactMatch"], &job["excludes"]),
        (&json!(true), &json!(["x"]))
    );
    assert_eq!(job["connections"], 2);
    let id = job["id"].as_str().expect("an id").to_owned();
    let (code, again, _) = run(
        &service,
        &[
            "add",
            "acme/slow",
            "-F",
            "config",
            "-F",
            "model",
            "--exact",
            "-E",
            "x",
        ],
    )
    .await;
    assert_eq!(
        (code, again),
        (0, format!("{id}  acme/slow  already in progress\n"))
    );

    service.until_status(&id, "running").await;
    let (code, list, _) = run(&service, &["ls"]).await;
    assert!(
        code == 0 && list.starts_with(&format!("{id}  running    acme/slow")),
        "{list}"
    );
    assert_eq!(list.lines().count(), 1);
    let (_, list, _) = run(&service, &["ls", "--json", "--status", "paused", "--limit", "5"]).await;
    assert_eq!(document(&list)["count"], 0);

    let unknown = "0123456789ab";
    for (verb, message, refused) in [
        (
            "pause",
            "Job paused",
            "Job not found or not running: The job is paused",
        ),
        ("resume", "Job resumed", "Job not found or not paused"),
        (
            "cancel",
            "Job cancelled",
            "Job not found or already completed: The job is cancelled",
        ),
        ("retry", "Job restarted", "Job not found or not retryable"),
    ] {
        assert_eq!(
            run(&service, &[verb, &id]).await,
            (0, format!("{id}  {message}\n"), String::new())
        );
        let (code, _, why) = run(&service, &[verb, &id]).await;
        assert_eq!(code, 8, "{verb}: {why}");
        assert!(why.starts_with(&format!("hfdepot: {id}: {refused}")), "{why}");
        let (code, lines, _) = run(&service, &[verb, "--json", unknown, "../settings"]).await;
        let ids: Vec<Value> = lines.lines().map(|line| document(line)["id"].clone()).collect();
        assert_eq!(
            (code, ids),
            (8, vec![json!(unknown), json!("../settings")]),
            "{lines}"
        );
    }
    let (code, _, _) = run(&service, &["cancel", &id]).await;
    assert_eq!(code, 0);
    let (code, said, _) = run(&service, &["retry", "--connections", "2", &id]).await;
    assert_eq!((code, said), (0, format!("{id}  Job restarted\n")));
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["connections"], 2);
    for (words, code, said) in [
        (
            &["add", "no slash"][..],
            9,
            "Invalid repo format: Expected owner/name",
        ),
        (&["add", "o/n", "--verify", "md5"], 9, "Invalid verify"),
        (
            &["add", "o/n", "--connections", "0"],
            9,
            "connections must be a whole number from 1 to 64, not 0",
        ),
        (
            &["retry", &id, "--connections", "65"],
            9,
            "connections must be a whole number from 1 to 64, not 65",
        ),
        (
            &["add", "o/n", "--local-dir", "/etc"],
            9,
            "localDir is not allowed",
        ),
        (&["ls", "--status", "busy"], 9, "Invalid status"),
        (&["plan", "acme/absent"], 8, "Failed to scan repository"),
        (&["add"], 2, "required"),
        (&["pause"], 2, "required"),
        (&["ls", "--server", "ftp://x"], 2, "--server must be a URL"),
        (
            &["ls", "--server", NOWHERE],
            6,
            "No hfdepot answers at http://127.0.0.1:1/",
        ),
        // Something answers, but it is no hfdepot.
        (&["ls", "--server", &hub.cdn_endpoint()], 6, "no JSON"),
    ] {
        let (found, out, why) = run(&service, words).await;
        assert_eq!((found, out.as_str()), (code, ""), "{words:?}: {why}");
        assert!(why.contains(said), "{words:?}: {why}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_files_and_sums_and_makes_no_job() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quant")
            .file("config.json", "{}")
            .lfs("m.Q4_K_M.gguf", Content::generated(5120, 1))
            .lfs("m.Q8_0.gguf", Content::generated(9000, 2)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let (code, plan, _) = run(&service, &["plan", "acme/quant", "-F", "q4_k_m"]).await;
    assert_eq!(code, 0, "{plan}");
    let lines: Vec<&str> = plan.lines().collect();
    assert_eq!(
        lines[..2],
        ["       2 B  config.json", "   5.0 KiB  m.Q4_K_M.gguf"],
        "{plan}"
    );
    assert!(
        lines[2].starts_with("2 files, 5.0 KiB; 5.0 KiB to fetch, into /"),
        "{plan}"
    );
    let (_, plan, _) = run(&service, &["plan", "acme/quant:q8_0", "--json"]).await;
    assert_eq!(document(&plan)["totalSize"], 9002);
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_learns_how_it_ended_also_over_a_restart() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let (code, out, _) = run(&service, &["add", "acme/quick", "--wait"]).await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.ends_with("  acme/quick  completed, 97.7 KiB in 2 files\n"),
        "{out}"
    );
    let (code, out, _) = run(&service, &["add", "acme/absent", "--wait", "--json"]).await;
    assert_eq!(
        (code, &document(&out)["errorCode"]),
        (10, &json!("repo_not_found")),
        "{out}"
    );

    // The service goes away in the middle and comes back at the same address.
    let mut waiting = program(
        &format!("http://{}", service.address),
        &["add", "acme/slow", "--wait", "--json"],
    )
    .stdout(Stdio::piped())
    .spawn()
    .expect("it runs");
    let id = loop {
        let (_, list) = service.get("/api/jobs?status=running").await;
        if let Some(id) = list["jobs"][0]["id"].as_str() {
            break id.to_owned();
        }
    };
    let address = service.address;
    let home = service.stop().await;
    assert!(waiting.try_wait().expect("a child").is_none(), "it waits");
    hub.clear_faults();
    let service = Service::start_at(address, home, &["--endpoint", &hub.endpoint()]).await;
    service.until_status(&id, "completed").await;
    let output = tokio::task::spawn_blocking(move || waiting.wait_with_output().expect("an end"));
    let (code, out, _) = read(output.await.expect("no panic"));
    assert_eq!((code, &document(&out)["id"]), (0, &json!(id)), "{out}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_or_a_key_opens_the_service_and_a_wrong_one_has_its_code() {
    let flags = [
        "--endpoint",
        NOWHERE,
        "--auth-user",
        "ann",
        "--auth-pass",
        "a long password",
    ];
    let service = Service::start_with(&flags).await;
    let (_, key) = service
        .post("/api/keys", json!({"name": "ci", "scope": "read"}))
        .await;
    let key = key["key"].as_str().expect("a key");
    let file = service.home().join("key");
    std::fs::write(&file, format!("{key}\n")).expect("a file");
    let file = file.to_str().expect("UTF-8");
    for (words, code) in [
        (&["ls"][..], 7),
        (&["ls", "--api-key", "hfd_wrong"], 7),
        (&["ls", "--api-key", key], 0),
        (&["ls", "--api-key-file", file], 0),
        (&["ls", "--api-key-file", "/nowhere"], 2),
        (&["ls", "--auth-user", "ann", "--auth-pass", "a long password"], 0),
        // It may read only.
        (&["add", "o/n", "--api-key", key], 7),
    ] {
        let (found, _, why) = run(&service, words).await;
        assert_eq!(found, code, "{words:?}: {why}");
        assert!(!why.contains(key), "{why}");
    }
    service.stop().await;
}
