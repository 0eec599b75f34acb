//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod analyze;
mod api;
mod commands;
mod control;
mod database;
mod disk_faults;
mod download;
mod faults;
mod fencing;
mod guard;
mod history;
mod history_chain;
mod hostile;
mod house;
mod hub_client;
mod keys;
mod live;
mod mirror;
mod openapi;
mod queries;
mod queue;
mod queue_model;
mod readme;
mod resume;
mod search;
mod sharing;
mod speed;
mod stand_in_hub;
mod start;
mod work;
