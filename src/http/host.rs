//! The names under which clients may address the service: the defence against DNS rebinding.
//!
//! A page of another site can make its own name lead to this machine; the browser then
//! takes the service for that site. The `Host` header gives it away. Addresses pass,
//! because a name is what rebinding needs.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};

use super::error::ApiError;

/// The allowed names, in lower case, without port and final dot.
#[derive(Debug, Clone)]
pub struct HostNames(HashSet<String>);

impl HostNames {
    /// `localhost`, `machine` (whole, its first label, and that with `.local` as mDNS has it), and `more`.
    pub fn new(machine: &str, more: &[String]) -> Self {
        let machine = machine.trim_end_matches('.').to_ascii_lowercase();
        let mut names: HashSet<String> = more
            .iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
            .collect();
        names.insert("localhost".to_owned());
        if let Some(first) = machine.split('.').next().filter(|label| !label.is_empty()) {
            names.insert(first.to_owned());
            names.insert(format!("{first}.local"));
            names.insert(machine.clone());
        }
        Self(names)
    }

    fn allows(&self, host: &str) -> bool {
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        name.parse::<Ipv4Addr>().is_ok()
            || name
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
            || self.0.contains(&name)
    }
}

/// The name of this machine.
pub fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Checks the `Host` header, and the authority when the request line has one. The port is not compared.
///
/// # Errors
/// 400 for none, two, or one that is no host; 403 for a name that is not allowed.
pub(super) fn check(
    names: &HostNames,
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Authority, ApiError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next(), uri.authority()) {
        (Some(host), None, _) => host
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Authority>().ok())
            .ok_or_else(|| bad("The Host header is no host"))?,
        // HTTP/2 has :authority in its place.
        (None, _, Some(authority)) if version >= Version::HTTP_2 => authority.clone(),
        (None, ..) => return Err(bad("The Host header is missing")),
        (Some(_), Some(_), _) => return Err(bad("The request has two Host headers")),
    };
    for authority in [Some(&host), uri.authority()].into_iter().flatten() {
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(bad("The Host header is no host"));
        }
        if !names.allows(authority.host()) {
            let shown = crate::model::repo::shown(authority.host());
            return Err(ApiError::new(StatusCode::FORBIDDEN, "Host not allowed")
                .details(format!("\"{shown}\" is not a name of this service"))
                .hint(format!(
                    "Use its IP address, or start it with --allow-host {shown}"
                )));
        }
    }
    Ok(host)
}

fn bad(why: &str) -> ApiError {
    ApiError::bad_request("Bad request")
        .details(why)
        .hint("Send one Host header.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_own_names_pass_and_other_names_do_not() {
        let names = HostNames::new("NAS.lan", &["Depot.example".to_owned()]);
        for good in [
            "127.0.0.1",
            "[::1]",
            "192.168.1.9",
            "localhost",
            "LOCALHOST.",
            "nas",
            "nas.lan",
            "nas.local",
            "depot.example",
        ] {
            assert!(names.allows(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "2130706433",
            "127.1",
            "[::1",
            "nas.evil",
            "[fe80::1%25eth0]",
        ] {
            assert!(!names.allows(bad), "{bad}");
        }
        assert!(!HostNames::new("", &[]).allows(""));
    }
}
