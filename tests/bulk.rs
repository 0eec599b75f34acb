//! Commands on many jobs, what users attach to them, and narrowing the list by it.

use serde_json::{Value, json};

use crate::api::assert_error;
use crate::support::service::{NOWHERE, Service};

/// Queues jobs that nobody starts: their time is far away.
async fn later(service: &Service, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let body = json!({"repo": format!("o/n{number}"), "notBefore": "2999-01-01T00:00:00Z"});
        let (status, job) = service.post("/api/download", body).await;
        assert_eq!(status, 202, "{job}");
        ids.push(job["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn bulk(service: &Service, body: Value) -> Value {
    let (status, answer) = service.post("/api/jobs/bulk", body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_of_a_bulk_has_a_result_of_its_own() {
    let service = Service::start(NOWHERE).await;
    let ids = later(&service, 3).await;
    let held = bulk(
        &service,
        json!({"action": "hold", "ids": [ids[0], "nonsense", ids[1], ids[0]]}),
    )
    .await;
    assert_eq!(
        (&held["done"], &held["refused"]),
        (&json!(2), &json!(1)),
        "{held}"
    );
    assert_eq!(
        held["results"][0],
        json!({"id": ids[0], "ok": true, "status": "paused"})
    );
    assert_eq!(held["results"][1]["reason"], "unknown");
    let (_, job) = service.get(&format!("/api/jobs/{}", ids[0])).await;
    assert_eq!(
        (&job["pauseReason"], &job["position"]),
        (&json!("user"), &Value::Null)
    );
    let again = bulk(&service, json!({"action": "hold", "ids": ids})).await;
    assert_eq!(again["results"][0]["error"], "Not possible: the job is paused");
    assert_eq!(again["results"][2]["ok"], true, "{again}");
    let resumed = bulk(
        &service,
        json!({"action": "resume", "filter": {"status": ["paused"]}}),
    )
    .await;
    assert_eq!((&resumed["done"], &resumed["more"]), (&json!(3), &json!(false)));
    // Whoever pauses many wants none of them to go on, queued ones included.
    let paused = bulk(&service, json!({"action": "pause", "ids": ids})).await;
    assert_eq!(paused["done"], 3, "{paused}");
    let gone = bulk(&service, json!({"action": "dismiss", "ids": ids})).await;
    assert_eq!(gone["done"], 3, "{gone}");
    assert_eq!(service.get("/api/jobs").await.1["count"], 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_attached_to_jobs_is_set_shown_and_searched_by() {
    let service = Service::start(NOWHERE).await;
    let ids = later(&service, 3).await;
    let set = json!({"action": "set", "ids": [ids[0], ids[2]], "category": " chat ", "tags": ["a", "b", "a"],
        "maxSpeed": "5MiB/s", "priority": 7});
    assert_eq!(bulk(&service, set).await["done"], 2);
    let (status, job) = service
        .patch(
            &format!("/api/jobs/{}", ids[2]),
            json!({"notBefore": null, "priority": -1}),
        )
        .await;
    assert_eq!(status, 200, "{job}");
    assert_eq!(
        (&job["category"], &job["tags"]),
        (&json!("chat"), &json!(["a", "b"]))
    );
    assert_eq!(
        (&job["maxSpeed"], &job["priority"]),
        (&json!("5MiB/s"), &json!(-1))
    );
    assert_eq!(
        (&job["notBefore"], &job["maxAttempts"]),
        (&Value::Null, &json!(5))
    );
    let found = async |query: &str| {
        let (status, list) = service.get(&format!("/api/jobs?{query}")).await;
        assert_eq!(status, 200, "{list}");
        let jobs = list["jobs"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["repo"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("category=chat&tag=b").await, ["o/n0", "o/n2"]);
    assert_eq!(found("tag=c").await, Vec::<String>::new());
    assert_eq!(found("q=O/N1").await, ["o/n1"]);
    assert_eq!(found("status=paused,failed").await, Vec::<String>::new());
    let (_, page) = service.get("/api/jobs?limit=2").await;
    assert_eq!((&page["count"], &page["total"]), (&json!(2), &json!(3)));
    let cursor = page["nextCursor"].as_str().unwrap();
    let (_, rest) = service.get(&format!("/api/jobs?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (&rest["jobs"][0]["repo"], &rest["nextCursor"]),
        (&json!("o/n0"), &Value::Null)
    );
    // Nothing to set is nothing to do.
    let (status, same) = service.patch(&format!("/api/jobs/{}", ids[0]), json!({})).await;
    assert_eq!((status, &same["id"]), (200, &json!(ids[0])));
    for (body, error) in [
        (json!({"priority": 2_000_000}), "Invalid priority"),
        (json!({"category": "x".repeat(65)}), "Invalid category"),
        (json!({"tags": ["a\nb"]}), "Invalid tags"),
        (json!({"maxSpeed": "fast"}), "Invalid maxSpeed"),
        (json!({"notBefore": "soon"}), "Invalid notBefore"),
    ] {
        let (status, answer) = service.patch(&format!("/api/jobs/{}", ids[0]), body).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(error)), "{answer}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_names_its_jobs_in_one_way_and_knows_its_words() {
    let service = Service::start(NOWHERE).await;
    for body in [
        json!({"action": "retry"}),
        json!({"action": "retry", "ids": [], "filter": {}}),
    ] {
        let answer = service.post("/api/jobs/bulk", body).await;
        assert_error(
            &answer,
            400,
            "bad_request",
            "Missing required field: ids or filter",
            "one of the two",
        );
    }
    let many: Vec<String> = (0..10_001).map(|number| format!("{number:012x}")).collect();
    let answer = service
        .post("/api/jobs/bulk", json!({"action": "retry", "ids": many}))
        .await;
    assert_error(&answer, 400, "bad_request", "Invalid ids", "10000");
    let answer = service
        .post("/api/jobs/bulk", json!({"action": "explode", "ids": []}))
        .await;
    assert_error(&answer, 400, "bad_request", "Invalid request body", "explode");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_may_begin_paused_and_be_started_before_all_others() {
    let service = Service::start(NOWHERE).await;
    let ids = later(&service, 2).await;
    let body =
        json!({"repo": "o/held", "startPaused": true, "category": "c", "tags": ["t"], "maxSpeed": "1M"});
    let (status, job) = service.post("/api/download", body).await;
    assert_eq!((status, &job["status"]), (202, &json!("paused")), "{job}");
    assert_eq!(
        (&job["category"], &job["tags"], &job["maxSpeed"]),
        (&json!("c"), &json!(["t"]), &json!("1M"))
    );
    let pause = json!({"pausedUntil": "forever"});
    assert_eq!(service.put("/api/limits", pause).await.0, 200);
    let held = job["id"].as_str().unwrap();
    let started = bulk(&service, json!({"action": "start", "ids": [ids[1], held]})).await;
    assert_eq!(started["done"], 2, "{started}");
    for (id, position) in [(&ids[1], 1), (&held.to_owned(), 2), (&ids[0], 3)] {
        let (_, job) = service.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(
            (&job["position"], &job["waitReason"]),
            (&json!(position), &json!("schedule")),
            "{job}"
        );
    }
    service.stop().await;
}
