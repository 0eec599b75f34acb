//! `/api/system/checks`: what is wrong is named with what to do, and is gone when it is mended.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::depot::eventually;
use crate::support::hub::Hub;
use crate::support::service::{NOWHERE, Service};

async fn check(service: &Service, name: &str) -> Value {
    let (status, answer) = service.get("/api/system/checks").await;
    assert_eq!(status, 200, "{answer}");
    let checks = answer["checks"].as_array().expect("a list");
    let found = checks.iter().find(|check| check["name"] == name);
    found
        .unwrap_or_else(|| panic!("no check {name}: {answer}"))
        .clone()
}

async fn becomes(service: &Service, name: &str, status: &str) -> Value {
    eventually(async || check(service, name).await["status"] == status).await;
    check(service, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_good_health_says_what_it_looked_at_and_asks_the_hub_nothing() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    let (_, answer) = service.get("/api/system/checks").await;
    for check in answer["checks"].as_array().expect("a list") {
        let well = check["status"] == "ok";
        assert_ne!(check["message"], "", "{check}");
        assert_eq!(well, check["hint"] == "", "{check}");
        assert_eq!(well, check["since"].is_null(), "{check}");
    }
    for name in [
        "database",
        "backups",
        "cache",
        "mirror_targets",
        "hub",
        "token",
        "login",
        "secrets",
    ] {
        assert_eq!(check(&service, name).await["status"], "ok", "{name}: {answer}");
    }
    assert!(hub.log().entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_is_named_with_its_beginning_until_it_is_mended() {
    let service = Service::start(NOWHERE).await;
    let data = service.home().join(".local/share/hfdepot");
    let rights = |mode| std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
    let usb = service.home().join("usb");
    let target = json!({"name": "usb", "path": usb});
    assert_eq!(service.post("/api/mirror/targets", target).await.0, 200);
    assert_eq!(check(&service, "hub").await["status"], "ok");

    service.submit("acme/tiny").await;
    rights(0o755);
    std::fs::remove_dir_all(&usb).unwrap();
    let away = becomes(&service, "hub", "fail").await;
    assert!(
        away["message"].as_str().unwrap().contains("cannot be reached"),
        "{away}"
    );
    let open = becomes(&service, "secrets", "warn").await;
    assert!(open["hint"].as_str().unwrap().contains("chmod 700"), "{open}");
    assert!(open["since"].is_string(), "{open}");
    let unmounted = becomes(&service, "mirror_targets", "warn").await;
    assert_eq!(unmounted["message"], "Not mounted: usb");

    rights(0o700);
    let mended = becomes(&service, "secrets", "ok").await;
    assert!(mended["since"].is_null(), "{mended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_takes_no_writes_is_a_failure_of_the_cache_alone() {
    let service = Service::start(NOWHERE).await;
    let hub = service.home().join(".cache/huggingface/hub");
    assert_eq!(check(&service, "cache").await["status"], "ok");
    // A file where the folder was: rights do not hold root back.
    std::fs::remove_dir_all(&hub).unwrap();
    std::fs::write(&hub, "").unwrap();
    let failed = becomes(&service, "cache", "fail").await;
    assert!(failed["message"].as_str().unwrap().contains("hub"), "{failed}");
    assert_eq!(check(&service, "database").await["status"], "ok");
}
