//! Exports: real files of the cache in a folder of their own, and what is refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::depot::names;
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

const GGUF: usize = 300_000;

struct World {
    service: Service,
    hub: Hub,
}

impl World {
    /// A service with an export folder and one model.
    async fn new() -> Self {
        let hub = Hub::start().await;
        hub.add(
            Repo::model("acme/tiny")
                .file("README.md", "hello")
                .lfs("m-Q4_K_M.gguf", vec![4u8; GGUF])
                .lfs("deep/er/m-Q8_0.gguf", vec![8u8; GGUF]),
        );
        let service = Self::start(tempfile::tempdir().expect("a directory"), &hub).await;
        let id = service.submit("acme/tiny").await;
        service.until_status(&id, "completed").await;
        Self { service, hub }
    }

    async fn start(dir: TempDir, hub: &Hub) -> Service {
        let out = dir.path().join("out");
        fs::create_dir_all(&out).expect("a folder");
        let flags = [
            "--endpoint",
            &hub.endpoint(),
            "--export-dir",
            out.to_str().expect("UTF-8"),
        ];
        Service::start_in(dir, &flags).await
    }

    fn out(&self) -> PathBuf {
        self.service.home().join("out")
    }

    fn cached(&self, path: &str) -> PathBuf {
        let repo = self
            .service
            .home()
            .join(".cache/huggingface/hub/models--acme--tiny");
        repo.join("snapshots")
            .join(self.hub.commit("acme/tiny", "main"))
            .join(path)
    }

    async fn ask(&self, body: Value) -> (u16, Value) {
        self.service.post("/api/cache/export", body).await
    }

    /// The report of an export.
    async fn run(&self, body: Value) -> Value {
        let (status, job) = self.ask(body).await;
        assert_eq!(status, 202, "{job}");
        assert_eq!(job["kind"], "export");
        let id = job["id"].as_str().expect("an id").to_owned();
        self.service.until_status(&id, "completed").await["result"].clone()
    }

    /// How an export failed.
    async fn failure(&self, body: Value) -> Value {
        let (status, job) = self.ask(body).await;
        assert_eq!(status, 202, "{job}");
        let id = job["id"].as_str().expect("an id").to_owned();
        self.service.until_status(&id, "failed").await
    }
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").ino()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_leaves_real_files_and_the_next_one_leaves_them_alone() {
    let world = World::new().await;
    let asked = json!({"repo": "acme/tiny", "type": "model", "dest": "models/tiny", "mode": "copy"});
    let report = world.run(asked.clone()).await;
    let dest = world.out().join("models/tiny");
    let expected = json!({
        "commit": world.hub.commit("acme/tiny", "main"), "dest": dest, "files": 3, "hardlinked": 0,
        "reflinked": 0, "copied": 3, "unchanged": 0, "bytes": 2 * GGUF + 5, "errors": [],
    });
    assert_eq!(report, expected);
    assert_eq!(names(&dest), ["README.md", "deep", "m-Q4_K_M.gguf"]);
    for path in ["README.md", "m-Q4_K_M.gguf", "deep/er/m-Q8_0.gguf"] {
        let (there, here) = (dest.join(path), world.cached(path));
        assert!(fs::symlink_metadata(&there).expect("a file").is_file());
        assert_eq!(
            fs::read(&there).expect("a file"),
            fs::read(&here).expect("cached"),
            "{path}"
        );
        assert_ne!(inode(&there), inode(&here), "{path}");
    }
    let before = inode(&dest.join("README.md"));
    fs::write(dest.join("m-Q4_K_M.gguf"), "changed by somebody").expect("writable");
    fs::write(dest.join("notes.txt"), "mine").expect("writable");
    let again = world.run(asked).await;
    assert_eq!(
        (&again["copied"], &again["unchanged"]),
        (&json!(1), &json!(2)),
        "{again}"
    );
    assert_eq!(inode(&dest.join("README.md")), before);
    assert_eq!(
        fs::read(dest.join("m-Q4_K_M.gguf")).expect("a file"),
        vec![4u8; GGUF]
    );
    assert_eq!(fs::read(dest.join("notes.txt")).expect("kept"), b"mine");
    let (_, history) = world.service.get("/api/history?kind=export").await;
    assert_eq!(history["total"], 2, "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_linked_where_that_is_asked_and_a_link_is_no_copy() {
    let world = World::new().await;
    let asked = |mode: &str| json!({"repo": "acme/tiny", "dest": "x", "mode": mode, "filters": ["q4_k_m"]});
    let report = world.run(asked("hardlink")).await;
    assert_eq!(
        (&report["hardlinked"], &report["files"]),
        (&json!(2), &json!(2)),
        "{report}"
    );
    let there = world.out().join("x/m-Q4_K_M.gguf");
    assert_eq!(inode(&there), inode(&world.cached("m-Q4_K_M.gguf")));
    assert_eq!(names(&world.out().join("x")), ["README.md", "m-Q4_K_M.gguf"]);
    let report = world.run(asked("auto")).await;
    assert_eq!(report["unchanged"], 2, "{report}");
    let report = world.run(asked("copy")).await;
    assert_eq!(
        report["copied"], 2,
        "a second name of the cached file is no copy: {report}"
    );
    assert_ne!(inode(&there), inode(&world.cached("m-Q4_K_M.gguf")));
    let report = world.run(json!({"repo": "acme/tiny", "dest": "y"})).await;
    assert_eq!(report["files"], 3);
    assert_eq!(report["copied"], 0, "on one volume nothing is copied: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_the_export_folder() {
    let world = World::new().await;
    let outside = world.service.home().join("outside");
    fs::create_dir_all(&outside).expect("a folder");
    symlink(&outside, world.out().join("link")).expect("a link");
    let cache = world.service.home().join(".cache/huggingface");
    for dest in [
        "",
        "..",
        "../outside",
        "a/../../outside",
        "a/./../b",
        "/etc",
        "/",
        "link/x",
        "a\\b",
        "a\nb",
        "c:evil",
        "a//b",
        outside.to_str().expect("UTF-8"),
        cache.to_str().expect("UTF-8"),
        world.out().to_str().expect("UTF-8"),
    ] {
        let (status, answer) = world.ask(json!({"repo": "acme/tiny", "dest": dest})).await;
        // What is a folder but not ours to fill is forbidden; the rest is no folder below the root.
        let is_place = dest.starts_with('/') && *dest != *world.out().to_string_lossy();
        let expected = if is_place || *dest == *"link/x" { 403 } else { 400 };
        assert_eq!(status, expected, "{dest}: {answer}");
    }
    assert!(names(&outside).is_empty());
    // Planted after the request was taken.
    let dest = world.out().join("planted");
    fs::create_dir_all(&dest).expect("a folder");
    symlink(&outside, dest.join("deep")).expect("a link");
    symlink(outside.join("README.md"), dest.join("README.md")).expect("a link");
    let job = world
        .failure(json!({"repo": "acme/tiny", "dest": "planted", "mode": "copy"}))
        .await;
    assert!(
        job["error"].as_str().expect("a text").contains("symbolic link"),
        "{job}"
    );
    let errors = job["result"]["errors"].as_array().expect("a list");
    assert_eq!((errors.len(), &job["result"]["copied"]), (2, &json!(1)), "{job}");
    assert!(names(&outside).is_empty(), "{:?}", names(&outside));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_exported_is_said() {
    let world = World::new().await;
    for (body, status, error) in [
        (json!({"dest": "x"}), 400, "Missing required field: repo"),
        (json!({"repo": "acme/tiny"}), 400, "Missing required field: dest"),
        (
            json!({"repo": "acme/none", "dest": "x"}),
            404,
            "Repository not found in cache",
        ),
        (
            json!({"repo": "acme/tiny", "dest": "x", "revision": "v9"}),
            404,
            "Revision not found in cache",
        ),
        (
            json!({"repo": "acme/tiny", "dest": "x", "mode": "symlink"}),
            400,
            "Invalid request body",
        ),
        (
            json!({"repo": "acme/tiny", "dest": "x", "filters": ["x".repeat(300)]}),
            400,
            "Invalid filters",
        ),
    ] {
        let (found, answer) = world.ask(body.clone()).await;
        assert_eq!((found, &answer["error"]), (status, &json!(error)), "{body}");
    }
    let job = world
        .failure(json!({"repo": "acme/tiny", "dest": "x", "filters": ["q9"]}))
        .await;
    assert_eq!(job["errorCode"], "nothing_matched");
    // Damaged content is not passed on: seen while it is copied, or known from a check.
    let blob = fs::canonicalize(world.cached("m-Q4_K_M.gguf")).expect("a blob");
    let mut bytes = fs::read(&blob).expect("a blob");
    bytes[7] ^= 1;
    fs::write(&blob, bytes).expect("writable");
    for mode in ["copy", "hardlink"] {
        if mode == "hardlink" {
            let (_, job) = world.service.post("/api/cache/verify", json!({})).await;
            let id = job["id"].as_str().expect("an id").to_owned();
            world.service.until_status(&id, "completed").await;
        }
        let job = world
            .failure(json!({"repo": "acme/tiny", "dest": mode, "mode": mode}))
            .await;
        assert_eq!(job["errorCode"], "hash_mismatch", "{job}");
        assert_eq!(names(&world.out().join(mode)), ["README.md", "deep"]);
    }
    fs::rename(world.out(), world.service.home().join("away")).expect("movable");
    let (status, answer) = world.ask(json!({"repo": "acme/tiny", "dest": "x"})).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("Invalid dest")),
        "{answer}"
    );
    let World { service, hub } = world;
    let service = {
        let dir = service.stop().await;
        Service::start_in(dir, &["--endpoint", &hub.endpoint()]).await
    };
    let (status, answer) = service
        .post("/api/cache/export", json!({"repo": "acme/tiny", "dest": "x"}))
        .await;
    assert_eq!((status, &answer["error"]), (400, &json!("Export is disabled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_over_a_restart_where_it_was() {
    const FILES: u64 = 700;
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/many");
    for n in 0..FILES {
        repo = repo.lfs(&format!("part-{n:04}.safetensors"), Content::generated(20_000, n));
    }
    hub.add(repo);
    let service = World::start(tempfile::tempdir().expect("a directory"), &hub).await;
    let id = service.submit("acme/many").await;
    service.until_status(&id, "completed").await;
    let asked = json!({"repo": "acme/many", "dest": "many", "mode": "copy"});
    let (_, job) = service.post("/api/cache/export", asked.clone()).await;
    let id = job["id"].as_str().expect("an id").to_owned();
    let done = |job: &Value| job["progress"]["completedFiles"].as_u64().expect("a number");
    service.until(&id, |job| done(job) >= 100).await;
    // As a crash leaves it: the service goes without a word, a copy half done.
    let dir = service.stop().await;
    let staging = dir.path().join("out/many/.hfdepot");
    fs::create_dir_all(&staging).expect("a folder");
    fs::write(staging.join("export.1-0123456789abcdef.tmp"), "half").expect("writable");
    let service = World::start(dir, &hub).await;
    let job = service.until_status(&id, "completed").await;
    let report = &job["result"];
    assert_eq!(
        (&report["files"], &report["errors"]),
        (&json!(FILES), &json!([])),
        "{report}"
    );
    let out = service.home().join("out/many");
    assert_eq!(
        names(&out).len() as u64,
        FILES,
        "and nothing under a temporary name"
    );
    for n in [0, 350, FILES - 1] {
        let path = out.join(format!("part-{n:04}.safetensors"));
        let found = Content::disk(&path).expect("a file");
        assert_eq!(found.sha256(), Content::generated(20_000, n).sha256());
    }
}
