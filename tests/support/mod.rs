//! What the tests stand on: the outside world of hfdepot, made small enough to run in one process.
//!
//! `hub` may not import hfdepot's own modules, so that a mistake there cannot hide behind the
//! same mistake here; `depot` starts the real store and engine, `service` the whole of it.

// Shared by the test binary and by an example; neither uses every helper.
#![allow(dead_code, unused_imports)]

pub mod base;
pub mod depot;
pub mod hub;
pub mod ledger;
pub mod life;
pub mod migrations;
pub mod process;
pub mod proxy;
pub mod schema;
pub mod seeds;
pub mod service;
pub mod sse;
pub mod tls;
pub mod virtual_time;
pub mod wire;
