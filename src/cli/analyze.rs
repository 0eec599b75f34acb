//! `hfdepot analyze`: what a repo is and what of it one would want.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::client::{Client, Method};
use super::print::{columns, list, number, plain, text};
use super::verb::{Out, ask, repo_path, run, with_query};
use crate::lifecycle::{Exit, ExitError};
use crate::model::size::human_size;

/// `hfdepot analyze`
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// owner/name
    repo: String,
    /// Branch, tag or commit [default: main]
    #[arg(short = 'b', long, value_name = "REVISION")]
    revision: Option<String>,
    /// It is a dataset
    #[arg(long)]
    dataset: bool,
    /// It is a model, though there is a dataset of the same name
    #[arg(long, conflicts_with = "dataset")]
    model: bool,
    /// Look again instead of remembering
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    out: Out,
}

/// Shows what a repo holds.
///
/// # Errors
/// When the service cannot be reached or refuses, and when the name means two repos.
pub fn main(args: &AnalyzeArgs) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let dataset = match (args.dataset, args.model) {
            (true, _) => Some("true"),
            (_, true) => Some("false"),
            _ => None,
        };
        let path = format!("/api/analyze/{}", repo_path(&args.repo));
        let query = [
            ("revision", args.revision.as_deref()),
            ("dataset", dataset),
            ("fresh", args.fresh.then_some("true")),
        ];
        let report = ask(&client, Method::GET, &with_query(&path, &query), None).await?;
        if report["needsSelection"] == true && !args.out.json {
            return Err(ExitError {
                exit: Exit::Refused,
                message: format!(
                    "{} is a model and a dataset: say which with --model or --dataset",
                    plain(&args.repo)
                ),
            }
            .into());
        }
        args.out.show(&report, report_text);
        Ok(match report["needsSelection"] == true {
            true => Exit::Refused,
            false => Exit::Ok,
        })
    })
}

fn report_text(report: &Value) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {}\n{} files, {}  {} {}",
        plain(text(report, "repo")),
        plain(text(report, "type_description")),
        number(report, "file_count"),
        human_size(number(report, "total_size")),
        plain(text(report, "branch")),
        text(report, "commit").chars().take(12).collect::<String>(),
    );
    let locked = text(report, "locked");
    if !locked.is_empty() {
        let _ = writeln!(out, "{}", plain(locked));
    }
    let rows = list(report, "selectable_items").iter().map(|item| {
        let mark = if item["recommended"] == true { "*" } else { "" };
        let size = item["size"].as_u64().map_or_else(String::new, human_size);
        let from = ["upstream_repo", "revision"].map(|key| plain(text(item, key)));
        let from = from.iter().find(|name| !name.is_empty());
        vec![
            mark.to_owned(),
            plain(text(item, "label")),
            size,
            text(item, "ram_human").to_owned(),
            text(item, "quality_stars").to_owned(),
            plain(text(item, "filter_value")),
            from.map_or_else(String::new, |name| format!("from {name}")),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let head = ["", "choice", "size", "memory", "quality", "filter", ""].map(str::to_owned);
        out.push_str(&columns(std::iter::once(head.to_vec()).chain(rows)));
    }
    for warning in list(report, "warnings") {
        let _ = writeln!(out, "{}", plain(warning.as_str().unwrap_or_default()));
    }
    let _ = writeln!(out, "{}", recommended(&report["recommended_download"]));
    out
}

/// The command that fetches what is recommended.
fn recommended(download: &Value) -> String {
    let mut words = vec!["hfdepot add".to_owned(), quoted(text(download, "repo"))];
    if download["dataset"] == true {
        words.push("--dataset".to_owned());
    }
    if let Some(revision) = download["revision"].as_str() {
        words.extend(["-b".to_owned(), quoted(revision)]);
    }
    for filter in list(download, "filters") {
        words.extend(["-F".to_owned(), quoted(filter.as_str().unwrap_or_default())]);
    }
    if download["exactMatch"] == true {
        words.push("--exact".to_owned());
    }
    words.join(" ")
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let word = plain(word);
    let tame = |c: char| c.is_ascii_alphanumeric() || "._-/=:,+@".contains(c);
    match !word.is_empty() && word.chars().all(tame) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_command_that_is_shown_can_be_pasted() {
        let download =
            json!({"repo": "o/n", "revision": "it's", "filters": ["a*", "=x/y.gguf"], "exactMatch": true});
        assert_eq!(
            recommended(&download),
            r"hfdepot add o/n -b 'it'\''s' -F 'a*' -F =x/y.gguf --exact"
        );
        assert_eq!(
            recommended(&json!({"repo": "o/n", "dataset": true})),
            "hfdepot add o/n --dataset"
        );
    }
}
