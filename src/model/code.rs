//! The one list of error codes: for the database, the API, the UI and the command line.

use super::state::words;

words! {
    /// Why something failed, as a word that programs can test.
    Code {
        /// The request itself is malformed.
        BadRequest = "bad_request",
        /// The repo does not exist, or is private and no token opens it.
        RepoNotFound = "repo_not_found",
        /// The repo has no such branch, tag or commit.
        RevisionNotFound = "revision_not_found",
        /// The commit has no such file (any more).
        EntryNotFound = "entry_not_found",
        /// The repo wants its terms accepted first.
        Gated = "gated",
        /// The Hub refuses the token.
        BadToken = "bad_token",
        /// The Hub refuses access for another reason.
        AccessDenied = "access_denied",
        /// The Hub switched the repo off.
        RepoDisabled = "repo_disabled",
        /// The tree holds a name or id that is not safe to store.
        UnsafePath = "unsafe_path",
        /// Two paths differ only in upper and lower case.
        PathCollision = "path_collision",
        /// No file matches the filters.
        NothingMatched = "nothing_matched",
        /// The content does not have the announced hash.
        HashMismatch = "hash_mismatch",
        /// The content does not have the announced length.
        SizeMismatch = "size_mismatch",
        /// The Hub or its CDN answered something that the protocol does not allow.
        BadResponse = "bad_response",
        /// Too many requests; the window has to pass.
        RateLimited = "rate_limited",
        /// The server failed again and again.
        ServerError = "server_error",
        /// The network could not be reached.
        Offline = "offline",
        /// No byte for the stall timeout, again and again.
        Stalled = "stalled",
        /// The certificate of the server is not trusted.
        TlsError = "tls_error",
        /// The volume is full.
        DiskFull = "disk_full",
        /// The volume refuses to be written to.
        DiskReadOnly = "disk_read_only",
        /// The volume returned an I/O error.
        DiskError = "disk_error",
        /// A mirror target is not there, or another disk is in its place.
        NotMounted = "not_mounted",
        /// An error inside hfdepot; the log has the details.
        Internal = "internal",
    }
}

impl Code {
    /// Whether a job that failed with it may succeed once the user has set a token or was let in;
    /// it is offered again then.
    pub fn needs_user(self) -> bool {
        matches!(
            self,
            Self::RepoNotFound | Self::Gated | Self::BadToken | Self::AccessDenied
        )
    }

    /// What the user can do about it, as one sentence.
    pub fn hint(self) -> &'static str {
        match self {
            Self::BadRequest => "Correct the request and send it again.",
            Self::RepoNotFound => {
                "Check the spelling of owner/name and its type; for a private repo set a token that can read it."
            }
            Self::RevisionNotFound => "Check the revision; `main` is the usual branch.",
            Self::EntryNotFound => {
                "The file was removed upstream; queue the repo again to get its newest commit."
            }
            Self::Gated => {
                "Open the repo's page on the Hub, accept its terms, set a token of that account, then retry."
            }
            Self::BadToken => "Set a valid token (it may have expired or been revoked), then retry.",
            Self::AccessDenied => {
                "Check that the token's scopes and the organisation's rules allow reading this repo, then retry."
            }
            Self::RepoDisabled => "The Hub has disabled this repo; nothing can be done here.",
            Self::UnsafePath => "Exclude the named entry, or report it to the owner of the repo.",
            Self::PathCollision => "Exclude one of the two paths.",
            Self::NothingMatched => "Loosen the filters; POST /api/plan shows what they match.",
            Self::HashMismatch => "The source serves damaged content; retry later or from another endpoint.",
            Self::SizeMismatch => {
                "The source serves content of another length; retry later or from another endpoint."
            }
            Self::BadResponse => {
                "A proxy, captive portal or mirror may be answering in place of the Hub; check the endpoint and the network."
            }
            Self::RateLimited => "Wait for the window to pass, or set a token to get a larger budget.",
            Self::ServerError => "The Hub has trouble; retry later.",
            Self::Offline => "Check the network, DNS and proxy; jobs go on by themselves when they are back.",
            Self::Stalled => "The connection delivers no data; retry later, or with fewer connections.",
            Self::TlsError => "Check the clock, the proxy and the certificate of the endpoint.",
            Self::DiskFull => "Free space on the volume; the job goes on by itself.",
            Self::DiskReadOnly => "Make the cache directory writable for the user that runs hfdepot.",
            Self::DiskError => "Check the drive and its cables; see the system log.",
            Self::NotMounted => {
                "Mount the target and retry: the run goes on where it was. Nothing was written in its place."
            }
            Self::Internal => "See the server's log for the details, and report it.",
        }
    }
}
