//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod analyze;
mod api;
mod commands;
mod control;
mod database;
mod database_faults;
mod disk_faults;
mod download;
mod faults;
mod fencing;
mod guard;
mod hostile;
mod house;
mod hub_client;
mod live;
mod queries;
mod queue;
mod queue_model;
mod readme;
mod resume;
mod search;
mod sharing;
mod simulation;
mod stand_in_hub;
mod start;
