//! `POST /api/plan` for many downloads, and what every plan says beyond its files.

use serde_json::{Value, json};

use crate::support::hub::{Content, Fault, Hub, Repo};
use crate::support::service::Service;

/// Two quantisations that share a configuration; one of them is flagged.
fn quantized() -> Repo {
    Repo::model("acme/quant")
        .file("config.json", "{}")
        .lfs("sub/model.Q4_K_M.gguf", Content::generated(5000, 1))
        .lfs("sub/model.Q8_0.gguf", Content::generated(9000, 2))
        .security("sub/model.Q8_0.gguf", "unsafe")
}

/// Requests that count against the Hub's windows; the bodies of git files have one of their own.
fn counted(hub: &Hub) -> usize {
    let counts = |bucket: &str| bucket == "api" || bucket == "resolvers";
    let entries = hub.log().entries();
    entries.iter().filter(|entry| counts(&entry.bucket)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_has_a_plan_or_an_error_of_its_own_in_its_place() {
    let hub = Hub::start().await;
    hub.add(quantized());
    hub.add(Repo::dataset("acme/data").lfs("a.parquet", Content::generated(700, 3)));
    hub.add(Repo::model("acme/broken").file("x", "x"));
    hub.fault(Fault::status("acme/broken", 500));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    let body = json!({"repos": [
        {"repo": "acme/broken"},
        {"repo": "acme/quant", "filters": ["q4_k_m"]},
        {"repo": "acme/none"},
        7,
        {"repo": "nonsense"},
        {"repo": "acme/quant", "filters": ["q2_k"]},
        {"repo": "acme/quant"},
        {"repo": "acme/data", "dataset": true},
    ]});
    let (status, answer) = service.post("/api/plan", body).await;
    assert_eq!(status, 200, "{answer}");
    let plans = answer["plans"].as_array().expect("a list");
    let said: Vec<_> = plans
        .iter()
        .map(|line| {
            let reason = line["reason"].as_str().unwrap_or("-");
            (line["repo"].as_str().unwrap(), line["ok"] == true, reason)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("acme/broken", false, "server_error"),
            ("acme/quant", true, "-"),
            ("acme/none", false, "repo_not_found"),
            ("", false, "bad_request"),
            ("nonsense", false, "bad_request"),
            ("acme/quant", true, "-"),
            ("acme/quant", true, "-"),
            ("acme/data", true, "-"),
        ]
    );
    assert_eq!(plans[2]["error"], "Failed to scan repository");
    assert!(plans[2]["hint"].is_string() && plans[2]["details"].is_string());
    assert_eq!(
        (&plans[4]["error"], &plans[4]["details"]),
        (&json!("Invalid repo format"), &json!("Expected owner/name"))
    );
    assert_eq!(plans[5]["plan"]["totalFiles"], 0);
    // A plan is the same alone and among others.
    let (_, alone) = service
        .post("/api/plan", json!({"repo": "acme/quant", "filters": ["q4_k_m"]}))
        .await;
    assert_eq!(alone["files"], plans[1]["plan"]["files"]);

    let totals = &answer["totals"];
    assert_eq!(
        (&totals["totalFiles"], &totals["totalSize"]),
        (&json!(6), &json!(5002 + 14_002 + 700))
    );
    // The configuration and the smaller quantisation stand in two plans and would be fetched once.
    assert_eq!(totals["fetchBytes"], 14_002 + 700);
    let requests: u64 = plans
        .iter()
        .filter_map(|line| line["plan"]["requests"].as_u64())
        .sum();
    assert_eq!((totals["requests"].as_u64(), requests), (Some(4 + 5 + 3), 12));
    assert_eq!(totals["fits"], true);
    let figure = |name: &str| totals[name].as_i64().expect(name);
    assert_eq!(
        figure("freeAfterBytes"),
        figure("freeBytes") - figure("reservedBytes") - figure("fetchBytes")
    );
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_fit_one_by_one_may_not_fit_together() {
    let hub = Hub::start().await;
    hub.add(quantized());
    let service = Service::start(&hub.endpoint()).await;
    let (_, small) = service.post("/api/plan", json!({"repo": "acme/quant"})).await;
    let free = small["freeBytes"].as_u64().expect("free bytes");
    for (repo, digit) in [("acme/one", "a"), ("acme/two", "b")] {
        // Only listed, never made.
        let huge = Content::generated(free / 10 * 6, 1).stating_sha256(&digit.repeat(64));
        hub.add(Repo::model(repo).lfs("model.bin", huge));
    }
    let body = json!({"repos": [{"repo": "acme/one"}, {"repo": "acme/two"}]});
    let (status, answer) = service.post("/api/plan", body).await;
    assert_eq!(status, 200, "{answer}");
    for line in answer["plans"].as_array().expect("a list") {
        assert_eq!(line["plan"]["fits"], true, "{line}");
        assert!(
            line["plan"]["freeAfterBytes"]
                .as_i64()
                .is_some_and(|left| left > 0),
            "{line}"
        );
    }
    let totals = &answer["totals"];
    assert_eq!(totals["fits"], false, "{totals}");
    assert!(
        totals["freeAfterBytes"].as_i64().is_some_and(|left| left < 0),
        "{totals}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_lines_or_with_too_many_is_refused() {
    let service = Service::start(crate::support::service::NOWHERE).await;
    let many: Vec<Value> = (0..201).map(|n| json!({"repo": format!("o/n{n}")})).collect();
    for (repos, details) in [
        (json!([]), "1 to 200 downloads, not 0"),
        (json!(many), "1 to 200 downloads, not 201"),
        (json!("o/n"), "must be a list"),
        (json!({"repo": "o/n"}), "must be a list"),
    ] {
        let (status, body) = service.post("/api/plan", json!({"repos": repos})).await;
        assert_eq!((status, &body["error"]), (400, &json!("Invalid request body")));
        assert!(body["details"].as_str().unwrap().contains(details), "{body}");
    }
    // None is as good as missing.
    let (status, body) = service.post("/api/plan", json!({"repos": null})).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("Missing required field: repo"))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_a_plan_are_those_that_its_download_makes() {
    let hub = Hub::start().await;
    hub.add(quantized());
    let service = Service::start(&hub.endpoint()).await;
    let (_, plan) = service.post("/api/plan", json!({"repo": "acme/quant"})).await;
    assert_eq!(
        plan["requestsRemaining"],
        Value::Null,
        "no file was asked for yet"
    );
    let before = counted(&hub);
    let id = service.submit("acme/quant").await;
    service.until_status(&id, "completed").await;
    assert_eq!(plan["requests"], counted(&hub) - before);
    // Now everything is here, and the Hub has told what is left.
    let (_, plan) = service.post("/api/plan", json!({"repo": "acme/quant"})).await;
    assert_eq!((&plan["requests"], &plan["fetchBytes"]), (&json!(2), &json!(0)));
    assert!(
        plan["requestsRemaining"]
            .as_u64()
            .is_some_and(|left| left < 100_000),
        "{plan}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_its_files_that_the_scanners_warn_of() {
    let hub = Hub::start().await;
    hub.add(quantized());
    let service = Service::start(&hub.endpoint()).await;
    let (status, plan) = service.post("/api/plan", json!({"repo": "acme/quant"})).await;
    assert_eq!(status, 200, "{plan}");
    let flagged = plan["unsafeFiles"].as_array().expect("a list");
    assert_eq!(flagged.len(), 1, "{plan}");
    assert_eq!(
        (&flagged[0]["path"], &flagged[0]["status"]),
        (&json!("sub/model.Q8_0.gguf"), &json!("unsafe"))
    );
    assert_eq!(
        plan["warning"],
        "The Hub's scanners warn of sub/model.Q8_0.gguf (unsafe)"
    );
    // What is not fetched is nothing to warn of.
    let body = json!({"repo": "acme/quant", "filters": ["q4_k_m"]});
    let (_, plan) = service.post("/api/plan", body).await;
    assert_eq!((&plan["unsafeFiles"], &plan["warning"]), (&json!([]), &json!("")));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_does_not_fail_with_the_scanners() {
    let hub = Hub::start().await;
    let commit = hub.add(quantized());
    // The plan asks for the branch, the verdict is asked for the commit.
    hub.fault(Fault::status(
        &format!("/api/models/acme/quant/revision/{commit}"),
        500,
    ));
    let service = Service::start_with(&["--endpoint", &hub.endpoint(), "--retries", "0"]).await;
    let (status, plan) = service.post("/api/plan", json!({"repo": "acme/quant"})).await;
    assert_eq!((status, &plan["totalFiles"]), (200, &json!(3)), "{plan}");
    assert_eq!(plan["unsafeFiles"], json!([]));
    assert!(
        plan["warning"].as_str().unwrap().contains("does not say"),
        "{plan}"
    );
    service.stop().await;
}
