//! `cargo sqlx-data` rewrites sqlx-data.json from the queries in the source and ./migrations;
//! `cargo sqlx-data --check` fails when the committed file is not what it would write.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use sqlx::{Connection, sqlite::SqliteConnectOptions};

#[path = "../../../src/store/migrate.rs"]
mod migrate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .ok_or("the crate lies two folders down")?;
    let dir = env::temp_dir().join(format!("hfdepot-sqlx-data-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let options = SqliteConnectOptions::new()
        .filename(dir.join("schema.db"))
        .create_if_missing(true);
    let mut database = sqlx::SqliteConnection::connect_with(&options).await?;
    // Read at run time: an embedded copy goes stale when a file is only added.
    let runner = refinery::Runner::new(&refinery_core::load_sql_migrations(root.join("migrations"))?);
    migrate::run(&mut database, &runner).await?;
    database.close().await?;

    // A target folder of its own: the check must see every query again, and must not
    // disturb the incremental state of ordinary builds.
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), Into::into)
        .join("sqlx-data");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["check", "--quiet", "--package", "hfdepot", "--lib"])
        .env("CARGO_TARGET_DIR", target)
        .env("HFDEPOT_SQLX_LIVE", &dir)
        .status()?;
    let mut queries = BTreeMap::new();
    for entry in fs::read_dir(&dir)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let Some(hash) = name.strip_prefix("query-") else {
            continue;
        };
        let query: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
        queries.insert(hash.to_owned(), query);
    }
    fs::remove_dir_all(&dir)?;
    if !status.success() {
        return Err("the queries do not check against the migrations".into());
    }
    let fresh = serde_json::to_string_pretty(&queries)? + "\n";
    let file = root.join("sqlx-data.json");
    if env::args().nth(1).as_deref() != Some("--check") {
        fs::write(&file, fresh)?;
    } else if fs::read_to_string(&file)? != fresh {
        return Err("sqlx-data.json is not current: run `make sqlx-data`".into());
    }
    println!("{} queries", queries.len());
    Ok(())
}
