//! Whoever keeps the service waiting is given up after a while: the Hub, and clients of the live feed.

use std::time::{Duration, Instant};

use hfdepot::config::Patience;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::depot::eventually;
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};
use crate::support::service::{DEADLINE, Live, NOWHERE, Service};

/// Longer than anything here waits.
const NEVER_MS: u64 = 600_000;
/// What the tests wait in place of a minute.
const SHORT: Duration = Duration::from_millis(300);

async fn hub() -> Hub {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/tiny")
            .file("config.json", "{}")
            .lfs("model.gguf", Content::generated(5000, 1)),
    );
    hub
}

/// An answer to a wait in vain: 504 with these words.
fn assert_gave_up((status, body): &(u16, Value), error: &str) {
    assert_eq!((*status, &body["error"]), (504, &json!(error)), "{body}");
    assert_eq!(body["error_detail"]["reason"], "stalled", "{body}");
    assert_eq!(body["details"], "No complete answer within 0.3 seconds", "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_an_analysis_and_a_search_that_take_too_long_are_given_up_with_504() {
    let hub = hub().await;
    let slow = || FaultKind::DelayHeaders { ms: NEVER_MS };
    let patience = Patience {
        plan: SHORT,
        analysis: SHORT,
        search: SHORT,
        ..Patience::default()
    };
    let service = Service::start_impatient(patience, &["--endpoint", &hub.endpoint()]).await;
    // The commit comes, the listing does not.
    for path in ["/api/models/acme/tiny/tree/*", "/api/*"] {
        hub.clear_faults();
        hub.fault(Fault::on(path, slow()));
        let asked = json!({"repo": "acme/tiny"});
        let planned = service.post("/api/plan", asked.clone()).await;
        assert_gave_up(&planned, "Failed to scan repository");
        let dry = json!({"repo": "acme/tiny", "dryRun": true});
        assert_gave_up(
            &service.post("/api/download", dry).await,
            "Failed to scan repository",
        );
        assert_gave_up(&service.get("/api/analyze/acme/tiny").await, "Analysis failed");
    }
    assert_eq!(service.get("/api/search?q=tiny").await.0, 504);
    // Nothing is left of it: the Hub is quick again, and so are we.
    hub.clear_faults();
    assert_eq!(
        service.post("/api/plan", json!({"repo": "acme/tiny"})).await.0,
        200
    );
    assert_eq!(service.get("/api/analyze/acme/tiny").await.0, 200);
    assert_eq!(service.get("/api/search?q=tiny").await.0, 200);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_comes_without_the_word_of_scanners_that_say_nothing_in_time() {
    let hub = hub().await;
    let patience = Patience {
        scanners: SHORT,
        ..Patience::default()
    };
    let service = Service::start_impatient(patience, &["--endpoint", &hub.endpoint()]).await;
    // The first one resolves the revision, the second asks for the findings.
    let slow = FaultKind::DelayHeaders { ms: NEVER_MS };
    hub.fault(Fault::on("/api/models/acme/tiny/revision/*", slow).after(1));
    let (status, plan) = service.post("/api/plan", json!({"repo": "acme/tiny"})).await;
    assert_eq!((status, &plan["totalFiles"]), (200, &json!(2)), "{plan}");
    let warning = plan["warning"].as_str().unwrap_or_default();
    assert!(warning.contains("does not say"), "{plan}");
    service.stop().await;
}

/// A WebSocket that answers nothing: it only reads bytes.
struct Mute(TcpStream);

impl Mute {
    /// Shakes hands; the kernel keeps at most about `buffer` bytes for it.
    async fn connect(service: &Service, buffer: u32) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(buffer).expect("a buffer");
        let mut stream = socket.connect(service.address).await.expect("a connection");
        let request = format!(
            "GET /api/ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            service.address
        );
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
        Self(stream)
    }

    /// Opcode and payload of the next frame; `None` at the end of the stream.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.0.read_u8().await.ok()?;
        let length = match self.0.read_u8().await.ok()? {
            126 => u64::from(self.0.read_u16().await.ok()?),
            127 => self.0.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((first & 0x0f, payload))
    }
}

const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;

/// A service whose live feed is not patient.
async fn impatient() -> Service {
    let patience = Patience {
        ping_every: Duration::from_millis(100),
        silence: Duration::from_millis(600),
        ..Patience::default()
    };
    Service::start_impatient(patience, &["--endpoint", NOWHERE]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_closed_and_told_why() {
    let service = impatient().await;
    let mut mute = Mute::connect(&service, 64 << 10).await;
    let begun = Instant::now();
    let mut pings = 0;
    let end = async {
        while let Some((opcode, payload)) = mute.frame().await {
            match opcode {
                PING => pings += 1,
                CLOSE => return payload,
                _ => {}
            }
        }
        panic!("closed without a word");
    };
    let close = tokio::time::timeout(DEADLINE, end).await.expect("an end");
    // 1008, and a sentence.
    assert_eq!(close[..2], 1008_u16.to_be_bytes(), "{close:?}");
    assert_eq!(&close[2..], b"no answer to a ping");
    assert!(pings >= 2, "only {pings} pings");
    assert!(begun.elapsed() >= Duration::from_millis(600));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_pings_stays_however_little_else_it_says() {
    let service = impatient().await;
    let mut live = Live::connect(&service).await;
    // Each answer is sent while the next frame is read: far longer than silence is borne.
    live.pings(20).await;
    let id = service.submit("o/n").await;
    let update = live.until(|message| message["type"] == "job_update").await;
    assert_eq!(update["data"]["id"], id.as_str());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_frame_is_dropped_and_finds_every_last_state_when_it_comes_back() {
    let patience = Patience {
        frame: SHORT,
        ..Patience::default()
    };
    let service = Service::start_impatient(patience, &["--endpoint", NOWHERE]).await;
    let mut sleeper = Mute::connect(&service, 4 << 10).await;
    let open = async || open_sockets(&service).await;
    eventually(async || open().await == 1).await;
    // Far more than the buffers of both ends hold together.
    let long = vec!["x".repeat(250); 400];
    let mut ids = Vec::new();
    for n in 0..150 {
        let body = json!({"repo": format!("o/n{n}"), "filters": long, "notBefore": "2999-01-01T00:00:00Z"});
        let (status, job) = service.post("/api/download", body).await;
        assert_eq!(status, 202, "{job}");
        ids.push(job["id"].as_str().expect("an id").to_owned());
    }
    eventually(async || open().await == 0).await;
    // What the kernel still had arrives, then the end: the rest was not kept for it.
    let mut frames = 0;
    let rest = async {
        while sleeper.frame().await.is_some() {
            frames += 1;
        }
    };
    tokio::time::timeout(DEADLINE, rest)
        .await
        .expect("the connection is closed");
    assert!(frames < ids.len(), "{frames} frames came");
    // Nothing is lost with it: the next connection begins with the jobs as they are.
    let init = Live::connect(&service).await.next().await;
    assert_eq!(init["data"]["jobsTotal"], ids.len());
    service.stop().await;
}

/// WebSockets that the service has open.
async fn open_sockets(service: &Service) -> usize {
    let (_, text) = service.get("/metrics").await;
    let text = text.as_str().expect("text");
    let line = text.lines().find(|line| line.starts_with("hfdepot_websockets "));
    let (_, count) = line.expect("the series").split_once(' ').expect("a value");
    count.parse().expect("a number")
}
