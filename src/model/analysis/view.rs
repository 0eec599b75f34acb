//! The facts of a repo as the analyses read them: config values, paths, weights.
//!
//! Config files are foreign: every accessor gives `None` for a value of another type or of a
//! senseless size, and texts are cut.

use serde_json::Value;

use crate::model::plan::RepoFile;

use super::Facts;
use super::weights::{Family, Weight, find_weights};

/// Texts from config files are cut to so many characters.
const MAX_TEXT_CHARS: usize = 500;
/// Lists from config files are cut to so many entries.
const MAX_LIST: usize = 200;
/// Numbers above this are mistakes; no dimension, vocabulary or context comes near.
const MAX_NUMBER: u64 = 1 << 40;

/// A JSON value that may be anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config<'a>(pub Option<&'a Value>);

impl<'a> Config<'a> {
    pub(super) fn get(self, key: &str) -> Config<'a> {
        Config(self.0.and_then(|value| value.get(key)))
    }

    /// Whether a value is there and not null.
    pub(super) fn is_there(self) -> bool {
        self.0.is_some_and(|value| !value.is_null())
    }

    pub(super) fn is_object(self) -> bool {
        self.0.is_some_and(Value::is_object)
    }

    pub(super) fn text(self, key: &str) -> Option<String> {
        self.get(key).0?.as_str().map(cut).filter(|text| !text.is_empty())
    }

    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.get(key).0?.as_u64().filter(|number| *number <= MAX_NUMBER)
    }

    pub(super) fn float(self, key: &str) -> Option<f64> {
        self.get(key).0?.as_f64().filter(|number| number.is_finite())
    }

    pub(super) fn flag(self, key: &str) -> Option<bool> {
        self.get(key).0?.as_bool()
    }

    /// The texts of a list, or one text as a list.
    pub(super) fn texts(self, key: &str) -> Vec<String> {
        match self.get(key).0 {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(Value::as_str)
                .take(MAX_LIST)
                .map(cut)
                .collect(),
            Some(Value::String(text)) => vec![cut(text)],
            _ => Vec::new(),
        }
    }

    pub(super) fn floats(self, key: &str) -> Vec<f64> {
        match self.get(key).0 {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_f64).take(16).collect(),
            _ => Vec::new(),
        }
    }

    /// The first of `keys` that holds a number.
    pub(super) fn first_number(self, keys: &[&str]) -> Option<u64> {
        keys.iter().find_map(|key| self.number(key))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

/// The facts, with what every analysis needs of them.
pub(super) struct View<'a> {
    pub facts: &'a Facts<'a>,
    pub files: &'a [RepoFile],
    /// Paths of `files`, in the same order.
    pub paths: Vec<&'a str>,
    pub weights: Vec<Weight>,
}

impl<'a> View<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        let paths: Vec<_> = facts.files.iter().map(|file| file.path.as_str()).collect();
        let weights = find_weights(&paths);
        Self {
            facts,
            files: facts.files,
            paths,
            weights,
        }
    }

    pub(super) fn config(&self, name: &str) -> Config<'a> {
        Config(self.facts.configs.get(name))
    }

    /// Whether the repo has this file at its root.
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains(&path)
    }

    /// Whether any file lies in one of `families`.
    pub(super) fn has_family(&self, families: &[Family]) -> bool {
        self.weights
            .iter()
            .any(|weight| families.contains(&weight.family))
    }

    /// Whether safetensors or pickled weights lie at the root.
    pub(super) fn has_root_weights(&self) -> bool {
        self.weights.iter().any(|weight| {
            matches!(weight.family, Family::Safetensors | Family::Pytorch)
                && !self.paths[weight.index].contains('/')
        })
    }

    /// `model_type` of `config.json`, lower-case with `-` as `_`; empty when there is none.
    pub(super) fn model_type(&self) -> String {
        let text = self.config("config.json").text("model_type").unwrap_or_default();
        text.to_lowercase().replace('-', "_")
    }

    /// The first entry of `architectures` of `config.json`.
    pub(super) fn architecture(&self) -> Option<String> {
        self.config("config.json")
            .texts("architectures")
            .into_iter()
            .next()
    }

    /// The library that the weights are made for, as far as their format says.
    pub(super) fn framework(&self) -> &'static str {
        let has = |family| self.has_family(&[family]);
        let is_torch_only = |path: &&str| path.ends_with(".pt") || path.ends_with(".pth");
        if has(Family::Safetensors) || self.paths.iter().any(|path| path.ends_with(".bin")) {
            "transformers"
        } else if has(Family::Onnx) {
            "onnx"
        } else if self.paths.iter().any(is_torch_only) {
            "pytorch"
        } else {
            "transformers"
        }
    }

    /// Base models by the Hub's tags: repo and relation, `base_model:quantized:owner/name`.
    pub(super) fn base_models(&self) -> Vec<(String, Option<&'static str>)> {
        let mut found: Vec<(String, Option<&'static str>)> = Vec::new();
        for tag in &self.facts.tags {
            let Some(rest) = tag.strip_prefix("base_model:") else {
                continue;
            };
            let (relation, repo) = match rest.split_once(':') {
                Some(("finetune", repo)) => (Some("finetune"), repo),
                Some(("quantized", repo)) => (Some("quantized"), repo),
                Some(("merge", repo)) => (Some("merge"), repo),
                Some(("adapter", repo)) => (Some("adapter"), repo),
                Some(_) => continue,
                None => (None, rest),
            };
            if repo.parse::<crate::model::repo::RepoId>().is_err() || found.len() >= 50 {
                continue;
            }
            match found.iter_mut().find(|(have, _)| have == repo) {
                Some((_, known)) => *known = known.or(relation),
                None => found.push((repo.to_owned(), relation)),
            }
        }
        found
    }
}

/// Whether `model_type` is one of `names` or begins with one and `_`: `qwen2_vl` and
/// `qwen2_vl_text`, but not `digit` for `git`.
pub(super) fn is_model_type(model_type: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        model_type
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| !c.is_ascii_alphabetic()))
    })
}
