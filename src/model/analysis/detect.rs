//! Which kind of repo it is. The first rule that holds wins.

use crate::model::repo::RepoType;

use super::multimodal;
use super::quantized;
use super::report::Kind;
use super::view::{View, is_model_type};
use super::weights::Family;

/// Model types of speech and sound.
const AUDIO_TYPES: &[&str] = &[
    "whisper",
    "wav2vec2",
    "wav2vec",
    "hubert",
    "speech_to_text",
    "audio_spectrogram_transformer",
    "vits",
    "speecht5",
    "bark",
    "encodec",
    "musicgen",
    "seamless_m4t",
    "parler_tts",
    "moonshine",
    "wavlm",
    "clap",
];
/// Model types of pictures.
const VISION_TYPES: &[&str] = &[
    "vit",
    "resnet",
    "convnext",
    "convnextv2",
    "swin",
    "swinv2",
    "deit",
    "beit",
    "detr",
    "yolos",
    "segformer",
    "dpt",
    "dinov2",
    "dinov2_with_registers",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilevit",
    "efficientnet",
    "mask2former",
    "rt_detr",
    "depth_anything",
    "sam",
    "regnet",
    "timm_wrapper",
];

pub(super) fn kind(view: &View<'_>) -> Kind {
    if view.facts.repo_type == RepoType::Dataset {
        return Kind::Dataset;
    }
    let has = |name: &str| view.config(name).is_object() || view.has(name);
    if view.has_family(&[Family::Gguf]) {
        return Kind::Gguf;
    }
    if has("model_index.json") {
        return Kind::Diffusers;
    }
    if has("adapter_config.json") {
        return Kind::Lora;
    }
    match quantized::method(view).as_deref() {
        Some("awq") => return Kind::Awq,
        Some("gptq") => return Kind::Gptq,
        Some(_) => return Kind::Quantized,
        None => {}
    }
    let is_transformers = has("config.json") && view.has_root_weights();
    // Sentence-transformers and kin carry ONNX beside other weights; only there is a choice.
    if !is_transformers && view.has_family(&[Family::Onnx]) && !has_torch(view) {
        return Kind::Onnx;
    }
    refined(view).unwrap_or(if is_transformers {
        Kind::Transformers
    } else if view.has_family(&[Family::Onnx]) {
        Kind::Onnx
    } else {
        Kind::Generic
    })
}

fn has_torch(view: &View<'_>) -> bool {
    view.has_family(&[Family::Safetensors, Family::Pytorch])
}

fn refined(view: &View<'_>) -> Option<Kind> {
    let config = view.config("config.json");
    let preprocessor = view.config("preprocessor_config.json");
    let model_type = view.model_type();
    let has_both = config.get("vision_config").is_there() && config.get("text_config").is_there();
    let sounds = is_model_type(&model_type, AUDIO_TYPES)
        || preprocessor.number("sampling_rate").is_some()
        || preprocessor.number("num_mel_bins").is_some();
    let has_processor = view.config("processor_config.json").is_object() || view.has("processor_config.json");
    if has_both || is_model_type(&model_type, multimodal::MODEL_TYPES) || (has_processor && !sounds) {
        return Some(Kind::Multimodal);
    }
    // Old vision models call their image processor a feature extractor.
    let looks = ["image_mean", "image_std", "image_processor_type"]
        .iter()
        .any(|key| preprocessor.get(key).is_there())
        || is_model_type(&model_type, VISION_TYPES);
    let extractor = preprocessor.text("feature_extractor_type").is_some();
    if sounds || (extractor && !looks) {
        Some(Kind::Audio)
    } else if looks {
        Some(Kind::Vision)
    } else {
        None
    }
}
