//! `hfdepot mirror`: second cache roots, and what is copied between them and the cache.

use std::fmt::Write;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, Method};
use super::print::{self, columns, list, number, plain, text};
use super::verb::{Out, ask, follow, run, segment};
use crate::lifecycle::Exit;
use crate::model::size::human_size;

/// `hfdepot mirror`
#[derive(Debug, Args)]
pub struct MirrorCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register, list and remove targets
    #[command(subcommand)]
    Target(Target),
    /// Show what the cache and a target lack of each other
    Diff(DiffArgs),
    /// Copy from the cache to a target
    Push(RunArgs),
    /// Copy from a target to the cache
    Pull(RunArgs),
}

#[derive(Debug, Subcommand)]
enum Target {
    /// Register a directory; it is created when it is missing
    Add(AddArgs),
    /// List the targets, and whether each is mounted
    Ls(Out),
    /// Set when a target gets its copies by itself
    Schedule(ScheduleArgs),
    /// Forget a target; its files stay
    Rm(RemoveArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Letters, numbers, dashes and underscores
    name: String,
    /// Absolute path on the machine of the service
    path: String,
    /// For people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct ScheduleArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    wish: ScheduleWish,
    /// Day of the week: mon, tue, wed, thu, fri, sat or sun (repeatable) [default: every day]
    #[arg(long = "day", value_name = "DAY", requires = "at")]
    days: Vec<String>,
    /// Time zone such as Europe/Berlin [default: that of the machine of the service]
    #[arg(long, value_name = "ZONE", requires = "at")]
    time_zone: Option<String>,
    /// What is compared after copying: none, size or sha256 [default: size]
    #[arg(long, value_name = "MODE", requires = "at")]
    verify: Option<String>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ScheduleWish {
    /// Push at this time of day, such as 02:30
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Push only when somebody asks
    #[arg(long)]
    off: bool,
    /// Keep the schedule, and let nothing run by it
    #[arg(long)]
    pause: bool,
    /// Let it run again
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// Name of the target
    target: String,
    /// Only repos whose id holds this text
    #[arg(long, value_name = "TEXT")]
    repo: Option<String>,
    /// End with code 11 when something differs
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Name of the target
    target: String,
    /// Only repos whose id holds this text
    #[arg(long, value_name = "TEXT")]
    repo: Option<String>,
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// What is compared after copying: none, size or sha256 [default: size]
    #[arg(long, value_name = "MODE")]
    verify: Option<String>,
    /// Delete repos that only the destination has
    #[arg(long)]
    delete: bool,
    /// Copy again what is there already
    #[arg(long)]
    force: bool,
    /// Wait for its end; the exit code tells how it ended
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    #[command(flatten)]
    out: Out,
}

/// Runs one action.
///
/// # Errors
/// When the service cannot be reached or refuses, with the exit code of that.
pub fn main(command: &MirrorCommand) -> anyhow::Result<Exit> {
    run(async {
        match &command.action {
            Action::Target(Target::Add(args)) => add(args).await,
            Action::Target(Target::Ls(out)) => targets(out).await,
            Action::Target(Target::Schedule(args)) => schedule(args).await,
            Action::Target(Target::Rm(args)) => remove(args).await,
            Action::Diff(args) => diff(args).await,
            Action::Push(args) => copy(args, "push").await,
            Action::Pull(args) => copy(args, "pull").await,
        }
    })
}

async fn add(args: &AddArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({"name": args.name, "path": args.path, "description": args.description});
    let added = ask(&client, Method::POST, "/api/mirror/targets", Some(&body)).await?;
    args.out.show(&added, print::message);
    Ok(Exit::Ok)
}

async fn targets(out: &Out) -> anyhow::Result<Exit> {
    let client = Client::new(&out.reach)?;
    let found = ask(&client, Method::GET, "/api/mirror/targets", None).await?;
    out.show(&found, targets_text);
    Ok(Exit::Ok)
}

async fn schedule(args: &ScheduleArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = match &args.wish.at {
        Some(at) => json!({"schedule": {
            "at": at, "days": args.days, "timeZone": args.time_zone, "verify": args.verify,
        }}),
        None if args.wish.off => json!({"schedule": null}),
        None => json!({"paused": args.wish.pause}),
    };
    let path = format!("/api/mirror/targets/{}", segment(&args.name));
    let target = ask(&client, Method::PATCH, &path, Some(&body)).await?;
    args.out.show(&target, |target| match when(target).as_str() {
        "" => "runs only when somebody asks\n".to_owned(),
        when => format!("{when}\n"),
    });
    Ok(Exit::Ok)
}

/// When a target gets its next run by itself; empty when it gets none.
fn when(target: &Value) -> String {
    if target["schedule"].is_null() {
        return String::new();
    }
    match target["nextRunAt"].as_str() {
        _ if target["paused"] == true => "paused".to_owned(),
        Some(at) => format!("next {}", plain(at)),
        None => String::new(),
    }
}

async fn remove(args: &RemoveArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let path = format!("/api/mirror/targets/{}", segment(&args.name));
    let removed = ask(&client, Method::DELETE, &path, None).await?;
    args.out.show(&removed, print::message);
    Ok(Exit::Ok)
}

async fn diff(args: &DiffArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({"target": args.target, "repoFilter": args.repo});
    let found = ask(&client, Method::POST, "/api/mirror/diff", Some(&body)).await?;
    args.out.show(&found, diff_text);
    Ok(match args.exit_code && !list(&found, "diffs").is_empty() {
        true => Exit::Unwell,
        false => Exit::Ok,
    })
}

async fn copy(args: &RunArgs, way: &str) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({
        "target": args.target,
        "repoFilter": args.repo,
        "dryRun": args.dry_run,
        "verify": args.verify,
        "deleteExtra": args.delete,
        "force": args.force,
        // The job goes on whether or not anybody waits; a request need not.
        "async": true,
    });
    let answer = ask(&client, Method::POST, &format!("/api/mirror/{way}"), Some(&body)).await?;
    if args.dry_run {
        args.out.show(&answer, report_text);
        return Ok(Exit::Ok);
    }
    let id = answer["jobId"].as_str().context("The answer has no id")?;
    if !args.wait {
        args.out.show(&answer, |_| {
            format!("{id}  {way} {}  queued\n", plain(&args.target))
        });
        return Ok(Exit::Ok);
    }
    let (_, exit) = follow(&client, &args.out, id, report_text).await?;
    Ok(exit)
}

fn targets_text(found: &Value) -> String {
    let rows = list(found, "targets").iter().map(|target| {
        let state = match target["mounted"] == true {
            true => "mounted",
            false => "not mounted",
        };
        let free = target["free"].as_u64();
        vec![
            plain(text(target, "name")),
            state.to_owned(),
            free.map_or_else(String::new, |free| format!("{} free", human_size(free))),
            text(&target["lastRun"], "status").to_owned(),
            when(target),
            plain(text(target, "path")),
        ]
    });
    columns(rows)
}

fn diff_text(found: &Value) -> String {
    let rows = list(found, "diffs").iter().map(|one| {
        vec![
            text(one, "status").to_owned(),
            text(one, "type").to_owned(),
            plain(text(one, "repo")),
            text(one, "sizeHuman").to_owned(),
            plain(text(one, "error")),
        ]
    });
    let summary = &found["summary"];
    let mut out = columns(rows);
    let _ = writeln!(
        out,
        "{} missing, {} outdated, {} extra, {} in sync",
        number(summary, "missing"),
        number(summary, "outdated"),
        number(summary, "extra"),
        number(summary, "inSync")
    );
    out
}

fn report_text(report: &Value) -> String {
    let mut out = String::new();
    for key in ["skipped", "errors"] {
        for one in list(report, key) {
            let _ = writeln!(out, "{}", plain(one.as_str().unwrap_or_default()));
        }
    }
    out + &print::message(report)
}
