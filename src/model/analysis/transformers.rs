//! Transformers models: what `config.json`, the tokenizer and the weights say.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::headers::HeaderFacts;
use super::view::{Config, View};
use super::weights::Family;

/// A chat template above this is not repeated in the report.
const MAX_TEMPLATE_BYTES: usize = 32 << 10;

/// The `transformers` object.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of config.json, as Transformers documents them.
pub struct Transformers {
    pub architecture: String,
    pub architecture_description: String,
    pub task: String,
    pub task_description: String,
    pub model_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_hidden_layers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_attention_heads: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediate_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_position_embeddings: Option<u64>,
    /// In tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// For people: `7.2B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_parameters: Option<String>,
    /// From the headers of the weights when they are known, else a formula over the sizes above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_parameters_num: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torch_dtype: Option<String>,
    pub is_sharded: bool,
    pub shard_count: u64,
    pub weight_files: Vec<WeightFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<Tokenizer>,
    pub backends: Vec<&'static str>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub special_tokens: serde_json::Map<String, Value>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub generation_config: serde_json::Map<String, Value>,
}

/// One file of weights.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // As in `FileInfo`.
pub struct WeightFile {
    pub path: String,
    pub name: String,
    pub size: u64,
    pub size_human: String,
    /// `safetensors`, `pytorch_bin` or `pytorch`.
    pub format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard_total: Option<u32>,
}

/// What `tokenizer_config.json` says.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of tokenizer_config.json.
pub struct Tokenizer {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_max_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding_side: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation_side: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_bos_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_eos_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<String>,
    pub has_chat_template: bool,
}

/// Endings of class names, the task they stand for, and the task in words.
const TASKS: [(&str, &str, &str); 14] = [
    ("ForCausalLM", "text-generation", "Text generation"),
    ("LMHeadModel", "text-generation", "Text generation"),
    ("ForConditionalGeneration", "text2text-generation", "Text to text"),
    (
        "ForSequenceClassification",
        "text-classification",
        "Text classification",
    ),
    (
        "ForTokenClassification",
        "token-classification",
        "Token classification",
    ),
    ("ForQuestionAnswering", "question-answering", "Question answering"),
    ("ForMaskedLM", "fill-mask", "Fill the mask"),
    (
        "ForImageClassification",
        "image-classification",
        "Image classification",
    ),
    ("ForObjectDetection", "object-detection", "Object detection"),
    (
        "ForSpeechSeq2Seq",
        "automatic-speech-recognition",
        "Speech recognition",
    ),
    ("ForCTC", "automatic-speech-recognition", "Speech recognition"),
    (
        "ForAudioClassification",
        "audio-classification",
        "Audio classification",
    ),
    ("ForMultipleChoice", "multiple-choice", "Multiple choice"),
    ("Model", "feature-extraction", "Features (embeddings)"),
];

pub(super) fn analyze(view: &View<'_>) -> Transformers {
    let config = view.config("config.json");
    // Multimodal models keep the sizes of their language model one level down.
    let text = config.get("text_config");
    let number = |keys: &[&str]| config.first_number(keys).or_else(|| text.first_number(keys));
    let architecture = view.architecture().unwrap_or_default();
    let (task, task_description) = TASKS
        .iter()
        .find(|(ending, ..)| architecture.ends_with(ending))
        .map_or(("unknown", "Unknown task"), |(_, task, words)| (*task, *words));
    let dtype = config
        .text("torch_dtype")
        .or_else(|| config.text("dtype"))
        .or_else(|| text.text("torch_dtype"))
        .or_else(|| text.text("dtype"));
    let mut out = Transformers {
        architecture_description: description(&architecture, task_description),
        architecture,
        task: task.to_owned(),
        task_description: task_description.to_owned(),
        model_type: config.text("model_type").unwrap_or_default(),
        hidden_size: number(&["hidden_size", "d_model", "n_embd"]),
        num_hidden_layers: number(&["num_hidden_layers", "n_layer", "num_layers"]),
        num_attention_heads: number(&["num_attention_heads", "n_head", "num_heads"]),
        intermediate_size: number(&["intermediate_size", "d_ff", "n_inner", "ffn_dim"]),
        vocab_size: number(&["vocab_size"]),
        max_position_embeddings: number(&["max_position_embeddings", "n_positions"]),
        precision: dtype.as_deref().map(|text| precision(text).to_owned()),
        torch_dtype: dtype,
        backends: backends(view),
        special_tokens: special_tokens(view.config("tokenizer_config.json")),
        generation_config: plain_values(view.config("generation_config.json")),
        weight_files: weight_files(view),
        tokenizer: tokenizer(view.config("tokenizer_config.json")),
        ..Transformers::default()
    };
    out.context_length = number(&[
        "max_position_embeddings",
        "n_positions",
        "max_seq_len",
        "seq_length",
        "n_ctx",
    ]);
    out.shard_count = out
        .weight_files
        .iter()
        .filter(|file| file.shard_total.is_some())
        .count() as u64;
    out.is_sharded = out.shard_count > 0;
    out.estimated_parameters_num = exact_parameters(view).or_else(|| estimate(&out));
    out.estimated_parameters = out.estimated_parameters_num.map(human_count);
    out
}

fn description(architecture: &str, task: &str) -> String {
    if architecture.is_empty() {
        return String::new();
    }
    let end = TASKS
        .iter()
        .find_map(|(ending, ..)| architecture.strip_suffix(ending))
        .filter(|name| !name.is_empty());
    format!("{}: {}", end.unwrap_or(architecture), task.to_lowercase())
}

fn precision(dtype: &str) -> &str {
    match dtype.trim_start_matches("torch.") {
        "float32" => "fp32",
        "float16" => "fp16",
        "bfloat16" => "bf16",
        "float8_e4m3fn" => "fp8",
        other => other,
    }
}

fn backends(view: &View<'_>) -> Vec<&'static str> {
    let mut backends = Vec::new();
    let has = |family| view.has_family(&[family]);
    if has(Family::Safetensors) || has(Family::Pytorch) {
        backends.extend(["transformers", "vllm", "text-generation-inference"]);
    }
    let others = [
        (Family::Onnx, "onnxruntime"),
        (Family::Openvino, "openvino"),
        (Family::Gguf, "llama.cpp"),
        (Family::Flax, "flax"),
        (Family::Tensorflow, "tensorflow"),
    ];
    backends.extend(
        others
            .into_iter()
            .filter(|(family, _)| has(*family))
            .map(|(_, name)| name),
    );
    backends
}

fn weight_files(view: &View<'_>) -> Vec<WeightFile> {
    let mut files = Vec::new();
    for weight in &view.weights {
        let file = &view.files[weight.index];
        let path = file.path.as_str();
        let format = match weight.family {
            Family::Safetensors => "safetensors",
            Family::Pytorch if path.ends_with(".bin") => "pytorch_bin",
            Family::Pytorch => "pytorch",
            _ => continue,
        };
        files.push(WeightFile {
            path: path.to_owned(),
            name: file.path.file_name().to_owned(),
            size: file.size_bytes,
            size_human: human_size(file.size_bytes),
            format,
            shard_index: weight.shard.map(|shard| shard.number),
            shard_total: weight.shard.map(|shard| shard.total),
        });
    }
    files
}

fn tokenizer(config: Config<'_>) -> Option<Tokenizer> {
    config.is_object().then(|| {
        let template = config.get("chat_template").0.and_then(Value::as_str);
        Tokenizer {
            kind: config.text("tokenizer_class"),
            vocab_size: config.number("vocab_size"),
            model_max_length: config.number("model_max_length"),
            padding_side: config.text("padding_side"),
            truncation_side: config.text("truncation_side"),
            add_bos_token: config.flag("add_bos_token"),
            add_eos_token: config.flag("add_eos_token"),
            chat_template: template
                .filter(|text| text.len() <= MAX_TEMPLATE_BYTES)
                .map(str::to_owned),
            has_chat_template: config.get("chat_template").is_there(),
        }
    })
}

fn special_tokens(config: Config<'_>) -> serde_json::Map<String, Value> {
    const NAMES: [&str; 7] = [
        "bos_token",
        "eos_token",
        "unk_token",
        "pad_token",
        "sep_token",
        "cls_token",
        "mask_token",
    ];
    let mut tokens = serde_json::Map::new();
    for name in NAMES {
        let text = config.text(name).or_else(|| config.get(name).text("content"));
        if let Some(text) = text {
            tokens.insert(name.to_owned(), Value::String(text));
        }
    }
    tokens
}

/// The top level of a config file without what is large: texts up to 1,000 bytes, numbers,
/// flags, lists of up to 16 of them; at most 200 keys.
pub(super) fn plain_values(config: Config<'_>) -> serde_json::Map<String, Value> {
    fn is_plain(value: &Value) -> bool {
        match value {
            Value::String(text) => text.len() <= 1000,
            Value::Number(_) | Value::Bool(_) => true,
            _ => false,
        }
    }
    let Some(Value::Object(object)) = config.0 else {
        return serde_json::Map::new();
    };
    let is_kept = |value: &Value| match value {
        Value::Array(list) => list.len() <= 16 && list.iter().all(is_plain),
        value => is_plain(value),
    };
    object
        .iter()
        .filter(|(key, value)| key.len() <= 200 && is_kept(value))
        .take(200)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The sum over all safetensors files of one format and variant, when each header is known.
fn exact_parameters(view: &View<'_>) -> Option<u64> {
    let mut sum: u64 = 0;
    let mut any = false;
    for weight in &view.weights {
        if weight.family != Family::Safetensors || weight.variant.is_some() {
            continue;
        }
        let Some(HeaderFacts::Safetensors(header)) = view.facts.headers.get(view.paths[weight.index]) else {
            return None;
        };
        any = true;
        sum = sum.saturating_add(header.parameter_count);
    }
    any.then_some(sum)
}

/// V·H + L·(4H² + 2·H·I + 2H) + H, with 8H² for an unknown I.
fn estimate(model: &Transformers) -> Option<u64> {
    let hidden = u128::from(model.hidden_size?);
    let layers = u128::from(model.num_hidden_layers?);
    let vocabulary = u128::from(model.vocab_size.unwrap_or(0));
    let feed_forward = match model.intermediate_size {
        Some(size) => 2 * hidden * u128::from(size),
        None => 8 * hidden * hidden,
    };
    // Config numbers are below 2^40, so the product of three stays below 2^125.
    let sum = vocabulary * hidden + layers * (4 * hidden * hidden + feed_forward + 2 * hidden) + hidden;
    u64::try_from(sum).ok().filter(|sum| *sum > 0)
}

/// `7.2B`, `135.0M`.
fn human_count(count: u64) -> String {
    let count = count as f64;
    for (unit, size) in [("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)] {
        if count >= size {
            return format!("{:.1}{unit}", count / size);
        }
    }
    format!("{count}")
}
