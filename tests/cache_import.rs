//! Imports: what other folders hold for the cache, proven by its hash, and what is refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::depot::{assert_blobs, names};
use crate::support::hub::{Hub, Repo, sha1_hex, sha256_hex};
use crate::support::service::{NOWHERE, Service};

const COMMIT: &str = "1111111111111111111111111111111111111111";
const WEIGHTS: &[u8] = &[7; 50_000];

/// A service without a Hub, with a folder that it may take from.
async fn world() -> (Service, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let from = dir.path().join("models");
    fs::create_dir_all(&from).expect("a folder");
    let flags = [
        "--endpoint",
        NOWHERE,
        "--local-scan-dirs",
        from.to_str().expect("UTF-8"),
    ];
    (Service::start_in(dir, &flags).await, from)
}

fn cache(service: &Service) -> PathBuf {
    service.home().join(".cache/huggingface/hub")
}

fn git_oid(content: &[u8]) -> String {
    sha1_hex(&[format!("blob {}\0", content.len()).as_bytes(), content].concat())
}

/// A folder as `hf download --local-dir` leaves it.
fn plain(folder: &Path, files: &[(&str, &[u8], &str)]) {
    for (path, content, hash) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, content).expect("writable");
        let record = folder
            .join(".cache/huggingface/download")
            .join(format!("{path}.metadata"));
        fs::create_dir_all(record.parent().expect("a folder")).expect("a folder");
        fs::write(record, format!("{COMMIT}\n{hash}\n1790000000.5\n")).expect("writable");
    }
}

/// A repo folder as another cache has it.
fn cached(hub: &Path, folder: &str, files: &[(&str, &[u8], &str)]) {
    let repo = hub.join(folder);
    for part in ["blobs", "refs"] {
        fs::create_dir_all(repo.join(part)).expect("a folder");
    }
    fs::write(repo.join("refs/main"), COMMIT).expect("writable");
    for (path, content, hash) in files {
        fs::write(repo.join("blobs").join(hash), content).expect("writable");
        let pointer = repo.join("snapshots").join(COMMIT).join(path);
        fs::create_dir_all(pointer.parent().expect("a folder")).expect("a folder");
        let up = "../".repeat(path.matches('/').count() + 2);
        symlink(format!("{up}blobs/{hash}"), pointer).expect("a link");
    }
}

async fn import(service: &Service, body: Value) -> Value {
    let (status, answer) = service.post("/api/cache/import", body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn listed<'a>(answer: &'a Value, list: &str, key: &str) -> Vec<&'a str> {
    let list = answer[list].as_array().expect("a list").iter();
    list.map(|file| file[key].as_str().expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_hf_filled_is_shown_first_and_taken_over_then() {
    let (service, from) = world().await;
    let folder = from.join("acme/tiny");
    let config = git_oid(b"{}");
    plain(
        &folder,
        &[
            ("config.json", b"{}", &config),
            ("deep/m.safetensors", WEIGHTS, &sha256_hex(WEIGHTS)),
        ],
    );
    fs::write(folder.join("notes.txt"), "mine").expect("writable");
    fs::write(from.join("loose.gguf"), "?").expect("writable");

    let shown = import(&service, json!({"dir": from})).await;
    assert_eq!(
        (&shown["dryRun"], &shown["jobId"]),
        (&json!(true), &Value::Null),
        "{shown}"
    );
    assert_eq!(
        listed(&shown, "matched", "path"),
        ["acme/tiny/config.json", "acme/tiny/deep/m.safetensors"]
    );
    assert_eq!(listed(&shown, "matched", "repo"), ["acme/tiny"; 2]);
    assert_eq!(shown["bytes"], 50_002);
    assert_eq!(
        listed(&shown, "unmatched", "path"),
        ["acme/tiny/notes.txt", "loose.gguf"]
    );
    assert!(
        !cache(&service).join("models--acme--tiny").exists(),
        "a look takes nothing"
    );

    let done = import(&service, json!({"dir": from, "dryRun": false})).await;
    assert_eq!(
        (&done["adopted"], &done["errors"]),
        (&json!(2), &json!([])),
        "{done}"
    );
    assert_eq!(done["adoptedBytes"], 50_002);
    let repo = cache(&service).join("models--acme--tiny");
    assert_blobs(&repo);
    let snapshot = repo.join("snapshots").join(COMMIT);
    assert_eq!(
        fs::read(snapshot.join("deep/m.safetensors")).expect("a pointer"),
        WEIGHTS
    );
    assert_eq!(
        fs::read(folder.join("deep/m.safetensors")).expect("it stays"),
        WEIGHTS
    );
    assert_eq!(names(&repo.join(".hfdepot")), Vec::<String>::new());
    assert!(
        repo.join("refs/hfdepot").join(COMMIT).is_file(),
        "kept from hf cache prune"
    );
    let (_, entry) = service.get("/api/cache/acme/tiny").await;
    assert_eq!(
        (&entry["verification"], &entry["fileCount"]),
        (&json!("verified"), &json!(2)),
        "{entry}"
    );

    let again = import(&service, json!({"dir": from, "dryRun": false})).await;
    assert_eq!(
        (&again["adopted"], &again["present"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    let (_, job) = service
        .get(&format!("/api/jobs/{}", again["jobId"].as_str().expect("an id")))
        .await;
    assert_eq!(
        (&job["kind"], &job["status"]),
        (&json!("export"), &json!("completed"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cache_is_taken_over_with_its_refs_which_never_move_ours() {
    let (service, from) = world().await;
    let hub = from.join("old/hub");
    let weights = sha256_hex(WEIGHTS);
    cached(
        &hub,
        "models--acme--tiny",
        &[("m.bin", WEIGHTS, &weights), ("same.bin", WEIGHTS, &weights)],
    );
    cached(
        &hub,
        "datasets--acme--rows",
        &[("data.csv", b"a,b", &git_oid(b"a,b"))],
    );
    cached(&hub, "models--gpt2", &[("x", b"x", &git_oid(b"x"))]);
    let ours = cache(&service).join("datasets--acme--rows");
    let newer = "2".repeat(40);
    fs::create_dir_all(ours.join("snapshots").join(&newer)).expect("a folder");
    fs::create_dir_all(ours.join("refs")).expect("a folder");
    fs::write(ours.join("refs/main"), &newer).expect("writable");

    let done = import(
        &service,
        json!({"dir": from.join("old"), "dryRun": false, "mode": "copy"}),
    )
    .await;
    assert_eq!(
        (&done["matchedCount"], &done["errors"]),
        (&json!(3), &json!([])),
        "{done}"
    );
    assert_eq!(
        (&done["adopted"], &done["present"]),
        (&json!(2), &json!(1)),
        "one content, two names"
    );
    assert_eq!(done["unmatchedCount"], 1, "gpt2 has no owner: {done}");
    let model = cache(&service).join("models--acme--tiny");
    assert_eq!(
        fs::read_to_string(model.join("refs/main")).expect("a ref"),
        COMMIT
    );
    assert_blobs(&model);
    for name in ["m.bin", "same.bin"] {
        assert_eq!(
            fs::read(model.join("snapshots").join(COMMIT).join(name)).expect("a pointer"),
            WEIGHTS
        );
    }
    assert_eq!(fs::read_to_string(ours.join("refs/main")).expect("a ref"), newer);
    assert!(ours.join("snapshots").join(COMMIT).join("data.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_it_claims_does_not_come_in() {
    for mode in ["auto", "copy", "hardlink"] {
        let (service, from) = world().await;
        let folder = from.join("acme/tiny");
        plain(
            &folder,
            &[
                ("good.bin", WEIGHTS, &sha256_hex(WEIGHTS)),
                ("evil.bin", b"not the weights", &sha256_hex(b"the weights")),
            ],
        );
        let done = import(&service, json!({"dir": folder, "dryRun": false, "mode": mode})).await;
        assert_eq!(done["adopted"], 1, "{mode}: {done}");
        let errors = done["errors"].as_array().expect("a list");
        assert!(errors[0].as_str().expect("a text").contains("evil.bin"), "{done}");
        let repo = cache(&service).join("models--acme--tiny");
        assert_blobs(&repo);
        assert_eq!(names(&repo.join("blobs")), [sha256_hex(WEIGHTS)]);
        assert_eq!(names(&repo.join(".hfdepot")), Vec::<String>::new());
        assert_eq!(
            fs::read(folder.join("evil.bin")).expect("it stays"),
            b"not the weights"
        );
        let inode = |path: PathBuf| fs::metadata(path).expect("a file").ino();
        let shared = inode(folder.join("good.bin")) == inode(repo.join("blobs").join(sha256_hex(WEIGHTS)));
        // What "auto" does is the file system's choice.
        assert!(mode == "auto" || shared == (mode == "hardlink"), "{mode}");
        let id = done["jobId"].as_str().expect("an id");
        let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(job["errorCode"], "hash_mismatch", "{job}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_another_name_is_taken_over_when_its_repo_is_named() {
    let (service, from) = world().await;
    plain(
        &from.join("My Models"),
        &[("m.bin", WEIGHTS, &sha256_hex(WEIGHTS))],
    );
    let dir = from.join("My Models");
    let shown = import(&service, json!({"dir": dir})).await;
    assert_eq!(shown["matchedCount"], 0, "{shown}");
    let named = json!({"dir": dir, "repo": "acme/rows", "type": "dataset", "dryRun": false});
    let done = import(&service, named).await;
    assert_eq!(done["adopted"], 1, "{done}");
    assert_blobs(&cache(&service).join("datasets--acme--rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_folders_that_the_settings_name_are_looked_through() {
    let (service, from) = world().await;
    let outside = service.home().join("outside");
    plain(
        &outside.join("acme/tiny"),
        &[("m.bin", WEIGHTS, &sha256_hex(WEIGHTS))],
    );
    symlink(&outside, from.join("link")).expect("a link");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    for (dir, status, error) in [
        (String::new(), 400, "Missing required field: dir"),
        ("models".to_owned(), 400, "Invalid dir"),
        (text(&from.join("../outside")), 403, "dir is not allowed"),
        ("/etc".to_owned(), 403, "dir is not allowed"),
        (text(&outside), 403, "dir is not allowed"),
        (text(&from.join("link")), 403, "dir is not allowed"),
        (text(&cache(&service)), 403, "dir is not allowed"),
        (text(&from.join("none")), 404, "Folder not found"),
    ] {
        let (found, answer) = service.post("/api/cache/import", json!({"dir": dir})).await;
        assert_eq!(
            (found, &answer["error"]),
            (status, &json!(error)),
            "{dir}: {answer}"
        );
    }
    // Below an allowed folder no link is followed.
    let shown = import(&service, json!({"dir": from})).await;
    assert_eq!(
        (&shown["matchedCount"], &shown["unmatchedCount"]),
        (&json!(0), &json!(0)),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_over_is_not_fetched_again() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/tiny")
            .file("config.json", "{}")
            .lfs("m.safetensors", WEIGHTS.to_vec()),
    );
    let dir = tempfile::tempdir().expect("a directory");
    let from = dir.path().join("models");
    plain(
        &from.join("acme/tiny"),
        &[("m.safetensors", WEIGHTS, &sha256_hex(WEIGHTS))],
    );
    let flags = [
        "--endpoint",
        &hub.endpoint(),
        "--local-scan-dirs",
        from.to_str().expect("UTF-8"),
    ];
    let service = Service::start_in(dir, &flags).await;
    import(&service, json!({"dir": from, "dryRun": false})).await;
    let id = service.submit("acme/tiny").await;
    let job = service.until_status(&id, "completed").await;
    assert_eq!(job["networkBytes"], 2, "{job}");
    assert_eq!(hub.log().bytes_sent_total(), 2);
}
