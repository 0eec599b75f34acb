//! Checks of the cache: what they find, how they go on, and the repair after them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::depot::{assert_blobs, names};
use crate::support::hub::{Content, Hub, Kind, Repo, sha256_hex};
use crate::support::service::{Service, slow_hub};

const GGUF: usize = 300_000;

/// A service with one whole model and one dataset.
async fn stocked(hub: &Hub) -> Service {
    hub.add(
        Repo::model("acme/tiny")
            .file("README.md", "hello")
            .file("config.json", "{}")
            .lfs("m-Q4_K_M.gguf", vec![4u8; GGUF])
            .lfs("deep/m-Q8_0.gguf", vec![8u8; GGUF]),
    );
    hub.add(Repo::dataset("acme/rows").file("data.csv", "a,b\n1,2\n"));
    let service = Service::start(&hub.endpoint()).await;
    for body in [
        json!({"repo": "acme/tiny"}),
        json!({"repo": "acme/rows", "dataset": true}),
    ] {
        let (_, job) = service.post("/api/download", body).await;
        let id = job["id"].as_str().expect("an id").to_owned();
        service.until_status(&id, "completed").await;
    }
    service
}

fn folder(service: &Service) -> PathBuf {
    service.home().join(".cache/huggingface/hub/models--acme--tiny")
}

fn blob(service: &Service, content: &Content) -> PathBuf {
    folder(service).join("blobs").join(content.sha256())
}

/// Changes one byte and nothing that a listing shows.
fn rot(path: &Path) {
    let before = fs::metadata(path).expect("a blob").modified().expect("a time");
    let mut bytes = fs::read(path).expect("a blob");
    bytes[1000] ^= 1;
    fs::write(path, bytes).expect("writable");
    let file = fs::File::options().write(true).open(path).expect("a blob");
    file.set_modified(before).expect("settable");
}

async fn check(service: &Service, body: Value) -> (String, Value) {
    let (status, job) = service.post("/api/cache/verify", body).await;
    assert_eq!(status, 202, "{job}");
    assert_eq!(job["kind"], "verify");
    let id = job["id"].as_str().expect("an id").to_owned();
    let job = service.until_status(&id, "completed").await;
    (id, job["result"].clone())
}

async fn repair(service: &Service, check: &str) -> Value {
    let (status, answer) = service.post("/api/cache/repair", json!({"jobId": check})).await;
    assert!(matches!(status, 200 | 202), "{answer}");
    for job in answer["jobs"].as_array().expect("a list") {
        let id = job["id"].as_str().expect("an id");
        service.until_status(id, "completed").await;
    }
    answer
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|file| file["path"].as_str().expect("a path")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_reads_every_content_once_and_leaves_its_mark_in_the_list() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (_, report) = check(&service, json!({"mode": "sha256", "speed": "normal"})).await;
    let expected = json!({
        "checked": 5, "bytes": 2 * GGUF + 5 + 2 + 8, "ok": 5, "bad": [], "badCount": 0,
        "missing": [], "missingCount": 0, "unknown": 0, "skipped": [],
    });
    assert_eq!(report, expected);
    let (_, list) = service.get("/api/cache").await;
    for repo in list["repos"].as_array().expect("a list") {
        assert_eq!(repo["verification"], "verified", "{repo}");
        assert!(repo["verifiedAt"].is_string());
    }
    let (_, shown) = service.get("/api/cache/acme/tiny").await;
    let words = shown["files"].as_array().expect("a list").iter();
    let words: Vec<_> = words.map(|file| (&file["name"], &file["verification"])).collect();
    assert!(
        words.contains(&(&json!("README.md"), &json!("git-sha1"))),
        "{words:?}"
    );
    assert!(
        words.contains(&(&json!("m-Q4_K_M.gguf"), &json!("sha256"))),
        "{words:?}"
    );
    let (_, history) = service.get("/api/history?kind=verify").await;
    assert_eq!(history["entries"][0]["status"], "completed", "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_download_compared_counts_as_checked() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (_, shown) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(shown["verification"], "verified", "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_fetches_what_is_bad_or_missing_and_nothing_else() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (rotten, lost) = (
        blob(&service, &vec![4u8; GGUF].into()),
        blob(&service, &vec![8u8; GGUF].into()),
    );
    rot(&rotten);
    fs::remove_file(&lost).expect("a blob");
    let snapshot = folder(&service)
        .join("snapshots")
        .join(hub.commit("acme/tiny", "main"));
    let readme = fs::canonicalize(snapshot.join("README.md")).expect("a pointer");
    fs::write(&readme, "hel").expect("writable");
    // The name itself went: only the listing of the download knows of it.
    fs::remove_file(snapshot.join("config.json")).expect("a pointer");

    let (id, report) = check(&service, json!({"repo": "acme/tiny"})).await;
    assert_eq!(paths(&report["bad"]), ["README.md", "m-Q4_K_M.gguf"], "{report}");
    assert_eq!(report["bad"][0]["problem"], "It has 3 bytes in place of 5");
    let problem = report["bad"][1]["problem"].as_str().expect("a sentence");
    assert!(problem.starts_with("Its sha256 is "), "{problem}");
    assert_eq!(report["bad"][1]["blobId"], sha256_hex(&[4; GGUF]));
    assert_eq!(
        paths(&report["missing"]),
        ["deep/m-Q8_0.gguf", "config.json"],
        "{report}"
    );
    let (_, shown) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(shown["verification"], "bad");
    let bad = shown["files"].as_array().expect("a list").iter();
    let bad: Vec<_> = bad.filter(|file| file["verification"] == "bad").collect();
    assert_eq!(bad.len(), 2, "{bad:?}");

    hub.log().clear();
    let inode = fs::metadata(&rotten).expect("a blob");
    let answer = repair(&service, &id).await;
    assert_eq!(
        (&answer["queued"], &answer["files"]),
        (&json!(1), &json!(4)),
        "{answer}"
    );
    let sent = hub.log().bytes_sent_total();
    assert_eq!(sent, 2 * GGUF as u64 + 5, "config.json had its content still");
    assert_ne!(
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(&rotten).expect("a blob")),
        std::os::unix::fs::MetadataExt::ino(&inode),
        "the damaged file was replaced, not written into"
    );
    assert_blobs(&folder(&service));
    assert_eq!(fs::read(snapshot.join("config.json")).expect("back"), b"{}");
    let (_, shown) = service.get("/api/cache/acme/tiny?fresh=true").await;
    assert_eq!(shown["verification"], "verified", "{shown}");
    let (_, again) = check(&service, json!({})).await;
    assert_eq!(
        (&again["badCount"], &again["missingCount"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(again["ok"], 5);

    hub.log().clear();
    repair(&service, &id).await;
    assert_eq!(
        hub.log().bytes_sent_total(),
        0,
        "what is right by now is left alone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_alone_find_what_was_cut_and_take_no_better_mark_away() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (cut, rotten) = (
        blob(&service, &vec![8u8; GGUF].into()),
        blob(&service, &vec![4u8; GGUF].into()),
    );
    fs::write(&cut, [8; 10]).expect("writable");
    rot(&rotten);
    let (_, report) = check(&service, json!({"mode": "size"})).await;
    assert_eq!(paths(&report["bad"]), ["deep/m-Q8_0.gguf"], "{report}");
    let (_, found) = check(&service, json!({"mode": "sha256"})).await;
    assert_eq!(found["badCount"], 2, "{found}");
    let (_, report) = check(&service, json!({"mode": "size"})).await;
    assert_eq!(report["badCount"], 1);
    let (_, shown) = service.get("/api/cache/acme/tiny").await;
    let files = shown["files"].as_array().expect("a list");
    let of = |name: &str| {
        let file = files.iter().find(|file| file["name"] == name).expect("a file");
        file["verification"].clone()
    };
    assert_eq!(
        of("m-Q4_K_M.gguf"),
        "bad",
        "its length is right, its content is known to be wrong"
    );
    assert_eq!(of("README.md"), "git-sha1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_programs_left_is_judged_as_far_as_it_says_what_it_is() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let root = service.home().join(".cache/huggingface/hub/models--gpt2");
    let commit = "1".repeat(40);
    fs::create_dir_all(root.join("blobs")).expect("a folder");
    fs::create_dir_all(root.join("snapshots").join(&commit)).expect("a folder");
    let orphan = sha256_hex(b"nobody shows me");
    fs::write(root.join("blobs").join(&orphan), "something else").expect("a blob");
    fs::write(root.join("blobs/weird-etag"), "?").expect("a blob");
    fs::write(root.join("snapshots").join(&commit).join("real.bin"), "?").expect("a file");
    std::os::unix::fs::symlink("/etc/passwd", root.join("snapshots").join(&commit).join("evil"))
        .expect("a link");
    let (id, report) = check(&service, json!({"repo": "gpt2", "type": "model"})).await;
    assert_eq!(paths(&report["bad"]), [orphan.as_str()], "{report}");
    assert_eq!((&report["unknown"], &report["checked"]), (&json!(3), &json!(1)));
    let answer = repair(&service, &id).await;
    assert_eq!(answer["queued"], 0);
    assert_eq!(answer["skipped"].as_array().expect("a list").len(), 1, "{answer}");
    let (_, all) = check(&service, json!({})).await;
    assert_eq!(
        (&all["badCount"], &all["unknown"]),
        (&json!(1), &json!(3)),
        "{all}"
    );
}

/// Files of a model that takes an idle check some seconds, which rests after each.
const FILES: u64 = 900;
const SIZE: u64 = 20_000;

/// A service with that model.
async fn large(hub: &Hub) -> Service {
    let mut repo = Repo::model("acme/tiny");
    for n in 0..FILES {
        repo = repo.lfs(&format!("part-{n:04}.safetensors"), Content::generated(SIZE, n));
    }
    hub.add(repo);
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
    service
}

async fn begin(service: &Service) -> String {
    let asked = json!({"repo": "acme/tiny", "speed": "idle"});
    let (status, job) = service.post("/api/cache/verify", asked.clone()).await;
    assert_eq!(status, 202, "{job}");
    let (status, same) = service.post("/api/cache/verify", asked).await;
    assert_eq!((status, &same["id"]), (200, &job["id"]), "one check is enough");
    job["id"].as_str().expect("an id").to_owned()
}

fn done(job: &Value) -> i64 {
    job["progress"]["completedFiles"].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_paused_goes_on_over_a_restart_and_compares_nothing_twice() {
    let hub = Hub::start().await;
    let service = large(&hub).await;
    let id = begin(&service).await;
    service.until(&id, |job| done(job) >= 1).await;
    let (status, error) = service.delete("/api/cache/acme/tiny").await;
    assert_eq!(
        (status, &error["error"]),
        (409, &json!("Repository is being read")),
        "{error}"
    );
    let (status, answer) = service.command(&id, "pause").await;
    assert_eq!(status, 200, "{answer}");
    let dir = service.stop().await;
    let service = Service::start_in(dir, &["--endpoint", &hub.endpoint()]).await;
    let (_, paused) = service.get(&format!("/api/jobs/{id}")).await;
    let before = done(&paused);
    assert!(
        paused["status"] == "paused" && (1..FILES as i64).contains(&before),
        "{paused}"
    );
    // Compared already: nobody looks at it again.
    rot(&blob(&service, &Content::generated(SIZE, 0)));
    service.command(&id, "resume").await;
    let job = service.until_status(&id, "completed").await;
    assert_eq!(done(&job), FILES as i64);
    let report = &job["result"];
    assert_eq!(
        (&report["checked"], &report["ok"]),
        (&json!(FILES), &json!(FILES)),
        "{report}"
    );
    let (status, _) = service.delete("/api/cache/acme/tiny").await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_check_can_be_repaired_after_and_a_live_one_cannot() {
    let hub = Hub::start().await;
    let service = large(&hub).await;
    rot(&blob(&service, &Content::generated(SIZE, 0)));
    let id = begin(&service).await;
    service.until(&id, |job| done(job) >= 1).await;
    let (status, error) = service.post("/api/cache/repair", json!({"jobId": id})).await;
    assert_eq!(
        (status, &error["error"]),
        (409, &json!("The check has not ended"))
    );
    service.delete(&format!("/api/jobs/{id}")).await;
    let answer = repair(&service, &id).await;
    assert_eq!(answer["files"], 1, "{answer}");
    assert_blobs(&folder(&service));
    let download = answer["jobs"][0]["id"].as_str().expect("an id");
    for (body, status, error) in [
        (json!({"jobId": download}), 409, "Not a check"),
        (json!({"jobId": "000000000000"}), 404, "Job not found"),
        (json!({"jobId": "../x"}), 404, "Job not found"),
        (json!({}), 400, "Missing required field: jobId"),
    ] {
        let (found, answer) = service.post("/api/cache/repair", body.clone()).await;
        assert_eq!((found, &answer["error"]), (status, &json!(error)), "{body}");
    }
    for (body, status, error) in [
        (json!({"repo": "acme/none"}), 404, "Repository not found in cache"),
        (
            json!({"repo": "acme/tiny", "type": "dataset"}),
            404,
            "Repository not found in cache",
        ),
        (json!({"repo": "../../etc"}), 400, "Invalid repo format"),
        (json!({"mode": "md5"}), 400, "Invalid request body"),
        (json!({"speed": "fast"}), 400, "Invalid request body"),
    ] {
        let (found, answer) = service.post("/api/cache/verify", body.clone()).await;
        assert_eq!((found, &answer["error"]), (status, &json!(error)), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_live_download_writes_is_left_out_and_said() {
    let hub = slow_hub().await;
    let service = Service::start(&hub.endpoint()).await;
    // A blob that was lost, and a download that is bringing it back.
    let weights = Content::generated(3 << 20, 1);
    let id = service.submit("acme/slow").await;
    service
        .until(&id, |job| job["progress"]["downloadedBytes"].as_i64() > Some(0))
        .await;
    let root = service.home().join(".cache/huggingface/hub/models--acme--slow");
    let commit = hub.commit("acme/slow", "main");
    let snapshot = root.join("snapshots").join(commit);
    fs::create_dir_all(&snapshot).expect("a folder");
    let blob = format!("../../blobs/{}", weights.sha256());
    let _ = std::os::unix::fs::symlink(blob, snapshot.join("model.safetensors"));
    let (_, report) = check(&service, json!({"repo": "acme/slow"})).await;
    assert_eq!(
        (&report["missing"], &report["bad"]),
        (&json!([]), &json!([])),
        "{report}"
    );
    let skipped = report["skipped"][0].as_str().expect("a sentence");
    assert!(
        skipped.starts_with("model acme/slow: 1 files left out, a live download"),
        "{skipped}"
    );
    assert_eq!(hub.repo(Kind::Model, "acme/slow").author(), "acme");
    assert!(
        names(&root.join(".hfdepot"))
            .iter()
            .any(|name| name.ends_with(".part"))
    );
}
