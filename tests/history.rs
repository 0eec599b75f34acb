//! The history as its readers use it: filters, pages, downloads, files, days, the command line.

use std::process::Command;

use hfdepot::clock::now_ms;
use hfdepot::store::{Change, HistoryQuery, JobProgress, Outcome};
use serde_json::{Value, json};

use crate::support::base::{Base, failed};
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

/// A service with history of three jobs: completed, failed, cancelled. In this order.
async fn lived() -> (Service, Hub, [String; 3]) {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quick")
            .file("config.json", "{}")
            .lfs("model, \"q\" 4.gguf", Content::generated(100_000, 2)),
    );
    let service = Service::start(&hub.endpoint()).await;
    let body = json!({"repo": "acme/quick", "filters": ["=cmd|calc", "q"], "excludes": ["+x"]});
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!(status, 202, "{job}");
    let done = job["id"].as_str().unwrap().to_owned();
    service.until_status(&done, "completed").await;
    let failed = service.submit("acme/absent").await;
    service.until_status(&failed, "failed").await;
    let late = json!({"repo": "acme/quick", "revision": "later", "notBefore": "2999-01-01T00:00:00Z"});
    let (_, job) = service.post("/api/download", late).await;
    let cancelled = job["id"].as_str().unwrap().to_owned();
    assert_eq!(service.delete(&format!("/api/jobs/{cancelled}")).await.0, 200);
    (service, hub, [done, failed, cancelled])
}

async fn ids(service: &Service, query: &str) -> Vec<String> {
    let (status, answer) = service.get(&format!("/api/history?{query}")).await;
    assert_eq!(status, 200, "{query}: {answer}");
    let entries = answer["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_pages_and_downloads_show_exactly_what_was_asked() {
    let (service, _hub, [done, failed, cancelled]) = lived().await;
    let all = [cancelled.clone(), failed.clone(), done.clone()];
    assert_eq!(ids(&service, "").await, all);
    assert_eq!(ids(&service, "status=failed,cancelled").await, all[..2]);
    assert_eq!(ids(&service, "actor=127.0.0.1").await, all[..1]);
    assert_eq!(ids(&service, "kind=download&repo=ABSENT").await, all[1..2]);
    assert_eq!(ids(&service, "kind=mirror").await, [""; 0]);
    assert_eq!(ids(&service, "q=REPO_NOT").await, all[1..2]);
    assert_eq!(
        ids(&service, "from=2020-01-01&to=2999-01-01T00:00:00Z").await,
        all
    );
    assert_eq!(ids(&service, "to=2020-01-01").await, [""; 0]);
    for wrong in [
        "status=done",
        "status=running",
        "from=yesterday",
        "cursor=x",
        "format=xml",
        "kind=x",
    ] {
        assert_eq!(
            service.get(&format!("/api/history?{wrong}")).await.0,
            400,
            "{wrong}"
        );
    }
    let (_, page) = service.get("/api/history?limit=2").await;
    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    // One more comes between two pages.
    let more = service.submit("acme/nowhere").await;
    service.until_status(&more, "failed").await;
    assert_eq!(
        ids(&service, &format!("limit=2&cursor={cursor}")).await,
        std::slice::from_ref(&done)
    );
    let (_, text) = service.get("/api/history?format=jsonl&status=failed").await;
    let lines: Vec<Value> = text
        .as_str()
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!([&lines[0]["id"], &lines[1]["id"]], [&json!(more), &json!(failed)]);
    let (_, whole) = service.get("/api/history?format=json").await;
    assert_eq!(
        (&whole["total"], whole["entries"].as_array().unwrap().len()),
        (&json!(4), 4)
    );
    let (_, table) = service.get("/api/history?format=csv&status=completed").await;
    let table = table.as_str().unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "{table}");
    assert_eq!(
        (rows[0]["id"].as_str(), rows[0]["filters"].as_str()),
        (done.as_str(), "'=cmd|calc; q")
    );
    assert_eq!(rows[0]["excludes"], "'+x");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_keeps_its_files_and_what_queues_it_again_after_the_job_is_gone() {
    let (service, _hub, [done, ..]) = lived().await;
    assert_eq!(service.command(&done, "dismiss").await.0, 200);
    let (_, answer) = service.get("/api/history?status=completed").await;
    let entry = &answer["entries"][0];
    for (key, value) in [
        ("filters", json!(["=cmd|calc", "q"])),
        ("excludes", json!(["+x"])),
        ("exactMatch", json!(false)),
        ("revision", json!("main")),
        ("verification", json!("hash")),
        ("networkBytes", json!(100_002)),
        ("isDataset", json!(false)),
        ("category", json!("")),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    assert_eq!(entry["commit"].as_str().unwrap().len(), 40);
    assert_eq!(entry["chainHash"].as_str().unwrap().len(), 64);
    let (status, files) = service.get(&format!("/api/history/{}/files", entry["seq"])).await;
    assert_eq!((status, &files["total"]), (200, &json!(2)), "{files}");
    let weights = &files["files"][1];
    assert_eq!(weights["path"], "model, \"q\" 4.gguf");
    assert_eq!(
        (&weights["size"], &weights["source"]),
        (&json!(100_000), &json!("network"))
    );
    assert_eq!(
        (&weights["verification"], &weights["sha256"]),
        (&json!("sha256"), &weights["blobId"])
    );
    assert_eq!(files["files"][0]["sha256"], Value::Null);
    let second = format!("/api/history/{}/files?limit=1&offset=1", entry["seq"]);
    assert_eq!(service.get(&second).await.1["files"], json!([weights]));
    for missing in ["4711", "x", "-1"] {
        assert_eq!(
            service.get(&format!("/api/history/{missing}/files")).await.0,
            404,
            "{missing}"
        );
    }
    let (_, events) = service
        .get(&format!("/api/history/events?job={done}&actor=127.0.0.1"))
        .await;
    let told: Vec<&str> = events["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["dismissed", "queued"]);
    assert_eq!(events["entries"][0]["repo"], "acme/quick");
    let (_, proof) = service.get("/api/history/verify").await;
    assert_eq!(proof["ok"], true, "{proof}");
    assert!(proof.get("firstBad").is_none());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_says_where_its_files_went_in_every_form_of_the_history() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/quick").lfs("m.gguf", vec![3; 50_000]));
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain").display().to_string();
    let sound = dir.path().join("sound").display().to_string();
    let routes = format!("audio={sound}");
    let flags = [
        "--endpoint",
        &hub.endpoint(),
        "--local-dir",
        &plain,
        "--download-routes",
        &routes,
    ];
    let service = Service::start_in(dir, &flags).await;
    for body in [
        json!({"repo": "acme/quick"}),
        json!({"repo": "acme/quick", "localDir": format!("{plain}/deep"), "localRepo": "acme/other"}),
        json!({"repo": "acme/quick", "routeKey": "audio"}),
    ] {
        let (status, job) = service.post("/api/download", body).await;
        assert_eq!(status, 202, "{job}");
        let id = job["id"].as_str().unwrap();
        service.until_status(id, "completed").await;
        service.command(id, "dismiss").await;
    }
    let expected = [
        (json!(sound), json!(""), json!("audio")),
        (json!(format!("{plain}/deep")), json!("acme/other"), json!("")),
        (json!(plain), json!(""), json!("")),
    ];
    let (_, page) = service.get("/api/history").await;
    let (_, whole) = service.get("/api/history?format=json").await;
    let (_, lines) = service.get("/api/history?format=jsonl").await;
    let lines: Vec<Value> = lines
        .as_str()
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for entries in [
        page["entries"].as_array().unwrap(),
        whole["entries"].as_array().unwrap(),
        &lines,
    ] {
        assert_eq!(entries.len(), expected.len());
        for (entry, (folder, repo, route)) in entries.iter().zip(&expected) {
            assert_eq!(
                (&entry["outputDir"], &entry["localDir"]),
                (folder, folder),
                "{entry}"
            );
            assert_eq!(
                (&entry["localRepo"], &entry["routeKey"]),
                (repo, route),
                "{entry}"
            );
            assert_eq!(
                (&entry["layout"], &entry["flat"]),
                (&json!("local"), &json!(true)),
                "{entry}"
            );
            assert_eq!(
                (&entry["hubDir"], &entry["linkMode"]),
                (&json!(""), &json!("auto")),
                "{entry}"
            );
        }
    }
    let (_, table) = service.get("/api/history?format=csv").await;
    let mut reader = csv::Reader::from_reader(table.as_str().unwrap().as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    for (row, (folder, repo, route)) in rows.iter().zip(&expected) {
        for (column, value) in [
            ("outputDir", folder),
            ("localDir", folder),
            ("localRepo", repo),
            ("routeKey", route),
            ("layout", &json!("local")),
            ("linkMode", &json!("auto")),
        ] {
            assert_eq!(row[column].as_str(), value.as_str().unwrap(), "{column}");
        }
    }
    let dir = service.stop().await;
    // Without a local folder it is the cache.
    let service = Service::start_in(dir, &flags[..2]).await;
    let id = service.submit("acme/quick").await;
    service.until_status(&id, "completed").await;
    let (_, page) = service.get("/api/history?limit=1").await;
    let entry = &page["entries"][0];
    let hub_dir = service.home().join(".cache/huggingface/hub");
    assert_eq!(
        (&entry["outputDir"], &entry["hubDir"]),
        (&json!(hub_dir), &json!(hub_dir))
    );
    assert_eq!(
        (&entry["layout"], &entry["localDir"], &entry["flat"]),
        (&json!("cache"), &json!(""), &json!(false))
    );
    service.stop().await;
}

#[tokio::test]
async fn days_count_no_byte_twice_that_a_retried_job_brought() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let received = async |lease, network_bytes| {
        let progress = JobProgress {
            network_bytes,
            reused_bytes: 7,
            ..Default::default()
        };
        base.store.progress(&[(lease, progress)], &[]).await.unwrap();
    };
    let lease = base.claim().await.lease;
    received(lease.clone(), 100).await;
    base.store.settle(&lease, &failed()).await.unwrap();
    base.change(&id, Change::Retry).await.unwrap();
    let lease = base.claim().await.lease;
    received(lease.clone(), 150).await;
    base.store.settle(&lease, &Outcome::Completed).await.unwrap();
    let days = base
        .store
        .history()
        .days(Some(now_ms() - 86_400_000), None)
        .await
        .unwrap();
    let sum = |number: fn(&hfdepot::model::history::HistoryDay) -> i64| days.iter().map(number).sum::<i64>();
    assert_eq!(
        (sum(|day| day.network_bytes), sum(|day| day.reused_bytes)),
        (150, 7)
    );
    assert_eq!(
        (
            sum(|day| day.completed),
            sum(|day| day.failed),
            sum(|day| day.cancelled)
        ),
        (1, 1, 0)
    );
    let query = HistoryQuery {
        limit: 10,
        ..Default::default()
    };
    assert_eq!(
        base.store.history().list(&query).await.unwrap()[1].network_bytes,
        100
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_reads_and_proves_the_history_beside_a_service_and_without_one() {
    let (service, _hub, [done, ..]) = lived().await;
    let data = service.home().join(".local/share/hfdepot");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfdepot"));
        let output = command
            .arg("history")
            .args(args)
            .env("HFDEPOT_DATA_DIR", &data)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code().unwrap(),
            text + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let check = |when: &str| {
        let (code, text) = run(&["verify"]);
        assert!(
            code == 0 && text.contains("Sound. Head: "),
            "{when}: {code} {text}"
        );
        let (code, text) = run(&["--status", "completed", "--format", "jsonl"]);
        assert_eq!(code, 0, "{text}");
        let row: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(row["id"], json!(done));
        let (_, text) = run(&["--limit", "2", "--format", "csv"]);
        assert_eq!(text.lines().count(), 3, "{text}");
        let (_, text) = run(&[]);
        assert!(
            text.contains("acme/quick @ ") && text.lines().count() == 4,
            "{text}"
        );
        let (_, text) = run(&["--format", "json"]);
        assert_eq!(
            serde_json::from_str::<Value>(&text)
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            3
        );
    };
    check("beside the service");
    let dir = service.stop().await;
    let names = crate::support::depot::names(&data);
    check("without it");
    let after = crate::support::depot::names(&data);
    assert!(
        after.iter().all(|name| names.contains(name)),
        "nothing is made beside the database: {after:?}"
    );
    assert_eq!(run(&["--status", "running"]).0, 2);
    crate::support::depot::meddle(&data, "UPDATE history SET actor = 'nobody' WHERE seq = 2").await;
    let (code, text) = run(&["verify", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &report["firstBad"]["reason"], &report["firstBad"]["seq"]),
        (1, &json!("changed"), &json!(2))
    );
    std::fs::remove_file(data.join("hfdepot.db")).unwrap();
    let (code, text) = run(&["verify"]);
    assert!(code == 1 && text.contains("does not exist yet"), "{code} {text}");
    drop(dir);
}
