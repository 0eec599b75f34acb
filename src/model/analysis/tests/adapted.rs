//! Models made of others: adapters and quantisations.

use super::*;

#[test]
fn a_lora_names_its_base_model() {
    let report = Repo::model("o/lora")
        .config("adapter_config.json", json!({
            "peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf", "r": 16,
            "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM",
        }))
        .file("adapter_model.safetensors", 30 * MB)
        .analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "lora");
    assert_eq!(json["lora"]["base_model"], "meta-llama/Llama-2-7b-hf");
    assert_eq!(json["lora"]["rank"], 16);
    assert_eq!(json["lora"]["alpha"], 32.0);
    assert_eq!(json["related_downloads"][0]["repo"], "meta-llama/Llama-2-7b-hf");
    assert_eq!(json["related_downloads"][0]["required"], true);
    assert_eq!(json["recommended_download"], json!({"repo": "o/lora"}));
    assert_eq!(json["selectable_items"], json!([]));
}

#[test]
fn gptq_and_awq_are_sent_under_both_names() {
    let gptq = Repo::model("TheBloke/Mistral-7B-Instruct-v0.2-GPTQ")
        .config(
            "config.json",
            json!({"model_type": "mistral", "hidden_size": 4096, "num_hidden_layers": 32}),
        )
        .config(
            "quantize_config.json",
            json!({"bits": 4, "group_size": 128, "desc_act": true, "sym": true}),
        )
        .file("model.safetensors", 4 * GB)
        .branch("main")
        .branch("gptq-8bit-32g-actorder_True")
        .analyze();
    let json = as_json(&gptq);
    assert_eq!(json["type"], "gptq");
    assert_eq!(json["gptq"]["bits"], 4);
    assert_eq!(json["gptq"], json["quantized"]);
    assert_eq!(json["gptq"]["symmetric"], true);
    assert_eq!(
        json["gptq"]["estimated_vram"],
        (12.0 * 4096.0 * 4096.0 * 32.0 * 4.0 / 8.0 * 1.2) as u64
    );
    assert!(json.get("awq").is_none());
    assert_eq!(ids(&gptq), ["branch-gptq-8bit-32g-actorder_true"]);
    assert!(recommended(&gptq).is_empty());

    let awq = Repo::model("o/m-AWQ")
        .config("config.json", json!({"model_type": "llama", "quantization_config": {"quant_method": "awq", "bits": 4, "zero_point": true}}))
        .file("model.safetensors", 4 * GB)
        .analyze();
    let json = as_json(&awq);
    assert_eq!(
        (json["type"].as_str(), json["awq"]["bits"].as_u64()),
        (Some("awq"), Some(4))
    );
    assert!(json["transformers"].is_object());
}

#[test]
fn an_exl2_repo_recommends_the_branch_nearest_to_four_bits() {
    let report = Repo::model("turboderp/Llama-3-8B-exl2")
        .branch("main")
        .branch("2.4bpw")
        .branch("4.25bpw-h8")
        .branch("6.0bpw")
        .file("measurement.json", 20_000)
        .analyze();
    assert_eq!(report.kind, Kind::Quantized);
    assert_eq!(report.quantized.as_ref().unwrap().branches.len(), 3);
    assert_eq!(recommended(&report), ["branch-4.25bpw-h8"]);
    assert_eq!(
        as_json(&report)["recommended_download"],
        json!({"repo": "turboderp/Llama-3-8B-exl2", "revision": "4.25bpw-h8"})
    );
}

#[test]
fn other_quantizations_have_a_type_of_their_own() {
    for (config, method) in [
        (json!({"quantization_config": {"quant_method": "fp8"}}), "fp8"),
        (
            json!({"quantization_config": {"load_in_4bit": true}}),
            "bitsandbytes",
        ),
        (json!({"quantization": {"bits": 4, "group_size": 64}}), "mlx"),
    ] {
        let report = Repo::model("o/m")
            .config("config.json", config)
            .file("model.safetensors", GB)
            .analyze();
        assert_eq!(report.kind, Kind::Quantized, "{method}");
        assert_eq!(report.quantized.unwrap().method, method);
        assert!(report.gptq.is_none() && report.awq.is_none());
    }
}
