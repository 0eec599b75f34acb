//! Copies of the database: made, listed, handed out, and put back.

use std::path::{Path, PathBuf};

use hfdepot::store::{Store, backups};
use serde_json::{Value, json};
use sqlx::Connection;

use crate::support::base::{Base, connect, dump};
use crate::support::depot::names;
use crate::support::process::{Process, output};
use crate::support::service::{NOWHERE, Service};

fn data_dir(home: &Path) -> PathBuf {
    home.join(".local/share/hfdepot")
}

async fn listed(service: &Service) -> Value {
    let (status, answer) = service.get("/api/system/backups").await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn made(service: &Service) -> String {
    let (status, copy) = service.send("POST", "/api/system/backups").await;
    assert_eq!(status, 201, "{copy}");
    copy["name"].as_str().expect("a name").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_now_is_listed_and_comes_whole_over_http() {
    let service = Service::start(NOWHERE).await;
    assert_eq!(listed(&service).await["backups"], json!([]));
    let job = service.submit("acme/one").await;
    let name = made(&service).await;
    let all = listed(&service).await;
    let copy = &all["backups"][0];
    assert_eq!(
        (&copy["name"], &copy["label"], &copy["usable"]),
        (&json!(name), &json!("manual"), &json!(true))
    );
    assert_eq!(copy["schemaVersion"], all["schemaVersion"]);
    let file = data_dir(service.home()).join("backups").join(&name);
    assert_eq!(copy["size"], file.metadata().unwrap().len());

    let response = service
        .request("GET", &format!("/api/system/backups/{name}"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.sqlite3");
    assert_eq!(
        response.headers()["content-disposition"],
        format!("attachment; filename=\"{name}\"").as_str()
    );
    assert_eq!(response.content_length(), copy["size"].as_u64());
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("hfdepot.db");
    std::fs::write(&path, response.bytes().await.unwrap()).unwrap();
    let restored = Store::open(&path).await.unwrap();
    assert!(restored.job(&job.parse().unwrap()).await.unwrap().is_some());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_leads_out_of_the_folder_of_the_copies() {
    let service = Service::start(NOWHERE).await;
    made(&service).await;
    let folder = data_dir(service.home()).join("backups");
    std::os::unix::fs::symlink("../hfdepot.db", folder.join("hfdepot-1764410400000-link.db")).unwrap();
    std::fs::write(folder.join("mine.db"), "mine").unwrap();
    for name in [
        "hfdepot-1764410400000-daily.db",
        "hfdepot-1764410400000-link.db",
        "mine.db",
        "..%2Fhfdepot.db",
        "hfdepot-1764410400000-%2e%2e%2f%2e%2e%2fhfdepot.db",
        "%00",
    ] {
        let (status, answer) = service.get(&format!("/api/system/backups/{name}")).await;
        assert!(status == 404 || status == 400, "{name}: {status} {answer}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_by_hand_never_push_the_daily_ones_out_and_a_spoiled_one_shows() {
    let service = Service::start(NOWHERE).await;
    let folder = data_dir(service.home()).join("backups");
    let first = made(&service).await;
    std::fs::copy(folder.join(&first), folder.join("hfdepot-1764410400000-daily.db")).unwrap();
    std::fs::write(folder.join("hfdepot-1764410400001-daily.db"), "no database").unwrap();
    std::fs::write(
        folder.join("hfdepot-1764410400002-daily.db.half"),
        "left by a crash",
    )
    .unwrap();
    for _ in 0..8 {
        made(&service).await;
    }
    let all = listed(&service).await;
    let of = |label: &str| {
        let list = all["backups"].as_array().unwrap().iter();
        list.filter(|copy| copy["label"] == label).count()
    };
    assert_eq!((of("manual"), of("daily"), &all["kept"]), (7, 2, &json!(7)));
    assert!(!names(&folder).contains(&first), "the oldest of its sort went");
    assert!(
        names(&folder).iter().all(|name| name.ends_with(".db")),
        "{:?}",
        names(&folder)
    );
    let spoiled = all["backups"].as_array().unwrap().iter();
    let spoiled = spoiled
        .clone()
        .find(|copy| copy["name"] == "hfdepot-1764410400001-daily.db")
        .unwrap();
    assert_eq!(
        (&spoiled["schemaVersion"], &spoiled["usable"]),
        (&Value::Null, &json!(false))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_gets_the_file_of_a_copy() {
    let flags = [
        "--auth-user",
        "ann",
        "--auth-pass",
        "a long password",
        "--endpoint",
        NOWHERE,
    ];
    let service = Service::start_with(&flags).await;
    let name = made(&service).await;
    let path = format!("/api/system/backups/{name}");
    for (scope, file) in [("read", 403), ("enqueue", 403), ("admin", 200)] {
        let (_, key) = service
            .post("/api/keys", json!({"name": scope, "scope": scope}))
            .await;
        let ask = |path: &str| {
            let url = format!("http://{}{path}", service.address);
            reqwest::Client::new()
                .get(url)
                .header("x-api-key", key["key"].as_str().unwrap())
                .send()
        };
        assert_eq!(ask("/api/system/backups").await.unwrap().status(), 200, "{scope}");
        assert_eq!(ask(&path).await.unwrap().status(), file, "{scope}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_put_back_and_what_was_there_is_kept() {
    let service = Service::start(NOWHERE).await;
    let old = service.submit("acme/old").await;
    let name = made(&service).await;
    let new = service.submit("acme/new").await;
    let dir = service.stop().await;
    let data = data_dir(dir.path());
    let before = dump(&data.join("hfdepot.db")).await;

    let (code, list, _) = output(dir.path(), &["restore"]);
    assert!(
        code == Some(0) && list.starts_with(&name) && list.lines().count() == 1,
        "{list}"
    );
    let (code, told, stderr) = output(dir.path(), &["restore", &name]);
    assert_eq!(code, Some(0), "{stderr}");
    let kept = names(&data)
        .into_iter()
        .find(|name| name.starts_with("replaced-"))
        .unwrap();
    assert!(told.contains(&name) && told.contains(&kept), "{told}");
    assert_eq!(dump(&data.join(&kept).join("hfdepot.db")).await, before);
    assert!(
        !names(&data).iter().any(|name| name.contains("restored")),
        "{:?}",
        names(&data)
    );

    let service = Service::start_in(dir, &["--endpoint", NOWHERE]).await;
    assert_eq!(service.get(&format!("/api/jobs/{old}")).await.0, 200);
    assert_eq!(service.get(&format!("/api/jobs/{new}")).await.0, 404);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_restored_while_the_service_runs() {
    let home = tempfile::tempdir().unwrap();
    let process = Process::serve(home.path(), &["--endpoint", NOWHERE], &[]);
    let made = reqwest::Client::new()
        .post(format!("{}/api/system/backups", process.url))
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    let before = names(&data_dir(home.path()));
    let (code, stdout, stderr) = output(home.path(), &["restore", made["name"].as_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(stderr.contains("Nothing was restored"), "{stderr}");
    assert_eq!(names(&data_dir(home.path())), before);
    drop(process);
    let (code, ..) = output(home.path(), &["restore", made["name"].as_str().unwrap()]);
    assert_eq!(code, Some(0), "once it has ended it can be");
}

#[tokio::test]
async fn a_copy_that_is_damaged_newer_or_not_there_changes_nothing() {
    let base = Base::new().await;
    base.submit("o/r").await;
    let copy = base.store.backup(&base.path(), "manual").await.unwrap();
    base.store.close().await;
    let folder = base.dir.path().join("backups");
    let good = std::fs::read(folder.join(copy.name.as_str())).unwrap();
    let spoil = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    spoil("hfdepot-1764410400001-torn.db", &|bytes| {
        bytes.truncate(bytes.len() - 100)
    });
    spoil("hfdepot-1764410400002-empty.db", &Vec::clear);
    spoil("hfdepot-1764410400003-foreign.db", &|bytes| {
        bytes[..16].copy_from_slice(b"not a database!!")
    });
    // The cells of a page somewhere in the middle.
    spoil("hfdepot-1764410400004-flipped.db", &|bytes| {
        bytes[3 * 4096..3 * 4096 + 64].fill(0xff)
    });
    spoil("hfdepot-1764410400005-newer.db", &|_| {});
    let mut newer = connect(&folder.join("hfdepot-1764410400005-newer.db")).await;
    sqlx::raw_sql("UPDATE refinery_schema_history SET version = version + 1000")
        .execute(&mut newer)
        .await
        .unwrap();
    newer.close().await.unwrap();
    let before = std::fs::read(base.path()).unwrap();
    let dir = base.dir.path().to_str().unwrap();
    for (name, expected, word) in [
        ("hfdepot-1764410400001-torn.db", 1, "damaged"),
        ("hfdepot-1764410400002-empty.db", 1, "empty"),
        ("hfdepot-1764410400003-foreign.db", 1, "damaged"),
        ("hfdepot-1764410400004-flipped.db", 1, "damaged"),
        ("hfdepot-1764410400005-newer.db", 4, "schema version"),
        ("hfdepot-1764410400006-absent.db", 1, "There is no copy"),
    ] {
        let (code, _, stderr) = output(base.dir.path(), &["restore", name, "--data-dir", dir]);
        assert_eq!(code, Some(expected), "{name}: {stderr}");
        assert!(stderr.contains(word), "{name}: {stderr}");
        assert!(std::fs::read(base.path()).unwrap() == before, "{name}");
    }
    let left = names(base.dir.path());
    assert!(
        left.iter()
            .all(|name| !name.contains("restored") && !name.starts_with("replaced")),
        "{left:?}"
    );
    let usable = backups(base.dir.path()).await.unwrap();
    assert_eq!(usable.len(), 6, "{usable:?}");
}

#[tokio::test]
async fn the_log_of_the_lost_database_is_kept_and_never_played_into_the_restored_one() {
    let base = Base::new().await;
    let old = base.submit("o/old").await;
    let copy = base.store.backup(&base.path(), "manual").await.unwrap();
    let copied = dump(&base.dir.path().join("backups").join(copy.name.as_str())).await;
    let new = base.submit("o/new").await;
    // As `kill -9` leaves them: the last changes are in the log alone.
    let home = tempfile::tempdir().unwrap();
    let data = data_dir(home.path());
    std::fs::create_dir_all(&data).unwrap();
    for name in ["hfdepot.db", "hfdepot.db-wal"] {
        std::fs::copy(base.dir.path().join(name), data.join(name)).unwrap();
    }
    assert!(data.join("hfdepot.db-wal").metadata().unwrap().len() > 0);
    // A downloaded copy, by its path.
    let from = base.dir.path().join("backups").join(copy.name.as_str());
    let (code, _, stderr) = output(home.path(), &["restore", from.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(dump(&data.join("hfdepot.db")).await, copied);
    let restored = Store::open(&data.join("hfdepot.db")).await.unwrap();
    assert!(restored.job(&old).await.unwrap().is_some() && restored.job(&new).await.unwrap().is_none());
    let kept = names(&data)
        .into_iter()
        .find(|name| name.starts_with("replaced-"))
        .unwrap();
    let kept = Store::open(&data.join(kept).join("hfdepot.db")).await.unwrap();
    assert!(kept.job(&new).await.unwrap().is_some(), "with its log");
}
