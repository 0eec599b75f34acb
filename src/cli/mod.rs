//! Floor 3: the command line. `serve` runs the service; everything else is small. The verbs for
//! downloads, cache, mirrors and settings are clients of a running service; `config`, `history` and `key` read its directory.
//!
//! Exit codes stand in [`crate::lifecycle::Exit`]. Errors are one sentence on standard error.

pub mod analyze;
pub mod cache;
mod cache_print;
pub mod client;
mod collection;
pub mod config;
pub mod doctor;
pub mod history;
pub mod jobs;
pub mod key;
pub mod mirror;
pub mod print;
pub mod restore;
pub mod serve;
pub mod settings;
pub mod verb;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use jobs::Verb;

use crate::config::flags::ServeArgs;
use crate::lifecycle::{self, Exit};
use crate::telemetry::LogOptions;

/// Keeps Hugging Face models and datasets at home.
#[derive(Debug, Parser)]
#[command(
    name = "hfdepot",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    log: LogOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(Box<ServeCommand>),
    /// Queue a download
    Add(Box<jobs::AddArgs>),
    /// Show what a download would fetch
    Plan(Box<jobs::PlanArgs>),
    /// List jobs
    Ls(Box<jobs::ListArgs>),
    /// Pause jobs; what they fetched stays
    Pause(Box<jobs::CommandArgs>),
    /// Go on with paused jobs
    Resume(Box<jobs::CommandArgs>),
    /// Cancel jobs, and delete what they have of unfinished files
    Cancel(Box<jobs::CommandArgs>),
    /// Queue failed or cancelled jobs again
    Retry(Box<jobs::RetryArgs>),
    /// Show what a repo is and what of it one would want
    Analyze(Box<analyze::AnalyzeArgs>),
    /// Look into the cache, check, prune and export it
    Cache(Box<cache::CacheCommand>),
    /// Copy the cache to other places and back
    Mirror(Box<mirror::MirrorCommand>),
    /// Show, change and try out the settings of the service
    Settings(Box<settings::SettingsCommand>),
    /// Tell what stands in the way of the service
    Doctor(doctor::DoctorArgs),
    /// Show the settings in force and where each comes from
    Config(Box<config::ConfigCommand>),
    /// Show what was done, and prove that nothing in it was changed
    History(Box<history::HistoryCommand>),
    /// Make, list and remove API keys while the service does not run
    Key(key::KeyArgs),
    /// Put a copy of the database back while the service does not run, or list the copies
    Restore(restore::RestoreArgs),
    /// Show the version
    Version,
}

#[derive(Debug, clap::Args)]
struct ServeCommand {
    #[command(flatten)]
    args: ServeArgs,
    /// Show the settings that would be used, with where each comes from, and end
    #[arg(long)]
    check_config: bool,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut matches = Cli::command().get_matches();
    // `get_matches` has judged the command line; this only moves it into types.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Version => {
            println!("hfdepot {}", env!("CARGO_PKG_VERSION"));
            Ok(Exit::Ok)
        }
        Command::Add(args) => jobs::add(&args),
        Command::Plan(args) => jobs::plan(&args),
        Command::Ls(args) => jobs::list(&args),
        Command::Pause(args) => jobs::command(&args, Verb::Pause),
        Command::Resume(args) => jobs::command(&args, Verb::Resume),
        Command::Cancel(args) => jobs::command(&args, Verb::Cancel),
        Command::Retry(args) => jobs::retry(&args),
        Command::Analyze(args) => analyze::main(&args),
        Command::Cache(command) => cache::main(&command),
        Command::Mirror(command) => mirror::main(&command),
        Command::Settings(command) => settings::main(&command),
        Command::Doctor(args) => doctor::main(&args),
        Command::History(command) => history::main(&command),
        Command::Config(command) => {
            let (_, mut matches) = matches.remove_subcommand().unwrap_or_default();
            let (_, matches) = matches.remove_subcommand().unwrap_or_default();
            config::main(&command, &matches)
        }
        Command::Key(args) => key::main(&args),
        Command::Restore(args) => restore::main(&args),
        Command::Serve(command) => {
            let (_, matches) = matches.remove_subcommand().unwrap_or_default();
            serve::main(&command.args, &matches, command.check_config, &cli.log)
        }
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("hfdepot: {error:#}");
            lifecycle::exit_of(&error).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_shows_no_value_of_a_secret_variable() {
        let command = Cli::command();
        let deep = command.get_subcommands().flat_map(clap::Command::get_subcommands);
        for command in command.get_subcommands().chain(deep) {
            for arg in command.get_arguments() {
                let name = arg.get_id().as_str();
                if ["token", "auth_pass", "proxy_pass", "api_key"].contains(&name) {
                    assert!(arg.is_hide_env_values_set(), "{name}");
                }
            }
        }
    }
}
