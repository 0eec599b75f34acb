//! What the path of a GGUF file alone tells: for files in a cache, where nobody asks the Hub.

use super::quants::find_quant;
use super::weights::{split_shard, stem_and_extension};

/// What the path of a GGUF file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedQuant {
    /// The quantisation, `Unknown` when the name has none; for a projector its file name.
    pub label: String,
    /// The path without extension and shard number: equal for all shards of one file.
    pub stem: String,
    /// Whether it is a projector for images or sound.
    pub projector: bool,
}

/// Reads the path of a GGUF file; `None` for other files and for what only made a quantisation.
pub fn quantization_of(path: &str) -> Option<CachedQuant> {
    let (stem, extension) = stem_and_extension(path);
    if extension != "gguf" || stem.to_lowercase().contains("imatrix") {
        return None;
    }
    let folder = path.rfind('/').map_or("", |at| &path[..at]);
    let name = path.rsplit('/').next().unwrap_or(path);
    let projector = stem.to_lowercase().contains("mmproj");
    let (stem, _) = split_shard(stem);
    let found = find_quant(&stem).or_else(|| find_quant(folder));
    Some(CachedQuant {
        label: match found {
            _ if projector => name.to_owned(),
            Some(found) => found.name(),
            None => "Unknown".to_owned(),
        },
        stem: format!("{folder}/{stem}"),
        projector,
    })
}
