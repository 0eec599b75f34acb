//! `hfdepot key`: keys before anybody can log in, beside the data directory.

use serde_json::json;

use super::{LOGIN, with_key};
use crate::support::service::{NOWHERE, Service};

#[tokio::test]
async fn a_key_is_made_listed_and_removed_on_the_command_line_while_no_service_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join(".local/share/hfdepot");
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hfdepot"));
        let done = command
            .arg("key")
            .args(args)
            .env("HFDEPOT_DATA_DIR", &data)
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (
            done.status.code().expect("a code"),
            text(done.stdout),
            text(done.stderr),
        )
    };
    let (code, listed, hint) = run(&["list"]);
    assert_eq!((code, listed.as_str()), (0, ""));
    assert!(hint.contains("hfdepot key add NAME --scope"), "{hint}");
    let (code, key, _) = run(&["add", "Phone", "--scope", "enqueue"]);
    let key = key.trim_end().to_owned();
    assert!(
        code == 0 && key.starts_with("hfd_") && key.len() == 47,
        "{code} {key}"
    );
    let (code, shown, why) = run(&["add", "phone", "--scope", "read"]);
    assert!(
        code == 1 && shown.is_empty() && why.contains("There is a key with the name"),
        "{code} {shown} {why}"
    );
    for wrong in [
        &["add", "a/b", "--scope", "read"][..],
        &["add", "x", "--scope", "root"],
        &["add", "x"],
    ] {
        let (code, shown, why) = run(wrong);
        assert!(
            code == 2 && shown.is_empty() && !why.is_empty(),
            "{wrong:?}: {code} {shown} {why}"
        );
    }
    let (_, listed, _) = run(&["list"]);
    assert!(
        listed.contains("Phone") && listed.contains("enqueue") && listed.contains("used never"),
        "{listed}"
    );
    assert!(!listed.contains(&key) && listed.contains(&key[..8]), "{listed}");

    let flags: Vec<&str> = LOGIN.into_iter().chain(["--endpoint", NOWHERE]).collect();
    let service = Service::start_in(dir, &flags).await;
    assert_eq!(with_key(&service, &key, "GET", "/api/jobs", None).await.0, 200);
    assert_eq!(with_key(&service, &key, "GET", "/api/keys", None).await.0, 403);
    let (_, keys) = service.get("/api/keys").await;
    assert_eq!(
        (&keys["keys"][0]["name"], &keys["keys"][0]["scope"]),
        (&json!("Phone"), &json!("enqueue"))
    );
    // A running service holds the database; it has routes for this.
    for args in [
        &["list"][..],
        &["add", "x", "--scope", "read"],
        &["remove", "Phone"],
    ] {
        let (code, shown, why) = run(args);
        assert!(
            code != 0 && shown.is_empty() && why.contains("/api/keys"),
            "{args:?}: {code} {shown} {why}"
        );
    }
    while service.get("/api/keys").await.1["keys"][0]["lastUsedAt"].is_null() {}
    let dir = service.stop().await;

    let (_, listed, _) = run(&["list"]);
    assert!(listed.contains("from 127.0.0.1"), "{listed}");
    let (code, _, why) = run(&["remove", "nobody"]);
    assert!(
        code == 1 && why.contains("There is no key with the name or id \"nobody\""),
        "{code} {why}"
    );
    assert_eq!(run(&["remove", "PHONE"]).0, 0);
    assert_eq!(run(&["list"]).1, "");
    let service = Service::start_in(dir, &flags).await;
    assert_eq!(with_key(&service, &key, "GET", "/api/jobs", None).await.0, 401);
    service.stop().await;
}
