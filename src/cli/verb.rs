//! What all verbs share that are clients of a running service: where to ask, how to answer, and how
//! to wait for a job.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::client::{Client, Method, Reach};
use super::print;
use crate::lifecycle::{Exit, ExitError};

/// Time between two looks at a job that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A service that is started anew is back within this time; then its jobs go on by themselves.
const RESTART_PATIENCE: Duration = Duration::from_secs(60);

/// Where to ask and how to answer.
#[derive(Debug, Args)]
pub struct Out {
    /// Print the answers of the service, one JSON document a line
    #[arg(long)]
    pub json: bool,
    /// Where the service is.
    #[command(flatten)]
    pub reach: Reach,
}

impl Out {
    /// Prints an answer as it is, or what `text` makes of it.
    pub fn show(&self, answer: &Value, text: impl FnOnce(&Value) -> String) {
        match self.json {
            true => print::line(answer),
            false => print!("{}", text(answer)),
        }
    }
}

/// Runs `work` to its end on a runtime of its own.
///
/// # Errors
/// Those of `work`.
pub fn run(work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("The runtime cannot be started")?
        .block_on(work)
}

/// Asks, and takes no refusal.
///
/// # Errors
/// What the service said, with its exit code.
pub async fn ask(client: &Client, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    Ok(client.ask(method, path, body).await?.map_err(ExitError::from)?)
}

/// `text` as one segment of a path, whatever was typed.
pub fn segment(text: &str) -> String {
    // A client that tidies its paths would leave the route with these; nothing is named so.
    if is_dots(text) {
        return format!("{text}%2F");
    }
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// The path of a repo: `/`, `owner/name`, each part a segment. What has no slash stays one: the
/// service says what is wrong with it.
pub fn repo_path(repo: &str) -> String {
    if repo.split('/').any(is_dots) {
        return segment(repo);
    }
    let parts: Vec<_> = repo.split('/').map(segment).collect();
    parts.join("/")
}

fn is_dots(part: &str) -> bool {
    matches!(part, "." | "..")
}

/// `path` with the parameters that have a value.
pub fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The job once it has ended or was paused. A service that is started anew meanwhile is waited for.
///
/// # Errors
/// When the service is away for too long, or refuses.
pub async fn wait(client: &Client, id: &str, tell: bool) -> anyhow::Result<Value> {
    let path = format!("/api/jobs/{}", segment(id));
    let tell = tell && std::io::stderr().is_terminal();
    let mut away_since: Option<Instant> = None;
    loop {
        match client.ask(Method::GET, &path, None).await {
            Ok(answer) => {
                away_since = None;
                let job = answer.map_err(ExitError::from)?;
                if tell {
                    print::progress(&job);
                }
                if !matches!(job["status"].as_str(), Some("queued" | "running")) {
                    if tell {
                        print::progress_ended();
                    }
                    return Ok(job);
                }
            }
            Err(error) => {
                let since = *away_since.get_or_insert_with(Instant::now);
                if error.exit != Exit::Unreachable || since.elapsed() > RESTART_PATIENCE {
                    return Err(error.into());
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits for a job of work on the cache and shows what came of it: its report in words, or why
/// there is none.
///
/// # Errors
/// As [`wait`].
pub async fn follow(
    client: &Client,
    out: &Out,
    id: &str,
    report: impl FnOnce(&Value) -> String,
) -> anyhow::Result<(Value, Exit)> {
    let job = wait(client, id, !out.json).await?;
    let completed = job["status"] == "completed";
    match (out.json, completed || job["result"].is_object()) {
        (true, _) => print::line(&job),
        (false, true) => print!("{}", report(&job["result"])),
        (false, false) => {}
    }
    if !completed && !out.json {
        println!("{}", print::ended(&job));
    }
    let exit = if completed { Exit::Ok } else { Exit::JobFailed };
    Ok((job, exit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_typed_stays_where_it_belongs_in_a_path() {
        assert_eq!(segment("../settings?x=1"), "..%2Fsettings%3Fx%3D1");
        assert_eq!(segment("a b+c"), "a%20b%2Bc");
        assert_eq!(repo_path("owner/name"), "owner/name");
        assert_eq!(repo_path("o/n?x#y"), "o/n%3Fx%23y");
        let base = url::Url::parse("http://h/api/cache/").unwrap();
        for typed in ["../keys/1", "..", ".", "o/..", "./x", "%2e%2e/keys"] {
            for path in [repo_path(typed), segment(typed)] {
                let url = base.join(&format!("/api/cache/{path}")).unwrap();
                assert!(url.path().starts_with("/api/cache/"), "{typed}: {url}");
                assert!(url.path().len() > "/api/cache/".len(), "{typed}: {url}");
            }
        }
        assert_eq!(with_query("/a", &[("b", None)]), "/a");
        assert_eq!(
            with_query("/a", &[("b", Some("c&d")), ("e", Some("f"))]),
            "/a?b=c%26d&e=f"
        );
    }
}
