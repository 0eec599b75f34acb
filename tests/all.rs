//! All Rust tests of hfdepot that need more than one module, in one binary.

mod hub_client;
