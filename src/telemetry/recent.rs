//! The newest lines of the log, kept in memory for those who cannot see standard error.
//!
//! Promises: never more than [`LINES_MAX`] lines and [`BYTES_MAX`] bytes, whatever is logged; no
//! line holds what [`scrub`](super::scrub) knows as a secret. The log belongs to the process, and so do
//! these lines. Each has a number that rises, also over restarts of the process, so that a client
//! can ask for those behind one it knows.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::scrub::scrub;
use crate::clock::{now_ms, rfc3339};
use crate::model::log::LogLevel;

/// Lines that are kept at most.
pub const LINES_MAX: usize = 5_000;
/// Bytes of text that are kept at most.
pub const BYTES_MAX: usize = 4 << 20;
/// Bytes of one message or field; what is longer is cut.
const TEXT_MAX: usize = 4 << 10;
/// Fields of a line; a line of ours has a dozen at most.
const FIELDS_MAX: usize = 24;
/// Counted for each line beside its texts.
const LINE_BYTES: usize = 128;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Rises with each line. Begins with the microseconds since 1970 at the first line.
    pub seq: i64,
    /// UTC milliseconds.
    pub at: i64,
    /// How much it matters.
    pub level: LogLevel,
    /// The module that wrote it.
    pub target: String,
    /// The sentence.
    pub message: String,
    /// What belongs to it, by name.
    pub fields: BTreeMap<String, String>,
}

impl Line {
    fn bytes(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.len());
        LINE_BYTES + self.target.len() + self.message.len() + fields.sum::<usize>()
    }

    /// Whether `text`, in lower case, stands in it in any case.
    pub fn holds(&self, text: &str) -> bool {
        let inside = |part: &str| part.to_lowercase().contains(text);
        inside(&self.message)
            || inside(&self.target)
            || self
                .fields
                .iter()
                .any(|(name, value)| inside(name) || inside(value))
    }
}

/// As in a file: one line, whatever stands in the texts.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.as_str().to_uppercase();
        write!(f, "{} {level:>5} {}: ", rfc3339(self.at), self.target)?;
        plain(f, &self.message)?;
        for (name, value) in &self.fields {
            write!(f, " {name}=")?;
            plain(f, value)?;
        }
        Ok(())
    }
}

/// Without control characters: they would move the cursor of who reads the file in a terminal.
fn plain(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|c| match c.is_control() {
        true => write!(f, "{}", c.escape_default()),
        false => write!(f, "{c}"),
    })
}

/// What a look at the lines gives.
#[derive(Debug, Default)]
pub struct Look {
    /// Oldest first.
    pub lines: Vec<Arc<Line>>,
    /// Number of the last line that was looked at: go on behind it.
    pub cursor: i64,
    /// Lines between the one that was asked behind and these which are kept no more.
    pub missed: i64,
}

/// The lines that are kept.
#[derive(Debug)]
pub struct Recent {
    ring: Mutex<Ring>,
    /// Number of the newest line.
    newest: watch::Sender<i64>,
}

#[derive(Debug)]
struct Ring {
    lines: VecDeque<Arc<Line>>,
    bytes: usize,
    /// Number of the first line of this process.
    first: i64,
    next: i64,
}

/// The lines of this process.
pub fn recent() -> &'static Recent {
    static RECENT: LazyLock<Recent> = LazyLock::new(|| Recent::starting(now_ms().saturating_mul(1000)));
    &RECENT
}

impl Recent {
    fn starting(first: i64) -> Self {
        Self {
            ring: Mutex::new(Ring {
                lines: VecDeque::new(),
                bytes: 0,
                first,
                next: first,
            }),
            newest: watch::Sender::new(first - 1),
        }
    }

    /// The layer that keeps lines here.
    pub fn layer(&'static self) -> RecentLayer {
        RecentLayer(self)
    }

    /// Tells when there are more lines; the value is the number of the newest.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// The newest `limit` lines that are `wanted`.
    pub fn newest(&self, limit: usize, wanted: impl Fn(&Line) -> bool) -> Look {
        let (lines, oldest, from, next) = self.copy(i64::MIN);
        let found = lines.iter().rev().filter(|line| wanted(line)).take(limit);
        let mut found: Vec<_> = found.cloned().collect();
        found.reverse();
        Look {
            lines: found,
            cursor: next - 1,
            missed: oldest - from - 1,
        }
    }

    /// The first `limit` lines behind number `after` that are `wanted`. A number from the future is
    /// one of a clock that went backwards: everything is new then.
    pub fn after(&self, after: i64, limit: usize, wanted: impl Fn(&Line) -> bool) -> Look {
        let (lines, oldest, from, next) = self.copy(after);
        let mut look = Look {
            cursor: next - 1,
            missed: (oldest - from - 1).max(0),
            ..Look::default()
        };
        for line in lines.iter().filter(|line| wanted(line)) {
            if look.lines.len() == limit {
                look.cursor = look.lines.last().map_or(from, |last| last.seq);
                break;
            }
            look.lines.push(line.clone());
        }
        look
    }

    /// The lines behind number `after`, the number of the oldest one that is kept, that behind which
    /// this process could know lines, and that of the next one. Filters run on a copy: who logs must not wait for who reads.
    fn copy(&self, after: i64) -> (Vec<Arc<Line>>, i64, i64, i64) {
        let ring = self.lock();
        let after = if after >= ring.next { i64::MIN } else { after };
        let begin = ring.lines.partition_point(|line| line.seq <= after);
        let lines = ring.lines.range(begin..).cloned().collect();
        let oldest = ring.lines.front().map_or(ring.next, |oldest| oldest.seq);
        (lines, oldest, after.max(ring.first - 1), ring.next)
    }

    fn push(&self, level: LogLevel, written: Written) {
        let mut ring = self.lock();
        let line = Line {
            seq: ring.next,
            at: now_ms(),
            level,
            target: written.target,
            message: written.message,
            fields: written.fields,
        };
        ring.next += 1;
        ring.bytes += line.bytes();
        ring.lines.push_back(Arc::new(line));
        while ring.lines.len() > LINES_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.lines.pop_front() else {
                break;
            };
            ring.bytes -= oldest.bytes();
        }
        let newest = ring.next - 1;
        drop(ring);
        self.newest.send_replace(newest);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what is logged.
pub struct RecentLayer(&'static Recent);

impl<S: Subscriber> Layer<S> for RecentLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut written = Written {
            target: metadata.target().to_owned(),
            ..Written::default()
        };
        event.record(&mut written);
        let level = match *metadata.level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        };
        self.0.push(level, written);
    }
}

/// What a line says, harmless and cut to size.
#[derive(Default)]
struct Written {
    target: String,
    message: String,
    fields: BTreeMap<String, String>,
}

impl Written {
    fn take(&mut self, name: &str, value: &str) {
        let value = cut(&scrub(value));
        match name {
            "message" => self.message = value,
            // Libraries that use the crate `log`.
            "log.target" => self.target = value,
            name if name.starts_with("log.") || self.fields.len() >= FIELDS_MAX => {}
            name => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Written {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field.name(), &format!("{value:?}"));
    }
}

fn cut(text: &str) -> String {
    match text.len() > TEXT_MAX {
        true => format!("{}…", &text[..text.floor_char_boundary(TEXT_MAX)]),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    fn leaked() -> &'static Recent {
        Box::leak(Box::new(Recent::starting(1000)))
    }

    fn say(recent: &Recent, level: LogLevel, message: &str) {
        let message = message.to_owned();
        recent.push(
            level,
            Written {
                message,
                ..Written::default()
            },
        );
    }

    fn messages(look: &Look) -> Vec<&str> {
        look.lines.iter().map(|line| line.message.as_str()).collect()
    }

    #[test]
    fn a_line_keeps_level_sentence_and_fields_without_secrets() {
        let recent = leaked();
        let subscriber = tracing_subscriber::registry().with(recent.layer());
        tracing::subscriber::with_default(subscriber, || {
            let error = "https://cdn.example/x?Signature=abc: refused";
            tracing::warn!(job.id = %"a1", size_bytes = 7, %error, "trying\nagain");
        });
        let look = recent.newest(9, |_| true);
        let line = &look.lines[0];
        assert_eq!(
            (line.level, line.message.as_str(), line.seq),
            (LogLevel::Warn, "trying\nagain", 1000)
        );
        assert_eq!(
            (line.fields["job.id"].as_str(), line.fields["size_bytes"].as_str()),
            ("a1", "7")
        );
        let text = line.to_string();
        assert!(!text.contains("Signature") && !text.contains('\n'), "{text}");
        assert!(
            text.contains(" WARN hfdepot::telemetry::recent::tests: trying\\nagain"),
            "{text}"
        );
        assert!(line.holds("cdn.example") && line.holds("again") && !line.holds("signature"));
    }

    #[test]
    fn a_reader_goes_on_behind_a_line_and_learns_what_it_missed() {
        let recent = leaked();
        for n in 0..4 {
            say(
                recent,
                if n == 2 { LogLevel::Error } else { LogLevel::Info },
                &format!("line {n}"),
            );
        }
        assert_eq!(messages(&recent.newest(2, |_| true)), ["line 2", "line 3"]);
        let look = recent.after(1000, 2, |_| true);
        assert_eq!(
            (messages(&look), look.cursor, look.missed),
            (vec!["line 1", "line 2"], 1002, 0)
        );
        let look = recent.after(look.cursor, 2, |_| true);
        assert_eq!((messages(&look), look.cursor), (vec!["line 3"], 1003));
        let errors = |line: &Line| line.level <= LogLevel::Error;
        let look = recent.after(0, 9, errors);
        assert_eq!((messages(&look), look.cursor), (vec!["line 2"], 1003));
        // A reader of an earlier process whose clock was ahead.
        assert_eq!(recent.after(5000, 9, |_| true).lines.len(), 4);
    }

    #[test]
    fn lines_and_bytes_are_bounded() {
        let recent = leaked();
        for n in 0..LINES_MAX + 3 {
            say(recent, LogLevel::Info, &format!("line {n}"));
        }
        let look = recent.after(1000, usize::MAX, |_| true);
        assert_eq!((look.lines.len(), look.missed), (LINES_MAX, 2));
        assert_eq!(look.lines[0].message, "line 3");
        assert_eq!(recent.newest(1, |_| true).missed, 3);
        for _ in 0..2000 {
            let long = cut(&"ä".repeat(TEXT_MAX));
            assert!(long.len() <= TEXT_MAX + 3);
            say(recent, LogLevel::Info, &long);
        }
        let ring = recent.lock();
        assert!(
            ring.bytes <= BYTES_MAX && ring.lines.len() < LINES_MAX,
            "{}",
            ring.lines.len()
        );
        assert_eq!(
            ring.bytes,
            ring.lines.iter().map(|line| line.bytes()).sum::<usize>()
        );
    }
}
