//! A small router behind the guard, and a client that sends exactly the bytes it is told to.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::{get, post};
use hfdepot::config::{Login, Secret};
use hfdepot::http::auth::Gate;
use hfdepot::http::body::JsonBody;
use hfdepot::http::guard::GuardConfig;
use hfdepot::http::host::HostNames;
use hfdepot::http::origin::Origins;
use hfdepot::http::{error::ApiResult, finish};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// `admin:secret`
pub const RIGHT: &str = "Authorization: Basic YWRtaW46c2VjcmV0";
/// `admin:wrong`
pub const WRONG: &str = "Authorization: Basic YWRtaW46d3Jvbmc=";
pub const JSON: &str = "Content-Type: application/json";

pub struct Server {
    pub address: SocketAddr,
    pub login: bool,
    _stop: DropGuard,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body, which must be an error in the shape of the API.
    pub fn error(&self) -> Value {
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body));
        assert_eq!(body["ok"], false);
        assert_eq!(body["error"], body["error_detail"]["message"]);
        assert_eq!(
            body["error_detail"]["request_id"].as_str(),
            self.header("x-request-id")
        );
        body
    }
}

async fn echo(JsonBody(body): JsonBody<Value>) -> ApiResult<String> {
    Ok(body["n"].to_string())
}

async fn panics() -> &'static str {
    panic!("hunter2 in the text of a panic")
}

pub async fn start(login: bool, origins: &[&str]) -> Server {
    let routes = Router::new()
        .route("/api/echo", post(echo).delete(|| async { "gone" }))
        .route("/api/read", get(|| async { "read" }))
        .route("/api/panic", get(panics))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(|| async { "ok" }));
    let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let config = GuardConfig {
        hosts: HostNames::new("nas", &["depot.example".to_owned()]),
        origins: Origins::new(&origins),
        gate: login.then(|| {
            Gate::new(&Login {
                user: "admin".to_owned(),
                password: Secret::new("secret"),
            })
        }),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let app = finish(routes, config).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(
        axum::serve(listener, app)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future(),
    );
    Server {
        address,
        login,
        _stop: stop.drop_guard(),
    }
}

impl Server {
    /// Sends these bytes and reads the answer to its end.
    pub async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        // A server that refuses a long body may reset the connection behind its answer.
        while let Ok(read) = stream.read_buf(&mut bytes).await {
            if read == 0 {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// A request with exactly these headers, the right login aside when there is one.
    pub async fn bare(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        let says_login = headers.iter().any(|header| header.starts_with("Authorization"));
        for header in headers
            .iter()
            .copied()
            .chain((self.login && !says_login).then_some(RIGHT))
        {
            if !header.is_empty() {
                request.push_str(header);
                request.push_str("\r\n");
            }
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.raw(format!("{request}\r\n{body}").as_bytes()).await
    }

    pub fn host(&self) -> String {
        format!("Host: {}", self.address)
    }

    /// A request with the right host.
    pub async fn send(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let host = self.host();
        let mut all = vec![host.as_str()];
        all.extend(headers);
        self.bare(line, &all, body).await
    }
}

/// Both kinds of service: everything but the login itself must hold for both.
pub async fn both() -> [Server; 2] {
    [start(false, &[]).await, start(true, &[]).await]
}
