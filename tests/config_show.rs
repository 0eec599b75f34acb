//! `hfdepot config show`.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::service::{NOWHERE, Service};

/// Standard output of `hfdepot config show` over the data of `service`.
fn show(service: &Service, words: &[&str], env: &[(&str, &str)]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_hfdepot"))
        .args(["config", "show", "--data-dir"])
        .arg(service.home().join(".local/share/hfdepot"))
        .args(words)
        .env_clear()
        .env("HOME", service.home())
        .envs(env.iter().copied())
        .output()
        .expect("hfdepot runs");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn values_and_sources_are_shown_beside_a_running_service_and_secrets_are_masked() {
    let service = Service::start(NOWHERE).await;
    let patch = json!({"maxActive": 7, "token": "hf_secret_token_wxyz", "proxy": {"password": "hunter2"}});
    assert_eq!(service.post("/api/settings", patch).await.0, 200);
    let text = show(&service, &["--retries", "9"], &[("HFDEPOT_CONNECTIONS", "5")]);
    let line = |name: &str| {
        let found = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let words = found
            .unwrap_or_else(|| panic!("{name}: {text}"))
            .split_whitespace();
        words.skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("maxActive"), "7 database");
    assert_eq!(line("retries"), "9 flag: --retries");
    assert_eq!(line("connections"), "5 env: HFDEPOT_CONNECTIONS");
    assert_eq!(line("verify"), "size default");
    assert_eq!(line("token"), "********wxyz database");
    assert_eq!(line("proxy.password"), "******** database");
    assert!(!text.contains("hunter2") && !text.contains("hf_secret"), "{text}");
    let document: Value = serde_json::from_str(&show(&service, &["--json"], &[])).expect("JSON");
    assert_eq!(
        (&document["maxActive"], &document["sources"]["maxActive"]),
        (&json!(7), &json!("database"))
    );
    assert_eq!(document["token"], "********wxyz");
    service.stop().await;
}
