//! The periodic work of the service, by name.

use super::state::words;

words! {
    /// What the service does again and again by itself.
    TaskName {
        /// Copies the database once a day.
        Backup = "backup",
        /// Takes old jobs, speeds and, where it is wished, old history away.
        CleanUp = "clean_up",
        /// Keeps space set aside beside the database.
        Ballast = "ballast",
        /// Looks which repos of the cache changed.
        Library = "library",
        /// Reads every repo of the cache anew.
        LibraryDeep = "library_deep",
        /// Claims, stops and wakes downloads, takes leases back, deletes parts nobody wants.
        Queue = "queue",
        /// The same for jobs of other kinds.
        Work = "work",
        /// Notes how much memory the process holds and what went wrong.
        Measure = "measure",
        /// Queues the runs of mirror targets whose time has come.
        Mirror = "mirror",
        /// Puts the limits in force that the clock asks for.
        Limits = "limits",
    }
}

words! {
    /// How a round of a task ended.
    TaskOutcome {
        /// As it should.
        Ok = "ok",
        /// It failed; the next round tries again.
        Failed = "failed",
    }
}
