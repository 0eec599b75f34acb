//! `GET /api/system/checks`: what stands in the way of the service, each with a sentence and what to
//! do. Looks at this machine only: nothing is asked of the Hub.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::disk::{self, Volume};
use super::readiness::cache_takes_writes;
use super::state::{App, AppState};
use super::targets;
use crate::clock::{now_ms, rfc3339};
use crate::model::code::Code;
use crate::model::size::human_size;

/// So long an answer is given again: a check writes, and every open page asks.
const FRESH: Duration = Duration::from_secs(2);
/// A disk that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Age of the newest copy of the database from which on something keeps copies from being made:
/// one is due each day.
const BACKUP_AGE: Duration = Duration::from_secs(48 * 3600);
/// Soft limit of open files that 256 connections, their part files and 256 WebSockets fit into.
const OPEN_FILES: u64 = 1024;
/// File systems over a network. SQLite's log needs memory that all its readers share, which
/// these do not give (sqlite.org/wal.html).
const NETWORK_FILE_SYSTEMS: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph"];

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CheckStatus)]
pub enum Outcome {
    /// All is well.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// Something does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SystemCheck)]
pub struct Check {
    /// `database`, `backups`, `cache`, `free_space`, `mirror_targets`, `hub`, `token`, `login`,
    /// `secrets`, `open_files`, `storage`.
    name: &'static str,
    status: Outcome,
    /// What was found.
    message: String,
    /// What to do; empty when all is well.
    hint: String,
    /// Since when it is not well, as far as this process has seen it.
    #[schema(required, format = DateTime)]
    since: Option<String>,
}

/// All checks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SystemChecks {
    checks: Vec<Check>,
}

/// What the last look found.
#[derive(Default)]
pub struct Checks(Mutex<Last>);

#[derive(Default)]
struct Last {
    looked: Option<(Instant, Vec<Check>)>,
    /// Since when each check that is not well is not; UTC milliseconds.
    since: BTreeMap<&'static str, i64>,
}

/// Whether anything stands in the way of the service
///
/// Problems with a sentence and what to do about each. Asks nothing of the Hub: what is told of it
/// is what its last answers said.
#[utoipa::path(
    get, path = "/api/system/checks", tag = "system", operation_id = "getSystemChecks",
    responses((status = 200, description = "Each check, also those that are well", body = SystemChecks))
)]
pub async fn show(State(app): State<AppState>) -> Json<SystemChecks> {
    let mut last = app.checks.0.lock().await;
    if let Some((at, checks)) = &last.looked
        && at.elapsed() < FRESH
    {
        return Json(SystemChecks {
            checks: checks.clone(),
        });
    }
    let mut checks = look(&app).await;
    for check in &mut checks {
        if check.status == Outcome::Ok {
            last.since.remove(check.name);
        } else {
            let since = last.since.entry(check.name).or_insert_with(now_ms);
            check.since = Some(rfc3339(*since));
        }
    }
    last.looked = Some((Instant::now(), checks.clone()));
    Json(SystemChecks { checks })
}

impl Check {
    fn new(name: &'static str, status: Outcome, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            name,
            status,
            message: message.into(),
            hint: hint.into(),
            since: None,
        }
    }

    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, message, "")
    }

    fn warn(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, message, hint)
    }

    fn fail(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, message, hint)
    }
}

async fn look(app: &App) -> Vec<Check> {
    let volumes = disk::volumes(app).await.ok();
    let volumes = volumes.as_deref().unwrap_or_default();
    let (database, cache, files, targets) = tokio::join!(
        database(app),
        cache(app),
        of_files(app.data_dir.clone(), app.begun),
        mirror_targets(app)
    );
    let mut checks = vec![database, cache, free_space(volumes), storage(volumes)];
    checks.extend(files);
    checks.extend([targets, hub(app), token(app).await, login(app), open_files()]);
    checks
}

/// The database takes writes.
async fn database(app: &App) -> Check {
    const NAME: &str = "database";
    let path = app.data_dir.display();
    match tokio::time::timeout(PATIENCE, app.store.check_writable()).await {
        Ok(Ok(())) => Check::ok(NAME, format!("Takes writes in {path}")),
        Ok(Err(error)) => Check::fail(
            NAME,
            format!("Takes no writes in {path}: {error}"),
            "Make room on the volume of the data directory, or see to its rights; jobs go on by themselves.",
        ),
        Err(_) => Check::fail(
            NAME,
            format!("The volume of {path} does not answer"),
            "See to the disk, or to whatever holds the database.",
        ),
    }
}

/// The cache takes writes.
async fn cache(app: &App) -> Check {
    const NAME: &str = "cache";
    let path = app.settings.get().cache.hub.clone();
    let shown = path.display();
    match tokio::time::timeout(PATIENCE, cache_takes_writes(app)).await {
        Ok(Ok(())) => Check::ok(NAME, format!("Takes writes in {shown}")),
        Ok(Err(why)) => Check::fail(
            NAME,
            why,
            "Mount the volume and let the user of the service write there, or set another cache directory.",
        ),
        Err(_) => Check::fail(
            NAME,
            format!("The volume of {shown} does not answer"),
            "See to the disk or to the network share.",
        ),
    }
}

/// Every volume keeps free what has to stay free.
fn free_space(volumes: &[Volume]) -> Check {
    const NAME: &str = "free_space";
    const HINT: &str =
        "Free space there (the library's clean-up shows what may go); waiting downloads go on by themselves.";
    let told = |volume: &Volume| {
        let waiting = match volume.waiting_jobs {
            0 => String::new(),
            jobs => format!(", {jobs} waiting"),
        };
        format!("{} free on {}{waiting}", human_size(volume.free), volume.path)
    };
    let state = |volume: &Volume| match volume.free {
        free if free < volume.floor || volume.waiting_jobs > 0 => Outcome::Fail,
        free if free < volume.floor.saturating_mul(2) => Outcome::Warn,
        _ => Outcome::Ok,
    };
    let worst = volumes.iter().map(state).max().unwrap_or(Outcome::Ok);
    let said: Vec<String> = volumes
        .iter()
        .filter(|volume| state(volume) == worst)
        .map(told)
        .collect();
    let hint = if worst == Outcome::Ok { "" } else { HINT };
    Check::new(NAME, worst, said.join("; "), hint)
}

/// The database lies on a disk of this machine.
fn storage(volumes: &[Volume]) -> Check {
    const NAME: &str = "storage";
    let data = volumes
        .iter()
        .find(|volume| volume.roles.iter().any(|role| role == "data"));
    match data {
        Some(data) if NETWORK_FILE_SYSTEMS.contains(&data.fs_type.as_str()) => Check::warn(
            NAME,
            format!("The database lies on a network file system ({})", data.fs_type),
            "Move the data directory to a disk of this machine; the cache may stay where it is.",
        ),
        Some(data) if !data.fs_type.is_empty() => {
            Check::ok(NAME, format!("The database lies on {}", data.fs_type))
        }
        _ => Check::ok(NAME, "The file system of the database is not known"),
    }
}

/// What the files of the data directory tell: copies are made, and only we read them.
async fn of_files(data_dir: PathBuf, begun: Instant) -> Vec<Check> {
    let looked = tokio::task::spawn_blocking(move || vec![backups(&data_dir, begun), secrets(&data_dir)]);
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(checks)) => checks,
        // `database` has told of it.
        _ => Vec::new(),
    }
}

fn backups(data_dir: &Path, begun: Instant) -> Check {
    const NAME: &str = "backups";
    let age = crate::store::newest_backup(data_dir)
        .map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    match age {
        Some(age) if age < BACKUP_AGE => Check::ok(
            NAME,
            format!(
                "The newest copy of the database is {} h old",
                age.as_secs() / 3600
            ),
        ),
        // The first one is made within an hour.
        None if begun.elapsed() < Duration::from_secs(7200) => Check::ok(NAME, "The first copy is to come"),
        _ => Check::warn(
            NAME,
            "The database was not copied for two days",
            "The log says why; mostly its volume has no room for a copy.",
        ),
    }
}

fn secrets(data_dir: &Path) -> Check {
    const NAME: &str = "secrets";
    let open = data_dir
        .metadata()
        .is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    match open {
        false => Check::ok(NAME, "Only the user of the service can read the data directory"),
        true => Check::warn(
            NAME,
            format!("Other users of this machine may look into {}", data_dir.display()),
            "The database holds the token: chmod 700 the data directory.",
        ),
    }
}

/// Every mirror target is mounted.
async fn mirror_targets(app: &App) -> Check {
    const NAME: &str = "mirror_targets";
    let Ok(targets) = targets::mounted(app).await else {
        return Check::ok(NAME, "Not known: the database gives no answer");
    };
    let away: Vec<&str> = targets
        .iter()
        .filter(|(_, mounted)| !mounted)
        .map(|(name, _)| name.as_str())
        .collect();
    match (targets.len(), away.as_slice()) {
        (0, _) => Check::ok(NAME, "There are none"),
        (count, []) => Check::ok(NAME, format!("{count} of {count} mounted")),
        (_, away) => Check::warn(
            NAME,
            format!("Not mounted: {}", away.join(", ")),
            "Mount the volume, or remove the target.",
        ),
    }
}

/// The last requests reached the Hub.
fn hub(app: &App) -> Check {
    const NAME: &str = "hub";
    let client = app.engine.hub();
    let away = client.unreachable();
    let waits = app
        .engine
        .budget()
        .snapshot()
        .into_iter()
        .filter_map(|bucket| bucket.waiting_until)
        .max()
        .and_then(|until| until.duration_since(SystemTime::now()).ok());
    match (away.first(), waits) {
        (Some((host, error)), _) => Check::fail(
            NAME,
            format!("{host} cannot be reached: {}", error.message),
            "Check the network, the proxy and the endpoint in the settings; downloads go on by themselves.",
        ),
        (None, Some(wait)) => Check::warn(
            NAME,
            format!(
                "The Hub asked to wait; requests go on in {} s",
                wait.as_secs() + 1
            ),
            Code::RateLimited.hint(),
        ),
        (None, None) => Check::ok(
            NAME,
            format!("Nothing is wrong with {}", app.settings.get().endpoint),
        ),
    }
}

/// A token is there and was not refused.
async fn token(app: &App) -> Check {
    const NAME: &str = "token";
    let settings = app.settings.get();
    if settings.token_held_back() {
        return Check::warn(
            NAME,
            "The token is not sent, because it belongs to another endpoint",
            "Set the token for this endpoint in the settings.",
        );
    }
    let refused = app.store.needs_you().await.unwrap_or_default();
    let refused = refused.iter().find(|needs| needs.code == Code::BadToken);
    match (refused, &settings.token) {
        (Some(needs), _) => Check::warn(
            NAME,
            format!(
                "The Hub refused the token of {} downloads on the list",
                needs.count
            ),
            Code::BadToken.hint(),
        ),
        (None, Some(_)) => Check::ok(NAME, "A token is set"),
        (None, None) => Check::ok(NAME, "None is set: public repos only"),
    }
}

/// Nobody comes in from the network without a login.
fn login(app: &App) -> Check {
    const NAME: &str = "login";
    if app.open_to_network {
        return Check::warn(
            NAME,
            "Other machines reach the service without a login",
            "Give --auth-user and a password, or make an API key and leave --no-auth out, unless a reverse proxy asks for a login.",
        );
    }
    Check::ok(NAME, "Nobody comes in from the network without a login")
}

fn open_files() -> Check {
    const NAME: &str = "open_files";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < OPEN_FILES => Check::warn(
            NAME,
            format!("The service may open {limit} files only"),
            format!("Raise the limit to {OPEN_FILES} or more (ulimit -n, or LimitNOFILE= of systemd)."),
        ),
        Some(limit) => Check::ok(NAME, format!("The service may open {limit} files")),
        None => Check::ok(NAME, "The service may open any number of files"),
    }
}
