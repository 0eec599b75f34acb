//! GGUF and dataset repos, where the choice is everything.

use super::*;

fn mistral() -> Repo {
    let quants = [
        ("Q2_K", 3083),
        ("Q3_K_L", 3822),
        ("Q3_K_M", 3518),
        ("Q3_K_S", 3164),
        ("Q4_0", 4108),
        ("Q4_K_M", 4368),
        ("Q4_K_S", 4140),
        ("Q5_0", 4997),
        ("Q5_K_M", 5131),
        ("Q5_K_S", 4997),
        ("Q6_K", 5942),
        ("Q8_0", 7695),
    ];
    quants.iter().fold(
        Repo::model("TheBloke/Mistral-7B-Instruct-v0.2-GGUF").file("config.json", 31),
        |repo, (name, size)| repo.file(&format!("mistral-7b-instruct-v0.2.{name}.gguf"), size * MB),
    )
}

#[test]
fn a_gguf_repo_offers_one_item_for_each_quantization_and_recommends_q4_k_m() {
    let report = mistral()
        .tag("base_model:mistralai/Mistral-7B-Instruct-v0.2")
        .tag("base_model:quantized:mistralai/Mistral-7B-Instruct-v0.2")
        .analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "gguf");
    assert_eq!(json["file_count"], 15);
    assert_eq!(json["branch"], "main");
    assert_eq!(json["analyzed_at"], "2024-01-15T10:30:00Z");
    assert_eq!(json["gguf"]["model_name"], "Mistral-7B-Instruct-v0.2");
    assert_eq!(json["gguf"]["parameter_count"], "7B");
    assert_eq!(json["gguf"]["quantizations"].as_array().unwrap().len(), 12);
    assert_eq!(
        json["gguf"]["quantizations"][0]["name"], "Q8_0",
        "the largest comes first"
    );
    let q4 = json["gguf"]["quantizations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|q| q["name"] == "Q4_K_M")
        .unwrap();
    assert_eq!(q4["quality"], 4);
    assert_eq!(q4["quality_stars"], "★★★★☆");
    assert_eq!(q4["estimated_ram"], 4_368_000_000u64 * 11 / 10 + 500 * 1_048_576);
    assert_eq!(q4["files"], json!(["mistral-7b-instruct-v0.2.Q4_K_M.gguf"]));
    assert_eq!(q4["filter"], "q4_k_m");
    assert_eq!(q4["file"]["lfs"], true);
    assert_eq!(q4["file"]["is_lfs"], true);
    assert_eq!(q4["file"]["directory"], ".");
    assert_eq!(json["recommended_filters"], json!(["q4_k_m"]));
    assert_eq!(
        json["recommended_download"],
        json!({"repo": "TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "filters": ["q4_k_m"]})
    );
    let chain = &json["gguf"]["model_chain"];
    assert_eq!(
        chain[0],
        json!({"repo": "mistralai/Mistral-7B-Instruct-v0.2", "is_current": false})
    );
    assert_eq!(chain[1]["relation"], "quantized");
    assert_eq!(chain[1]["is_current"], true);
}

#[test]
fn the_memory_estimate_follows_the_formula_to_the_byte() {
    assert_eq!(gguf::estimated_ram(4_368_438_272), 5_329_570_099);
    assert_eq!(gguf::estimated_ram(u64::MAX), u64::MAX);
}

fn unsloth() -> Repo {
    let mut repo = Repo::model("unsloth/Qwen3-VL-235B-A22B-Instruct-GGUF").config("config.json", json!({}));
    for name in [
        "Q4_K_XL",
        "Q4_K_M",
        "UD-Q4_K_M",
        "UD-Q4_K_XL",
        "UD-Q2_K_XL",
        "Q8_0",
        "BF16",
    ] {
        let count = if name == "BF16" { 10 } else { 3 };
        for number in 1..=count {
            let path = format!("{name}/Qwen3-VL-235B-{name}-{number:05}-of-{count:05}.gguf");
            repo = repo.file(&path, 49 * GB);
        }
    }
    repo.file("mmproj-BF16.gguf", 900 * MB)
        .file("mmproj-F16.gguf", 900 * MB)
        .file("mmproj-F32.gguf", 1800 * MB)
        .file("imatrix_unsloth.gguf", 12 * MB)
}

#[test]
fn dynamic_quants_stay_apart_and_the_parts_of_a_split_file_together() {
    let report = unsloth().analyze();
    assert_eq!(
        item(&report, "q4_k_m").files,
        [1, 2, 3].map(|n| format!("Q4_K_M/Qwen3-VL-235B-Q4_K_M-{n:05}-of-00003.gguf"))
    );
    assert_eq!(item(&report, "ud-q4_k_xl").label, "UD-Q4_K_XL");
    assert_eq!(item(&report, "bf16").files.len(), 10);
    assert!(!ids(&report).iter().any(|id| id.contains("imatrix")));
    assert_eq!(
        recommended(&report),
        ["q4_k_m", "mmproj-f16"],
        "{:?}",
        ids(&report)
    );
    assert_eq!(item(&report, "mmproj-f16").category, Category::VisionEncoder);
    assert_eq!(report.recommended_filters, ["q4_k_m", "mmproj-f16"]);
    assert!(
        report.recommended_download.exact_match,
        "q4_k_m also hits UD-Q4_K_M"
    );
    let gguf = report.gguf.as_ref().unwrap();
    assert_eq!(gguf.mmproj_files.len(), 3);
    let q8 = gguf.quantizations.iter().find(|q| q.name == "Q8_0").unwrap();
    assert_eq!((q8.parts, q8.size, q8.file.size), (Some(3), 147 * GB, 147 * GB));
    assert!(report.warnings.is_empty());
}

#[test]
fn a_missing_part_is_named_and_the_quantization_not_recommended() {
    let mut repo = unsloth();
    repo.files
        .retain(|file| !file.path.as_str().contains("/Qwen3-VL-235B-Q4_K_M-00002"));
    let report = repo.analyze();
    let warning = item(&report, "q4_k_m").warning.clone().unwrap();
    assert!(
        warning.contains("part 2 is missing") && warning.contains("its 3 parts"),
        "{warning}"
    );
    assert!(report.warnings.contains(&warning));
    assert!(!item(&report, "q4_k_m").recommended);
    assert!(item(&report, "ud-q4_k_m").recommended);
}

#[test]
fn two_models_of_one_quantization_are_two_items() {
    let report = Repo::model("o/two-GGUF")
        .files(
            4 * GB,
            &[
                "a-7b-Q4_K_M.gguf",
                "a-7b-Q4_K_M-mtp.gguf",
                "b-7b.Q4_K_M.gguf",
                "strange.gguf",
            ],
        )
        .files(100 * MB, &["mtp-a-Q8_0.gguf"])
        .analyze();
    assert_eq!(
        ids(&report),
        [
            "a-7b-q4_k_m",
            "a-7b-q4_k_m-mtp",
            "b-7b.q4_k_m",
            "strange",
            "draft-mtp-a-q8_0"
        ]
    );
    assert_eq!(recommended(&report).len(), 1);
    let gguf = report.gguf.unwrap();
    assert_eq!(gguf.quantizations[3].name, "Unknown");
    assert_eq!(gguf.draft_files.len(), 1);
}

#[test]
fn without_q4_k_m_the_best_that_fits_is_recommended_and_a_lone_file_always() {
    let repo = Repo::model("o/m-GGUF")
        .file("m-Q8_0.gguf", 30 * GB)
        .file("m-Q5_K_S.gguf", 9 * GB);
    assert_eq!(
        recommended(&repo.file("m-Q5_K_M.gguf", 12 * GB).analyze()),
        ["q5_k_s"]
    );
    assert_eq!(
        recommended(&Repo::model("o/m").file("model.gguf", GB).analyze()),
        ["model"]
    );
    let drafts = Repo::model("o/m").file("Qwen-DRAFT-0.6B-Q8_0.gguf", GB).analyze();
    assert_eq!(recommended(&drafts), ["q8_0"]);
}

#[test]
fn safetensors_beside_gguf_files_can_be_chosen_too() {
    let report = Repo::model("o/m")
        .file("m-f16.gguf", 14 * GB)
        .files(
            7 * GB,
            &[
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
        )
        .config(
            "config.json",
            json!({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}),
        )
        .file("tokenizer.model", MB)
        .analyze();
    assert_eq!(ids(&report), ["f16", "safetensors"]);
    assert_eq!(recommended(&report), ["f16"]);
    assert!(
        item(&report, "safetensors")
            .files
            .contains(&"tokenizer.model".to_owned())
    );
}

#[test]
fn exact_facts_of_headers_reach_the_report() {
    let mut repo = Repo::model("o/m-7B-GGUF").file("m-Q8_0.gguf", GB);
    let header = gguf_header::GgufHeader {
        architecture: Some("llama".into()),
        context_length: Some(32768),
        parameter_count: 7_241_732_096,
        tokenizer_size: Some(32000),
        ..Default::default()
    };
    repo.headers
        .insert("m-Q8_0.gguf".into(), HeaderFacts::Gguf(header));
    let gguf = repo.analyze().gguf.unwrap();
    assert_eq!(gguf.architecture.as_deref(), Some("llama"));
    assert_eq!(gguf.context_length, Some(32768));
    assert_eq!(gguf.parameter_count_exact, Some(7_241_732_096));
    assert_eq!(gguf.tokenizer_size, Some(32000));
}

#[test]
fn a_dataset_offers_configs_and_splits() {
    let mut repo = Repo::dataset("facebook/flores");
    for config in ["eng_Latn", "deu_Latn"] {
        for split in ["dev", "devtest", "train"] {
            for number in 0..2 {
                repo = repo.file(&format!("{config}/{split}-{number:05}-of-00002.parquet"), 50 * MB);
            }
        }
    }
    let report = repo.file("notes/train.txt", 100).analyze();
    let json = as_json(&report);
    assert_eq!(json["type"], "dataset");
    assert_eq!(json["is_dataset"], true);
    assert_eq!(
        json["dataset"]["configs"],
        json!(["deu_Latn", "eng_Latn", "notes"])
    );
    assert_eq!(json["dataset"]["formats"], json!(["parquet", "txt"]));
    assert_eq!(json["dataset"]["primary_format"], "parquet");
    assert_eq!(json["recommended_download"]["dataset"], true);
    assert_eq!(recommended(&report), ["split-train"]);
    assert_eq!(item(&report, "split-train").files.len(), 5);
    assert_eq!(item(&report, "config-eng_latn").filter_value, "eng_Latn/");
    assert_eq!(item(&report, "config-eng_latn").files.len(), 6);
}

#[test]
fn splits_of_a_plain_dataset_are_words_of_its_files() {
    let report = Repo::dataset("HuggingFaceH4/ultrachat_200k")
        .files(
            200 * MB,
            &[
                "data/train_sft-00000-of-00003.parquet",
                "data/train_sft-00001-of-00003.parquet",
                "data/train_sft-00002-of-00003.parquet",
                "data/train_gen-00000-of-00001.parquet",
                "data/test_sft-00000-of-00001.parquet",
                "data/test_gen-00000-of-00001.parquet",
            ],
        )
        .analyze();
    assert_eq!(
        ids(&report),
        [
            "split-train_gen",
            "split-train_sft",
            "split-test_gen",
            "split-test_sft"
        ]
    );
    assert_eq!(item(&report, "split-train_sft").filter_value, "train_sft");
    assert_eq!(recommended(&report), ["split-train_gen", "split-train_sft"]);
    let one = Repo::dataset("o/d").file("data.csv", MB).analyze();
    assert!(one.selectable_items.is_empty());
    assert_eq!(
        as_json(&one)["recommended_download"],
        json!({"repo": "o/d", "dataset": true})
    );
}

#[test]
fn a_huge_list_of_choices_is_cut_to_what_can_be_tried() {
    let mut repo = Repo::dataset("o/huge");
    let mut parts = Vec::new();
    for config in 0..100 {
        let name = format!("c{config:03}");
        parts.push(Part::new(Category::Config, &name, &name, vec![repo.files.len()]));
        repo = repo.file(&format!("{name}/train.parquet"), MB);
    }
    let choice = items::choose_within(2_000, &repo.files, repo.repo_type, parts);
    assert_eq!(choice.items.len(), 2_000 / 102);
    assert_eq!(choice.warnings, ["Only the first 19 of 100 choices are listed"]);
}

#[test]
fn thousands_of_incomplete_sets_take_no_time_and_little_room() {
    let mut repo = Repo::model("o/odd-GGUF");
    for number in 0..3_000 {
        repo = repo.file(&format!("m{number}-Q4_K_M-00001-of-4000000000.gguf"), MB);
    }
    let report = analyze(&repo.facts());
    assert_eq!(report.warnings.len(), MAX_WARNINGS + 1);
    assert!(report.warnings[MAX_WARNINGS].ends_with("more warnings"));
}
