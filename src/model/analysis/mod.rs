//! What a repo is, what it holds, and what of it a user would want.
//!
//! File list and small config files in, report out: no I/O, no clock. The report never offers a
//! filter that selects something else than it says (`items`), and no config file, however
//! broken, makes it fail. Work grows with files × choices and is bounded to seconds; callers on
//! an async runtime run [`analyze`] on a blocking thread.

mod audio;
mod cached;
mod dataset;
mod detect;
mod diffusers;
mod formats;
mod gguf;
pub mod gguf_header;
pub mod headers;
mod items;
mod lineage;
mod lora;
mod multimodal;
mod onnx;
mod quantized;
mod quants;
mod report;
pub mod safetensors_header;
mod transformers;
pub mod upstream;
mod view;
mod vision;
mod weights;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::plan::RepoFile;
use super::repo::{Commit, RepoId, RepoType, Revision};
use super::size::human_size;

use headers::HeaderFacts;
use items::Part;
use view::View;
use weights::Family;

pub use audio::Audio;
pub use cached::{CachedQuant, quantization_of};
pub use dataset::{Dataset, Split};
pub use diffusers::{Component, Diffusers};
pub use gguf::{Gguf, Quantization};
pub use lineage::ChainLink;
pub use lora::Lora;
pub use multimodal::Multimodal;
pub use onnx::{Onnx, OnnxModel};
pub use quantized::{Branch, Quantized};
pub use report::{
    Analysis, Category, FileInfo, Item, Kind, RecommendedDownload, Ref, RefKind, RelatedDownload,
};
pub use transformers::{Tokenizer, Transformers, WeightFile};
pub use vision::{ImageSize, Normalization, Vision};

/// Config files that an analysis reads when the repo has them at its root. A caller skips those
/// above [`MAX_CONFIG_BYTES`] and those that are no JSON.
pub const WANTED_CONFIGS: [&str; 8] = [
    "config.json",
    "model_index.json",
    "adapter_config.json",
    "quantize_config.json",
    "tokenizer_config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
];

/// Largest config file worth reading: 10 MiB.
pub const MAX_CONFIG_BYTES: u64 = 10 << 20;

/// Most warnings in one report; how many more there are is said in one more.
const MAX_WARNINGS: usize = 50;

/// Everything an analysis starts from.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Which repo.
    pub repo: RepoId,
    /// Model or dataset.
    pub repo_type: RepoType,
    /// The revision as asked.
    pub revision: Revision,
    /// The commit it resolved to.
    pub commit: Option<Commit>,
    /// Every file of the commit.
    pub files: &'a [RepoFile],
    /// Parsed config files by path, of [`WANTED_CONFIGS`] those that are present.
    pub configs: HashMap<String, Value>,
    /// Branches and tags; empty when the Hub gives none.
    pub refs: Vec<Ref>,
    /// Tags of the Hub's model card, such as `base_model:quantized:owner/name`.
    pub tags: Vec<String>,
    /// Exact facts from the headers of weight files, by path; may be empty.
    pub headers: HashMap<String, HeaderFacts>,
    /// When the facts were gathered.
    pub gathered_at: chrono::DateTime<chrono::Utc>,
}

/// Makes the report.
pub fn analyze(facts: &Facts<'_>) -> Analysis {
    let view = View::new(facts);
    let kind = detect::kind(&view);
    let mut report = empty_report(facts, kind);
    let parts = describe(&view, kind, &mut report);
    let choice = items::choose(facts.files, facts.repo_type, parts);
    report.warnings.splice(0..0, choice.warnings);
    report.selectable_items = choice.items;
    report.recommended_filters = choice.recommended_filters;
    name_filters(&mut report);
    let more = report.warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        report.warnings.truncate(MAX_WARNINGS);
        report.warnings.push(format!("and {more} more warnings"));
    }

    let branch = report
        .selectable_items
        .iter()
        .filter(|item| item.recommended)
        .find_map(|item| item.revision.clone());
    let asked = (facts.revision != Revision::main()).then(|| facts.revision.to_string());
    report.recommended_download = RecommendedDownload {
        repo: report.repo.clone(),
        dataset: report.is_dataset,
        revision: branch.or(asked),
        exact_match: choice.exact,
        filters: report.recommended_filters.clone(),
    };
    report
}

fn empty_report(facts: &Facts<'_>, kind: Kind) -> Analysis {
    let total = facts
        .files
        .iter()
        .fold(0, |sum: u64, file| sum.saturating_add(file.size_bytes));
    let repo = facts.repo.to_string();
    Analysis {
        is_dataset: facts.repo_type == RepoType::Dataset,
        kind,
        type_description: kind.description().to_owned(),
        files: facts.files.iter().map(FileInfo::from).collect(),
        file_count: facts.files.len() as u64,
        total_size: total,
        total_size_human: human_size(total),
        branch: facts.revision.to_string(),
        commit: facts.commit.as_ref().map(Commit::to_string),
        refs: facts.refs.clone(),
        analyzed_at: facts
            .gathered_at
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        metadata: metadata(facts),
        gguf: None,
        transformers: None,
        diffusers: None,
        lora: None,
        quantized: None,
        gptq: None,
        awq: None,
        dataset: None,
        audio: None,
        vision: None,
        multimodal: None,
        onnx: None,
        selectable_items: Vec::new(),
        recommended_filters: Vec::new(),
        recommended_download: RecommendedDownload {
            repo: repo.clone(),
            dataset: false,
            revision: None,
            filters: Vec::new(),
            exact_match: false,
        },
        related_downloads: Vec::new(),
        warnings: Vec::new(),
        repo,
    }
}

/// Fills the objects of the kind and gives the parts that can be chosen.
fn describe(view: &View<'_>, kind: Kind, report: &mut Analysis) -> Vec<Part> {
    let has_config = view.config("config.json").is_object();
    if has_config && view.has_root_weights() && kind != Kind::Dataset {
        report.transformers = Some(transformers::analyze(view));
    }
    if kind != Kind::Gguf && kind != Kind::Dataset {
        report.warnings = weights::shard_warnings(&view.weights, &view.paths);
    }
    if view.has_family(&[Family::Onnx]) && kind != Kind::Dataset {
        report.onnx = Some(onnx::analyze(view));
    }
    match kind {
        Kind::Dataset => {
            let (dataset, parts) = dataset::analyze(view);
            report.dataset = Some(dataset);
            return parts;
        }
        Kind::Gguf => {
            let found = gguf::analyze(view);
            report.gguf = Some(found.gguf);
            report.warnings.extend(found.warnings);
            let mut parts = found.parts;
            parts.extend(formats::parts(view, false, &[Family::Gguf]));
            return parts;
        }
        Kind::Diffusers => {
            let (diffusers, parts) = diffusers::analyze(view);
            report.diffusers = Some(diffusers);
            return parts;
        }
        Kind::Lora => {
            let lora = lora::analyze(view);
            // A path on the author's disk is no repo.
            if let Some(base) = lora
                .base_model
                .as_deref()
                .filter(|base| base.parse::<RepoId>().is_ok())
            {
                report.related_downloads.push(lineage::base_download(base, true));
            }
            report.lora = Some(lora);
            return formats::parts(view, true, &[]);
        }
        Kind::Awq | Kind::Gptq | Kind::Quantized => {
            let method = quantized::method(view).unwrap_or_default();
            let quantized = quantized::analyze(view, &method);
            report.gptq = (kind == Kind::Gptq).then(|| quantized.clone());
            report.awq = (kind == Kind::Awq).then(|| quantized.clone());
            let mut parts = formats::parts(view, true, &[]);
            parts.extend(quantized::parts(view, &quantized));
            report.quantized = Some(quantized);
            return parts;
        }
        Kind::Onnx => return onnx::parts(view),
        Kind::Audio => report.audio = Some(audio::analyze(view)),
        Kind::Vision => report.vision = Some(vision::analyze(view)),
        Kind::Multimodal => report.multimodal = Some(multimodal::analyze(view)),
        Kind::Transformers | Kind::Generic => {}
    }
    formats::parts(view, true, &[])
}

/// Copies the filter of each quantisation from its item.
fn name_filters(report: &mut Analysis) {
    let Some(gguf) = &mut report.gguf else { return };
    for quantization in &mut gguf.quantizations {
        let item = report
            .selectable_items
            .iter()
            .find(|item| item.category == Category::Quantization && item.files == quantization.files);
        if let Some(item) = item {
            quantization.filter.clone_from(&item.filter_value);
        }
    }
}

/// The plain values of the config files; tokenizer files are vocabularies and stay out.
fn metadata(facts: &Facts<'_>) -> Map<String, Value> {
    let mut metadata = Map::new();
    for name in WANTED_CONFIGS
        .into_iter()
        .filter(|name| *name != "tokenizer_config.json")
    {
        let values = transformers::plain_values(view::Config(facts.configs.get(name)));
        if !values.is_empty() {
            metadata.insert(name.to_owned(), Value::Object(values));
        }
    }
    metadata
}
