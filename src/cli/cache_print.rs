//! What the cache commands print for people.

use std::fmt::Write;

use serde_json::Value;

use super::print::{columns, list, number, plain, text};
use crate::model::size::human_size;

fn size(value: &Value, key: &str) -> String {
    human_size(number(value, key))
}

/// `dataset` where it is one; a model needs no word.
fn kind(repo: &Value) -> String {
    match text(repo, "type") {
        "dataset" => "dataset".to_owned(),
        _ => String::new(),
    }
}

/// The errors of an answer, one a line.
fn errors(answer: &Value) -> String {
    let mut out = String::new();
    for error in list(answer, "errors") {
        let _ = writeln!(out, "{}", plain(error.as_str().unwrap_or_default()));
    }
    out
}

/// The list of the cache.
pub fn repos(found: &Value) -> String {
    let rows = list(found, "repos").iter().map(|repo| {
        vec![
            plain(text(repo, "repo")),
            kind(repo),
            size(repo, "size"),
            text(repo, "downloadStatus").to_owned(),
            text(repo, "verification").to_owned(),
            text(repo, "downloaded").to_owned(),
        ]
    });
    let mut out = columns(rows);
    let stats = &found["stats"];
    let _ = writeln!(
        out,
        "{} models, {} datasets, {} in {}",
        number(stats, "totalModels"),
        number(stats, "totalDatasets"),
        human_size(number(stats, "totalSize")),
        plain(text(found, "cacheDir"))
    );
    out
}

/// One repo.
pub fn repo(repo: &Value) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {}  {}\n{}",
        plain(text(repo, "repo")),
        text(repo, "type"),
        size(repo, "size"),
        plain(text(repo, "path"))
    );
    for revision in list(repo, "revisions") {
        let refs = list(revision, "refs").iter().filter_map(Value::as_str);
        let refs: Vec<_> = refs.map(plain).collect();
        let _ = writeln!(
            out,
            "{}  {}  {}",
            text(revision, "commit"),
            size(revision, "size"),
            refs.join(" ")
        );
    }
    let rows = list(repo, "files").iter().map(|file| {
        let held = match text(file, "held") {
            "dangling" => "missing",
            _ => "",
        };
        vec![
            size(file, "size"),
            plain(text(file, "name")),
            text(file, "verification").to_owned(),
            held.to_owned(),
        ]
    });
    out + &columns(rows)
}

/// A deletion.
pub fn deletion(gone: &Value) -> String {
    format!(
        "{}: {} files, frees {}, keeps {}\n{}",
        plain(text(gone, "message")),
        number(gone, "files"),
        size(gone, "freesBytes"),
        size(gone, "keepsBytes"),
        errors(gone)
    )
}

/// What was pruned, or could be.
pub fn pruned(found: &Value) -> String {
    let rows = list(found, "items").iter().map(|item| {
        vec![
            size(item, "bytes"),
            text(item, "kind").to_owned(),
            plain(text(item, "path")),
        ]
    });
    let mut out = columns(rows);
    let _ = match found["dryRun"] == true {
        true => writeln!(
            out,
            "{} things, {}; --apply removes them",
            list(found, "items").len(),
            size(found, "freesBytes")
        ),
        false => writeln!(
            out,
            "{} things removed, {} freed",
            number(found, "removed"),
            size(found, "freedBytes")
        ),
    };
    for repo in list(found, "skipped") {
        let repo = plain(repo.as_str().unwrap_or_default());
        let _ = writeln!(out, "{repo} was left out: a job of it is live");
    }
    out + &errors(found)
}

/// The report of a check.
pub fn check(report: &Value) -> String {
    let mut out = String::new();
    for (word, key) in [("bad", "bad"), ("missing", "missing")] {
        for file in list(report, key) {
            let [repo, path, problem] = ["repo", "path", "problem"].map(|key| plain(text(file, key)));
            let _ = writeln!(out, "{word}  {repo}  {path}  {problem}");
        }
    }
    for left_out in list(report, "skipped") {
        let _ = writeln!(out, "{}", plain(left_out.as_str().unwrap_or_default()));
    }
    let _ = writeln!(
        out,
        "{} contents compared ({}): {} right, {} bad, {} missing, {} unknown",
        number(report, "checked"),
        size(report, "bytes"),
        number(report, "ok"),
        number(report, "badCount"),
        number(report, "missingCount"),
        number(report, "unknown")
    );
    out
}

/// What a repair queued.
pub fn repair(queued: &Value) -> String {
    let mut out = String::new();
    for job in list(queued, "jobs") {
        let _ = writeln!(out, "{}  {}  queued", text(job, "id"), plain(text(job, "repo")));
    }
    for why in list(queued, "skipped") {
        let _ = writeln!(out, "{}", plain(why.as_str().unwrap_or_default()));
    }
    let _ = writeln!(
        out,
        "{} files to fetch again, in {} downloads",
        number(queued, "files"),
        number(queued, "queued")
    );
    out
}

/// A rebuild of the friendly view.
pub fn rebuilt(report: &Value) -> String {
    format!(
        "{} repos: {}\n{}",
        number(report, "reposScanned"),
        plain(text(report, "message")),
        errors(report)
    )
}

/// The report of an export.
pub fn exported(report: &Value) -> String {
    format!(
        "{} files, {} in {}: {} hard-linked, {} cloned, {} copied, {} unchanged\n{}",
        number(report, "files"),
        size(report, "bytes"),
        plain(text(report, "dest")),
        number(report, "hardlinked"),
        number(report, "reflinked"),
        number(report, "copied"),
        number(report, "unchanged"),
        errors(report)
    )
}
