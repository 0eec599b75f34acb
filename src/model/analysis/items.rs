//! Turns the parts that an analysis found into items whose filters really select them.
//!
//! A filter is never trusted: each candidate runs through the same matcher that plans a
//! download, over the whole file list. The candidates are, in this order, what a user would
//! write (`q4_k_m`), then globs over the paths, then the paths themselves. A part that no
//! candidate selects exactly is left out, with a warning, rather than offered wrongly.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::filter::{Filter, MAX_PATTERN_CHARS, Verdict};
use crate::model::plan::RepoFile;
use crate::model::repo::RepoType;
use crate::model::size::human_size;

use super::report::{Category, Item};

/// Items times files that are tried before the rest of the items is left out. Each try runs the
/// matcher over all files (about 0.2 µs a file), so this bounds an analysis to seconds.
const MAX_TRIES: usize = 8_000_000;
/// Most items of one report.
const MAX_ITEMS: usize = 500;
/// Most patterns in one generated filter.
const MAX_GENERATED: usize = 64;
/// A pattern that no path holds: paths have no control characters.
const NOTHING: &str = "\u{1}";

/// A part of a repo, before it has a filter.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub id: String,
    pub label: String,
    pub description: String,
    pub category: Category,
    /// Indices in the list of files.
    pub files: Vec<usize>,
    /// Filters as a user would write them, best first; each may be a comma list.
    pub naturals: Vec<String>,
    pub quality: Option<u8>,
    pub recommended: bool,
    pub ram: Option<u64>,
    pub warning: Option<String>,
    /// Another branch that holds the part; then `files` is empty.
    pub revision: Option<String>,
}

impl Part {
    pub(super) fn new(category: Category, id: &str, label: &str, files: Vec<usize>) -> Self {
        Self {
            id: id.to_owned(),
            label: label.to_owned(),
            description: String::new(),
            category,
            files,
            naturals: Vec::new(),
            quality: None,
            recommended: false,
            ram: None,
            warning: None,
            revision: None,
        }
    }
}

/// The items, and how to post their filters.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub items: Vec<Item>,
    /// Whether the filters select exactly their items only with `exactMatch`.
    pub exact: bool,
    /// Filters of all recommended items together.
    pub recommended_filters: Vec<String>,
    pub warnings: Vec<String>,
}

/// Five characters: `★★★★☆` for 4.
pub(super) fn stars(quality: u8) -> String {
    let full = usize::from(quality.min(5));
    format!("{}{}", "★".repeat(full), "☆".repeat(5 - full))
}

/// Finds a filter for each part.
pub(super) fn choose(files: &[RepoFile], repo_type: RepoType, parts: Vec<Part>) -> Choice {
    choose_within(MAX_TRIES, files, repo_type, parts)
}

/// [`choose`], with the bound on tries given.
pub(super) fn choose_within(
    tries: usize,
    files: &[RepoFile],
    repo_type: RepoType,
    mut parts: Vec<Part>,
) -> Choice {
    let mut choice = Choice::default();
    let most = (tries / files.len().max(1)).clamp(8, MAX_ITEMS);
    if parts.len() > most {
        choice.warnings.push(format!(
            "Only the first {most} of {} choices are listed",
            parts.len()
        ));
        parts.truncate(most);
    }
    let Some(finder) = Finder::new(files, repo_type) else {
        return choice;
    };
    let mut ids = HashSet::new();
    let mut covered: BTreeSet<usize> = BTreeSet::new();
    for mut part in parts {
        let filter = if part.revision.is_some() {
            Some((String::new(), false))
        } else {
            part.files.sort_unstable();
            part.files.dedup();
            finder.find(&part)
        };
        let Some((filter_value, needs_exact)) = filter else {
            choice
                .warnings
                .push(format!("No filter selects exactly {}", part.label));
            continue;
        };
        choice.exact |= needs_exact;
        if part.recommended && part.revision.is_none() && part.files.iter().any(|i| !covered.contains(i)) {
            covered.extend(&part.files);
            for pattern in filter_value.split(',') {
                if !choice.recommended_filters.iter().any(|have| have == pattern) {
                    choice.recommended_filters.push(pattern.to_owned());
                }
            }
        }
        choice.items.push(item(files, part, filter_value, &mut ids));
    }
    choice
}

fn item(files: &[RepoFile], part: Part, filter_value: String, ids: &mut HashSet<String>) -> Item {
    let mut id = part.id.clone();
    let mut count = 1;
    while !ids.insert(id.clone()) {
        count += 1;
        id = format!("{}-{count}", part.id);
    }
    let size = part.revision.is_none().then(|| total(files, &part.files));
    Item {
        id,
        label: part.label,
        description: part.description,
        size,
        size_human: size.map(human_size),
        quality: part.quality,
        quality_stars: part.quality.map(stars),
        recommended: part.recommended,
        category: part.category,
        filter_value,
        files: part.files.iter().map(|i| files[*i].path.to_string()).collect(),
        ram: part.ram,
        ram_human: part.ram.map(human_size),
        upstream_repo: None,
        revision: part.revision,
        warning: part.warning,
    }
}

/// Sum of the sizes of some files, in bytes.
pub(super) fn total(files: &[RepoFile], chosen: &[usize]) -> u64 {
    chosen
        .iter()
        .fold(0, |sum: u64, index| sum.saturating_add(files[*index].size_bytes))
}

struct Finder<'a> {
    files: &'a [RepoFile],
    repo_type: RepoType,
    /// Whether the file comes along with any filter.
    companion: Vec<bool>,
}

impl<'a> Finder<'a> {
    fn new(files: &'a [RepoFile], repo_type: RepoType) -> Option<Self> {
        let nothing = Filter::new(&[NOTHING.to_owned()], &[], true, repo_type).ok()?;
        let verdicts = nothing.judge(files);
        Some(Self {
            files,
            repo_type,
            companion: verdicts.iter().map(|v| *v == Verdict::Companion).collect(),
        })
    }

    /// A filter that selects exactly the part with `exactMatch`, and whether it needs that.
    fn find(&self, part: &Part) -> Option<(String, bool)> {
        let mut wanted = self.companion.clone();
        let mut bound = false;
        for index in &part.files {
            bound |= !self.companion[*index];
            wanted[*index] = true;
        }
        if !bound {
            return None;
        }
        let natural = part.naturals.iter().find(|n| self.selects(n, true, &wanted));
        if let Some(natural) = natural {
            return Some((natural.clone(), !self.selects(natural, false, &wanted)));
        }
        let paths: Vec<_> = part
            .files
            .iter()
            .filter(|index| !self.companion[**index])
            .map(|index| self.files[*index].path.as_str())
            .collect();
        let works =
            |filter: &String| self.selects(filter, true, &wanted) && self.selects(filter, false, &wanted);
        generated(&paths)
            .into_iter()
            .find(works)
            .map(|filter| (filter, false))
    }

    fn selects(&self, filter: &str, exact: bool, wanted: &[bool]) -> bool {
        let patterns: Vec<String> = filter.split(',').map(str::to_owned).collect();
        // An empty pattern would be dropped, and with it the whole filter.
        if patterns
            .iter()
            .any(|p| p.is_empty() || p.trim() != p || p.contains(['\u{1}', '\n']))
        {
            return false;
        }
        let Ok(filter) = Filter::new(&patterns, &[], exact, self.repo_type) else {
            return false;
        };
        filter
            .judge(self.files)
            .iter()
            .zip(wanted)
            .all(|(verdict, wanted)| !matches!(verdict, Verdict::LeftOut(_)) == *wanted)
    }
}

/// Filters made from the paths themselves, best first.
fn generated(paths: &[&str]) -> Vec<String> {
    let mut by_folder: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let end = path.rfind('/').map_or(0, |at| at + 1);
        by_folder.entry(&path[..end]).or_default().push(path);
    }
    let mut folders = Vec::new();
    if by_folder.len() <= MAX_GENERATED {
        for loose in [true, false] {
            let globs: Vec<_> = by_folder.values().map(|list| common_glob(list, loose)).collect();
            folders.push(globs.join(","));
        }
    }
    let mut single = Vec::new();
    if paths.len() <= MAX_GENERATED {
        if paths
            .iter()
            .all(|path| path.len() <= MAX_PATTERN_CHARS && !path.contains([',', '*', '?', '[']))
        {
            single.push(paths.join(","));
        }
        let globs: Vec<_> = paths.iter().map(|path| path_glob(path)).collect();
        single.push(globs.join(","));
    }
    // A few paths read better than globs; many do not.
    if paths.len() <= 3 {
        single.into_iter().chain(folders).collect()
    } else {
        folders.into_iter().chain(single).collect()
    }
}

/// `text` with everything that a glob or a comma list would read otherwise as `?`.
fn glob_text(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' | '?' | '[' | ']' | '{' | '}' | ',' | '!' | '^' => '?',
            c if c.is_whitespace() => '?',
            c => c,
        })
        .collect()
}

/// A glob for one whole path: plain patterns are substrings or words, never whole root paths.
fn path_glob(path: &str) -> String {
    let text = glob_text(path);
    let glob = match text.char_indices().find(|(_, c)| c.is_ascii_alphanumeric()) {
        _ if text.contains('?') => text,
        Some((at, c)) => format!("{}[{c}]{}", &text[..at], &text[at + 1..]),
        None => format!("*{text}"),
    };
    shortened(glob)
}

/// A glob for paths of one folder: what they begin with, `*`, what they end with.
///
/// When `loose`, digits at the edges belong to the star: `train-*`, not `train-0000*`.
fn common_glob(paths: &[&str], loose: bool) -> String {
    let Some((first, rest)) = paths.split_first() else {
        return String::new();
    };
    if rest.is_empty() {
        return path_glob(first);
    }
    let chars: Vec<char> = first.chars().collect();
    let mut head = chars.len();
    let mut tail = chars.len();
    for path in rest {
        let same = |(a, b): &(char, char)| a == b;
        head = head.min(chars.iter().copied().zip(path.chars()).take_while(same).count());
        tail = tail.min(
            chars
                .iter()
                .rev()
                .copied()
                .zip(path.chars().rev())
                .take_while(same)
                .count(),
        );
    }
    tail = tail.min(chars.len() - head);
    if loose {
        while head > 0 && chars[head - 1].is_ascii_digit() {
            head -= 1;
        }
        while tail > 0 && chars[chars.len() - tail].is_ascii_digit() {
            tail -= 1;
        }
    }
    let text = |part: &[char]| glob_text(&part.iter().collect::<String>());
    shortened(format!(
        "{}*{}",
        text(&chars[..head]),
        text(&chars[chars.len() - tail..])
    ))
}

/// Cuts the front of a glob that is longer than a pattern may be.
fn shortened(glob: String) -> String {
    if glob.len() <= MAX_PATTERN_CHARS {
        return glob;
    }
    let mut start = glob.len() - (MAX_PATTERN_CHARS - 1);
    while !glob.is_char_boundary(start) {
        start += 1;
    }
    format!("*{}", &glob[start..])
}
