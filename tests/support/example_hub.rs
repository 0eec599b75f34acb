//! Serves folders as a Hugging Face Hub on this machine, to try hfdepot (or `hf`) without internet:
//!
//! ```text
//! cargo run --example hub -- DIR [--repo owner/name] [--port 8081] [--rate 20MiB]
//! ```
//!
//! `DIR` is one repo, or holds `owner/name/...` and `datasets/owner/name/...`. Files are read from
//! disk as they are asked for and must not change meanwhile. Faults and the request log are
//! reachable under `/__stand-in/`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;

#[allow(dead_code, unused_imports)]
mod hub;

use hub::{Content, FileEntry, Hub, Kind, Repo};

/// File name endings that always go to LFS.
const WEIGHTS: [&str; 3] = ["safetensors", "gguf", "bin"];
/// Folders of datasets lie under this name.
const DATASETS: &str = "datasets";

/// Serve folders as a stand-in for the Hugging Face Hub
#[derive(Parser)]
#[command(name = "hub")]
struct Arguments {
    /// Folder whose files are one repo, or that holds owner/name/... and datasets/owner/name/...
    directory: PathBuf,
    /// Serve the folder as this one repo (datasets/owner/name for a dataset)
    #[arg(long)]
    repo: Option<String>,
    /// Port of the Hub; 0 picks a free one
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Port of the CDN behind it; 0 picks a free one
    #[arg(long, default_value_t = 8082)]
    cdn_port: u16,
    /// Limit over all downloads, a second: 500KiB, 20MiB, 1GiB
    #[arg(long, value_parser = bytes)]
    rate: Option<u64>,
    /// Files larger than this go to LFS, weights always do
    #[arg(long, value_parser = bytes, default_value = "1MiB")]
    lfs_over: u64,
    /// Require a token: gate every repo
    #[arg(long)]
    gated: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let repos =
        repos(&arguments).with_context(|| format!("cannot serve {}", arguments.directory.display()))?;
    let hub = Hub::on_ports(arguments.port, arguments.cdn_port).with_context(|| {
        format!(
            "cannot listen on ports {} and {}",
            arguments.port, arguments.cdn_port
        )
    })?;
    hub.set_total_rate(arguments.rate);
    println!("Reading {} …", arguments.directory.display());
    for repo in repos {
        announce(&repo);
        hub.add(repo);
    }
    let endpoint = hub.endpoint();
    println!(
        "\nStand-in Hub   {endpoint}\nCDN            {}",
        hub.cdn_endpoint()
    );
    println!("Token          {} (reads everything)", hub::TOKEN);
    println!("Log            {endpoint}/__stand-in/summary");
    println!("\nTry            hfdepot serve --endpoint {endpoint}");
    println!("or             HF_ENDPOINT={endpoint} HF_HUB_DISABLE_XET=1 hf download owner/name");
    println!("\nCtrl-C stops it.");
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// One line for a repo. Hashes its files on the way, so that the first listing does not wait.
fn announce(repo: &Repo) {
    let Some(commit) = repo.revision("main") else {
        return;
    };
    let size: u64 = commit.files.values().map(|file| file.content.size()).sum();
    for file in commit.files.values() {
        file.etag();
    }
    let kind = if repo.kind == Kind::Dataset {
        "dataset"
    } else {
        "model"
    };
    println!(
        "  {kind:8} {}  {} files, {size} bytes, commit {}",
        repo.id,
        commit.files.len(),
        commit.sha
    );
}

fn repos(arguments: &Arguments) -> anyhow::Result<Vec<Repo>> {
    let root = &arguments.directory;
    if let Some(id) = &arguments.repo {
        return Ok(vec![repo(arguments, id, root)?]);
    }
    let mut found = Vec::new();
    for owner in folders(root)? {
        let name = file_name(&owner);
        let nested = if name == DATASETS {
            folders(&owner)?
        } else {
            vec![owner]
        };
        for owner in nested {
            let prefix = if name == DATASETS {
                format!("{DATASETS}/{}", file_name(&owner))
            } else {
                name.clone()
            };
            for folder in folders(&owner)? {
                found.push(repo(
                    arguments,
                    &format!("{prefix}/{}", file_name(&folder)),
                    &folder,
                )?);
            }
        }
    }
    let loose = std::fs::read_dir(root)?
        .filter_map(Result::ok)
        .any(|entry| entry.path().is_file());
    if loose || found.is_empty() {
        let id = format!("local/{}", file_name(&root.canonicalize()?).replace(' ', "-"));
        return Ok(vec![repo(arguments, &id, root)?]);
    }
    Ok(found)
}

fn repo(arguments: &Arguments, id: &str, folder: &Path) -> anyhow::Result<Repo> {
    let mut made = match id.strip_prefix("datasets/") {
        Some(id) => Repo::dataset(id),
        None => Repo::model(id),
    };
    if arguments.gated {
        made = made.gated("auto");
    }
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let content = Content::disk(&path).with_context(|| format!("cannot open {}", path.display()))?;
            let Some(inside) = path.strip_prefix(folder)?.to_str() else {
                bail!("{} is not UTF-8", path.display());
            };
            let weights = path
                .extension()
                .is_some_and(|ending| WEIGHTS.iter().any(|known| ending == *known));
            let lfs = weights || content.size() > arguments.lfs_over;
            made = made.entry(
                inside,
                FileEntry {
                    content,
                    lfs,
                    security: None,
                },
            );
        }
    }
    Ok(made.sealed())
}

/// Folders inside a folder, sorted; hidden ones are left out.
fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root)?.collect::<io::Result<Vec<_>>>()?;
    let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    found.retain(|path| path.is_dir() && !file_name(path).starts_with('.'));
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Reads a size: a number with `KiB`, `MiB`, `GiB` or nothing behind it.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        unit => return Err(format!("unknown unit {unit}; use KiB, MiB or GiB")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{text} is not a size"))?;
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("{text} is too large"))
}
