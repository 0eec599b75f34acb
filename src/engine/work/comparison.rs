//! What two places of a mirror job hold, what one lacks of the other, and the plan to bring it over.
//!
//! The comparison goes by content: refs, commits, pointers and blobs. The plan is a row for each
//! thing to do, repo by repo, and within a repo contents first, then pointers, refs last. So at
//! every instant each place is a cache that other programs can read.

use std::collections::{BTreeMap, BTreeSet};

use crate::mirror::{Listing, MirrorError, Place, RepoKey};
use crate::model::code::Code;
use crate::model::library::CachedRepo;
use crate::store::NewItem;

use super::mirror::{Direction, MirrorSpec};

/// One repo at both places. An error says why a side cannot be read.
pub struct Compared {
    /// The repo.
    pub key: RepoKey,
    /// In the local cache; empty when it is not there.
    pub local: Result<Listing, String>,
    /// At the target.
    pub remote: Result<Listing, String>,
}

/// Both places whole.
pub struct Comparison {
    /// Every repo that either has and that the filter lets through, in order.
    pub repos: Vec<Compared>,
    /// Folders at either place that are no repo of a known form.
    pub ignored: Vec<String>,
    /// Whether a place holds no repo at all, filter or not.
    pub local_is_empty: bool,
    /// The same for the target.
    pub remote_is_empty: bool,
}

/// Compares two places. Blocks; ends early, with what it has, once `stopped` says so.
///
/// # Errors
/// When a place is not mounted or cannot be listed.
pub fn compare(
    local: &dyn Place,
    remote: &dyn Place,
    filter: &str,
    stopped: &dyn Fn() -> bool,
) -> Result<Comparison, MirrorError> {
    let (here, there) = (local.repos()?, remote.repos()?);
    let filter = filter.to_lowercase();
    let keys: BTreeSet<&RepoKey> = here.repos.iter().chain(&there.repos).collect();
    let mut repos = Vec::new();
    for key in keys {
        if stopped() {
            break;
        }
        if !key.1.as_str().to_lowercase().contains(&filter) {
            continue;
        }
        let read = |place: &dyn Place| match place.listing(key) {
            Err(error) if error.code == Code::NotMounted => Err(error),
            listing => Ok(listing.map_err(|error| error.to_string())),
        };
        repos.push(Compared {
            key: key.clone(),
            local: read(local)?,
            remote: read(remote)?,
        });
    }
    let mut ignored: Vec<String> = here.ignored.into_iter().chain(there.ignored).collect();
    ignored.sort();
    ignored.dedup();
    Ok(Comparison {
        repos,
        ignored,
        local_is_empty: here.repos.is_empty(),
        remote_is_empty: there.repos.is_empty(),
    })
}

/// What a mirror job has to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which it is carried out.
    pub items: Vec<NewItem>,
    /// Repos to copy, with the bytes of each.
    pub copied: BTreeMap<RepoKey, u64>,
    /// Repos to delete, with the bytes of each.
    pub deleted: BTreeMap<RepoKey, u64>,
    /// What is left alone, and why.
    pub skipped: Vec<String>,
    /// What cannot be planned.
    pub errors: Vec<String>,
}

/// Makes the plan. Repos in `busy` have live downloads: a pull leaves them alone.
pub fn plan(comparison: &Comparison, spec: &MirrorSpec, busy: &BTreeSet<RepoKey>) -> Plan {
    let mut plan = Plan::default();
    let pull = spec.direction == Direction::Pull;
    let source_is_empty = if pull {
        comparison.remote_is_empty
    } else {
        comparison.local_is_empty
    };
    let mut kept = 0_usize;
    for compared in &comparison.repos {
        let (from, to) = match (pull, &compared.local, &compared.remote) {
            (false, Ok(local), Ok(remote)) => (local, remote),
            (true, Ok(local), Ok(remote)) => (remote, local),
            (_, Err(error), _) | (_, _, Err(error)) => {
                plan.errors.push(format!("{}: {error}", told(&compared.key)));
                continue;
            }
        };
        let extra = from.is_empty();
        if extra && (to.is_empty() || !spec.delete_extra) {
            continue;
        }
        if extra && source_is_empty {
            // More likely a disk that is not there than a wish.
            kept += 1;
            continue;
        }
        let nothing = Listing::default();
        let difference = from.missing_in(if spec.force { &nothing } else { to });
        if !extra && difference.is_empty() {
            continue;
        }
        if pull && busy.contains(&compared.key) {
            plan.skipped
                .push(format!("{}: a download of it is live", told(&compared.key)));
            continue;
        }
        let item = |task, path: String, size_bytes| NewItem {
            repo: CachedRepo::from((compared.key.0, &compared.key.1)),
            task,
            path,
            blob: String::new(),
            size_bytes,
        };
        if extra {
            plan.deleted.insert(compared.key.clone(), to.size_bytes());
            plan.items.push(item(DELETE, String::new(), 0));
            continue;
        }
        plan.copied.insert(compared.key.clone(), difference.size_bytes());
        let blobs = difference.blobs.into_iter();
        plan.items
            .extend(blobs.map(|(name, size)| item(CONTENT, format!("blobs/{name}"), size)));
        let files = difference.files.into_iter();
        plan.items
            .extend(files.map(|(path, size)| item(CONTENT, path, size)));
        let snapshots = difference.snapshots.into_iter();
        plan.items
            .extend(snapshots.map(|commit| item(SNAPSHOT, commit, 0)));
        if difference.refs {
            plan.items.push(item(REFS, String::new(), 0));
        }
    }
    if kept > 0 {
        plan.errors.push(format!(
            "Nothing was deleted: the source holds no repo at all, and {kept} would go"
        ));
    }
    plan
}

/// Task of an item: a file to copy; its path is below the repo folder.
pub const CONTENT: &str = "content";
/// Task of an item: the pointers of a commit, which is its path.
pub const SNAPSHOT: &str = "snapshot";
/// Task of an item: all refs.
pub const REFS: &str = "refs";
/// Task of an item: a repo to delete.
pub const DELETE: &str = "delete";

/// A repo in a sentence.
pub fn told((repo_type, repo): &RepoKey) -> String {
    format!("{repo_type} {repo}")
}
