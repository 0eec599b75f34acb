//! ONNX graphs and their precisions.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::formats::{support_files, with_support};
use super::items::Part;
use super::report::Category;
use super::view::View;
use super::weights::{Family, stem_and_extension};

/// The `onnx` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Onnx {
    /// Every graph.
    pub models: Vec<OnnxModel>,
    /// Whether any graph is optimised.
    pub optimized: bool,
    /// Whether any graph is quantised.
    pub quantized: bool,
    /// Programs that run them.
    pub runtimes: Vec<&'static str>,
}

/// One graph.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OnnxModel {
    /// Path from the root.
    pub path: String,
    /// Last part of the path.
    pub name: String,
    /// Bytes, without external data.
    pub size: u64,
    /// The same for people.
    pub size_human: String,
    /// `fp32`, `fp16`, `int8`, `int4`.
    pub variant: &'static str,
    /// Whether the name says so.
    pub optimized: bool,
}

/// Endings of names as Optimum and Transformers.js write them: suffix, variant, quality. The
/// first that fits counts.
const VARIANTS: [(&str, &str, u8); 12] = [
    ("q4f16", "int4", 3),
    ("fp16", "fp16", 5),
    ("float16", "fp16", 5),
    ("int8", "int8", 4),
    ("uint8", "int8", 4),
    ("qint8", "int8", 4),
    ("quint8", "int8", 4),
    ("quantized", "int8", 4),
    ("q8", "int8", 4),
    ("int4", "int4", 3),
    ("bnb4", "int4", 3),
    ("q4", "int4", 3),
];

/// The suffix that tells the variant, as written in the table.
fn suffix_of(stem: &str) -> Option<&'static (&'static str, &'static str, u8)> {
    let lower = stem.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    VARIANTS.iter().find(|(suffix, ..)| words.contains(suffix))
}

/// The name of the graph that a file of external data belongs to, without `.onnx`.
fn graph_stem(path: &str) -> &str {
    let (stem, extension) = stem_and_extension(path);
    if extension == "onnx" || extension.starts_with("onnx_data") {
        stem
    } else {
        stem.strip_suffix(".onnx").unwrap_or(stem)
    }
}

pub(super) fn analyze(view: &View<'_>) -> Onnx {
    let mut models = Vec::new();
    for file in view.files {
        let (stem, extension) = stem_and_extension(file.path.as_str());
        if extension != "onnx" {
            continue;
        }
        let is_optimized = stem
            .to_lowercase()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| {
                matches!(word, "opt" | "optimized" | "optimised")
                    || word
                        .strip_prefix('o')
                        .is_some_and(|n| matches!(n, "1" | "2" | "3" | "4"))
            });
        models.push(OnnxModel {
            path: file.path.to_string(),
            name: file.path.file_name().to_owned(),
            size: file.size_bytes,
            size_human: human_size(file.size_bytes),
            variant: suffix_of(stem).map_or("fp32", |(_, variant, _)| variant),
            optimized: is_optimized,
        });
    }
    let mut runtimes = vec!["onnxruntime", "onnxruntime-gpu"];
    let has_gpu = models.iter().any(|model| {
        let lower = model.path.to_lowercase();
        lower.contains("cuda") || lower.contains("gpu")
    });
    if has_gpu {
        runtimes.push("tensorrt");
    }
    Onnx {
        optimized: models.iter().any(|model| model.optimized),
        quantized: models.iter().any(|model| model.variant.starts_with("int")),
        models,
        runtimes,
    }
}

/// One item for each precision, its graphs and their data together. The best that is smaller
/// than full precision is recommended.
pub(super) fn parts(view: &View<'_>) -> Vec<Part> {
    let mut groups: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    let mut quality: BTreeMap<&'static str, u8> = BTreeMap::new();
    for weight in view.weights.iter().filter(|w| w.family == Family::Onnx) {
        let (id, stars) = match suffix_of(graph_stem(view.paths[weight.index])) {
            Some((suffix, _, stars)) => (*suffix, *stars),
            None => ("fp32", 5),
        };
        groups.entry(id).or_default().push(weight.index);
        quality.insert(id, stars);
    }
    if groups.len() < 2 {
        return Vec::new();
    }
    let support = support_files(view);
    let best = ["fp32", "fp16", "float16"]
        .into_iter()
        .find(|id| groups.contains_key(id));
    let make = |(id, mut files): (&'static str, Vec<usize>)| {
        files.extend(&support);
        let mut part = Part::new(
            Category::Precision,
            &format!("onnx-{id}"),
            &format!("ONNX {id}"),
            files,
        );
        part.description = match id {
            "fp32" => "full precision",
            "fp16" | "float16" => "half precision, for GPUs",
            "q4f16" => "4-bit weights with half precision between",
            id if id.contains('4') => "4-bit weights",
            _ => "8-bit weights",
        }
        .to_owned();
        part.quality = quality.get(id).copied();
        part.recommended = best == Some(id);
        if id != "fp32" {
            part.naturals
                .push(with_support(view, format!("*_{id}.onnx*"), &support));
            part.naturals
                .push(with_support(view, format!("*{id}*.onnx*"), &support));
        }
        part
    };
    groups.into_iter().map(make).collect()
}
