//! The stand-in Hub keeps its own promises: without these, a green test of hfdepot means little.

use std::time::Duration;

use http::StatusCode;
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::support::hub::{
    Content, Fault, FaultKind, Hop, Hub, Kind, LinkForm, Repo, TOKEN, TOKEN_WITHOUT_GRANTS, ThrottleForm,
    sha256_hex,
};

mod faults;
mod metadata;

/// Far longer than anything here takes; reached only when something is broken.
const LIMIT: Duration = Duration::from_secs(20);
const WEIGHTS: &str = "acme/tiny/model.safetensors";
const WEIGHTS_BYTES: u64 = 3_000_000;

fn client() -> Client {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

fn tiny() -> Repo {
    Repo::model("acme/tiny")
        .file("config.json", &br#"{"model_type":"llama"}"#[..])
        .commit("Begin")
        .tag("v1")
        .lfs("model.safetensors", Content::generated(WEIGHTS_BYTES, 7))
        .file("sub/sp ace#1 %é.txt", "odd")
        .file("empty.txt", "")
        .lfs("empty.bin", "")
        .reference("refs/pr/1")
}

async fn hub_with_tiny() -> (Hub, String) {
    let hub = Hub::start().await;
    let sha = hub.add(tiny());
    (hub, sha)
}

/// What a test does with URLs: paths are appended to the Hub's endpoint.
struct Visitor {
    client: Client,
    endpoint: String,
}

impl Visitor {
    fn of(hub: &Hub) -> Self {
        Self {
            client: client(),
            endpoint: hub.endpoint(),
        }
    }

    async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.endpoint))
            .send()
            .await
            .unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn with_token(&self, path: &str, token: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.endpoint))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }

    /// Resolves an LFS file of `acme/tiny` and gives the signed link.
    async fn signed(&self, file: &str) -> String {
        header(
            &self.get(&format!("/acme/tiny/resolve/main/{file}")).await,
            "location",
        )
        .to_owned()
    }

    async fn range(&self, url: &str, range: &str) -> Response {
        self.client.get(url).header("range", range).send().await.unwrap()
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn weights() -> bytes::Bytes {
    Content::generated(WEIGHTS_BYTES, 7).to_bytes().unwrap()
}

#[tokio::test]
async fn a_git_file_is_redirected_to_a_relative_place_and_served_with_its_git_id() {
    let (hub, sha) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let hop = visitor.get("/acme/tiny/resolve/main/config.json").await;
    assert_eq!(hop.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header(&hop, "x-repo-commit"), sha);
    assert_eq!(
        header(&hop, "x-linked-etag"),
        "\"0972e95c1405cc1507c19dcbe784f7a36c930907\""
    );
    assert!(header(&hop, "ratelimit").starts_with("\"resolvers\";r="));
    let place = header(&hop, "location").to_owned();
    assert!(place.starts_with(&format!("/api/resolve-cache/models/acme/tiny/{sha}/config.json?")));
    let file = visitor.get(&place).await;
    assert_eq!(file.status(), StatusCode::OK);
    assert_eq!(header(&file, "etag"), header(&hop, "x-linked-etag"));
    assert_eq!(file.content_length(), Some(22));
    assert_eq!(file.bytes().await.unwrap(), &br#"{"model_type":"llama"}"#[..]);
}

#[tokio::test]
async fn an_lfs_file_is_redirected_to_another_origin_that_shows_another_hash() {
    let (hub, sha) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let hop = visitor.get("/acme/tiny/resolve/main/model.safetensors").await;
    assert_eq!(hop.status(), StatusCode::FOUND);
    assert_eq!(header(&hop, "x-repo-commit"), sha);
    assert_eq!(header(&hop, "x-linked-size"), "3000000");
    let identity = sha256_hex(&weights());
    assert_eq!(header(&hop, "x-linked-etag"), format!("\"{identity}\""));
    let link = header(&hop, "location").to_owned();
    assert!(
        link.starts_with(&hub.cdn_endpoint()) && link.contains("&Signature="),
        "{link}"
    );
    let file = visitor.client.get(&link).send().await.unwrap();
    assert_ne!(header(&file, "etag"), format!("\"{identity}\""));
    assert_eq!(header(&file, "x-repo-commit"), "");
    assert_eq!(file.bytes().await.unwrap(), weights());
    assert_eq!(hub.log().bytes_sent(WEIGHTS), WEIGHTS_BYTES);
}

#[tokio::test]
async fn ranges_are_served_clamped_refused_and_counted_when_repeated() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let link = visitor.signed("model.safetensors").await;
    let cases = [
        ("bytes=0-999", "bytes 0-999/3000000"),
        ("bytes=2999990-4000000", "bytes 2999990-2999999/3000000"),
        ("bytes=-5", "bytes 2999995-2999999/3000000"),
        ("bytes=500-1499", "bytes 500-1499/3000000"),
    ];
    for (range, expected) in cases {
        let part = visitor.range(&link, range).await;
        assert_eq!(
            (part.status(), header(&part, "content-range")),
            (StatusCode::PARTIAL_CONTENT, expected)
        );
        let (from, to) = expected[6..].split_once('/').unwrap().0.split_once('-').unwrap();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        assert_eq!(part.bytes().await.unwrap(), weights().slice(from..to + 1));
    }
    let beyond = visitor.range(&link, "bytes=3000000-").await;
    assert_eq!(
        (beyond.status(), header(&beyond, "content-range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */3000000")
    );
    let empty = visitor
        .range(&visitor.signed("empty.bin").await, "bytes=0-")
        .await;
    assert_eq!(empty.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(hub.log().ranges(WEIGHTS).len(), cases.len());
    assert_eq!(hub.log().bytes_twice(), 500 + 5);
}

#[tokio::test]
async fn a_signed_link_ends_after_its_uses_its_seconds_or_on_demand() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let status = async |link: &str| visitor.range(link, "bytes=0-0").await.status();
    hub.fault(
        Fault::on(
            WEIGHTS,
            FaultKind::SignedUrl {
                seconds: None,
                uses: Some(1),
            },
        )
        .times(1),
    );
    let once = visitor.signed("model.safetensors").await;
    assert_eq!(status(&once).await, StatusCode::PARTIAL_CONTENT);
    assert_eq!(status(&once).await, StatusCode::FORBIDDEN);
    hub.fault(
        Fault::on(
            WEIGHTS,
            FaultKind::SignedUrl {
                seconds: Some(0),
                uses: None,
            },
        )
        .times(1),
    );
    assert_eq!(
        status(&visitor.signed("model.safetensors").await).await,
        StatusCode::FORBIDDEN
    );
    let lasting = visitor.signed("model.safetensors").await;
    assert_eq!(status(&lasting).await, StatusCode::PARTIAL_CONTENT);
    hub.expire_signed_urls();
    assert_eq!(status(&lasting).await, StatusCode::FORBIDDEN);
    assert_eq!(
        status(&format!("{}/made-up", hub.cdn_endpoint())).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn every_spelling_of_a_revision_finds_its_commit_and_its_file() {
    let (hub, sha) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let old = hub.commit("acme/tiny", "v1");
    let spellings = [
        ("main", &sha),
        ("v1", &old),
        (&sha[..7], &sha),
        ("refs%2Fpr%2F1", &sha),
        ("refs/pr/1", &sha),
    ];
    for (revision, expected) in spellings {
        let info = visitor
            .json(&format!("/api/models/acme/tiny/revision/{revision}"))
            .await;
        assert_eq!(info["sha"], expected.as_str(), "{revision}");
        let hop = visitor
            .get(&format!("/acme/tiny/resolve/{revision}/config.json"))
            .await;
        assert_eq!(header(&hop, "x-repo-commit"), expected, "{revision}");
    }
    let odd = visitor
        .get("/acme/tiny/resolve/main/sub/sp%20ace%231%20%25%C3%A9.txt")
        .await;
    let odd = visitor.get(header(&odd, "location")).await;
    assert_eq!(odd.bytes().await.unwrap(), "odd");
    let raw = visitor
        .get("/acme/tiny/raw/main/model.safetensors")
        .await
        .text()
        .await
        .unwrap();
    assert!(raw.ends_with(&format!("oid sha256:{}\nsize 3000000\n", sha256_hex(&weights()))));
}

#[tokio::test]
async fn errors_carry_the_codes_of_the_hub() {
    let (hub, sha) = hub_with_tiny().await;
    hub.add(Repo::model("acme/secret").private().file("a", "a"));
    hub.add(Repo::model("acme/gated").gated("manual").file("a", "a"));
    hub.add(Repo::model("acme/closed").disabled().file("a", "a"));
    let visitor = Visitor::of(&hub);
    let told = |response: &Response| {
        (
            response.status().as_u16(),
            header(response, "x-error-code").to_owned(),
        )
    };
    let expect = |status: u16, code: &str| (status, code.to_owned());
    for path in [
        "/api/models/acme/nope",
        "/acme/nope/resolve/main/a",
        "/api/models/acme/secret",
    ] {
        assert_eq!(told(&visitor.get(path).await), expect(401, ""), "{path}");
        let known = visitor.with_token(path, TOKEN_WITHOUT_GRANTS).await;
        assert_eq!(told(&known), expect(404, "RepoNotFound"), "{path}");
    }
    assert_eq!(
        told(&visitor.with_token("/api/models/acme/tiny", "hf_wrong").await),
        expect(401, "")
    );
    assert_eq!(
        told(&visitor.with_token("/api/models/acme/secret", TOKEN).await),
        expect(200, "")
    );
    assert_eq!(
        visitor.get("/api/models/acme/gated/tree/main").await.status(),
        StatusCode::OK
    );
    let locked = "/acme/gated/resolve/main/a";
    assert_eq!(told(&visitor.get(locked).await), expect(401, "GatedRepo"));
    assert_eq!(
        told(&visitor.with_token(locked, TOKEN_WITHOUT_GRANTS).await),
        expect(403, "GatedRepo")
    );
    assert_eq!(told(&visitor.with_token(locked, TOKEN).await), expect(307, ""));
    let closed = visitor.get("/acme/closed/resolve/main/a").await;
    assert_eq!(
        (closed.status(), header(&closed, "x-error-message")),
        (StatusCode::FORBIDDEN, "Access to this resource is disabled.")
    );
    assert_eq!(
        told(&visitor.get("/acme/tiny/resolve/nope/a").await),
        expect(404, "RevisionNotFound")
    );
    let absent = visitor.get("/acme/tiny/resolve/main/nope").await;
    assert_eq!(
        (told(&absent), header(&absent, "x-repo-commit")),
        (expect(404, "EntryNotFound"), sha.as_str())
    );
    assert_eq!(
        told(&visitor.get("/api/models/acme/tiny/tree/main/nope").await),
        expect(404, "EntryNotFound")
    );
    assert_eq!(told(&visitor.get("/api/whoami-v2").await), expect(401, ""));
}
