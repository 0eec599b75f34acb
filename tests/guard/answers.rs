//! What comes back: bodies that are refused, errors in JSON, headers, the page.

use super::edge::{JSON, RIGHT, both};

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
