//! `hfdepot cache`.

use std::path::PathBuf;

use serde_json::json;

use super::{document, run};
use crate::support::hub::{Hub, Repo};
use crate::support::service::Service;

const GGUF: usize = 4096;

/// A service with `acme/tiny` in its cache, that may export to the folder `out`.
async fn stocked(hub: &Hub) -> Service {
    hub.add(
        Repo::model("acme/tiny")
            .file("README.md", "hello")
            .lfs("m-Q4_K_M.gguf", vec![4u8; GGUF]),
    );
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    let out = out.to_str().expect("UTF-8").to_owned();
    let service = Service::start_in(dir, &["--endpoint", &hub.endpoint(), "--export-dir", &out]).await;
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
    service
}

/// The content of the weights.
fn blob(service: &Service) -> PathBuf {
    let folder = service.home().join(".cache/huggingface/hub/models--acme--tiny");
    let links = std::fs::read_dir(folder.join("snapshots")).expect("a folder");
    let snapshot = links.flatten().next().expect("a snapshot").path();
    std::fs::canonicalize(snapshot.join("m-Q4_K_M.gguf")).expect("a content")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_listed_shown_exported_and_emptied() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (code, list, why) = run(&service, &["cache", "ls", "--fresh"]).await;
    assert_eq!(code, 0, "{why}");
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("acme/tiny  4.0 KiB  complete"), "{list}");
    assert!(
        lines[1].starts_with("1 models, 0 datasets, 4.0 KiB in /"),
        "{list}"
    );
    let (_, list, _) = run(&service, &["cache", "ls", "--type", "dataset", "--json"]).await;
    assert_eq!(document(&list)["count"], 0);
    let (_, shown, _) = run(&service, &["cache", "show", "acme/tiny"]).await;
    assert!(
        shown.contains("4.0 KiB  m-Q4_K_M.gguf") && shown.contains("  main\n"),
        "{shown}"
    );

    let words = [
        "cache",
        "export",
        "acme/tiny",
        "models/tiny",
        "--mode",
        "copy",
        "-F",
        "q4_k_m",
    ];
    let (code, out, _) = run(&service, &[&words[..], &["--wait"]].concat()).await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.starts_with("2 files, 4.0 KiB in /") && out.contains("2 copied"),
        "{out}"
    );
    let there = service.home().join("out/models/tiny/m-Q4_K_M.gguf");
    assert_eq!(std::fs::read(there).expect("a file"), vec![4u8; GGUF]);
    let (code, out, _) = run(&service, &[&words[..], &["--wait", "--json"]].concat()).await;
    let job = document(&out);
    assert_eq!(
        (code, &job["kind"], &job["result"]["unchanged"]),
        (0, &json!("export"), &json!(2))
    );

    let (code, built, _) = run(&service, &["cache", "rebuild", "--clean"]).await;
    assert_eq!(
        (code, built.as_str()),
        (0, "1 repos: 2 links created, 0 updated, 0 removed\n")
    );

    let (code, would, _) = run(&service, &["cache", "rm", "acme/tiny", "-n"]).await;
    assert!(
        code == 0 && would.starts_with("Would delete acme/tiny"),
        "{would}"
    );
    assert!(blob(&service).exists());
    let (code, gone, _) = run(&service, &["cache", "rm", "acme/tiny"]).await;
    assert_eq!(
        (code, gone.as_str()),
        (
            0,
            "Deleted acme/tiny from cache: 2 files, frees 4.0 KiB, keeps 0 B\n"
        )
    );
    for verb in ["show", "rm"] {
        let (code, _, why) = run(&service, &["cache", verb, "acme/tiny"]).await;
        assert!(
            code == 8 && why.contains("Repository not found in cache"),
            "{verb}: {why}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_by_its_code_whether_all_is_well_and_a_repair_mends_it() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (code, report, _) = run(&service, &["cache", "verify", "--wait"]).await;
    assert_eq!(code, 0, "{report}");
    assert!(
        report.ends_with("2 right, 0 bad, 0 missing, 0 unknown\n"),
        "{report}"
    );
    let path = blob(&service);
    let times = path.metadata().expect("a file").modified().expect("a time");
    std::fs::write(&path, vec![5u8; GGUF]).expect("rotten");
    let file = std::fs::File::options().write(true).open(&path).expect("a file");
    file.set_modified(times).expect("a time");
    let (code, report, _) = run(&service, &["cache", "verify", "acme/tiny", "--wait"]).await;
    assert_eq!(code, 11, "{report}");
    assert!(report.contains("bad  acme/tiny  m-Q4_K_M.gguf  "), "{report}");
    let (code, check, _) = run(&service, &["cache", "verify", "acme/tiny", "--wait", "--json"]).await;
    let check = document(&check);
    assert_eq!((code, &check["result"]["badCount"]), (11, &json!(1)));

    let (code, queued, _) = run(
        &service,
        &["cache", "repair", check["id"].as_str().expect("an id")],
    )
    .await;
    assert_eq!(code, 0, "{queued}");
    assert!(
        queued.ends_with("1 files to fetch again, in 1 downloads\n"),
        "{queued}"
    );
    let id = queued.split(' ').next().expect("an id");
    service.until_status(id, "completed").await;
    let (code, report, _) = run(&service, &["cache", "verify", "--wait", "--mode", "sha256"]).await;
    assert_eq!(code, 0, "{report}");
    let (code, started, _) = run(&service, &["cache", "verify", "--idle"]).await;
    assert!(code == 0 && started.contains("  verify  "), "{started}");
    let (code, _, why) = run(&service, &["cache", "verify", "acme/absent"]).await;
    assert_eq!(code, 8, "{why}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_shows_first_and_removes_when_it_is_told_to() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let rest = blob(&service).with_file_name("abc.incomplete");
    std::fs::write(&rest, "12345").expect("a file");
    let words = [
        "cache",
        "prune",
        "--older-than-days",
        "0",
        "--what",
        "incomplete,orphans",
    ];
    let (code, shown, _) = run(&service, &words).await;
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("5 B  incomplete  models--acme--tiny/blobs/abc.incomplete"),
        "{shown}"
    );
    assert!(
        shown.ends_with("1 things, 5 B; --apply removes them\n"),
        "{shown}"
    );
    assert!(rest.exists());
    let (_, done, _) = run(&service, &[&words[..], &["--apply"]].concat()).await;
    assert!(done.ends_with("1 things removed, 5 B freed\n"), "{done}");
    assert!(!rest.exists());
    let (code, _, why) = run(&service, &["cache", "prune", "--what", "everything"]).await;
    assert_eq!(code, 9, "{why}");
    service.stop().await;
}
