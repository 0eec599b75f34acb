//! What a repo consists of at one place, and what one place has that another lacks.

use std::collections::{BTreeMap, BTreeSet};

/// All that belongs to one repo. Every path is below the repo folder and safe to create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Blobs by name, with their length in bytes.
    pub blobs: BTreeMap<String, u64>,
    /// Other real files by path, with their length in bytes: saved listings, and the contents of
    /// snapshots where links cannot be made.
    pub files: BTreeMap<String, u64>,
    /// Pointers by commit and path: the name of the blob each leads to.
    pub pointers: BTreeMap<String, BTreeMap<String, String>>,
    /// Commits by ref.
    pub refs: BTreeMap<String, String>,
}

/// What one place has to get to hold all that another one has of a repo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Names and lengths of blobs that are missing or of another length.
    pub blobs: Vec<(String, u64)>,
    /// The same for other files.
    pub files: Vec<(String, u64)>,
    /// Commits with a pointer that is missing or leads elsewhere.
    pub snapshots: BTreeSet<String>,
    /// Whether a ref is missing or names another commit.
    pub refs: bool,
}

impl Listing {
    /// Whether nothing of the repo is there.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Length of its contents in bytes, each counted once.
    pub fn size_bytes(&self) -> u64 {
        self.blobs.values().chain(self.files.values()).sum()
    }

    /// The commit of `main`, or of the first ref.
    pub fn commit(&self) -> Option<&str> {
        let first = self.refs.values().next();
        self.refs.get("main").or(first).map(String::as_str)
    }

    /// What `other` lacks of this. What it has beyond this does not count: a place may keep
    /// older commits.
    pub fn missing_in(&self, other: &Self) -> Difference {
        let lacking = |ours: &BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>| {
            let lacking = ours.iter().filter(|(name, size)| theirs.get(*name) != Some(size));
            lacking.map(|(name, size)| (name.clone(), *size)).collect()
        };
        let snapshots = self.pointers.iter().filter(|(commit, ours)| {
            let theirs = other.pointers.get(*commit);
            let same = |(path, blob)| theirs.and_then(|theirs| theirs.get(path)) == Some(blob);
            !ours.iter().all(same)
        });
        Difference {
            blobs: lacking(&self.blobs, &other.blobs),
            files: lacking(&self.files, &other.files),
            snapshots: snapshots.map(|(commit, _)| commit.clone()).collect(),
            refs: self
                .refs
                .iter()
                .any(|(name, commit)| other.refs.get(name) != Some(commit)),
        }
    }
}

impl Difference {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes to copy.
    pub fn size_bytes(&self) -> u64 {
        self.blobs.iter().chain(&self.files).map(|(_, size)| size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(blob: &str, commit: &str) -> Listing {
        let pointers = BTreeMap::from([(format!("snapshots/{commit}/a.bin"), blob.to_owned())]);
        Listing {
            blobs: BTreeMap::from([(blob.to_owned(), 7)]),
            files: BTreeMap::new(),
            pointers: BTreeMap::from([(commit.to_owned(), pointers)]),
            refs: BTreeMap::from([("main".to_owned(), commit.to_owned())]),
        }
    }

    #[test]
    fn a_moved_ref_a_new_commit_and_a_short_blob_are_each_a_difference() {
        let ours = listing("b1", "c1");
        assert!(ours.missing_in(&ours).is_empty());
        let whole = ours.missing_in(&Listing::default());
        assert_eq!((whole.size_bytes(), whole.refs), (7, true));
        let mut moved = ours.clone();
        moved.refs.insert("main".to_owned(), "c0".to_owned());
        assert!(ours.missing_in(&moved).refs);
        let mut short = ours.clone();
        short.blobs.insert("b1".to_owned(), 3);
        assert_eq!(ours.missing_in(&short).blobs, [("b1".to_owned(), 7)]);
        let mut elsewhere = ours.clone();
        let pointers = elsewhere.pointers.get_mut("c1").unwrap();
        pointers.insert("snapshots/c1/a.bin".to_owned(), "b9".to_owned());
        assert_eq!(ours.missing_in(&elsewhere).snapshots.len(), 1);
        let mut more = ours.clone();
        more.blobs.insert("older".to_owned(), 1);
        assert!(ours.missing_in(&more).is_empty() && !more.missing_in(&ours).is_empty());
    }
}
