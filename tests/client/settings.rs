//! `hfdepot settings` and `hfdepot doctor`.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use super::{document, program, read, run};
use crate::support::depot::eventually;
use crate::support::hub::Hub;
use crate::support::service::{NOWHERE, Service};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_and_changed_all_or_none() {
    let hub = Hub::start().await;
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "7"]).await;
    let (code, all, why) = run(&service, &["settings", "get"]).await;
    assert_eq!(code, 0, "{why}");
    let line = |name: &str| {
        let found = all
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        found.unwrap_or_else(|| panic!("{name}: {all}")).to_owned()
    };
    assert!(line("maxActive").ends_with("  default"), "{all}");
    assert!(
        line("retries").contains(" 7 ") && line("retries").ends_with("flag: --retries"),
        "{all}"
    );
    assert_eq!(
        run(&service, &["settings", "get", "max-active"]).await,
        (0, "3\n".to_owned(), String::new())
    );

    let (code, done, why) = run(
        &service,
        &["settings", "set", "maxActive=5", "proxy.noProxy=a,b", "retries=2"],
    )
    .await;
    assert_eq!(code, 0, "{why}");
    assert_eq!(
        done,
        "Settings updated\nretries is saved, but a flag or variable of the service is stronger\n"
    );
    let words = ["settings", "get", "maxActive", "proxy.noProxy", "--json"];
    let (_, some, _) = run(&service, &words).await;
    assert_eq!(document(&some), json!({"maxActive": 5, "proxy.noProxy": "a,b"}));
    for (words, code, said) in [
        (&["maxActive=4", "connections=99"][..], 9, "1 to 64"),
        (&["maxActve=4"], 2, "no such setting"),
        (&["maxActive"], 2, "NAME=VALUE"),
        (&["cacheDir=/x"], 9, "--allow-path-settings"),
    ] {
        let words = [&["settings", "set"][..], words].concat();
        let (found, out, why) = run(&service, &words).await;
        assert_eq!((found, out.as_str()), (code, ""), "{words:?}: {why}");
        assert!(why.contains(said), "{words:?}: {why}");
    }
    let (_, value, _) = run(&service, &["settings", "get", "maxActive"]).await;
    assert_eq!(value, "5\n", "nothing of a refused change stays");

    // A secret comes where no process list shows it, and is not shown again.
    let mut command = program(
        &format!("http://{}", service.address),
        &["settings", "set", "token=-"],
    );
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"hf_hunter2hunter2\n").expect("it reads");
    drop(input);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().expect("an end"));
    assert_eq!(read(output.await.expect("no panic")).0, 0);
    let (_, token, _) = run(&service, &["settings", "get", "token"]).await;
    assert_eq!(token, "********ter2\n");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_lead_to_is_tried_out_and_told_by_the_code() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    let (code, trial, why) = run(&service, &["settings", "test"]).await;
    assert_eq!(code, 0, "{why}");
    assert!(trial.lines().all(|line| line.starts_with("ok ")), "{trial}");
    service.stop().await;
    let service = Service::start(NOWHERE).await;
    let (code, trial, _) = run(&service, &["settings", "test"]).await;
    assert!(code == 11 && trial.starts_with("FAIL  endpoint"), "{trial}");
    let (code, trial, _) = run(&service, &["settings", "test", "--json"]).await;
    assert_eq!((code, &document(&trial)["ok"]), (11, &json!(false)));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_with_its_remedy_and_has_a_code_for_it() {
    let service = Service::start(NOWHERE).await;
    let usb = service.home().join("usb");
    let target = json!({"name": "usb", "path": usb});
    assert_eq!(service.post("/api/mirror/targets", target).await.0, 200);
    let (code, told, why) = run(&service, &["doctor"]).await;
    assert_eq!(code, 0, "{told}{why}");
    assert!(
        told.lines().any(|line| line.starts_with("ok    database")),
        "{told}"
    );

    // A warning, which counts when it is asked to.
    std::fs::remove_dir_all(&usb).expect("unplugged");
    let doctor = async |words: &'static [&'static str]| run(&service, words).await;
    eventually(async || doctor(&["doctor", "--strict"]).await.0 == 11).await;
    let (code, told, _) = doctor(&["doctor"]).await;
    assert_eq!(code, 0, "{told}");
    let at = told
        .find("warn  mirror_targets  Not mounted: usb\n")
        .expect("a warning");
    let hint = told[at..].lines().nth(1).expect("a hint");
    assert!(hint.starts_with(&" ".repeat(22)) && hint.len() > 30, "{told}");

    // A failure, which counts always.
    let cache = service.home().join(".cache/huggingface/hub");
    std::fs::remove_dir_all(&cache).expect("removed");
    std::fs::write(&cache, "").expect("a file in its place");
    eventually(async || doctor(&["doctor"]).await.0 == 11).await;
    let (_, told, _) = doctor(&["doctor", "--json"]).await;
    let checks = document(&told)["checks"].clone();
    let cache = checks
        .as_array()
        .expect("a list")
        .iter()
        .find(|check| check["name"] == "cache");
    assert_eq!(cache.expect("a check")["status"], "fail");
    service.stop().await;
}
