//! How long the service waits for others before it gives them up.
//!
//! No flag sets these: the defaults are promises of the API. Tests shorten them.

use std::time::Duration;

/// Longest waits, each for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a plan; a repo of 100,000 files takes some ten pages of the listing.
    pub plan: Duration,
    /// For what the Hub's scanners say of the files of a plan, on top of that.
    pub scanners: Duration,
    /// For an analysis, which lists as a plan does.
    pub analysis: Duration,
    /// For a page of search results.
    pub search: Duration,
    /// Between two pings to a WebSocket.
    pub ping_every: Duration,
    /// For any word of a WebSocket, be it only the answer to a ping.
    pub silence: Duration,
    /// For a WebSocket to take one frame.
    pub frame: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            plan: Duration::from_secs(60),
            scanners: Duration::from_secs(8),
            analysis: Duration::from_secs(60),
            search: Duration::from_secs(20),
            ping_every: Duration::from_secs(30),
            silence: Duration::from_secs(60),
            frame: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_has_the_times_of_the_published_api() {
        let patience = Patience::default();
        let seconds = [patience.ping_every, patience.silence, patience.frame].map(|time| time.as_secs());
        assert_eq!(seconds, [30, 60, 10]);
    }
}
