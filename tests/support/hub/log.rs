//! The request log of the stand-in Hub, and the questions tests ask of it.
//!
//! Bytes are counted where they are written to the socket, after every buffer of the HTTP
//! library, so that a client that died did not "receive" what never left this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::gauge::Gauge;

/// Locks, and goes on with what is there when a test thread panicked meanwhile.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hop {
    /// The Hub itself.
    Hub,
    /// The CDN behind its redirects.
    Cdn,
}

/// What of a blob an answer set out to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Identity of the blob: SHA-256 or git blob id.
    pub blob: String,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// One request and what became of it.
pub struct Entry {
    /// Running number, from 1.
    pub id: u64,
    /// Time since the Hub started.
    pub at: Duration,
    /// Where it came in.
    pub hop: Hop,
    /// Number of the connection it came on.
    pub connection: u64,
    /// `GET`, `HEAD`, `POST`.
    pub method: String,
    /// Path as sent, still percent-encoded, without query.
    pub path: String,
    /// Query as sent.
    pub query: String,
    /// What it was about: `owner/name`, `owner/name/file`, with `datasets/` before it for datasets.
    pub subject: String,
    /// Rate-limit bucket it was charged to: `api`, `resolvers`, `pages`; empty on the CDN.
    pub bucket: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `Accept-Encoding` header.
    pub accept_encoding: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Whether credentials came with it (`Authorization` or `Cookie`).
    pub authorization: bool,
    /// Names of the faults that befell it.
    pub faults: Mutex<Vec<String>>,
    status: AtomicU16,
    written: Mutex<u64>,
    expected: AtomicU64,
    finished: AtomicBool,
    span: Mutex<Option<Span>>,
    changed: Arc<Notify>,
}

impl Entry {
    /// Status of the answer; 0 while there is none.
    pub fn status(&self) -> u16 {
        self.status.load(SeqCst)
    }

    /// Body bytes written to the socket so far.
    pub fn written(&self) -> u64 {
        *lock(&self.written)
    }

    /// Whether nothing more of the answer will come: all of it is with the socket, or the connection is gone.
    pub fn finished(&self) -> bool {
        let _written = self.writing();
        self.finished.load(SeqCst)
    }

    /// The piece of a blob it was answered with.
    pub fn span(&self) -> Option<Span> {
        lock(&self.span).clone()
    }

    /// Notes the answer before its body starts; `expected` is the length of the body, if it has one.
    pub fn answered(&self, status: u16, expected: Option<u64>, span: Option<Span>) {
        self.status.store(status, SeqCst);
        self.expected.store(expected.unwrap_or(u64::MAX), SeqCst);
        *lock(&self.span) = span;
        self.changed.notify_waiters();
    }

    /// Holds the count while the socket is written to, so that nobody who has received bytes can
    /// ask the log before they are counted.
    pub fn writing(&self) -> MutexGuard<'_, u64> {
        lock(&self.written)
    }

    /// Notes body bytes that the socket took, after the whole head went.
    pub fn wrote(&self, count: &mut u64, bytes: u64) {
        *count += bytes;
        if *count >= self.expected.load(SeqCst) {
            self.finished.store(true, SeqCst);
        }
        self.changed.notify_waiters();
    }

    /// Notes the end of the answer.
    pub fn finish(&self) {
        self.finished.store(true, SeqCst);
        self.changed.notify_waiters();
    }

    /// Waits until the socket took that many body bytes.
    pub async fn until_written(&self, bytes: u64) {
        loop {
            let changed = self.changed.notified();
            if self.written() >= bytes {
                return;
            }
            changed.await;
        }
    }

    /// First byte and one past the last byte of the blob that went out.
    pub fn sent(&self) -> Option<(String, u64, u64)> {
        let span = self.span()?;
        let end = span.end.min(span.start + self.written());
        (end > span.start).then_some((span.blob, span.start, end))
    }

    fn to_json(&self) -> Value {
        let span = self
            .span()
            .map(|span| json!({"blob": span.blob, "start": span.start, "end": span.end}));
        json!({"id": self.id, "at_ms": self.at.as_millis() as u64, "hop": self.hop, "connection": self.connection,
            "method": self.method, "path": self.path, "query": self.query, "subject": self.subject,
            "bucket": self.bucket, "range": self.range, "accept_encoding": self.accept_encoding,
            "user_agent": self.user_agent, "authorization": self.authorization, "status": self.status(),
            "written_bytes": self.written(), "finished": self.finished(), "span": span,
            "faults": *lock(&self.faults)})
    }
}

/// What the listener knows of a request when it comes in.
pub struct Arrival {
    /// See the fields of [`Entry`].
    pub hop: Hop,
    /// Number of the connection.
    pub connection: u64,
    /// Method.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query as sent.
    pub query: String,
    /// What it is about.
    pub subject: String,
    /// Bucket it is charged to.
    pub bucket: String,
    /// `Range`.
    pub range: Option<String>,
    /// `Accept-Encoding`.
    pub accept_encoding: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// Whether credentials came.
    pub authorization: bool,
}

/// The log. Cheap to clone; every clone sees the same entries.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    started: Instant,
    entries: Mutex<Vec<Arc<Entry>>>,
    ids: AtomicU64,
    changed: Arc<Notify>,
    connections: BTreeMap<Hop, Gauge>,
    bodies: Gauge,
}

impl Default for Log {
    fn default() -> Self {
        Self(Arc::new(Shared {
            started: Instant::now(),
            entries: Mutex::default(),
            ids: AtomicU64::new(0),
            changed: Arc::default(),
            connections: [(Hop::Hub, Gauge::default()), (Hop::Cdn, Gauge::default())].into(),
            bodies: Gauge::default(),
        }))
    }
}

impl Log {
    /// Notes a request.
    pub fn arrive(&self, arrival: Arrival) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            id: self.0.ids.fetch_add(1, SeqCst) + 1,
            at: self.0.started.elapsed(),
            hop: arrival.hop,
            connection: arrival.connection,
            method: arrival.method,
            path: arrival.path,
            query: arrival.query,
            subject: arrival.subject,
            bucket: arrival.bucket,
            range: arrival.range,
            accept_encoding: arrival.accept_encoding,
            user_agent: arrival.user_agent,
            authorization: arrival.authorization,
            faults: Mutex::default(),
            status: AtomicU16::new(0),
            written: Mutex::default(),
            expected: AtomicU64::new(u64::MAX),
            finished: AtomicBool::new(false),
            span: Mutex::default(),
            changed: self.0.changed.clone(),
        });
        lock(&self.0.entries).push(entry.clone());
        self.0.changed.notify_waiters();
        entry
    }

    /// Forgets all entries; peaks begin anew. Answers under way keep counting in their own entry.
    pub fn clear(&self) {
        lock(&self.0.entries).clear();
        self.0.connections.values().for_each(Gauge::restart);
        self.0.bodies.restart();
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.0.entries).clone()
    }

    /// Entries for which `wanted` holds.
    pub fn filter(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        self.entries().into_iter().filter(|entry| wanted(entry)).collect()
    }

    /// Number of entries for which `wanted` holds.
    pub fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.filter(wanted).len()
    }

    /// Waits until `wanted` holds of the log, at most `limit`; tells whether it came to hold.
    pub async fn until(&self, limit: Duration, wanted: impl Fn(&Log) -> bool) -> bool {
        let wait = async {
            loop {
                let changed = self.0.changed.notified();
                if wanted(self) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }

    /// Requests per rate-limit bucket; those of the CDN count as `cdn`.
    pub fn buckets(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries() {
            let name = if entry.hop == Hop::Cdn {
                "cdn"
            } else {
                entry.bucket.as_str()
            };
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// HEAD requests.
    pub fn heads(&self) -> usize {
        self.count(|entry| entry.method == "HEAD")
    }

    /// Requests that carried credentials to the CDN. Must be empty.
    pub fn authorization_at_cdn(&self) -> Vec<Arc<Entry>> {
        self.filter(|entry| entry.hop == Hop::Cdn && entry.authorization)
    }

    /// What was sent of a file (`owner/name/file`): first byte and one past the last, in order of asking.
    pub fn ranges(&self, subject: &str) -> Vec<(u64, u64)> {
        let about = self.filter(|entry| entry.subject == subject);
        about
            .iter()
            .filter_map(|entry| entry.sent())
            .map(|(_, start, end)| (start, end))
            .collect()
    }

    /// Bytes of blobs sent for a file (`owner/name/file`), repeats included.
    pub fn bytes_sent(&self, subject: &str) -> u64 {
        self.ranges(subject).iter().map(|(start, end)| end - start).sum()
    }

    /// Bytes of all blobs sent, repeats included.
    pub fn bytes_sent_total(&self) -> u64 {
        self.per_blob()
            .values()
            .flatten()
            .map(|(start, end)| end - start)
            .sum()
    }

    /// Bytes sent more than once: all that was sent of each blob, less the size of the union.
    pub fn bytes_twice(&self) -> u64 {
        self.per_blob()
            .into_values()
            .map(|spans| total(&spans) - union(spans))
            .sum()
    }

    fn per_blob(&self) -> BTreeMap<String, Vec<(u64, u64)>> {
        let mut blobs: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        for (blob, start, end) in self.entries().iter().filter_map(|entry| entry.sent()) {
            blobs.entry(blob).or_default().push((start, end));
        }
        blobs
    }

    /// Connections open at one listener, now and at most.
    pub fn connections(&self, hop: Hop) -> &Gauge {
        &self.0.connections[&hop]
    }

    /// Bodies of blobs being sent, now and at most.
    pub fn bodies(&self) -> &Gauge {
        &self.0.bodies
    }

    /// Notes the end of a connection.
    pub fn connection_ends(&self, hop: Hop) {
        self.connections(hop).leave();
        self.0.changed.notify_waiters();
    }

    /// Notes the end of a blob's body, complete or not.
    pub fn body_ends(&self) {
        self.bodies().leave();
        self.0.changed.notify_waiters();
    }

    /// Figures without the entries.
    pub fn summary(&self) -> Value {
        let gauge = Gauge::to_json;
        json!({"requests": self.entries().len(), "buckets": self.buckets(), "heads": self.heads(),
            "authorization_at_cdn": self.authorization_at_cdn().len(),
            "bytes_sent": self.bytes_sent_total(), "bytes_twice": self.bytes_twice(),
            "connections": {"hub": gauge(self.connections(Hop::Hub)), "cdn": gauge(self.connections(Hop::Cdn))},
            "bodies": gauge(self.bodies())})
    }

    /// Figures and all entries.
    pub fn to_json(&self) -> Value {
        let requests: Vec<Value> = self.entries().iter().map(|entry| entry.to_json()).collect();
        json!({"summary": self.summary(), "requests": requests})
    }
}

fn total(spans: &[(u64, u64)]) -> u64 {
    spans.iter().map(|(start, end)| end - start).sum()
}

fn union(mut spans: Vec<(u64, u64)>) -> u64 {
    spans.sort_unstable();
    let mut reached = 0;
    let mut size = 0;
    for (start, end) in spans {
        size += end.saturating_sub(start.max(reached));
        reached = reached.max(end);
    }
    size
}
