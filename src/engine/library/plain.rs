//! Models that lie plain in folders of the settings, kept in memory for a while.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::Library;
use crate::disk::plain::scan;
use crate::model::library::PlainRepo;

/// A look that is younger is taken as it is: such a folder may lie on a network.
const FRESH: Duration = Duration::from_secs(30);

/// The last look, and at which folders.
#[derive(Default)]
pub(super) struct Plain {
    roots: Vec<PathBuf>,
    found: Arc<Vec<PlainRepo>>,
    at: Option<Instant>,
    /// A look is under way.
    looking: bool,
}

impl Library {
    /// The models in `roots`, of two with one id the first. Waits for a look at the disk for
    /// `patience` at most, which goes on behind the answer; an answer that is too early is the
    /// one of the look before.
    pub async fn plain(&self, roots: &[PathBuf], fresh: bool, patience: Duration) -> Arc<Vec<PlainRepo>> {
        if roots.is_empty() {
            return Arc::default();
        }
        {
            let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
            if plain.roots != roots {
                *plain = Plain {
                    roots: roots.to_vec(),
                    ..Plain::default()
                };
            }
            let young = plain.at.is_some_and(|at| at.elapsed() < FRESH);
            if young && !fresh || plain.looking {
                return plain.found.clone();
            }
            plain.looking = true;
        }
        let (this, wanted) = (self.clone(), roots.to_vec());
        let looking = tokio::task::spawn_blocking(move || {
            let mut found: Vec<PlainRepo> = Vec::new();
            let mut seen = HashSet::new();
            for root in &wanted {
                match scan(root) {
                    Ok(repos) => found.extend(
                        repos
                            .into_iter()
                            .filter(|plain| seen.insert(plain.repo.id().to_lowercase())),
                    ),
                    Err(error) => tracing::warn!(%error, "a folder of models cannot be looked through"),
                }
            }
            let mut plain = this.plain.lock().unwrap_or_else(PoisonError::into_inner);
            // Other folders were set meanwhile: what was found is of no use.
            if plain.roots == wanted {
                plain.found = Arc::new(found);
                plain.at = Some(Instant::now());
                plain.looking = false;
            }
        });
        let _ = tokio::time::timeout(patience, looking).await;
        let plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        plain.found.clone()
    }
}
