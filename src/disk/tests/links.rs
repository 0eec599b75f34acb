//! Planted links: whatever other local users put into a shared cache, nothing outside changes.

use std::os::unix::fs::symlink;

use super::*;
use crate::disk::PartError;

/// Runs everything that writes; each may succeed or fail, but `outside` must stay empty.
fn try_everything(home: &Home, outside: &Path) -> Vec<bool> {
    let repo = &home.repo;
    let id = BlobId::Sha256([1; 32]);
    let mut worked = vec![repo.create().is_ok()];
    let part = repo.open_part(id, 10);
    worked.push(match &part {
        Ok(_) => true,
        Err(PartError::Busy { .. }) => panic!("nobody else is here"),
        Err(PartError::Disk(_)) => false,
    });
    let content = b"content";
    let blob = true_id(ANY_SHA256, content);
    if let Ok(staged) = repo.write_small(blob, content) {
        let item = |at| Publication {
            source: Source::Part(staged.clone()),
            blob,
            size_bytes: 7,
            path: path(at),
        };
        let items = [item("sub/deep/a"), item("top")];
        let report = repo.publish(&commit('a'), &items);
        worked.push(report.is_ok_and(|report| report.into_result().is_ok()));
    }
    worked.push(repo.stage_tree(&commit('a'), b"{}").is_ok());
    worked.push(repo.publish_tree(&commit('a')).is_ok());
    worked.push(repo.write_ref(&revision("feature/x"), &commit('a')).is_ok());
    worked.push(repo.keep(&commit('a')).is_ok());
    worked.push(repo.remove_part(id).is_ok());
    worked.push(repo.remove_stale(i64::MAX).is_ok());
    assert!(files_below(outside).is_empty(), "{:?}", files_below(outside));
    let folders = fs::read_dir(outside).unwrap().count();
    assert_eq!(folders, 0, "not even a folder appears outside");
    worked
}

#[test]
fn everything_works_without_planted_links() {
    let home = Home::new();
    let outside = tempfile::tempdir().unwrap();
    assert!(try_everything(&home, outside.path()).iter().all(|worked| *worked));
}

#[test]
fn a_planted_folder_link_never_leads_outside() {
    let commit = commit('a');
    for planted in [
        "models--acme--tiny",
        "models--acme--tiny/snapshots",
        "models--acme--tiny/blobs",
        "models--acme--tiny/refs",
        "models--acme--tiny/trees",
        "models--acme--tiny/.hfdepot",
        "models--acme--tiny/refs/feature",
        "models--acme--tiny/refs/hfdepot",
        &format!("models--acme--tiny/snapshots/{commit}"),
        &format!("models--acme--tiny/snapshots/{commit}/sub"),
        &format!("models--acme--tiny/snapshots/{commit}/sub/deep"),
        ".locks/models--acme--tiny",
        ".locks",
    ] {
        let home = Home::new();
        let outside = tempfile::tempdir().unwrap();
        let place = home.cache.hub().join(planted);
        if place.exists() {
            fs::remove_dir_all(&place).unwrap();
        }
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(outside.path(), &place).unwrap();
        let worked = try_everything(&home, outside.path());
        assert!(worked.contains(&false), "{planted} was not even noticed");
        assert!(place.symlink_metadata().unwrap().is_symlink(), "{planted}");
    }
}

#[test]
fn planted_file_links_are_replaced_or_refused_but_never_written_through() {
    let home = Home::new();
    let victim = home.dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let item = home.staged(b"content", "a");
    let snapshot = home.repo.snapshot_path(&commit('a'));
    fs::create_dir_all(&snapshot).unwrap();
    let trees = home.repo.path().join("trees");
    fs::create_dir(&trees).unwrap();
    for place in [
        snapshot.join("a"),
        home.repo.blob_path(item.blob),
        home.repo.path().join("refs/main"),
        trees.join(format!("{}.json", commit('a'))),
    ] {
        symlink(&victim, place).unwrap();
    }
    home.repo
        .publish(&commit('a'), &[item])
        .unwrap()
        .into_result()
        .unwrap();
    home.repo.stage_tree(&commit('a'), b"{}").unwrap();
    assert!(home.repo.publish_tree(&commit('a')).unwrap());
    assert_eq!(home.repo.read_ref(&revision("main")), None);
    home.repo.write_ref(&revision("main"), &commit('a')).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    check_invariants(&home.repo.path());
}

#[test]
fn a_blob_that_links_anywhere_but_the_shared_store_is_no_blob() {
    let home = Home::new();
    let blob = BlobId::Sha256([2; 32]);
    let victim = home.dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let xet = "ef".repeat(32);
    for target in [
        victim.to_str().unwrap(),
        "../../../victim",
        "../../blobs/../../victim",
        &format!("../../blobs/ab/{xet}"),
    ] {
        symlink(target, home.repo.blob_path(blob)).unwrap();
        assert_eq!(home.repo.blob(blob).unwrap(), None, "{target}");
        fs::remove_file(home.repo.blob_path(blob)).unwrap();
    }
    // The right form, but the store itself is a link.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("ef")).unwrap();
    fs::write(elsewhere.path().join("ef").join(&xet), "foreign").unwrap();
    symlink(elsewhere.path(), home.cache.hub().join("blobs")).unwrap();
    symlink(format!("../../blobs/ef/{xet}"), home.repo.blob_path(blob)).unwrap();
    assert!(home.repo.blob(blob).is_err());
}

#[test]
fn the_cache_root_itself_may_be_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("big disk");
    fs::create_dir(&real).unwrap();
    symlink(&real, dir.path().join("hub")).unwrap();
    let cache = Cache::open(&dir.path().join("hub")).unwrap();
    let repo = repo_of(&cache);
    repo.create().unwrap();
    let item = staged(&repo, b"content", "a");
    repo.publish(&commit('a'), &[item])
        .unwrap()
        .into_result()
        .unwrap();
    check_invariants(&real.join("models--acme--tiny"));
    assert!(real.join("CACHEDIR.TAG").exists());
}
