//! One realistic repo of each kind.

use super::*;

#[test]
fn a_diffusers_repo_offers_whole_variants_and_recommends_fp16() {
    let mut repo = Repo::model("stabilityai/stable-diffusion-xl-base-1.0")
        .config(
            "model_index.json",
            json!({
                "_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0",
                "scheduler": ["diffusers", "EulerDiscreteScheduler"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "unet": ["diffusers", "UNet2DConditionModel"],
                "vae": ["diffusers", "AutoencoderKL"],
                "safety_checker": [null, null],
            }),
        )
        .file("sd_xl_base_1.0.safetensors", 6_900 * MB)
        .files(
            1_000,
            &[
                "scheduler/scheduler_config.json",
                "unet/config.json",
                "vae/config.json",
            ],
        )
        .files(500_000, &["tokenizer/merges.txt", "tokenizer/vocab.json"])
        .file("vae_decoder/model.onnx", 200 * MB)
        .file("unet/model.onnx", MB)
        .file("unet/model.onnx_data", 10 * GB)
        .file("unet/diffusion_flax_model.msgpack", 10 * GB);
    for (folder, name) in [
        ("text_encoder", "model"),
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
    ] {
        for ending in ["fp16.safetensors", "safetensors", "bin", "fp16.bin"] {
            repo = repo.file(&format!("{folder}/{name}.{ending}"), GB);
        }
    }
    let report = repo.analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "diffusers");
    assert_eq!(json["diffusers"]["pipeline_type"], "StableDiffusionXLPipeline");
    assert_eq!(json["diffusers"]["variants"], json!(["fp16"]));
    let names: Vec<_> = json["diffusers"]["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["scheduler", "text_encoder", "tokenizer", "unet", "vae"]);
    assert_eq!(
        item(&report, "fp16").files,
        [
            "text_encoder/model.fp16.safetensors",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/diffusion_pytorch_model.fp16.safetensors"
        ],
        "one format for each component"
    );
    assert_eq!(
        item(&report, "unet").files,
        ["unet/diffusion_pytorch_model.fp16.safetensors"]
    );
    assert_eq!(
        report.recommended_filters,
        ["*.fp16*.safetensors"],
        "the components add nothing to it"
    );
    assert_eq!(item(&report, "onnx").files.len(), 3);
    assert!(!item(&report, "sd_xl_base_1.0.safetensors").recommended);
}

#[test]
fn a_variant_that_lacks_a_component_takes_the_plain_one() {
    let report = Repo::model("o/sd")
        .config(
            "model_index.json",
            json!({"unet": ["diffusers", "U"], "vae": ["diffusers", "V"]}),
        )
        .files(
            GB,
            &[
                "unet/m.fp16.safetensors",
                "unet/m.safetensors",
                "vae/m.safetensors",
            ],
        )
        .file("tokenizer_2/spiece.model", 800_000)
        .analyze();
    assert_eq!(
        item(&report, "fp16").files,
        [
            "unet/m.fp16.safetensors",
            "vae/m.safetensors",
            "tokenizer_2/spiece.model"
        ]
    );
    assert_eq!(item(&report, "default").files.len(), 3);
}

fn llama() -> Repo {
    Repo::model("meta-llama/Llama-3.1-8B")
        .config(
            "config.json",
            json!({
                "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
                "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 14336,
                "vocab_size": 128256, "max_position_embeddings": 131072, "torch_dtype": "bfloat16",
            }),
        )
        .config("tokenizer_config.json", json!({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": "{{ x }}"}))
        .file("tokenizer.json", 17 * MB)
        .files(5 * GB, &["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
        .file("model.safetensors.index.json", 24_000)
        .file("original/consolidated.00.pth", 16 * GB)
        .file("original/tokenizer.model", 2 * MB)
}

#[test]
fn a_transformers_repo_offers_formats_with_the_tokenizer_they_need() {
    let report = llama().analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "transformers");
    let block = &json["transformers"];
    assert_eq!(block["architecture"], "LlamaForCausalLM");
    assert_eq!(block["task"], "text-generation");
    assert_eq!(block["precision"], "bf16");
    assert_eq!(block["is_sharded"], true);
    assert_eq!(block["shard_count"], 2);
    assert_eq!(block["weight_files"][0]["shard_index"], 1);
    assert_eq!(block["context_length"], 131072);
    assert_eq!(block["tokenizer"]["has_chat_template"], true);
    assert_eq!(block["special_tokens"]["eos_token"], "</s>");
    let parameters = block["estimated_parameters_num"].as_u64().unwrap();
    assert_eq!(
        parameters,
        128256 * 4096 + 32 * (4 * 4096 * 4096 + 2 * 4096 * 14336 + 2 * 4096) + 4096
    );
    assert_eq!(ids(&report), ["safetensors", "original"]);
    assert_eq!(
        item(&report, "safetensors").files,
        [
            "tokenizer.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors"
        ]
    );
    assert_eq!(report.recommended_filters, [".safetensors", "tokenizer.json"]);
    assert_eq!(json["metadata"]["config.json"]["hidden_size"], 4096);
    assert!(json["metadata"].get("tokenizer_config.json").is_none());
}

#[test]
fn headers_give_the_exact_number_of_parameters() {
    let mut repo = llama();
    for (part, count) in [
        ("model-00001-of-00002.safetensors", 5_000_000_000),
        ("model-00002-of-00002.safetensors", 3_030_261_248),
    ] {
        let header = safetensors_header::SafetensorsHeader {
            parameter_count: count,
            ..Default::default()
        };
        repo.headers.insert(part.into(), HeaderFacts::Safetensors(header));
    }
    let block = repo.analyze().transformers.unwrap();
    assert_eq!(block.estimated_parameters_num, Some(8_030_261_248));
    assert_eq!(block.estimated_parameters.as_deref(), Some("8.0B"));
}

#[test]
fn a_missing_shard_is_a_warning_and_another_revision_is_kept() {
    let mut repo = llama();
    repo.revision = "v2";
    repo.files
        .retain(|file| !file.path.as_str().starts_with("model-00001"));
    let report = repo.analyze();
    assert!(
        report.warnings[0].contains("part 1 is missing"),
        "{:?}",
        report.warnings
    );
    assert_eq!(report.recommended_download.revision.as_deref(), Some("v2"));
    assert_eq!(report.branch, "v2");
}

#[test]
fn sentence_transformers_list_every_family_of_weights() {
    let report = Repo::model("sentence-transformers/all-MiniLM-L6-v2")
        .config(
            "config.json",
            json!({"architectures": ["BertModel"], "model_type": "bert"}),
        )
        .files(
            90 * MB,
            &[
                "model.safetensors",
                "pytorch_model.bin",
                "tf_model.h5",
                "rust_model.ot",
            ],
        )
        .files(
            90 * MB,
            &[
                "onnx/model.onnx",
                "onnx/model_O1.onnx",
                "onnx/model_qint8_avx512.onnx",
            ],
        )
        .files(
            90 * MB,
            &[
                "openvino/openvino_model.bin",
                "openvino/openvino_model_qint8_quantized.bin",
            ],
        )
        .files(
            200_000,
            &[
                "openvino/openvino_model.xml",
                "openvino/openvino_model_qint8_quantized.xml",
            ],
        )
        .files(1000, &["1_Pooling/config.json", "train_script.py"])
        .analyze();
    assert_eq!(report.kind, Kind::Transformers);
    assert_eq!(
        ids(&report),
        ["safetensors", "pytorch", "onnx", "openvino", "tensorflow", "rust"]
    );
    assert_eq!(item(&report, "pytorch").files, ["pytorch_model.bin"]);
    assert_eq!(report.recommended_filters, [".safetensors"]);
    assert_eq!(report.onnx.unwrap().models.len(), 3);
}

#[test]
fn precisions_of_one_format_are_choices_of_their_own() {
    let report = Repo::model("o/m")
        .config("config.json", json!({"model_type": "bert"}))
        .files(GB, &["model.safetensors", "model.fp16.safetensors"])
        .analyze();
    assert_eq!(ids(&report), ["safetensors", "safetensors-fp16"]);
    assert_eq!(item(&report, "safetensors").files, ["model.safetensors"]);
    assert_eq!(item(&report, "safetensors-fp16").category, Category::Precision);
    assert_eq!(recommended(&report), ["safetensors"]);
}

#[test]
fn whisper_is_audio_vit_is_vision_llava_is_multimodal() {
    let whisper = Repo::model("openai/whisper-large-v3")
        .config("config.json", json!({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "forced_decoder_ids": [[1, null]]}))
        .config("preprocessor_config.json", json!({"feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor", "sampling_rate": 16000, "feature_size": 128}))
        .files(3 * GB, &["model.safetensors", "model.fp32-00001-of-00002.safetensors", "model.fp32-00002-of-00002.safetensors", "flax_model.msgpack"])
        .analyze();
    let json = as_json(&whisper);
    assert_eq!(
        (json["type"].as_str(), json["audio"]["task"].as_str()),
        (Some("audio"), Some("automatic-speech-recognition"))
    );
    assert_eq!(json["audio"]["sample_rate"], 16000);
    assert_eq!(json["audio"]["feature_extractor_type"], "WhisperProcessor");
    assert_eq!(json["audio"]["languages"], json!(["multilingual"]));
    assert!(json["transformers"].is_object());
    assert_eq!(ids(&whisper), ["safetensors", "safetensors-fp32", "flax"]);

    let vit = Repo::model("google/vit-base-patch16-224")
        .config("config.json", json!({"model_type": "vit", "architectures": ["ViTForImageClassification"], "id2label": {"0": "a", "1": "b"}}))
        .config("preprocessor_config.json", json!({"feature_extractor_type": "ViTFeatureExtractor", "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 224}))
        .files(300 * MB, &["model.safetensors", "pytorch_model.bin"])
        .analyze();
    let json = as_json(&vit);
    assert_eq!(
        (json["type"].as_str(), json["vision"]["task"].as_str()),
        (Some("vision"), Some("image-classification"))
    );
    assert_eq!(json["vision"]["image_size"], json!({"height": 224, "width": 224}));
    assert_eq!(
        (
            json["vision"]["num_channels"].as_u64(),
            json["vision"]["num_labels"].as_u64()
        ),
        (Some(3), Some(2))
    );

    let llava = Repo::model("llava-hf/llava-1.5-7b-hf")
        .config("config.json", json!({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"], "vision_config": {"model_type": "clip_vision_model", "image_size": 336}, "text_config": {"model_type": "llama", "max_position_embeddings": 4096}}))
        .config("processor_config.json", json!({"processor_class": "LlavaProcessor"}))
        .file("model.safetensors", 14 * GB)
        .analyze();
    let json = as_json(&llava);
    assert_eq!(
        (json["type"].as_str(), json["multimodal"]["task"].as_str()),
        (Some("multimodal"), Some("image-text-to-text"))
    );
    assert_eq!(json["multimodal"]["modalities"], json!(["image", "text"]));
    assert_eq!(json["multimodal"]["image_size"]["width"], 336);
    assert_eq!(json["multimodal"]["max_text_length"], 4096);
}

#[test]
fn a_model_type_is_compared_as_a_whole() {
    for (model_type, kind) in [
        ("git", Kind::Multimodal),
        ("digital", Kind::Transformers),
        ("clipseg", Kind::Transformers),
        ("vits", Kind::Audio),
        ("vit_mae", Kind::Vision),
        ("qwen2_vl", Kind::Multimodal),
        ("qwen2", Kind::Transformers),
    ] {
        let report = Repo::model("o/m")
            .config("config.json", json!({"model_type": model_type}))
            .file("model.safetensors", GB)
            .analyze();
        assert_eq!(report.kind, kind, "{model_type}");
    }
}

#[test]
fn an_onnx_repo_offers_precisions_with_their_data() {
    let report = Repo::model("onnx-community/m")
        .config("config.json", json!({"model_type": "bert"}))
        .files(
            GB,
            &[
                "onnx/model.onnx",
                "onnx/model.onnx_data",
                "onnx/model.onnx_data_1",
                "onnx/model_fp16.onnx",
                "onnx/model_fp16.onnx_data",
                "onnx/model_int8.onnx",
                "onnx/model_uint8.onnx",
                "onnx/model_q4.onnx",
                "onnx/model_q4f16.onnx",
            ],
        )
        .analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "onnx");
    assert_eq!(json["onnx"]["models"].as_array().unwrap().len(), 6);
    assert_eq!(json["onnx"]["models"][0]["variant"], "fp32");
    assert_eq!(json["onnx"]["quantized"], true);
    assert_eq!(item(&report, "onnx-fp32").files.len(), 3);
    assert_eq!(
        item(&report, "onnx-fp16").files,
        ["onnx/model_fp16.onnx", "onnx/model_fp16.onnx_data"]
    );
    assert_eq!(item(&report, "onnx-q4").files, ["onnx/model_q4.onnx"]);
    assert_eq!(recommended(&report), ["onnx-fp32"]);
}

#[test]
fn a_repo_of_anything_else_is_generic_and_can_still_be_downloaded() {
    let report = Repo::model("o/things").file("notes.txt", 10).analyze();
    let json = as_json(&report);
    assert_eq!(
        (json["type"].as_str(), json["type_description"].as_str()),
        (Some("generic"), Some("Generic repository"))
    );
    assert_eq!(json["recommended_download"], json!({"repo": "o/things"}));
    assert_eq!(json["recommended_filters"], json!([]));
    assert_eq!(json["refs"], json!([]));
    for key in [
        "repo",
        "is_dataset",
        "files",
        "file_count",
        "total_size",
        "total_size_human",
        "branch",
        "commit",
        "analyzed_at",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
}
