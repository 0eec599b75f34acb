//! `GET /api/ws`: one task a client, which sends what the feed puts into its outbox.
//!
//! What clients send is read and ignored, up to 512 KiB a message. A client that takes too long for
//! a frame, or says nothing although it was pinged, is dropped ([`Patience`]).

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_KEY};
use axum::response::Response;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::error::{ApiError, ApiResult};
use super::extract::{Asker, QueryFields};
use super::feed::Wish;
use super::jobs::kind_of;
use super::outbox::{Frame, Outbox};
use super::state::AppState;
use super::who::Who;
use super::wire::{KindOrAll, UpgradeWord, WebSocketKey, WebSocketVersion, WebSocketWord};
use crate::config::Patience;
use crate::model::state::JobKind;

/// Largest message that a client may send.
const MESSAGE_LIMIT_BYTES: usize = 512 * 1024;
/// Read at once. What clients say is short; the library's 128 KiB would be most of what a client costs.
const READ_BUFFER_BYTES: usize = 1024;
/// For the last word to a client: the service must stop in time.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// The live feed, as a WebSocket
///
/// One JSON document a message, see `LiveMessage`. What clients send is read and ignored. It ends
/// with the code 1008 when the API key that opened it is removed.
#[utoipa::path(
    get, path = "/api/ws", tag = "live", operation_id = "connectLive",
    params(
        ("kind" = inline(Option<KindOrAll>), Query, description = "A kind of job, or `all`; `download` when it is missing"),
        ("Connection" = inline(UpgradeWord), Header, description = "`Upgrade`"),
        ("Upgrade" = inline(WebSocketWord), Header, description = "`websocket`"),
        ("Sec-WebSocket-Version" = inline(WebSocketVersion), Header, description = "`13`"),
        ("Sec-WebSocket-Key" = inline(WebSocketKey), Header, description = "16 random bytes in base64"),
    ),
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 400, description = "The request is no WebSocket handshake"),
    )
)]
pub async fn connect(
    State(app): State<AppState>,
    Asker(who): Asker,
    query: QueryFields,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    let expected = |why: String| {
        ApiError::bad_request("WebSocket expected")
            .details(why)
            .hint("Connect with a WebSocket client: ws://host:port/api/ws")
    };
    let upgrade = upgrade.map_err(|rejection| expected(rejection.body_text()))?;
    if !headers.get(SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        return Err(expected(
            "Sec-WebSocket-Key must be 16 bytes in base64".to_owned(),
        ));
    }
    let kind = kind_of(&query)?;
    let sockets = app.sockets.clone();
    Ok(upgrade
        .max_message_size(MESSAGE_LIMIT_BYTES)
        .max_frame_size(MESSAGE_LIMIT_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| sockets.track_future(serve(socket, app, who, kind))))
}

/// Whether a handshake brings what RFC 6455 (section 4.1) asks for: 16 bytes in base64.
fn is_key(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 24 && text.ends_with(b"==") && text[..22].iter().all(fits)
}

/// Why a connection ends.
enum End {
    /// The client closed it, or it broke.
    Gone,
    /// We close it, with a code and a reason.
    Close(u16, &'static str),
}

async fn serve(mut socket: WebSocket, app: AppState, who: Who, kind: Option<JobKind>) {
    let wish = Wish { kind, after: None };
    let end = match app.feed.join(wish).await {
        None if app.stop.is_cancelled() => End::Close(close_code::AWAY, "the service stops"),
        None => End::Close(close_code::AGAIN, "too many connections; try again later"),
        Some((init, outbox)) => match begin(&mut socket, init, &app.patience).await {
            Err(end) => end,
            Ok(()) => {
                tokio::select! {
                    end = exchange(&mut socket, &outbox, &app.patience) => end,
                    () = app.stop.cancelled() => End::Close(close_code::AWAY, "the service stops"),
                    () = app.removals.until_gone(&app.store, &who) => End::Close(close_code::POLICY, "the API key was removed"),
                }
            }
        },
    };
    if let End::Close(code, reason) = end {
        let reason = reason.into();
        let close = Message::Close(Some(CloseFrame { code, reason }));
        // Whether it arrives is the client's affair.
        let _ = timeout(GOODBYE_TIMEOUT, socket.send(close)).await;
    }
}

async fn begin(socket: &mut WebSocket, init: Option<Frame>, patience: &Patience) -> Result<(), End> {
    match init {
        Some(frame) => send(socket, Message::Text(frame.text), patience).await,
        None => Ok(()),
    }
}

/// Sends and reads until one side ends it.
async fn exchange(socket: &mut WebSocket, outbox: &Outbox, patience: &Patience) -> End {
    let mut ping = interval(patience.ping_every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    ping.tick().await;
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            frame = outbox.next() => Message::Text(frame.text),
            _ = ping.tick() => Message::Ping(axum::body::Bytes::new()),
            read = socket.recv() => match read {
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
                Some(Err(error)) => return misread(&error),
                None => return End::Gone,
            },
            () = sleep_until(heard + patience.silence) => return End::Close(close_code::POLICY, "no answer to a ping"),
        };
        if let Err(end) = send(socket, message, patience).await {
            return end;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message, patience: &Patience) -> Result<(), End> {
    match timeout(patience.frame, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        // A frame that is half on the wire leaves no room for a last word.
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// The end after a message that could not be read: 1009 when it was too large. The library
/// tells the cases apart by their text only (tungstenite, `CapacityError`).
fn misread(error: &axum::Error) -> End {
    if error.to_string().contains("too long") {
        End::Close(close_code::SIZE, "the message is larger than 512 KiB")
    } else {
        End::Gone
    }
}
