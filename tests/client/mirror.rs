//! `hfdepot mirror`.

use serde_json::json;

use super::{document, run};
use crate::support::hub::{Hub, Repo};
use crate::support::service::{NOWHERE, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_registered_compared_filled_read_back_and_forgotten() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/tiny").file("README.md", "hello"));
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/tiny").await;
    service.until_status(&id, "completed").await;
    let nas = service.home().join("nas");
    let path = nas.to_str().expect("UTF-8");
    let (code, added, why) = run(&service, &["mirror", "target", "add", "nas", path]).await;
    assert_eq!((code, added.as_str()), (0, "Added target \"nas\"\n"), "{why}");
    let (_, list, _) = run(&service, &["mirror", "target", "ls"]).await;
    assert!(
        list.starts_with("nas  mounted  ") && list.trim_end().ends_with(path),
        "{list}"
    );

    let (code, diff, _) = run(&service, &["mirror", "diff", "nas", "--exit-code"]).await;
    assert_eq!(code, 11, "{diff}");
    // A copy takes the saved listing along, so it has more than the bytes of the files.
    let (_, answer) = service.post("/api/mirror/diff", json!({"target": "nas"})).await;
    let size = answer["diffs"][0]["sizeHuman"]
        .as_str()
        .expect("a size")
        .to_owned();
    assert_eq!(
        diff,
        format!("missing  model  acme/tiny  {size}\n1 missing, 0 outdated, 0 extra, 0 in sync\n")
    );
    let (code, would, _) = run(&service, &["mirror", "push", "nas", "--dry-run"]).await;
    assert_eq!(
        (code, would.as_str()),
        (0, format!("Would copy 1 repo ({size})\n").as_str())
    );
    let (code, copied, _) = run(
        &service,
        &["mirror", "push", "nas", "--wait", "--verify", "sha256"],
    )
    .await;
    assert_eq!(
        (code, copied.as_str()),
        (0, format!("Copied 1 repo ({size})\n").as_str())
    );
    let (code, diff, _) = run(&service, &["mirror", "diff", "nas", "--exit-code", "--json"]).await;
    assert_eq!((code, &document(&diff)["diffs"]), (0, &json!([])));

    // And back, into an emptied cache.
    assert_eq!(service.delete("/api/cache/acme/tiny").await.0, 200);
    let (code, started, _) = run(&service, &["mirror", "pull", "nas", "--repo", "tiny", "--json"]).await;
    let started = document(&started);
    assert_eq!(code, 0, "{started}");
    let job = service
        .until_status(started["jobId"].as_str().expect("an id"), "completed")
        .await;
    assert_eq!(job["result"]["copied"], 1, "{job}");
    let (code, copied, _) = run(&service, &["mirror", "pull", "nas", "--wait", "--json"]).await;
    assert_eq!((code, &document(&copied)["result"]["copied"]), (0, &json!(0)));

    std::fs::remove_dir_all(&nas).expect("unplugged");
    let (_, list, _) = run(&service, &["mirror", "target", "ls"]).await;
    assert!(list.starts_with("nas  not mounted"), "{list}");
    let (code, _, why) = run(&service, &["mirror", "push", "nas", "--wait"]).await;
    assert_eq!(code, 9, "{why}");
    let (code, removed, _) = run(&service, &["mirror", "target", "rm", "nas"]).await;
    assert_eq!((code, removed.as_str()), (0, "Removed target \"nas\"\n"));
    for words in [&["mirror", "target", "rm", "nas"][..], &["mirror", "diff", "nas"]] {
        let (code, _, why) = run(&service, words).await;
        assert!(code == 8 && why.contains("Target not found"), "{words:?}: {why}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_set_shown_paused_and_taken_away() {
    let service = Service::start(NOWHERE).await;
    let nas = service.home().join("nas");
    run(
        &service,
        &["mirror", "target", "add", "nas", nas.to_str().expect("UTF-8")],
    )
    .await;
    let set = async |words: &[&str]| {
        let words = [&["mirror", "target", "schedule", "nas"], words].concat();
        run(&service, &words).await
    };
    let (code, told, why) = set(&[
        "--at",
        "02:30",
        "--day",
        "sun",
        "--day",
        "mon",
        "--time-zone",
        "UTC",
        "--verify",
        "sha256",
    ])
    .await;
    assert!(
        code == 0 && told.starts_with("next 20") && told.contains("T02:30:00.000Z"),
        "{told}{why}"
    );
    let (_, list, _) = run(&service, &["mirror", "target", "ls"]).await;
    assert!(list.contains("T02:30:00.000Z"), "{list}");
    assert_eq!(set(&["--pause"]).await.1, "paused\n");
    assert!(set(&["--resume"]).await.1.starts_with("next 20"));
    assert_eq!(set(&["--off"]).await.1, "runs only when somebody asks\n");
    let (code, _, why) = set(&["--at", "25:00"]).await;
    assert!(code == 9 && why.contains("time of day"), "{why}");
    assert_eq!(set(&["--day", "mon"]).await.0, 2);
    assert_eq!(set(&[]).await.0, 2);
    service.stop().await;
}
