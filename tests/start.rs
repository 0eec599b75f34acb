//! The binary as a process: its settings, its signals and its exit codes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::process::hfdepot;

/// No start and no stop takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

fn output(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = hfdepot(home, args, variables).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Ends the process when a test fails half-way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_variable_sets_what_its_flag_sets_and_the_flag_wins() {
    let home = tempfile::tempdir().unwrap();
    let variables = [
        ("HFDEPOT_MAX_ACTIVE", "5"),
        ("HFDEPOT_RETRIES", "7"),
        ("HFDEPOT_TOKEN", "hf_from_variable"),
        ("HFDEPOT_VERIFY", ""),
    ];
    let args = ["serve", "--check-config", "--max-active", "6"];
    let (code, stdout, stderr) = output(home.path(), &args, &variables);
    assert_eq!(code, Some(0), "{stderr}");
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    for (name, value, source, from) in [
        ("maxActive", "6", "flag", "--max-active"),
        ("retries", "7", "env", "HFDEPOT_RETRIES"),
        ("token", "\"********able\"", "env", "HFDEPOT_TOKEN"),
    ] {
        assert_eq!(shown[name].to_string(), value);
        assert_eq!(shown["sources"][name], source);
        assert_eq!(shown["sourceNames"][name], from);
    }
    assert_eq!(shown["sources"]["verify"], "default");
}

#[test]
fn wrong_settings_end_with_code_2_and_touch_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/hfdepot")).unwrap();
    for (args, variables, word) in [
        (&["serve", "--connections", "65"][..], &[][..], "1 to 64"),
        (&["serve", "--no-such-flag"], &[], "no-such-flag"),
        (&["serve", "--addr", "0.0.0.0"], &[], "--no-auth"),
        (&["serve", "--addr", "home"], &[], "IP address"),
        (
            &["serve", "--addr", "::"],
            &[("HFDEPOT_NO_AUTH", "0")],
            "--no-auth",
        ),
        (&["serve", "--port", "65536"], &[], "port"),
        (&["serve"], &[("HFDEPOT_MAX_ACTIVE", "0")], "HFDEPOT_MAX_ACTIVE"),
        (&["serve", "--config", "/nowhere.toml"], &[], "/nowhere.toml"),
        (&["serve", "--log-level", "a=b=c"], &[], "log level"),
    ] {
        let (code, _, stderr) = output(home.path(), args, variables);
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(word), "{args:?}: {stderr}");
    }
    std::fs::write(home.path().join(".config/hfdepot/config.toml"), "max-actve = 3\n").unwrap();
    let (code, _, stderr) = output(home.path(), &["serve"], &[]);
    assert!(code == Some(2) && stderr.contains("max-actve"), "{stderr}");
    assert!(!home.path().join(".local").exists());
}

#[test]
fn the_version_goes_to_standard_output() {
    let home = tempfile::tempdir().unwrap();
    let (code, stdout, _) = output(home.path(), &["version"], &[]);
    assert_eq!(
        (code, stdout),
        (Some(0), format!("hfdepot {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn a_secret_on_the_command_line_is_warned_about_and_the_first_signal_stops_softly() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let home = tempfile::tempdir().unwrap();
        let args = [
            "serve",
            "--port",
            "0",
            "--token",
            "hf_hunter2",
            "--log-format",
            "json",
        ];
        let child = hfdepot(home.path(), &args, &[])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let mut log = String::new();
        let mut lines = BufReader::new(running.0.stderr.take().unwrap());
        while !log.contains("serving on http://127.0.0.1:") {
            assert_ne!(lines.read_line(&mut log).unwrap(), 0, "ended early: {log}");
        }
        assert!(log.contains("--token is visible in the process list"), "{log}");
        let pid = rustix::process::Pid::from_child(&running.0);
        rustix::process::kill_process(pid, signal).unwrap();
        let begun = Instant::now();
        // The pipe closes when the process ends.
        while lines.read_line(&mut log).unwrap() != 0 {
            assert!(begun.elapsed() < PATIENCE, "{log}");
        }
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
        assert!(
            log.lines()
                .all(|line| serde_json::from_str::<Value>(line).is_ok()),
            "{log}"
        );
    }
}
