//! `GET /api/events`: the live feed as server-sent events, beside the WebSocket.
//!
//! The same frames with the same coalescing and bounds. The `id` of an event is the boot of the
//! service and the number of the frame; a client that sends it back as `Last-Event-ID` gets what
//! it missed, or `init` again when that is not known any more.

use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt, stream};
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult};
use super::extract::{Asker, QueryFields};
use super::feed::Wish;
use super::jobs::kind_of;
use super::outbox::Frame;
use super::state::AppState;
use super::wire::KindOrAll;

/// Time between two comments, which keep the connection open through proxies.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Tells the frames of this process from those of an earlier one.
static BOOT: LazyLock<String> = LazyLock::new(|| format!("{:08x}", fastrand::u32(..)));

/// One server-sent event.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes what goes over the wire line by line.
pub struct StreamEvent {
    /// Number of the frame, to go on behind it.
    id: String,
    /// `init`, `job_update`, `event` or `status`.
    event: String,
    /// The message of the WebSocket, as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// The live feed as server-sent events
///
/// It ends when the API key that opened it is removed.
#[utoipa::path(
    get, path = "/api/events", tag = "live", operation_id = "streamEvents",
    params(
        ("kind" = inline(Option<KindOrAll>), Query, description = "A kind of job, or `all`; `download` when it is missing"),
        ("Last-Event-ID" = Option<String>, Header, description = "Go on behind this event"),
    ),
    responses(
        (status = 200, description = "Events `init`, `job_update`, `event` and `status`; the data of each is the message of the WebSocket", content_type = "text/event-stream", body = StreamEvent),
        (status = 503, description = "Too many clients, or the service is stopping"),
    )
)]
pub async fn connect(
    State(app): State<AppState>,
    Asker(who): Asker,
    query: QueryFields,
    headers: HeaderMap,
) -> ApiResult<impl IntoResponse> {
    let wish = Wish {
        kind: kind_of(&query)?,
        after: headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok())
            .and_then(number_of),
    };
    let (first, outbox) = app.feed.join(wish).await.ok_or_else(|| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "No live feed")
            .details("Too many clients are connected, or the service is stopping")
    })?;
    let events = stream::unfold((first, outbox), async |(mut first, outbox)| {
        let frame = match first.take() {
            Some(frame) => frame,
            None => outbox.next().await,
        };
        Some((Ok::<_, Infallible>(event_of(&frame)), (first, outbox)))
    });
    let ended = async move {
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = app.removals.until_gone(&app.store, &who) => {}
        }
    };
    let events = events.take_until(Box::pin(ended));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(PING_EVERY)))
}

fn event_of(frame: &Frame) -> Event {
    Event::default()
        .id(format!("{}-{}", *BOOT, frame.number))
        .event(frame.kind)
        .data(frame.text.as_str())
}

/// The number in the id of an event of this process.
fn number_of(id: &str) -> Option<u64> {
    let (boot, number) = id.split_once('-')?;
    number.parse().ok().filter(|_| boot == *BOOT)
}
