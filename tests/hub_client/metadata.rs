//! Resolving and listing.

use std::time::Duration;

use hfdepot::hub::{Bucket, Class};
use hfdepot::model::code::Code;
use hfdepot::model::repo::{RepoType, Revision};
use serde_json::json;

use super::stub::{COMMIT, SHA256, Stub, TOKEN, answer, assert_clean, client, commit, id, json};

const OID: &str = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a";

fn entry(path: &str) -> serde_json::Value {
    json!({"type": "file", "oid": OID, "size": 1, "path": path})
}

#[tokio::test]
async fn a_revision_is_resolved_over_a_rename_with_the_token() {
    let hub = Stub::start(|asked| match asked.target.as_str() {
        "/api/datasets/acme/tiny/revision/refs%2Fpr%2F1" => answer(
            307,
            &[("location", "/api/datasets/Acme/Tiny2/revision/refs%2Fpr%2F1")],
            "",
        ),
        _ => json(json!({"id": "Acme/Tiny2", "sha": COMMIT, "gated": "manual", "private": null, "x": {}})),
    })
    .await;
    let revision: Revision = "refs/pr/1".parse().unwrap();
    let resolved = client(&hub)
        .resolve(RepoType::Dataset, &id(), &revision)
        .await
        .unwrap();
    assert_eq!(resolved.commit, commit());
    assert_eq!(resolved.id.as_str(), "Acme/Tiny2");
    assert!(resolved.gated && !resolved.private);
    for asked in hub.asked() {
        assert_eq!(
            asked.header("authorization"),
            Some(format!("Bearer {TOKEN}").as_str())
        );
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        assert!(asked.header("user-agent").unwrap().starts_with("hfdepot/"));
    }
    assert_eq!(hub.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_good_commit_is_refused() {
    for (sha, class) in [
        (json!(null), Class::Transient),
        (json!("../../x"), Class::Transient),
        (json!("b".repeat(40)), Class::Permanent),
    ] {
        let hub = Stub::start(move |_| json(json!({"id": "acme/tiny", "sha": sha}))).await;
        let asked: Revision = COMMIT.parse().unwrap();
        let error = client(&hub)
            .resolve(RepoType::Model, &id(), &asked)
            .await
            .unwrap_err();
        assert_eq!((error.class, error.code), (class, Code::BadResponse), "{error}");
    }
}

#[tokio::test]
async fn a_listing_is_read_over_all_its_pages() {
    let hub = Stub::start(|asked| {
        let (page, next) = match asked.target.split_once("cursor=").map(|(_, cursor)| cursor) {
            None => (
                "a",
                Some(format!(
                    "http://{}/api/models/acme/tiny/tree/{COMMIT}?cursor=2",
                    asked.header("host").unwrap()
                )),
            ),
            // A mirror that leaks links of the Hub itself.
            Some("2") => (
                "b",
                Some(format!(
                    "https://huggingface.co/api/models/acme/tiny/tree/{COMMIT}?cursor=3"
                )),
            ),
            Some("3") => ("c", Some("?cursor=4".to_owned())),
            Some(_) => ("../d", None),
        };
        let body =
            json!([entry(page), {"type": "directory", "path": "x", "oid": OID, "size": 0}]).to_string();
        match next {
            Some(next) => answer(200, &[("link", &format!("<{next}>; rel=\"next\""))], body),
            None => answer(200, &[], body),
        }
    })
    .await;
    let tree = client(&hub)
        .tree(RepoType::Model, &id(), &commit())
        .await
        .unwrap();
    let names: Vec<_> = tree.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(tree.bad[0].path, "../d");
    assert_eq!(hub.asked().len(), 4);
    assert!(hub.targets()[0].ends_with(&format!("/tree/{COMMIT}?recursive=true&expand=false")));
}

#[tokio::test]
async fn a_listing_that_leads_away_or_in_a_circle_is_refused() {
    for link in [
        "<https://evil.example/x>; rel=\"next\"",
        "<?recursive=true&expand=false>; rel=\"next\"",
    ] {
        let hub = Stub::start(move |_| answer(200, &[("link", link)], "[]")).await;
        let error = client(&hub)
            .tree(RepoType::Model, &id(), &commit())
            .await
            .unwrap_err();
        assert_eq!(
            (error.class, error.code),
            (Class::Permanent, Code::BadResponse),
            "{error}"
        );
        assert_eq!(hub.asked().len(), 1);
        assert_clean(&error);
    }
}

#[tokio::test]
async fn a_mirror_without_a_tree_route_is_listed_through_its_siblings() {
    let hub = Stub::start(|asked| match asked.target.contains("/tree/") {
        true => answer(404, &[], "Not Found"),
        false => json(json!({"sha": COMMIT, "siblings": [
            {"rfilename": "config.json", "blobId": OID, "size": 154},
            {"rfilename": "model.bin", "size": 9, "lfs": {"sha256": SHA256, "size": 9, "pointerSize": 126}},
        ]})),
    })
    .await;
    let tree = client(&hub)
        .tree(RepoType::Model, &id(), &commit())
        .await
        .unwrap();
    assert_eq!((tree.files.len(), tree.bad.len()), (2, 0));
    assert_eq!(tree.files[1].blob_id.to_string(), SHA256);
    assert!(hub.targets()[1].ends_with(&format!("/revision/{COMMIT}?blobs=true")));
}

#[tokio::test]
async fn a_listing_the_hub_itself_denies_is_not_asked_elsewhere() {
    let hub = Stub::start(|_| answer(404, &[("x-error-code", "RevisionNotFound")], "Invalid rev id")).await;
    let error = client(&hub)
        .tree(RepoType::Model, &id(), &commit())
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::RevisionNotFound);
    assert_eq!(hub.asked().len(), 1);
}

#[tokio::test]
async fn what_is_not_the_hubs_json_is_refused_with_a_reason() {
    let big = format!("[{}]", " ".repeat(33 * 1024 * 1024));
    for (headers, body, class, word) in [
        (
            vec![("content-type", "text/html; charset=utf-8")],
            "{}".to_owned(),
            Class::Transient,
            "captive portal",
        ),
        (
            vec![],
            "\n<!DOCTYPE html>".to_owned(),
            Class::Transient,
            "captive portal",
        ),
        (
            vec![("content-encoding", "gzip")],
            "[]".to_owned(),
            Class::Transient,
            "encoded",
        ),
        (vec![], "{\"sha\":".to_owned(), Class::Transient, "cannot be read"),
        (vec![], big, Class::Permanent, "longer than"),
    ] {
        let hub = Stub::start(move |_| answer(200, &headers, body.clone())).await;
        let error = client(&hub)
            .tree(RepoType::Model, &id(), &commit())
            .await
            .unwrap_err();
        assert_eq!((error.class, error.code), (class, Code::BadResponse), "{error}");
        assert!(error.message.contains(word), "{error}");
        assert_clean(&error);
    }
}

#[tokio::test]
async fn more_entries_than_any_repo_has_are_refused() {
    let hub = Stub::start(|_| answer(200, &[], format!("[{}1]", "1,".repeat(500_000)))).await;
    let error = client(&hub)
        .tree(RepoType::Model, &id(), &commit())
        .await
        .unwrap_err();
    assert!(error.message.contains("500,000 entries"), "{error}");
    assert_eq!(error.class, Class::Permanent);
}

#[tokio::test]
async fn a_429_closes_the_bucket_for_all_and_says_for_how_long() {
    let hub = Stub::start(|_| {
        answer(
            429,
            &[
                ("ratelimit", "\"api\";r=0;t=40"),
                ("ratelimit-policy", "\"fixed window\";\"api\";q=500;w=300"),
                ("x-request-id", "Root=1-abc"),
            ],
            "",
        )
    })
    .await;
    let budget = std::sync::Arc::new(hfdepot::hub::Budget::new());
    let client = hfdepot::hub::HubClient::new(super::stub::config(&hub.url), budget.clone()).unwrap();
    let error = client
        .resolve(RepoType::Model, &id(), &Revision::main())
        .await
        .unwrap_err();
    assert_eq!((error.class, error.code), (Class::Wait, Code::RateLimited));
    assert_eq!(error.retry_after, Some(Duration::from_secs(41)));
    assert_eq!(error.request_id.as_deref(), Some("Root=1-abc"));
    let state = budget.snapshot().remove(0);
    assert_eq!((state.quota, state.remaining), (Some(500), Some(0)));
    assert!(state.waiting_until.is_some());
    assert!(budget.wait(Bucket::Resolvers).is_none());
    // The next request waits, and a cancel may drop it at once.
    let (id, main) = (id(), Revision::main());
    let next = client.resolve(RepoType::Model, &id, &main);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), next)
            .await
            .is_err()
    );
    assert_eq!(hub.asked().len(), 1);
}
