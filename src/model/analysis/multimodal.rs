//! Models of several modalities.

use serde::Serialize;
use utoipa::ToSchema;

use super::view::{View, is_model_type};
use super::vision::{ImageSize, image_size};

/// The `multimodal` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of config.json and processor_config.json.
pub struct Multimodal {
    pub task: &'static str,
    pub task_description: &'static str,
    /// Of `image`, `text`, `audio`, those that `config.json` has a part for.
    pub modalities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vision_encoder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_encoder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<ImageSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_text_length: Option<u64>,
    pub framework: &'static str,
}

pub(super) fn analyze(view: &View<'_>) -> Multimodal {
    let config = view.config("config.json");
    let (task, task_description) = task(view);
    let parts = [
        ("image", "vision_config"),
        ("text", "text_config"),
        ("audio", "audio_config"),
    ];
    Multimodal {
        task,
        task_description,
        modalities: parts
            .into_iter()
            .filter(|(_, key)| config.get(key).is_there())
            .map(|(name, _)| name)
            .collect(),
        processor_type: view
            .config("processor_config.json")
            .text("processor_class")
            .or_else(|| view.config("preprocessor_config.json").text("processor_class")),
        vision_encoder: config.get("vision_config").text("model_type"),
        text_encoder: config.get("text_config").text("model_type"),
        image_size: image_size(view),
        max_text_length: config
            .get("text_config")
            .number("max_position_embeddings")
            .or_else(|| config.number("max_position_embeddings")),
        framework: view.framework(),
    }
}

fn task(view: &View<'_>) -> (&'static str, &'static str) {
    const CHAT: (&str, &str) = ("image-text-to-text", "Text about pictures and text");
    let model_type = view.model_type();
    let architecture = view.architecture().unwrap_or_default();
    if is_model_type(&model_type, CHAT_TYPES) {
        CHAT
    } else if is_model_type(&model_type, &["blip", "blip_2", "git", "pix2struct"]) {
        ("image-to-text", "Text about pictures")
    } else if architecture.to_lowercase().contains("questionanswering") || model_type.contains("vqa") {
        ("visual-question-answering", "Answers about pictures")
    } else if is_model_type(&model_type, &["clip", "siglip", "siglip2", "chinese_clip"]) {
        ("zero-shot-image-classification", "Compares pictures with text")
    } else if architecture.ends_with("ForCausalLM") || architecture.ends_with("ForConditionalGeneration") {
        CHAT
    } else {
        ("image-to-text", "Text about pictures")
    }
}

const CHAT_TYPES: &[&str] = &[
    "llava",
    "idefics",
    "idefics2",
    "idefics3",
    "paligemma",
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "internvl",
    "cogvlm",
    "fuyu",
    "mllama",
    "gemma3",
];

/// Model types that are multimodal, whatever else the repo holds.
pub(super) const MODEL_TYPES: &[&str] = &[
    "llava",
    "blip",
    "clip",
    "flava",
    "git",
    "pix2struct",
    "idefics",
    "idefics2",
    "idefics3",
    "fuyu",
    "paligemma",
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "internvl",
    "internvl_chat",
    "cogvlm",
    "chinese_clip",
    "siglip",
    "mllama",
];
