//! A stand-in for the Hugging Face Hub: a model of it, with repos, commits, accounts and quotas,
//! served over HTTP on two ports, the Hub itself (`127.0.0.1`) and the CDN behind its redirects
//! (`localhost`, another origin).
//!
//! It promises the shapes real clients meet: relative redirects for git files, signed links for
//! LFS files, ETags that differ between the hops, error codes, pages, rate-limit headers. Faults
//! are data, set while it runs; the log answers what was asked and what was sent.
//!
//! It must never import hfdepot: it is the outside world.

mod answer;
mod api;
mod armed;
mod ask;
mod body;
mod cdn;
mod collection;
mod content;
mod control;
mod fault;
mod files;
mod gauge;
mod gzip;
mod handle;
mod log;
mod pace;
mod page;
mod repo;
mod resolve;
mod search;
mod serve;
mod within;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use http::Response;
use tokio::runtime::{Builder, Handle, Runtime};

pub use collection::Collection;
pub use content::{Content, hex, sha1_hex, sha256_hex};
pub use fault::{Fault, FaultKind, LinkForm, ThrottleForm};
pub use gauge::Gauge;
pub use log::{Entry, Hop, Log, Span};
pub use repo::{Commit, FileEntry, Kind, Repo};
pub use world::Account;

use pace::Pace;
use serve::{Door, Wire};
use within::{Carried, Latch};
use world::World;

/// Token of an account that may read everything.
pub const TOKEN: &str = "hf_standinAllGrantsAAAAAAAAAAAAAAAAAAAA";
/// Token of an account without any grant.
pub const TOKEN_WITHOUT_GRANTS: &str = "hf_standinNoGrantsBBBBBBBBBBBBBBBBBBBBB";

/// Both doors, once they are open.
#[derive(Default)]
pub struct Doors {
    hub: OnceLock<Arc<Door>>,
    cdn: OnceLock<Arc<Door>>,
    runtime: OnceLock<Handle>,
    /// The same of a Hub without sockets.
    latches: [Latch; 2],
}

impl Doors {
    fn door(&self, hop: Hop) -> &Arc<Door> {
        let door = if hop == Hop::Hub {
            self.hub.get()
        } else {
            self.cdn.get()
        };
        door.expect("doors are opened before anything asks for them")
    }

    fn latch(&self, hop: Hop) -> &Latch {
        &self.latches[usize::from(hop == Hop::Cdn)]
    }

    /// Closes a listener now and opens it again after a while, without being waited for.
    pub fn off_for(&self, hop: Hop, length: Duration) {
        if self.runtime.get().is_none() {
            return self.latch(hop).shut_for(length);
        }
        let door = self.door(hop).clone();
        if let Some(runtime) = self.runtime.get() {
            runtime.spawn(async move {
                door.close().await;
                tokio::time::sleep(length).await;
                // A connection of somebody else may have been given the port meanwhile, for a moment.
                while let Err(error) = door.reopen() {
                    eprintln!("stand-in hub: cannot listen again on {}: {error}", door.address());
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
    }
}

/// A running stand-in Hub. Stops when dropped. Runs on threads of its own, so that a test that
/// blocks its thread does not stop the outside world.
pub struct Hub {
    world: Arc<World>,
    doors: Arc<Doors>,
    runtime: Option<Runtime>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Hub {
    /// Starts on free ports of the loopback interface, with the accounts of [`TOKEN`] and
    /// [`TOKEN_WITHOUT_GRANTS`] and no repos.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start() -> Self {
        Self::on_ports(0, 0).expect("the stand-in Hub needs two ports of the loopback interface")
    }

    /// Starts on given ports; 0 picks a free one.
    ///
    /// # Errors
    /// A port is taken, or no threads are to be had.
    pub fn on_ports(hub: u16, cdn: u16) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("stand-in")
            .enable_all()
            .build()?;
        let world = Arc::new(World::default());
        world.enrol(Account::new(TOKEN, "alice", &["*"]));
        world.enrol(Account::new(TOKEN_WITHOUT_GRANTS, "bob", &[]));
        let doors = Arc::new(Doors::default());
        let _ = doors.runtime.set(runtime.handle().clone());
        let guard = runtime.enter();
        for (hop, port, slot) in [(Hop::Hub, hub, &doors.hub), (Hop::Cdn, cdn, &doors.cdn)] {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let door = Door::open(hop, address, router(&world, &doors, hop), world.log.clone())?;
            let _ = slot.set(door);
        }
        drop(guard);
        let port = |hop| doors.door(hop).address().port();
        world.set_origins(
            format!("http://127.0.0.1:{}", port(Hop::Hub)),
            format!("http://localhost:{}", port(Hop::Cdn)),
        );
        Ok(Self {
            world,
            doors,
            runtime: Some(runtime),
        })
    }

    /// One without sockets, which [`answer`](Self::answer)s within this process.
    pub fn without_sockets() -> Self {
        let world = Arc::new(World::default());
        world.enrol(Account::new(TOKEN, "alice", &["*"]));
        world.enrol(Account::new(TOKEN_WITHOUT_GRANTS, "bob", &[]));
        world.set_origins(
            "http://127.0.0.1:9001".to_owned(),
            "http://localhost:9002".to_owned(),
        );
        Self {
            world,
            doors: Arc::default(),
            runtime: None,
        }
    }

    /// Answers a request to the host that its URL names, for a Hub without sockets.
    ///
    /// # Errors
    /// As a connection fails.
    pub fn answer(
        &self,
        request: http::Request<Body>,
    ) -> impl Future<Output = io::Result<Response<Carried>>> + Send + 'static {
        let origin = request
            .uri()
            .authority()
            .map(|authority| format!("http://{authority}"));
        let hops = [Hop::Hub, Hop::Cdn];
        let hop = hops
            .into_iter()
            .find(|hop| origin.as_deref() == Some(self.world.origin(*hop)));
        let (world, doors) = (self.world.clone(), self.doors.clone());
        async move {
            let hop = hop.ok_or(io::ErrorKind::HostUnreachable)?;
            within::answer(world, doors, hop, request).await
        }
    }

    /// Base URL of the Hub, without slash at the end.
    pub fn endpoint(&self) -> String {
        self.world.origin(Hop::Hub).to_owned()
    }

    /// Base URL of the CDN.
    pub fn cdn_endpoint(&self) -> String {
        self.world.origin(Hop::Cdn).to_owned()
    }

    /// Takes a repo into service, in place of one with the same kind and id. Unsealed files are
    /// committed. Gives the commit `main` points to.
    pub fn add(&self, repo: Repo) -> String {
        let repo = repo.sealed();
        let sha = repo
            .revision("main")
            .map(|commit| commit.sha.clone())
            .unwrap_or_default();
        self.world.put(repo);
        sha
    }

    /// Changes a repo in service; gives the new commit of `main`.
    ///
    /// # Panics
    /// There is no such repo.
    pub fn edit(&self, kind: Kind, id: &str, change: impl FnOnce(Repo) -> Repo) -> String {
        self.add(change((*self.repo(kind, id)).clone()))
    }

    /// Takes a repo out of service.
    pub fn remove(&self, kind: Kind, id: &str) {
        self.world.remove(kind, id);
    }

    /// A repo in service.
    ///
    /// # Panics
    /// There is no such repo.
    pub fn repo(&self, kind: Kind, id: &str) -> Arc<Repo> {
        self.world
            .repo(kind, id)
            .unwrap_or_else(|| panic!("the stand-in Hub has no {id}"))
    }

    /// The commit of a model's revision.
    ///
    /// # Panics
    /// There is no such repo or revision.
    pub fn commit(&self, id: &str, revision: &str) -> String {
        let repo = self.repo(Kind::Model, id);
        repo.revision(revision)
            .unwrap_or_else(|| panic!("{id} has no {revision}"))
            .sha
            .clone()
    }

    /// Adds an account.
    pub fn enrol(&self, account: Account) {
        self.world.enrol(account);
    }

    /// Takes a collection into service, in place of one with the same slug.
    pub fn collect(&self, collection: Collection) {
        self.world.collect(collection);
    }

    /// Puts a fault in force.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// The request log.
    pub fn log(&self) -> Log {
        self.world.log.clone()
    }

    /// Sets how many requests of a bucket (`api`, `resolvers`, `pages`) a window allows each caller.
    pub fn set_quota(&self, bucket: &str, requests: u64, window: Duration) {
        self.world.set_quota(bucket, requests, window);
    }

    /// Whether trees carry `xetHash`.
    pub fn set_xet_hashes(&self, shown: bool) {
        *log::lock(&self.world.xet_hashes) = shown;
    }

    /// Limits all bodies of blobs together, in bytes a second.
    pub fn set_total_rate(&self, bytes_per_second: Option<u64>) {
        *log::lock(&self.world.pace) = bytes_per_second.map(|rate| Arc::new(Pace::new(rate)));
    }

    /// Makes every signed link given out so far expire now.
    pub fn expire_signed_urls(&self) {
        self.world.tickets.expire_all();
    }

    /// Closes a listener and breaks its connections; new ones are refused until [`Hub::on`].
    pub async fn off(&self, hop: Hop) {
        if self.runtime.is_none() {
            return self.doors.latch(hop).shut_for(Duration::from_secs(1_000_000_000));
        }
        self.doors.door(hop).close().await;
    }

    /// Opens a listener again, on the same port.
    ///
    /// # Panics
    /// Somebody else took the port meanwhile.
    pub fn on(&self, hop: Hop) {
        let Some(runtime) = &self.runtime else {
            return self.doors.latch(hop).open();
        };
        let _guard = runtime.enter();
        self.doors
            .door(hop)
            .reopen()
            .expect("the port was ours a moment ago");
    }
}

fn router(world: &Arc<World>, doors: &Arc<Doors>, hop: Hop) -> Router {
    let (world, doors) = (world.clone(), doors.clone());
    control::routes(world.clone(), doors.clone()).fallback(
        move |wire: ConnectInfo<Wire>, request: Request| {
            handle::handle(world.clone(), doors.clone(), hop, wire, request)
        },
    )
}
