//! `GET /api/system/checks`: what could stand in the way, each with what to do about it.
//!
//! Looks at this machine only. What it says of the Hub is what the last request to it found: a
//! page that shows this must cost the Hub nothing.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::disk::ask;
use super::state::{App, AppState};
use crate::clock::{now_ms, rfc3339};
use crate::disk;
use crate::model::size::human_size;
use crate::model::state::words;

/// A disk that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long a verdict on the database file is given again: it takes reading the whole file.
const INTEGRITY_FRESH: Duration = Duration::from_secs(3600);
/// 2024-01-01: nobody runs this with a clock that is right and shows less.
const CLOCK_FLOOR_MS: i64 = 1_704_067_200_000;
/// A clock may be set back by so much without a word.
const CLOCK_SLACK_MS: i64 = 60_000;
/// Open files that busy downloads, clients and the database may need.
const OPEN_FILES: u64 = 1024;
/// File systems whose locks and syncs depend on another machine.
const NETWORK: [&str; 10] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "fuse.rclone",
    "ceph",
    "glusterfs",
];

words! {
    /// How something stands.
    CheckStatus {
        /// As it should be.
        Ok = "ok",
        /// Works, but somebody should know.
        Warn = "warn",
        /// Downloads cannot go on, or are in danger.
        Fail = "fail",
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SystemCheck {
    /// Its word.
    name: &'static str,
    status: CheckStatus,
    /// A sentence.
    message: String,
    /// What to do about it; empty when nothing has to be done.
    hint: String,
    /// Since when it has stood so, as far as this process has looked.
    #[schema(format = DateTime)]
    since: String,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemChecks {
    checks: Vec<SystemCheck>,
}

/// What is remembered between two looks.
#[derive(Default)]
pub struct Checks {
    since: Mutex<HashMap<&'static str, (CheckStatus, i64)>>,
    integrity: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
}

impl Checks {
    /// Since when `name` has had this status.
    fn since(&self, name: &'static str, status: CheckStatus) -> i64 {
        let mut known = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry(name).or_insert_with(|| (status, now_ms()));
        if entry.0 != status {
            *entry = (status, now_ms());
        }
        entry.1
    }
}

/// What a look found: status, sentence, hint.
type Look = (CheckStatus, String, String);

fn fine(message: impl Into<String>) -> Look {
    (CheckStatus::Ok, message.into(), String::new())
}

fn warn(message: impl Into<String>, hint: impl Into<String>) -> Look {
    (CheckStatus::Warn, message.into(), hint.into())
}

fn fail(message: impl Into<String>, hint: impl Into<String>) -> Look {
    (CheckStatus::Fail, message.into(), hint.into())
}

/// What stands in the way, and what to do about it
///
/// Asks this machine only; of the Hub it tells what the last request found.
#[utoipa::path(
    get, path = "/api/system/checks", tag = "system", operation_id = "getSystemChecks",
    responses((status = 200, description = "All checks, in a fixed order", body = SystemChecks))
)]
pub async fn show(State(app): State<AppState>) -> Json<SystemChecks> {
    let looks = [
        ("data_dir", data_dir(&app).await),
        ("database", database(&app).await),
        ("cache", cache(&app).await),
        ("disk", room(&app).await),
        ("hub", hub(&app)),
        ("token", token(&app)),
        ("clock", clock(&app).await),
        ("network_fs", network(&app).await),
        ("permissions", permissions(&app)),
        ("open_files", open_files()),
        ("login", login(&app)),
    ];
    let checks = looks
        .into_iter()
        .map(|(name, (status, message, hint))| SystemCheck {
            name,
            status,
            message,
            hint,
            since: rfc3339(app.checks.since(name, status)),
        });
    Json(SystemChecks {
        checks: checks.collect(),
    })
}

async fn data_dir(app: &App) -> Look {
    let dir = app.data_dir.display();
    match tokio::time::timeout(PATIENCE, app.store.check_writable()).await {
        Ok(Ok(())) => fine(format!("The database in {dir} takes writes")),
        Ok(Err(error)) => fail(
            format!("The database in {dir} takes no writes: {error}"),
            "Free space on its volume, or check its rights and the system log.",
        ),
        Err(_) => fail(
            format!("{dir} does not answer"),
            "Check its volume; see the system log.",
        ),
    }
}

async fn database(app: &App) -> Look {
    let bytes = ["hfdepot.db", "hfdepot.db-wal"]
        .iter()
        .filter_map(|name| Some(app.data_dir.join(name).metadata().ok()?.len()))
        .sum();
    let mut last = app.checks.integrity.lock().await;
    let fresh = last.as_ref().filter(|(at, _)| at.elapsed() < INTEGRITY_FRESH);
    let fault = match fresh {
        Some((_, fault)) => fault.clone(),
        None => match app.store.find_fault().await {
            Ok(fault) => last.insert((Instant::now(), fault)).1.clone(),
            Err(error) => Some(error.to_string()),
        },
    };
    match fault {
        None => fine(format!("Sound, {}", human_size(bytes))),
        Some(why) => fail(
            format!("The database is damaged: {why}"),
            "Stop the service and put the newest copy of the folder backups in its place.",
        ),
    }
}

async fn cache(app: &App) -> Look {
    let hub = app.settings.get().cache.hub.clone();
    let (engine, text) = (app.engine.clone(), hub.to_string_lossy().into_owned());
    let probe = tokio::task::spawn_blocking(move || engine.check_cache(&text));
    let hint = "Check that its volume is mounted and that hfdepot may write there.";
    match tokio::time::timeout(PATIENCE, probe).await {
        Ok(Ok(Ok(()))) => fine(format!("{} takes writes", hub.display())),
        Ok(Ok(Err(error))) => fail(format!("{} takes no writes: {error}", hub.display()), hint),
        Ok(Err(_)) | Err(_) => fail(format!("{} does not answer", hub.display()), hint),
    }
}

async fn room(app: &App) -> Look {
    let settings = app.settings.get();
    let Some((space, _)) = ask(settings.cache.hub.clone()).await else {
        return fail(
            "The volume of the cache does not answer",
            "Check that it is mounted.",
        );
    };
    let floor = settings
        .free_space_floor_bytes
        .unwrap_or_else(|| disk::floor_bytes(space.total_bytes));
    let free = human_size(space.free_bytes);
    let hint = "Delete what nobody needs (Library, or POST /api/cache/prune), or move the cache.";
    if space.free_bytes <= floor {
        let floor = human_size(floor);
        return fail(
            format!("{free} free, and {floor} have to stay free: downloads wait"),
            hint,
        );
    }
    if space.free_bytes <= floor.saturating_mul(2) {
        return warn(format!("{free} free on the volume of the cache"), hint);
    }
    fine(format!("{free} free on the volume of the cache"))
}

fn hub(app: &App) -> Look {
    let hub = app.engine.hub();
    let endpoint = app.settings.get().endpoint.clone();
    match hub.outage() {
        None => fine(format!("No request to {endpoint} failed last")),
        Some(error) => fail(
            format!("{endpoint} could not be reached last: {error}"),
            "Check network, proxy and endpoint; downloads go on by themselves when it answers.",
        ),
    }
}

fn token(app: &App) -> Look {
    let settings = app.settings.get();
    if settings.token_held_back() {
        return warn(
            "The token belongs to another endpoint and is not sent to this one",
            "Set a token for this endpoint in the settings.",
        );
    }
    match settings.token.is_some() {
        true => fine("A token is set; the settings can test it"),
        false => fine("No token is set; public repositories need none"),
    }
}

async fn clock(app: &App) -> Look {
    let (now, hint) = (now_ms(), "Set the clock of the machine (NTP).");
    if now < CLOCK_FLOOR_MS {
        return fail(format!("The clock shows {}", rfc3339(now)), hint);
    }
    match app.store.newest_event_at().await {
        Ok(Some(at)) if at > now + CLOCK_SLACK_MS => warn(
            format!("The clock was set back: the last event is of {}", rfc3339(at)),
            hint,
        ),
        _ => fine(format!("The clock shows {}", rfc3339(now))),
    }
}

async fn network(app: &App) -> Look {
    let places = [
        ("The database", app.data_dir.clone()),
        ("The cache", app.settings.get().cache.hub.clone()),
    ];
    for (what, path) in places {
        let kind = ask(path)
            .await
            .map(|(_, mount)| mount.fs_type)
            .unwrap_or_default();
        if NETWORK.contains(&kind.as_str()) {
            let hint = if what == "The database" {
                "Move the data directory to a local disk (--data-dir): SQLite needs working locks."
            } else {
                "It works, but slower; use one hfdepot only on it, and mount it with working locks."
            };
            return warn(format!("{what} lies on a network file system ({kind})"), hint);
        }
    }
    fine("Database and cache lie on local file systems")
}

fn permissions(app: &App) -> Look {
    let config = app.settings.get().shown().config_file;
    let database = app.data_dir.join("hfdepot.db");
    let open = [app.data_dir.as_path(), &database]
        .into_iter()
        .find(|path| others_may_read(path) && others_may_read(&app.data_dir));
    if let Some(path) = open {
        return warn(
            format!("Other users of this machine may read {}", path.display()),
            "It holds tokens and keys: chmod 700 the data directory.",
        );
    }
    if !config.is_empty() && others_may_read(Path::new(&config)) {
        return warn(
            format!("Other users of this machine may read {config}"),
            "chmod 600 it when it holds a token or password.",
        );
    }
    fine("Only this user reads the database")
}

fn others_may_read(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.permissions().mode() & 0o044 != 0)
}

fn open_files() -> Look {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < OPEN_FILES => warn(
            format!("This process may open {limit} files"),
            "Raise the limit to 4096 or more (ulimit -n, or LimitNOFILE of systemd).",
        ),
        Some(limit) => fine(format!("This process may open {limit} files")),
        None => fine("This process may open as many files as it likes"),
    }
}

fn login(app: &App) -> Look {
    match app.is_open {
        true => warn(
            "Other machines reach the service, and nobody is asked for a login",
            "Give --auth-user with HFDEPOT_AUTH_PASS, or make API keys, and leave --no-auth out.",
        ),
        false => fine("Nobody comes in from other machines without a login"),
    }
}
