//! What the cache tells of the download that brought a repo: ours, or that of another program.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::{NOWHERE, Service};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

async fn entry(service: &Service, repo: &str) -> Value {
    let (status, entry) = service.get(&format!("/api/cache/{repo}?fresh=true")).await;
    assert_eq!(status, 200, "{entry}");
    let (_, list) = service.get("/api/cache").await;
    let listed = list["repos"].as_array().expect("a list").iter();
    let listed = listed.filter(|one| one["repo"] == repo).collect::<Vec<_>>();
    assert_eq!(listed.len(), 1, "{list}");
    assert_eq!(listed[0]["manifest"], entry["manifest"], "both answers agree");
    entry
}

async fn download(service: &Service, body: Value) {
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(status, 202, "{job}");
    service
        .until_status(job["id"].as_str().expect("an id"), "completed")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_tells_of_our_newest_download_and_of_its_filters_until_all_is_here() {
    let hub = Hub::start().await;
    let commit = hub.add(
        Repo::model("acme/tiny")
            .file("README.md", "hello")
            .lfs("m.Q4_K_M.gguf", Content::generated(3000, 1))
            .lfs("m.Q8_0.gguf", Content::generated(5000, 2))
            .tag("v1.0"),
    );
    let service = Service::start(&hub.endpoint()).await;
    let asked = json!({"repo": "acme/tiny", "filters": ["q4_k_m"], "revision": "v1.0"});
    download(&service, asked).await;
    let manifest = entry(&service, "acme/tiny").await["manifest"].clone();
    for (key, value) in [
        ("source", json!("database")),
        ("branch", json!("v1.0")),
        ("commit", json!(commit)),
        ("totalSize", json!(3005)),
        ("totalFiles", json!(2)),
        ("isFiltered", json!(true)),
        ("filters", json!(["q4_k_m"])),
    ] {
        assert_eq!(manifest[key], value, "{key}: {manifest}");
    }
    let (_, history) = service.get("/api/history").await;
    assert_eq!(manifest["downloaded"], history["entries"][0]["endedAt"]);

    download(&service, json!({"repo": "acme/tiny"})).await;
    let manifest = entry(&service, "acme/tiny").await["manifest"].clone();
    assert_eq!(
        (
            &manifest["isFiltered"],
            &manifest["filters"],
            &manifest["totalSize"]
        ),
        (&json!(false), &json!([]), &json!(8005)),
        "{manifest}"
    );
    assert_eq!(manifest["branch"], "main");

    // A part of it fetched again takes nothing away.
    let again = json!({"repo": "acme/tiny", "filters": ["q8_0"]});
    download(&service, again).await;
    let manifest = entry(&service, "acme/tiny").await["manifest"].clone();
    assert_eq!(
        (&manifest["isFiltered"], &manifest["filters"]),
        (&json!(false), &json!([])),
        "{manifest}"
    );
    service.stop().await;
}

/// A repo of the cache that another program put there, with its friendly folder and manifest.
fn foreign(root: &Path, manifest: &str) -> PathBuf {
    let folder = root.join("hub/models--acme--other");
    let snapshot = folder.join("snapshots").join(COMMIT);
    for dir in [&folder.join("blobs"), &folder.join("refs"), &snapshot] {
        fs::create_dir_all(dir).expect("a folder");
    }
    fs::write(folder.join("refs/main"), COMMIT).expect("a ref");
    fs::write(snapshot.join("config.json"), "{}").expect("a file");
    let friendly = root.join("models/acme/other");
    fs::create_dir_all(&friendly).expect("a folder");
    fs::write(friendly.join("hfd.yaml"), manifest).expect("a manifest");
    friendly.join("hfd.yaml")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_noted_is_shown_as_its_word_and_survives_a_rebuild() {
    let service = Service::start(NOWHERE).await;
    let root = service.home().join(".cache/huggingface");
    let noted = format!(
        "version: \"1.0\"\ntype: model\nrepo: acme/other\nbranch: main\ncommit: {COMMIT}\nrepo_path: ../../hub\n\
         started_at: 2026-01-02T03:04:05Z\ncompleted_at: 2026-01-02T03:05:05Z\n\
         command: hfdownloader download acme/other -F q4_k_m\ntotal_size: 2\ntotal_files: 1\nfiles:\n"
    );
    let file = foreign(&root, &noted);
    let shown = json!({
        "source": "hfd.yaml",
        "branch": "main",
        "commit": COMMIT,
        "downloaded": "2026-01-02T03:05:05Z",
        "command": "hfdownloader download acme/other -F q4_k_m",
        "totalSize": 2,
        "totalFiles": 1,
        "isFiltered": true,
        "filters": ["q4_k_m"],
    });
    assert_eq!(entry(&service, "acme/other").await["manifest"], shown);
    assert_eq!(service.post("/api/cache/rebuild", json!({})).await.0, 200);
    assert_eq!(entry(&service, "acme/other").await["manifest"], shown);
    assert_eq!(fs::read_to_string(&file).expect("a manifest"), noted);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_none_or_endless_or_a_link_tells_nothing_and_harms_nothing() {
    let service = Service::start(NOWHERE).await;
    let root = service.home().join(".cache/huggingface");
    let file = foreign(&root, "no: manifest\n");
    assert_eq!(entry(&service, "acme/other").await["manifest"], Value::Null);
    // The head is read, and no more: what says whose it is stands behind 100 MiB of nothing.
    let head = format!("version: \"1.0\"\ncommit: {COMMIT}\n");
    let endless = fs::File::create(&file).expect("a file");
    std::io::Write::write_all(&mut &endless, head.as_bytes()).expect("written");
    std::os::unix::fs::FileExt::write_all_at(&endless, b"\nstarted_at: x\n", 100 << 20).expect("written");
    assert_eq!(entry(&service, "acme/other").await["manifest"], Value::Null);
    // A link is not followed, wherever it leads.
    let elsewhere = service.home().join("elsewhere.yaml");
    fs::write(&elsewhere, format!("{head}started_at: x\n")).expect("a file");
    fs::remove_file(&file).expect("removed");
    std::os::unix::fs::symlink(&elsewhere, &file).expect("a link");
    assert_eq!(entry(&service, "acme/other").await["manifest"], Value::Null);
    // What hfdepot wrote itself says nothing of a download.
    fs::remove_file(&file).expect("removed");
    assert_eq!(service.post("/api/cache/rebuild", json!({})).await.0, 200);
    assert!(fs::read_to_string(&file).expect("a manifest").contains(COMMIT));
    assert_eq!(entry(&service, "acme/other").await["manifest"], Value::Null);
    service.stop().await;
}
