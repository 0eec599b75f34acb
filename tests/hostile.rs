//! Trees that no honest repo has: nothing is written outside the cache, and the failure names the entry.

use hfdepot::model::code::Code;
use hfdepot::model::state::JobStatus;
use serde_json::{Value, json};

use crate::faults::impatient;
use crate::support::depot::{Depot, names, request};
use crate::support::hub::{Hub, Repo};

/// Everything below a folder, as paths.
fn everything(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() && !path.is_symlink() {
            found.extend(everything(&path));
        }
        found.push(path);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_trees_write_nothing_and_the_failure_names_the_entry() {
    let oid = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a";
    let entry = |path: &str| json!({"type": "file", "path": path, "size": 3, "oid": oid});
    let lfs = |oid: &str| {
        json!({"type": "file", "path": "evil.bin", "size": 3, "oid": "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a",
            "lfs": {"oid": oid, "size": 3, "pointerSize": 100}})
    };
    let long = "x".repeat(5_000);
    let cases: Vec<(Value, Code, &str)> = vec![
        (entry("../evil"), Code::UnsafePath, "../evil"),
        (entry("a/../../evil"), Code::UnsafePath, "evil"),
        (entry("/tmp/evil"), Code::UnsafePath, "/tmp/evil"),
        (entry("a\\..\\evil"), Code::UnsafePath, "evil"),
        (entry("C:/evil"), Code::UnsafePath, "C:/evil"),
        (entry("nul\0evil"), Code::UnsafePath, "evil"),
        (entry("new\nevil"), Code::UnsafePath, "evil"),
        (entry(".git/hooks/evil"), Code::UnsafePath, "evil"),
        (entry("CONFIG.json"), Code::PathCollision, "CONFIG.json"),
        (entry("config.json/evil"), Code::UnsafePath, "config.json/evil"),
        (entry(&long), Code::UnsafePath, "xxxx"),
        (lfs("../../../../etc/evil"), Code::UnsafePath, "evil.bin"),
        (lfs(""), Code::UnsafePath, "evil.bin"),
        (
            json!({"type": "file", "path": "evil.bin", "size": 3, "oid": "../evil"}),
            Code::UnsafePath,
            "evil.bin",
        ),
        (
            json!({"type": "file", "path": "evil.bin", "size": -3, "oid": oid}),
            Code::UnsafePath,
            "evil.bin",
        ),
        (
            json!({"type": "symlink", "path": "evil.bin", "size": 3, "oid": oid}),
            Code::UnsafePath,
            "evil.bin",
        ),
    ];
    let hub = Hub::start().await;
    let depot = Depot::start_with(impatient(&hub)).await;
    for (index, (entry, code, name)) in cases.into_iter().enumerate() {
        let repo = format!("acme/evil-{index}");
        hub.add(Repo::model(&repo).file("config.json", "{}").raw_entry(entry));
        let id = depot.submit(&request(&repo)).await;
        let job = depot.until_status(&id, JobStatus::Failed).await;
        assert_eq!(job.error_code, Some(code), "{name:?}: {}", job.error);
        assert!(job.error.contains(name), "{name:?}: {}", job.error);
        assert!(
            job.error.len() < 600,
            "a sentence, not a page: {}",
            job.error.len()
        );
    }
    let written: Vec<_> = everything(depot.data_dir())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("evil"))
        .filter(|path| !path.starts_with(depot.hub_cache()) || path.ends_with("evil"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
    assert!(!std::path::Path::new("/tmp/evil").exists());
    depot.stop().await;
}
