//! The shape of the source: imports go down only, libraries stay on their floor, files stay small.

use std::path::{Path, PathBuf};

/// Lines that a file may have.
const LIMIT: usize = 450;
/// Files that are longer, and how long they may be: a list to shorten, never to lengthen.
const LARGER: [(&str, usize); 0] = [];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Path from the top of the repo, and the text without comments.
fn source_texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    sources(&root.join("src"))
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the root");
            let text = std::fs::read_to_string(path).expect("text");
            let code: Vec<_> = text
                .lines()
                .map(|line| line.split("//").next().unwrap_or(""))
                .collect();
            (name.to_string_lossy().into_owned(), code.join("\n"))
        })
        .collect()
}

/// Floor of a module; `None` stands beside the house.
fn floor(module: &str) -> Option<u8> {
    match module {
        "model" => Some(0),
        "store" | "hub" | "disk" | "mirror" => Some(1),
        "engine" => Some(2),
        "http" | "cli" => Some(3),
        _ => None,
    }
}

/// The module of the crate that a file belongs to: the name below `src/`.
fn module(name: &str) -> &str {
    let below = name.trim_start_matches("src/");
    below.split('/').next().unwrap_or("").trim_end_matches(".rs")
}

/// First names behind `crate::` or `hfdepot::`, groups included.
fn imported(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for start in ["crate::", "hfdepot::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let word = |text: &str| -> String {
                let text = text.trim_start();
                text.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect()
            };
            if let Some(group) = rest.strip_prefix('{') {
                let mut depth = 0;
                let mut from = 0;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        ',' | '}' if depth == 0 => {
                            names.push(word(&group[from..at]));
                            from = at + 1;
                            if c == '}' {
                                break;
                            }
                        }
                        '}' => depth -= 1,
                        _ => {}
                    }
                }
            } else {
                names.push(word(rest));
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code = "use crate::model::repo::RepoId;\nuse crate::{store::{Job, Store}, hub,\n clock};\nlet x = crate::disk::open();";
    assert_eq!(imported(code), ["model", "store", "hub", "clock", "disk"]);
}

#[test]
fn imports_go_down_only() {
    let mut seen = 0;
    for (name, code) in source_texts() {
        let own = module(&name);
        for other in imported(&code) {
            seen += 1;
            let (Some(to), from) = (floor(&other), floor(own)) else {
                continue;
            };
            // What stands beside the house knows words and rules at most; `service` with its
            // `upkeep` and the crate's two roots put the floors together.
            let allowed = match from {
                Some(from) => other == own || to < from,
                None => to == 0 || matches!(own, "service" | "upkeep" | "lib" | "main"),
            };
            assert!(allowed, "{name} imports crate::{other}");
        }
    }
    assert!(seen > 100, "only {seen} imports were found");
}

#[test]
fn each_library_stays_on_its_floor() {
    let rules: [(&str, &[&str]); 3] = [
        ("sqlx", &["src/store/"]),
        ("axum", &["src/http/", "src/service.rs"]),
        ("reqwest", &["src/hub/", "src/mirror/", "src/cli/client.rs"]),
    ];
    for (library, homes) in rules {
        let path = format!("{library}::");
        let users: Vec<_> = source_texts()
            .into_iter()
            .filter(|(_, code)| {
                code.match_indices(&path).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                })
            })
            .map(|(name, _)| name)
            .collect();
        assert!(!users.is_empty(), "nobody uses {library}");
        for user in users {
            assert!(
                homes.iter().any(|home| user.starts_with(home)),
                "{user} uses {library}"
            );
        }
    }
}

#[test]
fn files_stay_small_enough_to_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests"] {
        for path in sources(&root.join(folder)) {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy();
            let lines = std::fs::read_to_string(&path).expect("text").lines().count();
            let larger = LARGER.iter().find(|(larger, _)| *larger == name);
            let limit = larger.map_or(LIMIT, |(_, limit)| *limit);
            assert!(lines <= limit, "{name} has {lines} lines, more than {limit}");
            assert!(
                larger.is_none() || lines > LIMIT,
                "{name} is short enough now: strike it off the list"
            );
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).expect("text");
        // Tests beside their module are introduced by its own head.
        let told = text.starts_with("//! ") || path.components().any(|part| part.as_os_str() == "tests");
        assert!(told, "{}", path.display());
    }
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut numbers: Vec<usize> = crate::support::depot::names(&folder)
        .iter()
        .map(|name| {
            let rest = name.strip_prefix('V').and_then(|rest| rest.strip_suffix(".sql"));
            let number = rest
                .and_then(|rest| rest.split_once("__"))
                .and_then(|(n, _)| n.parse().ok());
            number.unwrap_or_else(|| panic!("{name} is no V<n>__<name>.sql"))
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    assert!(!numbers.is_empty());
}
