//! The binary as a process, for what only a process has: its log, its lock, its exit codes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What the log says once the address is open.
const SERVING: &str = "serving on ";

/// The binary in a world of its own: nothing of the machine's environment reaches it.
pub fn hfdepot(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfdepot"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied());
    command
}

/// Exit code, standard output and standard error of a command that ends.
pub fn output(home: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = hfdepot(home, args, &[]).output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A service as a process of its own; killed when it is dropped.
pub struct Process {
    child: Child,
    /// `http://127.0.0.1:PORT`, without a slash behind.
    pub url: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts `serve` on a free port and waits until it serves.
    pub fn serve(home: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let args = [&["serve", "--port", "0", "--log-format", "json"], flags].concat();
        let mut child = hfdepot(home, &args, variables)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut log = String::new();
        let url = loop {
            let from = log.len();
            assert_ne!(lines.read_line(&mut log).expect("text"), 0, "ended early: {log}");
            if let Some((_, rest)) = log[from..].split_once(SERVING) {
                break rest.split("/\"").next().expect("an address").to_owned();
            }
        };
        let log = Arc::new(Mutex::new(log));
        let kept = log.clone();
        // A full pipe would stop the service.
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = kept.lock().expect("not poisoned");
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self {
            child,
            url,
            log,
            reader: Some(reader),
        }
    }

    /// Ends it as a loss of power would, and gives everything that it wrote to standard error.
    pub fn kill(mut self) -> String {
        self.end();
        self.log.lock().expect("not poisoned").clone()
    }

    fn end(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
