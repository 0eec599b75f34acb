//! `--open`: shows the pages to whoever started the service, with the program that his desktop has
//! for that. Not having one, as on a server, is no failure.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};

/// What opens an address in the browser of the user (xdg-utils; macOS has its own).
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Opens the pages of the service that listens on `address`.
pub fn open(address: SocketAddr, base_path: &str) {
    let url = pages(address, base_path);
    let started = Command::new(OPENER)
        .arg(&url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        // Some openers stay as long as the browser does.
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => tracing::warn!(%error, program = OPENER, "no browser could be opened; go to {url}"),
    }
}

/// Where the pages are for a browser on this machine.
fn pages(mut address: SocketAddr, base_path: &str) -> String {
    // An address that stands for all of them is none that one can go to.
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}{base_path}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_where_a_browser_of_this_machine_finds_them() {
        for (address, base_path, url) in [
            ("127.0.0.1:8080", "", "http://127.0.0.1:8080/"),
            ("0.0.0.0:80", "/depot", "http://127.0.0.1:80/depot/"),
            ("[::]:9000", "", "http://[::1]:9000/"),
            ("192.168.1.5:1", "", "http://192.168.1.5:1/"),
        ] {
            assert_eq!(pages(address.parse().unwrap(), base_path), url);
        }
    }
}
