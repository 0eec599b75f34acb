//! The address of one repo in place of its name.

use serde_json::json;

use super::{document, run};
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

async fn stocked() -> Hub {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quant")
            .file("config.json", "{}")
            .lfs("a/m.Q4_K_M.gguf", Content::generated(5120, 1))
            .lfs("a/m.Q8_0.gguf", Content::generated(9000, 2))
            .commit("one more")
            .branch("dev")
            .checkout("dev")
            .file("new.json", "[]"),
    );
    hub.add(Repo::dataset("acme/rows").file("a.csv", "a\n1\n"));
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_repo_adds_and_plans_what_it_names() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    for (address, files) in [
        (
            "https://huggingface.co/acme/quant",
            &["a/m.Q4_K_M.gguf", "a/m.Q8_0.gguf", "config.json"][..],
        ),
        ("hf.co/acme/quant:q4_k_m", &["a/m.Q4_K_M.gguf", "config.json"]),
        (
            "https://huggingface.co/acme/quant/tree/dev",
            &["a/m.Q4_K_M.gguf", "a/m.Q8_0.gguf", "config.json", "new.json"],
        ),
        (
            "https://huggingface.co/acme/quant/blob/main/a/m.Q8_0.gguf",
            &["a/m.Q8_0.gguf"],
        ),
        ("hf://datasets/acme/rows@main", &["a.csv"]),
    ] {
        let (code, plan, why) = run(&service, &["plan", address, "--json"]).await;
        assert_eq!(code, 0, "{address}: {why}");
        let plan = document(&plan);
        let mut paths: Vec<&str> = plan["files"]
            .as_array()
            .expect("files")
            .iter()
            .filter_map(|item| item["path"].as_str())
            .collect();
        paths.sort_unstable();
        assert_eq!(paths, files, "{address}");
    }

    let address = "https://huggingface.co/datasets/acme/rows/tree/main";
    let (code, out, why) = run(&service, &["add", address, "--wait", "--json"]).await;
    assert_eq!(code, 0, "{why}");
    let job = document(&out);
    assert_eq!(
        [&job["repo"], &job["isDataset"], &job["revision"], &job["status"]],
        [
            &json!("acme/rows"),
            &json!(true),
            &json!("main"),
            &json!("completed")
        ]
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_no_repo_or_one_beside_other_words_is_refused_and_queues_nothing() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    const QUANT: &str = "https://huggingface.co/acme/quant";
    let tree = format!("{QUANT}/tree/dev");
    let file = format!("{QUANT}/blob/main/config.json");
    for (words, said) in [
        (
            &["add", "https://huggingface.co/spaces/acme/demo"][..],
            "is no address of a model or dataset: Expected https://huggingface.co/owner/name",
        ),
        (
            &["plan", "https://huggingface.co/acme"],
            "is no address of a model or dataset",
        ),
        (
            &["plan", "ftp://huggingface.co/acme/quant"],
            "is no address of a model or dataset",
        ),
        (
            &["add", &tree, "-b", "main"],
            "The address is of the revision dev, and --revision says main",
        ),
        (
            &["add", &file, "-F", "q4_k_m"],
            "The address names files, and --filter names others",
        ),
        // What only looks like a repo is for the service to refuse.
        (&["add", "https://huggingface.co/a%20b/n"], "Invalid repo format"),
    ] {
        let (code, out, why) = run(&service, words).await;
        assert_eq!((code, out.as_str()), (9, ""), "{words:?}: {why}");
        assert!(why.contains(said), "{words:?}: {why}");
    }
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    // The same revision twice is no quarrel.
    let (code, _, why) = run(&service, &["plan", &tree, "-b", "dev"]).await;
    assert_eq!(code, 0, "{why}");
    service.stop().await;
}
