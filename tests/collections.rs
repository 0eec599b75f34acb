//! Collections of the Hub: what is in one, which an owner has, and all of one downloaded.

use serde_json::{Value, json};

use crate::client::{document, run};
use crate::support::hub::{Collection, Content, Fault, Hub, Repo, TOKEN, TOKEN_WITHOUT_GRANTS};
use crate::support::service::Service;

const SLUG: &str = "acme/small-models-64f0a1b2c3d4e5f6a7b8c9d0";

async fn stocked() -> Hub {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/one").lfs("m.gguf", Content::generated(5000, 1)));
    hub.add(Repo::model("other/two").file("config.json", "{}").gated("auto"));
    hub.add(Repo::model("acme/hidden").file("config.json", "{}").private());
    hub.add(Repo::dataset("acme/rows").file("a.csv", "a\n1\n"));
    hub.collect(
        Collection::new(SLUG, "Small models")
            .item("model", "acme/one")
            .item("paper", "2401.00001")
            .item("dataset", "acme/rows")
            .item("space", "acme/demo")
            .item("model", "acme/one")
            .item("model", "acme/hidden")
            .item("model", "other/two"),
    );
    hub.collect(
        Collection::new("acme/secret-74f0a1b2c3d4e5f6a7b8c9d0", "Secret")
            .item("model", "acme/hidden")
            .private(),
    );
    hub.collect(
        Collection::new("acme/papers-84f0a1b2c3d4e5f6a7b8c9d0", "Papers").item("paper", "2401.00002"),
    );
    hub
}

fn repos(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    items.iter().filter_map(|item| item["repo"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_what_can_be_downloaded_and_what_is_left_out() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/one").await;
    service.until_status(&id, "completed").await;
    let (status, answer) = service.get(&format!("/api/collections/{SLUG}")).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["items"],
        json!([
            {"repo": "acme/one", "dataset": false, "gated": false, "private": false, "cached": true},
            {"repo": "acme/rows", "dataset": true, "gated": false, "private": false, "cached": false},
            {"repo": "other/two", "dataset": false, "gated": "auto", "private": false, "cached": false},
        ])
    );
    assert_eq!(
        answer["leftOut"],
        json!([{"type": "paper", "name": "On 2401.00001"}, {"type": "space", "name": "On acme/demo"}])
    );
    assert_eq!(
        (&answer["id"], &answer["title"], &answer["private"]),
        (&json!(SLUG), &json!("Small models"), &json!(false))
    );
    assert_eq!(answer["lastUpdated"], "2026-03-04T05:06:07.000Z");
    // An old address, from before it got its name.
    let (status, renamed) = service
        .get("/api/collections/acme/other-words-64f0a1b2c3d4e5f6a7b8c9d0")
        .await;
    assert_eq!((status, &renamed["id"]), (200, &json!(SLUG)));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_private_missing_or_misspelt_is_refused_in_words() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    for slug in ["acme/secret-74f0a1b2c3d4e5f6a7b8c9d0", "acme/none"] {
        let (status, answer) = service.get(&format!("/api/collections/{slug}")).await;
        assert_eq!((status, &answer["error"]), (404, &json!("Collection not found")));
        let details = answer["details"].as_str().expect("details");
        assert!(
            details.starts_with(&format!(
                "The collection {slug} is missing or private, or needs a token"
            )),
            "{details}"
        );
        assert_eq!(answer["error_detail"]["reason"], "repo_not_found");
        let hint = answer["error_detail"]["hint"].as_str().expect("a hint");
        assert!(hint.contains("address of the collection"), "{hint}");
    }
    let (status, answer) = service.get("/api/collections/acme/..%2f..%2fmodels").await;
    assert_eq!((status, &answer["error"]), (400, &json!("Invalid collection")));
    let (status, _) = service
        .post("/api/settings", json!({"token": TOKEN_WITHOUT_GRANTS}))
        .await;
    assert_eq!(status, 200);
    let secret = "/api/collections/acme/secret-74f0a1b2c3d4e5f6a7b8c9d0";
    let (status, answer) = service.get(secret).await;
    assert!(
        answer["details"]
            .as_str()
            .is_some_and(|text| text.contains("or the token may not see it")),
        "{status} {answer}"
    );
    service.post("/api/settings", json!({"token": TOKEN})).await;
    let (status, answer) = service.get(secret).await;
    assert_eq!(
        (status, repos(&answer), &answer["private"]),
        (200, vec!["acme/hidden"], &json!(true))
    );
    hub.fault(Fault::status(secret, 503));
    let (status, answer) = service.get(secret).await;
    assert_eq!(
        (status, &answer["error_detail"]["reason"]),
        (502, &json!("server_error"))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collections_of_an_owner_are_listed_the_newest_first() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let (status, answer) = service.get("/api/collections?owner=acme").await;
    assert_eq!(status, 200, "{answer}");
    let list = answer["collections"].as_array().expect("a list");
    let ids: Vec<_> = list.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["acme/papers-84f0a1b2c3d4e5f6a7b8c9d0", SLUG]);
    assert_eq!(list[1]["description"], "Small models, put together");
    let (_, answer) = service.get("/api/collections?owner=acme&limit=1").await;
    assert_eq!(answer["collections"].as_array().map(Vec::len), Some(1));
    let (_, answer) = service.get("/api/collections?owner=nobody").await;
    assert_eq!(answer["collections"], json!([]));
    let (status, answer) = service.get("/api/collections").await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("Missing required field: owner"))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_collection_adds_and_plans_all_of_it_on_the_command_line() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let address = format!("https://huggingface.co/collections/{SLUG}");
    let (code, plans, why) = run(&service, &["plan", &address]).await;
    assert_eq!(code, 0, "{why}");
    assert!(
        why.contains("Left out of \"Small models\": 1 paper, 1 space"),
        "{why}"
    );
    let lines: Vec<&str> = plans.lines().collect();
    assert!(
        lines.len() == 4 && lines[0].contains("acme/one") && lines[0].contains("4.9 KiB"),
        "{plans}"
    );
    assert!(lines[3].contains("to fetch"), "{plans}");

    // The gated one fails, and holds up none of the others.
    let (code, out, why) = run(&service, &["add", &address, "--wait", "--json"]).await;
    assert_eq!(code, 10, "{why}");
    let ended: Vec<(String, String)> = out
        .lines()
        .map(|line| {
            let job = document(line);
            let text = |key: &str| job[key].as_str().expect("a text").to_owned();
            (text("repo"), text("status"))
        })
        .collect();
    let pair = |repo: &str, status: &str| (repo.to_owned(), status.to_owned());
    assert_eq!(
        ended,
        [
            pair("acme/one", "completed"),
            pair("acme/rows", "completed"),
            pair("other/two", "failed")
        ]
    );
    let (_, jobs) = service.get("/api/jobs").await;
    let datasets = jobs["jobs"].as_array().unwrap().iter();
    assert_eq!(datasets.filter(|job| job["isDataset"] == true).count(), 1);

    let (code, _, why) = run(&service, &["add", "collections/acme/none"]).await;
    assert!(code == 8 && why.contains("is missing or private"), "{why}");
    let papers = "hf.co/collections/acme/papers-84f0a1b2c3d4e5f6a7b8c9d0";
    let (code, _, why) = run(&service, &["add", papers]).await;
    assert!(code == 8 && why.contains("no model and no dataset"), "{why}");
    service.stop().await;
}
