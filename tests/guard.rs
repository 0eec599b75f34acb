//! The guard in front of the routes, over real TCP: what browsers, scripts and attackers send.

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
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

/// `admin:secret`
const RIGHT: &str = "Authorization: Basic YWRtaW46c2VjcmV0";
/// `admin:wrong`
const WRONG: &str = "Authorization: Basic YWRtaW46d3Jvbmc=";
const JSON: &str = "Content-Type: application/json";

struct Server {
    address: SocketAddr,
    login: bool,
    _stop: DropGuard,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body, which must be an error in the shape of the API.
    fn error(&self) -> Value {
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

async fn start(login: bool, origins: &[&str]) -> Server {
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
    async fn raw(&self, request: &[u8]) -> Answer {
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
    async fn bare(&self, line: &str, headers: &[&str], body: &str) -> Answer {
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

    fn host(&self) -> String {
        format!("Host: {}", self.address)
    }

    /// A request with the right host.
    async fn send(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let host = self.host();
        let mut all = vec![host.as_str()];
        all.extend(headers);
        self.bare(line, &all, body).await
    }
}

/// Both kinds of service: everything but the login itself must hold for both.
async fn both() -> [Server; 2] {
    [start(false, &[]).await, start(true, &[]).await]
}

#[tokio::test]
async fn a_name_that_was_rebound_to_us_is_refused() {
    for server in both().await {
        let port = server.address.port();
        for good in [
            "127.0.0.1",
            "localhost:1",
            "nas",
            "NAS.local:8080",
            "depot.example",
            "[::1]:80",
        ] {
            let answer = server
                .bare("GET /api/read", &[&format!("Host: {good}")], "")
                .await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "read"), "{good}");
        }
        for evil in [
            format!("evil.example:{port}"),
            "localhost.evil.example".to_owned(),
            "127.0.0.1.nip.io".to_owned(),
        ] {
            for line in [
                "GET /api/read",
                "GET /",
                "DELETE /api/echo",
                "OPTIONS /api/echo",
                "GET /healthz",
            ] {
                let answer = server.bare(line, &[&format!("Host: {evil}")], "").await;
                assert_eq!(answer.status, 403, "{line} {evil}");
                assert!(
                    answer.error()["error_detail"]["hint"]
                        .as_str()
                        .unwrap()
                        .contains("--allow-host")
                );
            }
        }
    }
}

#[tokio::test]
async fn there_is_exactly_one_host() {
    for server in both().await {
        for hosts in [
            &[][..],
            &["Host: 127.0.0.1", "Host: 127.0.0.1"],
            &["Host: 127.0.0.1", "Host: evil.example"],
            &["Host:"],
            &["Host: user@127.0.0.1"],
            &["Host: 127.0.0.1/x"],
        ] {
            let answer = server.bare("GET /api/read", hosts, "").await;
            assert_eq!(answer.status, 400, "{hosts:?}");
            assert_eq!(answer.error()["error_detail"]["code"], "bad_request");
        }
    }
}

#[tokio::test]
async fn the_authority_of_an_absolute_request_line_counts_too() {
    for server in both().await {
        let own = format!("GET http://{}/api/read", server.address);
        assert_eq!(server.send(&own, &[], "").await.status, 200);
        assert_eq!(
            server
                .send("GET http://evil.example/api/read", &[], "")
                .await
                .status,
            403
        );
        assert_eq!(server.bare(&own, &["Host: evil.example"], "").await.status, 403);
    }
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    for server in both().await {
        let own = format!("Origin: http://{}", server.address);
        let own = own.as_str();
        let https = format!("Origin: https://{}", server.address);
        let https = https.as_str();
        let neighbour = format!(
            "Origin: http://127.0.0.1:{}",
            server.address.port().wrapping_add(1).max(1)
        );
        for good in [
            &[][..],
            &[own],
            &[https],
            &["Sec-Fetch-Site: same-origin", own],
            &["Sec-Fetch-Site: none"],
        ] {
            let answer = server.send("DELETE /api/echo", good, "").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "gone"), "{good:?}");
        }
        for bad in [
            &["Origin: http://evil.example"][..],
            &["Origin: null"],
            &["Origin:"],
            &[&neighbour],
            &[own, "Origin: http://evil.example"],
            &["Sec-Fetch-Site: cross-site"],
            &["Sec-Fetch-Site: same-site"],
            &["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
            &[own, "Sec-Fetch-Site: cross-site"],
        ] {
            for line in ["DELETE /api/echo", "POST /api/echo", "PATCH /nothing"] {
                let answer = server.send(line, bad, "").await;
                assert_eq!(answer.status, 403, "{line} {bad:?}");
                assert_eq!(answer.error()["error"], "Cross-origin request blocked");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
            // A WebSocket begins as a GET.
            let mut upgrade = vec!["Upgrade: websocket", "Connection: Upgrade"];
            upgrade.extend(bad);
            assert_eq!(
                server.send("GET /api/read", &upgrade, "").await.status,
                403,
                "{bad:?}"
            );
            // Reading is the browser's to keep back: it gets no permission.
            let read = server.send("GET /api/read", bad, "").await;
            assert_eq!(read.status, 200);
            if !bad.contains(&own) {
                assert_eq!(read.header("access-control-allow-origin"), None, "{bad:?}");
            }
        }
    }
}

#[tokio::test]
async fn listed_origins_may_use_the_api_and_no_others() {
    for login in [false, true] {
        let server = start(login, &["https://nas.example"]).await;
        let friend = ["Origin: https://nas.example", "Sec-Fetch-Site: cross-site"];
        let answer = server.send("DELETE /api/echo", &friend, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://nas.example")
        );
        assert_eq!(answer.header("vary"), Some("Origin"));
        for other in [
            "Origin: https://nas.example.evil",
            "Origin: http://nas.example",
            "Origin: https://nas.example:444",
        ] {
            assert_eq!(
                server.send("DELETE /api/echo", &[other], "").await.status,
                403,
                "{other}"
            );
        }
        let any = start(login, &["*"]).await;
        let answer = any
            .send("DELETE /api/echo", &["Origin: http://any.example"], "")
            .await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some("*"))
        );
        assert_eq!(
            any.send("DELETE /api/echo", &["Origin: null"], "").await.status,
            403
        );
        // It opens pages, not names.
        assert_eq!(
            any.bare("GET /api/read", &["Host: evil.example"], "")
                .await
                .status,
            403
        );
    }
}

#[tokio::test]
async fn a_preflight_is_answered_before_the_login() {
    for server in both().await {
        for path in ["/api/echo", "/api/nothing", "/"] {
            let headers = [
                "Origin: http://evil.example",
                "Access-Control-Request-Method: POST",
                "Authorization: none",
            ];
            let answer = server.send(&format!("OPTIONS {path}"), &headers, "").await;
            assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
            assert_eq!(
                answer.header("access-control-allow-methods"),
                Some("GET, POST, PUT, DELETE, OPTIONS")
            );
            assert_eq!(
                answer.header("access-control-allow-headers"),
                Some("Content-Type, Authorization")
            );
            assert_eq!(answer.header("access-control-max-age"), Some("86400"));
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        let own = format!("Origin: http://{}", server.address);
        let answer = server.send("OPTIONS /api/echo", &[&own], "").await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            own.strip_prefix("Origin: ")
        );
    }
}

#[tokio::test]
async fn with_a_login_everything_but_the_health_checks_needs_it() {
    let server = start(true, &[]).await;
    for line in [
        "GET /",
        "GET /api/read",
        "GET /api/nothing",
        "GET /metrics",
        "POST /api/echo",
        "GET /healthz/",
        "GET //healthz",
        "GET /placeholder.css",
    ] {
        for none in [
            "Authorization: ",
            "Authorization: Basic",
            "Authorization: Bearer x",
            "Authorization: Basic YWRtaW4=",
        ] {
            // A fresh server each: wrong answers cost time.
            let server = start(true, &[]).await;
            let answer = server.send(line, &[none], "").await;
            assert_eq!(answer.status, 401, "{line} {none}");
            assert!(
                answer
                    .header("www-authenticate")
                    .unwrap()
                    .starts_with("Basic realm=")
            );
            assert_eq!(answer.error()["error_detail"]["code"], "unauthorized");
        }
    }
    let raw = format!("GET / HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", server.host());
    assert_eq!(server.raw(raw.as_bytes()).await.status, 401);
    assert_eq!(server.send("GET /api/read", &[WRONG], "").await.status, 401);
    assert_eq!(
        server.send("GET /api/read", &[RIGHT, RIGHT], "").await.status,
        401
    );
    assert_eq!(server.send("GET /api/read", &[RIGHT], "").await.status, 200);
    for open in ["/healthz", "/readyz"] {
        assert_eq!(server.send(&format!("GET {open}"), &[WRONG], "").await.body, "ok");
    }
}

#[tokio::test]
async fn guessing_gets_slow_and_the_right_login_still_works() {
    let server = start(true, &[]).await;
    for _ in 0..5 {
        assert_eq!(server.send("GET /api/read", &[WRONG], "").await.status, 401);
    }
    let begun = std::time::Instant::now();
    assert_eq!(server.send("GET /api/read", &[WRONG], "").await.status, 401);
    assert!(begun.elapsed().as_millis() >= 250);
    assert_eq!(server.send("GET /api/read", &[RIGHT], "").await.status, 200);
}

#[tokio::test]
async fn a_body_is_json_and_at_most_one_mib() {
    for server in both().await {
        let ok = server
            .send(
                "POST /api/echo",
                &["Content-Type: Application/JSON; charset=utf-8"],
                "{\"n\":1,\"x\":2} trailing",
            )
            .await;
        assert_eq!((ok.status, ok.body.as_str()), (200, "1"));
        for bad in [
            &[][..],
            &["Content-Type: text/plain"],
            &["Content-Type: application/x-www-form-urlencoded"],
            &[JSON, "Content-Type: text/plain"],
            &["Content-Type: application/jsonp"],
        ] {
            let answer = server.send("POST /api/echo", bad, "{\"n\":1}").await;
            assert_eq!(answer.status, 415, "{bad:?}");
            assert_eq!(answer.error()["error_detail"]["code"], "api_error");
        }
        let chunked = server
            .send(
                "POST /api/echo",
                &[
                    "Transfer-Encoding: chunked",
                    "Content-Type: text/plain",
                    "X-End: x",
                ],
                "",
            )
            .await;
        assert_eq!(chunked.status, 415);
        for bad in ["{", "nonsense", "\u{0}"] {
            let answer = server.send("POST /api/echo", &[JSON], bad).await;
            assert_eq!(
                (answer.status, answer.error()["error"].as_str()),
                (400, Some("Invalid request body"))
            );
        }
        assert_eq!(server.send("POST /api/echo", &[], "").await.status, 400);
        let deep = "[".repeat(100_000);
        assert_eq!(server.send("POST /api/echo", &[JSON], &deep).await.status, 400);
    }
}

#[tokio::test]
async fn a_body_above_one_mib_is_413_announced_or_not() {
    for server in both().await {
        let fits = format!("{{\"n\":1,\"x\":\"{}\"}}", "x".repeat((1 << 20) - 14));
        assert_eq!(fits.len(), 1 << 20);
        assert_eq!(server.send("POST /api/echo", &[JSON], &fits).await.status, 200);
        let announced = server
            .send("POST /api/echo", &[JSON, "Content-Length: 1048577"], "")
            .await;
        assert_eq!(announced.status, 413);
        assert_eq!(announced.error()["error_detail"]["code"], "api_error");
        let login = if server.login { RIGHT } else { "X-None: x" };
        let mut request = format!(
            "POST /api/echo HTTP/1.1\r\n{}\r\n{login}\r\n{JSON}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
            server.host()
        );
        // One byte above the limit, and no end: the answer must not wait for it.
        request.push_str(&format!(
            "{:x}\r\n{}\r\n",
            (1 << 20) + 1,
            " ".repeat((1 << 20) + 1)
        ));
        assert_eq!(server.raw(request.as_bytes()).await.status, 413);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_in_json() {
    for server in both().await {
        for line in [
            "GET /api",
            "GET /api/nothing",
            "POST /api/nothing",
            "GET /api/read/",
            "GET /o/n/resolve/main/x.gguf",
            "GET /api/%2e%2e/x",
        ] {
            let answer = server.send(line, &["Accept: text/html"], "").await;
            assert_eq!(answer.status, 404, "{line}");
            assert_eq!(answer.error()["error_detail"]["code"], "not_found");
        }
        let answer = server.send("PUT /api/echo", &[], "").await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.error()["error"], "Method not allowed");
        let mut allow: Vec<&str> = answer
            .header("allow")
            .unwrap()
            .split(',')
            .map(str::trim)
            .collect();
        allow.sort_unstable();
        assert_eq!(allow, ["DELETE", "POST"]);
        let page = server.send("POST /library", &[], "").await;
        assert_eq!((page.status, page.header("allow")), (405, Some("GET, HEAD")));
        page.error();
    }
}

#[tokio::test]
async fn a_panic_is_a_500_without_its_text() {
    for server in both().await {
        let answer = server.send("GET /api/panic", &[], "").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.error()["error_detail"]["reason"], "internal");
        assert!(!answer.body.contains("hunter2"));
        assert_eq!(server.send("GET /api/read", &[], "").await.status, 200);
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for server in both().await {
        for (line, headers) in [
            ("GET /", &[][..]),
            ("GET /api/read", &[]),
            ("GET /api/nothing", &[]),
            ("GET /api/panic", &[]),
            ("OPTIONS /", &[]),
            ("POST /api/echo", &["Origin: null"]),
            ("GET /", &["Host: second"]),
            ("GET /", &["Authorization: Basic eDp5"]),
        ] {
            let answer = server.send(line, headers, "").await;
            let policy = answer.header("content-security-policy").unwrap();
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
            ] {
                assert!(policy.contains(part), "{line} {headers:?}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(answer.header("x-request-id").map(str::len), Some(16));
        }
        let answer = server.send("GET /api/read", &[], "").await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_page_is_served_at_the_root_and_for_routes_of_the_ui() {
    for server in both().await {
        for path in ["/", "/queue", "/library/models/o/n"] {
            let page = server
                .send(&format!("GET {path}"), &["Accept: text/html"], "")
                .await;
            assert_eq!(
                (page.status, page.header("content-type")),
                (200, Some("text/html; charset=utf-8")),
                "{path}"
            );
            assert!(page.body.contains("hfdepot"));
            let again = server
                .send(
                    &format!("GET {path}"),
                    &[&format!("If-None-Match: {}", page.header("etag").unwrap())],
                    "",
                )
                .await;
            assert_eq!((again.status, again.body.as_str()), (304, ""));
        }
        let head = server.send("HEAD /", &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
}
