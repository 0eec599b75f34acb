//! One entry of a listing, from hostile JSON to a checked [`RepoFile`].
//!
//! Unknown fields and nulls are fine; a name, id or size that is not right makes the entry a
//! [`BadEntry`] with a sentence, never a guess.

use std::collections::HashSet;

use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::model::plan::{BadEntry, RepoFile, Tree};
use crate::model::repo::{BlobId, RepoPath, shown};

/// Largest believable file: 16 TiB (the largest on the Hub are about 0.5 TB).
/// With at most 500,000 entries no sum of sizes can overflow.
const FILE_MAX: u64 = 16 << 40;

/// Names of the fields: a tree and `siblings` differ (seen on the Hub).
pub(super) struct Keys {
    path: &'static str,
    oid: &'static str,
    lfs_oid: &'static str,
}

/// Fields of a tree entry.
pub(super) const TREE: Keys = Keys {
    path: "path",
    oid: "oid",
    lfs_oid: "oid",
};

/// Fields of a sibling.
pub(super) const SIBLING: Keys = Keys {
    path: "rfilename",
    oid: "blobId",
    lfs_oid: "sha256",
};

/// Collects the entries of all pages.
#[derive(Default)]
pub(super) struct Listing {
    tree: Tree,
}

impl Listing {
    /// Adds one entry.
    pub fn add(&mut self, entry: &Value, keys: &Keys) {
        match read(entry, keys) {
            Ok(Some(file)) => self.tree.files.push(file),
            Ok(None) => {}
            Err(bad) => self.tree.bad.push(bad),
        }
    }

    /// The whole tree: ordered by path, each path once, no file that is also a folder.
    pub fn finish(mut self) -> Tree {
        let Tree { files, bad } = &mut self.tree;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        // Pages may overlap; the same entry twice is one entry.
        files.dedup();
        let names: HashSet<String> = files.iter().map(|file| file.path.as_str().to_owned()).collect();
        let mut refuse = |path: &RepoPath, why: &str| {
            bad.push(BadEntry {
                path: path.to_string(),
                why: format!("The repo lists \"{}\" {why}", shown(path.as_str())),
            });
        };
        let mut last: Option<RepoPath> = None;
        files.retain(|file| {
            let why = if last.as_ref() == Some(&file.path) {
                "twice, with different content"
            } else if ancestors(&file.path).any(|folder| names.contains(folder)) {
                "below a path that is itself a file"
            } else {
                last = Some(file.path.clone());
                return true;
            };
            refuse(&file.path, why);
            false
        });
        self.tree
    }
}

/// `a`, `a/b` for `a/b/c`.
fn ancestors(path: &RepoPath) -> impl Iterator<Item = &str> {
    let path = path.as_str();
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A file, or `None` for a folder.
fn read(entry: &Value, keys: &Keys) -> Result<Option<RepoFile>, BadEntry> {
    let Some(raw) = entry[keys.path].as_str() else {
        return Err(BadEntry {
            path: String::new(),
            why: "The repo lists an entry without a path".to_owned(),
        });
    };
    let bad = |why: String| BadEntry {
        path: raw.to_owned(),
        why,
    };
    let named = |why: &str| bad(format!("The repo lists \"{}\" {why}", shown(raw)));
    match entry["type"].as_str() {
        Some("directory") => return Ok(None),
        Some("file") | None => {}
        Some(_) => return Err(named("as something that is neither a file nor a folder")),
    }
    let path: RepoPath = raw
        .parse()
        .map_err(|why| bad(format!("The repo lists an entry that cannot be stored: {why}")))?;
    let lfs = match &entry["lfs"] {
        Value::Null => None,
        Value::Object(lfs) => Some(lfs),
        _ => return Err(named("with an LFS entry that cannot be read")),
    };
    let size = lfs
        .and_then(|lfs| lfs.get("size"))
        .filter(|size| !size.is_null())
        .unwrap_or(&entry["size"]);
    let size_bytes = size
        .as_u64()
        .filter(|&size| size <= FILE_MAX)
        .ok_or_else(|| named("without a valid size"))?;
    let git_oid = match &entry[keys.oid] {
        Value::Null => None,
        oid => match oid.as_str().map(str::parse) {
            Some(Ok(id @ BlobId::GitSha1(_))) => Some(id),
            _ => return Err(named("with an id that is not a git hash")),
        },
    };
    let (blob_id, git_oid) = match lfs {
        None => {
            let id = git_oid.ok_or_else(|| named("without an id of its content"))?;
            (id, id.to_string())
        }
        Some(lfs) => {
            let text = lfs.get(keys.lfs_oid).and_then(Value::as_str).unwrap_or_default();
            let id = match text.strip_prefix("sha256:").unwrap_or(text).parse() {
                Ok(id @ BlobId::Sha256(_)) => id,
                _ => return Err(named("with an LFS hash that is not a SHA-256")),
            };
            let oid = git_oid.map_or_else(|| pointer_oid(id, size_bytes), |oid| oid.to_string());
            (id, oid)
        }
    };
    let xet_hash = entry["xetHash"]
        .as_str()
        .filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned);
    Ok(Some(RepoFile {
        path,
        size_bytes,
        blob_id,
        git_oid,
        xet_hash,
    }))
}

/// Git id of the LFS pointer of a file, for mirrors that leave it out (seen on the Hub).
fn pointer_oid(sha256: BlobId, size: u64) -> String {
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n");
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0{pointer}", pointer.len()));
    BlobId::GitSha1(hash.finalize().into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const OID: &str = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a";
    const SHA: &str = "6555e0636e96d582be43f40b3e8b590de4609b7732580471b15a77f2c6c20279";

    fn tree(entries: &[Value]) -> Tree {
        let mut listing = Listing::default();
        entries.iter().for_each(|entry| listing.add(entry, &TREE));
        listing.finish()
    }

    #[test]
    fn files_are_read_and_folders_left_out() {
        let tree = tree(&[
            json!({"type":"directory","oid":OID,"size":0,"path":"sub"}),
            json!({"type":"file","oid":OID,"size":154,"path":"sub/config.json","lastCommit":null,"new":[1]}),
            json!({"type":"file","oid":OID,"size":9,"path":"m.bin","xetHash":SHA,
                   "lfs":{"oid":SHA,"size":3_000_000,"pointerSize":132}}),
        ]);
        assert_eq!(tree.bad, []);
        let names: Vec<_> = tree
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.size_bytes))
            .collect();
        assert_eq!(names, [("m.bin", 3_000_000), ("sub/config.json", 154)]);
        assert!(tree.files[0].blob_id.is_lfs());
        assert_eq!(tree.files[0].xet_hash.as_deref(), Some(SHA));
        assert_eq!(tree.files[1].git_oid, OID);
    }

    #[test]
    fn siblings_have_their_own_names_and_a_missing_pointer_id_is_computed() {
        let mut listing = Listing::default();
        let entry = json!({"rfilename":"m.bin","size":3_000_000,"lfs":{"sha256":SHA,"size":3_000_000}});
        listing.add(&entry, &SIBLING);
        listing.add(&json!({"rfilename":"a.txt","blobId":OID,"size":1}), &SIBLING);
        let tree = listing.finish();
        assert_eq!(tree.bad, []);
        // The pointer's id as git computes it.
        assert_eq!(tree.files[1].git_oid, "bd4b445edb86cf75c021d68586e3215b0a83aa88");
    }

    #[test]
    fn every_hostile_entry_is_named_in_a_sentence_and_none_becomes_a_file() {
        let good = json!({"type":"file","oid":OID,"size":1,"path":"x"});
        let with = |key: &str, value: Value| {
            let mut entry = good.clone();
            entry[key] = value;
            entry
        };
        let lfs = |oid: Value, size: Value| with("lfs", json!({"oid": oid, "size": size}));
        for hostile in [
            with("path", json!("../../etc/passwd")),
            with("path", json!("/etc/passwd")),
            with("path", json!("C:\\x")),
            with("path", json!("a/../b")),
            with("path", json!("a\u{0}b")),
            with("path", json!("x".repeat(2000))),
            with("path", json!(7)),
            with("path", json!(null)),
            with("oid", json!("../../../x")),
            with("oid", json!(SHA)),
            with("oid", json!(7)),
            with("oid", json!(null)),
            with("size", json!(-1)),
            with("size", json!(1.5)),
            with("size", json!("1")),
            with("size", json!(null)),
            with("size", json!(u64::MAX)),
            with("type", json!("symlink")),
            with("lfs", json!("yes")),
            lfs(json!("../x"), json!(1)),
            lfs(json!(OID), json!(1)),
            lfs(json!(null), json!(1)),
            lfs(json!(SHA), json!(-1)),
            json!([]),
            json!(null),
            json!("x"),
        ] {
            let tree = tree(std::slice::from_ref(&hostile));
            assert_eq!(tree.files, [], "{hostile}");
            assert!(tree.bad[0].why.starts_with("The repo lists "), "{hostile}");
            assert!(!tree.bad[0].why.contains(char::is_control), "{hostile}");
        }
    }

    #[test]
    fn a_path_listed_twice_or_below_a_file_is_bad() {
        let file = |path: &str, size: u64| json!({"type":"file","oid":OID,"size":size,"path":path});
        let tree = tree(&[
            file("same", 1),
            file("same", 1),
            file("other", 1),
            file("other", 2),
            file("a/b", 1),
            file("a", 1),
            file("a-b", 1),
        ]);
        let names: Vec<_> = tree.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["a", "a-b", "other", "same"]);
        let bad: Vec<_> = tree.bad.iter().map(|bad| bad.path.as_str()).collect();
        assert_eq!(bad, ["a/b", "other"]);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            let key = prop_oneof![
                Just("path".to_owned()),
                Just("oid".to_owned()),
                Just("size".to_owned()),
                Just("lfs".to_owned()),
                Just("type".to_owned()),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(key, inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_the_reader_panic_or_accept_nonsense(entries in prop::collection::vec(any_json(), 0..6)) {
            let tree = tree(&entries);
            for file in &tree.files {
                prop_assert!(file.size_bytes <= FILE_MAX && file.git_oid.len() == 40);
            }
        }
    }
}
