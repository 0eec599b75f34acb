//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod download;
mod guard;
mod hub_client;
mod queue;
mod stand_in_hub;
mod start;
