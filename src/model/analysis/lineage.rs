//! Where a model comes from: its name, its size by name, its base models by the Hub's tags.

use serde::Serialize;
use utoipa::ToSchema;

use super::report::RelatedDownload;
use super::view::View;

/// One repo of a model's descent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainLink {
    /// `owner/name`.
    pub repo: String,
    /// How it was made of the one before: finetune, quantized, merge, adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<&'static str>,
    /// Whether it is the analysed repo.
    pub is_current: bool,
}

/// The base models, then this repo; empty when the Hub's tags name no base.
pub(super) fn chain(view: &View<'_>) -> Vec<ChainLink> {
    let bases = view.base_models();
    if bases.is_empty() {
        return Vec::new();
    }
    let relation = bases.iter().find_map(|(_, relation)| *relation);
    let link = |repo, relation, is_current| ChainLink {
        repo,
        relation,
        is_current,
    };
    let mut chain: Vec<_> = bases
        .into_iter()
        .map(|(repo, _)| link(repo, None, false))
        .collect();
    chain.push(link(view.facts.repo.to_string(), relation, true));
    chain
}

/// The repo's name without a format at its end: `Mistral-7B-Instruct-v0.2` of `…-GGUF`.
pub(super) fn model_name(view: &View<'_>) -> String {
    let name = view.facts.repo.name();
    let lower = name.to_ascii_lowercase();
    let ending = ["-gguf", "_gguf", ".gguf", "-i1-gguf"]
        .into_iter()
        .filter(|ending| lower.ends_with(ending))
        .max_by_key(|ending| ending.len());
    let end = name.len() - ending.map_or(0, str::len);
    if end == 0 { name } else { &name[..end] }.to_owned()
}

/// The size that a name tells: `7B`, `8x7B`, `0.5B`, `135M`. The last one, because a draft or
/// merge names its parents first.
pub(super) fn parameters_in(name: &str) -> Option<String> {
    name.split(['-', '_', '/', ' ']).rev().find_map(|word| {
        let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
        let unit = unit.to_ascii_uppercase();
        let is_number = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_digit())
                && text.parse::<f64>().is_ok()
                && text.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        let good = match number.split_once('x') {
            Some((experts, each)) => experts.parse::<u16>().is_ok() && is_number(each),
            None => is_number(number),
        };
        (good && matches!(unit.as_str(), "B" | "M" | "T")).then(|| format!("{number}{unit}"))
    })
}

/// The base model, for a repo that is of no use without it or was made of it.
pub(super) fn base_download(repo: &str, required: bool) -> RelatedDownload {
    RelatedDownload {
        kind: "base_model",
        repo: repo.to_owned(),
        label: format!("Base model {repo}"),
        description: if required {
            "The adapter is applied to this model".to_owned()
        } else {
            "This repo was made of this model".to_owned()
        },
        required,
        filters: Vec::new(),
        size: None,
        size_human: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_from_a_name() {
        for (name, size) in [
            ("Mistral-7B-Instruct-v0.2-GGUF", Some("7B")),
            ("Mixtral-8x7B-v0.1", Some("8x7B")),
            ("Qwen2.5-0.5b-Instruct", Some("0.5B")),
            ("SmolLM2-135M", Some("135M")),
            ("Qwen3-30B-A3B", Some("30B")),
            ("whisper-large-v3", None),
            ("B", None),
            ("é", None),
            ("", None),
            ("x-infB", None),
        ] {
            assert_eq!(parameters_in(name).as_deref(), size, "{name}");
        }
    }
}
