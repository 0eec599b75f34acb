//! Contents that several repos of a Hub cache keep each for itself, and letting them share one.
//!
//! A shared content is one file with a name in each repo, a hard link: it takes its room once and
//! stays until the last name goes. That is safe because no program writes into a blob: each puts a
//! new file in its place. Nothing is taken away before the one that stays has proved its hash;
//! that is the caller's part.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::cache::{BLOBS, LOCKS};
use super::content::Content;
use super::error::DiskError;
use super::folder::{Entry, Folder};
use super::lock::{BlobLock, try_lock_blob};
use super::staging::{STAGING, temporary_name};
use crate::model::library::CachedRepo;
use crate::model::repo::BlobId;

/// A content that more than one file of the cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The content.
    pub blob: BlobId,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Every repo that has it.
    pub repos: Vec<CachedRepo>,
    /// Files that hold it: so often it takes its room.
    pub copies: usize,
    /// The repo whose file the others would share.
    pub keeper: CachedRepo,
    /// Repos whose own file would go.
    pub replaced: Vec<CachedRepo>,
    /// Repos whose own file has to stay, and why.
    pub stays: Vec<(CachedRepo, String)>,
    /// What sharing frees.
    pub frees_bytes: u64,
}

/// What became of one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shared {
    /// The repo has the other's file now; so many bytes were freed.
    Done(u64),
    /// It had that already.
    Already,
    /// It stays as it is; the text says why.
    Left(String),
}

/// The same file, whatever its name.
type FileKey = (u64, u64);

fn key(entry: &Entry) -> FileKey {
    (entry.device, entry.inode)
}

/// Looks which of `kept` (a content and the repos that have it) take their room more than once.
/// The largest saving comes first. Blocks.
///
/// # Errors
/// When the cache cannot be opened; a repo that cannot be read has nothing to share.
pub fn find(hub: &Path, kept: Vec<(BlobId, Vec<CachedRepo>)>) -> Result<Vec<Duplicate>, DiskError> {
    let root = match Folder::open_root(hub) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        root => root?,
    };
    let mut found: Vec<Duplicate> = kept
        .into_iter()
        .filter_map(|(blob, repos)| judge(&root, blob, &repos))
        .collect();
    found.sort_by(|a, b| {
        let saving = b.frees_bytes.cmp(&a.frees_bytes);
        saving.then_with(|| {
            b.size_bytes
                .cmp(&a.size_bytes)
                .then_with(|| a.keeper.cmp(&b.keeper))
        })
    });
    Ok(found)
}

/// The file of a blob; `None` for everything that is no file of the repo's own.
fn look(root: &Folder, repo: &CachedRepo, blob: BlobId) -> Option<Entry> {
    let blobs = root.child(&repo.folder()).ok()?.child(BLOBS).ok()?;
    let entry = blobs.entry(&blob.to_string()).ok()??;
    (entry.kind == FileType::RegularFile).then_some(entry)
}

fn judge(root: &Folder, blob: BlobId, repos: &[CachedRepo]) -> Option<Duplicate> {
    let copies: Vec<(CachedRepo, Entry)> = repos
        .iter()
        .filter_map(|repo| Some((repo.clone(), look(root, repo, blob)?)))
        .collect();
    let mut names: HashMap<FileKey, u64> = HashMap::new();
    for (_, entry) in &copies {
        *names.entry(key(entry)).or_default() += 1;
    }
    if names.len() < 2 {
        return None;
    }
    // The file with most names stays, so that the fewest are changed; then that of the first repo.
    let (keeper, kept) = copies
        .iter()
        .max_by(|(a, x), (b, y)| x.links.cmp(&y.links).then_with(|| b.cmp(a)))?;
    let (mut replaced, mut stays) = (Vec::new(), Vec::new());
    let mut freed: HashMap<FileKey, u64> = HashMap::new();
    for (repo, entry) in copies.iter().filter(|(_, entry)| key(entry) != key(kept)) {
        let elsewhere = entry.links > names.get(&key(entry)).copied().unwrap_or(0);
        match differs(kept, entry).or_else(|| {
            elsewhere.then(|| "It has another name elsewhere too, so nothing would be freed".to_owned())
        }) {
            Some(why) => stays.push((repo.clone(), why)),
            None => {
                freed.insert(key(entry), entry.size_bytes);
                replaced.push(repo.clone());
            }
        }
    }
    Some(Duplicate {
        blob,
        size_bytes: kept.size_bytes,
        copies: names.len(),
        keeper: keeper.clone(),
        frees_bytes: freed.values().sum(),
        repos: copies.iter().map(|(repo, _)| repo.clone()).collect(),
        replaced,
        stays,
    })
}

/// Why one file cannot take the place of the other.
fn differs(kept: &Entry, other: &Entry) -> Option<String> {
    let why = if kept.device != other.device {
        "It lies on another volume"
    } else if kept.size_bytes != other.size_bytes {
        "It has another length, so it is damaged"
    } else if kept.owner != other.owner || kept.mode != other.mode {
        "It has another owner or other rights"
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Gives `to` the file `from`, whose content was proved, in place of its own of the same blob: a
/// second name beside it, moved over it in one step. A reader finds one of the two at any time,
/// and one that has the old one open keeps it. On disk when it returns. Blocks.
///
/// # Errors
/// What the disk says; then the repo has what it had.
pub fn share(hub: &Path, from: &Content, to: &CachedRepo, blob: BlobId) -> Result<Shared, DiskError> {
    let left = |why: &str| Ok(Shared::Left(why.to_owned()));
    let name = blob.to_string();
    let root = Folder::open_root(hub)?;
    let Some(repo) = root.child_if_present(&to.folder())? else {
        return left("The repo is not there any more");
    };
    let (locks, _) = root.make_child(LOCKS)?;
    let (locks, _) = locks.make_child(&to.folder())?;
    let BlobLock::Free(_lock) = try_lock_blob(&locks, &format!("{name}.lock"))? else {
        return left("Another program works on it");
    };
    let blobs = repo.child(BLOBS)?;
    let own = match blobs.entry(&name)? {
        Some(entry) if entry.kind == FileType::RegularFile => entry,
        _ => return left("It is not there any more"),
    };
    let Some(kept) = from.folder.entry(&from.name)?.filter(|kept| is_open(from, kept)) else {
        return left("The file to share was replaced meanwhile");
    };
    if key(&own) == key(&kept) {
        return Ok(Shared::Already);
    }
    if let Some(why) = differs(&kept, &own) {
        return Ok(Shared::Left(why));
    }
    // Whoever wrote it may never have synced it, and the copy that goes may be on the disk.
    let path = || from.folder.path().join(&from.name);
    from.file
        .sync_all()
        .map_err(|error| DiskError::new("sync", path(), error))?;
    let (staging, _) = repo.make_child(STAGING)?;
    let temporary = temporary_name("share");
    match from.folder.hard_link(&from.name, &staging, &temporary) {
        Ok(true) => {}
        Ok(false) => return left("It is being shared by another program"),
        Err(error) => return refused(error),
    }
    let linked = staging.entry(&temporary)?;
    if linked.is_none_or(|linked| key(&linked) != key(&kept)) {
        staging.discard(&temporary);
        return left("The file to share was replaced meanwhile");
    }
    if let Err(error) = staging.rename(&temporary, &blobs, &name) {
        staging.discard(&temporary);
        return Err(error);
    }
    blobs.sync()?;
    // Under another name the old file still takes its room.
    Ok(Shared::Done(if own.links == 1 { own.size_bytes } else { 0 }))
}

/// Whether the name still is the file that is open.
fn is_open(content: &Content, entry: &Entry) -> bool {
    let open = content.file.metadata();
    open.is_ok_and(|open| (open.dev(), open.ino()) == key(entry))
}

/// File systems without hard links, with too few of them, or that forbid this one.
fn refused(error: DiskError) -> Result<Shared, DiskError> {
    let why = match Errno::from_io_error(&error.source) {
        Some(Errno::XDEV) => "It lies on another volume",
        Some(Errno::MLINK) => "The file has as many names as the file system allows",
        Some(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => "The file system allows no second name for it",
        _ if error.source.kind() == io::ErrorKind::PermissionDenied => "It may not get a second name",
        _ => return Err(error),
    };
    Ok(Shared::Left(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::disk::Contents;
    use crate::model::repo::RepoType;

    const NAME: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn repo(id: &str) -> CachedRepo {
        CachedRepo::parse(RepoType::Model, id).unwrap()
    }

    /// A cache with the content `hello` in each of `ids`.
    fn cache(ids: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let blobs = ids.iter().map(|id| {
            let blobs = dir.path().join(repo(id).folder()).join("blobs");
            fs::create_dir_all(&blobs).unwrap();
            fs::write(blobs.join(NAME), "hello").unwrap();
            blobs.join(NAME)
        });
        let blobs = blobs.collect();
        (dir, blobs)
    }

    fn found(dir: &tempfile::TempDir, ids: &[&str]) -> Vec<Duplicate> {
        let repos = ids.iter().map(|id| repo(id)).collect();
        find(dir.path(), vec![(NAME.parse().unwrap(), repos)]).unwrap()
    }

    fn shared(dir: &tempfile::TempDir, from: &str, to: &str) -> Shared {
        let blob: BlobId = NAME.parse().unwrap();
        let content = Contents::new(dir.path(), &repo(from))
            .of_blob(NAME)
            .unwrap()
            .unwrap();
        share(dir.path(), &content, &repo(to), blob).unwrap()
    }

    #[test]
    fn copies_become_one_file_with_a_name_in_each_repo() {
        let ids = ["a/x", "b/x", "c/x"];
        let (dir, paths) = cache(&ids);
        let before = found(&dir, &ids);
        assert_eq!((before[0].copies, before[0].frees_bytes), (3, 10));
        assert_eq!(before[0].keeper, repo("a/x"));
        assert_eq!(shared(&dir, "a/x", "b/x"), Shared::Done(5));
        assert_eq!(shared(&dir, "a/x", "b/x"), Shared::Already);
        // The file that two repos share is the one that stays.
        fs::write(&paths[2], "hello").unwrap();
        let one_left = found(&dir, &["c/x", "b/x", "a/x"]);
        assert_eq!(one_left[0].replaced, [repo("c/x")]);
        assert_eq!(shared(&dir, "b/x", "c/x"), Shared::Done(5));
        assert_eq!(found(&dir, &ids), []);
        let inodes: Vec<u64> = paths
            .iter()
            .map(|path| fs::metadata(path).unwrap().ino())
            .collect();
        assert!(inodes.iter().all(|inode| *inode == inodes[0]), "{inodes:?}");
        assert_eq!(fs::metadata(&paths[0]).unwrap().nlink(), 3);
        // Nothing is left in the folder for unfinished files.
        assert_eq!(
            fs::read_dir(dir.path().join("models--b--x/.hfdepot"))
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn a_copy_with_other_names_rights_or_length_stays() {
        use std::os::unix::fs::PermissionsExt;
        let ids = ["a/x", "b/x", "c/x", "d/x"];
        let (dir, paths) = cache(&ids);
        // Two names make the first the one that stays; the second has one outside as well.
        fs::hard_link(&paths[0], dir.path().join("outside-a")).unwrap();
        fs::hard_link(&paths[0], dir.path().join("outside-a2")).unwrap();
        fs::hard_link(&paths[1], dir.path().join("outside-b")).unwrap();
        fs::set_permissions(&paths[2], fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&paths[3], "hell").unwrap();
        let duplicate = &found(&dir, &ids)[0];
        assert_eq!((duplicate.copies, duplicate.frees_bytes), (4, 0));
        let stays: Vec<_> = duplicate
            .stays
            .iter()
            .map(|(repo, why)| (repo.id(), &why[..14]))
            .collect();
        let expected = [
            ("b/x", "It has another"),
            ("c/x", "It has another"),
            ("d/x", "It has another"),
        ];
        assert_eq!(stays, expected, "{:?}", duplicate.stays);
        assert_eq!(duplicate.replaced, []);
        assert!(matches!(shared(&dir, "a/x", "c/x"), Shared::Left(_)));
        assert!(matches!(shared(&dir, "a/x", "d/x"), Shared::Left(_)));
        assert_eq!(fs::read(&paths[3]).unwrap(), b"hell");
    }

    #[test]
    fn what_another_program_works_on_or_replaced_is_left() {
        let (dir, paths) = cache(&["a/x", "b/x"]);
        let locks = dir.path().join(".locks/models--b--x");
        fs::create_dir_all(&locks).unwrap();
        let lock = fs::File::create(locks.join(format!("{NAME}.lock"))).unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        assert_eq!(
            shared(&dir, "a/x", "b/x"),
            Shared::Left("Another program works on it".to_owned())
        );
        drop(lock);
        let content = Contents::new(dir.path(), &repo("a/x"))
            .of_blob(NAME)
            .unwrap()
            .unwrap();
        fs::write(dir.path().join("new"), "HELLO").unwrap();
        fs::rename(dir.path().join("new"), &paths[0]).unwrap();
        let left = share(dir.path(), &content, &repo("b/x"), NAME.parse().unwrap()).unwrap();
        assert_eq!(
            left,
            Shared::Left("The file to share was replaced meanwhile".to_owned())
        );
        assert_eq!(fs::read(&paths[1]).unwrap(), b"hello");
    }
}
