//! Room on a volume: what is free, what running jobs will still take, what must stay free.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk;
use crate::model::repo::BlobId;
use crate::model::size::human_size;

/// Bytes that running jobs will still take from their volumes, by job. A byte leaves the
/// reservation when it has space on the disk, allocated in front or written, and not before: what
/// is free and what is reserved never count it twice, and never both leave it out.
#[derive(Debug, Default)]
pub struct Reservations(Mutex<HashMap<i64, Reserved>>);

/// What a job will take.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of everything that has no part file.
    pub rest_bytes: u64,
    /// Bytes that the part of each content has no space for yet.
    pub parts: HashMap<BlobId, u64>,
}

#[derive(Debug)]
struct Reserved {
    destination: PathBuf,
    /// `None` when the volume could not be asked.
    device: Option<u64>,
    needs: Needs,
}

impl Needs {
    fn bytes(&self) -> u64 {
        self.rest_bytes + self.parts.values().sum::<u64>()
    }
}

impl Reservations {
    /// Reserves what a job needs if `destination` has room for it above the floor and the
    /// reservations of others on the same volume.
    ///
    /// # Errors
    /// A sentence with the figures when it has not.
    pub fn reserve(
        &self,
        job_seq: i64,
        destination: &Path,
        needs: Needs,
        floor_bytes: Option<u64>,
    ) -> Result<(), String> {
        let device = disk::device_of(destination);
        let mut reserved = self.lock();
        let others = on_device(&reserved, device, Some(job_seq));
        fits(destination, needs.bytes(), others, floor_bytes)?;
        reserved.insert(
            job_seq,
            Reserved {
                destination: destination.to_owned(),
                device,
                needs,
            },
        );
        Ok(())
    }

    /// `bytes` of a job that have no part file are on the disk, or will never be.
    pub fn rest_shrank(&self, job_seq: i64, bytes: u64) {
        if let Some(job) = self.lock().get_mut(&job_seq) {
            job.needs.rest_bytes = job.needs.rest_bytes.saturating_sub(bytes);
        }
    }

    /// The part of `blob` has no space yet for so many bytes: fewer as they are written, more when
    /// it begins anew.
    pub fn part_lacks(&self, job_seq: i64, blob: BlobId, bytes: u64) {
        if let Some(job) = self.lock().get_mut(&job_seq) {
            match bytes {
                0 => job.needs.parts.remove(&blob),
                _ => job.needs.parts.insert(blob, bytes),
            };
        }
    }

    /// The job needs only this from here on; more than it has reserved it does not get.
    pub fn lower(&self, job_seq: i64, needs: Needs) {
        if let Some(job) = self.lock().get_mut(&job_seq)
            && needs.bytes() < job.needs.bytes()
        {
            job.needs = needs;
        }
    }

    /// The run of a job ended.
    pub fn release(&self, job_seq: i64) {
        self.lock().remove(&job_seq);
    }

    /// Bytes that running jobs reserve on the volume of `place`.
    pub fn on_volume_of(&self, place: &Path) -> u64 {
        let device = disk::device_of(place);
        on_device(&self.lock(), device, None)
    }

    /// Bytes reserved by running jobs, by destination.
    pub fn by_destination(&self) -> Vec<(PathBuf, u64)> {
        let mut sums: HashMap<PathBuf, u64> = HashMap::new();
        for reserved in self.lock().values() {
            *sums.entry(reserved.destination.clone()).or_default() += reserved.needs.bytes();
        }
        sums.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Reserved>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes reserved on a volume by all jobs but one. A volume that could not be asked may be any.
fn on_device(reserved: &HashMap<i64, Reserved>, device: Option<u64>, but: Option<i64>) -> u64 {
    reserved
        .iter()
        .filter(|(job, _)| Some(**job) != but)
        .filter(|(_, other)| device.is_none() || other.device.is_none() || other.device == device)
        .map(|(_, other)| other.needs.bytes())
        .sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(digit: char) -> BlobId {
        digit.to_string().repeat(64).parse().unwrap()
    }

    #[test]
    fn a_reservation_falls_as_bytes_find_their_place_and_rises_when_a_part_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let reservations = Reservations::default();
        let needs = Needs {
            rest_bytes: 100,
            parts: HashMap::from([(blob('a'), 1000), (blob('b'), 500)]),
        };
        reservations.reserve(1, dir.path(), needs, Some(0)).unwrap();
        let total = || reservations.on_volume_of(dir.path());
        assert_eq!(total(), 1600);
        reservations.part_lacks(1, blob('a'), 400);
        reservations.rest_shrank(1, 60);
        assert_eq!(total(), 940);
        reservations.part_lacks(1, blob('a'), 1000);
        reservations.part_lacks(1, blob('b'), 0);
        reservations.rest_shrank(1, 60);
        assert_eq!(total(), 1000);
        // Nobody asked for it any more.
        reservations.part_lacks(2, blob('a'), 7);
        reservations.release(1);
        assert_eq!(total(), 0);
    }

    #[test]
    fn only_jobs_on_the_same_volume_take_room_from_each_other() {
        let (one, other) = (Path::new("/proc"), tempfile::tempdir().unwrap());
        let needs = |rest_bytes| Needs {
            rest_bytes,
            ..Needs::default()
        };
        let reservations = Reservations::default();
        reservations.reserve(1, other.path(), needs(10), Some(0)).unwrap();
        assert_eq!(reservations.on_volume_of(&other.path().join("not/there")), 10);
        assert_eq!(reservations.on_volume_of(one), 0);
        let room = disk::space(other.path()).unwrap().free_bytes;
        let refused = reservations.reserve(2, other.path(), needs(room - 5), Some(0));
        assert!(refused.unwrap_err().contains("reserved for running jobs"));
    }
}
