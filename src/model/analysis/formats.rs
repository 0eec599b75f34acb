//! Choices between formats and precisions of the same weights.

use std::collections::BTreeMap;

use crate::model::filter::COMPANION_MAX_BYTES;

use super::items::Part;
use super::report::Category;
use super::view::View;
use super::weights::{Family, Weight};

/// More than this is no set of tokenizers.
const MAX_SUPPORT: usize = 50;

/// Files that a model needs whatever the format of its weights, and that filters bind because
/// they lie in LFS or are large: tokenizers above all.
pub(super) fn support_files(view: &View<'_>) -> Vec<usize> {
    const NAMES: [&str; 6] = [
        "tokenizer.json",
        "tokenizer.model",
        "vocab.json",
        "vocab.txt",
        "merges.txt",
        "added_tokens.json",
    ];
    const ENDINGS: [&str; 4] = [".model", ".spm", ".tiktoken", ".jinja"];
    let is_support = |index: &usize| {
        let file = &view.files[*index];
        let name = file.path.file_name();
        let in_own_folder = view.paths[*index]
            .split('/')
            .next()
            .is_some_and(|top| matches!(top, "original" | "onnx" | "openvino" | "coreml"));
        (NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending)))
            && (file.blob_id.is_lfs() || file.size_bytes > COMPANION_MAX_BYTES)
            && !in_own_folder
    };
    (0..view.files.len())
        .filter(is_support)
        .take(MAX_SUPPORT)
        .collect()
}

/// The weights of a family, by variant; the one without comes first.
fn by_variant(weights: &[Weight], family: Family) -> BTreeMap<Option<&str>, Vec<usize>> {
    let mut variants: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for weight in weights.iter().filter(|weight| weight.family == family) {
        variants
            .entry(weight.variant.as_deref())
            .or_default()
            .push(weight.index);
    }
    variants
}

/// One part for each format and each precision in it. Empty when there is only one.
///
/// `recommend`: whether the best format is a recommendation; in GGUF repos a quantisation is.
pub(super) fn parts(view: &View<'_>, recommend: bool, skip: &[Family]) -> Vec<Part> {
    let support = support_files(view);
    let mut families: Vec<Family> = view.weights.iter().map(|weight| weight.family).collect();
    families.sort_unstable();
    families.dedup();
    families.retain(|family| !skip.contains(family));
    let mut parts = Vec::new();
    for family in families {
        let (id, label, description, quality) = family.words();
        for (variant, weights) in by_variant(&view.weights, family) {
            let mut files = weights;
            if files.iter().all(|index| is_data_only(view.paths[*index])) {
                continue;
            }
            if family != Family::Gguf {
                files.extend(&support);
            }
            let mut part = match variant {
                None => Part::new(Category::Format, id, label, files),
                Some(variant) => Part::new(
                    Category::Precision,
                    &format!("{id}-{variant}"),
                    &format!("{label} {variant}"),
                    files,
                ),
            };
            part.description = description.to_owned();
            part.quality = Some(quality);
            let natural = match variant {
                None => family.natural_filter().to_owned(),
                Some(variant) => format!("*.{variant}*{}", last_pattern(family)),
            };
            part.naturals.push(with_support(view, natural, &support));
            parts.push(part);
        }
    }
    if parts.len() < 2 && skip.is_empty() {
        return Vec::new();
    }
    if recommend {
        // Plain before variants, then the better format.
        let best = parts.iter_mut().max_by_key(|part| {
            (
                part.category == Category::Format,
                part.quality,
                part.id == "safetensors",
            )
        });
        if let Some(best) = best {
            best.recommended = true;
        }
    }
    parts
}

/// External data of an ONNX graph is nothing without it.
fn is_data_only(path: &str) -> bool {
    path.ends_with("_data") || path.ends_with(".data")
}

fn last_pattern(family: Family) -> &'static str {
    family.natural_filter().split(',').next().unwrap_or_default()
}

/// Adds the support files to a filter, each once.
pub(super) fn with_support(view: &View<'_>, natural: String, support: &[usize]) -> String {
    let mut patterns = vec![natural];
    for index in support {
        let name = view.files[*index].path.file_name().to_owned();
        if !patterns.contains(&name) {
            patterns.push(name);
        }
    }
    patterns.join(",")
}
