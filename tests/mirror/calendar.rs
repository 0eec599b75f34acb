//! Runs of targets by the clock.

use std::fs;
use std::path::Path;

use hfdepot::clock::{hold, parse_rfc3339, rfc3339};
use hfdepot::engine::{DueRuns, queue_due_runs};
use hfdepot::model::job::Verify;
use hfdepot::model::schedule::Schedule;
use hfdepot::store::{JobsQuery, TargetRow};
use serde_json::{Value, json};

use super::fixture::{World, fill};
use crate::support::base::Base;
use crate::support::depot::eventually;

fn ms(text: &str) -> i64 {
    parse_rfc3339(text).expect("a time")
}

/// Lets go of the clock when a test ends, however it ends.
struct Held;

impl Held {
    fn at(text: &str) -> Self {
        hold(Some(ms(text)));
        Self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        hold(None);
    }
}

/// The target `nas` below `home`, with a push at 02:00 UTC of each day.
async fn nightly(base: &Base, home: &Path) -> TargetRow {
    let path = home.join("nas");
    let marker = hfdepot::mirror::adopt(&path).expect("a marker");
    let target = TargetRow {
        name: "nas".to_owned(),
        path: path.to_str().expect("UTF-8").to_owned(),
        description: String::new(),
        marker,
        seen_at: None,
        schedule: None,
        next_run_at: None,
        paused: false,
    };
    base.store.save_target(&target).await.expect("a target");
    schedule(base, false).await;
    target
}

async fn schedule(base: &Base, paused: bool) {
    let nightly = Schedule::new("02:00", &[], chrono_tz::UTC, Verify::Sha256).expect("a schedule");
    let next = nightly.next_after(hfdepot::clock::now_ms()).filter(|_| !paused);
    base.store
        .set_target_schedule("nas", Some(&nightly), next, paused)
        .await
        .expect("a schedule");
}

async fn look(base: &Base) -> DueRuns {
    queue_due_runs(&base.store, Path::new("/hub"))
        .await
        .expect("the database works")
}

/// Who asked for each mirror job, and what it is asked.
async fn jobs(base: &Base) -> Vec<(String, Value)> {
    let jobs = base.store.jobs(&JobsQuery::default()).await.expect("jobs");
    let asked = jobs
        .into_iter()
        .map(|job| (job.actor, job.spec.unwrap_or_default()));
    asked.collect()
}

async fn next(base: &Base) -> Option<String> {
    let target = base.store.target("nas").await.expect("the database works");
    target.expect("a target").next_run_at.map(rfc3339)
}

/// Ends every job that waits, so that another one is no twin of it.
async fn done(base: &Base) {
    for job in base.store.jobs(&JobsQuery::default()).await.expect("jobs") {
        let _ = base
            .store
            .change(&job.id, hfdepot::store::Change::Cancel, "ann")
            .await;
    }
}

#[tokio::test]
async fn a_run_is_queued_at_its_time_and_once_for_all_the_times_that_were_missed() {
    let base = Base::new().await;
    let _held = Held::at("2026-11-23T01:00:00Z");
    nightly(&base, base.dir.path()).await;
    let quiet = look(&base).await;
    assert_eq!(quiet.next_at, Some(ms("2026-11-23T02:00:00Z")));
    assert!(quiet.queued.is_empty() && jobs(&base).await.is_empty());

    let _held = Held::at("2026-11-23T02:00:00Z");
    let due = look(&base).await;
    assert_eq!(
        (due.queued, due.next_at),
        (vec!["nas".to_owned()], Some(ms("2026-11-24T02:00:00Z")))
    );
    let asked = jobs(&base).await;
    assert_eq!(asked.len(), 1);
    let (actor, spec) = &asked[0];
    assert_eq!(
        (
            actor.as_str(),
            &spec["direction"],
            &spec["verify"],
            &spec["deleteExtra"]
        ),
        ("schedule", &json!("push"), &json!("sha256"), &json!(false))
    );
    // Looked at again in the same minute, it is queued already.
    assert_eq!(look(&base).await.queued, Vec::<String>::new());
    done(&base).await;

    // The service was down for five nights.
    let _held = Held::at("2026-11-28T12:00:00Z");
    assert_eq!(look(&base).await.queued, ["nas"]);
    assert_eq!(jobs(&base).await.len(), 2);
    assert_eq!(next(&base).await.as_deref(), Some("2026-11-29T02:00:00.000Z"));
}

#[tokio::test]
async fn a_target_that_is_away_gets_its_run_when_it_is_back() {
    let base = Base::new().await;
    let _held = Held::at("2026-11-23T01:00:00Z");
    let target = nightly(&base, base.dir.path()).await;
    let away = base.dir.path().join("unplugged");
    fs::rename(&target.path, &away).expect("it goes");
    let _held = Held::at("2026-11-23T02:00:30Z");
    for _ in 0..2 {
        let due = look(&base).await;
        assert_eq!((due.away, due.next_at), (vec!["nas".to_owned()], None));
    }
    assert!(jobs(&base).await.is_empty(), "nothing is queued that must fail");
    assert_eq!(next(&base).await.as_deref(), Some("2026-11-23T02:00:00.000Z"));
    fs::rename(&away, &target.path).expect("it is back");
    let _held = Held::at("2026-11-25T18:00:00Z");
    assert_eq!(look(&base).await.queued, ["nas"]);
    assert_eq!(next(&base).await.as_deref(), Some("2026-11-26T02:00:00.000Z"));
}

#[tokio::test]
async fn nothing_runs_while_it_is_paused_and_a_clock_that_was_wrong_costs_no_run() {
    let base = Base::new().await;
    let _held = Held::at("2026-11-23T01:00:00Z");
    nightly(&base, base.dir.path()).await;
    schedule(&base, true).await;
    let _held = Held::at("2026-11-24T12:00:00Z");
    assert_eq!(look(&base).await, DueRuns::default());
    schedule(&base, false).await;
    // What went by meanwhile is not made up for.
    assert_eq!(look(&base).await.queued, Vec::<String>::new());
    assert_eq!(next(&base).await.as_deref(), Some("2026-11-25T02:00:00.000Z"));

    // Set while the clock was ten years ahead.
    let _held = Held::at("2036-11-24T12:00:00Z");
    schedule(&base, false).await;
    let _held = Held::at("2026-11-24T12:00:00Z");
    assert_eq!(look(&base).await.next_at, Some(ms("2026-11-25T02:00:00Z")));
    assert_eq!(next(&base).await.as_deref(), Some("2026-11-25T02:00:00.000Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_set_shown_paused_kept_and_taken_away() {
    let world = World::new().await;
    let set = async |body: Value| world.service.patch("/api/mirror/targets/nas", body).await;
    let (_, list) = world.service.get("/api/mirror/targets").await;
    let shown = &list["targets"][0];
    assert_eq!(
        (&shown["schedule"], &shown["paused"], &shown["nextRunAt"]),
        (&json!(null), &json!(false), &json!(null))
    );
    let wish = json!({"schedule": {"at": "02:30", "days": ["sun", "mon"], "timeZone": "Europe/Berlin"}});
    let (status, shown) = set(wish).await;
    assert_eq!(status, 200, "{shown}");
    let schedule =
        json!({"at": "02:30", "days": ["mon", "sun"], "timeZone": "Europe/Berlin", "verify": "size"});
    assert_eq!(shown["schedule"], schedule);
    let at = ms(shown["nextRunAt"].as_str().expect("a time"));
    let left_days = (at - hfdepot::clock::now_ms()) / 86_400_000;
    assert!((0..=7).contains(&left_days), "{shown}");

    let (_, paused) = set(json!({"paused": true})).await;
    assert_eq!(
        (&paused["schedule"], &paused["paused"], &paused["nextRunAt"]),
        (&schedule, &json!(true), &json!(null))
    );
    // Another description is no other schedule.
    world.register("nas").await;
    let (_, list) = world.service.get("/api/mirror/targets").await;
    assert_eq!(list["targets"][0]["schedule"], schedule);
    let (_, resumed) = set(json!({"paused": false})).await;
    assert!(resumed["nextRunAt"].is_string(), "{resumed}");
    let (_, gone) = set(json!({"schedule": null})).await;
    assert_eq!(
        (&gone["schedule"], &gone["nextRunAt"]),
        (&json!(null), &json!(null))
    );

    for (body, error, word) in [
        (
            json!({"schedule": {"at": "2:30"}}),
            "Invalid schedule",
            "time of day",
        ),
        (
            json!({"schedule": {"at": "02:30", "days": ["someday"]}}),
            "Invalid schedule",
            "someday",
        ),
        (
            json!({"schedule": {"at": "02:30", "timeZone": "Berlin"}}),
            "Invalid schedule",
            "Berlin",
        ),
        (
            json!({"schedule": {"at": "02:30", "verify": "md5"}}),
            "Invalid schedule",
            "md5",
        ),
        (json!({"schedule": {}}), "Invalid request body", "schedule: "),
        (json!({"schedule": 7}), "Invalid request body", "schedule: "),
        (json!({"paused": "no"}), "Invalid request body", "paused: "),
    ] {
        let (status, answer) = set(body.clone()).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{body}");
        let details = answer["details"].as_str().expect("details");
        assert!(details.contains(word), "{details}");
    }
    let (status, unknown) = world
        .service
        .patch("/api/mirror/targets/none", json!({"paused": true}))
        .await;
    assert_eq!((status, &unknown["error"]), (404, &json!("Target not found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_due_copies_what_the_target_lacks() {
    let world = World::new().await;
    fill(&world.hub(), super::MODEL, 1, &[("config.json", b"{}")]);
    let (status, _) = world
        .service
        .patch("/api/mirror/targets/nas", json!({"schedule": {"at": "02:00"}}))
        .await;
    assert_eq!(status, 200);
    // Its time went by while the service was down.
    let dir = world.service.stop().await;
    let database = dir.path().join(".local/share/hfdepot/hfdepot.db");
    let store = hfdepot::store::Store::open(&database).await.expect("a database");
    let target = store.target("nas").await.unwrap().expect("a target");
    store.advance_target(&target, Some(1)).await.unwrap();
    store.close().await;
    let world = World::start_in(dir).await;
    eventually(async || {
        let (_, runs) = world.service.get("/api/mirror/runs?target=nas").await;
        runs["runs"][0]["status"] == "completed"
    })
    .await;
    assert!(world.diff().await.is_empty());
    let (_, list) = world.service.get("/api/mirror/targets").await;
    assert!(ms(list["targets"][0]["nextRunAt"].as_str().expect("a time")) > hfdepot::clock::now_ms());
}
