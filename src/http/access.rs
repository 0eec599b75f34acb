//! The id of each request, and one line of the log for it.
//!
//! The line holds method, path, status, time and address. It never holds a query string or a
//! header: tokens and signatures travel there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::problem;

tokio::task_local! {
    static ASKED: Asked;
}

/// What errors need to know of the request that this task answers.
#[derive(Clone)]
pub(super) struct Asked {
    /// Also in the response header `X-Request-Id`.
    id: String,
    /// Path of the request.
    pub(super) path: String,
    /// Whether errors are wanted as `application/problem+json`.
    pub(super) wants_problem: bool,
}

/// The id of the request that this task answers; also in the response header `X-Request-Id`.
pub fn request_id() -> Option<String> {
    ASKED.try_with(|asked| asked.id.clone()).ok()
}

/// `work` on a task of its own still belongs to the request that this task answers.
pub(super) fn continued<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let asked = asked();
    async move {
        match asked {
            Some(asked) => ASKED.scope(asked, work).await,
            None => work.await,
        }
    }
}

/// The request that this task answers.
pub(super) fn asked() -> Option<Asked> {
    ASKED.try_with(Clone::clone).ok()
}

/// The address of the peer. Forwarding headers do not count: anybody can send them.
pub(super) fn peer(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}

/// Outermost layer: gives the request its id and writes its line.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let id = format!("{:016x}", fastrand::u64(..));
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let peer = peer(request.extensions());
    let asked = Asked {
        id: id.clone(),
        path: path.clone(),
        wants_problem: problem::is_wanted(request.headers()),
    };
    let mut response = ASKED.scope(asked, next.run(request)).await;
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    // What changes something is worth a line; a dashboard that reads all day is not.
    if method == Method::GET || method == Method::HEAD || method == Method::OPTIONS {
        tracing::debug!(request_id = id, %method, path = ?path, status, duration_ms, %peer, "request");
    } else {
        tracing::info!(request_id = id, %method, path = ?path, status, duration_ms, %peer, "request");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
