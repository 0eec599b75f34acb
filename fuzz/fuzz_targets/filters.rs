//! Filters and excludes, one a line: compiled or refused, and every file gets its verdict.
#![no_main]

use hfdepot::model::filter::{Filter, Verdict};
use hfdepot::model::job::split_embedded_filters;
use hfdepot::model::plan::RepoFile;
use hfdepot::model::repo::RepoType;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n').map(str::to_owned);
    let path = lines.next().unwrap_or_default();
    let (filters, excludes): (Vec<_>, Vec<_>) = lines.partition(|line| !line.starts_with('-'));
    let (_, embedded) = split_embedded_filters(text);
    assert!(embedded.iter().all(|filter| !filter.trim().is_empty()));
    let blob_id = "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a".parse().expect("an id");
    let files: Vec<RepoFile> = [
        path.as_str(),
        "m-UD-Q4_K_XL.gguf",
        "data/train/0.parquet",
        "config.json",
    ]
    .iter()
    .filter_map(|path| path.parse().ok())
    .map(|path| RepoFile {
        path,
        size_bytes: 100,
        blob_id,
        git_oid: blob_id.to_string(),
        xet_hash: None,
    })
    .collect();
    for exact in [false, true] {
        for repo_type in [RepoType::Model, RepoType::Dataset] {
            let Ok(filter) = Filter::new(&filters, &excludes, exact, repo_type) else {
                continue;
            };
            let verdicts = filter.judge(&files);
            assert_eq!(verdicts.len(), files.len());
            for (verdict, file) in verdicts.iter().zip(&files) {
                let excluded = filter.excludes(file.path.as_str());
                assert_eq!(*verdict == Verdict::LeftOut("excluded"), excluded);
                // Only a filter, an exclude, or nothing at all decides; never both ways.
                assert!(filter.has_patterns() || excluded || *verdict == Verdict::Matched);
            }
        }
    }
});
