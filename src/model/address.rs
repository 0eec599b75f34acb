//! The addresses that lead to things on the Hub, and the repo that one of them names.

use percent_encoding::percent_decode_str;

use super::repo::{NameError, shown};

/// Hosts whose addresses may be written without `https://`.
const HOSTS: [&str; 3] = ["hf.co", "huggingface.co", "www.huggingface.co"];
/// What the Hub puts between a repo and the revision that it shows of it.
const VIEWS: [&str; 5] = ["tree", "blob", "resolve", "raw", "commit"];
/// Folders of revisions that are no branches, such as `refs/pr/1`: their names have three parts.
const REFS: &str = "refs";

/// A text as a path on the Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What is written in front of it.
    pub front: Front,
    /// Without query and fragment where it has a front.
    pub path: &'a str,
}

/// What stands before a path on the Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// Nothing.
    None,
    /// `https://` with any host, for a mirror of the Hub has the same addresses; or one of the Hub's
    /// hosts alone.
    Host,
    /// `hf://`
    Scheme,
}

impl<'a> Place<'a> {
    /// Splits what stands before the path off. `None` for an address of another scheme, and for a
    /// host without a path.
    pub fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (front, path) = match text.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => (Front::Host, rest.split_once('/')?.1),
                "hf" => (Front::Scheme, rest),
                _ => return None,
            },
            None => match text.split_once('/') {
                Some((host, rest)) if is_host(host) => (Front::Host, rest),
                _ => (Front::None, text),
            },
        };
        let path = match front {
            Front::None => path,
            _ => path.split(['?', '#']).next().unwrap_or_default(),
        };
        Some(Self { front, path })
    }
}

fn is_host(text: &str) -> bool {
    HOSTS.contains(&text.to_ascii_lowercase().as_str())
}

/// A repo, and what of it its address names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepoAddress {
    /// `owner/name`; nothing but the number of its parts is checked.
    pub repo: String,
    /// Whether the address is one of a dataset.
    pub dataset: bool,
    /// Branch, tag or commit.
    pub revision: Option<String>,
    /// Filters for the files that it names; empty = all.
    pub filters: Vec<String>,
}

impl RepoAddress {
    /// The repo that an address leads to: `https://huggingface.co/owner/name` and what the Hub has below
    /// it, the same with `datasets/` before it, on any host, with `hf.co/` or `hf://`.
    /// `None` when the text is no address, but, if anything, the plain name of a repo.
    ///
    /// # Errors
    /// When it is an address, but of no repo.
    pub fn parse(text: &str) -> Result<Option<Self>, NameError> {
        let text = text.trim();
        let wrong = || {
            NameError(format!(
                "\"{}\" is no address of a model or dataset: Expected https://huggingface.co/owner/name or …/datasets/owner/name, with /tree/REVISION behind it for a revision",
                shown(text)
            ))
        };
        let Some(place) = Place::of(text) else {
            return Err(wrong());
        };
        let mut parts: Vec<&str> = place.path.split('/').filter(|part| !part.is_empty()).collect();
        let kind = ["datasets", "models"]
            .into_iter()
            .find(|kind| parts.first() == Some(kind));
        match (kind, place.front) {
            (Some(_), _) => drop(parts.remove(0)),
            (None, Front::None) if is_host(text) => return Err(wrong()),
            (None, Front::None) => return Ok(None),
            (None, _) => {}
        }
        let mut found = match (place.front, parts.as_slice()) {
            (Front::Scheme, parts) => in_scheme(parts),
            (_, parts) => on_site(parts),
        }
        .ok_or_else(wrong)?;
        found.dataset = kind == Some("datasets");
        Ok(Some(found))
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| decoded(part)).collect();
    parts.join("/")
}

fn filters_of(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|filter| !filter.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Names that stand for parts of the Hub in place of an owner.
const NO_OWNERS: [&str; 5] = ["spaces", "collections", "papers", "api", "docs"];

fn is_owner(text: &str) -> bool {
    !NO_OWNERS.contains(&text)
}

/// `owner/name`, `owner/name:filters`, `owner/name/tree/revision/folder`, `owner/name/blob/revision/file`
fn on_site(parts: &[&str]) -> Option<RepoAddress> {
    let [owner, name, rest @ ..] = parts else {
        return None;
    };
    let (name, filters) = match name.split_once(':') {
        Some((name, filters)) => (name, filters_of(filters)),
        None => (*name, Vec::new()),
    };
    let mut found = RepoAddress {
        repo: format!("{}/{}", decoded(owner), decoded(name)),
        filters,
        ..RepoAddress::default()
    };
    match rest {
        _ if !is_owner(owner) => return None,
        [] => {}
        [view, revision @ ..] if VIEWS.contains(view) && found.filters.is_empty() => {
            let length = if revision.first() == Some(&REFS) { 3 } else { 1 };
            let (revision, path) = revision.split_at_checked(length)?;
            found.revision = Some(joined(revision));
            found.filters = files_at(&joined(path), *view == "tree");
        }
        _ => return None,
    }
    Some(found)
}

/// `owner/name@revision/file`
fn in_scheme(parts: &[&str]) -> Option<RepoAddress> {
    let [owner, name, path @ ..] = parts else {
        return None;
    };
    if !is_owner(owner) {
        return None;
    }
    let (name, filters) = match name.split_once(':') {
        Some((name, filters)) => (name, filters_of(&[&[filters], path].concat().join("/"))),
        None => (*name, files_at(&joined(path), false)),
    };
    let (name, revision) = match name.split_once('@') {
        Some((name, revision)) => (name, Some(decoded(revision))),
        None => (name, None),
    };
    Some(RepoAddress {
        repo: format!("{}/{}", decoded(owner), decoded(name)),
        dataset: false,
        revision,
        filters,
    })
}

/// The filters for a path in a repo.
fn files_at(path: &str, is_folder: bool) -> Vec<String> {
    match (path, is_folder) {
        ("", _) => Vec::new(),
        (folder, true) => vec![format!("{folder}/*")],
        (file, false) => vec![format!("={file}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_repo_says_repo_kind_revision_and_files() {
        const HUB: &str = "https://huggingface.co";
        for (text, repo, dataset, revision, filters) in [
            (
                "https://huggingface.co/o/n".to_owned(),
                "o/n",
                false,
                None,
                &[][..],
            ),
            (
                " HTTPS://huggingface.co/o/n/?x=y#z ".to_owned(),
                "o/n",
                false,
                None,
                &[],
            ),
            ("http://127.0.0.1:8081/o/n".to_owned(), "o/n", false, None, &[]),
            ("hf.co/o/n".to_owned(), "o/n", false, None, &[]),
            (
                "HF.co/o/n:q4_k_m,q5".to_owned(),
                "o/n",
                false,
                None,
                &["q4_k_m", "q5"],
            ),
            (
                "www.huggingface.co/datasets/o/n".to_owned(),
                "o/n",
                true,
                None,
                &[],
            ),
            ("datasets/o/n".to_owned(), "o/n", true, None, &[]),
            ("models/o/n".to_owned(), "o/n", false, None, &[]),
            (
                format!("{HUB}/datasets/o/n/tree/main"),
                "o/n",
                true,
                Some("main"),
                &[],
            ),
            (format!("{HUB}/o/n/tree/a%2Fb"), "o/n", false, Some("a/b"), &[]),
            (
                format!("{HUB}/o/n/tree/refs/pr/1"),
                "o/n",
                false,
                Some("refs/pr/1"),
                &[],
            ),
            (
                format!("{HUB}/o/n/tree/v1/x%20y/z"),
                "o/n",
                false,
                Some("v1"),
                &["x y/z/*"],
            ),
            (
                format!("{HUB}/o/n/blob/v1/a/b.gguf"),
                "o/n",
                false,
                Some("v1"),
                &["=a/b.gguf"],
            ),
            (
                format!("{HUB}/o/n/resolve/main/b.gguf?download=true"),
                "o/n",
                false,
                Some("main"),
                &["=b.gguf"],
            ),
            ("hf://o/n@v1".to_owned(), "o/n", false, Some("v1"), &[]),
            (
                "hf://datasets/o/n@a%2Fb/c.csv".to_owned(),
                "o/n",
                true,
                Some("a/b"),
                &["=c.csv"],
            ),
            ("hf://o/n:x/*,y".to_owned(), "o/n", false, None, &["x/*", "y"]),
        ] {
            let expected = RepoAddress {
                repo: repo.to_owned(),
                dataset,
                revision: revision.map(str::to_owned),
                filters: filters.iter().map(|filter| (*filter).to_owned()).collect(),
            };
            assert_eq!(RepoAddress::parse(&text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn a_name_is_no_address_and_an_address_of_something_else_is_refused() {
        for text in ["", "o/n", "o/n:a/b", "o/n:*.csv?", "no slash", "o", "spaces/o/n"] {
            assert_eq!(RepoAddress::parse(text), Ok(None), "{text}");
        }
        for text in [
            "https://huggingface.co",
            "hf.co",
            "https://huggingface.co/o",
            "https://huggingface.co/spaces/o/n",
            "https://huggingface.co/collections/o/n",
            "https://huggingface.co/o/n/discussions/3",
            "https://huggingface.co/o/n/tree",
            "https://huggingface.co/o/n/tree/refs/pr",
            "hf://o",
            "hf://spaces/o/n",
            "datasets/o",
            "ftp://huggingface.co/o/n",
        ] {
            let refused = RepoAddress::parse(text).unwrap_err();
            assert!(
                refused.0.starts_with(&format!("\"{text}\" is no address")),
                "{refused}"
            );
        }
    }
}
