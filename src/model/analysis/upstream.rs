//! Vision encoders for a GGUF repo that has none: those of the model that it was made of.
//!
//! Quantisations of a vision model often come without the encoder, which then lies in another repo
//! of its lineage. A download of it is one of its own: each item names the repo it is from.

use crate::model::plan::RepoFile;
use crate::model::repo::{RepoId, RepoType, Revision};
use crate::model::size::human_size;

use super::report::{Analysis, Category, Item, RelatedDownload};
use super::{Facts, analyze};

/// Most repos of the lineage that are worth a look.
const CANDIDATES: usize = 2;
/// Most encoders of one repo that are offered.
const ENCODERS: usize = 20;

/// The repos that may have a vision encoder for this report's: its base models, when it holds
/// GGUF models and no encoder. Empty when there is nothing to look for.
pub fn candidates(report: &Analysis) -> Vec<RepoId> {
    let Some(gguf) = &report.gguf else {
        return Vec::new();
    };
    if !gguf.mmproj_files.is_empty() || gguf.quantizations.is_empty() {
        return Vec::new();
    }
    let bases = gguf.model_chain.iter().filter(|link| !link.is_current);
    let ids = bases.filter_map(|link| link.repo.parse().ok());
    ids.take(CANDIDATES).collect()
}

/// The vision encoders among the files of another repo, as items of that repo; the one that most
/// users would want is the first.
pub fn encoders(repo: &RepoId, files: &[RepoFile]) -> Vec<Item> {
    let projectors: Vec<_> = files
        .iter()
        .filter(|file| {
            let path = file.path.as_str().to_ascii_lowercase();
            path.ends_with(".gguf") && path.contains("mmproj")
        })
        .take(ENCODERS)
        .cloned()
        .collect();
    let report = analyze(&Facts {
        repo: repo.clone(),
        repo_type: RepoType::Model,
        revision: Revision::main(),
        commit: None,
        files: &projectors,
        configs: Default::default(),
        refs: Vec::new(),
        tags: Vec::new(),
        headers: Default::default(),
        gathered_at: chrono::DateTime::UNIX_EPOCH,
    });
    let items = report.selectable_items.into_iter();
    let mut items: Vec<_> = items
        .filter(|item| item.category == Category::VisionEncoder)
        .collect();
    items.sort_by_key(|item| !item.recommended);
    for item in &mut items {
        // The one path and nothing beside it. A comma would divide it: then the longer filter stays.
        if let [path] = item.files.as_slice()
            && !path.contains(',')
        {
            item.filter_value = format!("={path}");
        }
        item.description = format!("vision encoder of {repo}, needed for pictures; a download of its own");
        // What is recommended is fetched together with the rest, and that is from another repo.
        item.recommended = false;
        item.upstream_repo = Some(repo.to_string());
    }
    items
}

/// Adds the encoders of another repo, as [`encoders`] found them, to a report.
pub fn add(report: &mut Analysis, repo: &RepoId, items: &[Item]) {
    let (Some(gguf), Some(first)) = (&mut report.gguf, items.first()) else {
        return;
    };
    gguf.mmproj_upstream_repo = Some(repo.to_string());
    report.related_downloads.push(RelatedDownload {
        kind: "mmproj",
        repo: repo.to_string(),
        label: format!("{} of {repo}", first.label),
        description: "This repo has no vision encoder; pictures need that of the model it was made of"
            .to_owned(),
        required: false,
        filters: first.filter_value.split(',').map(str::to_owned).collect(),
        size: first.size,
        size_human: first.size.map(human_size),
    });
    for item in items {
        let mut item = item.clone();
        while report.selectable_items.iter().any(|known| known.id == item.id) {
            item.id.push_str("-upstream");
        }
        report.selectable_items.push(item);
    }
}
