//! Downloads of lists: everything that matches as JSON, JSON lines or CSV, streamed.
//!
//! Rows are read in batches from the newest on, so that ones which come meanwhile are left out
//! and memory stays small however long the list is.

use std::convert::Infallible;
use std::future::Future;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

use crate::clock::{now_ms, rfc3339};
use crate::model::history::{EventRecord, HistoryRecord};
use crate::model::state::words;
use crate::store::StoreError;

/// Rows that are read at once.
const BATCH: i64 = 500;

words! {
    /// The form of a download.
    Format {
        /// One document: `{"entries":[…],"total":n}`.
        Json = "json",
        /// One document a line.
        Jsonl = "jsonl",
        /// A table with a line of names (RFC 4180).
        Csv = "csv",
    }
}

/// A row of a list that can be downloaded.
pub trait Exported: Serialize + Send + 'static {
    /// Names of the columns.
    fn columns() -> Vec<&'static str>;
    /// Its cells, harmless for spreadsheets.
    fn cells(&self) -> Vec<String>;
    /// Its number: rows are read in falling order of it.
    fn seq(&self) -> i64;
}

impl Exported for HistoryRecord {
    fn columns() -> Vec<&'static str> {
        Self::COLUMNS.to_vec()
    }
    fn cells(&self) -> Vec<String> {
        HistoryRecord::cells(self).into()
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

impl Exported for EventRecord {
    fn columns() -> Vec<&'static str> {
        Self::COLUMNS.to_vec()
    }
    fn cells(&self) -> Vec<String> {
        EventRecord::cells(self).into()
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

/// How far a download is.
struct Progress {
    before: Option<i64>,
    left: i64,
    sent: i64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Begin,
    Rows,
    Done,
}

/// Streams what `next(before, limit)` gives, batch by batch, as a file `{name}-{day}.{format}`.
pub fn download<T, N, F>(format: Format, name: &str, limit: Option<i64>, mut next: N) -> Response
where
    T: Exported,
    N: FnMut(Option<i64>, i64) -> F + Send + 'static,
    F: Future<Output = Result<Vec<T>, StoreError>> + Send + 'static,
{
    let begin = Progress {
        before: None,
        left: limit.unwrap_or(i64::MAX),
        sent: 0,
        state: State::Begin,
    };
    let batches = stream::unfold((begin, Some(())), move |(mut progress, alive)| {
        let ended = alive.is_none() || progress.state == State::Done;
        let wanted = progress.left.min(BATCH);
        let batch = (!ended && wanted > 0).then(|| next(progress.before, wanted));
        async move {
            if ended {
                return None;
            }
            let rows = match batch {
                Some(batch) => match batch.await {
                    Ok(rows) => rows,
                    // The answer breaks off, which a client notices: half a list must not look whole.
                    Err(error) => return Some((Err(error), (progress, None))),
                },
                None => Vec::new(),
            };
            let text = progress.render(format, &rows, wanted);
            Some((Ok(text), (progress, Some(()))))
        }
    });
    let kind = match format {
        Format::Json => "application/json",
        Format::Jsonl => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8; header=present",
    };
    let day = &rfc3339(now_ms())[..10];
    let file = format!("attachment; filename=\"hfdepot-{name}-{day}.{format}\"");
    let mut response = Body::from_stream(batches).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(file) = HeaderValue::from_str(&file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Progress {
    /// The bytes of one batch, with what goes before the first and behind the last one.
    fn render<T: Exported>(&mut self, format: Format, rows: &[T], wanted: i64) -> Bytes {
        let mut text = Vec::new();
        if self.state == State::Begin {
            match format {
                Format::Json => text.extend_from_slice(b"{\"entries\":["),
                Format::Jsonl => {}
                Format::Csv => csv_line(&mut text, &T::columns()),
            }
            self.state = State::Rows;
        }
        for row in rows {
            match format {
                Format::Csv => csv_line(&mut text, &row.cells()),
                Format::Json => {
                    if self.sent > 0 {
                        text.push(b',');
                    }
                    json(&mut text, row);
                }
                Format::Jsonl => {
                    json(&mut text, row);
                    text.push(b'\n');
                }
            }
            self.sent += 1;
        }
        self.left -= rows.len() as i64;
        self.before = rows.last().map(T::seq).or(self.before);
        if (rows.len() as i64) < wanted || self.left <= 0 {
            if format == Format::Json {
                text.extend_from_slice(format!("],\"total\":{}}}", self.sent).as_bytes());
            }
            self.state = State::Done;
        }
        text.into()
    }
}

fn json<T: Serialize>(text: &mut Vec<u8>, row: &T) {
    // Rows of texts and numbers always serialise, and memory always takes them.
    let done: Result<(), Infallible> = serde_json::to_writer(text, row).or(Ok(()));
    let Ok(()) = done;
}

fn csv_line<C: AsRef<[u8]>>(text: &mut Vec<u8>, cells: &[C]) {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(text);
    // Writing into memory does not fail, and every line has the same number of cells.
    let _ = writer.write_record(cells);
    let _ = writer.flush();
}
