//! Unpacks `sqlx-data.json` (hash of a query → its checked description) for sqlx's
//! compile-time checked queries. Calls nothing outside: no database, npm or network.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    // A migration that was only added must re-expand `embed_migrations!`.
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=sqlx-data.json");
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-env-changed=HFDEPOT_SQLX_LIVE");

    // Set only by `cargo sqlx-data`: check the queries against its scratch database.
    if let Ok(dir) = env::var("HFDEPOT_SQLX_LIVE") {
        println!("cargo::rustc-env=SQLX_OFFLINE=false");
        println!("cargo::rustc-env=SQLX_OFFLINE_DIR={dir}");
        println!("cargo::rustc-env=DATABASE_URL=sqlite://{dir}/schema.db");
        return;
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("sqlx");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).expect("OUT_DIR is writable");
    let text = fs::read("sqlx-data.json")
        .expect("sqlx-data.json stands beside Cargo.toml; `make sqlx-data` writes it");
    let queries: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&text).expect("sqlx-data.json is a JSON object; `make sqlx-data` rewrites it");
    for (hash, query) in &queries {
        fs::write(out.join(format!("query-{hash}.json")), query.to_string()).expect("OUT_DIR is writable");
    }
    println!("cargo::rustc-env=SQLX_OFFLINE=true");
    println!("cargo::rustc-env=SQLX_OFFLINE_DIR={}", out.display());
}
