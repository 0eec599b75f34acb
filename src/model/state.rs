//! The states of a job and of a file, and every legal move between them.
//!
//! [`TRANSITIONS`] is the one place where the moves stand. The database keeps the same
//! rows in `state_transition` and refuses any other move by a trigger; a test compares
//! the two.

use std::time::Duration;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the database, the API and the UI.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        // Not derived: the derive does not see words that come out of a macro.
        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                ::utoipa::openapi::ObjectBuilder::new()
                    .schema_type(::utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }
        impl ::utoipa::ToSchema for $name {}

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::model::repo::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::model::repo::NameError(format!("\"{}\" is not one of {}", $crate::model::repo::shown(text), [$($word),+].join(", ")))),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Status of a job as every client sees it.
    ///
    /// The database computes it from three columns: `state` (written by the lease owner),
    /// `intent` (written for the user) and `requeue`; a committed intent shows at once,
    /// whether or not the run has let go yet.
    JobStatus {
        /// Waits for a worker, perhaps with a reason.
        Queued = "queued",
        /// A worker holds the lease.
        Running = "running",
        /// Held by the user.
        Paused = "paused",
        /// Every file is in place and its hash matched.
        Completed = "completed",
        /// Gave up; the error says why.
        Failed = "failed",
        /// Given up by the user.
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    /// Whether nothing moves a job out of this status but a retry.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a job in this status stands in the way of an equal submission.
    pub fn is_live(self) -> bool {
        !self.is_terminal()
    }
}

words! {
    /// What the user wants of a job; the only column of a running job that the API writes.
    Intent {
        /// Go on.
        Run = "run",
        /// Stop at the next buffer and keep all bytes.
        Pause = "pause",
        /// Stop and drop the partial files.
        Cancel = "cancel",
    }
}

words! {
    /// State of one file of a job.
    FileState {
        /// Not begun.
        Pending = "pending",
        /// Bytes are coming.
        Downloading = "downloading",
        /// All bytes are here, the hash is not compared yet.
        Verifying = "verifying",
        /// Published and verified.
        Complete = "complete",
        /// Was in the cache before; shown too of a file that is left out.
        Skipped = "skipped",
        /// Gave up; the error says why.
        Error = "error",
    }
}

impl FileState {
    /// Whether the file is where it belongs.
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Complete | Self::Skipped)
    }
}

words! {
    /// What the user wants of one file of a job; never written by a run, but for a file that was
    /// in place before it heard of the wish.
    FilePriority {
        /// Before the others.
        High = "high",
        /// In its turn.
        Normal = "normal",
        /// Not at all.
        Skip = "skip",
    }
}

words! {
    /// What a running job is doing.
    Phase {
        /// Asks the Hub for the commit.
        Resolving = "resolving",
        /// Lists the tree and compares it with the cache.
        Planning = "planning",
        /// Moves bytes.
        Downloading = "downloading",
        /// Re-hashes what was already here.
        Verifying = "verifying",
        /// Makes files visible in the cache.
        Publishing = "publishing",
    }
}

/// Longest time until a job that waits is tried again, unless its user chose the moment: the longest pause
/// that a server may ask for (five minutes; `Retry-After` and `RateLimit` headers with more are cut to it).
pub const WAIT_MAX: Duration = Duration::from_secs(300);

words! {
    /// Why a queued job does not start.
    WaitReason {
        /// The volume has no room above its floor.
        Disk = "disk",
        /// The Hub asked for a pause.
        RateLimit = "rate_limit",
        /// The Hub cannot be reached.
        Offline = "offline",
        /// The schedule or a global pause holds all work.
        Schedule = "schedule",
        /// The user asked for a later start.
        NotBefore = "not_before",
        /// The next attempt after a failure of the network or the server.
        Retry = "retry",
    }
}

words! {
    /// What a job does.
    JobKind {
        /// Fetches a repo from the Hub.
        Download = "download",
        /// Copies repos to or from a mirror target.
        Mirror = "mirror",
        /// Re-hashes what the cache holds.
        Verify = "verify",
        /// Writes real files outside the cache.
        Export = "export",
    }
}

/// Every legal move of a job's status, with the event that records it.
pub const TRANSITIONS: &[(JobStatus, JobStatus, &str)] = &[
    (JobStatus::Queued, JobStatus::Running, "started"),
    (JobStatus::Queued, JobStatus::Paused, "held"),
    (JobStatus::Queued, JobStatus::Cancelled, "cancelled"),
    (JobStatus::Queued, JobStatus::Failed, "failed"),
    (JobStatus::Running, JobStatus::Queued, "requeued"),
    (JobStatus::Running, JobStatus::Paused, "paused"),
    (JobStatus::Running, JobStatus::Completed, "completed"),
    (JobStatus::Running, JobStatus::Failed, "failed"),
    (JobStatus::Running, JobStatus::Cancelled, "cancelled"),
    (JobStatus::Paused, JobStatus::Queued, "resumed"),
    (JobStatus::Paused, JobStatus::Cancelled, "cancelled"),
    (JobStatus::Failed, JobStatus::Queued, "retried"),
    (JobStatus::Cancelled, JobStatus::Queued, "retried"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completed_job_has_no_exit_and_every_other_one_has() {
        for &status in JobStatus::ALL {
            let exits = TRANSITIONS.iter().filter(|(from, ..)| *from == status).count();
            assert_eq!(exits == 0, status == JobStatus::Completed, "{status}");
        }
    }

    #[test]
    fn every_word_parses_back() {
        for &status in JobStatus::ALL {
            assert_eq!(status.as_str().parse::<JobStatus>().unwrap(), status);
        }
        assert!("active".parse::<JobStatus>().is_err());
    }
}
