//! How many clients may be connected at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections at once at most, however many files the process may open; more wait to be accepted.
const CONNECTIONS_MAX: u64 = 1_024;
/// Connections that clients of the live feed leave to requests.
const FOR_REQUESTS: usize = 24;
/// Files that a process should be allowed to open: the connections, those to the Hub, files, the database,
/// and room for more of each. Debian's limit for those who do not ask is 1,024.
const OPEN_FILES: u64 = 8_192;

/// Asks the system for as many open files as there may be use for. What it says no to, it says no to:
/// [`connections`] goes by what is allowed then.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        let current = Some(wanted);
        // Whether the system allows it is the system's affair.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }
}

/// Connections at once: half of what the process may open, so that files and the Hub keep the other half.
pub fn connections() -> usize {
    connections_of(getrlimit(Resource::Nofile).current)
}

/// Clients of the live feed at once, WebSockets and event streams; requests keep some connections.
pub fn live_clients() -> usize {
    live_clients_of(connections())
}

fn connections_of(open_files: Option<u64>) -> usize {
    open_files
        .map_or(CONNECTIONS_MAX, |files| (files / 2).min(CONNECTIONS_MAX))
        .max(1) as usize
}

fn live_clients_of(connections: usize) -> usize {
    connections.saturating_sub(FOR_REQUESTS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_clients_find_a_seat_and_requests_one_beside_them() {
        for (open_files, connections, clients) in [
            (None, 1_024, 1_000),
            (Some(8_192), 1_024, 1_000),
            (Some(1_024), 512, 488),
            (Some(40), 20, 1),
            (Some(0), 1, 1),
        ] {
            let seats = connections_of(open_files);
            assert_eq!(
                (seats, live_clients_of(seats)),
                (connections, clients),
                "{open_files:?}"
            );
        }
    }

    #[test]
    fn the_limit_of_open_files_is_raised_and_never_lowered() {
        let before = getrlimit(Resource::Nofile).current;
        raise_open_files();
        let after = getrlimit(Resource::Nofile);
        let most = after.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
        assert!(after.current.is_none_or(|now| now >= most), "{after:?}");
        assert!(
            after
                .current
                .is_none_or(|now| before.is_some_and(|before| before <= now))
        );
    }
}
