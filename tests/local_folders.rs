//! Downloads into folders of plain files: where they go, what lies beside them, and that nothing is
//! fetched which is there already, whoever put it there.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use hfdepot::http::openapi::document;
use serde_json::{Value, json};

use crate::support::depot::{assert_blobs, names};
use crate::support::hub::{Hub, Repo, sha1_hex, sha256_hex};
use crate::support::service::Service;

const WEIGHTS: &[u8] = &[5; 40_000];
const OTHER: &[u8] = &[6; 40_000];

/// A service with these flags, in whose values `~` is its home, and a Hub with some models.
async fn world(flags: &[(&str, &str)]) -> (Service, Hub) {
    let hub = Hub::start().await;
    for repo in [
        Repo::model("acme/tiny")
            .file("config.json", "{}")
            .lfs("deep/m-Q4_K_M.gguf", WEIGHTS.to_vec())
            .lfs("m-Q8_0.gguf", OTHER.to_vec()),
        Repo::model("acme/upstream").lfs("mmproj-f16.gguf", OTHER.to_vec()),
        Repo::dataset("acme/rows").file("data.csv", "a,b"),
    ] {
        hub.add(repo);
    }
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().to_str().expect("UTF-8").to_owned();
    let mut words = vec!["--endpoint".to_owned(), hub.endpoint()];
    for (flag, value) in flags {
        words.extend([(*flag).to_owned(), value.replace('~', &home)]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    (Service::start_in(dir, &words).await, hub)
}

async fn download(service: &Service, body: Value) -> Value {
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(status, 202, "{job}");
    let id = job["id"].as_str().expect("an id").to_owned();
    service.until_status(&id, "completed").await
}

fn record(folder: &Path, path: &str) -> Vec<String> {
    let record = folder
        .join(".cache/huggingface/download")
        .join(format!("{path}.metadata"));
    let text = fs::read_to_string(&record).unwrap_or_else(|error| panic!("{}: {error}", record.display()));
    text.lines().map(str::to_owned).collect()
}

fn git_oid(content: &[u8]) -> String {
    sha1_hex(&[format!("blob {}\0", content.len()).as_bytes(), content].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lie_plain_with_the_records_of_hf_beside_them() {
    let (service, hub) = world(&[("--local-dir", "~/models")]).await;
    let job = download(&service, json!({"repo": "acme/tiny"})).await;
    let root = service.home().join("models");
    assert_eq!((&job["flat"], &job["hubDir"]), (&json!(true), &json!("")));
    assert_eq!(
        (&job["localDir"], &job["outputDir"]),
        (&json!(root), &json!(root))
    );
    let folder = root.join("acme/tiny");
    assert_eq!(
        names(&folder),
        [".cache", ".hfdepot", "config.json", "deep", "m-Q8_0.gguf"]
    );
    assert_eq!(names(&folder.join(".hfdepot")), Vec::<String>::new());
    assert_eq!(
        fs::read(folder.join("deep/m-Q4_K_M.gguf")).expect("a file"),
        WEIGHTS
    );
    let commit = hub.commit("acme/tiny", "main");
    for (path, etag) in [
        ("config.json", git_oid(b"{}")),
        ("deep/m-Q4_K_M.gguf", sha256_hex(WEIGHTS)),
        ("m-Q8_0.gguf", sha256_hex(OTHER)),
    ] {
        assert!(fs::symlink_metadata(folder.join(path)).expect("a file").is_file());
        let lines = record(&folder, path);
        assert_eq!((lines.len(), &lines[0], &lines[1]), (3, &commit, &etag), "{path}");
        let at: f64 = lines[2].parse().expect("seconds");
        let written = fs::metadata(folder.join(path)).expect("a file").mtime() as f64;
        assert!(
            at + 1.0 >= written,
            "huggingface_hub takes a file that is younger as changed"
        );
    }
    assert_eq!(
        fs::read(folder.join(".cache/huggingface/.gitignore")).expect("a file"),
        b"*"
    );
    let cache = service.home().join(".cache/huggingface/hub/models--acme--tiny");
    assert!(!cache.exists(), "nothing goes into the cache");
    let (_, list) = service.get("/api/cache?fresh=true").await;
    assert_eq!(
        (&list["count"], &list["repos"][0]["source"]),
        (&json!(1), &json!("Local"))
    );

    hub.log().clear();
    let again = download(&service, json!({"repo": "acme/tiny"})).await;
    assert_eq!(
        (&again["networkBytes"], hub.log().bytes_sent_total()),
        (&json!(0), 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hf_fetched_into_a_folder_is_not_fetched_again_and_what_was_changed_is() {
    let (service, hub) = world(&[("--local-dir", "~/models")]).await;
    let folder = service.home().join("models/acme/tiny");
    let commit = hub.commit("acme/tiny", "main");
    let records = folder.join(".cache/huggingface/download");
    fs::create_dir_all(records.join("deep")).expect("a folder");
    fs::create_dir_all(folder.join("deep")).expect("a folder");
    fs::write(folder.join("config.json"), "{}").expect("writable");
    fs::write(folder.join("deep/m-Q4_K_M.gguf"), WEIGHTS).expect("writable");
    let line = |etag: String| format!("{commit}\n{etag}\n4000000000.5\n");
    fs::write(records.join("config.json.metadata"), line(git_oid(b"{}"))).expect("writable");
    let weights = records.join("deep/m-Q4_K_M.gguf.metadata");
    fs::write(&weights, line(sha256_hex(WEIGHTS))).expect("writable");
    // By hand, without a record: only its hash tells.
    fs::write(folder.join("m-Q8_0.gguf"), OTHER).expect("writable");
    let job = download(&service, json!({"repo": "acme/tiny"})).await;
    assert_eq!(
        (&job["networkBytes"], hub.log().bytes_sent_total()),
        (&json!(0), 0),
        "{job}"
    );
    assert_eq!(
        record(&folder, "m-Q8_0.gguf")[1],
        sha256_hex(OTHER),
        "known from now on"
    );

    // Other content of the same length, younger than its record.
    fs::write(folder.join("m-Q8_0.gguf"), WEIGHTS).expect("writable");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let changed = fs::File::options()
        .write(true)
        .open(folder.join("m-Q8_0.gguf"))
        .expect("a file");
    changed.set_modified(later).expect("settable");
    let job = download(&service, json!({"repo": "acme/tiny"})).await;
    assert_eq!(job["networkBytes"], 40_000, "{job}");
    assert_eq!(fs::read(folder.join("m-Q8_0.gguf")).expect("a file"), OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_name_a_folder_below_those_of_the_settings_only() {
    let (service, _hub) = world(&[("--local-dir", "~/models")]).await;
    let root = service.home().join("models");
    let outside = service.home().join("outside");
    for folder in [&root, &outside] {
        fs::create_dir_all(folder).expect("a folder");
    }
    symlink(&outside, root.join("link")).expect("a link");
    let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
    fs::write(root.join("file"), "x").expect("a file");
    let fields = &document()["components"]["schemas"]["DownloadRequest"]["properties"];
    let described = jsonschema::draft202012::new(&fields["localDir"]).expect("a schema");
    for (dir, status, error) in [
        (text(outside.clone()), 403, "localDir is not allowed"),
        (text(root.join("link")), 403, "localDir is not allowed"),
        (text(root.join("../outside")), 403, "localDir is not allowed"),
        ("/".to_owned(), 403, "localDir is not allowed"),
        ("/etc".to_owned(), 403, "localDir is not allowed"),
        (text(root.join("file/x")), 409, "localDir cannot be used"),
        ("relative".to_owned(), 400, "Invalid localDir"),
        ("/a\u{7}b".to_owned(), 400, "Invalid localDir"),
    ] {
        for path in ["/api/download", "/api/plan"] {
            let body = json!({"repo": "acme/tiny", "localDir": dir});
            let (found, answer) = service.post(path, body).await;
            assert_eq!(
                (found, &answer["error"]),
                (status, &json!(error)),
                "{path} {dir:?}: {answer}"
            );
        }
        // Malformed is what the description does not allow, and nothing else is.
        assert_eq!(described.is_valid(&json!(dir)), status != 400, "{dir:?}");
    }
    let below = root.join("sorted");
    let job = download(&service, json!({"repo": "acme/tiny", "localDir": below})).await;
    assert_eq!(job["localDir"], json!(below));
    assert!(below.join("acme/tiny/config.json").is_file());
    assert!(names(&outside).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_planted_in_a_local_folder_is_not_followed() {
    let (service, _hub) = world(&[("--local-dir", "~/models")]).await;
    let (folder, outside) = (
        service.home().join("models/acme/tiny"),
        service.home().join("outside"),
    );
    fs::create_dir_all(&folder).expect("a folder");
    fs::create_dir_all(&outside).expect("a folder");
    symlink(&outside, folder.join("deep")).expect("a link");
    let (_, job) = service.post("/api/download", json!({"repo": "acme/tiny"})).await;
    let job = service
        .until_status(job["id"].as_str().expect("an id"), "failed")
        .await;
    assert!(
        job["error"].as_str().expect("a text").contains("symbolic link"),
        "{job}"
    );
    assert!(names(&outside).is_empty(), "{:?}", names(&outside));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_chooses_the_folder_and_datasets_know_none() {
    let (service, _hub) = world(&[("--download-routes", "llm=~/llm,audio=~/audio")]).await;
    let home = service.home().to_owned();
    let job = download(&service, json!({"repo": "acme/tiny", "routeKey": "llm/gguf"})).await;
    assert_eq!(
        (&job["routeKey"], &job["localDir"]),
        (&json!("llm/gguf"), &json!(home.join("llm")))
    );
    assert!(
        home.join("llm/acme/tiny/config.json").is_file(),
        "a child falls back to its parent"
    );
    for key in ["diffusion", "llm/onnx", "nonsense"] {
        let asked = json!({"repo": "acme/tiny", "routeKey": key});
        let (status, answer) = service.post("/api/download", asked).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Invalid routeKey")),
            "{key}"
        );
    }
    let asked = json!({"repo": "acme/rows", "dataset": true, "routeKey": "audio"});
    let job = download(&service, asked).await;
    assert_eq!(
        (&job["routeKey"], &job["flat"]),
        (&json!(""), &json!(false)),
        "{job}"
    );
    assert_blobs(&home.join(".cache/huggingface/hub/datasets--acme--rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_a_request_beats_its_route_and_that_the_folder_of_the_settings_and_that_the_cache() {
    let (service, _hub) = world(&[("--local-dir", "~/all"), ("--download-routes", "llm=~/llm")]).await;
    let home = service.home().to_owned();
    let own = home.join("all/own");
    for (body, expected) in [
        (json!({"localDir": own, "routeKey": "llm"}), own.clone()),
        (json!({"routeKey": "llm"}), home.join("llm")),
        (json!({}), home.join("all")),
    ] {
        let mut asked = json!({"repo": "acme/tiny"});
        for (key, value) in body.as_object().expect("an object") {
            asked[key] = value.clone();
        }
        let (status, plan) = service.post("/api/plan", asked.clone()).await;
        assert_eq!((status, &plan["outputDir"]), (200, &json!(expected)), "{body}");
        let job = download(&service, asked).await;
        assert_eq!(
            (&job["outputDir"], &job["flat"]),
            (&json!(expected), &json!(true)),
            "{body}"
        );
        assert!(expected.join("acme/tiny/config.json").is_file(), "{body}");
    }
    assert!(!home.join(".cache/huggingface/hub/models--acme--tiny").exists());
    let (service, _hub) = world(&[]).await;
    let job = download(&service, json!({"repo": "acme/tiny"})).await;
    let hub = service.home().join(".cache/huggingface/hub");
    assert_eq!((&job["outputDir"], &job["flat"]), (&json!(hub), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_keeps_the_folder_that_it_was_queued_with() {
    let (service, _hub) = world(&[("--allow-path-settings", "true"), ("--start-paused", "true")]).await;
    let home = service.home().to_owned();
    let (first, second) = (home.join("first"), home.join("second"));
    let set = async |dir: &Path| {
        let (status, answer) = service.post("/api/settings", json!({"localDir": dir})).await;
        assert_eq!(status, 200, "{answer}");
    };
    set(&first).await;
    let (status, job) = service.post("/api/download", json!({"repo": "acme/tiny"})).await;
    assert_eq!((status, &job["outputDir"]), (202, &json!(first)), "{job}");
    set(&second).await;
    // The same repo into another folder is another download.
    let (status, other) = service.post("/api/download", json!({"repo": "acme/tiny"})).await;
    assert_eq!((status, &other["outputDir"]), (202, &json!(second)), "{other}");
    let (status, answer) = service.put("/api/limits", json!({"pausedUntil": ""})).await;
    assert_eq!(status, 200, "{answer}");
    for (job, dir) in [(&job, &first), (&other, &second)] {
        let id = job["id"].as_str().expect("an id");
        let done = service.until_status(id, "completed").await;
        assert_eq!(done["outputDir"], json!(dir));
        assert!(dir.join("acme/tiny/config.json").is_file());
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_repo_go_into_the_folder_of_another_when_asked() {
    let (service, hub) = world(&[("--local-dir", "~/models")]).await;
    download(&service, json!({"repo": "acme/tiny"})).await;
    let asked = json!({"repo": "acme/upstream", "localRepo": "acme/tiny"});
    let job = download(&service, asked.clone()).await;
    assert_eq!(job["localRepo"], "acme/tiny");
    let folder = service.home().join("models/acme/tiny");
    assert_eq!(fs::read(folder.join("mmproj-f16.gguf")).expect("a file"), OTHER);
    assert_eq!(
        record(&folder, "mmproj-f16.gguf")[0],
        hub.commit("acme/upstream", "main")
    );
    assert!(!service.home().join("models/acme/upstream").exists());
    for wrong in ["../tiny", "tiny", "a/b/c"] {
        let (status, answer) = service
            .post(
                "/api/download",
                json!({"repo": "acme/upstream", "localRepo": wrong}),
            )
            .await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("Invalid localRepo")),
            "{wrong}"
        );
    }
    let (in_cache, _hub) = world(&[]).await;
    let (status, answer) = in_cache.post("/api/download", asked).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("Invalid localRepo")),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_filter_that_matches_names_the_folder_when_asked() {
    let (service, _hub) = world(&[("--local-dir", "~/models")]).await;
    let asked = json!({
        "repo": "acme/tiny", "filters": ["q4", "Q4_K_M", "q8_*"], "appendFilterSubdir": true,
    });
    let job = download(&service, asked).await;
    assert_eq!(job["appendFilterSubdir"], true);
    let folder = service.home().join("models/acme/tiny");
    assert!(
        folder.join("Q4_K_M/deep/m-Q4_K_M.gguf").is_file(),
        "{:?}",
        names(&folder)
    );
    assert!(
        folder.join("config.json").is_file(),
        "what no filter matches stays where it is"
    );
    assert_eq!(
        record(&folder, "Q4_K_M/deep/m-Q4_K_M.gguf")[1],
        sha256_hex(WEIGHTS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_the_cache_show_contents_as_the_link_mode_says() {
    for mode in ["symlink", "hardlink", "copy"] {
        let (service, hub) = world(&[("--link-mode", mode)]).await;
        download(&service, json!({"repo": "acme/tiny"})).await;
        let repo = service.home().join(".cache/huggingface/hub/models--acme--tiny");
        let file = repo
            .join("snapshots")
            .join(hub.commit("acme/tiny", "main"))
            .join("m-Q8_0.gguf");
        assert_eq!(fs::read(&file).expect("a file"), OTHER, "{mode}");
        let blob = repo.join("blobs").join(sha256_hex(OTHER));
        let is_link = fs::symlink_metadata(&file).expect("a file").is_symlink();
        assert_eq!(is_link, mode == "symlink", "{mode}");
        match mode {
            "copy" => assert!(!blob.exists(), "the file itself, and no second one"),
            _ => assert_eq!(
                fs::metadata(&file).expect("a file").ino(),
                fs::metadata(&blob).expect("a blob").ino(),
                "{mode}"
            ),
        }
        let (_, entry) = service.get("/api/cache/acme/tiny").await;
        assert_eq!(entry["size"], 80_002, "each content counts once: {mode}");
        // A check knows what real files should be from the listing of the download.
        let (_, job) = service.post("/api/cache/verify", json!({})).await;
        let job = service
            .until_status(job["id"].as_str().expect("an id"), "completed")
            .await;
        assert_eq!(
            (&job["result"]["ok"], &job["result"]["unknown"]),
            (&json!(3), &json!(0)),
            "{mode}"
        );
    }
}
