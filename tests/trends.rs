//! Memory and errors of the last day.

use serde_json::json;

use crate::support::depot::eventually;
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_sampled_and_failures_are_counted_by_their_code() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/quick").lfs("model.gguf", Content::generated(100_000, 2)));
    let service = Service::start(&hub.endpoint()).await;
    let trends = async || {
        let (status, answer) = service.get("/api/system/trends").await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    // The first sample is taken at the start, where the system tells how much memory there is.
    #[cfg(target_os = "linux")]
    eventually(async || trends().await["memory"][0]["bytes"].as_i64() > Some(1 << 20)).await;
    let quiet = trends().await;
    assert_eq!(quiet["errors"], json!([]), "{quiet}");
    assert_eq!(quiet["errorsSince"], quiet["startedAt"]);
    for repo in ["acme/absent", "acme/nowhere"] {
        let id = service.submit(repo).await;
        service.until_status(&id, "failed").await;
    }
    let id = service.submit("acme/quick").await;
    service.until_status(&id, "completed").await;
    let told = trends().await;
    // One moment, however long the answer takes; and the same one in both places that tell it.
    let (_, about) = service.get("/api/system/about").await;
    for answer in [&told, &about] {
        assert_eq!(answer["startedAt"], quiet["startedAt"], "{answer}");
    }
    let expected = json!([{"code": "repo_not_found", "failures": 2, "retries": 0}]);
    assert_eq!(told["errors"], expected, "{told}");
    service.stop().await;
}
