//! Speech and sound models.

use serde::Serialize;
use utoipa::ToSchema;

use super::view::{View, is_model_type};

/// The `audio` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of preprocessor_config.json.
pub struct Audio {
    pub task: String,
    pub task_description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_extractor_type: Option<String>,
    /// In Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_mel_bins: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    pub languages: Vec<&'static str>,
    pub framework: &'static str,
}

const RECOGNITION: &str = "automatic-speech-recognition";
const SPEECH: &str = "text-to-speech";

pub(super) fn analyze(view: &View<'_>) -> Audio {
    let config = view.config("config.json");
    let preprocessor = view.config("preprocessor_config.json");
    let number = |keys: &[&str]| {
        preprocessor
            .first_number(keys)
            .or_else(|| config.first_number(keys))
    };
    let has_forced = config
        .get("forced_decoder_ids")
        .0
        .and_then(|value| value.as_array())
        .is_some_and(|list| !list.is_empty());
    let task = task(view);
    Audio {
        task_description: match task.as_str() {
            RECOGNITION => "Speech recognition",
            SPEECH => "Text to speech",
            "audio-classification" => "Audio classification",
            _ => "Audio",
        },
        task,
        feature_extractor_type: preprocessor
            .text("processor_class")
            .or_else(|| preprocessor.text("feature_extractor_type")),
        sample_rate: number(&["sampling_rate", "sample_rate"]),
        num_mel_bins: number(&["num_mel_bins", "feature_size"]),
        max_length: number(&["max_length", "n_samples"]),
        languages: if has_forced {
            vec!["multilingual"]
        } else {
            Vec::new()
        },
        framework: view.framework(),
    }
}

fn task(view: &View<'_>) -> String {
    let specific = view.config("config.json").get("task_specific_params");
    if let Some(name) = specific.0.and_then(|value| value.as_object()?.keys().next()) {
        return name.chars().take(100).collect();
    }
    let model_type = view.model_type();
    let by_type = |names: &[&str]| {
        is_model_type(&model_type, names)
            || names.iter().any(|name| {
                view.paths.iter().take(1000).any(|path| {
                    path.to_lowercase()
                        .split(|c: char| !c.is_ascii_alphanumeric())
                        .any(|word| word == *name)
                })
            })
    };
    if by_type(&["whisper", "wav2vec2", "hubert", "speech_to_text", "asr", "stt"]) {
        RECOGNITION
    } else if by_type(&["tts", "vits", "speecht5", "bark", "parler_tts"]) {
        SPEECH
    } else {
        "audio-classification"
    }
    .to_owned()
}
