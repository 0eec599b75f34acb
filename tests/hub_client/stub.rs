//! A server whose answers a test writes as one function, and which remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::response::Response;
use hfdepot::hub::{Budget, HubClient, HubConfig, HubError, ProxyConfig, RemoteFile, Secret};
use hfdepot::model::plan::RepoFile;
use hfdepot::model::repo::{Commit, RepoId, RepoType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// The token of every test; nothing but the endpoint may ever see it.
pub const TOKEN: &str = "hf_thisIsTheSecretTokenOfTheTests0001";
/// The commit of every test.
pub const COMMIT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1";
/// Hash of the file of every test; nothing is hashed here.
pub const SHA256: &str = "6555e0636e96d582be43f40b3e8b590de4609b7732580471b15a77f2c6c20279";

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// The request target: path and query, or the whole URL at a proxy.
    pub target: String,
    pub headers: HeaderMap,
    /// The connection it came over.
    pub peer: SocketAddr,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The server. It ends with the runtime of its test.
pub struct Stub {
    pub url: Url,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Starts a server that answers with `answer`.
    pub async fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&log));
        let app = Router::new().fallback(
            move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                let asked = Asked {
                    method: request.method().to_string(),
                    target: request.uri().to_string(),
                    headers: request.headers().clone(),
                    peer,
                };
                seen.lock().unwrap().push(asked.clone());
                let response = answer(&asked);
                async move { response }
            },
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
                .await
                .unwrap()
        });
        Self {
            url: Url::parse(&url).unwrap(),
            log,
        }
    }

    /// A server that writes `answer` as it stands to every connection and hangs up.
    pub async fn raw(answer: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            log: Arc::default(),
        }
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// Targets of all requests so far.
    pub fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }
}

/// An answer with these headers.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

/// A JSON answer.
pub fn json(value: serde_json::Value) -> Response {
    answer(200, &[("content-type", "application/json")], value.to_string())
}

/// The right answer to the request for bytes of `content`.
pub fn bytes_of(content: &[u8], asked: &Asked) -> Response {
    let Some((start, last)) = asked.header("range").and_then(|range| {
        let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((start.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
    }) else {
        return answer(200, &[], content.to_vec());
    };
    let range = format!("bytes {start}-{last}/{}", content.len());
    answer(206, &[("content-range", &range)], content[start..=last].to_vec())
}

/// Settings that make no test wait.
pub fn config(endpoint: &Url) -> HubConfig {
    HubConfig {
        endpoint: endpoint.clone(),
        token: Some(Secret::new(TOKEN)),
        proxy: ProxyConfig {
            no_env_proxy: true,
            ..ProxyConfig::default()
        },
        stall_timeout: Some(Duration::from_secs(20)),
        ..HubConfig::default()
    }
}

/// A client of `stub`.
pub fn client(stub: &Stub) -> HubClient {
    HubClient::new(config(&stub.url), Arc::new(Budget::new())).unwrap()
}

/// The repo of every test.
pub fn id() -> RepoId {
    "acme/tiny".parse().unwrap()
}

/// The commit of every test.
pub fn commit() -> Commit {
    COMMIT.parse().unwrap()
}

/// A file of `size` bytes with a name that needs encoding.
pub fn file_of(client: &HubClient, size: u64) -> RemoteFile {
    let file = RepoFile {
        path: "sub/mo del#1.bin".parse().unwrap(),
        size_bytes: size,
        blob_id: SHA256.parse().unwrap(),
        git_oid: "bd4b445edb86cf75c021d68586e3215b0a83aa88".to_owned(),
        xet_hash: None,
    };
    client.file(RepoType::Model, &id(), &commit(), &file)
}

/// Opens a range and reads it to its end.
pub async fn read(file: &RemoteFile, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>, HubError> {
    let mut body = file.open(range).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        assert!(!piece.is_empty());
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// What must never be in a text for people or logs.
pub fn assert_clean(error: &HubError) {
    let text = format!("{error:?} {error}");
    for secret in [TOKEN, "Signature", "?"] {
        assert!(!text.contains(secret), "{text}");
    }
}
