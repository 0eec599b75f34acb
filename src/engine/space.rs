//! Room on the volume: what is free, what running jobs will still take, what must stay free.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk;
use crate::model::size::human_size;

/// Bytes that running jobs will still allocate, by job. Part files are allocated when they
/// are opened and leave the reservation then.
#[derive(Debug, Default)]
pub struct Reservations(Mutex<HashMap<i64, Reserved>>);

#[derive(Debug)]
struct Reserved {
    destination: PathBuf,
    bytes: u64,
}

impl Reservations {
    /// Reserves `bytes` for a job if `destination` has room for them above the floor and the
    /// reservations of others.
    ///
    /// # Errors
    /// A sentence with the figures when it has not.
    pub fn reserve(
        &self,
        job_seq: i64,
        destination: &Path,
        bytes: u64,
        floor_bytes: Option<u64>,
    ) -> Result<(), String> {
        let mut reserved = self.lock();
        let others: u64 = reserved
            .iter()
            .filter(|(job, _)| **job != job_seq)
            .map(|(_, reserved)| reserved.bytes)
            .sum();
        fits(destination, bytes, others, floor_bytes)?;
        let destination = destination.to_owned();
        reserved.insert(job_seq, Reserved { destination, bytes });
        Ok(())
    }

    /// `bytes` of the reservation were allocated.
    pub fn allocated(&self, job_seq: i64, bytes: u64) {
        if let Some(left) = self.lock().get_mut(&job_seq) {
            left.bytes = left.bytes.saturating_sub(bytes);
        }
    }

    /// The job needs no more than `bytes` from here on.
    pub fn lower(&self, job_seq: i64, bytes: u64) {
        if let Some(left) = self.lock().get_mut(&job_seq) {
            left.bytes = left.bytes.min(bytes);
        }
    }

    /// The run of a job ended.
    pub fn release(&self, job_seq: i64) {
        self.lock().remove(&job_seq);
    }

    /// Bytes reserved by all running jobs.
    pub fn total(&self) -> u64 {
        self.lock().values().map(|reserved| reserved.bytes).sum()
    }

    /// Bytes reserved by running jobs, by destination.
    pub fn by_destination(&self) -> Vec<(PathBuf, u64)> {
        let mut sums: HashMap<PathBuf, u64> = HashMap::new();
        for reserved in self.lock().values() {
            *sums.entry(reserved.destination.clone()).or_default() += reserved.bytes;
        }
        sums.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Reserved>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `bytes` more fit on the volume of `destination`. A volume that cannot be asked is
/// taken to have room: the write itself will tell.
///
/// # Errors
/// A sentence with the figures when they do not.
pub fn fits(destination: &Path, bytes: u64, reserved: u64, floor_bytes: Option<u64>) -> Result<(), String> {
    let Ok(space) = disk::space(destination) else {
        return Ok(());
    };
    let floor = floor_bytes.unwrap_or_else(|| disk::floor_bytes(space.total_bytes));
    let room = space.free_bytes.saturating_sub(floor).saturating_sub(reserved);
    if bytes <= room {
        return Ok(());
    }
    Err(format!(
        "Needs {} on the volume of {}, which has {} free, of which {} are reserved for running jobs and {} stay free",
        human_size(bytes),
        destination.display(),
        human_size(space.free_bytes),
        human_size(reserved),
        human_size(floor),
    ))
}
