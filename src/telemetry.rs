//! Set-up of the log: lines for people on a terminal, JSON lines for everything else.
//!
//! The log goes to standard error, or to a file; standard output belongs to commands. Lines carry fields
//! with units (`job.id`, `size_bytes`). What must never be logged: tokens, passwords,
//! query strings and signed URLs; those who log a URL cut it at `?` first. The newest lines are
//! kept in memory too ([`recent()`]), for the API.

mod log_file;
mod recent;
mod scrub;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use log_file::LogFile;
pub use recent::{Line, Look, Recent, recent};

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// `human` on a terminal, `json` elsewhere.
    #[default]
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// How much is logged, and in which form.
#[derive(Debug, Clone, Default, Args)]
pub struct LogOptions {
    /// Form of the log
    #[arg(long, env = "HFDEPOT_LOG_FORMAT", value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
    /// Write the log of the service to this file instead of standard error: appended to, and begun anew when it was moved away
    #[arg(long, env = "HFDEPOT_LOG_FILE", value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
    /// error, warn, info, debug, trace, or directives such as hfdepot=debug,sqlx=info [default: info]
    #[arg(long, env = "HFDEPOT_LOG", value_name = "LEVEL", global = true)]
    pub log_level: Option<String>,
    /// Log warnings and errors only
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
    /// Log more: -v debug, -vv trace
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl LogOptions {
    /// The filter directives: `-q`/`-v`, else `--log-level` or `HFDEPOT_LOG`, else `RUST_LOG`, else `info`.
    fn directives(&self, rust_log: Option<String>) -> String {
        match (self.quiet, self.verbose) {
            (true, _) => "warn".to_owned(),
            // Our own words only: the libraries below print several lines for each read.
            (_, 1) => "info,hfdepot=debug".to_owned(),
            (_, 2..) => "debug,hfdepot=trace".to_owned(),
            (_, 0) => self
                .log_level
                .clone()
                .or(rust_log)
                .filter(|text| !text.trim().is_empty())
                .unwrap_or_else(|| "info".to_owned()),
        }
    }
}

/// Installs the log for the whole process.
///
/// # Errors
/// A sentence when the directives cannot be read, the file cannot be opened, or a log is installed already.
pub fn init(options: &LogOptions) -> Result<(), String> {
    let directives = options.directives(std::env::var("RUST_LOG").ok());
    // The migrations' library tells four lines at each start; ours names the database once.
    let filter = EnvFilter::try_new(format!("refinery_core=warn,{directives}"))
        .map_err(|error| format!("The log level \"{directives}\" cannot be read: {error}"))?;
    let terminal = options.log_file.is_none() && std::io::stderr().is_terminal();
    let writer = match &options.log_file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => BoxMakeWriter::new(
            LogFile::open(path)
                .map_err(|error| format!("The log file {} cannot be opened: {error}", path.display()))?,
        ),
    };
    let human = match options.log_format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let log = tracing_subscriber::registry().with(filter).with(recent().layer());
    let lines = fmt::layer().with_writer(writer);
    let installed = if human {
        // https://no-color.org: any value but the empty one switches colours off.
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        log.with(lines.with_ansi(colours).with_target(false)).try_init()
    } else {
        log.with(lines.json().flatten_event(true)).try_init()
    };
    installed.map_err(|error| format!("The log cannot be set up: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_beat_the_level_and_the_level_beats_rust_log() {
        let options = |quiet, verbose, level: Option<&str>| LogOptions {
            quiet,
            verbose,
            log_level: level.map(str::to_owned),
            log_format: LogFormat::Auto,
            log_file: None,
        };
        let rust_log = || Some("trace".to_owned());
        assert_eq!(options(true, 0, Some("debug")).directives(rust_log()), "warn");
        assert_eq!(
            options(false, 1, Some("error")).directives(rust_log()),
            "info,hfdepot=debug"
        );
        assert_eq!(options(false, 0, Some("error")).directives(rust_log()), "error");
        assert_eq!(options(false, 0, None).directives(rust_log()), "trace");
        assert_eq!(options(false, 0, Some(" ")).directives(None), "info");
    }
}
