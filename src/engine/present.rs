//! What the cache has of a blob before it is fetched.

use std::ops::ControlFlow;

use tokio_util::sync::CancellationToken;

use crate::disk::{DiskError, Seen, hash_file_watched};
use crate::model::code::Code;
use crate::model::job::Verify;

use super::attempt::{FileError, Halt};
use super::planner::BlobTask;
use super::run::Run;

/// What the cache has.
pub enum Before {
    /// It is here; what was compared.
    Present(&'static str),
    /// It is not here.
    Missing,
    /// A file of its name and size is here, with other content.
    Damaged,
}

/// Looks whether the blob is in the cache, as far as the job's verify mode asks.
///
/// # Errors
/// What the disk says, and stop.
pub async fn before(run: &Run, task: &BlobTask, stop: &CancellationToken) -> Result<Before, FileError> {
    // Not worth a trip to another thread: the engine's own may wait for the disk.
    let seen = run.repo.look(task.blob, task.size_bytes, task.paths());
    let seen = seen.map_err(|error| FileError::disk(&error))?;
    match seen {
        Seen::Missing => return Ok(Before::Missing),
        Seen::Known if run.job.verify != Verify::Sha256 => return Ok(Before::Present("size")),
        Seen::Known | Seen::SameSize => {}
    }
    let (repo, commit, task) = (run.repo.clone(), run.commit.clone(), task.clone());
    let (blob, size) = (task.blob, task.size_bytes);
    let stop = stop.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let Some((file, path)) = repo.open_content(blob, size, task.paths())? else {
            return Ok(Some(Before::Missing));
        };
        let go_on = |_| {
            if stop.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let found = hash_file_watched(&file, blob, size, go_on).map_err(|source| DiskError {
            code: Code::DiskError,
            doing: "hash",
            path: repo.blob_path(blob),
            source,
        })?;
        Ok(found.map(|found| {
            match (found == blob, seen) {
                (true, _) => {
                    if let Some(path) = path {
                        repo.record(&commit, &path, blob);
                    }
                    Before::Present(blob.algorithm())
                }
                // Another content of the same size, such as another revision: ours takes its place.
                (false, Seen::SameSize) => Before::Missing,
                (false, _) => Before::Damaged,
            }
        }))
    })
    .await
    .map_err(FileError::task)?;
    match looked {
        Ok(Some(before)) => Ok(before),
        Ok(None) => Err(Halt::Stopped.into()),
        Err(error) => Err(FileError::disk(&error)),
    }
}
