//! What the tests stand on: the outside world of hfdepot, made small enough to run in one process.
//!
//! Nothing in here may import hfdepot's own modules, so that a mistake there cannot hide
//! behind the same mistake here.

// Shared by the test binary and by an example; neither uses every helper.
#![allow(dead_code, unused_imports)]

pub mod hub;
