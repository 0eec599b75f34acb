use super::*;
use crate::disk::{LeftoverKind, probe, tree_json};
use crate::model::plan::{BadEntry, RepoFile, Tree};

#[test]
fn a_new_repo_folder_has_all_its_folders_and_leaves_no_scaffolding() {
    let home = Home::new();
    for name in ["blobs", "refs", "snapshots", ".hfdepot"] {
        assert!(home.repo.path().join(name).is_dir(), "{name}");
    }
    home.repo.create().unwrap();
    fs::remove_dir(home.repo.path().join("refs")).unwrap();
    home.repo.create().unwrap();
    assert!(home.repo.path().join("refs").is_dir());
    assert_eq!(files_below(home.dir.path()), [PathBuf::from("hub/CACHEDIR.TAG")]);
    assert_eq!(fs::read_dir(home.cache.hub().join(".locks")).unwrap().count(), 0);
}

#[test]
fn many_threads_may_create_one_repo_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::open(&dir.path().join("hub")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| repo_of(&cache).create().unwrap());
        }
    });
    assert_eq!(fs::read_dir(dir.path().join("hub/.locks")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(repo_of(&cache).path()).unwrap().count(), 4);
}

#[test]
fn only_a_cache_gets_the_tag_that_keeps_backups_away() {
    let dir = tempfile::tempdir().unwrap();
    let tag = |hub: &Path| hub.join("CACHEDIR.TAG");
    let new = dir.path().join("new/hub");
    Cache::open(&new).unwrap();
    let text = fs::read_to_string(tag(&new)).unwrap();
    assert!(text.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
    fs::write(tag(&new), "changed by the user").unwrap();
    Cache::open(&new).unwrap();
    assert_eq!(fs::read_to_string(tag(&new)).unwrap(), "changed by the user");

    let cache = dir.path().join("cache");
    fs::create_dir_all(cache.join("models--gpt2/snapshots")).unwrap();
    Cache::open(&cache).unwrap();
    assert!(tag(&cache).exists());

    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("cat.jpg"), "").unwrap();
    Cache::open(&photos).unwrap();
    assert!(!tag(&photos).exists());
}

#[test]
fn the_probe_tells_what_the_disk_can_do_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let found = probe(dir.path()).unwrap();
    assert!(found.writable && found.symlinks);
    assert!(files_below(dir.path()).is_empty());
    assert!(probe(&dir.path().join("missing")).is_err());
    #[cfg(target_os = "linux")]
    {
        assert!(found.case_sensitive);
        assert!(!probe(Path::new("/proc")).is_ok_and(|found| found.writable));
    }
}

#[test]
fn a_ref_holds_forty_digits_without_a_newline_and_comes_after_its_snapshot() {
    let home = Home::new();
    let main = revision("main");
    let error = home.repo.write_ref(&main, &commit('a')).unwrap_err();
    assert!(error.is_not_found(), "no snapshot yet: {error}");
    assert_eq!(home.repo.read_ref(&main), None);
    assert!(files_below(&home.repo.path().join("refs")).is_empty());

    home.publish(&commit('a'), b"x", "x");
    for name in ["main", "refs/pr/1", "feature/a/b"] {
        home.repo.write_ref(&revision(name), &commit('a')).unwrap();
        let file = home.repo.path().join("refs").join(name);
        assert_eq!(fs::read_to_string(file).unwrap(), commit('a').as_str());
        assert_eq!(home.repo.read_ref(&revision(name)), Some(commit('a')));
    }
    home.publish(&commit('b'), b"x", "x");
    home.repo.write_ref(&main, &commit('b')).unwrap();
    assert_eq!(home.repo.read_ref(&main), Some(commit('b')));
    assert_eq!(home.repo.leftovers().unwrap(), []);
    check_invariants(&home.repo.path());
}

#[test]
fn a_commit_asked_for_by_its_hash_is_kept_by_a_ref_of_ours_only() {
    let home = Home::new();
    home.publish(&commit('a'), b"x", "x");
    let itself = revision(commit('a').as_str());
    home.repo.write_ref(&itself, &commit('a')).unwrap();
    assert!(files_below(&home.repo.path().join("refs")).is_empty());
    home.repo.keep(&commit('a')).unwrap();
    home.repo.keep(&commit('a')).unwrap();
    let kept = PathBuf::from(format!("hfdepot/{}", commit('a')));
    assert_eq!(files_below(&home.repo.path().join("refs")), [kept]);
}

#[test]
fn a_ref_named_like_a_folder_of_refs_is_refused_and_nothing_is_left() {
    let home = Home::new();
    home.publish(&commit('a'), b"x", "x");
    home.repo.write_ref(&revision("a/b"), &commit('a')).unwrap();
    assert!(home.repo.write_ref(&revision("a"), &commit('a')).is_err());
    assert!(home.repo.write_ref(&revision("a/b/c"), &commit('a')).is_err());
    assert_eq!(home.repo.leftovers().unwrap(), []);
}

#[test]
fn a_ref_of_another_program_is_read_with_its_newline_and_garbage_is_none() {
    let home = Home::new();
    let main = home.repo.path().join("refs/main");
    fs::write(&main, format!("{}\n", commit('c'))).unwrap();
    assert_eq!(home.repo.read_ref(&revision("main")), Some(commit('c')));
    for garbage in ["", "main", "../../etc", &"a".repeat(100_000)] {
        fs::write(&main, garbage).unwrap();
        assert_eq!(home.repo.read_ref(&revision("main")), None);
    }
}

fn tree() -> Tree {
    let file = |name: &str, id: &str, xet: Option<&str>| RepoFile {
        path: path(name),
        size_bytes: 12,
        blob_id: id.parse().unwrap(),
        git_oid: "b".repeat(40),
        xet_hash: xet.map(str::to_owned),
    };
    let xet = "d".repeat(64);
    Tree {
        files: vec![
            file("ünï \"quoted\".json", &"b".repeat(40), None),
            file("model.bin", &"c".repeat(64), Some(&xet)),
        ],
        bad: Vec::new(),
    }
}

#[test]
fn a_listing_has_the_form_of_huggingface_hub() {
    let json = String::from_utf8(tree_json(&tree()).unwrap()).unwrap();
    let (b, c, d) = ("b".repeat(40), "c".repeat(64), "d".repeat(64));
    let expected = format!(
        r#"{{
 "format_version": 1,
 "files": {{
  "model.bin": {{
   "size": 12,
   "blob_id": "{b}",
   "lfs_sha256": "{c}",
   "lfs_size": 12,
   "xet_hash": "{d}"
  }},
  "ünï \"quoted\".json": {{
   "size": 12,
   "blob_id": "{b}"
  }}
 }}
}}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn a_listing_that_would_not_be_exact_is_not_made() {
    let bad = vec![BadEntry {
        path: "../x".into(),
        why: "leaves its folder".into(),
    }];
    assert!(tree_json(&Tree { bad, ..tree() }).is_none());
}

#[test]
fn a_listing_is_staged_first_and_published_once() {
    let home = Home::new();
    let published = home.repo.path().join(format!("trees/{}.json", commit('a')));
    assert!(!home.repo.publish_tree(&commit('a')).unwrap());
    home.repo.stage_tree(&commit('a'), b"old").unwrap();
    home.repo.stage_tree(&commit('a'), b"new").unwrap();
    assert!(!published.exists());
    assert!(home.repo.publish_tree(&commit('a')).unwrap());
    assert_eq!(fs::read(&published).unwrap(), b"new");
    assert!(!home.repo.publish_tree(&commit('a')).unwrap());
    assert_eq!(home.repo.leftovers().unwrap(), []);
}

#[test]
fn leftovers_are_listed_by_kind_and_only_stale_ones_of_ours_are_removed() {
    let home = Home::new();
    let id = BlobId::Sha256([3; 32]);
    drop(home.repo.open_part(id, 4_096).unwrap());
    home.repo.write_small(id, b"small").unwrap();
    home.repo.stage_tree(&commit('a'), b"{}").unwrap();
    fs::write(home.repo.parts_dir().join("notes.txt"), "mine").unwrap();
    fs::write(home.repo.parts_dir().join("ref.1-0123456789abcdef.tmp"), "").unwrap();

    let parts = home.repo.list_parts().unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].kind, LeftoverKind::Part(id));
    assert_eq!(parts[0].size_bytes, 4_096);
    assert_eq!(home.repo.leftovers().unwrap().len(), 4);

    assert_eq!(home.repo.remove_stale(parts[0].modified_at - 60_000).unwrap(), 0);
    assert_eq!(home.repo.remove_stale(i64::MAX).unwrap(), 3);
    assert_eq!(home.repo.leftovers().unwrap(), parts);
    assert!(home.repo.parts_dir().join("notes.txt").exists());
}

#[test]
fn a_repo_that_is_not_here_has_nothing() {
    let home = Home::new();
    let other = home.cache.repo(RepoType::Dataset, &"acme/other".parse().unwrap());
    assert_eq!(other.blob(ANY_SHA256).unwrap(), None);
    assert_eq!(other.list_parts().unwrap(), []);
    assert_eq!(other.read_ref(&revision("main")), None);
    assert_eq!(other.path(), home.cache.hub().join("datasets--acme--other"));
}

#[test]
fn small_files_are_flushed_one_by_one_or_all_at_once() {
    let home = Home::new();
    let write = |count: u8| -> Vec<PathBuf> {
        let write = |index: u8| home.repo.write_small(ANY_SHA256, &[index]).unwrap();
        (0..count).map(write).collect()
    };
    let mut paths = write(3);
    home.repo.flush_paths(&paths).unwrap();
    home.repo.flush_paths(&write(20)).unwrap();
    paths.push(home.dir.path().join("not ours"));
    assert!(home.repo.flush_paths(&paths).is_err());
}
