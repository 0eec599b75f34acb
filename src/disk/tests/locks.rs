use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::disk::{DataDirLock, LockError, Placed};

#[test]
fn a_data_directory_serves_one_process_and_names_it_to_the_second() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/b");
    let first = DataDirLock::acquire(&data).unwrap();
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let lock = fs::metadata(data.join("hfdepot.lock")).unwrap();
    assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    match DataDirLock::acquire(&data) {
        Err(LockError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(first);
    let _again = DataDirLock::acquire(&data).unwrap();
    assert_eq!(fs::metadata(data.join("hfdepot.lock")).unwrap().ino(), lock.ino());
}

#[test]
fn the_lock_of_a_killed_process_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = Other::start("locks::hold_the_data_directory", dir.path(), "022");
    assert!(other.says("holding"));
    let Err(LockError::Held { pid: Some(pid), .. }) = DataDirLock::acquire(dir.path()) else {
        panic!("the other process holds it");
    };
    assert_ne!(pid, std::process::id());
    other.kill();
    DataDirLock::acquire(dir.path()).unwrap();
}

#[test]
#[ignore = "runs as a child of another test"]
fn hold_the_data_directory() {
    let _lock = DataDirLock::acquire(&child_dir()).unwrap();
    println!("\nholding");
    std::io::read_to_string(std::io::stdin()).unwrap();
}

#[test]
fn a_data_directory_whose_lock_is_a_link_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("victim"), "precious").unwrap();
    symlink(dir.path().join("victim"), dir.path().join("hfdepot.lock")).unwrap();
    assert!(matches!(
        DataDirLock::acquire(dir.path()),
        Err(LockError::Disk(_))
    ));
    assert_eq!(fs::read(dir.path().join("victim")).unwrap(), b"precious");
}

fn blob_lock(home: &Home, blob: BlobId) -> PathBuf {
    let locks = home.cache.hub().join(".locks/models--acme--tiny");
    locks.join(format!("{blob}.lock"))
}

#[test]
fn publishing_waits_for_the_blob_lock_and_reuses_what_its_holder_stored() {
    let home = Home::new();
    let item = home.staged(b"content", "a.txt");
    let lock_path = blob_lock(&home, item.blob);
    fs::create_dir_all(lock_path.parent().unwrap()).unwrap();
    let held = fs::File::create(&lock_path).unwrap();
    held.lock().unwrap();

    let (sender, receiver) = mpsc::channel();
    let publisher = {
        let repo = home.repo.clone();
        let item = item.clone();
        thread::spawn(move || sender.send(repo.publish(&commit('a'), &[item])).unwrap())
    };
    // Nothing may come while the lock is held; then the holder stores the blob and lets go.
    assert!(receiver.recv_timeout(Duration::from_millis(150)).is_err());
    fs::write(home.repo.blob_path(item.blob), b"content").unwrap();
    drop(held);

    let report = receiver.recv().unwrap().unwrap();
    publisher.join().unwrap();
    assert_eq!(report.locks_skipped, 0);
    assert_eq!(report.into_result().unwrap(), [Placed::Reused]);
    assert!(lock_path.exists(), "lock files are never deleted");
    assert_eq!(home.repo.leftovers().unwrap(), []);
}

#[test]
fn a_lock_that_is_held_for_too_long_is_done_without() {
    let home = Home::new();
    let item = home.staged(b"content", "a.txt");
    let lock_path = blob_lock(&home, item.blob);
    fs::create_dir_all(lock_path.parent().unwrap()).unwrap();
    let held = fs::File::create(&lock_path).unwrap();
    held.lock().unwrap();
    let hurried = repo_of(&home.cache.clone().with_lock_patience(Duration::ZERO));
    let report = hurried.publish(&commit('a'), &[item]).unwrap();
    assert_eq!(report.locks_skipped, 1);
    assert_eq!(report.into_result().unwrap(), [Placed::Stored]);
}

#[test]
fn lock_files_can_be_shared_and_blobs_follow_the_umask() {
    for (umask, mode) in [("077", 0o600), ("022", 0o644), ("002", 0o664)] {
        let dir = tempfile::tempdir().unwrap();
        Other::start("locks::publish_two_files", dir.path(), umask).finish();
        let repo = dir.path().join("hub/models--acme--tiny");
        let blobs = files_below(&repo.join("blobs"));
        assert_eq!(blobs.len(), 2);
        for blob in blobs {
            let found = fs::metadata(repo.join("blobs").join(&blob)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "umask {umask}");
            let lock = dir.path().join("hub/.locks/models--acme--tiny").join(blob);
            let lock = fs::metadata(lock.with_extension("lock")).unwrap();
            assert_eq!(lock.permissions().mode() & 0o777, 0o664, "umask {umask}");
        }
    }
}

#[test]
#[ignore = "runs as a child of another test"]
fn publish_two_files() {
    let cache = Cache::open(&child_dir().join("hub")).unwrap();
    let repo = repo_of(&cache);
    repo.create().unwrap();
    let blob = true_id(ANY_SHA256, b"large");
    let opened = repo.open_part(blob, 5).unwrap();
    opened.file.write_at(b"large", 0).unwrap();
    let large = Publication {
        source: Source::Part(opened.file.path()),
        blob,
        size_bytes: 5,
        path: path("large"),
    };
    let report = repo.publish(&commit('a'), &[large, staged(&repo, b"small", "small")]);
    report.unwrap().into_result().unwrap();
}
