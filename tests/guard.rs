//! The guard in front of the routes, over real TCP: what browsers, scripts and attackers send.

mod answers;
mod edge;

use edge::{RIGHT, WRONG, both, start};

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
        // What the document of the API does not have is granted to who asks for it.
        let headers = [
            "Access-Control-Request-Method: PATCH",
            "Access-Control-Request-Headers: content-type,x-api-key",
        ];
        let answer = server.send("OPTIONS /api/echo", &headers, "").await;
        assert_eq!(
            (
                answer.header("access-control-allow-methods"),
                answer.header("access-control-allow-headers")
            ),
            (
                Some("GET, POST, PUT, DELETE, OPTIONS, PATCH"),
                Some("Content-Type, Authorization, X-Api-Key")
            )
        );
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
