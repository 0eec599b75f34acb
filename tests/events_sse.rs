//! The live feed as server-sent events.

use serde_json::json;

use crate::support::service::{NOWHERE, Service};
use crate::support::sse::Events;

async fn open(service: &Service, query: &str, last: Option<&str>) -> Events {
    Events::open(&format!("http://{}/api/events{query}", service.address), last).await
}

async fn queue(service: &Service, repo: &str) {
    let body = json!({"repo": repo, "notBefore": "2999-01-01T00:00:00Z"});
    assert_eq!(service.post("/api/download", body).await.0, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_gets_what_it_missed_and_a_new_one_everything() {
    let service = Service::start(NOWHERE).await;
    queue(&service, "o/before").await;
    let mut events = open(&service, "", None).await;
    let (_, name, init) = events.next().await;
    assert_eq!((name.as_str(), &init["type"]), ("init", &json!("init")));
    assert_eq!(init["data"]["jobs"][0]["repo"], "o/before");
    queue(&service, "o/seen").await;
    let (id, _) = events
        .until(|name, data| name == "job_update" && data["data"]["repo"] == "o/seen")
        .await;
    drop(events);
    queue(&service, "o/missed").await;
    let mut back = open(&service, "", Some(&id)).await;
    let mut first = true;
    back.until(|name, data| {
        assert!(name != "init" || !first, "it goes on where it was");
        first = false;
        name == "job_update" && data["data"]["repo"] == "o/missed"
    })
    .await;
    let mut stranger = open(&service, "", Some("00000000-1")).await;
    assert_eq!(stranger.next().await.1, "init", "another boot of the service");
    let mut mirrors = open(&service, "?kind=mirror", None).await;
    assert_eq!(mirrors.next().await.2["data"]["jobsTotal"], 0);
    service.stop().await;
}
