//! The list of the cache: whatever program made it, each content once, true within an answer.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::hub::{Hub, Repo};
use crate::support::service::Service;

const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

/// A repo folder made by hand, as another program leaves it.
struct Foreign(PathBuf);

impl Foreign {
    fn new(hub: &Path, folder: &str) -> Self {
        for part in ["blobs", "refs", "snapshots"] {
            fs::create_dir_all(hub.join(folder).join(part)).expect("a folder");
        }
        Self(hub.join(folder))
    }

    fn blob(&self, name: &str, bytes: usize) {
        fs::write(self.0.join("blobs").join(name), vec![b'x'; bytes]).expect("a blob");
    }

    fn pointer(&self, commit: &str, path: &str, blob: &str) {
        let at = self.0.join("snapshots").join(commit).join(path);
        fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
        let up = "../".repeat(path.matches('/').count() + 2);
        symlink(format!("{up}blobs/{blob}"), at).expect("a link");
    }

    fn reference(&self, name: &str, commit: &str) {
        fs::write(self.0.join("refs").join(name), commit).expect("a ref");
    }
}

async fn stocked(hub: &Hub) -> Service {
    hub.add(
        Repo::model("acme/tiny")
            .file("README.md", "hello")
            .lfs("m-Q4_K_M.gguf", vec![4u8; 3000])
            .lfs("m-Q8_0.gguf", vec![8u8; 5000]),
    );
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
    service
}

fn hub_dir(service: &Service) -> PathBuf {
    service.home().join(".cache/huggingface/hub")
}

async fn entry(service: &Service, repo: &str) -> Value {
    let (status, list) = service.get("/api/cache?fresh=true").await;
    assert_eq!(status, 200, "{list}");
    let repos = list["repos"].as_array().expect("a list").clone();
    let found = repos.into_iter().find(|entry| entry["repo"] == repo);
    found.unwrap_or_else(|| panic!("{repo} is not in {list}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_download_is_in_the_list_at_once_with_every_key() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (status, list) = service.get("/api/cache").await;
    assert_eq!(status, 200);
    assert_eq!(list["count"], 1, "{list}");
    assert_eq!(list["cacheDir"], hub_dir(&service).to_str().expect("UTF-8"));
    assert_eq!(
        (&list["effectiveHubDir"], &list["hubDirSource"]),
        (&list["cacheDir"], &json!("default"))
    );
    assert_eq!(list["stats"]["totalModels"], 1);
    assert_eq!(list["stats"]["totalSize"], 8005);
    assert_eq!(list["stats"]["totalFiles"], 3);
    let entry = &list["repos"][0];
    for (key, value) in [
        ("repo", json!("acme/tiny")),
        ("type", json!("model")),
        ("owner", json!("acme")),
        ("name", json!("tiny")),
        ("source", json!("HF cache")),
        ("size", json!(8005)),
        ("sizeHuman", json!("7.8 KiB")),
        ("fileCount", json!(3)),
        ("branch", json!("main")),
        ("downloadStatus", json!("complete")),
        ("snapshots", json!(["main"])),
        ("hasMMProj", json!(false)),
        ("mmprojFiles", json!([])),
        ("capabilities", json!([])),
        ("friendlyPath", json!("")),
        ("revisionCount", json!(1)),
        ("missingFiles", json!(0)),
        ("problems", json!([])),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    assert_eq!(entry["commit"].as_str().map(str::len), Some(7));
    assert_eq!(entry["downloaded"].as_str().map(str::len), Some(10));
    let quantizations = entry["quantizations"].as_array().expect("a list");
    assert_eq!(quantizations.len(), 2, "{quantizations:?}");
    let path = hub_dir(&service).join("models--acme--tiny");
    assert_eq!(entry["path"], path.to_str().expect("UTF-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_with_a_projector_is_shown_as_one_that_sees() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/eyes")
            .lfs("eyes-Q4_K_M.gguf", vec![4u8; 3000])
            .lfs("mmproj-F16.gguf", vec![5u8; 300]),
    );
    let service = stocked(&hub).await;
    let id = service.submit("acme/eyes").await;
    service.until_status(&id, "completed").await;
    let eyes = entry(&service, "acme/eyes").await;
    assert_eq!(
        (&eyes["hasMMProj"], &eyes["capabilities"]),
        (&json!(true), &json!(["vision"]))
    );
    assert_eq!(eyes["mmprojFiles"].as_array().map(Vec::len), Some(1), "{eyes}");
    let (_, detail) = service.get("/api/cache/acme/eyes").await;
    assert_eq!(detail["capabilities"], json!(["vision"]));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_download_is_told_from_a_complete_one_in_list_and_search() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/two")
            .lfs("m-Q4_K_M.gguf", vec![4u8; 3000])
            .lfs("m-Q8_0.gguf", vec![8u8; 5000]),
    );
    let service = Service::start(&hub.endpoint()).await;
    let body = json!({"repo": "acme/two", "filters": ["q8_0"]});
    let (_, job) = service.post("/api/download", body).await;
    service
        .until_status(job["id"].as_str().expect("an id"), "completed")
        .await;
    assert_eq!(entry(&service, "acme/two").await["downloadStatus"], "filtered");
    let (_, found) = service.get("/api/search?q=two").await;
    assert_eq!(found["results"][0]["cacheStatus"], "filtered", "{found}");
    assert_eq!(found["results"][0]["cached"], true);
    let (_, report) = service.get("/api/analyze/acme/two").await;
    assert_eq!(report["cache_status"], "filtered");

    let all = service.submit("acme/two").await;
    service.until_status(&all, "completed").await;
    assert_eq!(entry(&service, "acme/two").await["downloadStatus"], "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn repos_of_other_programs_are_listed_with_each_content_once() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    let dir = hub_dir(&service);
    let repo = Foreign::new(&dir, "models--other--two");
    repo.blob("aa", 100);
    repo.blob("bb", 20);
    repo.blob("aa.incomplete", 7);
    repo.blob("tmp-cc", 7);
    for commit in [FIRST, SECOND] {
        repo.pointer(commit, "big.bin", "aa");
    }
    repo.pointer(SECOND, "sub/deep/small.txt", "bb");
    repo.reference("main", SECOND);
    Foreign::new(&dir, "datasets--other--rows").reference("main", FIRST);
    Foreign::new(&dir, "models--gpt2");
    fs::create_dir_all(dir.join("spaces--a--b")).expect("a folder");
    fs::create_dir_all(dir.join("notes")).expect("a folder");

    let found = entry(&service, "other/two").await;
    assert_eq!(found["size"], 120);
    assert_eq!(found["fileCount"], 2);
    assert_eq!(found["downloadStatus"], "unknown");
    let (_, list) = service.get("/api/cache").await;
    let ids: Vec<_> = list["repos"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["repo"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["gpt2", "other/rows", "other/two"]);
    for (query, count) in [
        ("type=dataset", 1),
        ("type=model", 2),
        ("search=OTHER", 2),
        ("search=%25", 0),
    ] {
        let (_, list) = service.get(&format!("/api/cache?{query}")).await;
        assert_eq!(list["count"], count, "{query}");
    }
    let (status, error) = service.get("/api/cache?type=space").await;
    assert_eq!((status, &error["error"]), (400, &json!("Invalid type")));

    let (status, detail) = service.get("/api/cache/other/two").await;
    assert_eq!(status, 200, "{detail}");
    assert_eq!(detail["revisions"].as_array().map(Vec::len), Some(2));
    let older = detail["revisions"].as_array().expect("a list");
    let first = older
        .iter()
        .find(|row| row["commit"] == FIRST)
        .expect("the older snapshot");
    assert_eq!((&first["size"], &first["uniqueSize"]), (&json!(100), &json!(0)));
    let names: Vec<_> = detail["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| &file["name"])
        .collect();
    assert_eq!(names, ["big.bin", "sub/deep/small.txt"]);
    let (_, all) = service.get("/api/cache/other/two?revision=all").await;
    assert_eq!(all["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(service.get("/api/cache/gpt2").await.0, 200);
    assert_eq!(service.get("/api/cache/other/rows").await.1["type"], "dataset");
    let (status, error) = service.get("/api/cache/other/none").await;
    assert_eq!(
        (status, &error["error"]),
        (404, &json!("Repository not found in cache"))
    );
    for hostile in ["a/b/c", "-a/b", "..%2f..%2fetc", "a%00/b"] {
        assert_eq!(
            service.get(&format!("/api/cache/{hostile}")).await.0,
            400,
            "{hostile}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_repo_is_described_and_harms_no_other() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let dir = hub_dir(&service);
    let broken = Foreign::new(&dir, "models--bad--one");
    broken.pointer(FIRST, "gone.bin", "dd");
    symlink(
        "/etc/passwd",
        broken.0.join("snapshots").join(FIRST).join("out.txt"),
    )
    .expect("a link");
    fs::write(broken.0.join("snapshots").join(FIRST).join("real.txt"), "12345").expect("a file");
    broken.reference("main", FIRST);
    broken.reference("v9", SECOND);
    fs::write(broken.0.join("snapshots/stray"), "x").expect("a file");
    symlink(dir.join("models--acme--tiny"), dir.join("models--link--ed")).expect("a link");
    fs::write(dir.join("models--a--file"), "x").expect("a file");

    let found = entry(&service, "bad/one").await;
    assert_eq!(found["size"], 5);
    assert_eq!(found["missingFiles"], 1);
    assert_eq!(found["problems"].as_array().map(Vec::len), Some(3), "{found}");
    let (_, detail) = service.get("/api/cache/bad/one").await;
    let held: Vec<_> = detail["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| &file["held"])
        .collect();
    assert_eq!(held, ["dangling", "foreign", "real"]);
    let (_, list) = service.get("/api/cache").await;
    assert_eq!(list["count"], 2, "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_programs_change_shows_with_the_next_fresh_answer() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let dir = hub_dir(&service);
    let repo = Foreign::new(&dir, "models--other--one");
    repo.blob("aa", 10);
    repo.pointer(FIRST, "a.bin", "aa");
    repo.reference("main", FIRST);
    assert_eq!(entry(&service, "other/one").await["size"], 10);
    repo.blob("bb", 5);
    repo.pointer(FIRST, "sub/b.bin", "bb");
    let grown = entry(&service, "other/one").await;
    assert_eq!((&grown["size"], &grown["fileCount"]), (&json!(15), &json!(2)));
    fs::remove_dir_all(&repo.0).expect("removed");
    let (_, list) = service.get("/api/cache?fresh=true").await;
    assert_eq!(list["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_friendly_view_has_links_that_open_and_a_manifest() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let root = service.home().join(".cache/huggingface");
    // What cannot be read counts as no body.
    let (status, report) = service.post_text("/api/cache/rebuild", "not json").await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["success"], true);
    assert_eq!(report["reposScanned"], 1);
    assert_eq!(report["symlinksCreated"], 3);
    let folder = root.join("models/acme/tiny");
    assert_eq!(fs::read(folder.join("README.md")).expect("the file"), b"hello");
    let link = fs::read_link(folder.join("README.md")).expect("a link");
    assert!(
        link.starts_with("../../../hub/models--acme--tiny/snapshots"),
        "{link:?}"
    );
    let manifest = fs::read_to_string(folder.join("hfd.yaml")).expect("a manifest");
    assert!(
        manifest.contains("repo: \"acme/tiny\"") && manifest.contains("total_files: 3"),
        "{manifest}"
    );
    assert_eq!(
        entry(&service, "acme/tiny").await["friendlyPath"],
        folder.to_str().expect("UTF-8")
    );

    let (_, again) = service.post("/api/cache/rebuild", json!({})).await;
    assert_eq!(again["message"], "Friendly view is up to date");
    fs::remove_file(folder.join("README.md")).expect("removed");
    fs::write(folder.join("README.md"), "mine").expect("a file of the user");
    symlink(
        "../../../hub/models--acme--tiny/snapshots/x/old",
        folder.join("old"),
    )
    .expect("a link");
    let (_, cleaned) = service.post("/api/cache/rebuild", json!({"clean": true})).await;
    assert_eq!(cleaned["orphansRemoved"], 1, "{cleaned}");
    assert_eq!(cleaned["success"], false);
    assert_eq!(fs::read(folder.join("README.md")).expect("the file"), b"mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_in_folders_of_the_settings_are_listed_and_only_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let models = dir.path().join("models");
    for (path, bytes) in [
        ("acme/plain/deep/p-Q4_K_M.gguf", 3000),
        ("acme/plain/README.md", 10),
        ("acme/tiny/m-Q4_K_M.gguf", 7),
        ("acme/notes/todo.txt", 5),
        ("loose.gguf", 5),
        (".hidden/x/y.gguf", 5),
    ] {
        let at = models.join(path);
        fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
        fs::write(at, vec![b'x'; bytes]).expect("writable");
    }
    symlink("/etc", models.join("acme/evil")).expect("a link");
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/tiny").lfs("m-Q4_K_M.gguf", vec![4u8; 3000]));
    let flags = [
        "--endpoint",
        &hub.endpoint(),
        "--local-scan-dirs",
        models.to_str().expect("UTF-8"),
    ];
    let service = Service::start_in(dir, &flags).await;
    let (_, list) = service.get("/api/cache?fresh=true").await;
    assert_eq!(list["count"], 2, "{list}");
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
    let (_, list) = service.get("/api/cache?fresh=true").await;
    let shown = list["repos"].as_array().expect("a list").iter();
    let shown: Vec<_> = shown.map(|repo| (&repo["repo"], &repo["source"])).collect();
    assert_eq!(
        shown,
        [
            (&json!("acme/plain"), &json!("Local")),
            (&json!("acme/tiny"), &json!("HF cache"))
        ],
        "what the cache has is not shown twice"
    );
    let plain = &list["repos"][0];
    assert_eq!(
        (&plain["size"], &plain["fileCount"]),
        (&json!(3010), &json!(2)),
        "{plain}"
    );
    assert_eq!(plain["quantizations"], json!(["Q4_K_M"]));
    assert_eq!(plain["location"], json!(models));
    assert_eq!(list["stats"]["totalModels"], 2);
    let (_, found) = service.get("/api/cache?search=PLA").await;
    assert_eq!(found["count"], 1);
    let (_, found) = service.get("/api/cache?type=dataset").await;
    assert_eq!(found["count"], 0);
    let (status, detail) = service.get("/api/cache/acme/plain").await;
    assert_eq!(
        (status, &detail["files"][1]["name"]),
        (200, &json!("deep/p-Q4_K_M.gguf")),
        "{detail}"
    );
    for (status, answer) in [
        service.delete("/api/cache/acme/plain").await,
        service.delete("/api/cache/acme/plain?dryRun=true").await,
        service
            .post("/api/cache/verify", json!({"repo": "acme/plain"}))
            .await,
        service
            .get("/api/cache-selection?type=model&repo=acme/plain")
            .await,
    ] {
        assert_eq!(status, 404, "{answer}");
        let details = answer["details"].as_str().expect("a sentence");
        assert!(details.contains("hfdepot only reads that folder"), "{answer}");
    }
    assert!(models.join("acme/plain/README.md").exists());
}
