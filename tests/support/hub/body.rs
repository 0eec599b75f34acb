//! From answer to HTTP: the last faults are applied here, and the body becomes a stream that can
//! be slow, stop, break off and lie.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use tokio::time::sleep;

use super::answer::Answer;
use super::armed::Armed;
use super::ask::Ask;
use super::content::{CHUNK_BYTES, Content};
use super::fault::{FaultKind, Stage};
use super::log::{Entry, Hop, Log, Span, lock};
use super::pace::Pace;
use super::serve::Link;
use super::world::World;

/// Where and how a body is disturbed. Positions count from the first byte of the body.
#[derive(Default)]
struct Script {
    paces: Vec<Arc<Pace>>,
    cut: Option<(u64, bool)>,
    stall: Option<(u64, Option<Duration>)>,
    trickle: Option<(u64, u64, Duration)>,
    corrupt: Vec<u64>,
    chunked: bool,
}

/// Turns an answer into the response, with the faults of the last stage.
pub fn finish(
    world: &World,
    ask: &Ask,
    mut answer: Answer,
    entry: &Arc<Entry>,
    link: &Arc<Link>,
) -> Response {
    let has_body = ask.method != http::Method::HEAD && answer.is_success() && answer.len() > 0;
    let struck = world.strike(Stage::After, ask, |kind| applies(kind, &answer, has_body));
    let mut script = Script::default();
    for armed in &struck {
        bend(&mut answer, &mut script, armed, ask);
    }
    if answer.blob.is_some() {
        script.paces.extend(lock(&world.pace).clone());
    }
    let span = answer.blob.clone().filter(|_| has_body).map(|blob| Span {
        blob,
        start: answer.start,
        end: answer.end,
    });
    *lock(&entry.faults) = std::mem::take(&mut *lock(&ask.struck));
    let length = answer.len();
    let bodiless = ask.method == http::Method::HEAD || answer.status == http::StatusCode::NOT_MODIFIED;
    let expected = if bodiless {
        Some(0)
    } else {
        Some(length).filter(|_| !script.chunked)
    };
    entry.answered(answer.status.as_u16(), expected, span);
    if script.chunked {
        answer.headers.remove(CONTENT_LENGTH);
    } else if answer.status != http::StatusCode::NOT_MODIFIED {
        answer.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let body = match (bodiless, script.chunked) {
        (true, false) => Body::empty(),
        // A stream of unknown length, so that no library writes a length we were told to leave out.
        (true, true) => Body::from_stream(futures_util::stream::empty::<io::Result<Bytes>>()),
        _ => Sending::new(&answer, script, world.log.clone(), entry.clone(), link.clone()).into_body(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

fn applies(kind: &FaultKind, answer: &Answer, has_body: bool) -> bool {
    match kind {
        FaultKind::WrongContentRange { .. } => answer.status == http::StatusCode::PARTIAL_CONTENT,
        FaultKind::AbsoluteRedirect => answer.header("location").is_some_and(|to| to.starts_with('/')),
        FaultKind::SetHeader { .. } => answer.status.as_u16() < 400,
        FaultKind::DropHeader { name } => {
            name.eq_ignore_ascii_case("content-length")
                || answer.headers.contains_key(name.to_ascii_lowercase())
        }
        FaultKind::CorruptByte { offset } => has_body && (answer.start..answer.end).contains(offset),
        _ => has_body,
    }
}

fn bend(answer: &mut Answer, script: &mut Script, armed: &Armed, ask: &Ask) {
    match armed.kind() {
        FaultKind::WrongContentRange { shift, total } => {
            let add = |number: u64, by: i64| number.saturating_add_signed(by);
            let (start, last) = (add(answer.start, *shift), add(answer.end - 1, *shift));
            answer.set(
                "content-range",
                &format!("bytes {start}-{last}/{}", add(answer.body.size(), *total)),
            );
        }
        FaultKind::AbsoluteRedirect => {
            let to = format!(
                "{}{}",
                ask.origin(),
                answer.header("location").unwrap_or_default()
            );
            answer.set("location", &to);
        }
        FaultKind::SetHeader { name, value } => answer.set(name, value),
        FaultKind::DropHeader { name } if name.eq_ignore_ascii_case("content-length") => {
            script.chunked = true
        }
        FaultKind::DropHeader { name } => {
            if let Ok(name) = HeaderName::try_from(name) {
                answer.headers.remove(name);
            }
        }
        FaultKind::CutBody { after_bytes, reset } => script.cut = Some((*after_bytes, *reset)),
        FaultKind::StallBody { after_bytes, ms } => {
            script.stall = Some((*after_bytes, ms.map(Duration::from_millis)));
        }
        FaultKind::Trickle {
            after_bytes,
            piece_bytes,
            every_ms,
        } => {
            script.trickle = Some((
                *after_bytes,
                (*piece_bytes).max(1),
                Duration::from_millis(*every_ms),
            ));
        }
        FaultKind::Rate { bytes_per_second } => script.paces.push(Arc::new(Pace::new(*bytes_per_second))),
        FaultKind::TotalRate { .. } => script.paces.extend(armed.pace.clone()),
        FaultKind::CorruptByte { offset } => script.corrupt.push(*offset),
        FaultKind::Resize { by } => {
            let total = answer.body.size().saturating_add_signed(*by);
            answer.end = answer.end.saturating_add_signed(*by).max(answer.start);
            if answer.status == http::StatusCode::PARTIAL_CONTENT {
                let last = answer.end.saturating_sub(1);
                answer.set("content-range", &format!("bytes {}-{last}/{total}", answer.start));
            }
        }
        FaultKind::Gzip => {
            let plain = answer.body.read(answer.start, answer.len()).unwrap_or_default();
            let packed: Content = super::gzip::stored(&plain).into();
            (answer.start, answer.end, answer.blob) = (0, packed.size(), None);
            answer.body = packed;
            answer.set("content-encoding", "gzip");
            script.chunked = true;
        }
        _ => {}
    }
}

/// A body on its way.
struct Sending {
    content: Content,
    start: u64,
    at: u64,
    end: u64,
    script: Script,
    log: Log,
    entry: Arc<Entry>,
    link: Arc<Link>,
    is_blob: bool,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.is_blob {
            self.log.body_ends();
        }
    }
}

impl Sending {
    fn new(answer: &Answer, script: Script, log: Log, entry: Arc<Entry>, link: Arc<Link>) -> Self {
        let is_blob = answer.blob.is_some();
        if is_blob {
            log.bodies().enter();
        }
        let (start, end) = (answer.start, answer.end);
        Self {
            content: answer.body.clone(),
            start,
            at: start,
            end,
            script,
            log,
            entry,
            link,
            is_blob,
        }
    }

    fn into_body(self) -> Body {
        Body::from_stream(futures_util::stream::unfold(self, |mut sending| async move {
            sending.next().await.map(|piece| (piece, sending))
        }))
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let sent = self.at - self.start;
        if let Some((after, reset)) = self.script.cut.filter(|(after, _)| sent >= *after) {
            // What was to arrive must have left the HTTP library before the connection breaks.
            self.entry.until_written(after).await;
            self.link.close(reset);
            return Some(Err(io::Error::other("the body is cut here on purpose")));
        }
        if let Some((_, pause)) = self.script.stall.filter(|(after, _)| sent >= *after) {
            self.script.stall = None;
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
        }
        if self.at >= self.end {
            return None;
        }
        let piece = self.piece(sent).await;
        for pace in &self.script.paces {
            pace.turn(piece).await;
        }
        let bytes = self.read(piece).await;
        self.at += piece;
        Some(bytes)
    }

    /// Size of the next piece: up to the next disturbance, and small enough for every limit.
    async fn piece(&mut self, sent: u64) -> u64 {
        let mut piece = CHUNK_BYTES.min(self.end - self.at);
        let ahead = [
            self.script.cut.map(|(after, _)| after),
            self.script.stall.map(|(after, _)| after),
            self.script.trickle.map(|(after, ..)| after),
        ];
        for after in ahead.into_iter().flatten().filter(|after| *after > sent) {
            piece = piece.min(after - sent);
        }
        if let Some((_, small, every)) = self.script.trickle.filter(|(after, ..)| sent >= *after) {
            piece = piece.min(small);
            sleep(every).await;
        }
        self.script
            .paces
            .iter()
            .fold(piece, |piece, pace| piece.min(pace.piece_bytes()))
    }

    async fn read(&self, piece: u64) -> io::Result<Bytes> {
        let bytes = self.content.chunk(self.at, piece).await?;
        let flips = || {
            self.script
                .corrupt
                .iter()
                .filter(|at| (self.at..self.at + piece).contains(*at))
        };
        if bytes.len() as u64 == piece && flips().next().is_none() {
            return Ok(bytes);
        }
        // Past the true end of a lengthened file come zeros.
        let mut bent = BytesMut::from(&bytes[..]);
        bent.resize(piece as usize, 0);
        for at in flips() {
            bent[(at - self.at) as usize] ^= 0xff;
        }
        Ok(bent.freeze())
    }
}

/// Where a redirect fault leads, its words filled in.
pub fn fill(world: &World, ask: &Ask, location: &str) -> String {
    let query = if ask.raw_query.is_empty() {
        String::new()
    } else {
        format!("?{}", ask.raw_query)
    };
    location
        .replace("{hub}", world.origin(Hop::Hub))
        .replace("{cdn}", world.origin(Hop::Cdn))
        .replace("{path}", &format!("{}{query}", ask.raw_path))
}
