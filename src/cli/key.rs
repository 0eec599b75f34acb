//! `hfdepot key`: API keys in the data directory while the service does not run, so that the
//! first one can be made before anybody can log in. A running service has `/api/keys`.

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};

use crate::clock::rfc3339;
use crate::config::environment::Environment;
use crate::config::paths;
use crate::lifecycle::{Exit, ExitError};
use crate::model::key::{KeyName, Scope};
use crate::service;
use crate::store::Store;

/// Who made a key that was made here, for the database.
const ACTOR: &str = "command line";

/// What to do with keys.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Directory of the database [default: hfdepot in the XDG data directory]
    #[arg(long, global = true, env = "HFDEPOT_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it; it is shown this once
    Add {
        /// Name of the key in events and history
        name: KeyName,
        /// What it may do: read, enqueue (and command jobs), admin (everything)
        #[arg(long, value_name = "SCOPE")]
        scope: Scope,
    },
    /// List the keys
    List,
    /// Remove a key
    Remove {
        /// Name or id of the key
        key: String,
    },
}

/// Runs one action on the data directory.
///
/// # Errors
/// When the service runs, the database cannot be opened, a name is taken or unknown.
pub fn main(args: &KeyArgs) -> anyhow::Result<Exit> {
    let dir =
        paths::data_dir(args.data_dir.as_deref(), &Environment::of_process()).map_err(ExitError::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("The runtime cannot be started")?;
    runtime.block_on(async {
        let (store, _lock) = service::open_store(&dir)
            .await
            .context("Keys of a running service are made and removed through /api/keys")?;
        let done = act(&store, &args.action).await;
        store.close().await;
        done.map(|()| Exit::Ok)
    })
}

async fn act(store: &Store, action: &Action) -> anyhow::Result<()> {
    match action {
        Action::Add { name, scope } => {
            let made = store.add_key(name, *scope, ACTOR).await?;
            let (_, key) = made.ok_or_else(|| anyhow!("There is a key with the name \"{name}\""))?;
            println!("{}", key.expose());
        }
        Action::List => {
            let keys = store.keys().await?;
            if keys.is_empty() {
                eprintln!("No keys yet. `hfdepot key add NAME --scope read|enqueue|admin` makes one.");
            }
            for key in keys {
                let used = match (key.last_used_at, &key.last_used_from) {
                    (Some(at), Some(from)) => format!("{} from {from}", rfc3339(at)),
                    _ => "never".to_owned(),
                };
                println!(
                    "{}  {:<8} {:<24} {}…  made {}  used {used}",
                    key.id,
                    key.scope.as_str(),
                    key.name,
                    key.prefix,
                    rfc3339(key.created_at)
                );
            }
        }
        Action::Remove { key: wanted } => {
            let keys = store.keys().await?;
            let found = keys.iter().find(|key| key.id == *wanted);
            let found = found.or_else(|| keys.iter().find(|key| key.name.eq_ignore_ascii_case(wanted)));
            let found = found.ok_or_else(|| anyhow!("There is no key with the name or id \"{wanted}\""))?;
            store.remove_key(&found.id).await?;
        }
    }
    Ok(())
}
