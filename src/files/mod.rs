//! Beside the house: a folder held by its descriptor, and the error of file work.
//!
//! The floors `disk` and `mirror` both stand on it and never on each other. Nothing here knows
//! the layout of a cache.

pub mod error;
pub(crate) mod folder;

pub use error::DiskError;
pub(crate) use folder::{Folder, unique_name};
