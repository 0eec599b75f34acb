//! What goes wrong around a mirror: disks that go away, processes that die, hostile contents.

use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::fixture::{World, commit, fill, hub_of, tree};
use super::{DATASET, MODEL};
use crate::support::depot::{eventually, names};
use crate::support::hub::sha256_hex;

/// Ends the process when a test fails half-way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_killed_goes_on_without_copying_a_finished_blob_again() {
    let home = tempfile::tempdir().unwrap();
    let hub = hub_of(home.path());
    let contents: Vec<Vec<u8>> = (0..16_u8).map(|n| vec![n; 128 << 10]).collect();
    let paths: Vec<String> = (0..16).map(|n| format!("{n:02}.bin")).collect();
    let files: Vec<(&str, &[u8])> = paths
        .iter()
        .map(String::as_str)
        .zip(contents.iter().map(Vec::as_slice))
        .collect();
    fill(&hub, MODEL, 1, &files);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new(env!("CARGO_BIN_EXE_hfdepot"))
        .args([
            "serve",
            "--port",
            &port.to_string(),
            "--max-speed",
            "512KiB",
            "--free-space-floor",
            "0",
        ])
        .env_clear()
        .env("HOME", home.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Running(child);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |what: &str, body: serde_json::Value| {
        let url = format!("http://127.0.0.1:{port}/api/mirror/{what}");
        let body = body.to_string();
        client
            .post(url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
    };
    let target = home.path().join("nas");
    let registered = async || {
        ask("targets", json!({"name": "nas", "path": target}))
            .await
            .is_ok_and(|a| a.status() == 200)
    };
    eventually(registered).await;
    let started = ask("push", json!({"target": "nas", "async": true}))
        .await
        .unwrap();
    let started: serde_json::Value = serde_json::from_str(&started.text().await.unwrap()).unwrap();
    let id = started["jobId"].as_str().unwrap().to_owned();
    let blobs = target.join("hub").join(MODEL).join("blobs");
    eventually(async || names(&blobs).len() >= 6).await;
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    let inode = |name: &String| blobs.join(name).metadata().unwrap().ino();
    let finished: Vec<(String, u64)> = names(&blobs)
        .into_iter()
        .map(|name| (name.clone(), inode(&name)))
        .collect();
    assert!(finished.len() < 16, "it was killed in the middle");
    assert!(
        !target.join("hub").join(MODEL).join("refs/main").exists(),
        "refs come last"
    );

    let world = World::start_in(home).await;
    let job = world.until(&id, |job| job["status"] == "completed").await;
    assert_eq!(job["result"]["success"], true, "{job}");
    assert_eq!(tree(&world.target_hub()), tree(&hub));
    for (name, before) in finished {
        assert_eq!(inode(&name), before, "{name} was copied again");
    }
    let staged = world.target_hub().join(MODEL).join(".hfdepot");
    assert_eq!(names(&staged), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_mounted_is_never_taken_for_an_empty_one() {
    let world = World::new().await;
    fill(&world.hub(), MODEL, 1, &[("a", b"here")]);
    let (target, away) = (world.target(), world.service.home().join("away"));
    std::fs::rename(&target, &away).unwrap();
    let before = tree(&world.hub());
    for mount_point in [false, true] {
        if mount_point {
            std::fs::create_dir(&target).unwrap();
        }
        for what in ["diff", "push", "pull"] {
            let (status, answer) = world
                .ask(what, json!({"target": "nas", "deleteExtra": true}))
                .await;
            assert_eq!(
                (status, &answer["error"]),
                (409, &json!("Target not mounted")),
                "{answer}"
            );
            assert_eq!(answer["error_detail"]["reason"], "not_mounted");
        }
        let (_, list) = world.service.get("/api/mirror/targets").await;
        let shown = &list["targets"][0];
        assert_eq!(
            (&shown["exists"], &shown["mounted"]),
            (&json!(mount_point), &json!(false))
        );
        // Nor does registering it again make it one.
        let again = json!({"name": "nas", "path": target});
        assert_eq!(world.ask("targets", again).await.0, 409);
        assert_eq!(
            names(&target),
            Vec::<String>::new(),
            "nothing was written in its place"
        );
    }
    // Another disk in its place.
    std::fs::write(target.join(".hfdepot-target"), "another").unwrap();
    assert_eq!(world.ask("push", json!({"target": "nas"})).await.0, 409);
    std::fs::remove_dir_all(&target).unwrap();
    std::fs::rename(&away, &target).unwrap();
    assert_eq!(world.run("push", json!({})).await["copied"], 1);
    assert_eq!(tree(&world.hub()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_goes_away_in_the_middle_ends_the_run_and_a_retry_goes_on() {
    let world = World::new().await;
    let contents: Vec<Vec<u8>> = (0..16_u8).map(|n| vec![n; 128 << 10]).collect();
    let paths: Vec<String> = (0..16).map(|n| format!("{n:02}.bin")).collect();
    let files: Vec<(&str, &[u8])> = paths
        .iter()
        .map(String::as_str)
        .zip(contents.iter().map(Vec::as_slice))
        .collect();
    fill(&world.hub(), MODEL, 1, &files);
    world
        .service
        .post("/api/settings", json!({"maxSpeed": "512KiB"}))
        .await;
    let (_, started) = world.ask("push", json!({"target": "nas", "async": true})).await;
    let id = started["jobId"].as_str().unwrap().to_owned();
    let blobs = world.target_hub().join(MODEL).join("blobs");
    eventually(async || names(&blobs).len() >= 3).await;
    let (target, away) = (world.target(), world.service.home().join("away"));
    std::fs::rename(&target, &away).unwrap();
    let job = world.until(&id, |job| job["status"] == "failed").await;
    assert_eq!(job["errorCode"], "not_mounted", "{job}");
    assert!(!target.exists(), "nothing was made in its place");
    std::fs::rename(&away, &target).unwrap();
    world.service.post("/api/settings", json!({"maxSpeed": ""})).await;
    assert_eq!(world.service.command(&id, "retry").await.0, 200);
    world.until(&id, |job| job["status"] == "completed").await;
    assert_eq!(tree(&world.target_hub()), tree(&world.hub()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_target_leads_no_pull_outside_and_harms_no_other_repo() {
    let world = World::new().await;
    let target = world.target_hub();
    let outside = world.service.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    fill(&target, DATASET, 1, &[("good", b"good")]);
    // A pointer that leaves its repo; a folder of a snapshot, a whole repo and a blob that are links.
    fill(&target, "models--evil--pointer", 1, &[("a", b"a")]);
    let snapshot = target.join("models--evil--pointer/snapshots").join(commit(1));
    symlink(outside.join("secret"), snapshot.join("b")).unwrap();
    fill(&target, "models--evil--folder", 1, &[("a", b"a")]);
    let snapshot = target.join("models--evil--folder/snapshots").join(commit(1));
    symlink(&outside, snapshot.join("b")).unwrap();
    symlink(&outside, target.join("models--evil--repo")).unwrap();
    fill(&target, "models--evil--blob", 1, &[("a", b"a")]);
    let blob = target.join("models--evil--blob/blobs").join(sha256_hex(b"a"));
    std::fs::remove_file(&blob).unwrap();
    symlink(outside.join("secret"), &blob).unwrap();
    // A path that is longer than any may be, and a folder that only looks like a repo.
    fill(&target, "models--evil--long", 1, &[("a", b"a")]);
    let mut deep = target.join("models--evil--long/snapshots").join(commit(1));
    for _ in 0..6 {
        deep = deep.join("x".repeat(200));
    }
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("y"), "y").unwrap();
    std::fs::create_dir_all(target.join("models--..--x/blobs")).unwrap();
    // Content that is not what its name says.
    fill(&target, "models--evil--content", 1, &[("a", b"a")]);
    std::fs::write(
        target.join("models--evil--content/blobs").join(sha256_hex(b"a")),
        b"b",
    )
    .unwrap();

    let done = world.run("pull", json!({})).await;
    assert_eq!(
        (&done["success"], &done["repos"]),
        (&json!(false), &json!(["acme/same"])),
        "{done}"
    );
    let errors: Vec<&str> = done["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e.as_str())
        .collect();
    for name in ["pointer", "folder", "blob", "long", "content"] {
        assert!(
            errors.iter().any(|error| error.contains(&format!("evil/{name}"))),
            "{name}: {errors:#?}"
        );
    }
    let here = tree(&world.hub());
    assert!(here.keys().all(|path| path.starts_with(DATASET)), "{here:#?}");
    let diff = world.run("diff", json!({})).await;
    let ignored = diff["ignored"].as_array().unwrap();
    assert!(ignored.contains(&json!("models--..--x")) && ignored.contains(&json!("models--evil--repo")));

    // The same on the way there: what stands in the place of a folder is not followed.
    fill(&world.hub(), MODEL, 1, &[("a", b"a")]);
    std::fs::create_dir(target.join(MODEL)).unwrap();
    symlink(&outside, target.join(MODEL).join("blobs")).unwrap();
    let done = world.run("push", json!({"repoFilter": "acme/same"})).await;
    assert_eq!(done["success"], false, "{done}");
    assert_eq!(names(&outside), ["secret"]);
    assert_eq!(std::fs::read_to_string(outside.join("secret")).unwrap(), "secret");
}
