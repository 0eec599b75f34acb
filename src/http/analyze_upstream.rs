//! A look into the base models of a GGUF repo for the vision encoder that it lacks.
//!
//! It costs two small requests a base model, at most ten seconds, and is remembered a while.
//! A report never fails for want of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::state::App;
use crate::hub::{Class, HubClient, HubError};
use crate::model::analysis::{Analysis, Item, upstream};
use crate::model::repo::{RepoId, RepoType, Revision};

/// Longest wait for all base models of one repo.
const AT_MOST: Duration = Duration::from_secs(10);
/// How long the encoders of a repo, or that it has none, are remembered; a report is as old.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);
/// Most repos that are remembered.
const KEPT: usize = 64;

/// What was found in the last minutes.
#[derive(Default)]
pub struct Upstreams(Mutex<Vec<Known>>);

struct Known {
    /// The client that asked: another token or endpoint sees other repos.
    client: u64,
    repo: RepoId,
    at: Instant,
    items: Arc<[Item]>,
}

/// Adds the vision encoders of a base model to a report that has none.
pub async fn complete(app: &App, report: &mut Arc<Analysis>) {
    let candidates = upstream::candidates(report);
    if candidates.is_empty() {
        return;
    }
    let hub = app.engine.hub();
    let deadline = Instant::now() + AT_MOST;
    for repo in candidates {
        let found = tokio::select! {
            found = tokio::time::timeout_at(deadline, app.upstreams.encoders(&hub, &repo)) => found,
            () = app.stop.cancelled() => return,
        };
        match found {
            Ok(items) if items.is_empty() => {}
            Ok(items) => return upstream::add(Arc::make_mut(report), &repo, &items),
            Err(_) => return,
        }
    }
}

impl Upstreams {
    /// The vision encoders of a repo; none when it cannot be seen.
    async fn encoders(&self, hub: &HubClient, repo: &RepoId) -> Arc<[Item]> {
        let client = hub.serial();
        if let Some(items) = self.recall(client, repo) {
            return items;
        }
        match list(hub, repo).await {
            Ok(items) => self.keep(client, repo, items.into()),
            // What is not there or not for us will be so in a minute.
            Err(error) if matches!(error.class, Class::Permanent | Class::NeedsUser) => {
                self.keep(client, repo, Arc::default())
            }
            Err(error) => {
                tracing::debug!(%repo, %error, "a base model could not be looked into");
                Arc::default()
            }
        }
    }

    fn recall(&self, client: u64, repo: &RepoId) -> Option<Arc<[Item]>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.at.elapsed() < KEPT_FOR);
        let found = known
            .iter()
            .find(|known| known.client == client && known.repo == *repo)?;
        Some(Arc::clone(&found.items))
    }

    fn keep(&self, client: u64, repo: &RepoId, items: Arc<[Item]>) -> Arc<[Item]> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.client == client && known.repo != *repo);
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push(Known {
            client,
            repo: repo.clone(),
            at: Instant::now(),
            items: Arc::clone(&items),
        });
        items
    }
}

async fn list(hub: &HubClient, repo: &RepoId) -> Result<Vec<Item>, HubError> {
    let resolved = hub.resolve(RepoType::Model, repo, &Revision::main()).await?;
    let tree = hub.tree(RepoType::Model, repo, &resolved.commit).await?;
    Ok(upstream::encoders(repo, &tree.files))
}
