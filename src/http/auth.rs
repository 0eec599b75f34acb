//! Who asks: HTTP Basic with one name and password, or an API key.
//!
//! Name and password are compared always, as digests and in constant time, so that neither the length nor
//! the first right character shows. Who guesses wrong is slowed down, never locked out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::ApiError;
use super::who::Who;
use crate::config::Login;
use crate::model::key::{KEY_START, hash_of};
use crate::store::Store;

/// Wrong answers before an address has to wait.
const FREE_TRIES: u32 = 5;
/// The first wait; it doubles with each further wrong answer.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// So long after its last wrong answer an address starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// Waiting requests of one address; more get 429 unread. With [`LONGEST_WAIT`] an address has 8 guesses a second.
const WAITING_PER_ADDRESS: u32 = 16;
/// Waiting requests of all addresses together.
const WAITING_OVER_ALL: u32 = 256;
/// Addresses that are remembered; the one with the oldest wrong answer gives way.
const ADDRESSES: usize = 4096;

/// Checks logins and API keys. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    login: Option<Known>,
    /// Where keys are looked up; `None` = there are none.
    keys: Option<Store>,
    /// Whether who shows nothing comes in too.
    open: bool,
    tries: Arc<Mutex<Tries>>,
}

/// The login, as it is compared.
#[derive(Clone)]
struct Known {
    name: Arc<str>,
    user: [u8; 32],
    password: [u8; 32],
}

/// What a request shows.
enum Shown {
    Nothing,
    Login {
        user: Vec<u8>,
        password: Vec<u8>,
    },
    Key(String),
    /// Something that cannot be right.
    Wrong,
}

impl Gate {
    /// A gate for this login.
    pub fn new(login: &Login) -> Self {
        Self {
            login: Some(Known {
                name: login.user.as_str().into(),
                user: digest(login.user.as_bytes()),
                password: digest(login.password.expose().as_bytes()),
            }),
            keys: None,
            open: false,
            tries: Arc::default(),
        }
    }

    /// A gate for the keys in `store` and, when there is one, a login. An `open` one lets in who
    /// shows nothing too; a key that is shown still has to be right, and its scope holds.
    pub fn with_keys(login: Option<&Login>, open: bool, store: Store) -> Self {
        Self {
            login: login.and_then(|login| Self::new(login).login),
            keys: Some(store),
            open,
            tries: Arc::default(),
        }
    }

    /// Tells who asks, after a wait when `peer` guessed wrong too often.
    ///
    /// # Errors
    /// 401 with `WWW-Authenticate` when login or key is missing or wrong, 429 when too many
    /// requests of this address wait already.
    pub(super) async fn check(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Who, ApiError> {
        // Nothing at all is how every browser begins; it is no guess.
        let shown = match self.shown(headers) {
            Shown::Nothing if self.open => return Ok(Who::Anyone),
            Shown::Nothing => return Err(unauthorized("A login or an API key is needed")),
            shown => shown,
        };
        let address = peer.to_canonical();
        let peer = network_of(peer);
        let wait = self.tries().wait(peer, Instant::now());
        if !wait.is_zero() {
            // The wait comes before the look at the password: whoever hangs up early learns nothing.
            let Some(_seat) = Seat::take(&self.tries, peer) else {
                return Err(
                    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "Too many failed logins")
                        .details("Too many requests of this address wait already")
                        .header(header::RETRY_AFTER, HeaderValue::from_static("2")),
                );
            };
            tokio::time::sleep(wait).await;
        }
        let who = match shown {
            Shown::Login { user, password } => self.login_of(&user, &password),
            Shown::Key(key) => self.key_of(&key, address).await?,
            Shown::Nothing | Shown::Wrong => None,
        };
        let mut tries = self.tries();
        if let Some(who) = who {
            tries.forget(peer);
            return Ok(who);
        }
        let count = tries.failed(peer, Instant::now());
        drop(tries);
        tracing::warn!(%peer, count, "failed login");
        Err(unauthorized("The name, the password or the key is wrong"))
    }

    /// `X-Api-Key` before `Authorization`; a key may also stand there as a bearer token, or as
    /// the password, so that a browser's prompt takes it.
    fn shown(&self, headers: &HeaderMap) -> Shown {
        let mut keys = headers.get_all("x-api-key").iter();
        match (keys.next(), keys.next()) {
            (Some(key), None) => {
                return key
                    .to_str()
                    .map_or(Shown::Wrong, |key| Shown::Key(key.trim().to_owned()));
            }
            (Some(_), Some(_)) => return Shown::Wrong,
            (None, _) => {}
        }
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let shown = match (given.next(), given.next()) {
            (None, _) => Shown::Nothing,
            (Some(value), None) => value.to_str().map_or(Shown::Wrong, read),
            (Some(_), Some(_)) => Shown::Wrong,
        };
        match shown {
            // Clients of the Hub send its token to every server that they take for it; where no
            // login is asked for, what is not ours is nothing.
            Shown::Key(key) if self.open && !key.starts_with(KEY_START) => Shown::Nothing,
            Shown::Login { .. } | Shown::Wrong if self.open => Shown::Nothing,
            shown => shown,
        }
    }

    fn login_of(&self, user: &[u8], password: &[u8]) -> Option<Who> {
        let known = self.login.as_ref()?;
        let same = digest(user).ct_eq(&known.user) & digest(password).ct_eq(&known.password);
        bool::from(same).then(|| Who::Login(Arc::clone(&known.name)))
    }

    async fn key_of(&self, key: &str, from: IpAddr) -> Result<Option<Who>, ApiError> {
        let Some(store) = self.keys.clone() else {
            return Ok(None);
        };
        let Some(key) = store.key_by_hash(&hash_of(key)).await? else {
            return Ok(None);
        };
        if key.is_use_due() {
            let id = key.id.clone();
            // The request does not wait for the writer.
            tokio::spawn(async move {
                if let Err(error) = store.use_key(&id, &from.to_string()).await {
                    tracing::warn!(%error, "the use of a key could not be recorded");
                }
            });
        }
        Ok(Some(Who::Key {
            id: key.id.into(),
            name: key.name.into(),
            scope: key.scope,
        }))
    }

    fn tries(&self) -> std::sync::MutexGuard<'_, Tries> {
        // Plain numbers: they are as good after a panic as before.
        self.tries
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Reads the value of `Authorization`.
fn read(text: &str) -> Shown {
    let Some((scheme, rest)) = text.split_once(' ') else {
        return Shown::Wrong;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return Shown::Key(rest.trim().to_owned());
    }
    let decoded = match STANDARD.decode(rest.trim()) {
        Ok(decoded) if scheme.eq_ignore_ascii_case("basic") => decoded,
        _ => return Shown::Wrong,
    };
    let Some(colon) = decoded.iter().position(|&byte| byte == b':') else {
        return Shown::Wrong;
    };
    let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
    match std::str::from_utf8(password) {
        Ok(key) if key.starts_with(KEY_START) => Shown::Key(key.to_owned()),
        _ => Shown::Login {
            user: user.to_vec(),
            password: password.to_vec(),
        },
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn unauthorized(details: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized")
        .details(details)
        .header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"hfdepot\", charset=\"UTF-8\""),
        )
}

/// One household or provider customer has a whole IPv6 /64: it counts as one address.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        v4 => v4,
    }
}

/// Wrong answers by address.
#[derive(Default)]
struct Tries {
    by_address: HashMap<IpAddr, Tried>,
    waiting: u32,
}

struct Tried {
    wrong: u32,
    last: Instant,
    waiting: u32,
}

impl Tries {
    fn wait(&self, peer: IpAddr, now: Instant) -> Duration {
        match self.by_address.get(&peer) {
            Some(tried) if now.duration_since(tried.last) < FORGET_AFTER && tried.wrong >= FREE_TRIES => {
                FIRST_WAIT
                    .saturating_mul(1 << (tried.wrong - FREE_TRIES).min(10))
                    .min(LONGEST_WAIT)
            }
            _ => Duration::ZERO,
        }
    }

    /// Counts a wrong answer and returns how many there were.
    fn failed(&mut self, peer: IpAddr, now: Instant) -> u32 {
        if self.by_address.len() >= ADDRESSES && !self.by_address.contains_key(&peer) {
            let oldest = self
                .by_address
                .iter()
                .min_by_key(|(_, tried)| tried.last)
                .map(|(ip, _)| *ip);
            if let Some(oldest) = oldest {
                self.by_address.remove(&oldest);
            }
        }
        let tried = self.by_address.entry(peer).or_insert(Tried {
            wrong: 0,
            last: now,
            waiting: 0,
        });
        if now.duration_since(tried.last) >= FORGET_AFTER {
            tried.wrong = 0;
        }
        tried.wrong = tried.wrong.saturating_add(1);
        tried.last = now;
        tried.wrong
    }

    fn forget(&mut self, peer: IpAddr) {
        if let Some(tried) = self.by_address.get_mut(&peer) {
            tried.wrong = 0;
        }
    }
}

/// The right to wait; given back when the request ends in any way.
struct Seat {
    tries: Arc<Mutex<Tries>>,
    peer: IpAddr,
}

impl Seat {
    fn take(tries: &Arc<Mutex<Tries>>, peer: IpAddr) -> Option<Self> {
        let mut all = tries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let over_all = all.waiting;
        let tried = all.by_address.get_mut(&peer)?;
        if tried.waiting >= WAITING_PER_ADDRESS || over_all >= WAITING_OVER_ALL {
            return None;
        }
        tried.waiting += 1;
        all.waiting += 1;
        Some(Self {
            tries: Arc::clone(tries),
            peer,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self
            .tries
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        all.waiting = all.waiting.saturating_sub(1);
        if let Some(tried) = all.by_address.get_mut(&self.peer) {
            tried.waiting = tried.waiting.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

    fn gate() -> Gate {
        Gate::new(&Login {
            user: "admin".to_owned(),
            password: Secret::new("a:b c"),
        })
    }

    #[test]
    fn only_the_whole_login_is_right() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let gate = gate();
        let is_right = |text: &str| {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap())]);
            match gate.shown(&headers) {
                Shown::Login { user, password } => gate.login_of(&user, &password).is_some(),
                _ => false,
            }
        };
        assert!(is_right(&basic("admin:a:b c")));
        for wrong in [
            "",
            "admin",
            "admin:",
            ":a:b c",
            "admin:a",
            "admin:a:b c ",
            "Admin:a:b c",
            "admin:a:b c\0",
        ] {
            assert!(!is_right(&basic(wrong)), "{wrong:?}");
        }
        for wrong in ["", "Basic", "Basic !!!", "Bearer YWRtaW46YTpiIGM="] {
            assert!(!is_right(wrong), "{wrong:?}");
        }
        assert!(is_right("basic YWRtaW46YTpiIGM="));
    }

    #[test]
    fn wrong_answers_cost_time_and_a_right_one_ends_that() {
        let mut tries = Tries::default();
        let now = Instant::now();
        for _ in 0..FREE_TRIES {
            assert_eq!(tries.wait(PEER, now), Duration::ZERO);
            tries.failed(PEER, now);
        }
        assert_eq!(tries.wait(PEER, now), FIRST_WAIT);
        for _ in 0..50 {
            tries.failed(PEER, now);
        }
        assert_eq!(tries.wait(PEER, now), LONGEST_WAIT);
        assert_eq!(tries.wait(PEER, now + FORGET_AFTER), Duration::ZERO);
        tries.forget(PEER);
        assert_eq!(tries.wait(PEER, now), Duration::ZERO);
    }

    #[test]
    fn the_list_of_addresses_and_the_waiting_room_are_bounded() {
        let mut tries = Tries::default();
        let now = Instant::now();
        for n in 0..(ADDRESSES as u32 + 10) {
            tries.failed(IpAddr::from(n.to_be_bytes()), now);
        }
        assert_eq!(tries.by_address.len(), ADDRESSES);
        tries.failed(PEER, now);
        let tries = Arc::new(Mutex::new(tries));
        let seats: Vec<Seat> = (0..WAITING_PER_ADDRESS)
            .filter_map(|_| Seat::take(&tries, PEER))
            .collect();
        assert_eq!(seats.len(), WAITING_PER_ADDRESS as usize);
        assert!(Seat::take(&tries, PEER).is_none());
        drop(seats);
        assert!(Seat::take(&tries, PEER).is_some());
    }

    #[test]
    fn a_household_counts_as_one_address() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.7"), PEER);
    }
}
