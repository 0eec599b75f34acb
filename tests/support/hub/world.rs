//! What the stand-in Hub knows: repos, accounts, quotas, faults, signed links and the log.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::answer::Answer;
use super::armed::{Armed, Faults};
use super::ask::{Ask, Target, split_revision};
use super::cdn::Tickets;
use super::collection::Collection;
use super::fault::{FaultKind, Stage};
use super::log::{Hop, Log, lock};
use super::pace::Pace;
use super::repo::{Kind, Repo};

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Account {
    /// What comes after `Bearer`.
    pub token: String,
    /// Login name.
    pub name: String,
    /// Ids of private and gated repos it may read; `*` for all.
    pub grants: Vec<String>,
}

impl Account {
    /// An account that may read these private and gated repos.
    pub fn new(token: &str, name: &str, grants: &[&str]) -> Self {
        let grants = grants.iter().map(|id| (*id).to_owned()).collect();
        Self {
            token: token.to_owned(),
            name: name.to_owned(),
            grants,
        }
    }

    /// Whether a private or gated repo or collection is open to it.
    pub fn may_read(&self, id: &str) -> bool {
        self.grants.iter().any(|grant| grant == "*" || grant == id)
    }
}

/// Requests allowed in a fixed window.
#[derive(Debug, Clone, Copy)]
struct Quota {
    requests: u64,
    window: Duration,
}

/// What is left of a window: its end and the requests charged.
type Window = (Instant, u64);

/// The state shared by both listeners.
pub struct World {
    repos: Mutex<BTreeMap<(Kind, String), Arc<Repo>>>,
    collections: Mutex<Vec<Arc<Collection>>>,
    accounts: Mutex<Vec<Account>>,
    quotas: Mutex<HashMap<String, Quota>>,
    windows: Mutex<HashMap<(String, String), Window>>,
    /// Faults in force.
    pub faults: Faults,
    /// Signed links.
    pub tickets: Tickets,
    /// The request log.
    pub log: Log,
    /// Whether trees carry `xetHash`. Off, because real clients would then leave for Xet.
    pub xet_hashes: Mutex<bool>,
    /// A limit over all bodies.
    pub pace: Mutex<Option<Arc<Pace>>>,
    origins: OnceLock<(String, String)>,
}

impl Default for World {
    fn default() -> Self {
        // The widest plan the Hub sells, so that no test waits for a window it did not ask for.
        let five_minutes = Duration::from_secs(300);
        let quotas = [("api", 10_000), ("resolvers", 100_000), ("pages", 1_000)];
        let quotas = quotas.map(|(name, requests)| {
            (
                name.to_owned(),
                Quota {
                    requests,
                    window: five_minutes,
                },
            )
        });
        Self {
            repos: Mutex::default(),
            collections: Mutex::default(),
            accounts: Mutex::default(),
            quotas: Mutex::new(quotas.into()),
            windows: Mutex::default(),
            faults: Faults::default(),
            tickets: Tickets::default(),
            log: Log::default(),
            xet_hashes: Mutex::default(),
            pace: Mutex::default(),
            origins: OnceLock::new(),
        }
    }
}

impl World {
    /// Puts a repo in place of one of the same kind and id.
    pub fn put(&self, repo: Repo) {
        lock(&self.repos).insert((repo.kind, repo.id.clone()), Arc::new(repo));
    }

    /// Takes a repo away.
    pub fn remove(&self, kind: Kind, id: &str) {
        lock(&self.repos).remove(&(kind, id.to_owned()));
    }

    /// A repo by its canonical id.
    pub fn repo(&self, kind: Kind, id: &str) -> Option<Arc<Repo>> {
        lock(&self.repos).get(&(kind, id.to_owned())).cloned()
    }

    /// All repos of a kind.
    pub fn repos(&self, kind: Kind) -> Vec<Arc<Repo>> {
        lock(&self.repos)
            .values()
            .filter(|repo| repo.kind == kind)
            .cloned()
            .collect()
    }

    /// Puts a collection in place of one with the same slug.
    pub fn collect(&self, collection: Collection) {
        let mut all = lock(&self.collections);
        all.retain(|other| other.slug != collection.slug);
        all.push(Arc::new(collection));
    }

    /// All collections, newest last.
    pub fn collections(&self) -> Vec<Arc<Collection>> {
        lock(&self.collections).clone()
    }

    /// Adds an account.
    pub fn enrol(&self, account: Account) {
        lock(&self.accounts).push(account);
    }

    /// The account of a token.
    pub fn account(&self, token: &str) -> Option<Account> {
        lock(&self.accounts)
            .iter()
            .find(|account| account.token == token)
            .cloned()
    }

    /// Origins of Hub and CDN, once they listen.
    pub fn origin(&self, hop: Hop) -> &str {
        let (hub, cdn) = self.origins.get_or_init(Default::default);
        if hop == Hop::Hub { hub } else { cdn }
    }

    /// States the origins; the first word counts.
    pub fn set_origins(&self, hub: String, cdn: String) {
        let _ = self.origins.set((hub, cdn));
    }

    /// Sets the quota of a bucket; windows begin anew.
    pub fn set_quota(&self, bucket: &str, requests: u64, window: Duration) {
        lock(&self.quotas).insert(bucket.to_owned(), Quota { requests, window });
        lock(&self.windows).retain(|(name, _), _| name != bucket);
    }

    /// Charges a request to its bucket: the headers to send, and whether the quota is used up.
    pub fn charge(&self, ask: &Ask) -> Option<(String, String, bool)> {
        let bucket = ask.bucket();
        let quota = *lock(&self.quotas).get(bucket)?;
        let mut windows = lock(&self.windows);
        let who = ask.token().unwrap_or("anonymous").to_owned();
        let now = Instant::now();
        let window = windows
            .entry((bucket.to_owned(), who))
            .or_insert((now + quota.window, 0));
        if now >= window.0 {
            *window = (now + quota.window, 0);
        }
        let exceeded = window.1 >= quota.requests;
        window.1 += u64::from(!exceeded);
        let left = quota.requests - window.1;
        let reset = (window.0 - now).as_secs_f64().ceil();
        let limit = format!("\"{bucket}\";r={left};t={reset}");
        let policy = format!(
            "\"fixed window\";\"{bucket}\";q={};w={}",
            quota.requests,
            quota.window.as_secs()
        );
        Some((limit, policy, exceeded))
    }

    /// The faults of a stage that befall a request, noted on it.
    pub fn strike(&self, stage: Stage, ask: &Ask, applies: impl Fn(&FaultKind) -> bool) -> Vec<Arc<Armed>> {
        let struck = self.faults.take(stage, &ask.facts(), applies);
        lock(&ask.struck).extend(struck.iter().map(|armed| armed.kind().name()));
        struck
    }

    /// What a request is about, for log and faults.
    pub fn subject(&self, ask: &Ask) -> String {
        if ask.hop == Hop::Cdn {
            return self
                .tickets
                .find(ask)
                .map(|ticket| ticket.subject)
                .unwrap_or_default();
        }
        let Some((kind, id)) = ask.repo() else {
            return String::new();
        };
        let repo = self.find(kind, id);
        let id = repo.as_ref().map_or(id, |repo| repo.id.as_str());
        let file = match (&ask.target, &repo) {
            (
                Target::Resolve { rest, .. } | Target::Raw { rest, .. } | Target::ResolveCache { rest, .. },
                Some(repo),
            ) => split_revision(repo, rest).2,
            _ => return format!("{}{id}", kind.prefix()),
        };
        format!("{}{id}/{file}", kind.prefix())
    }

    /// A repo by canonical id, former id, or another spelling of upper and lower case.
    fn find(&self, kind: Kind, id: &str) -> Option<Arc<Repo>> {
        self.repo(kind, id).or_else(|| {
            let fits = |name: &str| name.eq_ignore_ascii_case(id);
            let all = self.repos(kind);
            all.into_iter()
                .find(|repo| fits(&repo.id) || repo.aliases.iter().any(|alias| fits(alias)))
        })
    }

    /// The repo a request names, if it may be seen; else the answer to give. `files` asks for more
    /// than metadata, which a gated repo does not give to everyone.
    pub fn admit(&self, ask: &Ask, files: bool) -> Result<Arc<Repo>, Box<Answer>> {
        let account =
            match ask.token() {
                None => None,
                Some(token) => Some(self.account(token).ok_or_else(|| {
                    Answer::unauthorized(None, "Invalid credentials in Authorization header")
                })?),
            };
        let missing = || match account {
            None => Answer::unauthorized(None, "Invalid username or password."),
            Some(_) => Answer::error(404, Some("RepoNotFound"), "Repository not found"),
        };
        let (kind, id) = ask.repo().ok_or_else(missing)?;
        let repo = self.find(kind, id).ok_or_else(missing)?;
        let granted = account.as_ref().is_some_and(|account| account.may_read(&repo.id));
        if repo.private && !granted {
            return Err(missing().into());
        }
        if repo.id != id {
            return Err(Answer::redirect(307, &canonical(ask, id, &repo.id)).into());
        }
        if repo.disabled {
            return Err(Answer::error(403, None, "Access to this resource is disabled.").into());
        }
        if files && repo.gated.is_some() && !granted {
            return Err(self.gate(&repo, account.is_some()).into());
        }
        Ok(repo)
    }

    /// What somebody without a grant gets instead of a gated repo's file.
    fn gate(&self, repo: &Repo, known: bool) -> Answer {
        let kind = repo.kind.plural().trim_end_matches('s');
        let place = format!("Access to {kind} {} is restricted", repo.id);
        if !known {
            let message = format!("{place}. You must be authenticated to access it. Please log in.");
            return Answer::unauthorized(Some("GatedRepo"), &message);
        }
        let page = format!("{}/{}{}", self.origin(Hop::Hub), repo.kind.prefix(), repo.id);
        let message =
            format!("{place} and you are not in the authorized list. Visit {page} to ask for access.");
        Answer::error(403, Some("GatedRepo"), &message)
    }

    /// Points a branch of a model or dataset (`datasets/` before the id) at another commit.
    pub fn move_branch(&self, repo: &str, branch: &str, commit: &str) {
        let (kind, id) = match repo.strip_prefix("datasets/") {
            Some(id) => (Kind::Dataset, id),
            None => (Kind::Model, repo),
        };
        if let Some(found) = self.repo(kind, id) {
            let mut moved = (*found).clone();
            moved.move_branch(branch, commit);
            self.put(moved);
        }
    }
}

/// The path of a request with the canonical id in place of the one asked for; relative.
fn canonical(ask: &Ask, asked: &str, canonical: &str) -> String {
    let path = ask
        .raw_path
        .replacen(&format!("/{asked}"), &format!("/{canonical}"), 1);
    if ask.raw_query.is_empty() {
        path
    } else {
        format!("{path}?{}", ask.raw_query)
    }
}

/// The answer to a request over quota.
pub fn over_quota() -> Answer {
    let message = "We had to rate limit you, you hit the quota of requests per 5 minutes period.";
    Answer::error(StatusCode::TOO_MANY_REQUESTS.as_u16(), None, message)
}
