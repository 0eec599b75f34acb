//! The friendly view of the whole cache.

use std::collections::HashSet;
use std::path::Path;

use super::{Library, LibraryError, blocking};
use crate::clock::now_ms;
use crate::disk::friendly::{FriendlyView, Rebuilt};
use crate::disk::library::scan_repo;
use crate::model::library::CachedRepo;

impl Library {
    /// Brings what the friendly view in `root` shows of a repo up to date, when somebody has had
    /// that view built. A failure is only told: the next rebuild mends it.
    pub async fn follow_view(&self, hub: &Path, root: &Path, repo: &CachedRepo) {
        let (root, hub, name) = (root.to_owned(), hub.to_owned(), repo.clone());
        let followed = blocking(move || {
            let mut done = Rebuilt::default();
            if ["models", "datasets"].iter().any(|kind| root.join(kind).is_dir())
                && let Some(scan) = scan_repo(&hub, &name, now_ms())?
            {
                FriendlyView::new(&root, &hub).rebuild(&scan, true, &mut done)?;
            }
            Ok(done)
        });
        let error = match followed.await {
            Ok(done) => done.errors.first().cloned(),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error {
            tracing::warn!(
                repo = repo.id(),
                error,
                "the friendly view could not follow a download"
            );
        }
    }

    /// Rebuilds the friendly view in `root` of the cache at `hub`; `clean` also removes links
    /// that nothing wants any more. Returns how many repos were looked at.
    ///
    /// # Errors
    /// When the cache cannot be scanned; single files that fail stand among the errors.
    pub async fn rebuild_view(
        &self,
        hub: &Path,
        root: &Path,
        clean: bool,
    ) -> Result<(usize, Rebuilt), LibraryError> {
        self.refresh(hub, false).await?;
        let known = self.store.library_known(&hub.to_string_lossy()).await?;
        let repos: HashSet<CachedRepo> = known
            .iter()
            .filter_map(|row| CachedRepo::from_folder(&row.folder))
            .collect();
        let (view, hub) = (FriendlyView::new(root, hub), hub.to_owned());
        blocking(move || {
            let mut done = Rebuilt::default();
            for repo in &repos {
                let rebuilt = scan_repo(&hub, repo, now_ms()).and_then(|scan| match scan {
                    Some(scan) => view.rebuild(&scan, clean, &mut done),
                    None => Ok(()),
                });
                if let Err(error) = rebuilt {
                    done.errors.push(error.to_string());
                }
            }
            if clean {
                done.orphans_removed += view.forget_others(&repos)?;
            }
            Ok((repos.len(), done))
        })
        .await
    }
}
