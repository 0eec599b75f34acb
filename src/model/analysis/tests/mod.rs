//! Reports of realistic repos, and the rule that holds for all: a filter selects its item.

mod adapted;
mod choices;
mod kinds;
mod property;
mod upstream;

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::model::filter::{Filter, Verdict};

/// A repo as the Hub would list it.
struct Repo {
    id: &'static str,
    repo_type: RepoType,
    revision: &'static str,
    files: Vec<RepoFile>,
    configs: HashMap<String, Value>,
    refs: Vec<Ref>,
    tags: Vec<String>,
    headers: HashMap<String, HeaderFacts>,
}

const MB: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;

impl Repo {
    fn model(id: &'static str) -> Self {
        Self {
            id,
            repo_type: RepoType::Model,
            revision: "main",
            files: Vec::new(),
            configs: HashMap::new(),
            refs: Vec::new(),
            tags: Vec::new(),
            headers: HashMap::new(),
        }
        .file("README.md", 5_000)
        .file(".gitattributes", 1_500)
    }

    fn dataset(id: &'static str) -> Self {
        Self {
            repo_type: RepoType::Dataset,
            ..Self::model(id)
        }
    }

    /// Weights and whatever is large lie in LFS, as `.gitattributes` of the Hub has it.
    fn file(mut self, path: &str, size_bytes: u64) -> Self {
        const LFS: [&str; 14] = [
            ".gguf",
            ".safetensors",
            ".bin",
            ".pt",
            ".pth",
            ".ckpt",
            ".onnx",
            ".h5",
            ".msgpack",
            ".ot",
            ".model",
            ".parquet",
            ".onnx_data",
            ".zip",
        ];
        let is_lfs = size_bytes > 10 * MB || LFS.iter().any(|ending| path.ends_with(ending));
        let digits = format!("{:040x}", self.files.len() + 1);
        let blob_id = if is_lfs {
            format!("{digits}{}", "0".repeat(24))
        } else {
            digits.clone()
        };
        self.files.push(RepoFile {
            path: path.parse().unwrap(),
            size_bytes,
            blob_id: blob_id.parse().unwrap(),
            git_oid: digits,
            xet_hash: None,
        });
        self
    }

    fn files(self, size_bytes: u64, paths: &[&str]) -> Self {
        paths.iter().fold(self, |repo, path| repo.file(path, size_bytes))
    }

    fn config(mut self, name: &str, value: Value) -> Self {
        self.configs.insert(name.to_owned(), value);
        self.file(name, 1_000)
    }

    fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    fn branch(mut self, name: &str) -> Self {
        self.refs.push(Ref {
            name: name.to_owned(),
            kind: RefKind::Branch,
            commit: "a".repeat(40),
        });
        self
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            repo: self.id.parse().unwrap(),
            repo_type: self.repo_type,
            revision: self.revision.parse().unwrap(),
            commit: Some("b".repeat(40).parse().unwrap()),
            files: &self.files,
            configs: self.configs.clone(),
            refs: self.refs.clone(),
            tags: self.tags.clone(),
            headers: self.headers.clone(),
            gathered_at: chrono::DateTime::from_timestamp(1_705_314_600, 0).unwrap(),
        }
    }

    fn analyze(&self) -> Analysis {
        let report = analyze(&self.facts());
        self.check(&report);
        report
    }

    /// Paths that `filters` take.
    fn taken(&self, filters: &[String], exact: bool) -> BTreeSet<&str> {
        let filter = Filter::new(filters, &[], exact, self.repo_type).unwrap();
        let verdicts = filter.judge(&self.files);
        self.files
            .iter()
            .zip(verdicts)
            .filter(|(_, verdict)| !matches!(verdict, Verdict::LeftOut(_)))
            .map(|(file, _)| file.path.as_str())
            .collect()
    }

    /// What holds for every report.
    fn check(&self, report: &Analysis) {
        let companions = self.taken(&["\u{2}".to_owned()], true);
        let split = |value: &str| value.split(',').map(str::to_owned).collect::<Vec<_>>();
        let exact = report.recommended_download.exact_match;
        let mut union: BTreeSet<&str> = companions.clone();
        for item in report
            .selectable_items
            .iter()
            .filter(|item| item.revision.is_none())
        {
            let mut wanted = companions.clone();
            wanted.extend(item.files.iter().map(String::as_str));
            assert!(wanted.len() > companions.len(), "{} selects nothing", item.id);
            for exact in [exact, true] {
                assert_eq!(
                    self.taken(&split(&item.filter_value), exact),
                    wanted,
                    "{} with {:?}, exact {exact}",
                    item.id,
                    item.filter_value
                );
            }
            if item.recommended {
                union.extend(wanted);
            }
        }
        let ids: BTreeSet<_> = report.selectable_items.iter().map(|item| &item.id).collect();
        assert_eq!(ids.len(), report.selectable_items.len(), "ids are unique");
        let download = &report.recommended_download;
        assert_eq!(download.repo, self.id);
        assert_eq!(download.filters, report.recommended_filters);
        if !download.filters.is_empty() {
            assert_eq!(self.taken(&download.filters, exact), union);
        }
    }
}

fn ids(report: &Analysis) -> Vec<&str> {
    report
        .selectable_items
        .iter()
        .map(|item| item.id.as_str())
        .collect()
}

fn item<'a>(report: &'a Analysis, id: &str) -> &'a Item {
    let found = report.selectable_items.iter().find(|item| item.id == id);
    found.unwrap_or_else(|| panic!("no item {id} in {:?}", ids(report)))
}

fn recommended(report: &Analysis) -> Vec<&str> {
    report
        .selectable_items
        .iter()
        .filter(|item| item.recommended)
        .map(|item| item.id.as_str())
        .collect()
}

/// The report as clients get it.
fn as_json(report: &Analysis) -> Value {
    serde_json::to_value(report).unwrap()
}
