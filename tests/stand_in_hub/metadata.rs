//! Trees, lists and names come in the shapes real clients parse.

use super::*;

#[tokio::test]
async fn the_tree_lists_all_that_is_there_in_pages_with_absolute_links() {
    let (hub, sha) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let whole = visitor
        .json("/api/models/acme/tiny/tree/main?recursive=true")
        .await;
    assert_eq!(whole.as_array().unwrap().len(), 6, "{whole}");
    let weights_entry = whole
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["path"] == "model.safetensors")
        .unwrap();
    assert_eq!(weights_entry["lfs"]["oid"], sha256_hex(&weights()));
    assert!(weights_entry.get("xetHash").is_none());
    hub.fault(Fault::on("*/tree/*", FaultKind::PageSize { entries: 2 }));
    let mut next = format!(
        "{}/api/models/acme/tiny/tree/{sha}?recursive=true",
        hub.endpoint()
    );
    let mut paged = Vec::new();
    while !next.is_empty() {
        let page = visitor.client.get(&next).send().await.unwrap();
        let link = header(&page, "link").to_owned();
        next = link.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        assert!(next.is_empty() || next.starts_with(&hub.endpoint()), "{next}");
        paged.extend(page.json::<Vec<Value>>().await.unwrap());
    }
    assert_eq!(Value::Array(paged), whole);
    let flat = visitor.json("/api/models/acme/tiny/tree/main/sub").await;
    assert_eq!(flat[0]["path"], "sub/sp ace#1 %é.txt");
    for (form, start) in [
        (LinkForm::Relative, "</api/"),
        (LinkForm::Foreign, &format!("<{}", hub.cdn_endpoint())),
    ] {
        hub.fault(Fault::on("*/tree/*", FaultKind::Link { form }).times(1));
        let page = visitor.get("/api/models/acme/tiny/tree/main").await;
        assert!(header(&page, "link").starts_with(start), "{:?}", page.headers());
    }
}

#[tokio::test]
async fn paths_refs_commits_and_size_answer_in_the_shapes_of_the_hub() {
    let (hub, sha) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let post = visitor
        .client
        .post(format!("{}/api/models/acme/tiny/paths-info/main", hub.endpoint()));
    let form = post
        .try_clone()
        .unwrap()
        .header("content-type", "application/x-www-form-urlencoded");
    let form = form
        .body("paths=config.json&paths=sub&paths=nope&expand=false")
        .send()
        .await
        .unwrap();
    let sent_as_json = post
        .json(&json!({"paths": ["config.json", "sub", "nope"]}))
        .send()
        .await
        .unwrap();
    let form: Value = form.json().await.unwrap();
    assert_eq!(form, sent_as_json.json::<Value>().await.unwrap());
    assert_eq!(
        (&form[0]["path"], &form[1]["type"], form.get(2)),
        (&json!("config.json"), &json!("directory"), None)
    );
    let refs = visitor.json("/api/models/acme/tiny/refs?include_prs=1").await;
    assert_eq!(
        refs["branches"],
        json!([{"name": "main", "ref": "refs/heads/main", "targetCommit": sha}])
    );
    assert_eq!(refs["pullRequests"][0]["ref"], "refs/pr/1");
    let commits = visitor.json("/api/models/acme/tiny/commits/main").await;
    assert_eq!(
        (&commits[0]["id"], &commits[1]["title"]),
        (&json!(sha), &json!("Begin"))
    );
    let size = visitor.json("/api/models/acme/tiny/treesize/main/").await;
    assert_eq!(size, json!({"path": "/", "size": WEIGHTS_BYTES + 22 + 3}));
}

#[tokio::test]
async fn other_spellings_and_former_names_lead_to_the_canonical_one() {
    let (hub, _) = hub_with_tiny().await;
    hub.add(
        Repo::dataset("acme/rows")
            .renamed_from("old/rows")
            .renamed_from("rows")
            .file("a", "a"),
    );
    let visitor = Visitor::of(&hub);
    let cases = [
        (
            "/api/models/ACME/Tiny/tree/main?recursive=true",
            "/api/models/acme/tiny/tree/main?recursive=true",
        ),
        (
            "/Acme/tiny/resolve/main/config.json",
            "/acme/tiny/resolve/main/config.json",
        ),
        ("/api/datasets/old/rows", "/api/datasets/acme/rows"),
        (
            "/api/datasets/rows/tree/main",
            "/api/datasets/acme/rows/tree/main",
        ),
        (
            "/datasets/rows/resolve/main/a",
            "/datasets/acme/rows/resolve/main/a",
        ),
    ];
    for (asked, canonical) in cases {
        let response = visitor.get(asked).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "location")),
            (307, canonical)
        );
    }
}

#[tokio::test]
async fn search_filters_sorts_and_pages() {
    let hub = Hub::start().await;
    for (id, downloads, tag) in [
        ("acme/one", 5, "gguf"),
        ("acme/two", 50, "gguf"),
        ("zeta/three", 500, "other"),
    ] {
        hub.add(
            Repo::model(id)
                .file("a", "a")
                .field("downloads", json!(downloads))
                .field("tags", json!([tag])),
        );
    }
    hub.add(Repo::model("acme/hidden").private().file("a", "a"));
    let visitor = Visitor::of(&hub);
    let ids = |list: Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        ids(visitor.json("/api/models?sort=downloads").await),
        ["zeta/three", "acme/two", "acme/one"]
    );
    assert_eq!(
        ids(visitor
            .json("/api/models?filter=gguf&author=acme&sort=downloads")
            .await),
        ["acme/two", "acme/one"]
    );
    assert_eq!(
        ids(visitor.json("/api/models?search=THREE").await),
        ["zeta/three"]
    );
    let page = visitor.get("/api/models?sort=downloads&limit=2").await;
    let next = header(&page, "link").split(['<', '>']).nth(1).unwrap().to_owned();
    let rest: Value = visitor
        .client
        .get(next)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ids(rest), ["acme/one"]);
}
