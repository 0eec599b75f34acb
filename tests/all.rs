//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod api;
mod commands;
mod control;
mod database;
mod disk_faults;
mod download;
mod faults;
mod fencing;
mod guard;
mod house;
mod hub_client;
mod live;
mod queries;
mod queue;
mod queue_model;
mod resume;
mod stand_in_hub;
mod start;
