//! Datasets: splits, configs and formats, by the rules of the `datasets` library for names.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::items::{Part, total};
use super::report::Category;
use super::view::View;
use super::weights::{split_shard, stem_and_extension};

/// Most files that a split or config lists by name in the report.
const MAX_LISTED: usize = 1000;

/// The `dataset` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Dataset {
    /// By name: train first.
    pub splits: Vec<Split>,
    /// Folders that are configs of their own.
    pub configs: Vec<String>,
    /// Formats of the data files.
    pub formats: Vec<&'static str>,
    /// The best of them to read: parquet before arrow, jsonl, json, csv, txt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_format: Option<&'static str>,
}

/// One split.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatasetSplit)]
pub struct Split {
    /// `train`, `validation`, `test`, or as the files say.
    pub name: String,
    /// The first 1,000 paths.
    pub files: Vec<String>,
    /// Number of all files.
    pub file_count: u64,
    /// Bytes of all files.
    pub size: u64,
    /// The same for people.
    pub size_human: String,
}

/// Extensions and their formats, the best to read first.
const FORMATS: [(&str, &str); 17] = [
    ("parquet", "parquet"),
    ("arrow", "arrow"),
    ("jsonl", "jsonl"),
    ("ndjson", "jsonl"),
    ("json", "json"),
    ("csv", "csv"),
    ("tsv", "csv"),
    ("txt", "txt"),
    ("tar", "webdataset"),
    ("zip", "zip"),
    ("h5", "hdf5"),
    ("hdf5", "hdf5"),
    ("tfrecord", "tfrecord"),
    ("npz", "numpy"),
    ("lance", "lance"),
    ("sqlite", "sqlite"),
    ("bin", "binary"),
];

/// Endings of compression that stand behind the format.
const COMPRESSED: [&str; 5] = ["gz", "zst", "bz2", "xz", "lz4"];

/// Words for splits in file and folder names (`datasets/data_files.py`).
const SPLITS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// Files at the root that describe the data.
const ABOUT: [&str; 5] = [
    "dataset_infos.json",
    "dataset_info.json",
    "config.json",
    "requirements.txt",
    "LICENSE.txt",
];

struct Data {
    index: usize,
    format: &'static str,
    split: Option<String>,
    config: Option<String>,
}

fn format_of(path: &str) -> Option<&'static str> {
    let (mut stem, mut extension) = stem_and_extension(path);
    if COMPRESSED.contains(&extension.as_str()) {
        (stem, extension) = stem_and_extension(stem);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if ABOUT.contains(&name) || stem.is_empty() || path.starts_with('.') {
        return None;
    }
    FORMATS
        .iter()
        .find(|(ending, _)| *ending == extension)
        .map(|(_, format)| *format)
}

/// The split that a part of a path names.
fn split_of(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    SPLITS
        .iter()
        .find(|(_, names)| names.iter().any(|name| words.contains(name)))
        .map(|(name, _)| *name)
}

/// The split of a data file: the word in its name, what stands before its shard number, or the
/// nearest folder that names one.
fn split_of_path(path: &str) -> Option<String> {
    let (stem, _) = stem_and_extension(path);
    let (base, shard) = split_shard(stem);
    if let Some(split) = split_of(&base) {
        // `train_sft` is a split of its own beside `train_gen`.
        let own = shard.is_some() && base.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        return Some(if own { base } else { split.to_owned() });
    }
    let folders = path.rsplit('/').skip(1);
    folders
        .into_iter()
        .find_map(split_of)
        .map(str::to_owned)
        .or_else(|| {
            let is_word = |text: &str| {
                text.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
            };
            (shard.is_some() && is_word(&base) && !base.is_empty()).then_some(base)
        })
}

/// Folders that hold data without being a config.
fn is_plain_folder(folder: &str) -> bool {
    matches!(
        folder.to_lowercase().as_str(),
        "data" | "dataset" | "datasets" | "raw" | "files"
    ) || split_of(folder).is_some()
}

fn read(view: &View<'_>) -> Vec<Data> {
    let mut data = Vec::new();
    for (index, path) in view.paths.iter().enumerate() {
        let Some(format) = format_of(path) else { continue };
        let folders: Vec<_> = path.split('/').collect();
        // `config/…` or `data/config/…`, but not `data/train/…`.
        let config = folders[..folders.len() - 1]
            .iter()
            .enumerate()
            .take(2)
            .find(|(_, folder)| !is_plain_folder(folder))
            .filter(|(at, _)| *at == 0 || is_plain_folder(folders[0]) && split_of(folders[0]).is_none())
            .map(|(at, _)| folders[..=at].join("/"));
        data.push(Data {
            index,
            format,
            split: split_of_path(path),
            config,
        });
    }
    data
}

pub(super) fn analyze(view: &View<'_>) -> (Dataset, Vec<Part>) {
    let data = read(view);
    let mut splits: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    let mut configs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut formats: Vec<&'static str> = Vec::new();
    for file in &data {
        if let Some(split) = &file.split {
            let rank = SPLITS
                .iter()
                .position(|(name, _)| split.starts_with(name))
                .unwrap_or(SPLITS.len());
            splits.entry((rank, split)).or_default().push(file.index);
        }
        if let Some(config) = &file.config {
            configs.entry(config).or_default().push(file.index);
        }
        if !formats.contains(&file.format) {
            formats.push(file.format);
        }
    }
    let rank = |format: &&str| FORMATS.iter().position(|(_, name)| name == format);
    formats.sort_by_key(rank);
    let mut parts = Vec::new();
    if splits.len() > 1 {
        // `train_sft` and `train_gen` together are the training data where no split is just `train`.
        let has_train = splits.keys().any(|(_, name)| *name == "train");
        let is_train = |name: &str| name == "train" || (!has_train && name.starts_with("train_"));
        parts.extend(splits.iter().map(|((_, name), files)| Part {
            recommended: is_train(name),
            ..split_part(name, files)
        }));
    }
    // After the splits, which are few: a list of choices may be cut.
    if configs.len() > 1 {
        parts.extend(configs.iter().map(|(name, files)| config_part(name, files)));
    }
    let dataset = Dataset {
        splits: splits
            .iter()
            .map(|((_, name), files)| split(view, name, files))
            .collect(),
        configs: configs.keys().map(|name| (*name).to_owned()).collect(),
        primary_format: formats.first().copied(),
        formats,
    };
    (dataset, parts)
}

fn split(view: &View<'_>, name: &str, files: &[usize]) -> Split {
    let size = total(view.files, files);
    Split {
        name: name.to_owned(),
        files: files
            .iter()
            .take(MAX_LISTED)
            .map(|i| view.paths[*i].to_owned())
            .collect(),
        file_count: files.len() as u64,
        size,
        size_human: human_size(size),
    }
}

fn config_part(name: &str, files: &[usize]) -> Part {
    let mut part = Part::new(
        Category::Config,
        &format!("config-{}", name.to_lowercase()),
        name,
        files.to_vec(),
    );
    part.description = count_text(files.len());
    part.naturals = vec![format!("{name}/"), format!("{name}/*")];
    part
}

fn split_part(name: &str, files: &[usize]) -> Part {
    let mut part = Part::new(Category::Split, &format!("split-{name}"), name, files.to_vec());
    part.description = count_text(files.len());
    part.naturals = vec![
        name.to_owned(),
        format!("*/{name}-*"),
        format!("*{name}*"),
        format!("{name}/"),
        format!("*/{name}/*"),
    ];
    part
}

fn count_text(count: usize) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_words_of_names_or_folders() {
        for (path, split) in [
            ("data/train-00000-of-00002.parquet", Some("train")),
            ("data/train_sft-00000-of-00001.parquet", Some("train_sft")),
            ("en/validation/0000.parquet", Some("validation")),
            ("dev.jsonl", Some("validation")),
            ("my-eval-set.csv", Some("test")),
            ("data/poems-00000-of-00001.parquet", Some("poems")),
            ("training_data.csv", Some("train")),
            ("contest.csv", None),
        ] {
            assert_eq!(split_of_path(path).as_deref(), split, "{path}");
        }
    }

    #[test]
    fn compression_is_looked_through() {
        assert_eq!(format_of("data/a.jsonl.gz"), Some("jsonl"));
        assert_eq!(format_of("data/a.csv"), Some("csv"));
        assert_eq!(format_of("README.md"), None);
        assert_eq!(format_of("dataset_infos.json"), None);
        assert_eq!(format_of("a.gz"), None);
    }
}
