//! LoRA and other PEFT adapters: what `adapter_config.json` says.

use serde::Serialize;
use utoipa::ToSchema;

use super::view::View;

/// The `lora` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of adapter_config.json, as PEFT documents them.
pub struct Lora {
    pub adapter_type: String,
    pub adapter_description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    pub target_modules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_in_fan_out: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_lora_weights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quant_type: Option<String>,
}

/// `peft_type` and what it is.
const ADAPTERS: [(&str, &str); 8] = [
    ("LORA", "Low-rank adaptation"),
    ("ADALORA", "Low-rank adaptation with a rank for each layer"),
    ("LOHA", "Low-rank adaptation with Hadamard products"),
    ("LOKR", "Low-rank adaptation with Kronecker products"),
    ("IA3", "Scaled activations"),
    ("PREFIX_TUNING", "Trained prefix"),
    ("P_TUNING", "Trained prompt"),
    ("PROMPT_TUNING", "Trained prompt"),
];

pub(super) fn analyze(view: &View<'_>) -> Lora {
    let config = view.config("adapter_config.json");
    let kind = config.text("peft_type").unwrap_or_else(|| "LORA".to_owned());
    let is_dora = config.flag("use_dora") == Some(true);
    let description = match ADAPTERS.iter().find(|(name, _)| *name == kind) {
        Some(("LORA", _)) if is_dora => "Weight-decomposed low-rank adaptation",
        Some((_, words)) => words,
        None => "PEFT adapter",
    };
    let by_tag = || view.base_models().into_iter().next().map(|(repo, _)| repo);
    // `true` and the names of methods are both legal.
    let init = config
        .text("init_lora_weights")
        .or_else(|| config.flag("init_lora_weights").map(|flag| flag.to_string()));
    Lora {
        adapter_type: if is_dora { "DORA".to_owned() } else { kind },
        adapter_description: description,
        base_model: config.text("base_model_name_or_path").or_else(by_tag),
        rank: config.number("r"),
        alpha: config.float("lora_alpha"),
        dropout: config.float("lora_dropout"),
        target_modules: config.texts("target_modules"),
        bias: config.text("bias"),
        task_type: config.text("task_type"),
        fan_in_fan_out: config.flag("fan_in_fan_out"),
        init_lora_weights: init,
        quant_type: config.get("quantization_config").text("quant_method"),
    }
}
