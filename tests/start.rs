//! The binary as a process: its settings, its signals and its exit codes.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::support::hub::{Content, Hub, Repo};

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

/// A service that is up, with its log so far. Ends the process when a test fails half-way.
struct Running(Child);

impl Running {
    /// Starts `serve` and waits until it serves; gives its base URL and the rest of its log.
    fn start(home: &Path, args: &[&str]) -> (Self, String, BufReader<ChildStderr>) {
        let args = [&["serve", "--port", "0", "--log-format", "json"][..], args].concat();
        let child = hfdepot(home, &args, &[]).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Self(child);
        let mut lines = BufReader::new(running.0.stderr.take().unwrap());
        let mut log = String::new();
        loop {
            assert_ne!(lines.read_line(&mut log).unwrap(), 0, "ended early: {log}");
            if let Some((_, rest)) = log.split_once("serving on http://127.0.0.1:") {
                let port = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap();
                return (running, format!("http://127.0.0.1:{port}"), lines);
            }
        }
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Its exit code; its log is read to the end, which comes with that of the process.
    fn ended(mut self, mut lines: BufReader<ChildStderr>) -> (Option<i32>, String) {
        let mut log = String::new();
        let _ = lines.read_to_string(&mut log);
        (self.0.wait().unwrap().code(), log)
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_three_running_jobs_ends_within_two_seconds_of_its_signal() {
    let hub = Hub::start().await;
    hub.set_total_rate(Some(6 << 20));
    for index in 0..3 {
        let content = Content::generated(24 << 20, index);
        hub.add(Repo::model(&format!("acme/r{index}")).lfs("m.gguf", content));
    }
    let home = tempfile::tempdir().unwrap();
    let endpoint = hub.endpoint();
    let args = ["--endpoint", &endpoint];
    let (running, url, lines) = Running::start(home.path(), &args);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for index in 0..3 {
        let body = json!({"repo": format!("acme/r{index}")});
        let posted = client
            .post(format!("{url}/api/download"))
            .json(&body)
            .send()
            .await;
        assert_eq!(posted.unwrap().status(), 202);
    }
    let bytes_of = |job: &Value| job["progress"]["downloadedBytes"].as_u64().unwrap_or(0);
    let all_run = async || {
        let jobs = client.get(format!("{url}/api/jobs")).send().await.unwrap();
        let jobs: Value = jobs.json().await.unwrap();
        let jobs = jobs["jobs"].as_array().unwrap();
        jobs.iter()
            .all(|job| job["status"] == "running" && bytes_of(job) > 1 << 20)
    };
    crate::support::depot::eventually(all_run).await;
    let begun = Instant::now();
    running.terminate();
    let (code, log) = running.ended(lines);
    assert_eq!(code, Some(0), "{log}");
    assert!(begun.elapsed() <= Duration::from_secs(2), "{:?}", begun.elapsed());
    // All three go on by themselves, with what they had.
    hub.set_total_rate(None);
    let (running, url, lines) = Running::start(home.path(), &args);
    let all_done = async || {
        let jobs = client.get(format!("{url}/api/jobs")).send().await.unwrap();
        let jobs: Value = jobs.json().await.unwrap();
        let jobs = jobs["jobs"].as_array().unwrap();
        jobs.iter().all(|job| job["status"] == "completed")
    };
    crate::support::depot::eventually(all_done).await;
    assert!(hub.log().bytes_twice() <= 3 * 8 * (256 << 10));
    running.terminate();
    assert_eq!(running.ended(lines).0, Some(0));
}

#[test]
fn of_many_starts_on_one_data_directory_one_serves_and_the_others_name_it() {
    let home = tempfile::tempdir().unwrap();
    let (first, _, lines) = Running::start(home.path(), &[]);
    let others: Vec<_> = (0..8)
        .map(|_| {
            let mut other = hfdepot(home.path(), &["serve", "--port", "0"], &[]);
            other.stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for other in others {
        let Output { status, stderr, .. } = other.wait_with_output().unwrap();
        let text = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(3), "{text}");
        let pid = format!("(process {})", first.0.id());
        assert!(text.contains(&pid), "{pid}: {text}");
    }
    first.terminate();
    assert_eq!(first.ended(lines).0, Some(0), "the first was not disturbed");
}

#[tokio::test]
async fn a_database_of_a_newer_version_ends_the_start_with_code_4_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let (first, _, lines) = Running::start(home.path(), &[]);
    first.terminate();
    assert_eq!(first.ended(lines).0, Some(0));
    let path = home.path().join(".local/share/hfdepot/hfdepot.db");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    sqlx::raw_sql(
        "INSERT INTO refinery_schema_history SELECT version * 2, 'later', applied_on, checksum FROM refinery_schema_history ORDER BY version DESC LIMIT 1;
         PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let (code, _, stderr) = output(home.path(), &["serve", "--port", "0"], &[]);
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("newer"), "{stderr}");
    assert!(std::fs::read(&path).unwrap() == before, "the file was touched");
}
