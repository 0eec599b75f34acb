//! Models that lie plain in a folder, as `<owner>/<name>/<files>`: what download programs with a
//! local folder leave, and what people sort by hand. Nothing is changed, no link is followed.

use std::path::Path;

use rustix::fs::FileType;

use super::error::DiskError;
use super::folder::Folder;
use crate::model::library::{CachedRepo, PlainRepo};
use crate::model::repo::RepoType;

/// Folders and files looked at in one folder of models; what lies beyond is not listed.
const FOLDERS: usize = 20_000;
const FILES: usize = 200_000;
/// Folders below a model.
const DEPTH: usize = 8;

/// The models in `root`: every `owner/name` below it that holds a `.gguf` or `.safetensors`. A
/// root that is not there has none. Blocks.
///
/// # Errors
/// When the root cannot be listed; what is below it and cannot be read is left out.
pub fn scan(root: &Path) -> Result<Vec<PlainRepo>, DiskError> {
    let top = match Folder::open_root(root) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        top => top?,
    };
    let mut bounds = (FOLDERS, FILES);
    let mut found = Vec::new();
    for owner in folders(&top)? {
        let Ok(above) = top.child(&owner) else { continue };
        for name in folders(&above).unwrap_or_default() {
            let Ok(repo) = CachedRepo::parse(RepoType::Model, &format!("{owner}/{name}")) else {
                continue;
            };
            let Ok(folder) = above.child(&name) else { continue };
            let mut plain = PlainRepo {
                repo,
                location: root.to_string_lossy().into_owned(),
                path: folder.path().to_string_lossy().into_owned(),
                files: Vec::new(),
                modified_at: 0,
            };
            walk(&folder, "", 0, &mut plain, &mut bounds);
            let is_model = |path: &str| path.ends_with(".gguf") || path.ends_with(".safetensors");
            if plain.files.iter().any(|(path, _)| is_model(path)) {
                plain.files.sort_unstable();
                found.push(plain);
            }
        }
    }
    Ok(found)
}

/// Names of the folders that are not hidden, in order.
fn folders(above: &Folder) -> Result<Vec<String>, DiskError> {
    let kinds = above.kinds()?.into_iter();
    let mut names: Vec<String> = kinds
        .filter(|(name, kind)| *kind == FileType::Directory && !name.starts_with('.'))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn walk(folder: &Folder, above: &str, depth: usize, plain: &mut PlainRepo, bounds: &mut (usize, usize)) {
    let Ok(kinds) = folder.kinds() else { return };
    for (name, kind) in kinds {
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{above}{name}");
        match kind {
            FileType::Directory if depth < DEPTH && bounds.0 > 0 => {
                bounds.0 -= 1;
                if let Ok(child) = folder.child(&name) {
                    walk(&child, &format!("{path}/"), depth + 1, plain, bounds);
                }
            }
            FileType::RegularFile if bounds.1 > 0 => {
                bounds.1 -= 1;
                if let Ok(Some(entry)) = folder.entry(&name) {
                    plain.modified_at = plain.modified_at.max(entry.modified_at);
                    plain.files.push((path, entry.size_bytes));
                }
            }
            _ => {}
        }
    }
}
