//! A look into a repo before anything of it is downloaded: its small config files and the
//! headers of a few weight files.
//!
//! All of it together costs at most [`CONFIGS_MAX`] and [`MAX_HEADER_BYTES`] of reading, whatever
//! the repo says of itself. What cannot be read leaves a gap in the report, never an error.

use std::collections::HashMap;

use serde_json::Value;

use crate::hub::{Class, HubClient, HubError, RemoteFile};
use crate::model::analysis::headers::{HeaderError, HeaderFacts, MAX_HEADER_BYTES, Parsed};
use crate::model::analysis::{MAX_CONFIG_BYTES, WANTED_CONFIGS, gguf_header, safetensors_header};
use crate::model::plan::RepoFile;
use crate::model::repo::{Commit, RepoId, RepoType, shown};

/// Most bytes of all config files together. Parsed, hostile JSON takes some thirty times that.
const CONFIGS_MAX: u64 = 12 << 20;
/// Most safetensors files whose headers are read; the sum over more is not worth the requests.
const SHARDS_MAX: usize = 8;
/// First piece of a GGUF file; its parser asks for no less.
const GGUF_FIRST: u64 = 256 << 10;
/// First piece of a safetensors file; most headers are shorter.
const SAFETENSORS_FIRST: u64 = 64 << 10;
/// Tries for one file when the connection breaks off.
const TRIES: usize = 2;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Peeked {
    /// Config files by path.
    pub configs: HashMap<String, Value>,
    /// Headers by path.
    pub headers: HashMap<String, HeaderFacts>,
    /// Why files cannot be opened, when the Hub keeps them locked.
    pub locked: Option<String>,
    /// Sentences about what could not be read.
    pub warnings: Vec<String>,
    /// Whether something failed that may work the next time.
    pub passing_fault: bool,
}

/// One commit of a repo, to be looked into.
pub(super) struct Subject<'a> {
    pub hub: &'a HubClient,
    pub repo_type: RepoType,
    pub id: &'a RepoId,
    pub commit: &'a Commit,
    pub files: &'a [RepoFile],
}

impl Subject<'_> {
    /// Reads what an analysis wants to know.
    pub async fn peek(&self) -> Peeked {
        let mut peeked = Peeked::default();
        if self.repo_type == RepoType::Dataset {
            return peeked;
        }
        let mut left = CONFIGS_MAX;
        for file in self.configs() {
            if file.size_bytes > left.min(MAX_CONFIG_BYTES) {
                peeked.warn(file, "is too long to be read");
                continue;
            }
            left -= file.size_bytes;
            match self.read(file, None).await {
                Ok(bytes) => match aside(move || serde_json::from_slice(&bytes)).await {
                    Some(Ok(config)) => drop(peeked.configs.insert(file.path.to_string(), config)),
                    _ => peeked.warn(file, "is not JSON"),
                },
                Err(error) => peeked.failed(file, &error),
            }
            if peeked.locked.is_some() {
                return peeked;
            }
        }
        let mut left = MAX_HEADER_BYTES;
        for file in header_files(self.files) {
            if let Err(error) = self.header(file, &mut left, &mut peeked).await {
                peeked.failed(file, &error);
            }
            if peeked.locked.is_some() {
                break;
            }
        }
        peeked
    }

    fn configs(&self) -> impl Iterator<Item = &RepoFile> {
        self.files
            .iter()
            .filter(|file| WANTED_CONFIGS.contains(&file.path.as_str()))
    }

    /// Reads the header of one file piece by piece, as its parser asks for more.
    async fn header(&self, file: &RepoFile, left: &mut u64, peeked: &mut Peeked) -> Result<(), HubError> {
        let gguf = is_gguf(file);
        let first = if gguf { GGUF_FIRST } else { SAFETENSORS_FIRST };
        let remote = self.remote(file);
        let mut front = Vec::new();
        let mut wanted = first.min(file.size_bytes);
        loop {
            let have = front.len() as u64;
            if wanted <= have || wanted - have > *left {
                // An empty file, or more headers than one look may cost.
                return Ok(());
            }
            *left -= wanted - have;
            front.extend(read(&remote, Some(have..wanted)).await?);
            let size = file.size_bytes;
            let parse = move || {
                let parsed = if gguf {
                    gguf_header::parse(&front, size).map(|parsed| facts(parsed, HeaderFacts::Gguf))
                } else {
                    safetensors_header::parse(&front, size)
                        .map(|parsed| facts(parsed, HeaderFacts::Safetensors))
                };
                (front, parsed)
            };
            let Some((read, parsed)) = aside(parse).await else {
                return Ok(());
            };
            front = read;
            match parsed {
                Ok(Parsed::Done(facts)) => {
                    peeked.headers.insert(file.path.to_string(), facts);
                    return Ok(());
                }
                Ok(Parsed::NeedMore(more)) => wanted = more.min(file.size_bytes),
                Err(error) => {
                    if !matches!(error, HeaderError::TooLarge) {
                        peeked.warn(file, &format!("cannot be understood: {error}"));
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn read(&self, file: &RepoFile, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>, HubError> {
        read(&self.remote(file), range).await
    }

    fn remote(&self, file: &RepoFile) -> RemoteFile {
        self.hub.file(self.repo_type, self.id, self.commit, file)
    }
}

impl Peeked {
    fn warn(&mut self, file: &RepoFile, what: &str) {
        let path = shown(file.path.as_str());
        self.warnings.push(format!("\"{path}\" {what}"));
    }

    fn failed(&mut self, file: &RepoFile, error: &HubError) {
        if error.class == Class::NeedsUser {
            self.locked = Some(error.message.clone());
            return;
        }
        // A source without ranges will not have them the next time either.
        if !error.ranges_ignored {
            self.passing_fault |= !matches!(error.class, Class::Permanent);
            self.warn(file, &format!("cannot be read: {error}"));
        }
    }
}

/// Runs a parser where it keeps no answer of the API waiting; `None` when it panicked.
async fn aside<T: Send + 'static>(parse: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(parse).await.ok()
}

fn facts<T>(parsed: Parsed<T>, wrap: impl Fn(T) -> HeaderFacts) -> Parsed<HeaderFacts> {
    match parsed {
        Parsed::Done(header) => Parsed::Done(wrap(header)),
        Parsed::NeedMore(bytes) => Parsed::NeedMore(bytes),
    }
}

/// The bytes of `range`, or of the whole file.
async fn read(remote: &RemoteFile, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>, HubError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match read_once(remote, range.clone()).await {
            Err(error) if error.class == Class::Transient && !error.ranges_ignored && tries < TRIES => {}
            read => return read,
        }
    }
}

async fn read_once(remote: &RemoteFile, range: Option<std::ops::Range<u64>>) -> Result<Vec<u8>, HubError> {
    let mut body = remote.open(range).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn is_gguf(file: &RepoFile) -> bool {
    file.path.as_str().to_ascii_lowercase().ends_with(".gguf")
}

/// The weight files whose headers tell most for the fewest requests: of GGUF files the smallest
/// that is a whole model, else every safetensors file when they are few.
fn header_files(files: &[RepoFile]) -> Vec<&RepoFile> {
    let is_model = |file: &&RepoFile| {
        let name = file.path.file_name().to_ascii_lowercase();
        let other = ["mmproj", "imatrix", "mtp-", "draft"];
        is_gguf(file) && !other.iter().any(|word| name.contains(word)) && file.size_bytes > 0
    };
    // Later parts of a split model have no metadata.
    let is_later_part = |file: &RepoFile| {
        let name = file.path.as_str();
        name.contains("-of-") && !name.contains("-00001-of-")
    };
    let smallest = files.iter().filter(is_model).min_by_key(|file| {
        (
            is_later_part(file),
            file.path.as_str().contains("-of-"),
            file.size_bytes,
        )
    });
    if let Some(file) = smallest {
        return vec![file];
    }
    let shards: Vec<_> = files
        .iter()
        .filter(|file| file.path.as_str().ends_with(".safetensors") && file.size_bytes > 0)
        .collect();
    let has_config = files.iter().any(|file| file.path.as_str() == "config.json");
    if has_config && shards.len() <= SHARDS_MAX {
        shards
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, u64)]) -> Vec<RepoFile> {
        names
            .iter()
            .map(|(path, size_bytes)| RepoFile {
                path: path.parse().unwrap(),
                size_bytes: *size_bytes,
                blob_id: "f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a".parse().unwrap(),
                git_oid: String::new(),
                xet_hash: None,
            })
            .collect()
    }

    #[test]
    fn the_header_of_one_small_whole_model_is_enough() {
        for (names, expected) in [
            (
                &[("m-Q8_0.gguf", 9), ("m-Q4_K_M.gguf", 5), ("mmproj-F16.gguf", 1)][..],
                &["m-Q4_K_M.gguf"][..],
            ),
            (
                &[
                    ("a-00002-of-00002.gguf", 1),
                    ("a-00001-of-00002.gguf", 2),
                    ("b.gguf", 9),
                ],
                &["b.gguf"],
            ),
            (
                &[("a-00002-of-00002.gguf", 1), ("a-00001-of-00002.gguf", 2)],
                &["a-00001-of-00002.gguf"],
            ),
            (
                &[("config.json", 1), ("x.safetensors", 3), ("y.safetensors", 0)],
                &["x.safetensors"],
            ),
            (&[("x.safetensors", 3)], &[]),
            (&[("mmproj.gguf", 3)], &[]),
        ] {
            let files = files(names);
            let found: Vec<_> = header_files(&files)
                .iter()
                .map(|file| file.path.as_str())
                .collect();
            assert_eq!(found, expected, "{names:?}");
        }
    }

    #[test]
    fn many_shards_are_not_worth_a_request_each() {
        let names: Vec<_> = (0..=SHARDS_MAX).map(|n| format!("m-{n}.safetensors")).collect();
        let mut all: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        all.push(("config.json", 1));
        assert!(header_files(&files(&all)).is_empty());
        assert_eq!(header_files(&files(&all[1..])).len(), SHARDS_MAX);
    }
}
