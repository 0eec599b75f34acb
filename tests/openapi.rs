//! The description of the API is whole, sound, and true.

use std::collections::{BTreeMap, BTreeSet};

use hfdepot::http::openapi::document;
use serde_json::Value;

use crate::support::service::{NOWHERE, Service};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Path, method and description of each operation.
fn operations() -> Vec<(String, String, Value)> {
    let paths = document()["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("a path item") {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            found.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

#[test]
fn the_document_is_openapi_3_1_with_title_version_and_logins() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "hfdepot");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let schemes: Vec<&String> = document["components"]["securitySchemes"]
        .as_object()
        .expect("schemes")
        .keys()
        .collect();
    assert_eq!(schemes, ["apiKey", "basic", "bearer"]);
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_declared_tag() {
    let tags: BTreeSet<&str> = document()["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| tag["name"].as_str().expect("a name"))
        .collect();
    let mut names = BTreeMap::new();
    for (path, method, operation) in operations() {
        let place = format!("{method} {path}");
        let name = operation["operationId"].as_str().expect("an id").to_owned();
        if let Some(other) = names.insert(name.clone(), place.clone()) {
            panic!("{name} is both {other} and {place}");
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(
            !summary.is_empty() && !summary.contains('\n'),
            "{place}: {summary:?}"
        );
        let used = operation["tags"].as_array().expect("tags");
        assert_eq!(used.len(), 1, "{place}");
        assert!(
            tags.contains(used[0].as_str().expect("a tag")),
            "{place}: {used:?}"
        );
    }
}

#[test]
fn every_path_parameter_is_described_and_every_error_has_its_shape() {
    for (path, method, operation) in operations() {
        let place = format!("{method} {path}");
        let in_path: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(in_path, described, "{place}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(
            responses.keys().any(|status| status.starts_with(['1', '2', '3'])),
            "{place}"
        );
        for status in ["400", "403", "500"] {
            assert!(responses.contains_key(status), "{place} {status}");
        }
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| *status >= &"400".to_owned())
        {
            let shaped = response.get("$ref").is_some() || response.get("content").is_some();
            assert!(shaped, "{place} {status}");
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn look(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    found.push(to.clone());
                }
                map.values().for_each(|value| look(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| look(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    look(document(), &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for to in found {
        let pointer = to.strip_prefix('#').expect("a reference into the document");
        assert!(document().pointer(pointer).is_some(), "{to}");
    }
}

#[tokio::test]
async fn the_service_hands_the_document_out_and_has_every_route_of_it() {
    let service = Service::start(NOWHERE).await;
    let (status, served) = service.get("/api/openapi.json").await;
    assert_eq!(status, 200);
    assert_eq!(&served, document());
    for (path, method, _) in operations() {
        // A stream has no end; `tests/events_sse.rs` and `tests/system_log.rs` read them.
        if path == "/api/events" || path == "/api/system/log/stream" {
            continue;
        }
        // No such thing is an answer of the route; no such path is not.
        let path = path.replace("{id}", "000000000000");
        let path = path.replace("{owner}", "o").replace("{name}", "n");
        let (status, answer) = service.send(&method, &path).await;
        assert_ne!(status, 405, "{method} {path}");
        assert_ne!(answer["error"], "Not found", "{method} {path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn every_path_answers_a_wrong_method_with_405_and_names_the_right_ones() {
    let service = Service::start(NOWHERE).await;
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, method, _) in operations() {
        let path = path.replace("{id}", "000000000000").replace("{seq}", "1");
        let path = path.replace("{owner}", "o").replace("{name}", "n");
        known.entry(path).or_default().insert(method.to_uppercase());
    }
    for (path, right) in known {
        let mut allowed = right.clone();
        if right.contains("GET") {
            allowed.insert("HEAD".to_owned());
        }
        for method in METHODS
            .map(str::to_uppercase)
            .iter()
            .chain(["TRACE".to_owned()].iter())
        {
            if right.contains(method) {
                continue;
            }
            let place = format!("{method} {path}");
            let answer = service.request(method, &path).send().await.expect("an answer");
            assert_eq!(answer.status(), 405, "{place}");
            let header = answer.headers()["allow"].to_str().expect("a text");
            let named: BTreeSet<String> = header.split(',').map(|name| name.trim().to_owned()).collect();
            assert_eq!(named, allowed, "{place}");
            let error: Value = answer.json().await.expect("JSON");
            assert_eq!(error["error"], "Method not allowed", "{place}");
            assert_eq!(error["error_detail"]["code"], "api_error", "{place}");
        }
        let preflight = service.request("OPTIONS", &path).send().await.expect("an answer");
        assert_eq!(preflight.status(), 204, "{path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn every_unknown_path_below_api_is_404_in_json_whatever_the_method() {
    let service = Service::start(NOWHERE).await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/job",
        "/api/jobs/",
        "/api/download/x",
        "/api/health/",
    ] {
        for method in METHODS {
            let answer = service.send(method, path).await;
            assert_eq!(
                (answer.0, &answer.1["error"]),
                (404, &Value::from("Not found")),
                "{method} {path}"
            );
            assert_eq!(answer.1["error_detail"]["code"], "not_found");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn a_repo_in_a_path_that_leads_elsewhere_is_refused_by_every_route() {
    let service = Service::start(NOWHERE).await;
    for id in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fo/n",
        "o/n%2f..%2fx",
        "o/n%00",
        "o/n%0a",
        "o%5c..%5cx/n",
        "-o/n",
        ".o/n",
        "o/n%252e%252e%252fx",
        "o/n/x",
    ] {
        for (method, path) in [
            ("get", "/api/analyze"),
            ("get", "/api/readme"),
            ("get", "/api/cache"),
            ("delete", "/api/cache"),
        ] {
            let (status, answer) = service.send(method, &format!("{path}/{id}")).await;
            assert_eq!(status, 400, "{method} {path}/{id}: {answer}");
            let expected = match method {
                "delete" => "Invalid repository ID format",
                _ => "Invalid repo format",
            };
            assert_eq!(answer["error"], expected, "{method} {path}/{id}");
        }
    }
    service.stop().await;
}

#[test]
fn no_route_is_registered_past_the_document() {
    let source = include_str!("../src/http/mod.rs");
    assert!(source.contains(".routes(routes!("));
    for past in [".route(", ".route_service(", ".nest_service("] {
        assert!(
            !source.contains(past),
            "{past} serves what the document does not have"
        );
    }
}

#[tokio::test]
async fn the_reference_page_loads_everything_from_here_by_relative_addresses() {
    let service = Service::start(NOWHERE).await;
    let base = format!("http://{}/", service.address);
    let fetch = |path: &str| {
        let url = format!("{base}{path}");
        async move { reqwest::get(url).await.expect("an answer") }
    };
    // The client follows the redirect, as a browser would.
    let page = fetch("api/docs").await;
    assert_eq!(page.url().path(), "/api/docs/");
    let policy = page.headers()["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let page = page.text().await.expect("a page");
    assert!(!page.contains("<style") && !page.contains("onload="), "{page}");
    let mut files = 0;
    for tag in page
        .split('<')
        .filter(|tag| tag.starts_with("script") || tag.starts_with("link"))
    {
        let address = tag
            .split_once("src=\"")
            .or(tag.split_once("href=\""))
            .expect("no inline script")
            .1;
        let address = address.split('"').next().expect("a quote");
        assert!(!address.contains(':') && !address.starts_with('/'), "{address}");
        let file = fetch(&format!("api/docs/{address}")).await;
        assert_eq!(file.status(), 200, "{address}");
        files += 1;
    }
    assert!(files >= 4, "{page}");
    let start = fetch("api/docs/swagger-initializer.js")
        .await
        .text()
        .await
        .expect("a script");
    assert!(start.contains("\"../openapi.json\""), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    assert!(!start.contains("http:") && !start.contains("https:"), "{start}");
    service.stop().await;
}

#[tokio::test]
async fn an_error_is_a_problem_of_rfc_9457_when_it_is_asked_for() {
    let service = Service::start(NOWHERE).await;
    let ask = |accept: &'static str| {
        let request = service.request("POST", "/api/download").header("accept", accept);
        let request = request.header("content-type", "application/json");
        service.answer(request.body(r#"{"repo": "no slash"}"#))
    };
    let (status, problem) = ask("application/problem+json, application/json;q=0.5").await;
    assert_eq!(status, 400);
    assert_eq!(problem["type"], "urn:hfdepot:problem:bad_request");
    assert_eq!(problem["title"], "Invalid repo format");
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["detail"], "Expected owner/name");
    assert_eq!(problem["instance"], "/api/download");
    assert_eq!(problem["code"], "bad_request");
    assert_eq!(problem["errors"][0]["detail"], "Expected owner/name");
    assert!(
        problem["hint"].is_string() && problem["request_id"].is_string(),
        "{problem}"
    );
    for plain in ["*/*", "application/json, application/problem+json"] {
        let (status, error) = ask(plain).await;
        assert_eq!((status, &error["ok"]), (400, &Value::Bool(false)), "{plain}");
    }
    let unknown = service
        .request("GET", "/api/nowhere")
        .header("accept", "application/problem+json");
    let (status, problem) = service.answer(unknown).await;
    assert_eq!((status, &problem["type"]), (404, &Value::from("about:blank")));
    service.stop().await;
}
