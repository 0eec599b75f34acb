//! Which files of a repo a job wants: filters, excludes and exact match.
//!
//! - An exclude that matches leaves the file out, whatever else holds.
//! - Filters bind weights, LFS files and data files; in datasets every file. Of the bound
//!   files only those that match one filter come.
//! - Other files (configs, tokenizers, cards) come along up to [`COMPANION_MAX_BYTES`].
//! - A plain pattern is a case-insensitive substring of the path. A pattern that holds `*`,
//!   `?` or `[` is a glob over the whole path, in which `*` crosses `/` (as in
//!   `huggingface_hub`). With exact match a plain pattern must be a whole word of the name.
//! - `=` and a path is that one path, letter by letter. Where all filters are such, they bind
//!   every file and nothing comes along.

use super::glob::Glob;
use super::plan::RepoFile;
use super::repo::{RepoType, shown};

/// Files that no filter binds come along up to this size: 10 MiB, above any config or
/// tokenizer and below any weights.
pub const COMPANION_MAX_BYTES: u64 = 10 << 20;
/// At most this many filters or excludes in one request.
pub const MAX_PATTERNS: usize = 1_000;
/// At most this many characters in one pattern.
pub const MAX_PATTERN_CHARS: usize = 256;
/// At most this many characters in a pattern that is one whole path, its `=` included.
pub const MAX_PATH_PATTERN_CHARS: usize = 1_025;

/// What the filters say of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Asked for: no filter is given, or one matches.
    Matched,
    /// Small and not bound by filters; comes along.
    Companion,
    /// Stays away: `excluded`, `not_selected` or `too_large`.
    LeftOut(&'static str),
}

/// Filters and excludes of one job, ready to match.
#[derive(Debug, Clone)]
pub struct Filter {
    patterns: Vec<Pattern>,
    excludes: Vec<Pattern>,
    exact: bool,
    repo_type: RepoType,
}

#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    folded: String,
    glob: Option<Glob>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        let is_path = text.starts_with('=');
        let most = if is_path {
            MAX_PATH_PATTERN_CHARS
        } else {
            MAX_PATTERN_CHARS
        };
        if text.chars().count() > most {
            return Err(format!("\"{}\" is longer than {most} characters", shown(text)));
        }
        // As in a shell: what is no glob, such as a lone bracket, stands for itself.
        let glob = if !is_path && text.contains(['*', '?', '[']) {
            Glob::new(text).ok()
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            folded: text.to_lowercase(),
            glob,
        })
    }

    /// The one path that it is.
    fn path(&self) -> Option<&str> {
        self.text.strip_prefix('=')
    }

    fn matches(&self, path: &str, exact: bool) -> bool {
        if let Some(wanted) = self.path() {
            return wanted == path;
        }
        if let Some(glob) = &self.glob {
            return glob.matches(path);
        }
        let path = path.to_lowercase();
        if exact {
            exact_match(&self.folded, &path)
        } else {
            path.contains(&self.folded)
        }
    }
}

/// Whether `word` names `path` exactly; both lower-case.
///
/// `.ext` is a suffix; `dir/` a run of folders; any other word with `/` the whole path; else
/// the file name, the name without extension or shard suffix, or a word of the path between
/// `-`, `.`, space and `/` (a word may itself hold such characters: `ud-q4_k_xl`).
fn exact_match(word: &str, path: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    if let Some(folder) = word.strip_suffix('/') {
        return format!("/{path}").contains(&format!("/{folder}/"));
    }
    if word.starts_with('.') {
        return path.ends_with(word);
    }
    if word.contains('/') {
        return path == word;
    }
    let is_edge = |c: Option<char>| c.is_none_or(|c| matches!(c, '-' | '.' | ' ' | '/'));
    // `Q4_K_XL` must not take `UD-Q4_K_XL`: the dynamic quants are other files.
    let is_dynamic = |at: usize| !word.starts_with("ud-") && path[..at].ends_with("ud-");
    path.match_indices(word).any(|(at, _)| {
        is_edge(path[..at].chars().next_back())
            && is_edge(path[at + word.len()..].chars().next())
            && !is_dynamic(at)
    })
}

impl Filter {
    /// Compiles `filters` and `excludes`; blank patterns are dropped.
    ///
    /// # Errors
    /// A sentence that names the pattern that is too long or no glob, or says that there are too many.
    pub fn new(
        filters: &[String],
        excludes: &[String],
        exact: bool,
        repo_type: RepoType,
    ) -> Result<Self, String> {
        let compile = |what: &str, list: &[String]| {
            if list.len() > MAX_PATTERNS {
                return Err(format!("more than {MAX_PATTERNS} {what}"));
            }
            list.iter()
                .map(|text| text.trim())
                .filter(|text| !text.is_empty())
                .map(Pattern::new)
                .collect()
        };
        Ok(Self {
            patterns: compile("filters", filters)?,
            excludes: compile("excludes", excludes)?,
            exact,
            repo_type,
        })
    }

    /// Whether any filter is given.
    pub fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether the filters name nothing but whole paths.
    fn names_paths(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.path().is_some())
    }

    /// The filters as written.
    pub fn patterns(&self) -> Vec<&str> {
        self.patterns
            .iter()
            .map(|pattern| pattern.text.as_str())
            .collect()
    }

    /// Whether an exclude matches `path`, which need not be a safe path.
    pub fn excludes(&self, path: &str) -> bool {
        self.excludes.iter().any(|pattern| pattern.matches(path, false))
    }

    /// The verdict for each file, in order.
    pub fn judge(&self, files: &[RepoFile]) -> Vec<Verdict> {
        files.iter().map(|file| self.verdict(file)).collect()
    }

    fn verdict(&self, file: &RepoFile) -> Verdict {
        let path = file.path.as_str();
        if self.excludes(path) {
            Verdict::LeftOut("excluded")
        } else if !self.has_patterns()
            || self
                .patterns
                .iter()
                .any(|pattern| pattern.matches(path, self.exact))
        {
            Verdict::Matched
        } else if self.names_paths()
            || self.repo_type == RepoType::Dataset
            || file.blob_id.is_lfs()
            || is_bound_name(path)
        {
            Verdict::LeftOut("not_selected")
        } else if file.size_bytes > COMPANION_MAX_BYTES {
            Verdict::LeftOut("too_large")
        } else {
            Verdict::Companion
        }
    }
}

/// Whether the name alone says weights or data.
fn is_bound_name(path: &str) -> bool {
    const ENDINGS: [&str; 26] = [
        "safetensors",
        "gguf",
        "ggml",
        "bin",
        "pt",
        "pth",
        "ckpt",
        "onnx",
        "onnx_data",
        "h5",
        "msgpack",
        "tflite",
        "ot",
        "npz",
        "npy",
        "pkl",
        "pickle",
        "mlmodel",
        "engine",
        "parquet",
        "arrow",
        "jsonl",
        "tar",
        "zip",
        "gz",
        "zst",
    ];
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_paths_bind_everything_and_mean_each_letter() {
        let paths = [
            "README.md",
            "a/model.bin",
            "a/model.bin.json",
            "A/model.bin",
            "=x",
        ];
        let model = RepoType::Model;
        assert_eq!(
            taken(&["=a/model.bin"], &[], false, model, &paths),
            ["a/model.bin"]
        );
        assert_eq!(
            taken(&["=README.md", "==x"], &[], true, model, &paths),
            ["README.md", "=x"]
        );
        assert_eq!(
            taken(&["=a/model.bin", "nothing"], &[], false, model, &paths),
            ["README.md", "a/model.bin", "a/model.bin.json", "=x"],
            "with a filter of another kind the small files come along"
        );
        let long = format!("={}", "x".repeat(1_024));
        assert!(Filter::new(std::slice::from_ref(&long), &[], false, model).is_ok());
        assert!(Filter::new(&[format!("{long}x")], &[], false, model).is_err());
    }

    fn file(path: &str, size_bytes: u64) -> RepoFile {
        RepoFile {
            path: path.parse().unwrap(),
            size_bytes,
            blob_id: "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a".parse().unwrap(),
            git_oid: String::new(),
            xet_hash: None,
        }
    }

    fn taken(
        filters: &[&str],
        excludes: &[&str],
        exact: bool,
        repo_type: RepoType,
        paths: &[&str],
    ) -> Vec<String> {
        let own = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let filter = Filter::new(&own(filters), &own(excludes), exact, repo_type).unwrap();
        let files: Vec<_> = paths.iter().map(|path| file(path, 100)).collect();
        filter
            .judge(&files)
            .iter()
            .zip(paths)
            .filter(|(verdict, _)| !matches!(verdict, Verdict::LeftOut(_)))
            .map(|(_, path)| path.to_string())
            .collect()
    }

    const QUANTS: &[&str] = &[
        "config.json",
        "m-Q4_K_M.gguf",
        "m-Q4_K_S.gguf",
        "m-UD-Q4_K_XL.gguf",
        "m-Q4_K_XL.gguf",
    ];

    #[test]
    fn a_filter_is_a_case_insensitive_substring_and_small_files_come_along() {
        assert_eq!(
            taken(&["q4_k_m"], &[], false, RepoType::Model, QUANTS),
            ["config.json", "m-Q4_K_M.gguf"]
        );
        assert_eq!(taken(&["q4_k"], &[], false, RepoType::Model, QUANTS).len(), 5);
    }

    #[test]
    fn exact_match_takes_whole_words_only_and_keeps_dynamic_quants_apart() {
        assert_eq!(
            taken(&["q4_k_xl"], &[], true, RepoType::Model, QUANTS),
            ["config.json", "m-Q4_K_XL.gguf"]
        );
        assert_eq!(
            taken(&["ud-q4_k_xl"], &[], true, RepoType::Model, QUANTS),
            ["config.json", "m-UD-Q4_K_XL.gguf"]
        );
        assert_eq!(
            taken(&["q4_k"], &[], true, RepoType::Model, QUANTS),
            ["config.json"]
        );
        let shards = [
            "q8/m-Q8_0-00001-of-00002.gguf",
            "q8/m-Q8_0-00002-of-00002.gguf",
            "m.onnx",
            "m.onnx_data",
        ];
        assert_eq!(taken(&["q8_0"], &[], true, RepoType::Model, &shards).len(), 2);
        assert_eq!(taken(&["q8/"], &[], true, RepoType::Model, &shards).len(), 2);
        assert_eq!(taken(&[".onnx"], &[], true, RepoType::Model, &shards), ["m.onnx"]);
        assert_eq!(
            taken(
                &["q8/m-q8_0-00001-of-00002.gguf"],
                &[],
                true,
                RepoType::Model,
                &shards
            )
            .len(),
            1
        );
    }

    #[test]
    fn excludes_win_and_are_never_exact() {
        assert_eq!(
            taken(&["q4_k_m"], &["config"], true, RepoType::Model, QUANTS),
            ["m-Q4_K_M.gguf"]
        );
        assert_eq!(
            taken(&[], &["*.gguf"], false, RepoType::Model, QUANTS),
            ["config.json"]
        );
    }

    #[test]
    fn a_glob_matches_the_whole_path_and_its_star_crosses_folders() {
        let paths = ["data/train/0.parquet", "data/test/0.parquet", "README.md"];
        assert_eq!(
            taken(&["data/train/*"], &[], false, RepoType::Dataset, &paths),
            ["data/train/0.parquet"]
        );
        assert_eq!(
            taken(&["*.PARQUET"], &[], false, RepoType::Dataset, &paths).len(),
            2
        );
        assert_eq!(
            taken(&["parquet*"], &[], false, RepoType::Dataset, &paths).len(),
            0
        );
    }

    #[test]
    fn an_endless_pattern_is_refused_and_what_is_no_glob_stands_for_itself() {
        let new = |pattern: String| Filter::new(&[pattern], &[], false, RepoType::Model);
        let paths = ["a[1].gguf", "b.gguf"];
        assert_eq!(taken(&["["], &[], false, RepoType::Model, &paths), ["a[1].gguf"]);
        assert!(new("x".repeat(257)).unwrap_err().contains("256"));
        assert!(Filter::new(&vec!["x".to_owned(); 1001], &[], false, RepoType::Model).is_err());
    }
}
