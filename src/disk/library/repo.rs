//! Reading one repo folder.

use std::collections::HashMap;
use std::io::Read;

use rustix::fs::{FileType, OFlags};

use super::marks::Marks;
use crate::disk::cache::{BLOBS, REFS, SNAPSHOTS, shared_store_entry};
use crate::disk::error::DiskError;
use crate::disk::folder::Folder;
use crate::model::library::{
    CachedRepo, FileId, Held, LibraryBlob, LibraryFile, LibraryRepo, LibraryRevision,
};

/// Folders below a snapshot or `refs/`; paths of the Hub have at most 1,024 bytes.
const DEPTH: usize = 64;
/// Problems that are told of one repo.
const PROBLEMS: usize = 20;

/// Endings and beginnings of names that unfinished downloads of any program have in `blobs/`.
pub(in crate::disk) fn is_unfinished(name: &str) -> bool {
    [
        ".incomplete",
        ".part",
        ".downloadInProgress",
        ".lock",
        ".meta",
        ".tmp",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || name.starts_with("tmp-")
}

struct Reader<'a> {
    repo: &'a Folder,
    marks: Marks,
    blobs: HashMap<String, u64>,
    /// Contents with several names, by inode, so that each counts once.
    named: HashMap<u64, Named>,
    size_bytes: u64,
    files: Vec<LibraryFile>,
    refs: Vec<(String, String)>,
    problems: Vec<String>,
}

/// A content with several names.
struct Named {
    /// All of them.
    links: u64,
    /// Those that this repo has.
    here: u64,
    size_bytes: u64,
}

impl Named {
    fn elsewhere(&self) -> bool {
        self.links > self.here
    }
}

pub(super) fn read(
    hub: &Folder,
    folder: &Folder,
    repo: CachedRepo,
    now: i64,
) -> Result<LibraryRepo, DiskError> {
    let mut reader = Reader {
        repo: folder,
        marks: Marks::default(),
        blobs: HashMap::new(),
        named: HashMap::new(),
        size_bytes: 0,
        files: Vec::new(),
        refs: Vec::new(),
        problems: Vec::new(),
    };
    reader.marks.note(folder, ".");
    let mut blobs = reader.read_blobs(hub)?;
    if let Some(refs) = reader.open(REFS) {
        reader.read_refs(&refs, "", 0);
    }
    let mut revisions = reader.read_snapshots()?;
    for (name, commit) in &reader.refs {
        match revisions.iter_mut().find(|revision| revision.commit == *commit) {
            Some(revision) => revision.refs.push(name.clone()),
            None => reader
                .problems
                .push(format!("The ref {name} names a snapshot that is not here")),
        }
    }
    revisions.sort_by(|a, b| {
        b.modified_at
            .cmp(&a.modified_at)
            .then_with(|| a.commit.cmp(&b.commit))
    });
    for blob in &mut blobs {
        let named = reader.named.get(&blob.file.inode);
        blob.elsewhere = named.is_some_and(Named::elsewhere);
    }
    let elsewhere = reader.named.values().filter(|named| named.elsewhere());
    let elsewhere_bytes = elsewhere.map(|named| named.size_bytes).sum();
    let dangling = reader
        .files
        .iter()
        .filter(|file| file.held == Held::Dangling)
        .count();
    if dangling > 0 {
        reader
            .problems
            .push(format!("{dangling} files of snapshots have no content"));
    }
    reader.problems.truncate(PROBLEMS);
    Ok(LibraryRepo {
        repo,
        marks: reader.marks.finish(),
        scanned_at: now,
        size_bytes: reader.size_bytes,
        elsewhere_bytes,
        files: reader.files,
        blobs,
        revisions,
        refs: reader.refs,
        problems: reader.problems,
    })
}

impl Reader<'_> {
    /// The folder `name` of the repo; what is no folder is a problem.
    fn open(&mut self, name: &str) -> Option<Folder> {
        self.marks.note(self.repo, name);
        match self.repo.child_if_present(name) {
            Ok(Some(folder)) => Some(folder),
            Ok(None) => {
                if name != REFS {
                    self.problems.push(format!("The folder {name} is missing"));
                }
                None
            }
            Err(error) => {
                self.problems.push(error.to_string());
                None
            }
        }
    }

    fn read_blobs(&mut self, hub: &Folder) -> Result<Vec<LibraryBlob>, DiskError> {
        let mut blobs = Vec::new();
        let Some(folder) = self.open(BLOBS) else {
            return Ok(blobs);
        };
        let volume = hub.entry(".")?.map_or(0, |entry| entry.device);
        for name in folder.names()? {
            if is_unfinished(&name) {
                continue;
            }
            let entry = match folder.entry(&name)? {
                Some(entry) if entry.kind == FileType::Symlink => {
                    // The store that several repos share is one step away and part of the cache.
                    let target = folder.link_target(&name)?.unwrap_or_default();
                    let shared = shared_store_entry(&target).and_then(|(part, name)| {
                        let store = hub.child(BLOBS).ok()?.child(part).ok()?;
                        store.entry(name).ok()?
                    });
                    match shared {
                        Some(entry) => entry,
                        None => {
                            self.problems
                                .push(format!("The blob {name} is a link that leads nowhere"));
                            continue;
                        }
                    }
                }
                Some(entry) => entry,
                None => continue,
            };
            if entry.kind != FileType::RegularFile {
                self.problems.push(format!("The blob {name} is no file"));
                continue;
            }
            self.count(entry.inode, entry.links, entry.size_bytes);
            self.blobs.insert(name.clone(), entry.size_bytes);
            blobs.push(LibraryBlob {
                name,
                size_bytes: entry.size_bytes,
                modified_at: entry.modified_at,
                read_at: entry.read_at,
                // Known when all names of the repo are.
                elsewhere: false,
                file: FileId {
                    device: if entry.device == volume { 0 } else { entry.device },
                    inode: entry.inode,
                },
            });
        }
        Ok(blobs)
    }

    fn count(&mut self, inode: u64, links: u64, bytes: u64) {
        if links < 2 {
            self.size_bytes += bytes;
            return;
        }
        let named = self.named.entry(inode).or_insert(Named {
            links,
            here: 0,
            size_bytes: bytes,
        });
        named.here += 1;
        if named.here == 1 {
            self.size_bytes += bytes;
        }
    }

    fn read_refs(&mut self, folder: &Folder, above: &str, depth: usize) {
        let Ok(kinds) = folder.kinds() else { return };
        for (name, kind) in kinds {
            let path = format!("{above}{name}");
            let place = format!("{REFS}/{path}");
            match kind {
                FileType::Directory if depth < DEPTH => {
                    self.marks.note(self.repo, &place);
                    if let Ok(child) = folder.child(&name) {
                        self.read_refs(&child, &format!("{path}/"), depth + 1);
                    }
                }
                FileType::RegularFile if !name.ends_with(".tmp") => {
                    self.marks.note(self.repo, &place);
                    let mut text = String::new();
                    let read = folder
                        .open_file(&name, OFlags::RDONLY, 0)
                        .is_ok_and(|file| file.take(256).read_to_string(&mut text).is_ok());
                    if read {
                        self.refs.push((path, text.trim().to_owned()));
                    }
                }
                _ => {}
            }
        }
    }

    fn read_snapshots(&mut self) -> Result<Vec<LibraryRevision>, DiskError> {
        let Some(folder) = self.open(SNAPSHOTS) else {
            return Ok(Vec::new());
        };
        let mut revisions = Vec::new();
        for (commit, kind) in folder.kinds()? {
            if kind != FileType::Directory {
                self.problems
                    .push(format!("In place of the snapshot {commit} is no folder"));
                continue;
            }
            let place = format!("{SNAPSHOTS}/{commit}");
            self.marks.note(self.repo, &place);
            let modified_at = folder.entry(&commit)?.map_or(0, |entry| entry.modified_at);
            let snapshot = match folder.child(&commit) {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    self.problems.push(error.to_string());
                    continue;
                }
            };
            self.read_snapshot(&snapshot, &commit, "", 0);
            revisions.push(LibraryRevision {
                commit,
                refs: Vec::new(),
                modified_at,
            });
        }
        Ok(revisions)
    }

    fn read_snapshot(&mut self, folder: &Folder, commit: &str, above: &str, depth: usize) {
        let kinds = match folder.kinds() {
            Ok(kinds) => kinds,
            Err(error) => return self.problems.push(error.to_string()),
        };
        for (name, kind) in kinds {
            let path = format!("{above}{name}");
            let (held, size_bytes, blob) = match kind {
                FileType::Directory if depth < DEPTH => {
                    self.marks
                        .note(self.repo, &format!("{SNAPSHOTS}/{commit}/{path}"));
                    match folder.child(&name) {
                        Ok(child) => self.read_snapshot(&child, commit, &format!("{path}/"), depth + 1),
                        Err(error) => self.problems.push(error.to_string()),
                    }
                    continue;
                }
                FileType::Symlink => self.pointer(folder, &name, depth),
                FileType::RegularFile => match folder.entry(&name) {
                    Ok(Some(entry)) => {
                        self.count(entry.inode, entry.links, entry.size_bytes);
                        (Held::Real, entry.size_bytes, String::new())
                    }
                    _ => continue,
                },
                _ => continue,
            };
            self.files.push(LibraryFile {
                commit: commit.to_owned(),
                path,
                size_bytes,
                blob,
                held,
            });
        }
    }

    /// What a link of a snapshot shows. Only the way to a blob of this repo counts, in the one
    /// form that every program writes.
    fn pointer(&self, folder: &Folder, name: &str, depth: usize) -> (Held, u64, String) {
        let target = folder.link_target(name).ok().flatten().unwrap_or_default();
        let blob = target
            .strip_prefix(&"../".repeat(depth + 2))
            .and_then(|rest| rest.strip_prefix("blobs/"))
            .filter(|blob| !blob.is_empty() && !blob.contains('/') && *blob != "..");
        match blob {
            Some(blob) => match self.blobs.get(blob) {
                Some(size) => (Held::Linked, *size, blob.to_owned()),
                None => (Held::Dangling, 0, blob.to_owned()),
            },
            None => (Held::Foreign, 0, String::new()),
        }
    }
}
