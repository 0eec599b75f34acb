//! GGUF repos: one item for each quantisation, parts of a split file together.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::headers::HeaderFacts;
use super::items::{Part, stars, total};
use super::lineage::{ChainLink, chain, model_name, parameters_in};
use super::quants::{Found, QUANTS, UNKNOWN_QUALITY, find_quant};
use super::report::{Category, FileInfo};
use super::view::View;
use super::weights::{Family, Shard, missing_shards, missing_text, split_shard, stem_and_extension};

/// Above this a quantisation is not recommended by default, unless it is Q4_K_M: 10 GiB.
const COMFORTABLE_BYTES: u64 = 10 << 30;

/// The `gguf` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Gguf {
    /// Name of the repo without its `-GGUF`.
    pub model_name: String,
    /// From the name: `7B`, `8x7B`, `0.5B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_count: Option<String>,
    /// Elements of all tensors, from a real header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_count_exact: Option<u64>,
    /// Architecture, from a real header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Context length in tokens, from a real header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// Entries of the tokenizer, from a real header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer_size: Option<u64>,
    /// Largest first.
    pub quantizations: Vec<Quantization>,
    /// Vision encoders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mmproj_files: Vec<FileInfo>,
    /// Base model that has vision encoders, when this repo has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mmproj_upstream_repo: Option<String>,
    /// Draft models for speculative decoding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub draft_files: Vec<FileInfo>,
    /// Where the model comes from, the oldest first, this repo last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model_chain: Vec<ChainLink>,
}

/// One quantisation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = GgufQuantization)]
pub struct Quantization {
    /// `Q4_K_M`, `UD-Q4_K_XL` or `Unknown`.
    pub name: String,
    /// The (first) file; its size is that of all parts.
    pub file: FileInfo,
    /// 1 (poor) to 5.
    pub quality: u8,
    /// Five characters of `★` and `☆`.
    pub quality_stars: String,
    /// floor(size × 1.1) + 500 MiB, in bytes.
    pub estimated_ram: u64,
    /// The same for people.
    pub estimated_ram_human: String,
    /// A few words.
    pub description: String,
    /// Whether most users would want it.
    pub recommended: bool,
    /// Number of parts; absent for a single file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// Paths of all parts.
    pub files: Vec<String>,
    /// Bytes of all parts.
    pub size: u64,
    /// The same for people.
    pub size_human: String,
    /// The filter that selects it; as in its item.
    pub filter: String,
    /// Set when parts are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Memory to run a model of `bytes`: floor(1.1 × size) + 500 MiB.
pub(super) fn estimated_ram(bytes: u64) -> u64 {
    (bytes / 10).saturating_add(bytes).saturating_add(500 * 1_048_576)
}

/// The analysis before filters are known.
pub(super) struct GgufParts {
    pub gguf: Gguf,
    /// Items; the first ones are the quantisations, in the order of `gguf.quantizations`.
    pub parts: Vec<Part>,
    pub warnings: Vec<String>,
}

/// One quantisation of one model in the repo.
struct Group {
    /// Index of the first part.
    first: usize,
    indices: Vec<usize>,
    quant: Option<Found>,
    /// The quantisation as written in the name, lower-case.
    written: Option<String>,
    /// The name without shard suffix, lower-case.
    stem: String,
    size: u64,
    warning: Option<String>,
}

impl Group {
    fn name(&self) -> String {
        self.quant
            .as_ref()
            .map_or_else(|| "Unknown".to_owned(), Found::name)
    }

    fn quality(&self) -> u8 {
        self.quant
            .as_ref()
            .map_or(UNKNOWN_QUALITY, |found| QUANTS[found.index].quality)
    }
}

enum Role {
    Model,
    Projector,
    Draft,
}

fn role(stem: &str) -> Role {
    let mut words = stem.split(|c: char| !c.is_ascii_alphanumeric());
    if stem.contains("mmproj") {
        Role::Projector
    } else if stem.starts_with("mtp-") || words.any(|word| word == "draft") {
        Role::Draft
    } else {
        Role::Model
    }
}

pub(super) fn analyze(view: &View<'_>) -> GgufParts {
    let mut models = Vec::new();
    let mut projectors = Vec::new();
    let mut drafts = Vec::new();
    for weight in view.weights.iter().filter(|w| w.family == Family::Gguf) {
        let stem = stem_and_extension(view.paths[weight.index]).0.to_lowercase();
        if stem.contains("imatrix") {
            continue;
        }
        match role(&stem) {
            Role::Model => models.push(weight.index),
            Role::Projector => projectors.push(weight.index),
            Role::Draft => drafts.push(weight.index),
        }
    }
    // In a repo of draft models they are the models.
    if models.is_empty() && projectors.is_empty() {
        models = std::mem::take(&mut drafts);
    }
    let mut groups = group(view, models);
    groups.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.stem.cmp(&b.stem)));
    let recommended = recommended(&groups);
    let mut names: HashMap<String, usize> = HashMap::new();
    for group in &groups {
        *names.entry(group.name()).or_default() += 1;
    }

    let mut quantizations = Vec::new();
    let mut parts = Vec::new();
    let mut warnings = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let quantization = quantization(view, group, recommended == Some(at));
        parts.push(part(
            group,
            &quantization,
            names.get(&quantization.name) > Some(&1),
        ));
        warnings.extend(group.warning.clone());
        quantizations.push(quantization);
    }
    parts.extend(companions(view, &projectors, Category::VisionEncoder));
    parts.extend(companions(view, &drafts, Category::MtpDraft));
    let infos = |indices: &[usize]| indices.iter().map(|i| FileInfo::from(&view.files[*i])).collect();
    let mut gguf = Gguf {
        model_name: model_name(view),
        parameter_count: parameters_in(view.facts.repo.name()),
        parameter_count_exact: None,
        architecture: None,
        context_length: None,
        tokenizer_size: None,
        quantizations,
        mmproj_files: infos(&projectors),
        mmproj_upstream_repo: None,
        draft_files: infos(&drafts),
        model_chain: chain(view),
    };
    read_headers(view, &groups, &mut gguf);
    GgufParts {
        gguf,
        parts,
        warnings,
    }
}

/// Files of one model in one quantisation belong together.
fn group(view: &View<'_>, indices: Vec<usize>) -> Vec<Group> {
    /// Indices of the files of a set, and their shards.
    type Set = (Vec<usize>, Vec<Option<Shard>>);
    let mut sets: BTreeMap<(String, Option<u32>), Set> = BTreeMap::new();
    for index in indices {
        let path = view.paths[index];
        let folder = path.rfind('/').map_or("", |at| &path[..at]);
        let (stem, shard) = split_shard(stem_and_extension(path).0);
        let key = (format!("{folder}/{stem}"), shard.map(|shard| shard.total));
        let set = sets.entry(key).or_default();
        set.0.push(index);
        set.1.push(shard);
    }
    sets.into_iter()
        .map(|((path, total_parts), (indices, shards))| {
            let missing = missing_shards(&shards);
            let (folder, stem) = path.rsplit_once('/').unwrap_or(("", &path));
            let warning = || missing_text(stem, total_parts.unwrap_or(0), &missing);
            let found = find_quant(stem).map(|found| (found, stem));
            let found = found.or_else(|| find_quant(folder).map(|found| (found, folder)));
            Group {
                first: indices.first().copied().unwrap_or_default(),
                size: total(view.files, &indices),
                written: found
                    .as_ref()
                    .map(|(found, text)| text[found.span.clone()].to_lowercase()),
                quant: found.map(|(found, _)| found),
                stem: stem.to_lowercase(),
                warning: (!missing.is_empty()).then(warning),
                indices,
            }
        })
        .collect()
}

/// Q4_K_M, else its dynamic kind; else the best that is good and fits most machines, else the
/// smallest good one, else the best there is. Never an incomplete one.
fn recommended(groups: &[Group]) -> Option<usize> {
    let mut order: Vec<usize> = (0..groups.len())
        .filter(|at| groups[*at].warning.is_none())
        .collect();
    order.sort_by_key(|at| (std::cmp::Reverse(groups[*at].quality()), groups[*at].size));
    let named = |name: &str| order.iter().find(|at| groups[**at].name() == name);
    let good = |at: &&usize| groups[**at].quality() >= 4;
    named("Q4_K_M")
        .or_else(|| named("UD-Q4_K_M"))
        .or_else(|| {
            order
                .iter()
                .filter(good)
                .find(|at| groups[**at].size < COMFORTABLE_BYTES)
        })
        .or_else(|| order.iter().filter(good).min_by_key(|at| groups[**at].size))
        .or_else(|| order.first())
        .copied()
}

fn quantization(view: &View<'_>, group: &Group, recommended: bool) -> Quantization {
    let mut file = FileInfo::from(&view.files[group.first]);
    let count = group.indices.len() as u64;
    if count > 1 {
        file.size = group.size;
        file.size_human = human_size(group.size);
        file.sha256 = None;
    }
    let quality = group.quality();
    let ram = estimated_ram(group.size);
    let known = group.quant.as_ref().map(|found| {
        let text = QUANTS[found.index].description;
        if found.dynamic {
            format!("dynamic: {text}")
        } else {
            text.to_owned()
        }
    });
    Quantization {
        name: group.name(),
        file,
        quality,
        quality_stars: stars(quality),
        estimated_ram: ram,
        estimated_ram_human: human_size(ram),
        description: known.unwrap_or_else(|| "unknown quantization".to_owned()),
        recommended,
        parts: (count > 1).then_some(count),
        files: group.indices.iter().map(|i| view.paths[*i].to_owned()).collect(),
        size: group.size,
        size_human: human_size(group.size),
        filter: String::new(),
        warning: group.warning.clone(),
    }
}

/// The item of a quantisation. When several models of the repo share its name, the file name
/// stands for it.
fn part(group: &Group, quantization: &Quantization, several: bool) -> Part {
    let plain = group.quant.is_some() && !several;
    let (id, label) = if plain {
        (quantization.name.to_lowercase(), quantization.name.clone())
    } else if group.quant.is_some() {
        (
            group.stem.clone(),
            format!("{} ({})", quantization.name, group.stem),
        )
    } else {
        (group.stem.clone(), group.stem.clone())
    };
    let mut part = Part::new(Category::Quantization, &id, &label, group.indices.clone());
    part.description = quantization.description.clone();
    part.quality = Some(quantization.quality);
    part.ram = Some(quantization.estimated_ram);
    part.recommended = quantization.recommended;
    part.warning = group.warning.clone();
    if plain {
        part.naturals.extend(group.written.clone());
    }
    part.naturals.push(group.stem.clone());
    part
}

/// Items for vision encoders and draft models. Of the encoders one is recommended, half
/// precision first: it is small, and quantised encoders see badly.
fn companions(view: &View<'_>, indices: &[usize], category: Category) -> Vec<Part> {
    let is_encoder = category == Category::VisionEncoder;
    let stem_of = |index: usize| stem_and_extension(view.paths[index]).0;
    let rank = |index: &usize| {
        let found = find_quant(stem_of(*index)).map(|found| QUANTS[found.index].name);
        match found {
            Some("F16" | "FP16") => 0,
            Some("BF16") => 1,
            Some("F32") => 2,
            _ => 3,
        }
    };
    let best = indices
        .iter()
        .min_by_key(|index| rank(index))
        .filter(|_| is_encoder);
    let make = |index: &usize| {
        let stem = stem_of(*index).to_lowercase();
        let (prefix, description) = if is_encoder {
            ("mmproj", "vision encoder, needed for pictures")
        } else {
            ("draft", "draft model for speculative decoding")
        };
        let id = if stem.starts_with(prefix) {
            stem.clone()
        } else {
            format!("{prefix}-{stem}")
        };
        let mut part = Part::new(category, &id, stem_of(*index), vec![*index]);
        part.description = description.to_owned();
        part.recommended = best == Some(index);
        part.naturals.push(stem);
        part
    };
    indices.iter().map(make).collect()
}

/// Takes what the headers of the quantisations say; of a split model all parts must be known
/// before their elements are a sum.
fn read_headers(view: &View<'_>, groups: &[Group], gguf: &mut Gguf) {
    let header = |index: &usize| match view.facts.headers.get(view.paths[*index]) {
        Some(HeaderFacts::Gguf(header)) => Some(header),
        _ => None,
    };
    for group in groups {
        if let Some(first) = header(&group.first) {
            gguf.architecture = gguf.architecture.take().or_else(|| first.architecture.clone());
            gguf.context_length = gguf.context_length.or(first.context_length);
            gguf.tokenizer_size = gguf.tokenizer_size.or(first.tokenizer_size);
        }
        let counts: Option<Vec<u64>> = group
            .indices
            .iter()
            .map(|i| Some(header(i)?.parameter_count))
            .collect();
        let sum = counts
            .filter(|_| group.warning.is_none())
            .map(|counts| counts.iter().fold(0, |sum: u64, n| sum.saturating_add(*n)))
            .filter(|sum| *sum > 0);
        gguf.parameter_count_exact = gguf.parameter_count_exact.or(sum);
    }
}
