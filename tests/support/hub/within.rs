//! The stand-in Hub without sockets: a request is answered on the runtime of the one who asks, so
//! that the pauses and the speed of the Hub belong to its clock, which may leap. Every request is
//! a connection of its own; what has been sent has arrived.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::log::{Hop, Log, lock};
use super::serve::{Link, Wire};
use super::world::World;
use super::{Doors, handle};

/// Whether a door without a socket is open.
#[derive(Default)]
pub struct Latch {
    shut_until: Mutex<Option<Instant>>,
    /// Ends the connections that came in by it.
    end: Mutex<CancellationToken>,
}

impl Latch {
    /// Shuts it for a while, and breaks all connections.
    pub fn shut_for(&self, length: Duration) {
        *lock(&self.shut_until) = Some(Instant::now() + length);
        std::mem::take(&mut *lock(&self.end)).cancel();
    }

    /// Opens it.
    pub fn open(&self) {
        *lock(&self.shut_until) = None;
    }

    fn pass(&self) -> Option<CancellationToken> {
        let shut = lock(&self.shut_until).is_some_and(|until| Instant::now() < until);
        (!shut).then(|| lock(&self.end).child_token())
    }
}

/// Answers a request that came to `hop`.
///
/// # Errors
/// As a connection fails: refused, or broken off before the head of the answer.
pub async fn answer(
    world: Arc<World>,
    doors: Arc<Doors>,
    hop: Hop,
    request: Request<Body>,
) -> io::Result<Response<Carried>> {
    let end = doors.latch(hop).pass().ok_or(io::ErrorKind::ConnectionRefused)?;
    let log = world.log.clone();
    let link = Arc::new(Link::new(log.connections(hop).enter(), end.clone()));
    let visit = Visit { log, hop, link };
    let wire = ConnectInfo(Wire(visit.link.clone()));
    let has_body = request.method() != Method::HEAD;
    let response = tokio::select! {
        biased;
        () = end.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
        response = handle::handle(world, doors, hop, wire, request) => response,
    };
    // It may have closed the connection instead of answering.
    if end.is_cancelled() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let (head, body) = response.into_parts();
    let length = head
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let left = match has_body && head.status != StatusCode::NOT_MODIFIED {
        true => length,
        false => Some(0),
    };
    let flow = Mutex::new((body.into_data_stream(), Box::pin(end.cancelled_owned())));
    Ok(Response::from_parts(head, Carried { flow, left, visit }))
}

/// A connection, until it ends.
struct Visit {
    log: Log,
    hop: Hop,
    link: Arc<Link>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.log.connection_ends(self.hop);
        self.link.finish();
    }
}

/// A body on its way, as long as its answer said.
pub struct Carried {
    // A lock that nobody waits for: the HTTP client wants what two threads may look at.
    flow: Mutex<(BodyDataStream, Pin<Box<WaitForCancellationFutureOwned>>)>,
    left: Option<u64>,
    visit: Visit,
}

impl http_body::Body for Carried {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if this.left == Some(0) {
            return Poll::Ready(None);
        }
        let (body, gone) = this.flow.get_mut().expect("nobody else has it");
        if gone.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        Poll::Ready(match std::task::ready!(Pin::new(body).poll_next(context)) {
            Some(Ok(bytes)) => {
                this.visit.link.wrote(bytes.len() as u64);
                this.left = this.left.map(|left| left.saturating_sub(bytes.len() as u64));
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => Some(Err(io::Error::other(error))),
            None => this.left.map(|_| Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
