//! All integration tests in one binary, so that the crate is linked once.

mod support;

mod control;
mod disk_faults;
mod download;
mod faults;
mod guard;
mod hub_client;
mod resume;
mod stand_in_hub;
mod start;
