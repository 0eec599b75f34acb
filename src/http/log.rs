//! The service's own log: `GET /api/system/log`, and as it grows `GET /api/system/log/stream`.
//!
//! What is told are the newest lines in memory (`telemetry`); nothing here reads a file.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ApiResult};
use super::extract::QueryFields;
use super::state::AppState;
use crate::clock::{now_ms, rfc3339};
use crate::model::log::LogLevel;
use crate::model::state::words;
use crate::telemetry::{self, Line};

/// Lines of an answer: unless told, and at most, which is more than are kept.
const LIMIT: (i64, i64) = (500, 10_000);
/// Clients that follow the log at once: each is a connection that stays.
const TAILS: usize = 32;
/// Lines that come within this time go out together.
const PACE: Duration = Duration::from_millis(200);
/// Lines that one client takes between two looks; the others wait where they are.
const PORTION: usize = 200;
/// Time between two comments, which keep the connection open through proxies.
const PING_EVERY: Duration = Duration::from_secs(20);

words! {
    /// The form of the answer.
    LogFormat {
        /// A page of entries.
        Json = "json",
        /// Lines, as a file.
        Text = "text",
    }
}

/// One line of the log.
#[derive(Serialize, ToSchema)]
pub struct LogEntry {
    /// Rises with each line, also over restarts of the service.
    seq: i64,
    #[schema(format = DateTime)]
    at: String,
    level: LogLevel,
    /// The part of the service that wrote it.
    target: String,
    /// The sentence.
    message: String,
    /// What belongs to it, by name.
    fields: BTreeMap<String, String>,
}

impl From<&Line> for LogEntry {
    fn from(line: &Line) -> Self {
        Self {
            seq: line.seq,
            at: rfc3339(line.at),
            level: line.level,
            target: line.target.clone(),
            message: line.message.clone(),
            fields: line.fields.clone(),
        }
    }
}

/// Some lines of the log.
#[derive(Serialize, ToSchema)]
pub struct LogPage {
    /// Oldest first.
    entries: Vec<LogEntry>,
    /// For `?after=`: the lines that come behind these.
    cursor: i64,
    /// Lines that should stand before these, and are kept no more.
    missed: i64,
}

/// Which lines are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // Read by `QueryFields`; this describes them.
pub struct LogParams {
    /// At least so important: `warn` gives warnings and errors.
    #[param(inline, value_type = Option<LogLevel>)]
    level: Option<String>,
    /// Text in sentence, target or fields, in any case.
    q: Option<String>,
    /// Only lines behind this one; the newest ones when it is missing.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// What a client wants to see.
struct Wanted {
    level: LogLevel,
    text: Option<String>,
}

impl Wanted {
    fn of(fields: &QueryFields) -> ApiResult<Self> {
        Ok(Self {
            level: fields.word("level")?.unwrap_or(LogLevel::Trace),
            text: fields.text("q").map(str::to_lowercase),
        })
    }

    fn fits(&self, line: &Line) -> bool {
        line.level <= self.level && self.text.as_ref().is_none_or(|text| line.holds(text))
    }
}

/// The newest lines of the service's log
///
/// They are kept in memory since the start of the service, up to 5000 lines and 4 MiB, without tokens and
/// signatures. How much is logged at all is set by `--log-level`.
#[utoipa::path(
    get, path = "/api/system/log", tag = "system", operation_id = "getLog",
    params(
        LogParams,
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 10_000, description = "500 unless told; a text has all unless told"),
        ("format" = inline(Option<LogFormat>), Query, description = "`json` (unless told) or `text`"),
    ),
    responses(
        (status = 200, description = "Lines, oldest first", content((LogPage = "application/json"), (String = "text/plain"))),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub async fn show(fields: QueryFields) -> ApiResult<Response> {
    let wanted = Wanted::of(&fields)?;
    let format = fields.word("format")?.unwrap_or(LogFormat::Json);
    let unless_told = match format {
        LogFormat::Json => LIMIT.0,
        LogFormat::Text => LIMIT.1,
    };
    let limit = fields.number("limit", 1..=LIMIT.1)?.unwrap_or(unless_told);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let after = fields.number("after", 0..=i64::MAX)?;
    let log = telemetry::recent();
    let look = match after {
        Some(after) => log.after(after, limit, |line| wanted.fits(line)),
        None => log.newest(limit, |line| wanted.fits(line)),
    };
    if format == LogFormat::Text {
        return Ok(as_file(&look.lines));
    }
    let page = LogPage {
        entries: look.lines.iter().map(|line| LogEntry::from(&**line)).collect(),
        cursor: look.cursor,
        missed: look.missed,
    };
    Ok(Json(page).into_response())
}

fn as_file(lines: &[Arc<Line>]) -> Response {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = format!(
        "attachment; filename=\"hfdepot-log-{}.txt\"",
        &rfc3339(now_ms())[..10]
    );
    let mut response = text.into_response();
    if let Ok(file) = HeaderValue::from_str(&file) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    }
    response
}

/// Places for clients that follow the log.
pub struct LogTails(Arc<Semaphore>);

impl Default for LogTails {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TAILS)))
    }
}

/// One server-sent event of the log.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes what goes over the wire line by line.
pub struct LogEvent {
    /// Number of the line, to go on behind it.
    id: String,
    /// `line`, or `gap` before a line that does not follow on the one before.
    event: String,
    /// A `LogEntry` as JSON; of a `gap` how many lines are missing, as `{"missed":n}`.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// The service's log as it grows, as server-sent events
///
/// Begins behind `after`, or with the next line when it is missing.
#[utoipa::path(
    get, path = "/api/system/log/stream", tag = "system", operation_id = "streamLog",
    params(LogParams, ("Last-Event-ID" = Option<String>, Header, description = "Go on behind this line")),
    responses(
        (status = 200, description = "Events `line` and `gap`", content_type = "text/event-stream", body = LogEvent),
        (status = 400, description = "A parameter is wrong"),
        (status = 503, description = "Too many clients follow the log"),
    )
)]
pub async fn follow(
    State(app): State<AppState>,
    fields: QueryFields,
    headers: HeaderMap,
) -> ApiResult<impl IntoResponse> {
    let wanted = Wanted::of(&fields)?;
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let after = last.or(fields.number("after", 0..=i64::MAX)?);
    let seat = app.log_tails.0.clone().try_acquire_owned().map_err(|_| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "Too many clients follow the log")
            .hint("Close other pages that show the log.")
    })?;
    let mut changes = telemetry::recent().changes();
    let newest = *changes.borrow_and_update();
    if after.is_some_and(|after| after != newest) {
        changes.mark_changed();
    }
    let tail = Tail {
        wanted,
        after: after.unwrap_or(newest),
        changes,
        waiting: VecDeque::new(),
        stop: app.stop.clone(),
        _seat: seat,
    };
    let events = stream::unfold(tail, async |mut tail| {
        Some((Ok::<_, Infallible>(tail.next().await?), tail))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(PING_EVERY)))
}

/// A client that follows the log.
struct Tail {
    wanted: Wanted,
    after: i64,
    changes: watch::Receiver<i64>,
    waiting: VecDeque<Event>,
    stop: CancellationToken,
    _seat: OwnedSemaphorePermit,
}

impl Tail {
    /// The next event; `None` when the service stops.
    async fn next(&mut self) -> Option<Event> {
        let stop = self.stop.clone();
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            stop.run_until_cancelled(self.changes.changed()).await?.ok()?;
            stop.run_until_cancelled(tokio::time::sleep(PACE)).await?;
            self.look();
        }
    }

    fn look(&mut self) {
        let newest = *self.changes.borrow_and_update();
        let look = telemetry::recent().after(self.after, PORTION, |line| self.wanted.fits(line));
        if look.missed > 0 {
            let missed = format!("{{\"missed\":{}}}", look.missed);
            self.waiting.push_back(Event::default().event("gap").data(missed));
        }
        for line in &look.lines {
            // Texts and numbers always serialise.
            let data = serde_json::to_string(&LogEntry::from(&**line)).unwrap_or_default();
            let event = Event::default().id(line.seq.to_string()).event("line").data(data);
            self.waiting.push_back(event);
        }
        self.after = look.cursor;
        if look.cursor < newest {
            self.changes.mark_changed();
        }
    }
}
