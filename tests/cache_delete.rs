//! Taking things out of the cache: whole repos, snapshots, choices of files, rests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::depot::{eventually, names};
use crate::support::hub::{Hub, Kind, Repo};
use crate::support::service::{Service, slow_hub};

async fn stocked(hub: &Hub) -> Service {
    hub.add(
        Repo::model("acme/tiny")
            .file("README.md", "hello")
            .lfs("m-Q4_K_M.gguf", vec![4u8; 3000])
            .lfs("m-Q8_0-00001-of-00002.gguf", vec![8u8; 5000])
            .lfs("m-Q8_0-00002-of-00002.gguf", vec![9u8; 6000]),
    );
    let service = Service::start(&hub.endpoint()).await;
    fetch(&service).await;
    service
}

async fn fetch(service: &Service) {
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
}

fn folder(service: &Service) -> PathBuf {
    service.home().join(".cache/huggingface/hub/models--acme--tiny")
}

/// Every link of every snapshot leads to a content, every ref to a snapshot.
fn assert_sound(service: &Service) {
    let folder = folder(service);
    for commit in names(&folder.join("snapshots")) {
        for name in names(&folder.join("snapshots").join(&commit)) {
            let path = folder.join("snapshots").join(&commit).join(&name);
            assert!(path.exists(), "{} dangles", path.display());
        }
    }
    let main = fs::read_to_string(folder.join("refs/main")).expect("the ref");
    assert!(folder.join("snapshots").join(main).is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_repo_is_gone_and_can_be_fetched_again() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    service.post("/api/cache/rebuild", json!({})).await;
    let (status, shown) = service.delete("/api/cache/acme/tiny?dryRun=true").await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["dryRun"], true);
    assert_eq!(
        (&shown["freesBytes"], &shown["keepsBytes"]),
        (&json!(14005), &json!(0))
    );
    assert_eq!(shown["files"], 4);
    assert!(folder(&service).is_dir());

    let (status, gone) = service.delete("/api/cache/acme/tiny?type=model").await;
    assert_eq!(status, 200, "{gone}");
    assert_eq!(gone["success"], true);
    assert_eq!(gone["message"], "Deleted acme/tiny from cache");
    assert!(!folder(&service).exists());
    let root = service.home().join(".cache/huggingface");
    assert!(!root.join("models/acme").exists(), "the friendly view went along");
    let rests: Vec<_> = names(&root.join("hub/.locks"))
        .into_iter()
        .filter(|name| name.ends_with(".gone"))
        .collect();
    assert!(rests.is_empty(), "{rests:?}");
    assert_eq!(service.get("/api/cache").await.1["count"], 0);
    let (status, error) = service.delete("/api/cache/acme/tiny").await;
    assert_eq!(
        (status, &error["error"]),
        (404, &json!("Repository not found in cache"))
    );
    let (_, found) = service.get("/api/search?q=tiny").await;
    assert_eq!(found["results"][0]["cached"], false);

    fetch(&service).await;
    assert_sound(&service);
    assert_eq!(
        service.get("/api/cache").await.1["repos"][0]["downloadStatus"],
        "complete"
    );
    for (path, error) in [
        ("/api/cache/a%2f..%2fb", "Invalid repository ID format"),
        ("/api/cache/acme/tiny?type=space", "Invalid type"),
    ] {
        let (status, answer) = service.delete(path).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_with_a_live_job_is_not_deleted() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/slow").await;
    service
        .until(&id, |job| job["progress"]["downloadedBytes"].as_i64() > Some(0))
        .await;
    for command in ["pause", "resume"] {
        let (status, error) = service.delete("/api/cache/acme/slow").await;
        assert_eq!(status, 409, "{error}");
        assert_eq!(error["error"], "Repository is being downloaded");
        service.command(&id, command).await;
    }
    let (_, pruned) = service
        .post(
            "/api/cache/prune",
            json!({"dryRun": false, "olderThanDays": 0, "what": ["parts", "orphans", "incomplete", "old_revisions"]}),
        )
        .await;
    assert_eq!(
        (&pruned["removed"], &pruned["items"]),
        (&json!(0), &json!([])),
        "{pruned}"
    );
    assert_eq!(pruned["skipped"], json!(["model:acme/slow"]));
    service.delete(&format!("/api/jobs/{id}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_snapshot_goes_and_what_the_other_needs_stays() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let old = hub.commit("acme/tiny", "main");
    hub.edit(Kind::Model, "acme/tiny", |repo| {
        repo.without("m-Q4_K_M.gguf")
            .file("README.md", "newer")
            .commit("second")
    });
    fetch(&service).await;
    let (_, detail) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(detail["revisionCount"], 2, "{detail}");
    let (status, shown) = service
        .delete(&format!(
            "/api/cache/acme/tiny?revision={}&dryRun=true",
            &old[..8]
        ))
        .await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(
        (&shown["freesBytes"], &shown["keepsBytes"]),
        (&json!(3005), &json!(11005))
    );
    let (status, gone) = service
        .delete(&format!("/api/cache/acme/tiny?revision={old}"))
        .await;
    assert_eq!(status, 200, "{gone}");
    assert_eq!(gone["freesBytes"], 3005);
    assert_sound(&service);
    let (_, detail) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(
        (&detail["size"], &detail["revisionCount"]),
        (&json!(11005), &json!(1))
    );
    assert_eq!(names(&folder(&service).join("blobs")).len(), 3);
    assert_eq!(
        service
            .delete(&format!("/api/cache/acme/tiny?revision={old}"))
            .await
            .0,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_lead_out_of_the_cache_are_refused_and_nothing_behind_them_is_touched() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let outside = service.home().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("dear"), "kept").expect("a file");
    let blobs = folder(&service).join("blobs");
    fs::rename(&blobs, folder(&service).join("moved")).expect("moved");
    symlink(&outside, &blobs).expect("a link");
    let (status, error) = service.delete("/api/cache/acme/tiny").await;
    assert_eq!(
        (status, &error["error"]),
        (400, &json!("Invalid path")),
        "{error}"
    );
    fs::remove_file(&blobs).expect("removed");
    fs::rename(folder(&service).join("moved"), &blobs).expect("moved back");
    // A link deep inside is removed as a link.
    symlink(&outside, folder(&service).join("extra")).expect("a link");
    assert_eq!(service.delete("/api/cache/acme/tiny").await.0, 200);
    assert_eq!(fs::read_to_string(outside.join("dear")).expect("kept"), "kept");
}

async fn selection(service: &Service) -> Value {
    let (status, selection) = service
        .get("/api/cache-selection?repo=acme/tiny&type=model")
        .await;
    assert_eq!(status, 200, "{selection}");
    selection["locations"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_quantisation_is_deleted_when_the_cache_holds_it_as_shown() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let location = selection(&service).await;
    let groups = location["groups"].as_array().expect("groups").clone();
    assert_eq!(groups.len(), 2, "{location}");
    let group = groups
        .iter()
        .find(|group| group["label"] == "Q8_0")
        .expect("the large one")
        .clone();
    assert_eq!(group["members"].as_array().map(Vec::len), Some(2));
    let body = |members: Value| json!({"repo": "acme/tiny", "type": "model", "locationId": location["id"], "groupId": group["id"], "members": members});
    let mut wrong = group["members"].clone();
    wrong[0]["size"] = json!(1);
    for members in [wrong, json!([group["members"][0]]), json!([])] {
        let (status, error) = service.delete_with("/api/cache-selection", body(members)).await;
        assert_eq!(status, 409, "{error}");
    }
    let (status, done) = service
        .delete_with("/api/cache-selection", body(group["members"].clone()))
        .await;
    assert_eq!(status, 200, "{done}");
    assert_eq!((&done["ok"], &done["freedBytes"]), (&json!(true), &json!(11000)));
    assert_sound(&service);
    assert_eq!(
        selection(&service).await["groups"].as_array().map(Vec::len),
        Some(1)
    );
    let (_, list) = service.get("/api/cache").await;
    assert_eq!(
        list["repos"][0]["downloadStatus"], "filtered",
        "not all is here any more"
    );
    for query in [
        "repo=acme/tiny",
        "repo=acme/tiny&type=dataset",
        "type=model",
        "repo=acme/tiny&type=model&locationId=x",
    ] {
        assert_eq!(
            service.get(&format!("/api/cache-selection?{query}")).await.0,
            400,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_shows_first_and_takes_only_what_nobody_needs() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let folder = folder(&service);
    fs::write(folder.join("blobs/abc.incomplete"), "12345").expect("a file");
    fs::write(folder.join("blobs").join("f".repeat(64)), "1234567").expect("a file");
    fs::write(
        folder.join(".hfdepot").join(format!("{}.part", "e".repeat(64))),
        "123",
    )
    .expect("a file");
    fs::write(folder.join("refs/stale"), "3".repeat(40)).expect("a ref");
    let body = |dry: bool| json!({"dryRun": dry, "olderThanDays": 0, "what": ["incomplete", "orphans", "parts", "old_revisions"]});
    let (status, young) = service.post("/api/cache/prune", json!({})).await;
    assert_eq!(status, 200, "{young}");
    // A ref to nothing is wrong at any age; files may still be in use.
    assert_eq!(
        (&young["dryRun"], young["items"].as_array().map(Vec::len)),
        (&json!(true), Some(1)),
        "{young}"
    );
    let (_, shown) = service.post("/api/cache/prune", body(true)).await;
    assert_eq!(shown["items"].as_array().map(Vec::len), Some(4), "{shown}");
    assert_eq!(shown["freesBytes"], 15);
    assert!(folder.join("blobs/abc.incomplete").exists());
    let (_, done) = service.post("/api/cache/prune", body(false)).await;
    assert_eq!(
        (&done["removed"], &done["freedBytes"], &done["errors"]),
        (&json!(4), &json!(15), &json!([])),
        "{done}"
    );
    assert_eq!(names(&folder.join("blobs")).len(), 4);
    assert!(!folder.join("refs/stale").exists());
    assert_sound(&service);
    let (_, nothing) = service.post("/api/cache/prune", body(false)).await;
    assert_eq!(nothing["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_file_of_another_program_is_left_behind_after_the_stale_timeout() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let blobs = folder(&service).join("blobs");
    let age = |name: &str, minutes: u64| {
        fs::write(blobs.join(name), "12345").expect("a file");
        let file = fs::File::options()
            .write(true)
            .open(blobs.join(name))
            .expect("a file");
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(minutes * 60);
        file.set_modified(then).expect("a time");
    };
    age("old.incomplete", 10);
    age("young.incomplete", 3);
    age(&"f".repeat(64), 10);
    let paths = async |service: &Service, body: Value| {
        let (status, found) = service.post("/api/cache/prune", body).await;
        assert_eq!(status, 200, "{found}");
        let items = found["items"].as_array().expect("a list").iter();
        items
            .map(|item| item["path"].as_str().expect("a path").to_owned())
            .collect::<Vec<_>>()
    };
    // A day, unless somebody says otherwise.
    assert_eq!(paths(&service, json!({})).await, Vec::<String>::new());
    let home = service.stop().await;
    let flags = ["--endpoint", &hub.endpoint(), "--stale-timeout", "5m"];
    let service = Service::start_in(home, &flags).await;
    // Contents that nothing refers to are no unfinished files: they keep their day.
    let found = paths(&service, json!({})).await;
    assert_eq!(found, ["models--acme--tiny/blobs/old.incomplete"]);
    // What the request says is stronger.
    let found = paths(&service, json!({"olderThanDays": 1})).await;
    assert_eq!(found, Vec::<String>::new());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_that_a_mirror_run_reads_is_not_deleted() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/tiny").lfs("m-Q4_K_M.gguf", vec![4u8; 3_000_000]));
    let service = Service::start(&hub.endpoint()).await;
    fetch(&service).await;
    service.post("/api/settings", json!({"maxSpeed": "500KiB"})).await;
    let nas = service.home().join("nas");
    let (status, answer) = service
        .post("/api/mirror/targets", json!({"name": "nas", "path": nas}))
        .await;
    assert_eq!(status, 200, "{answer}");
    let (status, started) = service
        .post("/api/mirror/push", json!({"target": "nas", "async": true}))
        .await;
    assert_eq!(status, 202, "{started}");
    let id = started["jobId"].as_str().expect("an id");
    service
        .until(id, |job| job["progress"]["downloadedBytes"].as_i64() > Some(0))
        .await;
    let (status, error) = service.delete("/api/cache/acme/tiny").await;
    assert_eq!(
        (status, &error["error"]),
        (409, &json!("Repository is being read")),
        "{error}"
    );
    assert!(
        error["details"].as_str().expect("a sentence").contains(id),
        "{error}"
    );
    service.delete(&format!("/api/jobs/{id}")).await;
    let let_go = async || service.delete("/api/cache/acme/tiny").await.0 == 200;
    eventually(let_go).await;
    assert!(!folder(&service).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_friendly_view_follows_downloads_once_somebody_built_it() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let root = service.home().join(".cache/huggingface");
    assert!(!root.join("models").exists(), "nobody asked for it");
    service.post("/api/cache/rebuild", json!({})).await;
    let view = root.join("models/acme/tiny");
    assert!(view.join("README.md").is_file());
    hub.edit(Kind::Model, "acme/tiny", |repo| {
        repo.without("README.md").file("NEWS.md", "new").commit("Rename")
    });
    fetch(&service).await;
    assert_eq!(fs::read(view.join("NEWS.md")).expect("a link"), b"new");
    assert!(
        fs::symlink_metadata(view.join("README.md")).is_err(),
        "{:?}",
        names(&view)
    );
    let (_, entry) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(entry["friendlyPath"], json!(view));
}
