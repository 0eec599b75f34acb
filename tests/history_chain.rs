//! The chain of seals: whatever is changed behind the back of the service is found.

use hfdepot::model::history::ChainReport;
use hfdepot::model::state::FileState;
use hfdepot::store::{Change, FileSettled, History, Outcome, Store};

use crate::support::base::{Base, commit, connect, dump, failed, file};

/// Jobs that ended in every way, some twice, with files: some thirty sealed rows.
async fn filled() -> Base {
    let base = Base::new().await;
    for n in 0..3 {
        let id = base.submit(&format!("o/done{n}")).await;
        let lease = base.claim().await.lease;
        let files = [file("a.bin", 'a'), file("b \"q\".json", 'b')];
        base.store.store_plan(&lease, &commit(), &files).await.unwrap();
        if n == 2 {
            base.store.settle(&lease, &failed()).await.unwrap();
            base.change(&id, Change::Retry).await.unwrap();
            base.change(&id, Change::Cancel).await.unwrap();
            continue;
        }
        let rows = base.store.files(&id, 10, 0).await.unwrap();
        let settled = rows.iter().map(|row| FileSettled {
            id: row.id,
            state: FileState::Complete,
            verification: "sha256",
            failure: None,
        });
        let settled: Vec<_> = settled.collect();
        base.store.settle_files(&lease, &settled, &[]).await.unwrap();
        base.store.settle(&lease, &Outcome::Completed).await.unwrap();
        base.change(&id, Change::Dismiss).await.unwrap();
    }
    base
}

async fn verify(base: &Base) -> ChainReport {
    base.store.history().verify(None).await.unwrap()
}

/// What verification says after `sql` was run behind the back of a fresh history: reason, table, seq.
async fn after(sql: &str) -> (String, String, i64) {
    let base = filled().await;
    assert!(verify(&base).await.ok);
    base.sql(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let report = verify(&base).await;
    let bad = report.first_bad.unwrap_or_else(|| panic!("{sql} is not found"));
    assert!(!report.ok);
    (bad.reason, bad.table, bad.seq)
}

fn said(reason: &str, table: &str, seq: i64) -> (String, String, i64) {
    (reason.to_owned(), table.to_owned(), seq)
}

#[tokio::test]
async fn every_row_is_sealed_by_the_commit_that_makes_it() {
    let base = filled().await;
    let report = verify(&base).await;
    assert!(report.ok, "{report:?}");
    assert_eq!((report.history, report.events), (4, 13));
    assert_eq!(report.checked, report.head_position);
    assert_eq!(report.anchor, "0".repeat(64));
    let mut beside = connect(&base.path()).await;
    let open: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM event WHERE chain_hash IS NULL) + (SELECT COUNT(*) FROM history WHERE chain_hash IS NULL)",
    )
    .fetch_one(&mut beside)
    .await
    .unwrap();
    assert_eq!(open, 0);
    let offline = History::open(&base.path()).await.unwrap();
    assert_eq!(offline.verify(None).await.unwrap(), report);
}

#[tokio::test]
async fn a_change_of_any_column_is_found() {
    let base = filled().await;
    let mut beside = connect(&base.path()).await;
    for table in ["event", "history"] {
        let columns: Vec<(String, String)> =
            sqlx::query_as("SELECT name, type FROM pragma_table_info(?) WHERE name <> 'seq'")
                .bind(table)
                .fetch_all(&mut beside)
                .await
                .unwrap();
        assert!(columns.len() > 10);
        for (column, kind) in columns {
            let other = match (column.as_str(), kind.as_str()) {
                ("level", _) => "CASE level WHEN 'info' THEN 'warn' ELSE 'info' END".to_owned(),
                ("status", _) => "CASE status WHEN 'failed' THEN 'completed' ELSE 'failed' END".to_owned(),
                ("verification", _) => "CASE verification WHEN 'hash' THEN 'size' ELSE 'hash' END".to_owned(),
                ("layout", _) => "CASE layout WHEN 'cache' THEN 'local' ELSE 'cache' END".to_owned(),
                ("route_key", _) => "'audio'".to_owned(),
                ("link_mode", _) => "CASE link_mode WHEN 'auto' THEN 'copy' ELSE 'auto' END".to_owned(),
                // It is there in the local layout only.
                ("local_repo", _) => "'a/b', layout = 'local'".to_owned(),
                ("filters" | "excludes" | "tags", _) => "'[\"x\"]'".to_owned(),
                ("exact_match" | "append_filter_subdir", _) => format!("1 - {column}"),
                ("files_sha256" | "chain_hash", _) => "zeroblob(32)".to_owned(),
                (_, "INTEGER") => format!("COALESCE({column}, 0) + 1"),
                _ => format!("COALESCE({column}, '') || 'x'"),
            };
            let sql = format!("UPDATE {table} SET {column} = {other} WHERE seq = 2");
            let (reason, found, seq) = after(&sql).await;
            // Where its place was changed, it stands elsewhere now.
            let expected: &[&str] = match column.as_str() {
                "chain_position" => &["reordered", "removed"],
                _ => &["changed"],
            };
            assert!(expected.contains(&reason.as_str()), "{sql}: {reason}");
            assert!(
                column == "chain_position" || (found == table && seq == 2),
                "{sql}: {found} {seq}"
            );
        }
    }
}

#[tokio::test]
async fn a_removed_row_is_found_wherever_it_stood() {
    for table in ["event", "history"] {
        let last = if table == "event" { 13 } else { 4 };
        for seq in 1..last {
            let found = after(&format!("DELETE FROM {table} WHERE seq = {seq}")).await;
            assert_eq!(found, said("removed", table, seq));
        }
        let (reason, found, seq) = after(&format!("DELETE FROM {table} WHERE seq >= {last}")).await;
        assert!(["removed", "truncated"].contains(&reason.as_str()), "{reason}");
        assert_eq!((found.as_str(), seq), (table, last));
    }
    // Everything, and the newest rows together with the head that knows of them.
    assert_eq!(
        after("DELETE FROM event; DELETE FROM history").await.0,
        "truncated"
    );
    let cut = "DELETE FROM event WHERE chain_position > 10; DELETE FROM history WHERE chain_position > 10;
               UPDATE chain SET position = 10, event_seq = (SELECT MAX(seq) FROM event),
                   history_seq = (SELECT MAX(seq) FROM history),
                   hash = (SELECT chain_hash FROM event WHERE chain_position = 10
                           UNION SELECT chain_hash FROM history WHERE chain_position = 10)";
    assert_eq!(after(cut).await.0, "truncated");
}

#[tokio::test]
async fn rows_that_change_places_or_come_from_elsewhere_are_found() {
    let swap_numbers = "UPDATE event SET seq = 1000 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 5;
                        UPDATE event SET seq = 5 WHERE seq = 1000";
    assert_eq!(after(swap_numbers).await, said("reordered", "event", 5));
    let swap_content =
        "UPDATE event SET detail = (SELECT detail || 'x' FROM event WHERE seq = 4) WHERE seq = 3";
    assert_eq!(after(swap_content).await, said("changed", "event", 3));
    let inserted = "INSERT INTO event (job_id, event, actor, at) VALUES ('x', 'made up', 'ann', 1)";
    assert_eq!(after(inserted).await, said("inserted", "event", 14));
    let between = "DELETE FROM event WHERE seq = 3; INSERT INTO event (seq, job_id, event, actor, at) VALUES (3, 'x', 'made up', 'ann', 1)";
    assert_eq!(after(between).await, said("inserted", "event", 3));
    let no_text = "UPDATE event SET detail = CAST(x'ff' AS TEXT) WHERE seq = 3";
    assert_eq!(after(no_text).await, said("changed", "event", 3));
}

#[tokio::test]
async fn a_row_that_came_past_the_service_is_never_sealed_by_it() {
    let base = filled().await;
    base.sql("INSERT INTO event (job_id, event, actor, at) VALUES ('x', 'made up', 'ann', 1)")
        .await
        .unwrap();
    base.submit("o/next").await;
    base.store.close().await;
    let again = Store::open(&base.path()).await.unwrap();
    let bad = again.history().verify(None).await.unwrap().first_bad.unwrap();
    assert_eq!((bad.reason.as_str(), bad.seq), ("inserted", 14));
}

#[tokio::test]
async fn the_files_of_an_end_are_sealed_with_it() {
    assert_eq!(
        after("UPDATE history_files SET packed = zeroblob(40) WHERE history_seq = 1").await,
        said("files_changed", "history", 1)
    );
    let other = "UPDATE history_files SET packed = (SELECT packed FROM history_files WHERE history_seq = 3) WHERE history_seq = 2";
    assert_eq!(after(other).await, said("files_changed", "history", 2));
    assert_eq!(
        after("DELETE FROM history_files WHERE history_seq = 2").await,
        said("files_removed", "history", 2)
    );
}

#[tokio::test]
async fn a_noted_head_proves_that_the_chain_was_not_written_anew() {
    let base = filled().await;
    let noted = verify(&base).await.head;
    let bytes: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(&noted[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    base.submit("o/later").await;
    let history = base.store.history();
    assert!(history.verify(Some(bytes.try_into().unwrap())).await.unwrap().ok);
    let bad = history.verify(Some([7; 32])).await.unwrap().first_bad.unwrap();
    assert_eq!(bad.reason, "unknown_head");
}

#[tokio::test]
async fn retention_drops_the_oldest_rows_and_the_rest_is_still_proven() {
    let base = filled().await;
    let before = verify(&base).await;
    assert_eq!(
        base.store.purge_history(60_000).await.unwrap(),
        0,
        "all are young"
    );
    // Rows of another time, written by the service itself.
    base.sql(
        "DROP TRIGGER job_queued; CREATE TRIGGER job_queued AFTER INSERT ON job BEGIN
                  INSERT INTO event (job_id, event, to_status, actor, at)
                  VALUES (NEW.id, 'queued', NEW.status, NEW.actor, 5); END",
    )
    .await
    .unwrap();
    base.submit("o/young").await;
    assert_eq!(
        base.store.purge_history(60_000).await.unwrap(),
        0,
        "only what stands at the old end goes"
    );
    let all = base.store.purge_history(-60_000).await.unwrap();
    assert_eq!(all, before.checked as u64 + 1);
    let id = base.submit("o/new").await;
    base.change(&id, Change::Cancel).await.unwrap();
    let report = verify(&base).await;
    assert!(report.ok, "{report:?}");
    assert_eq!((report.anchor_position, report.checked), (18, 3));
    assert_ne!(report.anchor, "0".repeat(64));
    base.sql("UPDATE chain SET anchor_hash = zeroblob(32)")
        .await
        .unwrap();
    assert!(!verify(&base).await.ok);
}

#[tokio::test]
async fn a_history_from_before_the_chain_is_sealed_once_at_the_start() {
    let base = filled().await;
    // As the migration finds it.
    base.sql("UPDATE event SET chain_position = NULL, chain_hash = NULL;
              UPDATE history SET chain_position = NULL, chain_hash = NULL, files_sha256 = NULL, verification = '';
              DELETE FROM history_files; DELETE FROM chain;
              INSERT INTO chain (id, position, hash, event_seq, history_seq, anchor_hash)
              VALUES (1, 0, zeroblob(32), 0, 0, zeroblob(32))")
        .await
        .unwrap();
    assert!(!verify(&base).await.ok);
    base.store.close().await;
    let store = Store::open(&base.path()).await.unwrap();
    let report = store.history().verify(None).await.unwrap();
    assert!(report.ok && report.checked == 17, "{report:?}");
    let rows = dump(&base.path()).await;
    store.close().await;
    Store::open(&base.path()).await.unwrap().close().await;
    assert_eq!(dump(&base.path()).await, rows, "once");
}

#[tokio::test]
async fn ends_from_before_destinations_were_kept_stay_proven_beside_newer_ones() {
    let sealed_without = async || {
        let base = filled().await;
        base.sql("UPDATE event SET chain_position = NULL, chain_hash = NULL;
                  UPDATE history SET chain_position = NULL, chain_hash = NULL, files_sha256 = NULL, verification = '',
                         layout = NULL, local_repo = NULL, route_key = NULL, link_mode = NULL;
                  DELETE FROM history_files; DELETE FROM chain;
                  INSERT INTO chain (id, position, hash, event_seq, history_seq, anchor_hash)
                  VALUES (1, 0, zeroblob(32), 0, 0, zeroblob(32))")
            .await
            .unwrap();
        base.store.close().await;
        let store = Store::open(&base.path()).await.unwrap();
        let id = store.jobs(&Default::default()).await.unwrap()[0].id.clone();
        store.change(&id, Change::Retry, "ann").await.unwrap().unwrap();
        store.change(&id, Change::Cancel, "ann").await.unwrap().unwrap();
        (base, store)
    };
    let (_base, store) = sealed_without().await;
    assert!(store.history().verify(None).await.unwrap().ok);
    let query = hfdepot::store::HistoryQuery {
        limit: 10,
        ..Default::default()
    };
    let ends = store.history().list(&query).await.unwrap();
    let layouts: Vec<_> = ends.iter().map(|end| end.layout.as_deref()).collect();
    assert_eq!(layouts, [Some("cache"), None, None, None, None]);
    assert_eq!(ends[1].hub_dir, ends[1].output_dir);
    store.close().await;
    for (seq, change) in [
        (1, "layout = 'cache'"),
        (1, "link_mode = 'auto'"),
        (5, "layout = NULL"),
        (5, "layout = NULL, link_mode = NULL"),
    ] {
        let (base, store) = sealed_without().await;
        base.sql(&format!("UPDATE history SET {change} WHERE seq = {seq}"))
            .await
            .unwrap();
        let bad = store.history().verify(None).await.unwrap().first_bad;
        let bad = bad.unwrap_or_else(|| panic!("{change} of {seq} is not found"));
        assert_eq!(
            (bad.reason.as_str(), bad.seq),
            ("changed", seq),
            "{change} of {seq}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_jumps_back_changes_neither_order_nor_chain() {
    let base = filled().await;
    base.sql(
        "UPDATE job SET created_at = created_at + 1000000000000, updated_at = updated_at + 1000000000000",
    )
    .await
    .unwrap();
    let id = base.submit("o/after").await;
    base.change(&id, Change::Cancel).await.unwrap();
    let newest = hfdepot::store::HistoryQuery {
        limit: 1,
        ..Default::default()
    };
    assert_eq!(
        base.store.history().list(&newest).await.unwrap()[0].id,
        id.as_str()
    );
    assert!(verify(&base).await.ok);
}
