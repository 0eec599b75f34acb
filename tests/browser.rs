//! `--open`: the pages come up in the browser of whoever started the service, when he asks for it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::depot::eventually;
use crate::support::process::Process;

/// A desktop whose opener writes down what it was asked to open.
fn desktop(home: &Path) -> String {
    let bin = home.join("bin");
    fs::create_dir(&bin).expect("a folder");
    for name in ["xdg-open", "open"] {
        let program = bin.join(name);
        fs::write(&program, "#!/bin/sh\necho \"$1\" >> \"$HOME/opened\"\n").expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("rights");
    }
    bin.to_str().expect("UTF-8").to_owned()
}

fn opened(home: &Path) -> String {
    fs::read_to_string(home.join("opened")).unwrap_or_default()
}

/// Waits for an answer: whatever opens a browser has done so by then.
fn answers(service: &Process) {
    let address = service.url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_gets_the_pages_that_are_served_then() {
    let home = tempfile::tempdir().expect("a directory");
    let path = desktop(home.path());
    let flags = ["--open", "--base-path", "/depot"];
    let service = Process::serve(home.path(), &flags, &[("PATH", path.as_str())]);
    eventually(async || opened(home.path()).ends_with('\n')).await;
    let url = opened(home.path());
    let url = url.trim();
    assert!(
        service.url.starts_with(url.trim_end_matches('/')) && url.ends_with("/depot/"),
        "{url}"
    );
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let page = client.get(url).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
}

#[test]
fn nothing_is_opened_unasked_and_a_machine_without_a_browser_serves_all_the_same() {
    for (flags, variable) in [
        (&[][..], "false"),
        (&["--no-open"], "true"),
        (&["--open", "false"], "true"),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let path = desktop(home.path());
        let variables = [("PATH", path.as_str()), ("HFDEPOT_OPEN", variable)];
        let service = Process::serve(home.path(), flags, &variables);
        answers(&service);
        service.kill();
        assert_eq!(opened(home.path()), "", "{flags:?}");
    }
    let home = tempfile::tempdir().expect("a directory");
    let service = Process::serve(home.path(), &["--open"], &[("PATH", "/nowhere")]);
    answers(&service);
    assert!(service.kill().contains("no browser could be opened"));
}
