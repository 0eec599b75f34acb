//! Looking into a repo before anything of it is downloaded.

use serde_json::{Value, json};

use crate::support::hub::{Content, Fault, FaultKind, Hub, Kind, Repo, TOKEN};
use crate::support::service::Service;

/// A GGUF file with a true header: one small tensor and nothing of a tokenizer.
fn gguf(size: usize) -> Content {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(2u64.to_le_bytes());
    bytes.extend(text("general.architecture"));
    bytes.extend(8u32.to_le_bytes());
    bytes.extend(text("llama"));
    bytes.extend(text("llama.context_length"));
    bytes.extend(4u32.to_le_bytes());
    bytes.extend(4096u32.to_le_bytes());
    bytes.extend(text("w"));
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(16u64.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes.resize(size, 0);
    Content::from(bytes)
}

fn quants() -> Repo {
    Repo::model("acme/Tiny-7B-GGUF")
        .file("README.md", "---\nlicense: mit\n---\n# Tiny\n")
        .file("config.json", "{\"model_type\": \"llama\"}")
        .lfs("tiny-7b.Q4_K_M.gguf", gguf(60_000))
        .lfs("tiny-7b.Q8_0.gguf", gguf(90_000))
        .field(
            "tags",
            json!(["gguf", "license:mit", "base_model:quantized:acme/Tiny-7B"]),
        )
        .tag("v1.0")
}

fn safetensors() -> Content {
    let header = br#"{"w":{"dtype":"F16","shape":[4,8],"data_offsets":[0,64]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.resize(bytes.len() + 64, 7);
    Content::from(bytes)
}

fn keys_are_there(value: &Value, keys: &str) {
    for key in keys.split(' ') {
        assert!(value.get(key).is_some(), "{key} is missing in {value}");
    }
}

/// Paths of the requests that reached the Hub.
fn asked(hub: &Hub) -> Vec<String> {
    let entries = hub.log().entries();
    entries.iter().map(|entry| entry.path.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_every_key_of_both_documents() {
    let hub = Hub::start().await;
    let commit = hub.add(quants());
    let service = Service::start(&hub.endpoint()).await;
    let (status, report) = service.get("/api/analyze/acme/Tiny-7B-GGUF").await;
    assert_eq!(status, 200, "{report}");
    keys_are_there(
        &report,
        "repo is_dataset type type_description files file_count total_size total_size_human branch commit refs \
         analyzed_at gguf selectable_items recommended_filters recommended_download gated private locked security cached",
    );
    assert_eq!(
        (&report["repo"], &report["type"], &report["branch"]),
        (&json!("acme/Tiny-7B-GGUF"), &json!("gguf"), &json!("main"))
    );
    assert_eq!(report["commit"], commit.as_str());
    assert_eq!(report["file_count"], 4);
    for file in report["files"].as_array().unwrap() {
        keys_are_there(file, "name path size size_human lfs is_lfs directory");
        assert_eq!(file["lfs"].as_bool().unwrap(), file.get("sha256").is_some());
    }
    let main = json!({"name": "main", "type": "branch", "commit": commit});
    let tag = json!({"name": "v1.0", "type": "tag", "commit": commit});
    assert_eq!(report["refs"], json!([main, tag]));
    for quantization in report["gguf"]["quantizations"].as_array().unwrap() {
        keys_are_there(
            quantization,
            "name file quality quality_stars estimated_ram estimated_ram_human description",
        );
    }
    for item in report["selectable_items"].as_array().unwrap() {
        keys_are_there(item, "id label filter_value recommended files");
    }
    // Read from the header of one file, of which no more than the front was asked for.
    assert_eq!(report["gguf"]["architecture"], "llama");
    assert_eq!(report["gguf"]["context_length"], 4096);
    assert_eq!(
        (&report["locked"], &report["cached"]),
        (&json!(""), &json!(false))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recommended_download_can_be_posted_as_it_is() {
    let hub = Hub::start().await;
    hub.add(quants());
    hub.add(
        Repo::dataset("acme/lines")
            .file("README.md", "# Lines\n")
            .lfs("data/train-00000-of-00001.parquet", Content::generated(5000, 3)),
    );
    let service = Service::start(&hub.endpoint()).await;
    for (path, wanted, unwanted) in [
        (
            "/api/analyze/acme/Tiny-7B-GGUF?revision=v1.0",
            "tiny-7b.Q4_K_M.gguf",
            "tiny-7b.Q8_0.gguf",
        ),
        (
            "/api/analyze/acme/lines?dataset=true",
            "data/train-00000-of-00001.parquet",
            "none",
        ),
    ] {
        let (status, report) = service.get(path).await;
        assert_eq!(status, 200, "{report}");
        let body = report["recommended_download"].clone();
        let (status, job) = service.post("/api/download", body).await;
        assert_eq!(status, 202, "{job}");
        let id = job["id"].as_str().unwrap();
        let job = service.until_status(id, "completed").await;
        let files = job["files"].to_string();
        assert!(files.contains(wanted) && !files.contains(unwanted), "{files}");
        let (_, again) = service.get(path).await;
        assert_eq!(again["cached"], true);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quantised_model_without_a_vision_encoder_is_offered_that_of_its_base() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/See-7B-GGUF")
            .lfs("see-7b.Q4_K_M.gguf", gguf(60_000))
            .field(
                "tags",
                json!(["base_model:acme/Absent", "base_model:quantized:acme/See-7B"]),
            ),
    );
    hub.add(
        Repo::model("acme/See-7B")
            .file("config.json", "{}")
            .lfs("mmproj-F16.gguf", Content::generated(4000, 3))
            .lfs("see-7b.Q8_0.gguf", gguf(90_000)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let path = "/api/analyze/acme/See-7B-GGUF?dataset=false";
    let (status, report) = service.get(path).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["gguf"]["mmproj_upstream_repo"], "acme/See-7B");
    let items = report["selectable_items"].as_array().unwrap().iter();
    let item = items.clone().find(|item| item.get("upstream_repo").is_some());
    let item = item.expect("the encoder of the base");
    assert_eq!(
        (&item["upstream_repo"], &item["category"], &item["recommended"]),
        (&json!("acme/See-7B"), &json!("vision_encoder"), &json!(false))
    );
    // What both say of it can be posted, and brings just that file.
    let related = report["related_downloads"].as_array().unwrap().iter();
    let related = related
        .clone()
        .find(|one| one["type"] == "mmproj")
        .expect("a download");
    assert_eq!(related["filters"], json!([item["filter_value"]]));
    let (_, plan) = service
        .post(
            "/api/plan",
            json!({"repo": related["repo"], "filters": related["filters"]}),
        )
        .await;
    let paths: Vec<_> = plan["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(paths, ["mmproj-F16.gguf"]);
    // It is remembered with the report.
    hub.log().clear();
    let (_, again) = service.get(path).await;
    assert_eq!(again["selectable_items"], report["selectable_items"]);
    assert_eq!(asked(&hub).len(), 1, "{:?}", asked(&hub));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_model_that_cannot_be_seen_or_breaks_off_spoils_no_report() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/See-7B-GGUF")
            .lfs("see-7b.Q4_K_M.gguf", gguf(60_000))
            .field("tags", json!(["base_model:quantized:acme/See-7B"])),
    );
    hub.add(Repo::model("acme/See-7B").lfs("mmproj-F16.gguf", Content::generated(4000, 3)));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    let path = "/api/analyze/acme/See-7B-GGUF?dataset=false";
    hub.fault(Fault::status("/api/models/acme/See-7B/*", 500));
    let (status, report) = service.get(path).await;
    assert_eq!((status, &report["type"]), (200, &json!("gguf")), "{report}");
    assert_eq!(report["gguf"].get("mmproj_upstream_repo"), None);
    // A passing fault is not remembered.
    hub.clear_faults();
    let (_, report) = service.get(path).await;
    assert_eq!(report["gguf"]["mmproj_upstream_repo"], "acme/See-7B");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_both_a_model_and_a_dataset_has_to_be_chosen() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/twin").file("config.json", "{}").tag("v1"));
    hub.add(Repo::dataset("acme/twin").file("a.csv", "a,b\n"));
    hub.add(Repo::dataset("acme/only-data").file("a.csv", "a,b\n"));
    let service = Service::start(&hub.endpoint()).await;
    let (status, choice) = service.get("/api/analyze/acme/twin").await;
    assert_eq!(status, 200);
    assert_eq!(
        choice,
        json!({
            "needsSelection": true,
            "repo": "acme/twin",
            "message": "This repository exists as both a model and a dataset. Please select which one you want to analyze.",
            "options": ["model", "dataset"],
        })
    );
    for (query, is_dataset) in [
        ("acme/twin?dataset=true", true),
        ("acme/twin?dataset=false", false),
        // Only the model has this tag.
        ("acme/twin?revision=v1", false),
        ("acme/only-data", true),
        ("acme/only-data?dataset=false", true),
    ] {
        let (status, report) = service.get(&format!("/api/analyze/{query}")).await;
        assert_eq!(
            (status, &report["is_dataset"]),
            (200, &json!(is_dataset)),
            "{query}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_analyzed_is_refused_with_its_cause() {
    let hub = Hub::start().await;
    hub.add(quants());
    let service = Service::start(&hub.endpoint()).await;
    for (path, status, error, details) in [
        ("acme/absent", 404, "Analysis failed", "404: repository not found"),
        (
            "acme/absent?dataset=true",
            404,
            "Analysis failed",
            "404: repository not found",
        ),
        (
            "acme/absent?dataset=false",
            404,
            "Analysis failed",
            "404: repository not found",
        ),
        ("acme/Tiny-7B-GGUF?revision=nope", 404, "Analysis failed", "nope"),
        (
            "acme/Tiny-7B-GGUF?revision=../x",
            400,
            "Invalid revision",
            "not a branch",
        ),
        ("acme/Tiny-7B-GGUF?dataset=maybe", 400, "Invalid dataset", "maybe"),
        ("gpt2", 400, "Invalid repo format", "Expected owner/name"),
        ("a/b/c", 400, "Invalid repo format", "Expected owner/name"),
        (
            "..%2F..%2Fetc/x",
            400,
            "Invalid repo format",
            "Expected owner/name",
        ),
        ("", 400, "Missing repository", ""),
    ] {
        let (got, body) = service.get(&format!("/api/analyze/{path}")).await;
        assert_eq!((got, &body["error"]), (status, &json!(error)), "{path}: {body}");
        let told = body["details"].as_str().unwrap_or_default();
        assert!(told.contains(details), "{path}: {body}");
        assert_eq!(body["error_detail"]["message"], error);
    }
    // Nothing of a bad name reached the Hub.
    let asked = asked(&hub);
    assert!(asked.iter().all(|path| path.starts_with("/api/")), "{asked:?}");
    hub.fault(Fault::on(
        "/api/*",
        FaultKind::Status {
            status: 500,
            headers: Default::default(),
            body: "<secret>".to_owned(),
        },
    ));
    let (status, body) = service.get("/api/analyze/acme/Tiny-7B-GGUF").await;
    assert_eq!((status, &body["error"]), (502, &json!("Analysis failed")));
    assert!(!body.to_string().contains("secret"), "{body}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_repo_shows_its_tree_and_says_what_opens_it() {
    let hub = Hub::start().await;
    let gated = Repo::model("acme/locked")
        .file("config.json", "{\"model_type\": \"llama\", \"hidden_size\": 64}")
        .lfs("model.safetensors", safetensors())
        .security("model.safetensors", "unsafe")
        .gated("manual");
    hub.add(gated);
    let service = Service::start(&hub.endpoint()).await;
    let (status, report) = service.get("/api/analyze/acme/locked").await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(
        (&report["gated"], &report["file_count"]),
        (&json!("manual"), &json!(2))
    );
    assert!(
        report["locked"].as_str().unwrap().contains("accept its terms"),
        "{report}"
    );
    assert!(
        report["transformers"]
            .get("hidden_size")
            .is_none_or(Value::is_null)
    );
    let finding = json!([{"path": "model.safetensors", "level": "unsafe"}]);
    assert_eq!(report["security"]["files_with_issues"], finding);
    // One refusal is enough to know.
    assert_eq!(
        asked(&hub)
            .iter()
            .filter(|path| path.contains("/resolve/"))
            .count(),
        1
    );

    // A report that misses something is not remembered, and none outlives the token it was made with.
    let (status, body) = service.post("/api/settings", json!({"token": TOKEN})).await;
    assert_eq!(status, 200, "{body}");
    let open = locked_is(&service, false).await;
    assert_eq!(open["transformers"]["hidden_size"], 64);
    assert_eq!(open["transformers"]["estimated_parameters_num"], 32);
    // A change that was answered acts on the very next request, however quickly it follows.
    for _ in 0..5 {
        service.post("/api/settings", json!({"token": ""})).await;
        locked_is(&service, true).await;
        service.post("/api/settings", json!({"token": TOKEN})).await;
        locked_is(&service, false).await;
    }
    service.stop().await;
}

/// The report of `acme/locked`, which is (or is not) open with the token set by the request before.
async fn locked_is(service: &Service, locked: bool) -> Value {
    let (status, report) = service.get("/api/analyze/acme/locked").await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(report["locked"] != "", locked, "{report}");
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_remembered_for_its_commit_only() {
    let hub = Hub::start().await;
    hub.add(quants());
    let service = Service::start(&hub.endpoint()).await;
    let path = "/api/analyze/acme/Tiny-7B-GGUF?dataset=false";
    let (_, first) = service.get(path).await;
    hub.log().clear();
    let (_, second) = service.get(path).await;
    assert_eq!(first, second);
    // Who may see it and what main means is asked every time, nothing else.
    assert_eq!(asked(&hub).len(), 1, "{:?}", asked(&hub));
    let (_, fresh) = service.get(&format!("{path}&fresh=true")).await;
    assert_eq!(fresh["commit"], first["commit"]);
    assert!(asked(&hub).len() > 4);
    let commit = hub.edit(Kind::Model, "acme/Tiny-7B-GGUF", |repo| {
        repo.file("new.txt", "new")
    });
    let (_, moved) = service.get(path).await;
    assert_eq!(moved["commit"], commit.as_str());
    assert_eq!(moved["file_count"], 5);
    hub.remove(Kind::Model, "acme/Tiny-7B-GGUF");
    assert_eq!(service.get(path).await.0, 404);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_repo_gives_a_report_with_warnings() {
    let hub = Hub::start().await;
    let lie = |bytes: &[u8], size: usize| {
        let mut content = bytes.to_vec();
        content.resize(size, 0xff);
        Content::from(content)
    };
    hub.add(
        Repo::model("acme/hostile")
            .file("config.json", "[".repeat(100_000))
            .file("adapter_config.json", Content::generated(11 << 20, 1))
            .lfs("model.safetensors", lie(&u64::MAX.to_le_bytes(), 5000))
            .raw_entry(json!({"type": "file", "path": "../../etc/passwd", "oid": "a".repeat(40), "size": 1})),
    );
    // Metadata as it should be, but 16.9 MB of it.
    let mut long = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
    long.extend(1_205_000u64.to_le_bytes());
    let entry = [&1u64.to_le_bytes()[..], b"k", &0u32.to_le_bytes(), b"v"].concat();
    long.extend(entry.repeat(1_205_000));
    hub.add(Repo::model("acme/endless").lfs("m.gguf", long));
    let service = Service::start(&hub.endpoint()).await;
    let (status, report) = service.get("/api/analyze/acme/hostile").await;
    assert_eq!(status, 200, "{report}");
    let warnings = report["warnings"].to_string();
    for part in [
        "config.json",
        "not JSON",
        "too long",
        "model.safetensors",
        "etc/passwd",
    ] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    hub.log().clear();
    let (status, report) = service.get("/api/analyze/acme/endless").await;
    assert_eq!((status, &report["type"]), (200, &json!("gguf")));
    let read = hub.log().bytes_sent_total();
    assert!((8 << 20..=16 << 20).contains(&read), "{read}");
    service.stop().await;
}
