//! A service with a cache that was filled by hand, and a target beside it.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::depot::eventually;
use crate::support::hub::{sha1_hex, sha256_hex};
use crate::support::service::{NOWHERE, Service};

pub struct World {
    pub service: Service,
}

impl World {
    /// A service with an empty cache and the target `nas`, registered.
    pub async fn new() -> Self {
        let world = Self::without_target().await;
        world.register("nas").await;
        world
    }

    pub async fn without_target() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    pub async fn start_in(dir: TempDir) -> Self {
        let service = Service::start_in(dir, &["--endpoint", NOWHERE, "--free-space-floor", "0"]).await;
        Self { service }
    }

    pub async fn register(&self, name: &str) {
        let path = self.target();
        let (status, answer) = self
            .service
            .post("/api/mirror/targets", json!({"name": name, "path": path}))
            .await;
        assert_eq!(status, 200, "{answer}");
    }

    pub fn hub(&self) -> PathBuf {
        hub_of(self.service.home())
    }

    pub fn target(&self) -> PathBuf {
        self.service.home().join("nas")
    }

    pub fn target_hub(&self) -> PathBuf {
        self.target().join("hub")
    }

    pub async fn ask(&self, what: &str, body: Value) -> (u16, Value) {
        self.service.post(&format!("/api/mirror/{what}"), body).await
    }

    /// A run that has to answer 200.
    pub async fn run(&self, what: &str, more: Value) -> Value {
        let mut body = json!({"target": "nas"});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let (status, answer) = self.ask(what, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// `status` of each repo that differs.
    pub async fn diff(&self) -> BTreeMap<String, String> {
        let answer = self.run("diff", json!({})).await;
        let diffs = answer["diffs"].as_array().expect("a list");
        let word = |diff: &Value, key: &str| diff[key].as_str().expect("a text").to_owned();
        diffs
            .iter()
            .map(|diff| {
                let key = format!("{} {}", word(diff, "type"), word(diff, "repo"));
                (key, word(diff, "status"))
            })
            .collect()
    }

    pub async fn job(&self, id: &str) -> Value {
        self.service.get(&format!("/api/jobs/{id}")).await.1
    }

    pub async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(async || wanted(&self.job(id).await)).await;
        self.job(id).await
    }
}

pub fn hub_of(home: &Path) -> PathBuf {
    home.join(".cache/huggingface/hub")
}

/// The commit of this number.
pub fn commit(number: u8) -> String {
    sha1_hex(&[number])
}

/// Adds a commit to a repo, as any program that knows the cache would have left it; `main` names it.
pub fn fill(hub: &Path, folder: &str, number: u8, files: &[(&str, &[u8])]) {
    let repo = hub.join(folder);
    let commit = commit(number);
    for name in ["blobs", "refs", "snapshots"] {
        std::fs::create_dir_all(repo.join(name)).unwrap();
    }
    for (path, content) in files {
        let blob = sha256_hex(content);
        std::fs::write(repo.join("blobs").join(&blob), content).unwrap();
        let pointer = repo.join("snapshots").join(&commit).join(path);
        std::fs::create_dir_all(pointer.parent().unwrap()).unwrap();
        let up = "../".repeat(2 + path.matches('/').count());
        symlink(format!("{up}blobs/{blob}"), pointer).unwrap();
    }
    std::fs::write(repo.join("refs/main"), &commit).unwrap();
}

/// Everything in a Hub cache that belongs to repos: links as what they say, files as their content.
pub fn tree(hub: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(hub, "", &mut found);
    found
}

fn walk(folder: &Path, above: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if above.is_empty() && !name.contains("--") {
            continue;
        }
        let path = format!("{above}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_symlink() {
            let link = std::fs::read_link(entry.path()).unwrap();
            found.insert(path, format!("link to {}", link.display()));
        } else {
            let content = std::fs::read(entry.path()).unwrap();
            found.insert(path, sha256_hex(&content));
        }
    }
}
