//! The environment variables of the process, read once, so that tests can hand in others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A snapshot of the environment. Variables that are empty count as not set, as they do in
/// the Hugging Face tools; variables that are not UTF-8 are left out.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Sets a variable in this snapshot only.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The value of `name`, when it is set and not blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    /// Whether `name` is one of `1 true yes on` in any case: the words that `huggingface_hub` takes for yes.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| {
            ["1", "true", "yes", "on"].contains(&text.trim().to_ascii_lowercase().as_str())
        })
    }

    /// The home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// An XDG base directory: `variable`, or `fallback` below the home directory. A relative
    /// value is ignored, as the XDG specification asks.
    pub fn xdg(&self, variable: &str, fallback: &str) -> Option<PathBuf> {
        self.get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(self.home()?.join(fallback)))
    }

    /// A path as people write it: a leading `~` is the home directory, and a relative path
    /// counts from the working directory.
    pub fn expand(&self, text: &str) -> PathBuf {
        let text = text.trim();
        let expanded = match (text, text.strip_prefix("~/"), self.home()) {
            ("~", _, Some(home)) => home,
            (_, Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        std::path::absolute(Path::new(&expanded)).unwrap_or(expanded)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}
