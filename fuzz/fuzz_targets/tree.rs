//! Pages of a listing (divided by a NUL byte): every file that comes out can be stored, once.
#![no_main]

use std::collections::HashSet;

use hfdepot::hub::fuzzing;
use hfdepot::model::repo::RepoPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(tree) = fuzzing::tree(data.split(|&byte| byte == 0)) else {
        return;
    };
    let names: HashSet<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names.len(), tree.files.len(), "a path twice");
    assert!(tree.files.is_sorted_by(|a, b| a.path < b.path));
    for file in &tree.files {
        let path = file.path.as_str();
        assert!(path.parse::<RepoPath>().is_ok());
        assert!(file.size_bytes <= 16 << 40 && file.git_oid.len() == 40);
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
        assert!(
            !above.any(|folder| names.contains(folder)),
            "{path} lies below a file"
        );
    }
    for bad in &tree.bad {
        assert!(!bad.why.contains(char::is_control), "{:?}", bad.why);
    }
});
