//! `hfdepot serve`: from the command line to a running service, and its end.

use std::sync::Arc;

use anyhow::Context;
use clap::ArgMatches;

use crate::config::environment::Environment;
use crate::config::flags::ServeArgs;
use crate::config::{Fixed, ServeOptions, Settings, options};
use crate::lifecycle::{self, Exit, ExitError, STOP_DEADLINE};
use crate::service;
use crate::telemetry::{self, LogOptions};

/// Reads the configuration, then shows it (`check_config`) or runs the service.
///
/// # Errors
/// With [`Exit::Usage`] when a flag, variable or the configuration file is wrong, else what
/// stopped the service.
pub fn main(
    args: &ServeArgs,
    matches: &ArgMatches,
    check_config: bool,
    log: &LogOptions,
) -> anyhow::Result<Exit> {
    telemetry::init(log).map_err(ExitError::usage)?;
    let (options, fixed) =
        options::read(&args.fixed, matches, Environment::of_process()).map_err(ExitError::usage)?;
    let fixed = Arc::new(fixed);
    // Wrong flags end the start here, before anything is created on the disk.
    let no_rows: [(&str, &str); 0] = [];
    let (settings, _) =
        Settings::load(Arc::clone(&fixed), no_rows).map_err(|error| ExitError::usage(error.to_string()))?;
    if check_config {
        println!("{}", serde_json::to_string_pretty(&settings.to_json())?);
        return Ok(Exit::Ok);
    }
    for warning in &options.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("The runtime cannot be started")?;
    let done = runtime.block_on(run(options, fixed));
    // Dropping it would wait without limit for a file operation on a disk that hangs.
    runtime.shutdown_background();
    done
}

/// Runs the service until a signal stops it. What does not stop within [`STOP_DEADLINE`] is cut off.
///
/// # Errors
/// What stopped the service.
pub async fn run(options: ServeOptions, fixed: Arc<Fixed>) -> anyhow::Result<Exit> {
    let stop = lifecycle::stop_on_signals().context("Signals cannot be caught")?;
    let running = service::start(options, fixed, stop.clone());
    match lifecycle::until_deadline(&stop, STOP_DEADLINE, running).await {
        Some(done) => done.map(|()| Exit::Ok),
        None => {
            tracing::warn!(
                deadline_ms = STOP_DEADLINE.as_millis() as u64,
                "cut off at the deadline"
            );
            Ok(Exit::StopTimedOut)
        }
    }
}
