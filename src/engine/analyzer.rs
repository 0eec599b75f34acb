//! What a repo is and what of it one would want, before anything is downloaded.
//!
//! One analysis: what the revision means now → its tree, branches and tags → a look into config
//! files and headers (`peek`) → the rules of [`crate::model::analysis`], on a blocking thread.
//! The first step happens every time, so a report never outlives its commit or the right to see
//! the repo; the others are remembered for [`KEPT_FOR`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::hub::{HubClient, HubError, RepoInfo};
use crate::model::analysis::{self, Analysis, Facts};
use crate::model::code::Code;
use crate::model::repo::{Commit, RepoId, RepoType, Revision};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::peek::{Peeked, Subject};

/// How long a report is remembered.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);
/// Most reports remembered, and most files in all of them together (about 500 bytes each).
const KEPT_REPORTS: usize = 64;
const KEPT_FILES: usize = 100_000;
/// Analyses at once: each may hold a listing of 256 MiB.
const AT_ONCE: usize = 2;
/// Entries that cannot be stored which a report names.
const BAD_NAMED: usize = 20;

/// Which of two repos with one id is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one there is; when there are both, the user is asked.
    Either,
    /// The model; when there is none, the dataset.
    ModelFirst,
    /// The dataset.
    Dataset,
}

/// What to analyze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzeRequest {
    /// The id.
    pub repo: RepoId,
    /// Its type.
    pub wanted: Wanted,
    /// Branch, tag or commit.
    pub revision: Revision,
    /// Whether a remembered report is not good enough.
    pub fresh: bool,
}

/// A report, and what the Hub says of the repo at this moment.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// The report; from the last minutes perhaps, but of the commit that the revision means now.
    pub analysis: Arc<Analysis>,
    /// Access, tags, findings of the scanners.
    pub info: RepoInfo,
    /// Why files cannot be opened, when the Hub keeps them locked; the report then knows no
    /// config file.
    pub locked: Option<String>,
}

/// The answer to an [`AnalyzeRequest`].
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A report.
    Report(Box<Analyzed>),
    /// A model and a dataset have this id; the user has to choose.
    Both,
}

/// Everything that tells reports apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    /// The client that asked: a report that was under way while token or endpoint changed is kept
    /// after the others were dropped, and must not be found.
    client: u64,
    repo_type: RepoType,
    repo: RepoId,
    /// The report names the revision as it was asked.
    revision: Revision,
    commit: Commit,
}

struct Kept {
    key: Key,
    at: Instant,
    analysis: Arc<Analysis>,
}

/// The reports of the last minutes, oldest first.
pub struct Analyzer {
    kept: Mutex<Vec<Kept>>,
    running: Arc<Semaphore>,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            running: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Analyzer {
    /// Answers `request`.
    ///
    /// # Errors
    /// What the Hub says, as [`HubClient::resolve`] and [`HubClient::tree`].
    pub async fn analyze(&self, hub: &HubClient, request: &AnalyzeRequest) -> Result<Outcome, HubError> {
        let ask = |repo_type| hub.repo_info(repo_type, &request.repo, &request.revision);
        let (repo_type, info) = match request.wanted {
            Wanted::Dataset => (RepoType::Dataset, ask(RepoType::Dataset).await?),
            Wanted::ModelFirst => match ask(RepoType::Model).await {
                Err(error) if is_missing(&error) => (
                    RepoType::Dataset,
                    ask(RepoType::Dataset)
                        .await
                        .map_err(|other| clearer(error, other))?,
                ),
                info => (RepoType::Model, info?),
            },
            Wanted::Either => match tokio::join!(ask(RepoType::Model), ask(RepoType::Dataset)) {
                (Ok(_), Ok(_)) => return Ok(Outcome::Both),
                (Err(model), Ok(info)) if is_missing(&model) => (RepoType::Dataset, info),
                (Ok(info), Err(_)) => (RepoType::Model, info),
                (Err(model), Err(dataset)) if is_missing(&model) => return Err(clearer(model, dataset)),
                (Err(model), _) => return Err(model),
            },
        };
        let key = Key {
            client: hub.serial(),
            repo_type,
            repo: info.resolved.id.clone(),
            revision: request.revision.clone(),
            commit: info.resolved.commit.clone(),
        };
        if let Some(analysis) = self.recall(&key).filter(|_| !request.fresh) {
            return Ok(Outcome::Report(Box::new(Analyzed {
                analysis,
                info,
                locked: None,
            })));
        }
        self.report(hub, key, info)
            .await
            .map(|report| Outcome::Report(Box::new(report)))
    }

    /// Drops every report, because the Hub is asked in another way from now on.
    pub fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn report(&self, hub: &HubClient, key: Key, info: RepoInfo) -> Result<Analyzed, HubError> {
        let permit = self.running.clone().acquire_owned().await;
        let (tree, refs) = tokio::join!(
            hub.tree(key.repo_type, &key.repo, &key.commit),
            hub.refs(key.repo_type, &key.repo)
        );
        let tree = tree?;
        let subject = Subject {
            hub,
            repo_type: key.repo_type,
            id: &key.repo,
            commit: &key.commit,
            files: &tree.files,
        };
        let Peeked {
            configs,
            headers,
            locked,
            warnings,
            passing_fault,
        } = subject.peek().await;
        let sure = refs.is_ok() && !passing_fault;
        let (of, tags) = (key.clone(), info.tags.clone());
        let made = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even when nobody waits for it any more.
            let _permit = permit;
            let mut report = analysis::analyze(&Facts {
                repo: of.repo,
                repo_type: of.repo_type,
                revision: of.revision,
                commit: Some(of.commit),
                files: &tree.files,
                configs,
                refs: refs.unwrap_or_default(),
                tags,
                headers,
                gathered_at: chrono::Utc::now(),
            });
            let bad = tree.bad.into_iter().map(|entry| entry.why).take(BAD_NAMED);
            report.warnings.extend(warnings.into_iter().chain(bad));
            report
        });
        let analysis = Arc::new(made.await.map_err(|error| {
            tracing::error!(%error, repo = %key.repo, "an analysis ended badly");
            HubError::internal("The analysis ended badly")
        })?);
        // A gap that may close again, and a lock that a token may open, are asked about anew.
        if sure && locked.is_none() {
            self.keep(key, analysis.clone());
        }
        Ok(Analyzed {
            analysis,
            info,
            locked,
        })
    }

    fn recall(&self, key: &Key) -> Option<Arc<Analysis>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.at.elapsed() < KEPT_FOR);
        let found = kept.iter().find(|kept| kept.key == *key)?;
        Some(found.analysis.clone())
    }

    fn keep(&self, key: Key, analysis: Arc<Analysis>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.key != key);
        kept.push(Kept {
            key,
            at: Instant::now(),
            analysis,
        });
        let mut files: usize = kept.iter().map(|kept| kept.analysis.files.len()).sum();
        while kept.len() > KEPT_REPORTS || files > KEPT_FILES {
            files -= kept.remove(0).analysis.files.len();
        }
    }
}

/// Whether a repo, or the revision of it, is not there (or not to be seen).
fn is_missing(error: &HubError) -> bool {
    matches!(error.code, Code::RepoNotFound | Code::RevisionNotFound)
}

/// Of the errors for model and dataset the one that says more than "no such repo".
fn clearer(model: HubError, dataset: HubError) -> HubError {
    match (model.code, dataset.code) {
        (Code::RevisionNotFound, _) | (_, Code::RepoNotFound) => model,
        _ => dataset,
    }
}
