//! The README of a repo, and the pictures in it.

use serde_json::{Value, json};

use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

/// Paths of the requests that reached the Hub.
fn asked(hub: &Hub) -> Vec<String> {
    let entries = hub.log().entries();
    entries.iter().map(|entry| entry.path.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readme_comes_out_clean_with_its_links_rewritten() {
    let hub = Hub::start().await;
    let text = "---\nlicense: mit\ntags: [x]\n---\n# Hello\n\n<script>alert(1)</script>\n\
        <img src=x onerror=alert(1)>\n\n[bad](javascript:alert(1)) [doc](docs/a.md)\n\n![pic](pic.png) ![out](https://evil.example/p.png)\n";
    let commit = hub.add(Repo::model("acme/card").file("README.md", text).tag("v1"));
    hub.add(Repo::dataset("acme/card").lfs("README.md", format!("# Large\n{}", "x ".repeat(800 << 9))));
    hub.add(Repo::model("acme/bare").file("config.json", "{}"));
    hub.add(Repo::model("acme/shut").file("README.md", "# x").gated("auto"));
    let service = Service::start(&hub.endpoint()).await;
    let (status, card) = service.get("/api/readme/acme/card?revision=v1").await;
    assert_eq!(status, 200, "{card}");
    for key in ["repo", "revision", "path", "markdown", "baseRawURL", "html"] {
        assert!(card[key].is_string(), "{key}: {card}");
    }
    let endpoint = hub.endpoint();
    assert_eq!(card["baseRawURL"], format!("{endpoint}/acme/card/raw/{commit}/"));
    assert!(card["markdown"].as_str().unwrap().starts_with("# Hello"));
    let html = card["html"].as_str().unwrap();
    for part in [
        "<script",
        "onerror",
        "javascript:",
        "alert",
        " src=",
        "license: mit",
    ] {
        assert!(!html.contains(part), "{part}: {html}");
    }
    let link = format!("href=\"{endpoint}/acme/card/blob/{commit}/docs/a.md\"");
    assert!(html.contains("<h1>Hello</h1>") && html.contains(&link), "{html}");
    assert!(html.contains("data-asset=\"/api/readme-asset?url="), "{html}");
    assert!(html.contains("<a href=\"https://evil.example/p.png\""), "{html}");

    let (status, large) = service.get("/api/readme/acme/card?dataset=true").await;
    assert_eq!((status, &large["truncated"]), (200, &json!(true)));
    assert_eq!(large["markdown"].as_str().unwrap().len(), 768 << 10);
    for (path, status, error) in [
        ("acme/bare", 404, "README not found"),
        ("acme/absent", 404, "README cannot be fetched"),
        ("acme/shut", 403, "README cannot be fetched"),
        ("x", 400, "Invalid repo format"),
    ] {
        let (got, body) = service.get(&format!("/api/readme/{path}")).await;
        assert_eq!((got, &body["error"]), (status, &json!(error)), "{path}: {body}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pictures_of_the_endpoint_are_passed_on() {
    let hub = Hub::start().await;
    let png = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 100]].concat();
    hub.add(
        Repo::model("acme/art")
            .file("pic.png", png.clone())
            .lfs("large.png", png.clone())
            .file(
                "evil.svg",
                "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
            )
            .file("fake.png", "<html><script>alert(1)</script>")
            .lfs("huge.png", Content::generated(33 << 20, 1)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let endpoint = hub.endpoint();
    let get = |url: String| {
        let address = format!("http://{}/api/readme-asset", service.address);
        let request = client.get(address).query(&[("url", url)]);
        async { request.send().await.unwrap() }
    };
    for name in ["pic.png", "large.png"] {
        let answer = get(format!("{endpoint}/acme/art/resolve/main/{name}")).await;
        assert_eq!(answer.status(), 200, "{name}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "image/png");
        assert_eq!(header("cache-control"), "private, max-age=3600");
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(answer.bytes().await.unwrap(), png);
    }
    let port = endpoint.rsplit_once(':').unwrap().1.to_owned();
    hub.log().clear();
    for (url, status, error) in [
        (String::new(), 400, "Missing url"),
        ("pic.png".to_owned(), 400, "Invalid url"),
        ("file:///etc/passwd".to_owned(), 400, "Invalid url"),
        ("data:image/png;base64,AAAA".to_owned(), 400, "Invalid url"),
        (
            "https://evil.example/x.png".to_owned(),
            403,
            "Asset host not allowed",
        ),
        (hub.cdn_endpoint(), 403, "Asset host not allowed"),
        (
            format!("http://u:p@127.0.0.1:{port}/x.png"),
            403,
            "Asset host not allowed",
        ),
        (
            format!("http://127.0.0.1:{port}@evil.example/x"),
            403,
            "Asset host not allowed",
        ),
    ] {
        let answer = get(url.clone()).await;
        assert_eq!(answer.status(), status, "{url}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], error, "{url}");
    }
    assert!(asked(&hub).is_empty(), "{:?}", asked(&hub));
    for (name, status) in [
        ("evil.svg", 415),
        ("fake.png", 415),
        ("huge.png", 502),
        ("absent.png", 404),
    ] {
        let answer = get(format!("{endpoint}/acme/art/resolve/main/{name}")).await;
        assert_eq!(answer.status(), status, "{name}");
        assert!(!answer.text().await.unwrap().contains("alert"), "{name}");
    }
    service.stop().await;
}
