//! Floor 1: files. Part files, hashing, the Hugging Face cache, locks and free space.
//!
//! Promises:
//! - At every instant, also after a power cut, the cache holds no half blob, no pointer
//!   without its blob and no ref without its snapshot. The order that gives this is written
//!   in [`publish`] and nowhere else.
//! - Inside a repo folder no symbolic link is ever followed on the way to a write: all work
//!   goes through directory descriptors (`files/folder.rs`), never through joined path strings.
//! - Every error names the path and carries the [`Code`](crate::model::code::Code) that users see.
//! - Lock files are never deleted.
//!
//! Everything blocks: the engine calls it on blocking threads. No async, no SQL, no HTTP, no
//! decision about *what* to fetch may ever be made here.

pub mod adopt;
pub mod cache;
mod content;
pub mod duplicates;
pub mod export;
pub mod friendly;
pub mod hash;
pub mod identity;
pub mod library;
mod local;
pub mod lock;
mod medium;
pub mod part;
pub mod plain;
pub mod probe;
pub mod prune;
pub mod publish;
mod refs;
pub mod remove;
pub mod repo;
mod snapshot;
pub mod space;
mod staging;
#[cfg(test)]
mod tests;
mod tree;
pub mod volume;

pub use crate::files::error::{self, DiskError};
use crate::files::folder;
pub use cache::Cache;
pub use content::{Announced, Content, Contents};
pub use hash::{BlobHasher, hash_file, hash_file_watched};
pub use identity::{Identity, boot_id};
pub use local::Seen;
pub use lock::{DataDirLock, LockError};
pub use medium::{Medium, Platter};
pub use part::{Opened, PartError, PartFile};
pub use probe::{Probe, probe};
pub use publish::{Placed, Publication, PublishReport, Source};
pub use repo::{RepoDir, remove_part_in};
pub use space::{Space, floor_bytes, space};
pub use staging::{Leftover, LeftoverKind};
pub use tree::tree_json;
pub use volume::{Mount, device_of, mount_of};
