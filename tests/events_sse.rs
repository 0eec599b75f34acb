//! The live feed as server-sent events.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::service::{DEADLINE, NOWHERE, Service};

/// A client that reads events.
struct Events {
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    async fn open(service: &Service, query: &str, last: Option<&str>) -> Self {
        let url = format!("http://{}/api/events{query}", service.address);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(url);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: Box::pin(response.bytes_stream()),
            text: String::new(),
        }
    }

    /// The next event: id, name, data.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                let data = field("data:");
                if !data.is_empty() {
                    return (
                        field("id:"),
                        field("event:"),
                        serde_json::from_str(&data).unwrap(),
                    );
                }
                continue;
            }
            let chunk = tokio::time::timeout(DEADLINE, self.stream.next()).await;
            let chunk = chunk.expect("in time").expect("open").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn until(&mut self, mut wanted: impl FnMut(&str, &Value) -> bool) -> (String, Value) {
        loop {
            let (id, name, data) = self.next().await;
            if wanted(&name, &data) {
                return (id, data);
            }
        }
    }
}

async fn queue(service: &Service, repo: &str) {
    let body = json!({"repo": repo, "notBefore": "2999-01-01T00:00:00Z"});
    assert_eq!(service.post("/api/download", body).await.0, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_gets_what_it_missed_and_a_new_one_everything() {
    let service = Service::start(NOWHERE).await;
    queue(&service, "o/before").await;
    let mut events = Events::open(&service, "", None).await;
    let (_, name, init) = events.next().await;
    assert_eq!((name.as_str(), &init["type"]), ("init", &json!("init")));
    assert_eq!(init["data"]["jobs"][0]["repo"], "o/before");
    queue(&service, "o/seen").await;
    let (id, _) = events
        .until(|name, data| name == "job_update" && data["data"]["repo"] == "o/seen")
        .await;
    drop(events);
    queue(&service, "o/missed").await;
    let mut back = Events::open(&service, "", Some(&id)).await;
    let mut first = true;
    back.until(|name, data| {
        assert!(name != "init" || !first, "it goes on where it was");
        first = false;
        name == "job_update" && data["data"]["repo"] == "o/missed"
    })
    .await;
    let mut stranger = Events::open(&service, "", Some("00000000-1")).await;
    assert_eq!(stranger.next().await.1, "init", "another boot of the service");
    let mut mirrors = Events::open(&service, "?kind=mirror", None).await;
    assert_eq!(mirrors.next().await.2["data"]["jobsTotal"], 0);
    service.stop().await;
}
