//! Connections: accepted, bounded in number and time, and ended softly.
//!
//! `axum::serve` has no timeouts: a client that sends half a request would hold a connection,
//! and with it a descriptor of the process that also has files to write, for ever.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::seats;

/// A connection on which no whole head of a request comes for so long is closed, idle ones too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Wait after the system refused to accept: there are no descriptors, and there may be soon.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves `router` until `stop`, then lets open requests end for `drain` and cuts off the rest.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, drain: Duration) {
    let seats = Arc::new(Semaphore::new(seats::connections()));
    let mut connections = JoinSet::new();
    while let Some((stream, peer, seat)) = stop
        .run_until_cancelled(accept(&listener, &seats))
        .await
        .flatten()
    {
        while connections.try_join_next().is_some() {}
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            converse(stream, peer, router, stop).await;
            drop(seat);
        });
    }
    // From here on the system refuses new connections.
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            drain_ms = drain.as_millis() as u64,
            "open requests were cut off"
        );
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is a seat for it. `None` never comes while the seats are open.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> Option<Accepted> {
    let seat = Arc::clone(seats).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Frames of the live feed are small and must not wait for each other.
                let _ = stream.set_nodelay(true);
                return Some((stream, peer, seat));
            }
            // The client went away before we looked.
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let service = router.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let service = service.map_err(|never: Infallible| match never {});
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let connection =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // How a connection ended is the client's affair; requests have their own line in the log.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::JsonBody;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    /// A server with one route that reads a body and one that never answers, and says when it was asked.
    struct Server {
        stream: TcpStream,
        asked: Arc<Notify>,
        stop: CancellationToken,
        running: JoinHandle<()>,
    }

    impl Server {
        async fn start(drain: Duration) -> Self {
            let asked = Arc::new(Notify::new());
            let never = {
                let asked = asked.clone();
                async move || {
                    asked.notify_one();
                    std::future::pending::<()>().await
                }
            };
            let router = Router::new()
                .route("/", get(|| async { "done" }))
                .route("/never", get(never))
                .route("/body", post(|_: JsonBody<serde_json::Value>| async { "read" }));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap());
            let stop = CancellationToken::new();
            let stream = stream.await.unwrap();
            let running = tokio::spawn(serve(listener, router, stop.clone(), drain));
            Self {
                stream,
                asked,
                stop,
                running,
            }
        }

        async fn send(&mut self, text: &str) {
            self.stream.write_all(text.as_bytes()).await.unwrap();
        }

        /// What comes until the connection ends.
        async fn rest(&mut self) -> String {
            let mut answer = String::new();
            self.stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    }

    // In these two the clock is the test's: it leaps when everybody waits.

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_half_a_request_is_dropped() {
        let mut server = Server::start(Duration::ZERO).await;
        let begun = Instant::now();
        server.send("GET / HTTP/1.1\r\nHost: x\r\n").await;
        let answer = server.rest().await;
        assert!(!answer.contains("done"), "{answer}");
        assert_eq!(begun.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_half_a_body_is_told_so() {
        let mut server = Server::start(Duration::ZERO).await;
        let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
        server.send(head).await;
        let answer = server.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("did not arrive within 30 seconds"), "{answer}");
    }

    #[tokio::test]
    async fn an_idle_connection_ends_with_the_service_at_once() {
        let mut server = Server::start(Duration::from_secs(30)).await;
        server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut first = [0; 17];
        server.stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK\r\n");
        let begun = Instant::now();
        server.stop.cancel();
        assert!(server.rest().await.ends_with("done"));
        server.running.await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn an_open_request_is_cut_off_after_the_drain() {
        let drain = Duration::from_millis(100);
        let mut server = Server::start(drain).await;
        server.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
        server.asked.notified().await;
        let begun = Instant::now();
        server.stop.cancel();
        assert_eq!(server.rest().await, "");
        server.running.await.unwrap();
        assert!(begun.elapsed() >= drain);
    }
}
