use super::*;
use crate::disk::Placed;

#[test]
fn a_published_file_is_a_relative_pointer_to_its_blob() {
    let home = Home::new();
    let blob = home.publish(&commit('a'), b"weights", "sub/dir/model.bin");
    let pointer = home.snapshot(&commit('a'), "sub/dir/model.bin");
    let target = fs::read_link(&pointer).unwrap();
    assert_eq!(
        target.to_str().unwrap(),
        format!("../../../../blobs/{blob}"),
        "one step up for each folder and two for the snapshot"
    );
    assert_eq!(fs::read(pointer).unwrap(), b"weights");
    assert_eq!(home.repo.blob(blob).unwrap(), Some(7));
    assert_eq!(
        home.repo
            .snapshot_file(&commit('a'), &path("sub/dir/model.bin"))
            .unwrap(),
        Some(7)
    );
    assert_eq!(home.repo.snapshot_file(&commit('b'), &path("x")).unwrap(), None);
    assert_eq!(home.repo.leftovers().unwrap(), []);
    check_invariants(&home.repo.path());
}

#[test]
fn a_part_can_be_published_while_its_run_still_holds_it() {
    let home = Home::new();
    let blob = true_id(ANY_SHA256, b"12345");
    let opened = home.repo.open_part(blob, 5).unwrap();
    opened.file.write_at(b"12345", 0).unwrap();
    home.repo.flush(&[opened.file.as_file()]).unwrap();
    let item = Publication {
        source: Source::Part(opened.file.path()),
        blob,
        size_bytes: 5,
        path: path("a"),
    };
    let report = home.repo.publish(&commit('a'), &[item]).unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Stored]);
    opened.file.remove().unwrap();
    assert_eq!(fs::read(home.snapshot(&commit('a'), "a")).unwrap(), b"12345");
}

#[test]
fn nasty_names_and_equal_contents_all_arrive() {
    let home = Home::new();
    let names = [
        "a b/c'd.txt",
        "ünï/日本.bin",
        "quote\".json",
        "a/b/c/d/e",
        "a-b",
        "a/b/x",
        "a.b",
    ];
    let mut items: Vec<_> = names.iter().map(|name| home.staged(b"same", name)).collect();
    for item in &mut items[3..] {
        item.source = Source::Present;
    }
    let report = home.repo.publish(&commit('a'), &items).unwrap();
    let placed = report.into_result().unwrap();
    assert_eq!(placed[0], Placed::Stored);
    assert!(placed[1..].iter().all(|placed| *placed == Placed::Reused));
    for name in names {
        assert_eq!(
            fs::read(home.snapshot(&commit('a'), name)).unwrap(),
            b"same",
            "{name}"
        );
    }
    check_invariants(&home.repo.path());
}

#[test]
fn publishing_again_changes_nothing() {
    let home = Home::new();
    let mut item = home.staged(b"content", "x/y");
    let first = home.repo.publish(&commit('a'), std::slice::from_ref(&item));
    first.unwrap().into_result().unwrap();
    let before = files_below(home.dir.path());
    item.source = Source::Present;
    let again = home
        .repo
        .publish(&commit('a'), std::slice::from_ref(&item))
        .unwrap();
    assert_eq!(again.into_result().unwrap(), [Placed::Reused]);
    assert_eq!(files_below(home.dir.path()), before);
}

#[test]
fn a_blob_of_the_right_size_stays_unless_it_is_repaired() {
    let home = Home::new();
    let item = home.staged(b"content", "a");
    fs::write(home.repo.blob_path(item.blob), b"damaged").unwrap();
    let report = home
        .repo
        .publish(&commit('a'), std::slice::from_ref(&item))
        .unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Reused]);
    assert_eq!(home.repo.leftovers().unwrap(), [], "ours is dropped");
    assert_eq!(fs::read(home.repo.blob_path(item.blob)).unwrap(), b"damaged");

    let mut repair = home.staged(b"content", "a");
    let Source::Part(staged) = repair.source else {
        panic!()
    };
    repair.source = Source::Repair(staged);
    let report = home.repo.publish(&commit('a'), &[repair]).unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Stored]);
    check_invariants(&home.repo.path());
}

#[test]
fn a_torn_blob_of_another_program_is_replaced() {
    let home = Home::new();
    let item = home.staged(b"content", "a");
    fs::write(home.repo.blob_path(item.blob), b"con").unwrap();
    let report = home.repo.publish(&commit('a'), &[item]).unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Stored]);
    check_invariants(&home.repo.path());
}

#[test]
fn a_file_that_vanished_or_shrank_fails_alone_and_gets_no_pointer() {
    let home = Home::new();
    let gone = home.staged(b"gone", "gone");
    let cut = home.staged(b"cut off", "cut");
    let absent = Publication {
        source: Source::Present,
        ..home.staged(b"never stored", "absent")
    };
    let good = home.staged(b"good", "good");
    fs::remove_file(staged_path(&gone)).unwrap();
    fs::write(staged_path(&cut), b"cut").unwrap();
    let report = home
        .repo
        .publish(&commit('a'), &[gone, cut, absent, good])
        .unwrap();
    let good = report.items.iter().map(Result::is_ok).collect::<Vec<_>>();
    assert_eq!(good, [false, false, false, true]);
    assert!(report.items[0].as_ref().unwrap_err().is_not_found());
    assert!(report.items[2].as_ref().unwrap_err().is_not_found());
    assert_eq!(
        files_below(&home.repo.snapshot_path(&commit('a'))),
        [PathBuf::from("good")]
    );
    check_invariants(&home.repo.path());
}

#[test]
fn a_foreign_entry_in_the_snapshot_is_replaced_and_a_folder_is_not() {
    let home = Home::new();
    let snapshot = home.repo.snapshot_path(&commit('a'));
    fs::create_dir_all(snapshot.join("folder")).unwrap();
    fs::write(snapshot.join("file"), "foreign").unwrap();
    let items = [home.staged(b"one", "file"), home.staged(b"two", "folder")];
    let report = home.repo.publish(&commit('a'), &items).unwrap();
    assert!(report.items[0].is_ok());
    let error = report.items[1].as_ref().unwrap_err().to_string();
    assert!(error.contains("folder"), "{error}");
    assert_eq!(fs::read(snapshot.join("file")).unwrap(), b"one");
    assert_eq!(home.repo.leftovers().unwrap(), [], "no temporary link is left");
}

#[test]
fn only_files_of_the_staging_folder_are_published() {
    let home = Home::new();
    let stray = home.dir.path().join("stray");
    fs::write(&stray, b"content").unwrap();
    let mut item = home.staged(b"content", "a");
    item.source = Source::Part(stray.clone());
    let report = home.repo.publish(&commit('a'), &[item]).unwrap();
    assert!(report.into_result().is_err());
    assert!(stray.exists());
}

#[test]
fn a_blob_in_the_shared_store_is_found_through_its_one_link() {
    let home = Home::new();
    let blob = true_id(ANY_SHA256, b"shared");
    let xet = "cd".repeat(32);
    let store = home.cache.hub().join("blobs/cd");
    fs::create_dir_all(&store).unwrap();
    fs::write(home.cache.hub().join("blobs/.huggingface-shared-blobs"), "1\n").unwrap();
    fs::write(store.join(&xet), b"shared").unwrap();
    let link = home.repo.blob_path(blob);
    std::os::unix::fs::symlink(format!("../../blobs/cd/{xet}"), &link).unwrap();
    assert_eq!(home.repo.blob(blob).unwrap(), Some(6));

    let item = Publication {
        source: Source::Present,
        ..home.staged(b"shared", "a")
    };
    let report = home.repo.publish(&commit('a'), &[item]).unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Reused]);
    assert_eq!(fs::read(home.snapshot(&commit('a'), "a")).unwrap(), b"shared");
    assert!(link.symlink_metadata().unwrap().is_symlink());

    // A dead link is no blob: ours takes its place.
    fs::remove_file(store.join(&xet)).unwrap();
    assert_eq!(home.repo.blob(blob).unwrap(), None);
    home.publish(&commit('a'), b"shared", "a");
    assert!(link.symlink_metadata().unwrap().is_file());
}

#[test]
fn without_links_a_snapshot_holds_real_files_moved_or_copied() {
    let home = Home::new();
    let repo = repo_of(&home.cache.clone().without_symlinks());
    let moved = staged(&repo, b"content", "first");
    let twin = Publication {
        source: Source::Present,
        path: path("sub/second"),
        ..moved.clone()
    };
    let report = repo
        .publish(&commit('a'), &[twin.clone(), moved.clone()])
        .unwrap();
    assert!(report.items[1].is_ok());
    let report = repo
        .publish(&commit('a'), &[staged(&repo, b"content", "first"), twin])
        .unwrap();
    assert_eq!(report.into_result().unwrap(), [Placed::Stored, Placed::Reused]);
    for name in ["first", "sub/second"] {
        let file = home.snapshot(&commit('a'), name);
        assert!(file.symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(&file).unwrap(), b"content");
        assert_eq!(repo.snapshot_file(&commit('a'), &path(name)).unwrap(), Some(7));
    }
    assert!(files_below(&repo.path().join("blobs")).is_empty());
    assert_eq!(repo.leftovers().unwrap(), []);

    // An existing blob is copied, an existing file stays.
    fs::write(repo.blob_path(moved.blob), b"content").unwrap();
    let present = Publication {
        source: Source::Present,
        ..moved
    };
    for commit in [commit('b'), commit('b')] {
        let report = repo.publish(&commit, std::slice::from_ref(&present)).unwrap();
        assert_eq!(report.into_result().unwrap(), [Placed::Reused]);
    }
    assert_eq!(
        fs::read(home.snapshot(&commit('b'), "first")).unwrap(),
        b"content"
    );
}
