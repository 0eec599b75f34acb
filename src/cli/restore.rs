//! `hfdepot restore`: puts a copy of the database back while the service does not run. Without a
//! name it lists the copies.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::clock::rfc3339;
use crate::config::environment::Environment;
use crate::config::paths;
use crate::lifecycle::{Exit, ExitError};
use crate::model::backup::BackupName;
use crate::model::size::human_size;
use crate::service;
use crate::store;

/// Which copy goes where.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Name of a copy in the folder backups of the data directory, or path of a downloaded one; without it the copies are listed
    copy: Option<String>,
    /// Directory of the database [default: hfdepot in the XDG data directory]
    #[arg(long, env = "HFDEPOT_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
}

/// Restores or lists.
///
/// # Errors
/// When the service runs, there is no such copy, or it is damaged or of a newer version.
pub fn main(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let dir =
        paths::data_dir(args.data_dir.as_deref(), &Environment::of_process()).map_err(ExitError::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("The runtime cannot be started")?;
    runtime.block_on(async {
        match &args.copy {
            Some(copy) => restore(&dir, copy).await,
            None => list(&dir).await,
        }
    })?;
    Ok(Exit::Ok)
}

async fn restore(dir: &Path, copy: &str) -> anyhow::Result<()> {
    let from = file_of(dir, copy)?;
    let restored = service::restore(dir, &from)
        .await
        .context("Nothing was restored")?;
    println!(
        "Restored {} (schema {}).",
        restored.from.display(),
        restored.schema_version
    );
    if let Some(kept) = restored.kept_in {
        println!(
            "What was there before lies in {}; delete it when all is well.",
            kept.display()
        );
    }
    println!("Start the service: downloads that were running then go on, and the cache is read anew.");
    Ok(())
}

/// A name means the folder of the copies, everything else is a path.
fn file_of(dir: &Path, copy: &str) -> anyhow::Result<PathBuf> {
    if let Ok(name) = copy.parse::<BackupName>()
        && let Some(file) = store::backup_file(dir, &name)
    {
        return Ok(file);
    }
    let path = PathBuf::from(copy);
    match path.is_file() {
        true => Ok(path),
        false => Err(anyhow!(
            "There is no copy \"{copy}\" in {}, and no file of that path; `hfdepot restore` lists the copies",
            dir.join(store::BACKUPS).display()
        )),
    }
}

async fn list(dir: &Path) -> anyhow::Result<()> {
    let copies = store::backups(dir).await?;
    if copies.is_empty() {
        eprintln!("No copies yet in {}.", dir.join(store::BACKUPS).display());
    }
    for copy in copies {
        let schema = match copy.schema_version {
            Some(version) if version > store::known_schema() => {
                format!("schema {version}, of a newer hfdepot")
            }
            Some(version) => format!("schema {version}"),
            None => "cannot be read".to_owned(),
        };
        println!(
            "{:<44} {} {:>10}  {schema}",
            copy.name,
            rfc3339(copy.name.made_at()),
            human_size(copy.size_bytes)
        );
    }
    Ok(())
}
