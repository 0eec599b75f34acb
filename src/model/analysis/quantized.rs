//! Quantised Transformers models: GPTQ, AWQ, bitsandbytes, FP8, EXL2/EXL3, MLX and kin.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::items::{Part, total};
use super::report::{Category, RefKind};
use super::view::{Config, View};
use super::weights::Family;

/// The `quantized` object; also sent as `gptq` or `awq`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of quantization_config, as Transformers documents them.
pub struct Quantized {
    /// Lower-case: `gptq`, `awq`, `bitsandbytes`, `fp8`, `exl2`, `mlx` …
    pub method: String,
    pub method_description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc_act: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symmetric: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_point: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_weight: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_modules: Vec<String>,
    pub backends: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// 12·H²·L·bits/8·1.2 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_vram: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_vram_human: Option<String>,
    /// Branches that hold the model at other sizes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
}

/// A branch whose name tells bits per weight.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = QuantizedBranch)]
pub struct Branch {
    /// Name of the branch.
    pub name: String,
    /// By the name.
    pub bits_per_weight: f64,
    /// Bits of the output layer, by the name: `h8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_bits: Option<u64>,
    /// Bytes of weights; known only for the analysed branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_human: Option<String>,
    /// Paths of the weights; empty for branches that have not been listed.
    pub files: Vec<String>,
}

/// Method, its description, programs that load it.
const METHODS: [(&str, &str, &[&str]); 13] = [
    (
        "gptq",
        "GPTQ: calibrated integer weights",
        &["transformers", "vllm", "exllamav2", "text-generation-inference"],
    ),
    (
        "awq",
        "AWQ: integer weights scaled by activations",
        &["transformers", "vllm", "text-generation-inference"],
    ),
    (
        "bitsandbytes",
        "bitsandbytes: 4- or 8-bit weights",
        &["transformers", "vllm"],
    ),
    ("fp8", "8-bit floats", &["vllm", "sglang", "transformers"]),
    ("fbgemm_fp8", "8-bit floats (FBGEMM)", &["vllm", "transformers"]),
    ("compressed-tensors", "Compressed tensors", &["vllm"]),
    (
        "mxfp4",
        "4-bit floats with shared exponents",
        &["vllm", "transformers"],
    ),
    ("exl2", "EXL2: mixed bits per weight", &["exllamav2", "tabbyapi"]),
    ("exl3", "EXL3: mixed bits per weight", &["exllamav3", "tabbyapi"]),
    ("mlx", "MLX: for Apple silicon", &["mlx"]),
    ("hqq", "HQQ: half-quadratic quantization", &["transformers"]),
    ("torchao", "torchao quantization", &["transformers", "vllm"]),
    ("aqlm", "AQLM: additive codebooks", &["transformers", "vllm"]),
];

/// The method of quantisation, when there is one.
pub(super) fn method(view: &View<'_>) -> Option<String> {
    let config = view.config("config.json");
    let by_config = config.get("quantization_config").text("quant_method");
    let by_file = || {
        let is_there = view.config("quantize_config.json").is_object() || view.has("quantize_config.json");
        let named = view.config("quantize_config.json").text("quant_method");
        (is_there && view.has_root_weights()).then(|| named.unwrap_or_else(|| "gptq".to_owned()))
    };
    let by_kind = || {
        let inner = config.get("quantization_config");
        let is_bnb = inner.flag("load_in_4bit") == Some(true) || inner.flag("load_in_8bit") == Some(true);
        if is_bnb {
            Some("bitsandbytes".to_owned())
        } else if config.get("quantization").number("bits").is_some() {
            Some("mlx".to_owned())
        } else {
            exl_by_name(view)
        }
    };
    by_config
        .or_else(by_file)
        .or_else(by_kind)
        .map(|name| name.to_lowercase())
}

/// EXL repos often keep the weights on branches only, and `main` has but a card.
fn exl_by_name(view: &View<'_>) -> Option<String> {
    let name = view.facts.repo.name().to_lowercase();
    let kind = ["exl2", "exl3"]
        .into_iter()
        .find(|kind| name.split(['-', '_', '.']).any(|word| word == *kind))?;
    (!branches(view).is_empty() || view.has_root_weights()).then(|| kind.to_owned())
}

pub(super) fn analyze(view: &View<'_>, method: &str) -> Quantized {
    let config = view.config("config.json");
    let inner = [
        config.get("quantization_config"),
        view.config("quantize_config.json"),
        config.get("quantization"),
    ];
    let pick = |read: &dyn Fn(Config<'_>) -> Option<u64>| inner.iter().find_map(|part| read(*part));
    let flag = |keys: [&str; 2]| {
        inner
            .iter()
            .find_map(|part| keys.iter().find_map(|key| part.flag(key)))
    };
    let bits = pick(&|part| part.first_number(&["bits", "w_bit", "nbits"])).or_else(|| match method {
        "fp8" | "fbgemm_fp8" => Some(8),
        "mxfp4" => Some(4),
        "bitsandbytes" if inner[0].flag("load_in_8bit") == Some(true) => Some(8),
        "bitsandbytes" => Some(4),
        _ => None,
    });
    // EXL2 writes fractions: 4.25.
    let bits_per_weight = inner
        .iter()
        .find_map(|part| part.float("bits"))
        .filter(|bits| bits.fract() != 0.0);
    let group = |key| inner.iter().find_map(|part| part.get(key).0?.as_i64());
    let known = METHODS.iter().find(|(name, ..)| *name == method);
    let vram = estimated_vram(config, bits);
    let excluded = inner
        .iter()
        .map(|part| part.texts("modules_to_not_convert"))
        .find(|list| !list.is_empty());
    Quantized {
        method: method.to_owned(),
        method_description: known.map_or("Quantized weights", |(_, words, _)| words),
        bits: bits.or_else(|| bits_per_weight.map(|bits| bits as u64)),
        group_size: group("group_size").or_else(|| group("q_group_size")),
        desc_act: flag(["desc_act", "desc_act"]),
        symmetric: flag(["sym", "symmetric"]),
        zero_point: flag(["zero_point", "zero_point"]),
        version: inner
            .iter()
            .find_map(|part| part.text("version").or_else(|| part.text("checkpoint_format"))),
        bits_per_weight: bits_per_weight
            .or_else(|| bits_in(view.facts.revision.as_str()).map(|(bits, _)| bits)),
        excluded_modules: excluded.unwrap_or_default(),
        backends: known.map_or(&[], |(.., backends)| backends),
        model_architecture: view.architecture(),
        base_model: view.base_models().into_iter().next().map(|(repo, _)| repo),
        estimated_vram: vram,
        estimated_vram_human: vram.map(human_size),
        branches: branches(view),
    }
}

fn estimated_vram(config: Config<'_>, bits: Option<u64>) -> Option<u64> {
    let hidden = config.number("hidden_size")? as f64;
    let layers = config.number("num_hidden_layers")? as f64;
    let bytes = 12.0 * hidden * hidden * layers * bits? as f64 / 8.0 * 1.2;
    // Beyond 2^60 the config is not serious.
    (bytes > 0.0 && bytes < 1e18).then_some(bytes as u64)
}

/// Branches that tell bits per weight, the smallest first.
fn branches(view: &View<'_>) -> Vec<Branch> {
    let mut branches: Vec<Branch> = view
        .facts
        .refs
        .iter()
        .filter(|r| r.kind == RefKind::Branch)
        .filter_map(|branch| {
            let (bits_per_weight, head_bits) = bits_in(&branch.name)?;
            let is_current = branch.name == view.facts.revision.as_str();
            let weights: Vec<usize> = if is_current {
                let of_family = |w: &&super::weights::Weight| w.family == Family::Safetensors;
                view.weights.iter().filter(of_family).map(|w| w.index).collect()
            } else {
                Vec::new()
            };
            let size = is_current.then(|| total(view.files, &weights));
            Some(Branch {
                name: branch.name.clone(),
                bits_per_weight,
                head_bits,
                size,
                size_human: size.map(human_size),
                files: weights
                    .iter()
                    .map(|index| view.paths[*index].to_owned())
                    .collect(),
            })
        })
        .take(100)
        .collect();
    branches.sort_by(|a, b| a.bits_per_weight.total_cmp(&b.bits_per_weight));
    branches
}

/// Bits per weight and of the head in a branch name: `4.0bpw`, `6_5`, `4.25bpw-h8`, `8bit`,
/// `gptq-4bit-32g-actorder_True`.
fn bits_in(name: &str) -> Option<(f64, Option<u64>)> {
    let lower = name.to_lowercase();
    let fits = |bits: &f64| (1.0..=16.0).contains(bits);
    let number = |text: &str| text.replace('_', ".").parse::<f64>().ok().filter(fits);
    let head = lower
        .split(['-', '_'])
        .find_map(|word| {
            word.strip_prefix('h')
                .and_then(|digits| digits.parse::<u64>().ok())
        })
        .filter(|bits| *bits <= 16);
    let marked = ["bpw", "bits", "bit"].into_iter().find_map(|unit| {
        let before = lower[..lower.find(unit)?].trim_end_matches(['_', '-']);
        let digits = before.trim_start_matches(|c: char| !c.is_ascii_digit());
        number(digits.rsplit('-').next()?)
    });
    // A bare number is bits only when it has a fraction; `2` may be anything.
    let bare = || lower.contains(['.', '_']).then(|| number(&lower)).flatten();
    Some((marked.or_else(bare)?, head))
}

/// One item for each branch; for EXL the one nearest to 4 bits per weight is recommended, unless
/// the analysed branch has weights of its own.
pub(super) fn parts(view: &View<'_>, quantized: &Quantized) -> Vec<Part> {
    let is_exl = quantized.method.starts_with("exl");
    let distance = |branch: &Branch| (branch.bits_per_weight - 4.0).abs();
    let nearest = quantized
        .branches
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|_| is_exl && !view.has_root_weights());
    let make = |branch: &Branch| {
        let label = format!("{} ({} bits per weight)", branch.name, branch.bits_per_weight);
        let id = format!("branch-{}", branch.name.to_lowercase());
        let mut part = Part::new(Category::Branch, &id, &label, Vec::new());
        part.description = "the whole branch".to_owned();
        part.revision = Some(branch.name.clone());
        part.recommended = nearest.is_some_and(|nearest| nearest.name == branch.name);
        part
    };
    quantized.branches.iter().map(make).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_from_branch_names() {
        for (name, bits) in [
            ("4.0bpw", Some((4.0, None))),
            ("6_5", Some((6.5, None))),
            ("4.25bpw-h8", Some((4.25, Some(8)))),
            ("bpw-4", None),
            ("8bit", Some((8.0, None))),
            ("gptq-4bit-32g-actorder_True", Some((4.0, None))),
            ("main", None),
            ("2", None),
            ("v1.0", None),
            ("500bpw", None),
            ("é.bit", None),
        ] {
            assert_eq!(bits_in(name), bits, "{name}");
        }
    }
}
