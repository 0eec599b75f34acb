//! `hfdepot config show`: every setting in force, and where it comes from.
//!
//! Reads flags, variables, the configuration file and the database as `serve` does, whether or
//! not the service runs, and changes nothing. Secrets are masked.

use std::io::{self, Write};
use std::sync::Arc;

use clap::{ArgMatches, Args, Subcommand};
use serde_json::{Map, Value};

use crate::config::environment::Environment;
use crate::config::flags::ServeArgs;
use crate::config::show::SettingsShown;
use crate::config::{Settings, options};
use crate::lifecycle::{Exit, ExitError};
use crate::store;

/// `hfdepot config`
#[derive(Debug, Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show every setting in force, its value and its source; takes the flags of `serve`
    Show(Box<ShowArgs>),
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Show them as JSON, as `GET /api/settings` does
    #[arg(long)]
    json: bool,
}

/// Shows the settings. `matches` are those of the action.
///
/// # Errors
/// When flags, variables, the configuration file or the database cannot be read.
pub fn main(command: &ConfigCommand, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Action::Show(args) = &command.action;
    let (options, fixed) =
        options::read(&args.serve.fixed, matches, Environment::of_process()).map_err(ExitError::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rows = runtime.block_on(store::saved_settings(&options.data_dir.join("hfdepot.db")))?;
    let (settings, unusable) =
        Settings::load(Arc::new(fixed), rows).map_err(|error| ExitError::usage(error.to_string()))?;
    for error in unusable {
        eprintln!("hfdepot: a saved setting cannot be used: {error}");
    }
    let shown = settings.shown();
    let text = match args.json {
        true => serde_json::to_string_pretty(&shown)?,
        false => table(&shown)?,
    };
    match writeln!(io::stdout().lock(), "{text}") {
        // Whoever reads has seen enough, such as `| head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Ok),
        done => Ok(done.map(|()| Exit::Ok)?),
    }
}

/// A line for each setting: name, value, source.
fn table(shown: &SettingsShown) -> anyhow::Result<String> {
    let values = serde_json::to_value(shown)?;
    let mut lines = Vec::new();
    for (name, source) in &shown.sources {
        let value = match *name {
            "proxy.password" if shown.proxy.has_password => "********".into(),
            name => values
                .pointer(&format!("/{}", name.replace('.', "/")))
                .cloned()
                .unwrap_or_default(),
        };
        let from = shown.source_names.get(name);
        let from = from.map_or_else(|| source.to_string(), |from| format!("{source}: {from}"));
        lines.push(format!("{name:<20} {:<34} {from}", plain(&value)));
    }
    Ok(lines.join("\n"))
}

/// A value as flags take it: texts without quotes, lists with colons between.
pub(super) fn plain_value(value: &Value) -> String {
    let pairs = |map: &Map<String, Value>| {
        let pairs = map
            .iter()
            .map(|(key, value)| format!("{key}={}", plain_value(value)));
        pairs.collect::<Vec<_>>().join(",")
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain_value).collect::<Vec<_>>().join(":"),
        Value::Object(map) => pairs(map),
        other => other.to_string(),
    }
}

/// A value for people: `-` for nothing.
fn plain(value: &Value) -> String {
    match plain_value(value) {
        text if text.is_empty() => "-".to_owned(),
        text => text,
    }
}
