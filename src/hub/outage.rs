//! Hosts that cannot be reached at the moment.
//!
//! Without this gate each range of each job would knock on a dead host by itself. With it one
//! request at a time probes the host, less and less often, and all others fail at once with the
//! same error and the time of the next probe (an outage costs less than one
//! request a minute and host). Any answer of the host opens the gate for everybody.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::HubError;
use super::retry::grown;

/// The gate over all hosts of one client.
#[derive(Debug)]
pub(super) struct Outages {
    first: Duration,
    longest: Duration,
    hosts: Mutex<HashMap<String, Outage>>,
}

#[derive(Debug)]
struct Outage {
    error: HubError,
    probes: u32,
    next_probe: Instant,
    probing: bool,
}

/// The right to send one request to a host. Dropped without a verdict it counts as not sent.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    outages: &'a Outages,
    host: String,
    is_probe: bool,
}

impl Outages {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first: first.min(longest),
            longest,
            hosts: Mutex::default(),
        }
    }

    /// Asks to send a request to `host`.
    ///
    /// # Errors
    /// The error of the outage, with the time until the next probe.
    pub fn enter(&self, host: String) -> Result<Pass<'_>, HubError> {
        let mut hosts = self.lock();
        let Some(outage) = hosts.get_mut(&host) else {
            return Ok(Pass {
                outages: self,
                host,
                is_probe: false,
            });
        };
        let now = Instant::now();
        if outage.probing || outage.next_probe > now {
            let left = outage.next_probe.saturating_duration_since(now);
            // While a probe is on its way, the next one can be no sooner than a first back-off.
            let wait = if outage.probing {
                left.max(self.first)
            } else {
                left
            };
            return Err(outage.error.clone().after(Some(wait)));
        }
        outage.probing = true;
        Ok(Pass {
            outages: self,
            host,
            is_probe: true,
        })
    }

    /// Hosts that cannot be reached at the moment, with the error of each, in the order of their names.
    pub fn away(&self) -> Vec<(String, HubError)> {
        let hosts = self.lock();
        let mut away: Vec<_> = hosts
            .iter()
            .map(|(host, outage)| (host.clone(), outage.error.clone()))
            .collect();
        away.sort_by(|one, other| one.0.cmp(&other.0));
        away
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Outage>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The host answered, whatever it said.
    pub fn reached(self) {
        self.outages.lock().remove(&self.host);
    }

    /// The host could not be reached. Returns the error with the time until the next probe.
    pub fn unreachable(self, error: HubError) -> HubError {
        let now = Instant::now();
        let mut hosts = self.outages.lock();
        let outage = hosts.entry(self.host.clone()).or_insert(Outage {
            error: error.clone(),
            probes: 0,
            next_probe: now,
            probing: false,
        });
        // Requests that were on their way when the host went away say nothing new.
        if self.is_probe || outage.probes == 0 {
            let pause = grown(self.outages.first, 2.0, outage.probes, self.outages.longest);
            outage.probes += 1;
            outage.next_probe = now + pause;
            outage.error = error.clone();
        }
        let wait = outage.next_probe.saturating_duration_since(now);
        error.after(Some(wait))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe
            && let Some(outage) = self.outages.lock().get_mut(&self.host)
        {
            outage.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::hub::config::HubConfig;
    use crate::hub::error::Class;
    use crate::hub::retry::{Decision, Retry};
    use crate::model::code::Code;

    fn offline() -> HubError {
        HubError::new(Class::Offline, Code::Offline, "Cannot reach h")
    }

    fn outages() -> Outages {
        Outages::new(Duration::from_millis(400), Duration::from_secs(75))
    }

    #[tokio::test(start_paused = true)]
    async fn eight_hours_away_cost_less_than_one_request_a_minute() {
        let outages = outages();
        let start = Instant::now();
        let mut probes = 0;
        while start.elapsed() < Duration::from_secs(8 * 3600) {
            let error = match outages.enter("h".into()) {
                Ok(pass) => {
                    probes += 1;
                    pass.unreachable(offline())
                }
                Err(error) => error,
            };
            tokio::time::advance(error.retry_after.unwrap()).await;
        }
        assert!((300..480).contains(&probes), "{probes}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_connections_that_lose_their_host_for_a_night_hardly_knock_and_all_come_back() {
        const CONNECTIONS: usize = 24;
        let night = Duration::from_secs(8 * 3600);
        let config = HubConfig::default();
        let outages = Arc::new(Outages::new(config.backoff_initial, config.offline_max));
        let (start, knocks) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
        let connection = |_| {
            let (outages, knocks, mut retry) = (outages.clone(), knocks.clone(), Retry::new(&config));
            tokio::spawn(async move {
                loop {
                    let error = match outages.enter("h".into()) {
                        Ok(pass) if start.elapsed() >= night => {
                            pass.reached();
                            return start.elapsed() - night;
                        }
                        Ok(pass) => {
                            knocks.fetch_add(1, Relaxed);
                            // Finding nobody there takes its time.
                            tokio::time::sleep(Duration::from_millis(fastrand::u64(1..3_000))).await;
                            pass.unreachable(offline())
                        }
                        Err(error) => error,
                    };
                    match retry.next(&error, false) {
                        Decision::Again(pause) => tokio::time::sleep(pause).await,
                        Decision::GiveUp => panic!("a night away is no reason to give up"),
                    }
                }
            })
        };
        let connections: Vec<_> = (0..CONNECTIONS).map(connection).collect();
        for connection in connections {
            let late = connection.await.unwrap();
            assert!(late <= 2 * config.offline_max, "back only after {late:?}");
        }
        // Those that were under way when the host went away knocked once each.
        let later = knocks.load(Relaxed) - CONNECTIONS;
        assert!((300..480).contains(&later), "{later} knocks in eight hours");
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_at_a_time_and_one_answer_opens_the_gate() {
        let outages = outages();
        let (first, second) = (
            outages.enter("h".into()).unwrap(),
            outages.enter("h".into()).unwrap(),
        );
        first.unreachable(offline());
        let again = second.unreachable(offline());
        assert_eq!(outages.away().len(), 1);
        assert_eq!(
            again.retry_after,
            Some(Duration::from_millis(400)),
            "one outage, not two"
        );
        assert!(outages.enter("h".into()).is_err());
        assert!(outages.enter("other".into()).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        let probe = outages.enter("h".into()).unwrap();
        assert!(outages.enter("h".into()).is_err(), "a probe is on its way");
        drop(probe);
        let probe = outages
            .enter("h".into())
            .expect("a cancelled probe gives its place back");
        probe.reached();
        assert!(outages.enter("h".into()).is_ok() && outages.away().is_empty());
    }
}
