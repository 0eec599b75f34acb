//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod analyze;
mod api;
mod download;
mod guard;
mod hub_client;
mod live;
mod queue;
mod readme;
mod search;
mod stand_in_hub;
mod start;
