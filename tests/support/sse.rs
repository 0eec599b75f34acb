//! A client of server-sent events.

use futures_util::StreamExt;
use serde_json::Value;

use super::service::DEADLINE;

/// A client that reads events.
pub struct Events {
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    pub async fn open(url: &str, last: Option<&str>) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut request = client.get(url);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: Box::pin(response.bytes_stream()),
            text: String::new(),
        }
    }

    /// The next event: id, name, data.
    pub async fn next(&mut self) -> (String, String, Value) {
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
                        serde_json::from_str(&data).expect("JSON"),
                    );
                }
                continue;
            }
            let chunk = tokio::time::timeout(DEADLINE, self.stream.next()).await;
            let chunk = chunk.expect("in time").expect("open").expect("bytes");
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The first event that is wanted: id and data.
    pub async fn until(&mut self, mut wanted: impl FnMut(&str, &Value) -> bool) -> (String, Value) {
        loop {
            let (id, name, data) = self.next().await;
            if wanted(&name, &data) {
                return (id, data);
            }
        }
    }
}
