//! Repo ids, revisions, commits, paths and blob ids: what is accepted is safe and reads back.
#![no_main]

use std::fmt::Display;
use std::path::{Component, Path};
use std::str::FromStr;

use hfdepot::model::repo::{BlobId, Commit, RepoId, RepoPath, RepoType, Revision, shown};
use libfuzzer_sys::fuzz_target;

fn accepted<T: FromStr + Display + PartialEq>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    assert!(
        value.to_string().parse::<T>().is_ok_and(|again| again == value),
        "{value}"
    );
    assert!(is_inside(&value.to_string()), "{value}");
    Some(value)
}

/// Whether joining `text` to a folder stays in it.
fn is_inside(text: &str) -> bool {
    !text.is_empty()
        && !text.contains('\0')
        && Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fuzz_target!(|text: &str| {
    assert!(!shown(text).contains(char::is_control));
    if let Some(id) = accepted::<RepoId>(text) {
        for repo_type in [RepoType::Model, RepoType::Dataset] {
            let folder = id.folder(repo_type);
            assert!(
                !folder.contains('/') && folder.matches("--").count() == 2,
                "{folder}"
            );
        }
    }
    if let Some(path) = accepted::<RepoPath>(text) {
        assert!(path.as_str().len() <= 1024 && !path.file_name().is_empty());
        assert_eq!(path.folders().count(), path.as_str().matches('/').count());
    }
    accepted::<Revision>(text);
    accepted::<Commit>(text);
    accepted::<BlobId>(text);
    let _ = text.parse::<RepoType>();
});
