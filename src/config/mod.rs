//! What hfdepot is told to do, and who told it.
//!
//! Two layers: [`ServeOptions`] are fixed when the process starts (address, login, data
//! directory); [`Settings`] are live and change through the API. Each value comes from the
//! first of flag, environment, database, configuration file and default that gives one, and
//! every value remembers where it came from.
//!
//! Promises: a value that got past this module is valid; an error names the field, the given
//! value and what is allowed; secrets show in no `Debug` text. Nothing here opens the
//! database: it hands out names with JSON texts, and takes them back.

pub mod apply;
pub mod check;
pub mod environment;
mod file;
pub mod flags;
pub mod key;
pub mod layers;
pub mod options;
pub mod paths;
pub mod patience;
pub mod settings;
pub mod show;
#[cfg(test)]
mod tests;
mod web;

pub use crate::model::secret::Secret;
pub use key::{FieldError, Key};
pub use layers::{Fixed, Source};
pub use options::{Login, ServeOptions};
pub use paths::CachePaths;
pub use patience::Patience;
pub use settings::Settings;
