//! What a file name says of weights: family, variant, shard.

use std::collections::{BTreeMap, HashSet};

/// Formats of weights; a repo often holds the same weights in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    Gguf,
    Safetensors,
    Pytorch,
    Original,
    Onnx,
    Openvino,
    Flax,
    Tensorflow,
    Tflite,
    Coreml,
    Rust,
}

impl Family {
    /// Id, label, description and quality (1–5: how well today's tools take the format).
    pub(super) fn words(self) -> (&'static str, &'static str, &'static str, u8) {
        match self {
            Self::Gguf => ("gguf", "GGUF", "for llama.cpp, Ollama, LM Studio", 5),
            Self::Safetensors => ("safetensors", "safetensors", "safe and fast to load", 5),
            Self::Pytorch => (
                "pytorch",
                "PyTorch",
                "pickled weights; loading them can run code",
                3,
            ),
            Self::Original => (
                "original",
                "Original",
                "the author's own layout of the same weights",
                3,
            ),
            Self::Onnx => ("onnx", "ONNX", "for ONNX Runtime and Transformers.js", 4),
            Self::Openvino => ("openvino", "OpenVINO", "for Intel's runtime", 3),
            Self::Flax => ("flax", "Flax", "for JAX", 2),
            Self::Tensorflow => ("tensorflow", "TensorFlow", "Keras weights", 2),
            Self::Tflite => ("tflite", "TensorFlow Lite", "for phones and small devices", 3),
            Self::Coreml => ("coreml", "Core ML", "for Apple devices", 3),
            Self::Rust => ("rust", "rust-bert", "for the rust-bert library", 2),
        }
    }

    /// What a user would write to have exactly this family.
    pub(super) fn natural_filter(self) -> &'static str {
        match self {
            Self::Gguf => ".gguf",
            Self::Safetensors => ".safetensors",
            Self::Pytorch => ".bin",
            Self::Original => "original/",
            Self::Onnx => ".onnx,.onnx_data",
            Self::Openvino => "openvino/",
            Self::Flax => ".msgpack",
            Self::Tensorflow => ".h5",
            Self::Tflite => ".tflite",
            Self::Coreml => "coreml/",
            Self::Rust => ".ot",
        }
    }
}

/// One file of weights.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    /// Index in the list of files.
    pub index: usize,
    pub family: Family,
    /// `fp16`, `bf16`, `non_ema` …: a second precision or kind of the same weights.
    pub variant: Option<String>,
    pub shard: Option<Shard>,
}

/// `-00001-of-00003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    pub number: u32,
    pub total: u32,
}

/// Variants in names as Diffusers and Transformers write them: `model.fp16.safetensors`.
const VARIANTS: [&str; 8] = [
    "fp16", "bf16", "fp32", "fp8", "int8", "int4", "non_ema", "ema_only",
];

/// Names that look like weights and are the state of a training run.
const TRAINING: [&str; 6] = [
    "training_args",
    "optimizer",
    "scheduler",
    "rng_state",
    "trainer_state",
    "random_states",
];

/// Splits `m-00001-of-00003.fp16` into `m.fp16` and the shard.
pub(super) fn split_shard(stem: &str) -> (String, Option<Shard>) {
    let parsed = stem.rfind("-of-").and_then(|at| {
        let before = &stem[..at];
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let base = before[..before.len() - digits].strip_suffix('-')?;
        let after = &stem[at + 4..];
        let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        let total = &after[..after.len() - rest.len()];
        if digits < 5 || total.len() < 5 {
            return None;
        }
        let shard = Shard {
            number: before[before.len() - digits..].parse().ok()?,
            total: total.parse().ok()?,
        };
        Some((format!("{base}{rest}"), Some(shard)))
    });
    parsed.unwrap_or_else(|| (stem.to_owned(), None))
}

/// At most so many missing shards are named.
const MAX_MISSING: usize = 20;

/// Numbers of the shards that are absent, counted from 1; the first [`MAX_MISSING`] of them.
pub(super) fn missing_shards(shards: &[Option<Shard>]) -> Vec<u32> {
    let Some(total) = shards.iter().flatten().map(|shard| shard.total).max() else {
        return Vec::new();
    };
    let there: HashSet<u32> = shards.iter().flatten().map(|shard| shard.number).collect();
    (1..=total)
        .filter(|number| !there.contains(number))
        .take(MAX_MISSING)
        .collect()
}

/// File name without its last extension, and that extension in lower case.
pub(super) fn stem_and_extension(path: &str) -> (&str, String) {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension.to_ascii_lowercase()),
        _ => (name, String::new()),
    }
}

/// All files of weights among `paths`.
pub(super) fn find_weights(paths: &[&str]) -> Vec<Weight> {
    let mut found = Vec::new();
    let mut openvino_stems: HashSet<&str> = HashSet::new();
    let mut has_plain = false;
    for path in paths {
        let (stem, extension) = stem_and_extension(path);
        if extension == "xml" && stem.to_lowercase().contains("openvino") {
            openvino_stems.insert(&path[..path.len() - 4]);
        }
        has_plain |= matches!(extension.as_str(), "safetensors" | "bin") && !is_original(path, stem);
    }
    for (index, path) in paths.iter().enumerate() {
        let (stem, extension) = stem_and_extension(path);
        let lower = stem.to_lowercase();
        let mut family = match extension.as_str() {
            "gguf" => Family::Gguf,
            "safetensors" => Family::Safetensors,
            "bin" | "pt" | "pth" | "ckpt" => Family::Pytorch,
            "onnx" | "onnx_data" => Family::Onnx,
            "h5" => Family::Tensorflow,
            "tflite" => Family::Tflite,
            "msgpack" => Family::Flax,
            "ot" => Family::Rust,
            "mlmodel" => Family::Coreml,
            "xml" if lower.contains("openvino") => Family::Openvino,
            "data" if lower.ends_with(".onnx") => Family::Onnx,
            _ if extension.starts_with("onnx_data") => Family::Onnx,
            _ if path.contains(".mlpackage/") || path.contains(".mlmodelc/") => Family::Coreml,
            _ => continue,
        };
        if TRAINING.iter().any(|name| lower.starts_with(name)) {
            continue;
        }
        if extension == "bin" && openvino_stems.contains(&path[..path.len() - 4]) {
            family = Family::Openvino;
        }
        if path.contains(".mlpackage/") || path.contains(".mlmodelc/") {
            family = Family::Coreml;
        }
        if has_plain && matches!(family, Family::Safetensors | Family::Pytorch) && is_original(path, stem) {
            family = Family::Original;
        }
        let (base, shard) = split_shard(&lower);
        let variant = base
            .rsplit_once('.')
            .map(|(_, last)| last)
            .filter(|last| VARIANTS.contains(last))
            .map(str::to_owned);
        found.push(Weight {
            index,
            family,
            variant,
            shard,
        });
    }
    found
}

/// The author's own layout beside the Transformers one: Meta's `original/`, Mistral's `consolidated`.
fn is_original(path: &str, stem: &str) -> bool {
    path.starts_with("original/") || stem.starts_with("consolidated")
}

/// A sentence for each set of shards that is not complete.
pub(super) fn shard_warnings(weights: &[Weight], paths: &[&str]) -> Vec<String> {
    let mut sets: BTreeMap<(String, u32), Vec<Option<Shard>>> = BTreeMap::new();
    for weight in weights {
        if let Some(shard) = weight.shard {
            let path = paths[weight.index];
            let (base, _) = split_shard(path);
            sets.entry((base, shard.total)).or_default().push(Some(shard));
        }
    }
    let mut warnings = Vec::new();
    for ((base, total), shards) in sets {
        let missing = missing_shards(&shards);
        if !missing.is_empty() {
            warnings.push(missing_text(&base, total, &missing));
        }
    }
    warnings
}

/// The sentence for one incomplete set.
pub(super) fn missing_text(what: &str, total: u32, missing: &[u32]) -> String {
    let numbers: Vec<_> = missing.iter().map(u32::to_string).collect();
    let more = if missing.len() == MAX_MISSING {
        " and maybe more"
    } else {
        ""
    };
    format!(
        "{what} is incomplete: of its {total} parts, part {}{more} is missing",
        numbers.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_suffix_is_read_wherever_it_stands() {
        let shard = |number, total| Some(Shard { number, total });
        assert_eq!(split_shard("m-00002-of-00003"), ("m".into(), shard(2, 3)));
        assert_eq!(split_shard("m-00002-of-000163"), ("m".into(), shard(2, 163)));
        assert_eq!(
            split_shard("m-00002-of-00003.fp16"),
            ("m.fp16".into(), shard(2, 3))
        );
        for plain in [
            "m",
            "m-1-of-2",
            "best-of-breed",
            "-of-",
            "m-99999999999-of-00001",
            "x-of-00002",
        ] {
            assert_eq!(split_shard(plain), (plain.into(), None), "{plain}");
        }
    }

    #[test]
    fn missing_shards_are_counted_from_one() {
        let list: Vec<_> = [1, 3].map(|number| Some(Shard { number, total: 4 })).to_vec();
        assert_eq!(missing_shards(&list), [2, 4]);
        assert!(missing_shards(&[None]).is_empty());
        let wild = [Some(Shard {
            number: u32::MAX,
            total: u32::MAX,
        })];
        assert_eq!(missing_shards(&wild).len(), 20);
    }

    #[test]
    fn families_keep_formats_training_state_and_original_layouts_apart() {
        let paths = [
            "model.safetensors",
            "pytorch_model.bin",
            "training_args.bin",
            "openvino/openvino_model.xml",
            "openvino/openvino_model.bin",
            "onnx/model.onnx",
            "onnx/model.onnx_data",
            "onnx/model.onnx.data",
            "consolidated.safetensors",
            "original/consolidated.00.pth",
            "model.fp16.safetensors",
            "coreml/m.mlpackage/Data/weight.bin",
            "README.md",
        ];
        let found: Vec<_> = find_weights(&paths)
            .into_iter()
            .map(|w| (w.index, w.family))
            .collect();
        use Family::*;
        assert_eq!(
            found,
            [
                (0, Safetensors),
                (1, Pytorch),
                (3, Openvino),
                (4, Openvino),
                (5, Onnx),
                (6, Onnx),
                (7, Onnx),
                (8, Original),
                (9, Original),
                (10, Safetensors),
                (11, Coreml)
            ]
        );
        let alone = find_weights(&["consolidated.safetensors"]);
        assert_eq!(
            alone[0].family, Safetensors,
            "the only weights are nobody's second layout"
        );
    }
}
