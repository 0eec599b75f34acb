//! The choice of files as clients ask for it.

use serde_json::{Value, json};

use super::{REPO, many};
use crate::api::assert_error;
use crate::control::MIB;
use crate::support::hub::Hub;
use crate::support::service::{NOWHERE, Service};

#[tokio::test(flavor = "multi_thread")]
async fn the_api_takes_all_wishes_or_none_and_says_why() {
    let hub = Hub::start().await;
    hub.add(many(&[2, 2, 2]));
    hub.set_total_rate(Some(MIB));
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit(REPO).await;
    service.until(&id, |job| job["progress"]["totalFiles"] == 4).await;
    let path = format!("/api/jobs/{id}/files");
    let send = async |files: Value| service.patch(&path, json!({ "files": files })).await;

    let stranger = json!([{"path": "a.bin", "priority": "skip"}, {"path": "nope.bin", "priority": "skip"}]);
    assert_error(
        &send(stranger).await,
        400,
        "bad_request",
        "Invalid files",
        "nope.bin",
    );
    let (_, listed) = service.get(&path).await;
    assert!(
        listed["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["priority"] == "normal"),
        "{listed}"
    );
    for wrong in [
        json!([]),
        json!([{"priority": "skip"}]),
        json!([{"path": "a.bin", "glob": "*", "priority": "skip"}]),
        json!([{"glob": "*.gguf", "priority": "skip"}]),
        json!([{"path": "a.bin", "priority": "low"}]),
    ] {
        assert_eq!(send(wrong.clone()).await.0, 400, "{wrong}");
    }

    let (status, answer) =
        send(json!([{"glob": "*.BIN", "priority": "skip"}, {"path": "b.bin", "priority": "high"}])).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["matched"], &answer["totalFiles"], &answer["skippedFiles"]),
        (&json!(3), &json!(2), &json!(2))
    );
    let words: Vec<_> = answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (&file["path"], &file["priority"]))
        .collect();
    assert_eq!(
        words,
        [
            (&json!("a.bin"), &json!("skip")),
            (&json!("b.bin"), &json!("high")),
            (&json!("c.bin"), &json!("skip"))
        ]
    );
    assert_eq!(answer["files"][0]["status"], "skipped");
    let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(
        (&job["filesTotal"], &job["skippedFiles"]),
        (&json!(4), &json!(2)),
        "{job}"
    );
    let (_, events) = service.get(&format!("/api/jobs/{id}/events")).await;
    let chosen = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["event"] == "files_chosen")
        .expect("recorded");
    assert_eq!(chosen["detail"], "3 files: 2 left out, 1 to come first");

    hub.set_total_rate(None);
    service.until_status(&id, "completed").await;
    let late = send(json!([{"path": "a.bin", "priority": "normal"}])).await;
    const OVER: &str = "The files of a job that is over cannot be chosen";
    assert_error(&late, 409, "conflict", OVER, "The job is completed");
    let (_, history) = service.get("/api/history").await;
    let seq = history["entries"][0]["seq"].as_i64().expect("a row");
    let (_, files) = service.get(&format!("/api/history/{seq}/files")).await;
    let left_out = files["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["path"] == "a.bin")
        .expect("listed");
    assert_eq!(
        (&left_out["status"], &left_out["source"]),
        (&json!("skipped"), &json!("")),
        "{left_out}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_not_planned_has_no_files_to_choose() {
    let service = Service::start(NOWHERE).await;
    let body = json!({"repo": "o/r", "notBefore": "2999-01-01T00:00:00Z"});
    let (_, job) = service.post("/api/download", body).await;
    let id = job["id"].as_str().unwrap();
    let wish = json!({"files": [{"path": "a.bin", "priority": "skip"}]});
    let early = service
        .patch(&format!("/api/jobs/{id}/files"), wish.clone())
        .await;
    assert_error(&early, 400, "bad_request", "Invalid files", "a.bin");
    let nobody = service.patch("/api/jobs/000000000000/files", wish).await;
    assert_error(&nobody, 404, "not_found", "Job not found", "");
    service.stop().await;
}
