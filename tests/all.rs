//! All integration tests in one binary, so that the crate is linked once.


mod guard;
mod hub_client;
mod start;
