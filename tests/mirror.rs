//! Mirrors: targets, comparison, copies both ways, and what they refuse.

mod calendar;
mod faults;
mod fixture;

use serde_json::{Value, json};

use crate::support::depot::{eventually, names};
use crate::support::hub::sha256_hex;
use crate::support::service::Live;
use fixture::{World, commit, fill, tree};

const MODEL: &str = "models--acme--same";
const DATASET: &str = "datasets--acme--same";

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_registered_listed_replaced_and_removed_while_its_files_stay() {
    let world = World::without_target().await;
    let (status, list) = world.service.get("/api/mirror/targets").await;
    assert_eq!((status, list), (200, json!({"targets": [], "count": 0})));
    let body = json!({"name": "nas", "path": world.target(), "description": "in the cellar"});
    let (status, added) = world.ask("targets", body).await;
    assert_eq!(status, 200, "{added}");
    assert_eq!(added["message"], "Added target \"nas\"");
    assert_eq!(added["success"], true);
    let target = json!({"name": "nas", "path": world.target(), "description": "in the cellar"});
    assert_eq!(added["target"], target);
    world.register("nas").await;
    let (_, list) = world.service.get("/api/mirror/targets").await;
    assert_eq!(list["count"], 1);
    let shown = &list["targets"][0];
    for key in ["exists", "mounted", "markerOk"] {
        assert_eq!(shown[key], true, "{shown}");
    }
    assert!(shown["free"].as_u64() <= shown["total"].as_u64() && shown["lastRun"].is_null());
    assert!(shown["lastSeenAt"].is_string(), "{shown}");
    let (status, removed) = world.service.delete("/api/mirror/targets/nas").await;
    let expected = json!({"success": true, "message": "Removed target \"nas\""});
    assert_eq!((status, removed), (200, expected));
    assert!(world.target().join(".hfdepot-target").exists());
    let (status, gone) = world.service.delete("/api/mirror/targets/nas").await;
    assert_eq!((status, &gone["error"]), (404, &json!("Target not found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_in_a_request_is_named() {
    let world = World::new().await;
    let home = world.service.home().to_owned();
    std::os::unix::fs::symlink("/etc", home.join("link")).unwrap();
    let path = |path: &str| json!({"name": "x", "path": path});
    for (what, body, status, error) in [
        (
            "targets",
            json!({"path": "/x"}),
            400,
            "Missing required field: name",
        ),
        (
            "targets",
            json!({"name": "x"}),
            400,
            "Missing required field: path",
        ),
        (
            "targets",
            json!({"name": "a/b", "path": "/x"}),
            400,
            "Invalid target name",
        ),
        ("targets", path("/etc/hf"), 403, "Invalid target path"),
        ("targets", path("/"), 403, "Invalid target path"),
        (
            "targets",
            path(home.to_str().unwrap()),
            403,
            "Invalid target path",
        ),
        (
            "targets",
            path(home.join("link/x").to_str().unwrap()),
            403,
            "Invalid target path",
        ),
        (
            "targets",
            path(world.hub().join("x").to_str().unwrap()),
            403,
            "Invalid target path",
        ),
        ("diff", json!({}), 400, "Missing required field: target"),
        ("diff", json!({"target": "/mnt/nas"}), 404, "Target not found"),
        ("push", json!({}), 400, "Missing required field: target"),
        ("pull", json!({"target": "none"}), 404, "Target not found"),
        (
            "push",
            json!({"target": "nas", "verify": "md5"}),
            400,
            "Invalid verify",
        ),
        ("push", json!({"target": 7}), 400, "Invalid request body"),
    ] {
        let (found, answer) = world.ask(what, body.clone()).await;
        assert_eq!(
            (found, &answer["error"]),
            (status, &json!(error)),
            "{what} {body} {answer}"
        );
    }
    let (_, answer) = world.ask("targets", json!({"name": "a b", "path": "/x"})).await;
    assert_eq!(
        answer["details"],
        "Use only letters, numbers, dashes, and underscores"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_leaves_the_same_tree_and_the_next_one_nothing_to_do() {
    let world = World::new().await;
    let hub = world.hub();
    fill(
        &hub,
        MODEL,
        1,
        &[("config.json", b"{}"), ("deep/er/model.bin", &[7; 3_000_000])],
    );
    fill(&hub, DATASET, 2, &[("config.json", b"{}"), ("data.csv", b"a,b")]);
    let dry = world.run("push", json!({"dryRun": true})).await;
    assert_eq!(dry["message"], "Would copy 2 repos (2.9 MiB)", "{dry}");
    assert_eq!((&dry["dryRun"], &dry["copied"]), (&json!(true), &json!(2)));
    assert!(tree(&world.target_hub()).is_empty(), "a dry run writes nothing");
    let done = world.run("push", json!({"verify": true})).await;
    assert_eq!(done["message"], "Copied 2 repos (2.9 MiB)", "{done}");
    assert_eq!(done["copiedSize"], 3_000_000 + 2 + 2 + 3);
    assert_eq!((&done["success"], &done["errors"]), (&json!(true), &json!([])));
    assert_eq!(tree(&world.target_hub()), tree(&hub));
    assert!(world.diff().await.is_empty());
    let again = world.run("push", json!({})).await;
    assert_eq!(again["message"], "Nothing to do - destination is in sync");
    let forced = world
        .run("push", json!({"force": true, "repoFilter": "ACME/sa"}))
        .await;
    assert_eq!(forced["copied"], 2, "{forced}");
    assert_eq!(tree(&world.target_hub()), tree(&hub));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_and_a_dataset_of_one_name_are_two_repos() {
    let world = World::new().await;
    fill(&world.hub(), MODEL, 1, &[("a", b"model")]);
    fill(&world.target_hub(), DATASET, 2, &[("a", b"dataset")]);
    let diff = world.diff().await;
    assert_eq!(diff["model acme/same"], "missing");
    assert_eq!(diff["dataset acme/same"], "extra");
    let answer = world.run("diff", json!({"repoFilter": "nothing has this"})).await;
    assert_eq!(answer["diffs"], json!([]));
    assert_eq!(answer["targetPath"], json!(world.target()));
    world.run("pull", json!({})).await;
    world.run("push", json!({})).await;
    assert_eq!(
        names(&world.hub())
            .iter()
            .filter(|name| name.contains("--"))
            .count(),
        2
    );
    assert_eq!(tree(&world.target_hub()), tree(&world.hub()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_repo_is_found_by_content_and_really_updated() {
    let world = World::new().await;
    let hub = world.hub();
    fill(&hub, MODEL, 1, &[("a", b"one")]);
    world.run("push", json!({})).await;
    // Another commit.
    fill(&hub, MODEL, 2, &[("a", b"two"), ("b", b"three")]);
    assert_eq!(world.diff().await["model acme/same"], "outdated");
    let done = world.run("push", json!({})).await;
    assert_eq!(
        (&done["copied"], &done["copiedSize"]),
        (&json!(1), &json!(8)),
        "{done}"
    );
    assert_eq!(tree(&world.target_hub()), tree(&hub));
    // The same commit, with a blob cut short and another gone.
    let blobs = world.target_hub().join(MODEL).join("blobs");
    std::fs::write(blobs.join(sha256_hex(b"two")), b"t").unwrap();
    std::fs::remove_file(blobs.join(sha256_hex(b"three"))).unwrap();
    assert_eq!(world.diff().await["model acme/same"], "outdated");
    world.run("push", json!({})).await;
    assert_eq!(tree(&world.target_hub()), tree(&hub));
    // Only the ref.
    std::fs::write(world.target_hub().join(MODEL).join("refs/main"), commit(1)).unwrap();
    assert_eq!(world.diff().await["model acme/same"], "outdated");
    world.run("push", json!({})).await;
    assert_eq!(tree(&world.target_hub()), tree(&hub));
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_extra_deletes_at_the_destination_only_and_never_all_for_an_empty_source() {
    let world = World::new().await;
    let (hub, target) = (world.hub(), world.target_hub());
    fill(&hub, MODEL, 1, &[("a", b"here")]);
    fill(&target, DATASET, 2, &[("a", b"there")]);
    let dry = world
        .run("push", json!({"dryRun": true, "deleteExtra": true}))
        .await;
    assert_eq!(
        dry["message"], "Would copy 1 repo (4 B), delete 1 repo (5 B)",
        "{dry}"
    );
    let done = world.run("push", json!({"deleteExtra": true})).await;
    assert_eq!(
        (&done["deleted"], &done["deletedRepos"]),
        (&json!(1), &json!(["acme/same"]))
    );
    assert_eq!(tree(&target), tree(&hub));
    assert!(names(&target).iter().all(|name| !name.contains("trash")));
    // An empty target must not empty the cache.
    std::fs::remove_dir_all(target.join(MODEL)).unwrap();
    let before = tree(&hub);
    let refused = world.run("pull", json!({"deleteExtra": true})).await;
    assert_eq!(refused["success"], false, "{refused}");
    assert!(
        refused["errors"][0]
            .as_str()
            .unwrap()
            .starts_with("Nothing was deleted")
    );
    assert_eq!(tree(&hub), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_leaves_repos_of_live_downloads_alone() {
    let world = World::new().await;
    let (hub, target) = (world.hub(), world.target_hub());
    fill(&hub, "models--acme--live", 1, &[("a", b"live")]);
    fill(&hub, "models--acme--extra", 1, &[("a", b"extra")]);
    fill(&target, MODEL, 1, &[("a", b"there")]);
    // It waits for a Hub that nobody can reach.
    world.service.submit("acme/live").await;
    let done = world.run("pull", json!({"deleteExtra": true})).await;
    assert_eq!(done["deletedRepos"], json!(["acme/extra"]), "{done}");
    assert!(done["skipped"][0].as_str().unwrap().contains("acme/live"));
    assert!(hub.join("models--acme--live/refs/main").exists());
    assert_eq!(
        std::fs::read(hub.join(MODEL).join("snapshots").join(commit(1)).join("a")).unwrap(),
        b"there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_a_job_of_its_own_kind_with_report_history_and_live_updates() {
    let world = World::new().await;
    fill(&world.hub(), MODEL, 1, &[("a", b"content")]);
    let mut live = Live::connect_to(&world.service, "/api/ws?kind=mirror").await;
    assert_eq!(live.next().await["data"]["jobs"], json!([]));
    let (status, started) = world.ask("push", json!({"target": "nas", "async": true})).await;
    assert_eq!(status, 202, "{started}");
    let id = started["jobId"].as_str().unwrap().to_owned();
    let update = live
        .until(|message| message["type"] == "job_update" && message["data"]["status"] == "completed")
        .await;
    let job = &update["data"];
    assert_eq!((&job["id"], &job["kind"]), (&json!(id), &json!("mirror")));
    assert_eq!(job["result"]["message"], "Copied 1 repo (7 B)", "{job}");
    assert_eq!(job["progress"]["downloadedBytes"], 7);
    assert_eq!(
        (&job["filesTotal"], &job["progress"]["totalFiles"]),
        (&json!(0), &json!(3))
    );
    live.until(|message| message["data"]["event"] == "mirror_complete")
        .await;
    assert_eq!(
        world.service.get("/api/jobs").await.1["count"],
        0,
        "downloads only"
    );
    assert_eq!(world.service.get("/api/jobs?kind=mirror").await.1["count"], 1);
    let (_, history) = world.service.get("/api/history").await;
    assert_eq!(history["entries"][0]["kind"], "mirror");
    let (_, runs) = world.service.get("/api/mirror/runs?target=nas").await;
    assert_eq!(
        (&runs["count"], &runs["runs"][0]["jobId"]),
        (&json!(1), &json!(id))
    );
    assert_eq!(runs["runs"][0]["report"]["copied"], 1);
    let (_, targets) = world.service.get("/api/mirror/targets").await;
    assert_eq!(targets["targets"][0]["lastRun"]["jobId"], json!(id));
    let (status, events) = world.service.get(&format!("/api/jobs/{id}/events")).await;
    assert_eq!((status, &events["count"]), (200, &json!(3)), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_pauses_goes_on_keeps_the_bandwidth_limit_and_can_be_cancelled() {
    let world = World::new().await;
    let contents: Vec<Vec<u8>> = (0..12_u8).map(|n| vec![n; 256 << 10]).collect();
    let paths: Vec<String> = (0..12).map(|n| format!("{n:02}.bin")).collect();
    let files: Vec<(&str, &[u8])> = paths
        .iter()
        .map(String::as_str)
        .zip(contents.iter().map(Vec::as_slice))
        .collect();
    fill(&world.hub(), MODEL, 1, &files);
    let limit = async |speed: &str| {
        let (status, answer) = world
            .service
            .post("/api/settings", json!({"maxSpeed": speed}))
            .await;
        assert_eq!(status, 200, "{answer}");
    };
    limit("512KiB").await;
    let begun = std::time::Instant::now();
    let (_, started) = world.ask("push", json!({"target": "nas", "async": true})).await;
    let id = started["jobId"].as_str().unwrap().to_owned();
    let bytes = |job: &Value| job["progress"]["downloadedBytes"].as_u64().unwrap();
    world.until(&id, |job| bytes(job) >= 512 << 10).await;
    assert!(begun.elapsed().as_millis() > 500, "{:?}", begun.elapsed());
    assert_eq!(world.service.command(&id, "pause").await.0, 200);
    let blobs = world.target_hub().join(MODEL).join("blobs");
    let staged = world.target_hub().join(MODEL).join(".hfdepot");
    eventually(async || names(&staged).is_empty()).await;
    let copied = names(&blobs).len();
    assert!((1..12).contains(&copied), "{copied}");
    assert!(
        !world.target_hub().join(MODEL).join("refs/main").exists(),
        "refs come last"
    );
    limit("").await;
    assert_eq!(world.service.command(&id, "resume").await.0, 200);
    let job = world.until(&id, |job| job["status"] == "completed").await;
    assert_eq!(job["result"]["copiedSize"], 12 * (256 << 10), "{job}");
    assert_eq!(tree(&world.target_hub()), tree(&world.hub()));
    limit("64KiB").await;
    let (_, started) = world
        .ask("push", json!({"target": "nas", "force": true, "async": true}))
        .await;
    let id = started["jobId"].as_str().unwrap().to_owned();
    world.until(&id, |job| bytes(job) > 0).await;
    assert_eq!(world.service.delete(&format!("/api/jobs/{id}")).await.0, 200);
    eventually(async || tree(&world.target_hub()) == tree(&world.hub())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_went_away_tells_when_it_was_last_there() {
    let world = World::new().await;
    let shown = async || {
        let (_, list) = world.service.get("/api/mirror/targets").await;
        list["targets"][0].clone()
    };
    let there = shown().await;
    let away = world.target().with_extension("away");
    std::fs::rename(world.target(), &away).unwrap();
    // Under an empty mount point it is not there either.
    std::fs::create_dir(world.target()).unwrap();
    let gone = shown().await;
    assert_eq!(
        (&there["mounted"], &gone["mounted"]),
        (&json!(true), &json!(false))
    );
    let (before, last) = (there["lastSeenAt"].as_str(), gone["lastSeenAt"].as_str());
    assert!(last.is_some() && last <= before, "{gone}");
    std::fs::remove_dir(world.target()).unwrap();
    std::fs::rename(&away, world.target()).unwrap();
    let back = shown().await;
    assert!(back["lastSeenAt"].as_str() >= before, "{back}");
}
