//! The recorded queries: they belong to the source and to the migrations, and those that run
//! on every turn of the worker read no whole table.
//!
//! The full check, `cargo sqlx-data --check`, compiles the crate once more; `make test` runs it.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Column, Connection, Executor, Row, SqlSafeStr, SqliteConnection, Statement};

fn recorded() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("../sqlx-data.json")).expect("sqlx-data.json is JSON")
}

fn text(query: &Value) -> String {
    query["query"].as_str().expect("a query").to_owned()
}

async fn schema() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:")
        .await
        .expect("SQLite");
    for sql in crate::support::migrations::migrations() {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .expect("the schema");
    }
    connection
}

#[tokio::test]
async fn every_recorded_query_prepares_with_the_columns_that_were_recorded() {
    let mut database = schema().await;
    let recorded = recorded();
    assert!(recorded.len() > 50);
    for (hash, query) in recorded {
        let sql = text(&query);
        let digest: String = Sha256::digest(&sql)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hash, digest, "{sql}");
        let statement = database
            .prepare(AssertSqlSafe(sql.clone()).into_sql_str())
            .await
            .unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let columns: Vec<_> = statement.columns().iter().map(|column| column.name()).collect();
        let described = query["describe"]["columns"].as_array().expect("columns");
        let described: Vec<_> = described
            .iter()
            .map(|c| c["name"].as_str().unwrap_or(""))
            .collect();
        assert_eq!(columns, described, "{sql}");
        let nullable = query["describe"]["nullable"].as_array().expect("nullability");
        assert_eq!(nullable.len(), columns.len(), "{sql}");
    }
}

#[tokio::test]
async fn no_query_of_the_worker_reads_a_whole_table() {
    let mut database = schema().await;
    // Asked by people, or once a day: (how it begins, what it may scan).
    let slow = [
        ("SELECT name, value FROM setting", "SCAN setting"),
        ("SELECT status AS", "SCAN job USING INDEX job_status"),
        ("SELECT COUNT(*) AS \"count!: i64\" FROM history", "SCAN history"),
        ("SELECT date(ended_at / 1000", "SCAN history"),
        // Pages of the record, whose limit ends the walk from the newest on.
        ("SELECT seq, job_id, kind, repo_type", "SCAN history"),
        ("SELECT seq AS \"seq!\", job_id, COALESCE", "SCAN event"),
        ("SELECT seq AS \"seq!\", job_id, COALESCE", "SCAN history"),
        ("SELECT seq AS \"seq!\", job_id, COALESCE", "SCAN job"),
        // One row: the two ends of the chain.
        ("SELECT position, hash", "SCAN chain"),
        ("SELECT anchor_position FROM chain", "SCAN chain"),
        ("UPDATE chain SET", "SCAN chain"),
        ("SELECT seq, job_id, event, from_status", "SCAN chain"),
        ("SELECT seq, job_id, kind, repo_type", "SCAN chain"),
        // The files of one job.
        ("SELECT json_group_array", "SCAN (subquery"),
        // Once an hour.
        ("DELETE FROM speed", "SCAN speed"),
        ("DELETE FROM speed", "SCAN job"),
        ("SELECT * FROM history", "SCAN history"),
        // A dashboard asks for it; an index has it all.
        ("SELECT name, path FROM mirror_target", "SCAN mirror_target"),
        ("SELECT id FROM job_shown", "SCAN job"),
        ("SELECT value FROM limits", "SCAN limits"),
        ("SELECT COUNT(*) AS \"count!: i64\" FROM job_shown", "SCAN job"),
        ("SELECT error_code AS", "SCAN job USING COVERING INDEX job_failed"),
        ("SELECT destination, COUNT(*)", "SCAN job USING INDEX job_waiting"),
        ("SELECT seq, max_speed", "SCAN job USING INDEX job_leased"),
        ("DELETE FROM job WHERE lease_owner IS NULL", "SCAN job"),
        // The list, whose limit ends the walk along the order of creation.
        ("SELECT seq AS \"seq!\", id, kind", "SCAN job"),
        // Rows with a lease, and part files: as few as there is work in progress.
        (
            "UPDATE job SET state = CASE intent",
            "SCAN job USING INDEX job_leased",
        ),
        (
            "SELECT seq, lease_epoch, intent",
            "SCAN job USING INDEX job_leased",
        ),
        (
            "UPDATE job SET state = 'running'",
            "SCAN job USING INDEX job_leased",
        ),
        ("SELECT repo_type AS", "SCAN job USING INDEX job_leased"),
        // After a leap of the clock, and at start.
        ("UPDATE job SET ready_at = ?1", "SCAN job USING INDEX job_waiting"),
        ("SELECT part.id, part.folder", "SCAN part"),
        ("SELECT name, path, description", "SCAN mirror_target"),
        // Once for each deletion in the cache.
        ("SELECT id FROM job WHERE destination", "SCAN job"),
        (
            "SELECT id FROM job WHERE lease_owner IS NOT NULL",
            "SCAN job USING INDEX job_leased",
        ),
        // The live jobs, for each repo that a check reads.
        ("SELECT file.blob_id, job.id", "SCAN job USING INDEX job_leased"),
        ("SELECT file.blob_id, job.id", "SCAN live"),
        ("SELECT DISTINCT file.blob_id", "SCAN file USING INDEX file_blob"),
        // The files that a request named, found by their paths.
        ("UPDATE file SET priority = wanted", "SCAN wanted"),
        // As few as there are keys.
        ("SELECT id, name, scope, prefix", "SCAN api_key"),
        // The library page: as few groups as contents are shared.
        ("SELECT twin.repo_id", "SCAN many"),
    ];
    for query in recorded().values() {
        let sql = text(query).split_whitespace().collect::<Vec<_>>().join(" ");
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text(query))))
            .fetch_all(&mut database)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        for step in steps.iter().filter(|step| step.starts_with("SCAN ")) {
            let harmless = step.contains("VIRTUAL TABLE") || step == "SCAN CONSTANT ROW";
            let known = slow
                .iter()
                .any(|(begin, scan)| sql.starts_with(begin) && step.starts_with(scan));
            assert!(harmless || known, "{step}\n{sql}");
        }
        // A list from the caller is walked once; never again for each row of a table.
        let list = steps.iter().position(|step| step.starts_with("SCAN json_each"));
        if sql.starts_with("UPDATE") && sql.contains("AS news") {
            assert_eq!(list, Some(0), "{steps:#?}\n{sql}");
        }
    }
}
