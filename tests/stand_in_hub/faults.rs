//! The faults strike where, when and as often as they say, and the log tells what was sent.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_cut_body_arrives_up_to_the_cut_as_often_as_asked() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    for reset in [false, true] {
        hub.log().clear();
        hub.fault(
            Fault::on(
                WEIGHTS,
                FaultKind::CutBody {
                    after_bytes: 100_000,
                    reset,
                },
            )
            .times(2),
        );
        let link = visitor.signed("model.safetensors").await;
        for _ in 0..2 {
            let broken = visitor.client.get(&link).send().await.unwrap().bytes().await;
            assert!(broken.is_err());
        }
        assert_eq!(hub.log().ranges(WEIGHTS), [(0, 100_000), (0, 100_000)]);
        assert_eq!(hub.log().bytes_twice(), 100_000);
        let whole = visitor.client.get(&link).send().await.unwrap();
        assert_eq!(whole.bytes().await.unwrap(), weights());
    }
    let link = visitor.signed("model.safetensors").await;
    hub.fault(
        Fault::on(
            WEIGHTS,
            FaultKind::CutBody {
                after_bytes: 70_000,
                reset: false,
            },
        )
        .at(Hop::Cdn)
        .times(1),
    );
    assert!(visitor.range(&link, "bytes=1000-").await.bytes().await.is_err());
    assert_eq!(hub.log().ranges(WEIGHTS).last(), Some(&(1000, 71_000)));
}

#[tokio::test]
async fn what_a_dead_client_did_not_read_is_not_counted_as_sent() {
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs(
        "big.gguf",
        Content::generated(60_000_000_000, 1).stating_sha256(&"ab".repeat(32)),
    ));
    let visitor = Visitor::of(&hub);
    let hop = visitor.get("/acme/big/resolve/main/big.gguf").await;
    assert_eq!(header(&hop, "x-linked-size"), "60000000000");
    let mut body = visitor
        .range(header(&hop, "location"), "bytes=59000000000-")
        .await;
    let first = body.chunk().await.unwrap().unwrap();
    assert_eq!(
        first,
        Content::generated(60_000_000_000, 1)
            .read(59_000_000_000, first.len() as u64)
            .unwrap()
    );
    drop(body);
    assert!(
        hub.log()
            .until(LIMIT, |log| log.entries().last().unwrap().finished())
            .await
    );
    // What lies in both kernels' buffers was sent; it is megabytes, not the gigabyte asked for.
    assert!(hub.log().bytes_sent("acme/big/big.gguf") < 50_000_000);
    assert!(
        hub.log()
            .until(LIMIT, |log| log.bodies().now() == 0
                && log.connections(Hop::Cdn).now() == 0)
            .await
    );
    assert_eq!(hub.log().bodies().peak(), 1);
}

#[tokio::test]
async fn a_stalled_body_stops_and_a_slow_one_takes_its_time() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let link = visitor.signed("model.safetensors").await;
    hub.fault(
        Fault::on(
            WEIGHTS,
            FaultKind::StallBody {
                after_bytes: 50_000,
                ms: None,
            },
        )
        .at(Hop::Cdn)
        .times(1),
    );
    let mut stalled = visitor.client.get(&link).send().await.unwrap();
    let mut arrived = 0;
    while arrived < 50_000 {
        arrived += stalled.chunk().await.unwrap().unwrap().len();
    }
    assert!(
        tokio::time::timeout(Duration::from_millis(200), stalled.chunk())
            .await
            .is_err()
    );
    assert_eq!(hub.log().ranges(WEIGHTS), [(0, 50_000)]);
    let slow = [
        FaultKind::StallBody {
            after_bytes: 500,
            ms: Some(300),
        },
        FaultKind::Rate {
            bytes_per_second: 3000,
        },
        FaultKind::TotalRate {
            bytes_per_second: 3000,
        },
        FaultKind::Trickle {
            after_bytes: 900,
            piece_bytes: 10,
            every_ms: 30,
        },
        FaultKind::DelayHeaders { ms: 300 },
    ];
    for kind in slow {
        let name = kind.name();
        hub.fault(Fault::on(WEIGHTS, kind).at(Hop::Cdn).times(1));
        let begin = Instant::now();
        let bytes = visitor.range(&link, "bytes=0-999").await.bytes().await.unwrap();
        assert_eq!(bytes, weights().slice(..1000), "{name}");
        assert!(
            begin.elapsed() >= Duration::from_millis(290),
            "{name} took {:?}",
            begin.elapsed()
        );
        assert_eq!(
            *hub.log().entries().last().unwrap().faults.lock().unwrap(),
            [name]
        );
    }
}

#[tokio::test]
async fn ranges_and_bytes_go_wrong_as_told() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let link = visitor.signed("model.safetensors").await;
    let answer = async |kind: FaultKind| {
        hub.fault(Fault::on(WEIGHTS, kind).at(Hop::Cdn).ranged(true).times(1));
        visitor.range(&link, "bytes=1000-1999").await
    };
    let right = weights().slice(1000..2000);
    let ignored = answer(FaultKind::IgnoreRange).await;
    assert_eq!(
        (ignored.status(), ignored.content_length()),
        (StatusCode::OK, Some(WEIGHTS_BYTES))
    );
    drop(ignored);
    assert_eq!(
        answer(FaultKind::RefuseRange).await.status(),
        StatusCode::RANGE_NOT_SATISFIABLE
    );
    let shifted = answer(FaultKind::WrongContentRange { shift: 1, total: 5 }).await;
    assert_eq!(header(&shifted, "content-range"), "bytes 1001-2000/3000005");
    let corrupt = answer(FaultKind::CorruptByte { offset: 1500 })
        .await
        .bytes()
        .await
        .unwrap();
    let differing: Vec<usize> = (0..1000).filter(|at| corrupt[*at] != right[*at]).collect();
    assert_eq!(differing, [500]);
    let longer = answer(FaultKind::Resize { by: 3 }).await;
    assert_eq!(header(&longer, "content-range"), "bytes 1000-2002/3000003");
    assert_eq!(longer.bytes().await.unwrap().len(), 1003);
    assert_eq!(
        answer(FaultKind::Resize { by: -3 }).await.bytes().await.unwrap(),
        right.slice(..997)
    );
    let packed = answer(FaultKind::Gzip).await;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert_eq!(packed.bytes().await.unwrap()[..3], [0x1f, 0x8b, 8]);
    let bare = answer(FaultKind::DropHeader {
        name: "Content-Length".to_owned(),
    })
    .await;
    assert_eq!(header(&bare, "content-length"), "");
    assert_eq!(bare.bytes().await.unwrap(), right);
    let renamed = answer(FaultKind::SetHeader {
        name: "ETag".to_owned(),
        value: "unquoted".to_owned(),
    })
    .await;
    assert_eq!(header(&renamed, "etag"), "unquoted");
    assert_eq!(
        visitor
            .range(&link, "bytes=1000-1999")
            .await
            .bytes()
            .await
            .unwrap(),
        right
    );
}

#[tokio::test]
async fn statuses_and_redirects_strike_in_their_turn_and_then_end() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let info = "/api/models/acme/tiny";
    hub.fault(Fault::status(info, 503).after(1).times(2));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(visitor.get(info).await.status().as_u16());
    }
    assert_eq!(seen, [200, 503, 503, 200]);
    hub.fault(Fault::captive_portal(info).times(1));
    assert!(visitor.get(info).await.text().await.unwrap().contains("Welcome"));
    let forms = [
        (ThrottleForm::RateLimit, "ratelimit"),
        (ThrottleForm::RetryAfter, "retry-after"),
        (ThrottleForm::RetryDate, "retry-after"),
        (ThrottleForm::Silent, ""),
    ];
    for (form, name) in forms {
        hub.fault(Fault::on(info, FaultKind::Throttle { form, seconds: 2 }).times(1));
        let throttled = visitor.get(info).await;
        assert_eq!(throttled.status(), StatusCode::TOO_MANY_REQUESTS);
        for known in ["ratelimit", "retry-after"] {
            assert_eq!(throttled.headers().contains_key(known), known == name, "{form:?}");
        }
    }
    hub.fault(Fault::on(info, FaultKind::TokenRequired));
    assert_eq!(visitor.get(info).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.with_token(info, TOKEN).await.status(), StatusCode::OK);
    hub.clear_faults();
    let location = "{cdn}/elsewhere{path}".to_owned();
    hub.fault(
        Fault::on(
            info,
            FaultKind::Redirect {
                status: 308,
                location,
            },
        )
        .times(1),
    );
    let away = visitor.get(&format!("{info}?x=1")).await;
    assert_eq!(
        header(&away, "location"),
        format!("{}/elsewhere{info}?x=1", hub.cdn_endpoint())
    );
    hub.fault(Fault::on("acme/tiny/config.json", FaultKind::AbsoluteRedirect).times(1));
    let absolute = visitor.get("/acme/tiny/resolve/main/config.json").await;
    assert!(header(&absolute, "location").starts_with(&format!("{}/api/resolve-cache/", hub.endpoint())));
    hub.fault(Fault::on(WEIGHTS, FaultKind::ServeDirectly).times(1));
    let direct = visitor.get("/acme/tiny/resolve/main/model.safetensors").await;
    assert_eq!(
        (direct.status(), direct.content_length()),
        (StatusCode::OK, Some(WEIGHTS_BYTES))
    );
    hub.fault(Fault::on(info, FaultKind::CloseEarly).times(1));
    assert!(
        visitor
            .client
            .get(format!("{}{info}", hub.endpoint()))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_quota_runs_out_for_one_caller_and_not_for_another() {
    let (hub, _) = hub_with_tiny().await;
    hub.set_quota("api", 2, Duration::from_secs(300));
    let visitor = Visitor::of(&hub);
    let info = "/api/models/acme/tiny";
    assert!(header(&visitor.get(info).await, "ratelimit").starts_with("\"api\";r=1;t="));
    assert_eq!(visitor.get(info).await.status(), StatusCode::OK);
    let third = visitor.get(info).await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(header(&third, "ratelimit").starts_with("\"api\";r=0;t="));
    assert_eq!(
        header(&third, "ratelimit-policy"),
        "\"fixed window\";\"api\";q=2;w=300"
    );
    assert_eq!(visitor.with_token(info, TOKEN).await.status(), StatusCode::OK);
    assert_eq!(
        visitor.get("/acme/tiny/resolve/main/config.json").await.status(),
        StatusCode::TEMPORARY_REDIRECT
    );
    assert_eq!(
        hub.log().buckets(),
        [("api".to_owned(), 4), ("resolvers".to_owned(), 1)].into()
    );
}

#[tokio::test]
async fn a_closed_listener_refuses_and_breaks_what_is_open_until_it_opens_again() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let link = visitor.signed("model.safetensors").await;
    hub.fault(
        Fault::on(
            WEIGHTS,
            FaultKind::StallBody {
                after_bytes: 1000,
                ms: None,
            },
        )
        .at(Hop::Cdn)
        .times(1),
    );
    let mut open = visitor.client.get(&link).send().await.unwrap();
    assert_eq!(open.chunk().await.unwrap().unwrap().len(), 1000);
    hub.off(Hop::Cdn).await;
    assert!(open.chunk().await.is_err());
    assert!(visitor.client.get(&link).send().await.unwrap_err().is_connect());
    assert_eq!(
        visitor.get("/api/models/acme/tiny").await.status(),
        StatusCode::OK
    );
    hub.on(Hop::Cdn);
    assert_eq!(
        visitor.range(&link, "bytes=0-0").await.status(),
        StatusCode::PARTIAL_CONTENT
    );
}

#[tokio::test]
async fn a_branch_moves_between_two_calls() {
    let (hub, old) = hub_with_tiny().await;
    let new = hub.edit(Kind::Model, "acme/tiny", |repo| {
        repo.file("new.txt", "new").commit("Next")
    });
    hub.fault(
        Fault::on(
            "*/tree/main",
            FaultKind::MoveBranch {
                repo: "acme/tiny".to_owned(),
                branch: "main".to_owned(),
                commit: old.clone(),
            },
        )
        .times(1),
    );
    let visitor = Visitor::of(&hub);
    assert_eq!(visitor.json("/api/models/acme/tiny").await["sha"], new);
    let tree = visitor.json("/api/models/acme/tiny/tree/main").await.to_string();
    assert!(!tree.contains("new.txt"));
    assert_eq!(visitor.json("/api/models/acme/tiny").await["sha"], old);
}

#[tokio::test]
async fn hostile_tree_entries_are_passed_on_as_they_are() {
    let hub = Hub::start().await;
    let evil = json!({"type": "file", "path": "../../evil", "oid": "../x", "size": -1, "lfs": {"oid": "/etc/passwd"}});
    hub.add(Repo::model("acme/evil").file("a", "a").raw_entry(evil.clone()));
    let tree = Visitor::of(&hub)
        .json("/api/models/acme/evil/tree/main?recursive=true")
        .await;
    assert_eq!(tree[1], evil);
}

#[tokio::test]
async fn scripts_set_faults_and_read_the_log_over_http() {
    let (hub, _) = hub_with_tiny().await;
    let visitor = Visitor::of(&hub);
    let faults = format!("{}/__stand-in/faults", hub.endpoint());
    let typo = json!({"path": "*", "time": 1, "fault": "gzip"});
    let refused = visitor.client.post(&faults).json(&typo).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let cut = json!([{"path": WEIGHTS, "hop": "cdn", "times": 1, "fault": "cut_body", "after_bytes": 5000}]);
    assert_eq!(
        visitor
            .client
            .post(&faults)
            .json(&cut)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    let link = visitor.signed("model.safetensors").await;
    let leak = visitor.client.get(&link).bearer_auth(TOKEN).send().await.unwrap();
    assert!(leak.bytes().await.is_err());
    visitor
        .range(&link, "bytes=4000-4999")
        .await
        .bytes()
        .await
        .unwrap();
    let log = visitor.json("/__stand-in/log").await;
    assert_eq!(log["summary"]["bytes_twice"], 1000);
    assert_eq!(log["summary"]["authorization_at_cdn"], 1);
    assert_eq!(log["requests"][1]["faults"], json!(["cut_body"]));
    assert_eq!(hub.log().authorization_at_cdn()[0].subject, WEIGHTS);
    visitor
        .client
        .post(format!("{}/__stand-in/reset", hub.endpoint()))
        .send()
        .await
        .unwrap();
    assert_eq!(visitor.json("/__stand-in/summary").await["requests"], 0);
}
