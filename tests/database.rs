//! The database file: made, found, damaged, too new, copied, locked by others.

use std::path::Path;
use std::time::Duration;

use hfdepot::model::destination::Destination;
use hfdepot::store::{Change, JobsQuery, Store, StoreError, Submitted};
use refinery::{Migration, Runner};
use sqlx::Connection;

use crate::support::base::{Base, commit, connect, dump, file};
use crate::support::depot::{names, request};

// The adapter alone: the store itself knows only its own migrations.
#[path = "../src/store/migrate.rs"]
#[allow(dead_code)]
mod migrate;

const PAGE: usize = 4096;

/// A closed database with jobs, files, events and history, and its bytes.
async fn filled() -> (Base, Vec<u8>) {
    let base = Base::new().await;
    let ids = [base.submit("o/a").await, base.submit("o/b").await];
    base.submit("o/c").await;
    let lease = base.claim().await.lease;
    let files: Vec<_> = (0..200).map(|n| file(&format!("folder/{n}.bin"), 'a')).collect();
    base.store.store_plan(&lease, &commit(), &files).await.unwrap();
    base.change(&ids[1], Change::Cancel).await.unwrap();
    base.store.close().await;
    let bytes = std::fs::read(base.path()).unwrap();
    assert!(bytes.len() > 20 * PAGE);
    (base, bytes)
}

/// Opens `bytes` as a database: whether it is healthy. Refused ones must stay as they are.
async fn opens(bytes: &[u8], what: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hfdepot.db");
    std::fs::write(&path, bytes).unwrap();
    match Store::open(&path).await {
        Ok(store) => {
            match store.jobs(&JobsQuery::default()).await {
                Ok(_) | Err(StoreError::Unreadable { .. } | StoreError::Database(_)) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            true
        }
        Err(error) => {
            let named = matches!(
                error,
                StoreError::Damaged { .. } | StoreError::Migrate(_) | StoreError::NewerSchema { .. }
            );
            assert!(named, "{what}: {error:?}");
            assert!(
                std::fs::read(&path).unwrap() == bytes,
                "{what}: the file was changed"
            );
            false
        }
    }
}

#[tokio::test]
async fn a_database_is_found_again_with_all_its_rows() {
    let (base, _) = filled().await;
    let before = base.dump().await;
    for _ in 0..2 {
        Store::open(&base.path()).await.unwrap().close().await;
    }
    assert_eq!(base.dump().await, before);
    assert!(!base.dir.path().join("backups").exists(), "nothing was migrated");
    assert!(names(base.dir.path()).iter().all(|name| !name.contains(".new")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_stores_that_open_at_once_make_one_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hfdepot.db");
    let opened = (0..8).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { Store::open(&path).await })
    });
    let mut jobs = 0;
    for store in futures_util::future::join_all(opened).await {
        let store = store.unwrap().unwrap();
        let made = store
            .submit(
                &request("o/r"),
                &Destination::cache(format!("/{jobs}")),
                hfdepot::model::job::Verify::Size,
                "ann",
            )
            .await
            .unwrap();
        assert!(matches!(made, Submitted::New(_)));
        jobs += 1;
        assert_eq!(store.jobs(&JobsQuery::default()).await.unwrap().len(), jobs);
    }
    assert!(
        names(dir.path()).iter().all(|name| !name.contains(".new")),
        "{:?}",
        names(dir.path())
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_of_ours_is_refused_and_left_as_it_is() {
    assert!(!opens(b"", "empty").await);
    assert!(!opens(b"not a database", "short text").await);
    assert!(!opens(&[0; 3 * PAGE], "zeros").await);
    let garbage: Vec<u8> = (0..5 * PAGE).map(|n| ((n * 7919) >> 3) as u8).collect();
    assert!(!opens(&garbage, "garbage").await);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display()))
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE bookmark (url TEXT)")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    assert!(!opens(&std::fs::read(&path).unwrap(), "of another program").await);
}

#[tokio::test]
async fn a_truncated_database_is_refused_at_every_page() {
    let (_base, bytes) = filled().await;
    for pages in 0..bytes.len() / PAGE {
        let what = format!("{pages} pages");
        assert!(!opens(&bytes[..pages * PAGE], &what).await, "{what}");
    }
    assert!(!opens(&bytes[..bytes.len() - 1], "one byte").await);
    assert!(opens(&bytes, "whole").await);
}

#[tokio::test]
async fn a_flipped_byte_anywhere_is_borne_or_refused() {
    let (_base, bytes) = filled().await;
    let header = 0..100;
    let spread = (0..120).map(|n| 100 + n * (bytes.len() - 100) / 120);
    let mut refused = 0;
    for offset in header.chain(spread) {
        let mut flipped = bytes.clone();
        flipped[offset] ^= 0xff;
        refused += usize::from(!opens(&flipped, &format!("byte {offset}")).await);
    }
    assert!(refused > 20, "only {refused} were refused");
}

#[tokio::test]
async fn a_newer_database_is_refused_with_both_versions_and_left_as_it_is() {
    let (base, _) = filled().await;
    base.sql(
        "INSERT INTO refinery_schema_history SELECT version * 2, 'later', applied_on, checksum FROM refinery_schema_history ORDER BY version DESC LIMIT 1;
         PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .await
    .unwrap();
    let bytes = std::fs::read(base.path()).unwrap();
    let Err(error) = Store::open(&base.path()).await else {
        panic!("it was opened");
    };
    let StoreError::NewerSchema { found, known, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(found, 2 * known);
    assert!(std::fs::read(base.path()).unwrap() == bytes);
}

#[tokio::test]
async fn backups_are_whole_the_newest_seven_stay_and_no_other_file_is_touched() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let folder = base.dir.path().join("backups");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a-copy-of-mine.db"), "mine").unwrap();
    // A refused command must not stand in the way of a copy.
    assert!(base.change(&id, Change::Resume).await.is_err());
    let mut last = None;
    for n in 0..9 {
        let copy = base
            .store
            .backup(&base.path(), &format!("test-{n}"))
            .await
            .unwrap();
        last = Some(folder.join(copy.name.as_str()));
    }
    let kept = names(&folder);
    assert_eq!(kept.len(), 8, "{kept:?}");
    assert!(kept.iter().any(|name| name == "a-copy-of-mine.db"));
    assert!(kept.iter().any(|name| name.ends_with("-test-2.db")), "{kept:?}");
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("hfdepot.db");
    std::fs::copy(last.unwrap(), &path).unwrap();
    let restored = Store::open(&path).await.unwrap();
    assert!(restored.job(&id).await.unwrap().is_some());
    assert_eq!(dump(&path).await, base.dump().await);
}

#[tokio::test]
async fn the_log_that_a_killed_process_left_is_played_in() {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("hfdepot.db");
    let log = base.dir.path().join("hfdepot.db-wal");
    assert!(log.metadata().unwrap().len() > 0, "the job is in the log");
    std::fs::copy(base.path(), &path).unwrap();
    std::fs::copy(&log, elsewhere.path().join("hfdepot.db-wal")).unwrap();
    let store = Store::open(&path).await.unwrap();
    assert!(store.job(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_log_without_its_database_is_kept_for_the_user() {
    let base = Base::new().await;
    base.submit("o/r").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let (path, log) = (
        elsewhere.path().join("hfdepot.db"),
        elsewhere.path().join("hfdepot.db-wal"),
    );
    std::fs::copy(base.dir.path().join("hfdepot.db-wal"), &log).unwrap();
    let bytes = std::fs::read(&log).unwrap();
    assert!(matches!(
        Store::open(&path).await,
        Err(StoreError::Damaged { .. })
    ));
    assert_eq!(names(elsewhere.path()), ["hfdepot.db-wal"]);
    assert!(std::fs::read(&log).unwrap() == bytes);
}

#[tokio::test]
async fn a_write_waits_while_another_program_holds_the_database() {
    let base = Base::new().await;
    let mut other = connect(&base.path()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let mut submit = Box::pin(base.submit("o/r"));
    let early = tokio::time::timeout(Duration::from_secs(1), &mut submit).await;
    assert!(early.is_err(), "it does not go past the lock");
    assert!(
        base.store.jobs(&JobsQuery::default()).await.unwrap().is_empty(),
        "readers do not wait"
    );
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let id = submit.await;
    assert!(base.store.job(&id).await.unwrap().is_some());
}

async fn migrated(path: &Path, second: Option<&str>) -> Result<(), migrate::MigrateError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut migrations: Vec<_> = names(&folder)
        .iter()
        .map(|name| {
            let sql = std::fs::read_to_string(folder.join(name)).unwrap();
            Migration::unapplied(name.trim_end_matches(".sql"), &sql).unwrap()
        })
        .collect();
    migrations.sort();
    migrations.extend(second.map(|sql| Migration::unapplied("V999__later", sql).unwrap()));
    let mut connection = connect(path).await;
    migrate::run(&mut connection, &Runner::new(&migrations))
        .await
        .map(drop)
}

#[tokio::test]
async fn a_migration_of_a_filled_database_is_whole_or_absent_and_happens_once() {
    let (base, _) = filled().await;
    let before = base.dump().await;
    let broken = "ALTER TABLE job ADD COLUMN note TEXT NOT NULL DEFAULT ''; SELECT nonsense;";
    assert!(migrated(&base.path(), Some(broken)).await.is_err());
    assert_eq!(base.dump().await, before);
    let sound = "ALTER TABLE file ADD COLUMN note TEXT NOT NULL DEFAULT 'none';";
    let path = base.path();
    let (one, two) = tokio::join!(migrated(&path, Some(sound)), migrated(&path, Some(sound)));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let after = base.dump().await;
    let files = |dump: &str| dump.lines().filter(|line| line.starts_with("file:")).count();
    assert_eq!((files(&before), files(&after)), (200, 200));
    assert!(after.contains("|'none'"));
    assert!(
        migrated(&base.path(), None).await.is_err(),
        "an older program does not know the later one"
    );
    let edited = format!("{sound} -- edited");
    assert!(migrated(&base.path(), Some(&edited)).await.is_err());
    assert_eq!(base.dump().await, after);
}
