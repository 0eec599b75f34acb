//! `hfdepot cache`: what lies in the cache, and what is done with it.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::cache_print as words;
use super::client::{Client, Method};
use super::print;
use super::verb::{Out, ask, follow, repo_path, run, with_query};
use crate::lifecycle::Exit;

/// `hfdepot cache`
#[derive(Debug, Args)]
pub struct CacheCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the repos of the cache
    Ls(ListArgs),
    /// Show one repo with its snapshots and files
    Show(ShowArgs),
    /// Delete a repo, or one snapshot of it
    Rm(RemoveArgs),
    /// Show what nobody needs, or remove it
    Prune(PruneArgs),
    /// Compare the cache, or one repo, with its hashes
    Verify(VerifyArgs),
    /// Fetch again what a check found bad or missing
    Repair(RepairArgs),
    /// Build the folders models/ and datasets/ with plain names beside the cache
    Rebuild(RebuildArgs),
    /// Put real files of a repo into a folder of the service
    Export(ExportArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RepoKind {
    Model,
    Dataset,
}

impl RepoKind {
    fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }
}

fn word(kind: Option<RepoKind>) -> Option<&'static str> {
    kind.map(RepoKind::word)
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only these
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Option<RepoKind>,
    /// Part of the repo's id
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Wait for a look at the disk
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// owner/name
    repo: String,
    /// Model or dataset [default: the model, else the dataset]
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Option<RepoKind>,
    /// Files of this ref or commit; all = of every snapshot [default: what the list shows]
    #[arg(short = 'b', long, value_name = "REVISION")]
    revision: Option<String>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// owner/name
    repo: String,
    /// Model or dataset [default: model]
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Option<RepoKind>,
    /// Only this snapshot: a commit, its first digits, or a ref
    #[arg(short = 'b', long, value_name = "REVISION")]
    revision: Option<String>,
    /// Only show what would go
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct PruneArgs {
    /// Remove it; without this it is only shown
    #[arg(long)]
    apply: bool,
    /// incomplete, orphans, parts, old_revisions; several with commas between [default: all but old_revisions]
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    what: Vec<String>,
    /// Only what was last changed so many days ago
    #[arg(long, value_name = "N")]
    older_than_days: Option<u32>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// owner/name; the whole cache without it
    repo: Option<String>,
    /// Model or dataset [default: model]
    #[arg(long = "type", value_enum, value_name = "TYPE", requires = "repo")]
    kind: Option<RepoKind>,
    /// sha256 reads every content, size compares lengths [default: sha256]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Leave the disk to others most of the time
    #[arg(long)]
    idle: bool,
    /// Wait for its end; the exit code tells whether all is well
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct RepairArgs {
    /// Id of the check
    #[arg(value_name = "JOB")]
    job: String,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct RebuildArgs {
    /// Also remove links that nothing wants any more
    #[arg(long)]
    clean: bool,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// owner/name
    repo: String,
    /// Folder below the --export-dir of the service
    dest: String,
    /// Model or dataset [default: model]
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Option<RepoKind>,
    /// Ref or commit [default: what the list shows]
    #[arg(short = 'b', long, value_name = "REVISION")]
    revision: Option<String>,
    /// Pattern of files to have (repeatable)
    #[arg(short = 'F', long = "filter", value_name = "PATTERN")]
    filters: Vec<String>,
    /// auto, reflink, hardlink or copy [default: auto]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Wait for its end
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    out: Out,
}

/// Runs one action.
///
/// # Errors
/// When the service cannot be reached or refuses, with the exit code of that.
pub fn main(command: &CacheCommand) -> anyhow::Result<Exit> {
    run(async {
        match &command.action {
            Action::Ls(args) => ls(args).await,
            Action::Show(args) => show(args).await,
            Action::Rm(args) => remove(args).await,
            Action::Prune(args) => prune(args).await,
            Action::Verify(args) => verify(args).await,
            Action::Repair(args) => repair(args).await,
            Action::Rebuild(args) => rebuild(args).await,
            Action::Export(args) => export(args).await,
        }
    })
}

async fn ls(args: &ListArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let query = [
        ("type", word(args.kind)),
        ("search", args.search.as_deref()),
        ("fresh", args.fresh.then_some("true")),
    ];
    let found = ask(&client, Method::GET, &with_query("/api/cache", &query), None).await?;
    args.out.show(&found, words::repos);
    Ok(Exit::Ok)
}

async fn show(args: &ShowArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let path = format!("/api/cache/{}", repo_path(&args.repo));
    let query = [("type", word(args.kind)), ("revision", args.revision.as_deref())];
    let repo = ask(&client, Method::GET, &with_query(&path, &query), None).await?;
    args.out.show(&repo, words::repo);
    Ok(Exit::Ok)
}

async fn remove(args: &RemoveArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let path = format!("/api/cache/{}", repo_path(&args.repo));
    let query = [
        ("type", word(args.kind)),
        ("revision", args.revision.as_deref()),
        ("dryRun", args.dry_run.then_some("true")),
    ];
    let gone = ask(&client, Method::DELETE, &with_query(&path, &query), None).await?;
    args.out.show(&gone, words::deletion);
    Ok(done(&gone))
}

/// The exit code of something that may have gone half wrong.
fn done(answer: &Value) -> Exit {
    match print::list(answer, "errors").is_empty() {
        true => Exit::Ok,
        false => Exit::Error,
    }
}

async fn prune(args: &PruneArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let mut body = json!({"dryRun": !args.apply});
    if !args.what.is_empty() {
        body["what"] = json!(args.what);
    }
    if let Some(days) = args.older_than_days {
        body["olderThanDays"] = json!(days);
    }
    let found = ask(&client, Method::POST, "/api/cache/prune", Some(&body)).await?;
    args.out.show(&found, words::pruned);
    Ok(done(&found))
}

async fn verify(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({
        "repo": args.repo,
        "type": word(args.kind),
        "mode": args.mode,
        "speed": args.idle.then_some("idle"),
    });
    let job = ask(&client, Method::POST, "/api/cache/verify", Some(&body)).await?;
    if !args.wait {
        args.out.show(&job, print::started);
        return Ok(Exit::Ok);
    }
    let id = print::text(&job, "id");
    let (ended, exit) = follow(&client, &args.out, id, words::check).await?;
    let found = ["badCount", "missingCount"].map(|key| print::number(&ended["result"], key));
    Ok(match exit {
        Exit::Ok if found.iter().any(|count| *count > 0) => Exit::Unwell,
        exit => exit,
    })
}

async fn repair(args: &RepairArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({"jobId": args.job});
    let queued = ask(&client, Method::POST, "/api/cache/repair", Some(&body)).await?;
    args.out.show(&queued, words::repair);
    Ok(Exit::Ok)
}

async fn rebuild(args: &RebuildArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({"clean": args.clean});
    let report = ask(&client, Method::POST, "/api/cache/rebuild", Some(&body)).await?;
    args.out.show(&report, words::rebuilt);
    Ok(done(&report))
}

async fn export(args: &ExportArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.out.reach)?;
    let body = json!({
        "repo": args.repo,
        "dest": args.dest,
        "type": word(args.kind),
        "revision": args.revision,
        "filters": args.filters,
        "mode": args.mode,
    });
    let job = ask(&client, Method::POST, "/api/cache/export", Some(&body)).await?;
    if !args.wait {
        args.out.show(&job, print::started);
        return Ok(Exit::Ok);
    }
    let id = print::text(&job, "id");
    let (_, exit) = follow(&client, &args.out, id, words::exported).await?;
    Ok(exit)
}
