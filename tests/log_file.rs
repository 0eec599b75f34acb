//! `--log-file`: the log of the service in a file, which others rotate.

use std::path::Path;

use crate::support::depot::eventually;
use crate::support::process::{hfdepot, output};

/// A service with its log in a file; ended when it is dropped.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_to_the_file_and_on_to_the_next_one_when_it_was_rotated() {
    let home = tempfile::tempdir().expect("a directory");
    let log = home.path().join("hfdepot.log");
    std::fs::write(&log, "a line of an earlier start\n").expect("a file");
    let name = log.to_str().expect("UTF-8");
    let args = ["serve", "--port", "0", "--log-file", name, "--log-level", "debug"];
    let child = hfdepot(home.path(), &args, &[])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut running = Running(child);
    eventually(async || text(&log).contains("serving on http://")).await;
    let first = text(&log);
    assert!(first.starts_with("a line of an earlier start\n"), "{first}");
    // Lines for programs, as everywhere but on a terminal.
    for line in first.lines().skip(1) {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    let rotated = home.path().join("hfdepot.log.1");
    std::fs::rename(&log, &rotated).expect("moved");
    let pid = rustix::process::Pid::from_child(&running.0);
    // It notices within a second; then the stop is told in the new file.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    eventually(async || text(&log).contains("stopped")).await;
    assert!(
        text(&rotated).contains("serving on"),
        "the old file stays as it was"
    );
    running.0.wait().expect("an end");
    let mut told = String::new();
    let mut stderr = running.0.stderr.take().expect("a pipe");
    std::io::Read::read_to_string(&mut stderr, &mut told).expect("text");
    assert_eq!(told, "", "nothing goes to standard error beside it");
}

#[test]
fn a_file_that_cannot_be_opened_ends_the_start_with_its_name() {
    let home = tempfile::tempdir().expect("a directory");
    let (code, _, why) = output(home.path(), &["serve", "--log-file", "/nowhere/log"]);
    assert_eq!(code, Some(2), "{why}");
    assert!(
        why.contains("The log file /nowhere/log cannot be opened"),
        "{why}"
    );
    assert!(!home.path().join(".local").exists());
}
