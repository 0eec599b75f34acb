//! Answers of the service as people read them.
//!
//! Names come from elsewhere: what could steer a terminal is shown escaped.

use std::fmt::Write;

use serde_json::Value;

use crate::model::size::human_size;

/// One document on standard output, on a line of its own.
pub fn line(document: &Value) {
    println!("{document}");
}

/// A text on one line, in which nothing steers the terminal.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

/// The text under a key; empty when there is none.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The number under a key; 0 when there is none.
pub fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

/// The list under a key; empty when there is none.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Rows as columns, each as wide as its widest cell; nothing stands behind the last cell of a row.
pub fn columns(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// The sentence of an answer.
pub fn message(answer: &Value) -> String {
    format!("{}\n", plain(text(answer, "message")))
}

/// The line for work that was queued.
pub fn started(job: &Value) -> String {
    let [id, kind, status] = ["id", "kind", "status"].map(|key| text(job, key));
    format!("{id}  {kind}  {status}\n")
}

/// The line for a download that was queued, or was `known` to be live.
pub fn added(job: &Value, known: bool) -> String {
    let what = if known { "already in progress" } else { "queued" };
    format!("{}  {}  {what}", text(job, "id"), plain(text(job, "repo")))
}

/// The line for a job that is over.
pub fn ended(job: &Value) -> String {
    let progress = &job["progress"];
    let what = match text(job, "status") {
        "completed" => format!(
            "completed, {} in {} files",
            human_size(number(progress, "totalBytes")),
            number(progress, "totalFiles")
        ),
        "failed" => {
            let said = [text(job, "error"), text(job, "hint")].map(plain);
            format!("failed: {}", said.join("\n").trim_end())
        }
        other => other.to_owned(),
    };
    format!("{}  {}  {what}", text(job, "id"), plain(text(job, "repo")))
}

/// Per cent, bytes and speed of a job.
fn figures(job: &Value) -> String {
    let progress = &job["progress"];
    let (here, all) = (
        number(progress, "downloadedBytes"),
        number(progress, "totalBytes"),
    );
    if all == 0 {
        return String::new();
    }
    let percent = u128::from(here) * 100 / u128::from(all);
    let mut figures = format!("{percent:>3} % of {}", human_size(all));
    let speed = number(progress, "bytesPerSecond");
    if speed > 0 {
        let _ = write!(figures, ", {}/s", human_size(speed));
    }
    figures
}

/// The state of a job, in place of the line before.
pub fn progress(job: &Value) {
    eprint!("\r\x1b[K{}  {}", text(job, "status"), figures(job));
}

/// Leaves the line of [`progress`].
pub fn progress_ended() {
    eprintln!();
}

/// A list of jobs, one a line.
pub fn jobs(list: &Value) -> String {
    let mut out = String::new();
    for job in self::list(list, "jobs") {
        let why = match text(job, "status") {
            "failed" => plain(text(job, "error")),
            "queued" => text(job, "waitReason").to_owned(),
            _ => figures(job),
        };
        let repo = plain(text(job, "repo"));
        let line = format!("{}  {:<9}  {repo}  {why}", text(job, "id"), text(job, "status"));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// A plan: its files and what they come to.
pub fn plan(plan: &Value) -> String {
    let mut out = String::new();
    for file in list(plan, "files") {
        let mark = if file["present"] == true { "  here" } else { "" };
        let size = human_size(number(file, "size"));
        let _ = writeln!(out, "{size:>10}  {}{mark}", plain(text(file, "path")));
    }
    let _ = writeln!(
        out,
        "{} files, {}; {} to fetch, into {}",
        number(plan, "totalFiles"),
        human_size(number(plan, "totalSize")),
        human_size(number(plan, "fetchBytes")),
        plain(text(plan, "outputDir"))
    );
    if plan["fits"] == false {
        let _ = writeln!(out, "It does not fit on the volume.");
    }
    let warning = text(plan, "warning");
    if !warning.is_empty() {
        let _ = writeln!(out, "{}", plain(warning));
    }
    out
}

/// Plans of many repos: a line for each, and what they come to.
pub fn plans(answer: &Value) -> String {
    let mut rows = Vec::new();
    for one in list(answer, "plans") {
        let repo = plain(text(one, "repo"));
        let plan = &one["plan"];
        rows.push(match one["ok"] == true {
            true => vec![
                human_size(number(plan, "fetchBytes")),
                repo,
                format!("{} files", number(plan, "totalFiles")),
            ],
            false => vec!["-".to_owned(), repo, plain(text(one, "error"))],
        });
    }
    let totals = &answer["totals"];
    let mut out = columns(rows);
    let _ = writeln!(
        out,
        "{} files, {}; {} to fetch",
        number(totals, "totalFiles"),
        human_size(number(totals, "totalSize")),
        human_size(number(totals, "fetchBytes"))
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_a_line_a_job_and_no_name_steers_the_terminal() {
        let list = json!({"jobs": [
            {"id": "a", "repo": "o/n\u{1b}[2J", "status": "running",
             "progress": {"downloadedBytes": 512, "totalBytes": 1024, "bytesPerSecond": 2048}},
            {"id": "b", "repo": "o/m", "status": "failed", "error": "gone", "progress": {}},
            {"id": "c", "repo": "o/k", "status": "queued", "waitReason": null, "progress": {}},
        ]});
        let text = jobs(&list);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "a  running    o/n\\u{1b}[2J   50 % of 1.0 KiB, 2.0 KiB/s",
                "b  failed     o/m  gone",
                "c  queued     o/k"
            ]
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_an_empty_one_takes_no_room() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            columns([row(["a", "", "★★", "x"]), row(["bcd", "", "★", ""])]),
            "a    ★★  x\nbcd  ★\n"
        );
    }

    #[test]
    fn a_plan_ends_with_its_sums_and_what_speaks_against_it() {
        let plan_of = json!({"files": [{"path": "a.bin", "size": 2048, "present": true}], "totalFiles": 1,
            "totalSize": 2048, "fetchBytes": 0, "outputDir": "/c", "fits": false, "warning": "No room"});
        assert_eq!(
            plan(&plan_of),
            "   2.0 KiB  a.bin  here\n1 files, 2.0 KiB; 0 B to fetch, into /c\nIt does not fit on the volume.\nNo room\n"
        );
    }
}
