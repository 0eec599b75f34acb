//! `hfdepot analyze`.

use serde_json::json;

use super::{document, run};
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_is_shown_with_its_choices_and_the_command_that_fetches_the_best() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quant")
            .file("config.json", "{}")
            .lfs("m.Q4_K_M.gguf", Content::generated(5120, 1))
            .lfs("m.Q8_0.gguf", Content::generated(9000, 2)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let (code, text, why) = run(&service, &["analyze", "acme/quant"]).await;
    assert_eq!(code, 0, "{why}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("acme/quant  GGUF quantized model"), "{text}");
    assert!(lines[1].starts_with("3 files, 13.8 KiB  main "), "{text}");
    let best = lines
        .iter()
        .find(|line| line.starts_with('*'))
        .expect("a best one");
    assert!(
        best.contains("Q4_K_M") && best.contains("5.0 KiB") && best.contains("★★★★☆"),
        "{text}"
    );
    // The last line does what it says.
    let command: Vec<&str> = lines.last().expect("a line").split(' ').collect();
    assert_eq!(command[..3], ["hfdepot", "add", "acme/quant"], "{text}");
    let (code, queued, _) = run(&service, &[&command[1..], &["--wait", "--json"]].concat()).await;
    let job = document(&queued);
    assert_eq!((code, &job["progress"]["totalBytes"]), (0, &json!(5122)), "{job}");

    let (_, report, _) = run(&service, &["analyze", "acme/quant", "--json", "--model"]).await;
    let (_, answer) = service.get("/api/analyze/acme/quant?dataset=false").await;
    assert_eq!(document(&report)["selectable_items"], answer["selectable_items"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_two_repos_is_asked_back_and_one_that_means_none_has_its_code() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/twin").file("config.json", "{}"));
    hub.add(Repo::dataset("acme/twin").file("a.csv", "a,b\n"));
    let service = Service::start(&hub.endpoint()).await;
    let (code, out, why) = run(&service, &["analyze", "acme/twin"]).await;
    assert_eq!((code, out.as_str()), (9, ""), "{why}");
    assert!(why.contains("--model or --dataset"), "{why}");
    let (code, out, _) = run(&service, &["analyze", "acme/twin", "--json"]).await;
    assert_eq!((code, &document(&out)["needsSelection"]), (9, &json!(true)));
    let (code, out, _) = run(&service, &["analyze", "acme/twin", "--dataset"]).await;
    assert!(code == 0 && out.contains("HuggingFace dataset"), "{out}");
    let (code, _, why) = run(&service, &["analyze", "acme/absent"]).await;
    assert!(code == 8 && why.contains("repository not found"), "{why}");
    let (code, _, why) = run(&service, &["analyze", "../settings"]).await;
    assert!(code == 9 && why.contains("Invalid repo format"), "{why}");
    let (code, _, _) = run(&service, &["analyze", "acme/twin", "--model", "--dataset"]).await;
    assert_eq!(code, 2);
    service.stop().await;
}
