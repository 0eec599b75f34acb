//! All integration tests in one binary: one module for each capability.

mod guard;
mod start;
