//! How much a line of the service's own log matters.

use super::state::words;

words! {
    /// How much a line of the log matters; each level holds those before it.
    LogLevel {
        /// Something failed.
        Error = "error",
        /// Somebody should know.
        Warn = "warn",
        /// What happens.
        Info = "info",
        /// What happens, in detail.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}
