//! `GET /api/system/checks`.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::service::{NOWHERE, Service};

async fn checks(service: &Service) -> Vec<Value> {
    let (status, answer) = service.get("/api/system/checks").await;
    assert_eq!(status, 200, "{answer}");
    answer["checks"].as_array().expect("checks").clone()
}

async fn check(service: &Service, name: &str) -> Value {
    let all = checks(service).await;
    let found = all.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_check_has_a_sentence_and_what_is_not_well_a_hint() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    let all = checks(&service).await;
    let names: Vec<_> = all.iter().filter_map(|check| check["name"].as_str()).collect();
    for name in [
        "data_dir",
        "database",
        "cache",
        "disk",
        "hub",
        "token",
        "clock",
        "network_fs",
        "permissions",
        "open_files",
        "login",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for check in &all {
        assert!(
            !check["message"].as_str().expect("a sentence").is_empty(),
            "{check}"
        );
        let hint = check["hint"].as_str().expect("a hint");
        assert_eq!(hint.is_empty(), check["status"] == "ok", "{check}");
    }
    // Nobody was asked for it.
    assert!(hub.log().entries().is_empty());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_nobody_answers_at_is_told_after_the_first_request_and_since_when() {
    let service = Service::start(NOWHERE).await;
    assert_eq!(check(&service, "hub").await["status"], "ok");
    let id = service.submit("o/n").await;
    service.until(&id, |job| job["waitReason"] == "offline").await;
    let told = check(&service, "hub").await;
    assert_eq!(told["status"], "fail", "{told}");
    assert_eq!(check(&service, "hub").await["since"], told["since"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_others_may_read_is_a_warning() {
    let service = Service::start(NOWHERE).await;
    assert_eq!(check(&service, "permissions").await["status"], "ok");
    let dir = service.home().join(".local/share/hfdepot");
    for path in [dir.clone(), dir.join("hfdepot.db")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("rights");
    }
    let told = check(&service, "permissions").await;
    assert_eq!(told["status"], "warn", "{told}");
    assert!(
        told["hint"].as_str().expect("a hint").contains("chmod 700"),
        "{told}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_takes_no_writes_is_a_failure_until_it_does() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    let root = service.home().join(".cache/huggingface");
    std::fs::create_dir_all(&root).expect("a folder");
    // A file where the Hub cache should be.
    let place = root.join("hub");
    let aside = root.join("aside");
    if place.exists() {
        std::fs::rename(&place, &aside).expect("moved");
    }
    std::fs::write(&place, "").expect("a file");
    let told = check(&service, "cache").await;
    assert_eq!(told["status"], "fail", "{told}");
    std::fs::remove_file(&place).expect("removed");
    assert_eq!(check(&service, "cache").await["status"], "ok");
    service.stop().await;
}
