//! `hfdepot doctor`: what stands in the way of a running service, and what to do about it.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::client::{Client, Method};
use super::print::{list, plain, text};
use super::verb::{Out, ask, run};
use crate::lifecycle::Exit;

/// `hfdepot doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// End with code 11 for warnings too
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    out: Out,
}

/// Shows every check; the exit code tells whether one failed.
///
/// # Errors
/// When the service cannot be reached or refuses, with the exit code of that.
pub fn main(args: &DoctorArgs) -> anyhow::Result<Exit> {
    run(async {
        let client = Client::new(&args.out.reach)?;
        let checks = ask(&client, Method::GET, "/api/system/checks", None).await?;
        args.out.show(&checks, checks_text);
        Ok(judged(&checks, args.strict))
    })
}

fn judged(checks: &Value, strict: bool) -> Exit {
    let bad = |check: &Value| match text(check, "status") {
        "ok" => false,
        "warn" => strict,
        // Also a word that a later version may have.
        _ => true,
    };
    match list(checks, "checks").iter().any(bad) {
        true => Exit::Unwell,
        false => Exit::Ok,
    }
}

fn checks_text(checks: &Value) -> String {
    let mut out = String::new();
    for check in list(checks, "checks") {
        let status = match text(check, "status") {
            "fail" => "FAIL",
            status => status,
        };
        let [name, message, hint] = ["name", "message", "hint"].map(|key| plain(text(check, key)));
        let _ = writeln!(out, "{status:<4}  {name:<14}  {message}");
        if !hint.is_empty() {
            let _ = writeln!(out, "{:<22}{hint}", "");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failure_counts_always_and_a_warning_when_asked() {
        let of = |words: &[&str]| {
            let checks: Vec<_> = words.iter().map(|word| json!({"status": word})).collect();
            let checks = json!({"checks": checks});
            (judged(&checks, false), judged(&checks, true))
        };
        assert_eq!(of(&["ok", "ok"]), (Exit::Ok, Exit::Ok));
        assert_eq!(of(&["ok", "warn"]), (Exit::Ok, Exit::Unwell));
        assert_eq!(of(&["warn", "fail"]), (Exit::Unwell, Exit::Unwell));
    }
}
