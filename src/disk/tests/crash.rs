//! Kill the process at many points of publishing, and look at the cache while it is written.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::disk::tree_json;
use crate::model::plan::{RepoFile, Tree};

const COMMITS: [char; 3] = ['a', 'b', 'c'];
const FILES: u32 = 12;

/// Some contents are shared by all commits, some stand at one path only.
fn content(commit: char, index: u32) -> Vec<u8> {
    let owner = if index.is_multiple_of(3) { 'x' } else { commit };
    format!("{owner}{index}").repeat(5_000).into_bytes()
}

fn name(index: u32) -> String {
    format!("folder{}/{index}", index % 5)
}

fn listing(commit: char) -> Vec<u8> {
    let file = |index| {
        let content = content(commit, index);
        RepoFile {
            path: path(&name(index)),
            size_bytes: content.len() as u64,
            blob_id: true_id(ANY_SHA256, &content),
            git_oid: true_id(ANY_SHA1, &content).to_string(),
            xet_hash: None,
        }
    };
    let files = (0..FILES).map(file).collect();
    tree_json(&Tree {
        files,
        bad: Vec::new(),
    })
    .unwrap()
}

/// One job's way into the cache, in small batches; says a line after each call.
fn publish_all(repo: &RepoDir, mut say: impl FnMut()) {
    repo.create().unwrap();
    for digit in COMMITS {
        let commit = commit(digit);
        repo.stage_tree(&commit, &listing(digit)).unwrap();
        for batch in (0..FILES).collect::<Vec<_>>().chunks(4) {
            let item = |index: &u32| staged(repo, &content(digit, *index), &name(*index));
            let items: Vec<_> = batch.iter().map(item).collect();
            let staged: Vec<_> = items.iter().map(staged_path).collect();
            say();
            repo.flush_paths(&staged).unwrap();
            repo.publish(&commit, &items).unwrap().into_result().unwrap();
            say();
        }
        repo.publish_tree(&commit).unwrap();
        repo.write_ref(&revision("main"), &commit).unwrap();
        repo.keep(&commit).unwrap();
        say();
    }
}

fn check_complete(repo: &RepoDir) {
    check_invariants(&repo.path());
    assert_eq!(repo.read_ref(&revision("main")), Some(commit('c')));
    for digit in COMMITS {
        let snapshot = repo.snapshot_path(&commit(digit));
        assert_eq!(files_below(&snapshot).len(), FILES as usize);
    }
}

#[test]
fn whatever_moment_a_kill_comes_the_cache_is_whole_and_a_second_run_completes_it() {
    for steps in (0..20).step_by(2) {
        let dir = tempfile::tempdir().unwrap();
        let hub = dir.path().join("hub");
        let mut child = Other::start("crash::publish_until_killed", dir.path(), "022");
        for _ in 0..steps {
            assert!(child.says("step"));
        }
        // The child runs on meanwhile, so the kill falls into the middle of its next call.
        child.kill();
        let cache = Cache::open(&hub).unwrap();
        let repo = repo_of(&cache);
        check_invariants(&repo.path());
        publish_all(&repo, || ());
        check_complete(&repo);
        repo.remove_stale(i64::MAX).unwrap();
        assert_eq!(repo.leftovers().unwrap(), []);
    }
}

#[test]
#[ignore = "runs as a child of another test"]
fn publish_until_killed() {
    let cache = Cache::open(&child_dir().join("hub")).unwrap();
    publish_all(&repo_of(&cache), || println!("\nstep"));
    // The last kills come after the end of the work; wait for them.
    std::io::read_to_string(std::io::stdin()).unwrap();
}

#[test]
fn a_reader_sees_a_whole_cache_at_every_instant() {
    let home = Home::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            publish_all(&home.repo, || ());
            done.store(true, Ordering::Release);
        });
        let mut looks = 0;
        while !done.load(Ordering::Acquire) {
            check_invariants(&home.repo.path());
            looks += 1;
        }
        assert!(looks > 0);
    });
    check_complete(&home.repo);
    assert_eq!(home.repo.leftovers().unwrap(), []);
}

#[test]
fn two_processes_publish_one_repo_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let both: Vec<Other> = (0..2)
        .map(|_| Other::start("crash::publish_until_killed", dir.path(), "022"))
        .collect();
    both.into_iter().for_each(Other::finish);
    let cache = Cache::open(&dir.path().join("hub")).unwrap();
    check_complete(&repo_of(&cache));
    assert_eq!(repo_of(&cache).leftovers().unwrap(), []);
}
