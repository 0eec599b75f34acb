//! The log of the service over HTTP: what it shows, what it hides, and how it is followed.

use serde_json::{Value, json};

use crate::support::depot::eventually;
use crate::support::hub::TOKEN;
use crate::support::process::Process;
use crate::support::schema;
use crate::support::service::{NOWHERE, Service, slow_hub};
use crate::support::sse::Events;

async fn get(process: &Process, path: &str) -> (u16, Value) {
    let response = reqwest::get(format!("{}{path}", process.url)).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    schema::check_answer("GET", path, status, &kind, &body);
    (status, body)
}

async fn post(process: &Process, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{}{path}", process.url))
        .json(&body);
    request.send().await.unwrap().json().await.unwrap()
}

fn entries(page: &Value) -> &Vec<Value> {
    page["entries"].as_array().expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_shows_what_happened_and_never_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let hub = slow_hub().await;
    let variables = [("HF_TOKEN", TOKEN), ("HFDEPOT_LOG", "debug,hfdepot=trace")];
    let endpoint = hub.endpoint();
    let process = Process::serve(home.path(), &["--endpoint", &endpoint], &variables);
    let key = post(&process, "/api/keys", json!({"name": "cron", "scope": "read"})).await;
    let key = key["key"].as_str().unwrap().to_owned();
    let job = post(&process, "/api/download", json!({"repo": "acme/quick"})).await;
    let job = job["id"].as_str().unwrap();
    eventually(async || get(&process, &format!("/api/jobs/{job}")).await.1["status"] == "completed").await;
    eventually(async || !entries(&get(&process, "/api/system/log?q=job+settled").await.1).is_empty()).await;

    let settled = get(&process, "/api/system/log?q=JOB%20settled&level=info")
        .await
        .1;
    let line = entries(&settled).last().unwrap();
    assert_eq!(
        (&line["level"], &line["message"]),
        (&json!("info"), &json!("job settled"))
    );
    assert_eq!(line["fields"]["job.id"], job);
    let (_, text) = get(&process, "/api/system/log?format=text").await;
    let text = text.as_str().unwrap();
    for said in [
        "serving on http://127.0.0.1",
        " INFO hfdepot::",
        "DEBUG ",
        "job settled",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let stderr = process.kill();
    for (name, shown) in [("over HTTP", text), ("on standard error", stderr.as_str())] {
        for secret in [TOKEN, key.as_str(), "Signature=", "Policy="] {
            assert!(!shown.contains(secret), "{secret} {name}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_chosen_by_level_text_and_place() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--endpoint", NOWHERE, "--token", "hf_seen_in_the_process_list"];
    let process = Process::serve(home.path(), &flags, &[]);
    let all = get(&process, "/api/system/log").await.1;
    let seqs: Vec<i64> = entries(&all)
        .iter()
        .map(|line| line["seq"].as_i64().unwrap())
        .collect();
    assert!(seqs.len() >= 2 && seqs.is_sorted(), "{all}");
    assert_eq!(
        (&all["cursor"], &all["missed"]),
        (&json!(seqs.last().unwrap()), &json!(0))
    );

    let warned = get(&process, "/api/system/log?level=warn").await.1;
    assert!(
        entries(&warned).iter().all(|line| line["level"] == "warn"),
        "{warned}"
    );
    assert!(warned.to_string().contains("--token is visible"), "{warned}");
    assert!(entries(&get(&process, "/api/system/log?level=error").await.1).is_empty());
    let newest = get(&process, "/api/system/log?limit=1").await.1;
    assert_eq!(entries(&newest)[0]["seq"], *seqs.last().unwrap());
    let second = get(&process, &format!("/api/system/log?limit=1&after={}", seqs[0]))
        .await
        .1;
    assert_eq!(
        (&entries(&second)[0]["seq"], &second["cursor"]),
        (&json!(seqs[1]), &json!(seqs[1]))
    );
    let behind = get(
        &process,
        &format!("/api/system/log?after={}", seqs.last().unwrap()),
    )
    .await
    .1;
    assert!(entries(&behind).is_empty(), "{behind}");
    for bad in ["level=loud", "limit=0", "after=-1", "format=pdf"] {
        assert_eq!(
            get(&process, &format!("/api/system/log?{bad}")).await.0,
            400,
            "{bad}"
        );
    }

    let file = reqwest::get(format!("{}/api/system/log?format=text&level=warn", process.url))
        .await
        .unwrap();
    let name = file.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"hfdepot-log-2"), "{name}");
    assert_eq!(file.text().await.unwrap().lines().count(), entries(&warned).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_new_lines_and_comes_back_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let process = Process::serve(home.path(), &["--endpoint", NOWHERE], &[]);
    let stream = format!("{}/api/system/log/stream?q=/api/jobs/", process.url);
    let mut follower = Events::open(&stream, None).await;
    post(&process, "/api/jobs/000000000001/pause", json!({})).await;
    let path = |n: u8| format!("\"/api/jobs/00000000000{n}/pause\"");
    let (id, line) = follower.until(|name, _| name == "line").await;
    assert_eq!(
        line["fields"]["path"],
        path(1),
        "no line from before, and none that does not fit"
    );
    assert_eq!(line["seq"].to_string(), id);
    drop(follower);
    post(&process, "/api/jobs/000000000002/pause", json!({})).await;
    post(&process, "/api/jobs/000000000003/pause", json!({})).await;
    let mut back = Events::open(&stream, Some(&id)).await;
    for n in [2, 3] {
        let (_, line) = back.until(|name, _| name == "line").await;
        assert_eq!(line["fields"]["path"], path(n));
    }
    // The first line of the process, as one asks after a look at the page.
    let mut whole = Events::open(&format!("{}/api/system/log/stream?after=0", process.url), None).await;
    let first = get(&process, "/api/system/log").await.1;
    assert_eq!(whole.next().await.2["seq"], entries(&first)[0]["seq"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_followers_and_no_more_and_a_place_that_is_left_is_free() {
    let service = Service::start(NOWHERE).await;
    let url = format!("http://{}/api/system/log/stream", service.address);
    let mut followers = Vec::new();
    for _ in 0..32 {
        followers.push(Events::open(&url, None).await);
    }
    let (status, full) = service.get("/api/system/log/stream").await;
    assert_eq!(
        (status, &full["error"]),
        (503, &json!("Too many clients follow the log"))
    );
    followers.pop();
    eventually(async || reqwest::get(&url).await.unwrap().status() == 200).await;
    service.stop().await;
}
