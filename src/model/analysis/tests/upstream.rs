//! Vision encoders of base models.

use super::*;
use crate::model::analysis::upstream;

#[test]
fn a_repo_without_a_vision_encoder_is_offered_that_of_its_base() {
    let quantized = Repo::model("acme/See-7B-GGUF")
        .file("see-7b.Q4_K_M.gguf", 4 * GB)
        .tag("base_model:quantized:acme/See-7B");
    let mut report = quantized.analyze();
    let base: RepoId = "acme/See-7B".parse().unwrap();
    assert_eq!(upstream::candidates(&report), std::slice::from_ref(&base));

    let files = Repo::model("acme/See-7B")
        .file("see-7b.Q8_0.gguf", 8 * GB)
        .file("mmproj-BF16.gguf", 2 * GB)
        .file("mmproj-F16.gguf", GB)
        .files;
    let items = upstream::encoders(&base, &files);
    let before = report.recommended_download.clone();
    upstream::add(&mut report, &base, &items);
    assert_eq!(
        report.gguf.as_ref().unwrap().mmproj_upstream_repo.as_deref(),
        Some("acme/See-7B")
    );
    let added: Vec<_> = report
        .selectable_items
        .iter()
        .filter(|item| item.upstream_repo.is_some())
        .collect();
    let shown: Vec<_> = added
        .iter()
        .map(|item| {
            (
                item.id.as_str(),
                item.filter_value.as_str(),
                item.size,
                item.recommended,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("mmproj-f16", "=mmproj-F16.gguf", Some(GB), false),
            ("mmproj-bf16", "=mmproj-BF16.gguf", Some(2 * GB), false),
        ]
    );
    // The filter selects just that file of the other repo.
    let filter = Filter::new(&["=mmproj-F16.gguf".to_owned()], &[], false, RepoType::Model).unwrap();
    let wanted: Vec<_> = filter
        .judge(&files)
        .iter()
        .zip(&files)
        .filter(|(verdict, _)| !matches!(verdict, Verdict::LeftOut(_)))
        .map(|(_, file)| file.path.to_string())
        .collect();
    assert_eq!(wanted, ["mmproj-F16.gguf"]);
    let related = &report.related_downloads[0];
    assert_eq!(
        (related.kind, related.repo.as_str(), related.filters.as_slice()),
        ("mmproj", "acme/See-7B", &["=mmproj-F16.gguf".to_owned()][..])
    );
    // What is recommended is of this repo alone.
    assert_eq!(report.recommended_download, before);
}

#[test]
fn a_repo_that_sees_by_itself_or_has_no_base_looks_nowhere_else() {
    let base = "base_model:quantized:acme/See-7B";
    for repo in [
        Repo::model("acme/a").file("a.Q4_K_M.gguf", GB),
        Repo::model("acme/b")
            .file("b.Q4_K_M.gguf", GB)
            .file("mmproj-F16.gguf", GB)
            .tag(base),
        Repo::model("acme/c").file("model.safetensors", GB).tag(base),
    ] {
        assert!(upstream::candidates(&repo.analyze()).is_empty(), "{}", repo.id);
    }
    let nothing = upstream::encoders(&"acme/c".parse().unwrap(), &Repo::model("acme/c").files);
    assert!(nothing.is_empty());
}
