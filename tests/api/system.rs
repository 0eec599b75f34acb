//! Health, readiness, free space, and the start and end of the service.

use std::os::unix::fs::PermissionsExt;

use hfdepot::lifecycle::{Exit, exit_of};
use serde_json::json;

use super::assert_error;
use crate::support::service::{NOWHERE, Service};

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_status_version_and_time() {
    let service = Service::start(NOWHERE).await;
    let (status, health) = service.get("/api/health").await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(service.get("/healthz").await, (200, json!("ok\n")));
    assert_eq!(service.get("/readyz").await, (200, json!("ok\n")));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_cannot_be_written_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    // A file where the folder should be: refused to everybody, root included.
    std::fs::write(dir.path().join("file"), "").unwrap();
    let cache = dir.path().join("file/cache");
    let flags = ["--endpoint", NOWHERE, "--cache-dir", cache.to_str().unwrap()];
    let service = Service::start_with(&flags).await;
    assert_eq!(service.get("/readyz").await, (503, json!("not ready\n")));
    assert_eq!(service.get("/api/health").await.0, 200);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn free_space_is_told_of_our_own_directories_only() {
    let service = Service::start(NOWHERE).await;
    let root = service.home().join(".cache/huggingface");
    let hub = root.join("hub");
    let (status, space) = service.get("/api/diskfree").await;
    assert_eq!(status, 200, "{space}");
    assert_eq!(space["path"], hub.to_str().unwrap());
    assert!(space["free"].as_u64().unwrap() > 0 && space["total"].as_u64() >= space["free"].as_u64());
    assert_eq!(space["effectiveHubDir"], hub.to_str().unwrap());
    for own in [&root, &hub] {
        let (status, space) = service
            .get(&format!("/api/diskfree?path={}/", own.display()))
            .await;
        assert_eq!((status, &space["path"]), (200, &json!(own.to_str().unwrap())));
    }
    let foreign = [
        "/".to_owned(),
        "/etc".to_owned(),
        "relative".to_owned(),
        format!("{}/..", hub.display()),
        "%00".to_owned(),
    ];
    for path in foreign {
        let answer = service.get(&format!("/api/diskfree?path={path}")).await;
        assert_error(&answer, 400, "bad_request", "Invalid path", "cache");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn free_space_is_told_of_every_folder_that_the_settings_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (local, scanned, route, exports) = (at("local"), at("scanned"), at("route"), at("exports"));
    let routes = format!("audio={route}");
    let service = Service::start_with(&[
        "--endpoint",
        NOWHERE,
        "--local-dir",
        &local,
        "--local-scan-dirs",
        &scanned,
        "--download-routes",
        &routes,
        "--export-dir",
        &exports,
    ])
    .await;
    for path in [&local, &scanned, &route, &exports] {
        let (status, space) = service.get(&format!("/api/diskfree?path={path}")).await;
        assert_eq!((status, &space["path"]), (200, &json!(path)), "{space}");
        assert!(space["total"].as_u64().unwrap() > 0, "{space}");
        let below = service.get(&format!("/api/diskfree?path={path}/below")).await;
        assert_error(&below, 400, "bad_request", "Invalid path", "settings name");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_wrong_methods_are_answered_in_json() {
    let service = Service::start(NOWHERE).await;
    let answer = service.get("/api/nothing").await;
    assert_error(&answer, 404, "not_found", "Not found", "/api/nothing");
    for path in ["/api/download", "/api/jobs/0123456789ab/pause"] {
        let answer = service.get(path).await;
        assert_error(&answer, 405, "api_error", "Method not allowed", "GET");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_and_database_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let flags = ["--endpoint", NOWHERE, "--data-dir", data.to_str().unwrap()];
    let service = Service::start_with(&flags).await;
    assert_eq!(service.get("/readyz").await.0, 200);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in ["hfdepot.db", "hfdepot.db-wal", "hfdepot.db-shm"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_one_data_directory_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let flags = ["--endpoint", NOWHERE, "--data-dir", data.to_str().unwrap()];
    let first = Service::start_with(&flags).await;
    assert_eq!(first.get("/api/health").await.0, 200);
    let error = Service::start_with(&flags).await.failure().await;
    assert_eq!(exit_of(&error), Exit::Locked);
    let pid = std::process::id().to_string();
    assert!(error.to_string().contains(&pid), "{error}");
    first.stop().await;
    Service::start_with(&flags).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_stops_the_start_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(
        data.join("hfdepot.db"),
        "this is no database, but it is long enough",
    )
    .unwrap();
    let flags = ["--endpoint", NOWHERE, "--data-dir", data.to_str().unwrap()];
    let error = Service::start_with(&flags).await.failure().await;
    assert!(
        format!("{error:#}").contains("is damaged or no hfdepot database"),
        "{error:#}"
    );
    assert_eq!(exit_of(&error), Exit::Error);
}
