//! Any file list and any config: no panic, and each filter selects exactly its item.

use proptest::prelude::*;

use super::*;

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "model", "Q4_K_M", "q4_k", "UD-Q4_K_XL", "Q4_K_XL", "train", "test", "data", "unet", "vae", "mmproj",
            "fp16", "a,b", "x y", "[z]", "{q}", "F16", "BF16", "draft", "mtp-x", "onnx", "日本", "é", "*", "?", "o!",
        ]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9 ,._{}!^-]{1,12}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    let name = (
        prop::collection::vec(segment(), 1..4),
        prop::sample::select(vec!["-", ".", "_", ""]),
    );
    let shard = prop::option::of((1u32..4, 1u32..4));
    let extension = prop::sample::select(vec![
        "gguf",
        "safetensors",
        "bin",
        "onnx",
        "onnx_data",
        "parquet",
        "json",
        "txt",
        "fp16.safetensors",
        "pth",
        "xml",
    ]);
    (prop::collection::vec(segment(), 0..3), name, shard, extension).prop_map(
        |(folders, (words, joint), shard, extension)| {
            let shard = shard.map_or(String::new(), |(n, total)| format!("-{n:05}-of-{total:05}"));
            let name = format!("{}{shard}.{extension}", words.join(joint));
            folders.into_iter().chain([name]).collect::<Vec<_>>().join("/")
        },
    )
}

fn config() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        prop::sample::select(vec![
            "llama",
            "whisper",
            "vit",
            "gptq",
            "LlamaForCausalLM",
            "é",
            ""
        ])
        .prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "model_type",
        "architectures",
        "hidden_size",
        "num_hidden_layers",
        "vocab_size",
        "intermediate_size",
        "quantization_config",
        "quant_method",
        "bits",
        "group_size",
        "vision_config",
        "text_config",
        "unet",
        "vae",
        "size",
        "image_mean",
        "id2label",
        "task_specific_params",
        "r",
        "lora_alpha",
        "chat_template",
        "bos_token",
    ]);
    leaf.prop_recursive(3, 30, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn each_filter_selects_exactly_its_item(
        paths in prop::collection::btree_set(path(), 0..40),
        configs in prop::collection::vec((0..WANTED_CONFIGS.len(), config()), 0..4),
        is_dataset in any::<bool>(),
        size in prop_oneof![Just(10u64), Just(20 * MB), Just(u64::MAX)],
    ) {
        let mut repo = if is_dataset { Repo::dataset("o/exl2") } else { Repo::model("o/exl2") };
        let mut folded = BTreeSet::new();
        for path in paths {
            // Paths that differ only in case are refused before anything is planned.
            if path.parse::<crate::model::repo::RepoPath>().is_ok() && folded.insert(path.to_lowercase()) {
                repo = repo.file(&path, size);
            }
        }
        repo = repo.branch("4.0bpw").tag("base_model:adapter:x/y").tag("base_model:");
        for (index, value) in configs {
            repo.configs.insert(WANTED_CONFIGS[index].to_owned(), value);
        }
        let report = repo.analyze();
        prop_assert_eq!(report.file_count as usize, repo.files.len());
    }
}

/// What the matcher cannot tell apart is left out; that must stay the rare case.
#[test]
fn odd_names_still_get_a_filter() {
    let names = [
        "a,b.Q4_0.gguf",
        "x [1].Q8_0.gguf",
        "日本.Q6_K.gguf",
        "ü/Q5_0.gguf",
        "w{q}.F32.gguf",
        "m!.bf16.gguf",
    ];
    let report = Repo::model("o/odd").files(GB, &names).analyze();
    assert_eq!(
        report.selectable_items.len(),
        names.len(),
        "{:?}",
        report.warnings
    );
    assert!(report.warnings.is_empty());
}
