//! The answer of `GET /api/analyze`: names and shapes that clients know.
//!
//! Keys follow two published APIs; where they differ both keys are sent (`lfs` and `is_lfs`,
//! `quantized` and `gptq`/`awq`). The objects of single types stand beside their analysis.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::model::plan::RepoFile;
use crate::model::repo::BlobId;
use crate::model::size::human_size;

use super::audio::Audio;
use super::dataset::Dataset;
use super::diffusers::Diffusers;
use super::gguf::Gguf;
use super::lora::Lora;
use super::multimodal::Multimodal;
use super::onnx::Onnx;
use super::quantized::Quantized;
use super::transformers::Transformers;
use super::vision::Vision;

/// What a repo is, what it holds and what a user would want of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Analysis {
    /// `owner/name`.
    pub repo: String,
    /// Whether it was analysed as a dataset.
    pub is_dataset: bool,
    /// What kind of repo.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The kind in words.
    pub type_description: String,
    /// Every file, ordered as listed.
    pub files: Vec<FileInfo>,
    /// Number of files.
    pub file_count: u64,
    /// Sum of all sizes in bytes.
    pub total_size: u64,
    /// The sum for people.
    pub total_size_human: String,
    /// The revision as asked.
    pub branch: String,
    /// The commit it resolved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Branches and tags of the repo; empty when the Hub gave none.
    pub refs: Vec<Ref>,
    /// When the facts were gathered, RFC 3339 UTC.
    pub analyzed_at: String,
    /// Plain values of the config files, by file name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// GGUF quantisations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gguf: Option<Gguf>,
    /// Architecture and weights of a Transformers model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transformers: Option<Transformers>,
    /// Components of a Diffusers pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diffusers: Option<Diffusers>,
    /// Adapter and its base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<Lora>,
    /// Quantisation of a Transformers model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantized: Option<Quantized>,
    /// The same as `quantized`, when the method is GPTQ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gptq: Option<Quantized>,
    /// The same as `quantized`, when the method is AWQ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awq: Option<Quantized>,
    /// Splits, configs and formats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Dataset>,
    /// Speech and sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio>,
    /// Pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vision: Option<Vision>,
    /// Several modalities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multimodal: Option<Multimodal>,
    /// ONNX graphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onnx: Option<Onnx>,
    /// Parts that can be chosen; empty when there is no choice.
    pub selectable_items: Vec<Item>,
    /// Filters of the recommended items.
    pub recommended_filters: Vec<String>,
    /// A body that `POST /api/download` takes unchanged.
    pub recommended_download: RecommendedDownload,
    /// Other repos that belong to this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_downloads: Vec<RelatedDownload>,
    /// Sentences about what is missing or was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The kinds of repos, as the API names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[schema(as = RepoKind)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The words say it; `description` explains each.
pub enum Kind {
    Dataset,
    Gguf,
    Diffusers,
    Lora,
    Awq,
    Gptq,
    Quantized,
    Transformers,
    Multimodal,
    Audio,
    Vision,
    Onnx,
    Generic,
}

impl Kind {
    /// The kind in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Dataset => "HuggingFace dataset",
            Self::Gguf => "GGUF quantized model (llama.cpp, Ollama)",
            Self::Diffusers => "Diffusers pipeline (Stable Diffusion, SDXL, Flux)",
            Self::Lora => "LoRA/PEFT adapter",
            Self::Awq => "AWQ quantized model",
            Self::Gptq => "GPTQ quantized model",
            Self::Quantized => "Quantized model",
            Self::Transformers => "Transformers model (safetensors)",
            Self::Multimodal => "Multimodal model (VLM)",
            Self::Audio => "Audio model (ASR, TTS)",
            Self::Vision => "Vision model",
            Self::Onnx => "ONNX model",
            Self::Generic => "Generic repository",
        }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AnalyzedFile)]
pub struct FileInfo {
    /// Path from the root.
    pub path: String,
    /// Last part of the path.
    pub name: String,
    /// Bytes; of the first file of a split quantisation, the sum of all.
    pub size: u64,
    /// The size for people.
    pub size_human: String,
    /// Whether the file is stored in LFS.
    pub lfs: bool,
    /// The same, under its second name.
    pub is_lfs: bool,
    /// SHA-256 of the content, known for LFS files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Folder of the file, `.` at the root.
    pub directory: String,
}

impl From<&RepoFile> for FileInfo {
    fn from(file: &RepoFile) -> Self {
        let path = file.path.as_str();
        let is_lfs = file.blob_id.is_lfs();
        Self {
            path: path.to_owned(),
            name: file.path.file_name().to_owned(),
            size: file.size_bytes,
            size_human: human_size(file.size_bytes),
            lfs: is_lfs,
            is_lfs,
            sha256: matches!(file.blob_id, BlobId::Sha256(_)).then(|| file.blob_id.to_string()),
            directory: path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned(),
        }
    }
}

/// A branch or tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RepoRef)]
pub struct Ref {
    /// Its short name, such as `main`.
    pub name: String,
    /// Branch or tag.
    #[serde(rename = "type")]
    pub kind: RefKind,
    /// Full commit hash.
    pub commit: String,
}

/// Kind of a [`Ref`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RefKind {
    /// Moves on.
    Branch,
    /// Stays.
    Tag,
}

/// What a choice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ItemCategory)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The words of the API.
pub enum Category {
    Quantization,
    VisionEncoder,
    MtpDraft,
    Variant,
    Component,
    Format,
    Precision,
    Split,
    Config,
    Branch,
}

/// One part of a repo that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SelectableItem)]
pub struct Item {
    /// Unique in the report.
    pub id: String,
    /// For people.
    pub label: String,
    /// What it is, in a few words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Bytes; absent for another branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The size for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_human: Option<String>,
    /// 1 (poor) to 5 (as good as the original).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// Five characters of `★` and `☆`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_stars: Option<String>,
    /// Whether most users would want it.
    pub recommended: bool,
    /// What the choice is about.
    pub category: Category,
    /// Filters that select exactly this item, divided by commas; empty: the whole revision.
    pub filter_value: String,
    /// Paths of the files.
    pub files: Vec<String>,
    /// Estimated memory to run it, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram: Option<u64>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_human: Option<String>,
    /// Another repo that holds the item: it is not fetched with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_repo: Option<String>,
    /// Another branch that holds the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Why the item cannot be used as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A body for `POST /api/download`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecommendedDownload {
    /// `owner/name`.
    pub repo: String,
    /// Sent only when true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dataset: bool,
    /// Sent only when it is not `main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Sent only when something is recommended over the rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// True when a filter of an item would also hit another one without it.
    #[serde(rename = "exactMatch", skip_serializing_if = "std::ops::Not::not")]
    pub exact_match: bool,
}

/// Another repo that belongs to this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RelatedDownload {
    /// `base_model` or `mmproj`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `owner/name`.
    pub repo: String,
    /// For people.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// Whether this repo is of no use without it.
    pub required: bool,
    /// Filters of what is wanted of it; absent for the whole repo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// Bytes; absent while the other repo has not been listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_human: Option<String>,
}
