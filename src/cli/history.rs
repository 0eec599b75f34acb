//! `hfdepot history`: reads the record from the database itself, whether or not the service
//! runs, and changes nothing in it.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use crate::config::environment::Environment;
use crate::config::paths;
use crate::lifecycle::{Exit, ExitError};
use crate::model::history::HistoryRecord;
use crate::model::history_row::Seal;
use crate::model::state::JobStatus;
use crate::store::{History, HistoryQuery};

/// Rows that are read at once.
const BATCH: i64 = 500;

/// `hfdepot history`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryCommand {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Prove that no row was changed, removed, inserted or moved; exit code 1 when one was
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct Place {
    /// Directory of the database [default: hfdepot in the XDG data directory]
    #[arg(long, env = "HFDEPOT_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Newest entries to show; 0 = all
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    /// completed, failed or cancelled; several with commas between
    #[arg(long, value_delimiter = ',', value_name = "WORD", value_parser = ended)]
    status: Vec<String>,
    /// Part of the repo's id
    #[arg(long, value_name = "TEXT")]
    repo: Option<String>,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// A head that was noted earlier: some row has to have it
    #[arg(long, value_name = "SHA256", value_parser = seal)]
    head: Option<Seal>,
    /// Show the report as JSON
    #[arg(long)]
    json: bool,
}

/// How a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Columns for people
    Table,
    /// One document
    Json,
    /// One document a line
    Jsonl,
    /// For spreadsheets
    Csv,
}

fn ended(text: &str) -> Result<String, String> {
    match text.parse::<JobStatus>() {
        Ok(status) if status.is_terminal() => Ok(text.to_owned()),
        _ => Err("it must be completed, failed or cancelled".to_owned()),
    }
}

fn seal(text: &str) -> Result<Seal, String> {
    let wrong = || "it must be 64 hex digits".to_owned();
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut seal = [0; 32];
    for (byte, at) in seal.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(seal)
}

/// Shows or verifies the history.
///
/// # Errors
/// When the database cannot be read; a history that was tampered with is [`Exit::Error`] after
/// the report.
pub fn main(command: &HistoryCommand) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("The runtime cannot be started")?;
    let done = runtime.block_on(async {
        match &command.command {
            Some(Sub::Verify(args)) => verify(args).await,
            None => list(&command.list).await,
        }
    });
    match done {
        // Whoever reads has seen enough, such as `| head`.
        Err(error) if is_closed_pipe(&error) => Ok(Exit::Ok),
        done => done,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

async fn open(place: &Place) -> anyhow::Result<History> {
    let environment = Environment::of_process();
    let dir: PathBuf = paths::data_dir(place.data_dir.as_deref(), &environment).map_err(ExitError::usage)?;
    Ok(History::open(&dir.join("hfdepot.db")).await?)
}

async fn verify(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let report = open(&args.place).await?.verify(args.head).await?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        writeln!(
            out,
            "{} rows checked: {} ends of jobs, {} events",
            report.checked, report.history, report.events
        )?;
        if report.anchor_position > 0 {
            writeln!(
                out,
                "{} older rows were dropped by retention",
                report.anchor_position
            )?;
        }
        match &report.first_bad {
            None => writeln!(out, "Sound. Head: {}", report.head)?,
            Some(bad) => writeln!(
                out,
                "NOT SOUND at place {}: {} ({})",
                bad.position, bad.message, bad.reason
            )?,
        }
    }
    Ok(if report.ok { Exit::Ok } else { Exit::Error })
}

async fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    let history = open(&args.place).await?;
    let mut query = HistoryQuery {
        statuses: args.status.clone(),
        repo: args.repo.clone(),
        ..HistoryQuery::default()
    };
    let mut left = if args.limit == 0 { i64::MAX } else { args.limit };
    let mut out = Shown::new(args.format, BufWriter::new(io::stdout().lock()))?;
    while left > 0 {
        query.limit = left.min(BATCH);
        let rows = history.list(&query).await?;
        rows.iter().try_for_each(|row| out.row(row))?;
        left -= rows.len() as i64;
        query.before = rows.last().map(|row| row.seq);
        if (rows.len() as i64) < query.limit {
            break;
        }
    }
    out.end()?;
    Ok(Exit::Ok)
}

/// A list on its way to the terminal or a file.
struct Shown<W: Write> {
    form: Form,
    out: W,
    rows: u64,
}

impl<W: Write> Shown<W> {
    fn new(form: Form, mut out: W) -> anyhow::Result<Self> {
        match form {
            Form::Json => write!(out, "[")?,
            Form::Csv => csv_line(&mut out, &HistoryRecord::COLUMNS)?,
            Form::Table => writeln!(
                out,
                "{:<20}  {:<9}  {:>10}  {:>10}  {:<16}  REPO @ COMMIT",
                "ENDED", "STATUS", "NETWORK", "REUSED", "ACTOR"
            )?,
            Form::Jsonl => {}
        }
        Ok(Self { form, out, rows: 0 })
    }

    fn row(&mut self, row: &HistoryRecord) -> anyhow::Result<()> {
        match self.form {
            Form::Json => {
                write!(self.out, "{}", if self.rows > 0 { ",\n" } else { "\n" })?;
                serde_json::to_writer(&mut self.out, row)?;
            }
            Form::Jsonl => {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)?;
            }
            Form::Csv => csv_line(&mut self.out, &row.cells())?,
            Form::Table => {
                let commit = row.commit.as_deref().unwrap_or("-");
                writeln!(
                    self.out,
                    "{:<20}  {:<9}  {:>10}  {:>10}  {:<16}  {} @ {}{}",
                    &row.ended_at[..row.ended_at.len().min(19)],
                    row.status,
                    mebibytes(row.network_bytes),
                    mebibytes(row.reused_bytes),
                    plain(&row.actor),
                    row.repo,
                    &commit[..commit.len().min(7)],
                    if row.error.is_empty() {
                        String::new()
                    } else {
                        format!("  {}", plain(&row.error))
                    }
                )?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<()> {
        if self.form == Form::Json {
            writeln!(self.out, "\n]")?;
        }
        Ok(self.out.flush()?)
    }
}

fn csv_line<C: AsRef<[u8]>>(out: &mut impl Write, cells: &[C]) -> anyhow::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    writer.write_record(cells)?;
    Ok(writer.flush()?)
}

fn mebibytes(bytes: i64) -> String {
    format!("{:.1}M", bytes as f64 / f64::from(1 << 20))
}

/// Nothing that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
