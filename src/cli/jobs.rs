//! The verbs for downloads: `add`, `plan`, `ls`, `pause`, `resume`, `cancel`, `retry`.
//!
//! Each is one request to a running service. With `--json` standard output has the answers of the
//! service as they are, one document a line; otherwise words for people. The exit code says what
//! kind of failure it was ([`Exit`]).

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};

use super::client::{Client, Method, Refusal};
use super::collection::{self, Member};
use super::print;
use super::verb::{Out, ask, run, segment, wait, with_query};
use crate::lifecycle::{Exit, ExitError};
use crate::model::address::RepoAddress;

/// Plans that the service makes in one answer.
const PLANS_AT_ONCE: usize = 200;

/// What is to be downloaded.
#[derive(Debug, Args)]
pub struct Wanted {
    /// owner/name, or its address on the Hub; filters may stand behind a colon: owner/name:q4_k_m,q5_k_m.
    /// The address of a collection stands for all its models and datasets
    repo: String,
    /// Branch, tag or commit [default: main]
    #[arg(short = 'b', long, value_name = "REVISION")]
    revision: Option<String>,
    /// It is a dataset
    #[arg(long)]
    dataset: bool,
    /// Pattern of files to have (repeatable)
    #[arg(short = 'F', long = "filter", value_name = "PATTERN")]
    filters: Vec<String>,
    /// Pattern of files to leave out (repeatable)
    #[arg(short = 'E', long = "exclude", value_name = "PATTERN")]
    excludes: Vec<String>,
    /// Filters must match whole words: q4_k is not q4_k_m
    #[arg(long)]
    exact: bool,
    /// Folder of plain files in place of the cache; below one that the settings name
    #[arg(long, value_name = "DIR")]
    local_dir: Option<String>,
    /// Key of a folder that the settings name
    #[arg(long, value_name = "KEY")]
    route: Option<String>,
}

impl Wanted {
    /// The repos behind the address of a collection; `None` when there is one repo, which `body` names.
    async fn members(
        &self,
        client: &Client,
        body: &mut Map<String, Value>,
    ) -> anyhow::Result<Option<Vec<Member>>> {
        let members = collection::members(client, &self.repo).await?;
        if members.is_none() {
            self.name_repo(body)?;
        }
        Ok(members)
    }

    /// Adds what an address says.
    fn name_repo(&self, body: &mut Map<String, Value>) -> Result<(), ExitError> {
        let refused = |message: String| ExitError {
            exit: Exit::Refused,
            message,
        };
        let address = RepoAddress::parse(&self.repo).map_err(|error| refused(error.to_string()))?;
        let Some(address) = address else {
            return Ok(());
        };
        if let (Some(here), Some(there)) = (&self.revision, &address.revision)
            && here != there
        {
            return Err(refused(format!(
                "The address is of the revision {there}, and --revision says {here}: give one of the two"
            )));
        }
        if !self.filters.is_empty() && !address.filters.is_empty() {
            return Err(refused("The address names files, and --filter names others: give the address of the repo with --filter, or none".to_owned()));
        }
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("repo", json!(address.repo));
        if address.dataset {
            put("dataset", json!(true));
        }
        if let Some(revision) = address.revision {
            put("revision", json!(revision));
        }
        if !address.filters.is_empty() {
            put("filters", json!(address.filters));
        }
        Ok(())
    }

    /// The body of the request.
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("repo", json!(self.repo));
        put("dataset", json!(self.dataset));
        put("exactMatch", json!(self.exact));
        put("excludes", json!(self.excludes));
        // An empty list would be taken for none, and so are the filters in the repo's text.
        put("filters", json!(self.filters));
        for (name, value) in [
            ("revision", &self.revision),
            ("localDir", &self.local_dir),
            ("routeKey", &self.route),
        ] {
            if let Some(value) = value {
                put(name, json!(value));
            }
        }
        body
    }
}

/// `hfdepot add`
#[derive(Debug, Args)]
pub struct AddArgs {
    #[command(flatten)]
    wanted: Wanted,
    /// What is compared before a file counts as done: none, size or sha256 [default: as the settings say]
    #[arg(long, value_name = "MODE")]
    verify: Option<String>,
    /// Higher starts first; 0 is normal
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    priority: Option<i64>,
    /// Connections of all its files together at most, 1 to 64 [default: as the settings say]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    connections: Option<i64>,
    /// Queue it paused
    #[arg(long, conflicts_with = "wait")]
    paused: bool,
    /// Wait for its end; the exit code tells how it ended
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    out: Out,
}

/// `hfdepot plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    out: Out,
}

/// `hfdepot ls`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// queued, running, paused, completed, failed, cancelled; several with commas between
    #[arg(long, value_name = "WORDS")]
    status: Option<String>,
    /// download, mirror, verify, export or all [default: download]
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Text in repo, category or tag
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only the newest so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
    #[command(flatten)]
    out: Out,
}

/// `hfdepot pause`, `resume` and `cancel`
#[derive(Debug, Args)]
pub struct CommandArgs {
    /// Ids of the jobs, as `hfdepot ls` shows them
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<String>,
    #[command(flatten)]
    out: Out,
}

/// `hfdepot retry`
#[derive(Debug, Args)]
pub struct RetryArgs {
    #[command(flatten)]
    command: CommandArgs,
    /// From now on connections of all files of the job together at most, 1 to 64 [default: as before]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    connections: Option<i64>,
}

/// What can be done to a job.
#[derive(Debug, Clone, Copy)]
pub enum Verb {
    /// Stop it, and keep what it has.
    Pause,
    /// Go on with it.
    Resume,
    /// Stop it, and delete what it has of unfinished files.
    Cancel,
    /// Queue it again after it failed or was cancelled.
    Retry,
}

/// `hfdepot add`
///
/// # Errors
/// When the service cannot be reached or refuses, with the exit code of that.
pub fn add(args: &AddArgs) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let mut body = args.wanted.body();
        body.insert("startPaused".to_owned(), json!(args.paused));
        if let Some(verify) = &args.verify {
            body.insert("verify".to_owned(), json!(verify));
        }
        for (name, number) in [("priority", args.priority), ("connections", args.connections)] {
            if let Some(number) = number {
                body.insert(name.to_owned(), json!(number));
            }
        }
        let Some(members) = args.wanted.members(&client, &mut body).await? else {
            let id = queue(&client, args, body).await?.map_err(ExitError::from)?;
            return settle(&client, args, &id).await;
        };
        // One that is refused holds up none of the others.
        let (mut exit, mut ids) = (Exit::Ok, Vec::new());
        for body in collection::bodies(&body, &members) {
            let repo = body["repo"].as_str().unwrap_or_default().to_owned();
            match queue(&client, args, body).await? {
                Ok(id) => ids.push(id),
                Err(refusal) => {
                    match args.out.json {
                        true => print::line(&refusal.body),
                        false => eprintln!("hfdepot: {repo}: {}", refusal.sentence()),
                    }
                    exit = first(exit, refusal.exit);
                }
            }
        }
        for id in &ids {
            exit = first(exit, settle(&client, args, id).await?);
        }
        Ok(exit)
    })
}

/// The exit code of the first that went wrong.
fn first(before: Exit, now: Exit) -> Exit {
    if before == Exit::Ok { now } else { before }
}

/// Queues one download and says so; its id, or why it was refused.
async fn queue(
    client: &Client,
    args: &AddArgs,
    body: Map<String, Value>,
) -> anyhow::Result<Result<String, Refusal>> {
    let body = Value::Object(body);
    let answer = match client.ask(Method::POST, "/api/download", Some(&body)).await? {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // The same download that is live already comes as `{"job": …, "message": …}`.
    let (job, known) = match answer.get("job") {
        Some(job) => (job, true),
        None => (&answer, false),
    };
    match args.out.json {
        // Who waits gets one document for each job, and that is its end.
        true if args.wait => {}
        true => print::line(&answer),
        false => println!("{}", print::added(job, known)),
    }
    let id = job["id"].as_str().context("The answer has no id")?;
    Ok(Ok(id.to_owned()))
}

/// Waits for the end of a job where that is wanted, and tells it.
async fn settle(client: &Client, args: &AddArgs, id: &str) -> anyhow::Result<Exit> {
    if !args.wait {
        return Ok(Exit::Ok);
    }
    let ended = wait(client, id, !args.out.json).await?;
    match args.out.json {
        true => print::line(&ended),
        false => println!("{}", print::ended(&ended)),
    }
    Ok(match ended["status"].as_str() {
        Some("completed") => Exit::Ok,
        _ => Exit::JobFailed,
    })
}

/// `hfdepot plan`
///
/// # Errors
/// As [`add`].
pub fn plan(args: &PlanArgs) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let mut body = args.wanted.body();
        let Some(members) = args.wanted.members(&client, &mut body).await? else {
            let body = Value::Object(body);
            let plan = ask(&client, Method::POST, "/api/plan", Some(&body)).await?;
            args.out.show(&plan, print::plan);
            return Ok(Exit::Ok);
        };
        for part in collection::bodies(&body, &members).chunks(PLANS_AT_ONCE) {
            let plans = ask(
                &client,
                Method::POST,
                "/api/plan",
                Some(&json!({ "repos": part })),
            )
            .await?;
            args.out.show(&plans, print::plans);
        }
        Ok(Exit::Ok)
    })
}

/// `hfdepot ls`
///
/// # Errors
/// As [`add`].
pub fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let limit = args.limit.map(|limit| limit.to_string());
        let query = [
            ("status", args.status.as_deref()),
            ("kind", args.kind.as_deref()),
            ("q", args.search.as_deref()),
            ("limit", limit.as_deref()),
        ];
        let list = ask(&client, Method::GET, &with_query("/api/jobs", &query), None).await?;
        args.out.show(&list, print::jobs);
        Ok(Exit::Ok)
    })
}

/// `hfdepot pause`, `resume`, `cancel` and `retry`: every job is tried; the exit code is that of the
/// first that was refused.
///
/// # Errors
/// When the service cannot be reached.
pub fn command(args: &CommandArgs, verb: Verb) -> anyhow::Result<Exit> {
    each(args, verb, None)
}

/// `hfdepot retry`
///
/// # Errors
/// As [`command`].
pub fn retry(args: &RetryArgs) -> anyhow::Result<Exit> {
    let body = args
        .connections
        .map(|connections| json!({"connections": connections}));
    each(&args.command, Verb::Retry, body.as_ref())
}

fn each(args: &CommandArgs, verb: Verb, body: Option<&Value>) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let mut exit = Exit::Ok;
        for job in &args.jobs {
            let id = segment(job);
            let (method, path) = match verb {
                Verb::Cancel => (Method::DELETE, format!("/api/jobs/{id}")),
                Verb::Pause => (Method::POST, format!("/api/jobs/{id}/pause")),
                Verb::Resume => (Method::POST, format!("/api/jobs/{id}/resume")),
                Verb::Retry => (Method::POST, format!("/api/jobs/{id}/retry")),
            };
            let answer = client.ask(method, &path, body).await?;
            match (&answer, args.out.json) {
                (Ok(done), false) => println!("{job}  {}", done["message"].as_str().unwrap_or_default()),
                (Err(refusal), false) => eprintln!("hfdepot: {job}: {}", refusal.sentence()),
                (Ok(body), true) | (Err(Refusal { body, .. }), true) => {
                    print::line(&with_id(body, job));
                }
            }
            if let (Err(refusal), Exit::Ok) = (answer, exit) {
                exit = refusal.exit;
            }
        }
        Ok(exit)
    })
}

/// An answer that says which job it is about.
fn with_id(body: &Value, id: &str) -> Value {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        fields.insert("id".to_owned(), json!(id));
    }
    body
}
