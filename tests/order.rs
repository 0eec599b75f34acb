//! The order of the queue.

use serde_json::{Value, json};

use crate::support::service::{NOWHERE, Service};

/// Names of the queued jobs in order. A job asked for alone has the same place as in the list.
async fn queue(service: &Service) -> Vec<String> {
    let (_, list) = service.get("/api/jobs?status=queued").await;
    let mut jobs: Vec<Value> = list["jobs"].as_array().unwrap().clone();
    for job in &jobs {
        let (_, alone) = service
            .get(&format!("/api/jobs/{}", job["id"].as_str().unwrap()))
            .await;
        assert_eq!(alone["position"], job["position"]);
    }
    jobs.sort_by_key(|job| job["position"].as_i64().expect("a queued job has a place"));
    jobs.iter()
        .map(|job| job["repo"].as_str().unwrap()[2..].to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_jobs_move_and_others_do_not() {
    let service = Service::start(NOWHERE).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let body = json!({"repo": format!("o/{name}"), "notBefore": "2999-01-01T00:00:00Z"});
        let (_, job) = service.post("/api/download", body).await;
        ids.push(job["id"].as_str().unwrap().to_owned());
    }
    let [a, b, c, d] = ids.try_into().unwrap();
    assert_eq!(queue(&service).await, ["a", "b", "c", "d"]);
    for (body, moved, order) in [
        (json!({"ids": [d, b], "to": "top"}), 2, ["d", "b", "a", "c"]),
        (json!({"ids": [c], "to": "up"}), 1, ["d", "b", "c", "a"]),
        (json!({"ids": [d, b], "to": "down"}), 2, ["c", "d", "b", "a"]),
        (
            json!({"ids": [c, "nonsense"], "to": "bottom"}),
            1,
            ["d", "b", "a", "c"],
        ),
        (json!({"ids": [c, a], "before": b}), 2, ["d", "c", "a", "b"]),
    ] {
        let answer = service.post("/api/jobs/order", body.clone()).await;
        assert_eq!(answer, (200, json!({"success": true, "moved": moved})), "{body}");
        assert_eq!(queue(&service).await, order, "{body}");
    }
    service
        .post("/api/jobs/bulk", json!({"action": "hold", "ids": [a]}))
        .await;
    for (body, status) in [
        (json!({"ids": [a], "to": "top"}), 404),
        (json!({"ids": [b], "before": a}), 404),
        (json!({"ids": [b], "before": "000000000000"}), 404),
        (json!({"ids": [b]}), 400),
        (json!({"ids": [b], "to": "top", "before": c}), 400),
        (json!({"ids": [], "to": "top"}), 400),
    ] {
        let answer = service.post("/api/jobs/order", body.clone()).await;
        assert_eq!(answer.0, status, "{body} {}", answer.1);
    }
    let dir = service.stop().await;
    let service = Service::start_in(dir, &["--endpoint", NOWHERE]).await;
    assert_eq!(
        queue(&service).await,
        ["d", "c", "b"],
        "the order survives a restart"
    );
    service.stop().await;
}
