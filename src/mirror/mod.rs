//! Floor 1: mirror targets. A second cache root, on a NAS or a USB disk, that is kept equal to
//! the local one.
//!
//! Promises:
//! - A place whose root or marker is missing or different is *not mounted*: every call says so,
//!   and none of them takes it for empty. Nothing is ever made in its place.
//! - What appears under a final name is whole: a temporary name, a sync, a rename.
//! - Below the root no symbolic link is followed on the way to a write or a read, and no link is
//!   made that leaves its repo.
//!
//! [`Place`] is what a copy needs of either side; [`Dir`] is a directory. A place of another
//! kind implements the same trait. Which bytes go where, how fast, and what their hash is, is
//! never decided here; no SQL, no HTTP.

mod dir;
mod error;
mod layout;
mod listing;
mod marker;
mod scan;
mod upload;

use std::io::Read;

use crate::model::repo::{RepoId, RepoType};

pub use dir::Dir;
pub use error::MirrorError;
pub use listing::{Difference, Listing};
pub use marker::{MARKER, adopt};
pub use upload::Upload;

/// A repo: two of different type may share an id.
pub type RepoKey = (RepoType, RepoId);

/// An open file, and its length in bytes.
pub type Opened = (Box<dyn Read + Send>, u64);

/// The repos of a place.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// In order.
    pub repos: Vec<RepoKey>,
    /// Folders that look like repos but have no type and `owner/name` that we know.
    pub ignored: Vec<String>,
}

/// One side of a copy. Every call blocks.
pub trait Place: Send + Sync {
    /// Whether the place is there, and the one that was registered.
    ///
    /// # Errors
    /// [`MirrorError`] with the code `not_mounted` when it is not.
    fn check(&self) -> Result<(), MirrorError>;

    /// The repos it has.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what listing reports.
    fn repos(&self) -> Result<Found, MirrorError>;

    /// All that belongs to a repo; empty when it is not there.
    ///
    /// # Errors
    /// As [`check`](Self::check), and the first thing in it that cannot be read or is not safe to copy.
    fn listing(&self, repo: &RepoKey) -> Result<Listing, MirrorError>;

    /// Opens a file of a repo for reading; `None` when it is gone.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what opening reports.
    fn open(&self, repo: &RepoKey, path: &str) -> Result<Option<Opened>, MirrorError>;

    /// Begins a file of a repo, under a temporary name.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what writing reports.
    fn create(&self, repo: &RepoKey, path: &str) -> Result<Box<dyn Upload>, MirrorError>;

    /// Makes pointers of one snapshot: path below the repo folder and the blob it leads to.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what writing reports.
    fn point(&self, repo: &RepoKey, pointers: &[(&str, &str)]) -> Result<(), MirrorError>;

    /// Writes refs: the name below `refs/` and its commit.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what writing reports.
    fn write_refs(&self, repo: &RepoKey, refs: &[(&str, &str)]) -> Result<(), MirrorError>;

    /// Makes the names of finished files in these folders of a repo survive a power cut.
    ///
    /// # Errors
    /// What the sync reports.
    fn sync(&self, repo: &RepoKey, folders: &[&str]) -> Result<(), MirrorError>;

    /// Removes what a copy that was cut short left under temporary names.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what removing reports.
    fn tidy(&self, repo: &RepoKey) -> Result<(), MirrorError>;

    /// Removes a repo whole: out of sight in one step, then file by file.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what removing reports.
    fn remove(&self, repo: &RepoKey) -> Result<(), MirrorError>;
}
