//! hfdepot keeps Hugging Face models and datasets at home.
//!
//! The house has floors, and imports go down only:
//!
//! ```text
//! 3   http   cli              handlers and commands; never import each other
//! 2   engine                  claim, plan, fetch, checkpoint, verify, publish
//! 1   store   hub   disk   mirror   SQL | Hub client | files and cache | targets; never each other
//! 0   model                   words and rules; no I/O, no async
//! beside: config, clock, files, lifecycle, tasks, telemetry; `service` puts the floors together, `upkeep` sweeps them
//! ```

pub mod browser;
pub mod cli;
pub mod clock;
pub mod config;
pub mod disk;
pub mod engine;
pub mod files;
pub mod http;
pub mod hub;
pub mod lifecycle;
pub mod mirror;
pub mod model;
pub mod service;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod upkeep;
