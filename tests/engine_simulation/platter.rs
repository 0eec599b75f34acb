//! The disk below the part files: what of them is durable, writes that find no space, and syncs
//! that fail, after which what was written since the last good one may be gone.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hfdepot::disk;
use rustix::io::Errno;

/// Bytes that the disk keeps or loses together.
const PAGE: usize = 4096;

/// Shared by all lives of a run.
#[derive(Clone)]
pub struct Platter(Arc<Mutex<State>>);

struct State {
    chance: fastrand::Rng,
    /// What the last good sync of a file left on the platter, by inode.
    durable: HashMap<u64, Vec<u8>>,
    /// Writes that will find no space.
    full: u32,
    /// Syncs that will fail.
    failing: u32,
    /// Writes and syncs that failed so far.
    failures: u32,
}

impl Platter {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            chance: fastrand::Rng::with_seed(seed),
            durable: HashMap::new(),
            full: 0,
            failing: 0,
            failures: 0,
        })))
    }

    pub fn medium(&self) -> disk::Medium {
        disk::Medium::Within(Arc::new(self.clone()))
    }

    /// Lets so many writes and syncs fail from now on.
    pub fn fail(&self, writes: u32, syncs: u32) {
        let mut state = self.lock();
        (state.full, state.failing) = (writes, syncs);
    }

    /// Writes and syncs that failed so far.
    pub fn failures(&self) -> u32 {
        self.lock().failures
    }

    /// What a loss of power would surely leave of a file; `None` when it was never synced.
    pub fn durable(&self, inode: u64) -> Option<Vec<u8>> {
        self.lock().durable.get(&inode).cloned()
    }

    /// Any pages of the file fall back to what is durable.
    pub fn lose_pages(&self, file: &File) {
        // What was cut or deleted meanwhile is lost anyway.
        let _ = self.lock().lose_pages(file);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lose_pages(&mut self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        let durable = self.durable.get(&metadata.ino());
        for start in (0..metadata.len() as usize).step_by(PAGE) {
            if self.chance.bool() {
                continue;
            }
            let end = (start + PAGE).min(metadata.len() as usize);
            match durable.and_then(|durable| durable.get(start..end)) {
                Some(kept) => file.write_all_at(kept, start as u64)?,
                None => file.write_all_at(&[0; PAGE][..end - start], start as u64)?,
            }
        }
        Ok(())
    }
}

impl disk::Platter for Platter {
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.lock();
        if state.full == 0 {
            return file.write_all_at(bytes, offset);
        }
        state.full -= 1;
        state.failures += 1;
        let some = state.chance.usize(..=bytes.len());
        file.write_all_at(&bytes[..some], offset)?;
        Err(Errno::NOSPC.into())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.lock();
        if state.failing > 0 {
            state.failing -= 1;
            state.failures += 1;
            state.lose_pages(file)?;
            let errors = [Errno::IO, Errno::NOSPC];
            return Err((*state.chance.choice(&errors).expect("some")).into());
        }
        let metadata = file.metadata()?;
        let mut durable = vec![0; metadata.len() as usize];
        // One that is cut meanwhile is void.
        let _ = file.read_exact_at(&mut durable, 0);
        state.durable.insert(metadata.ino(), durable);
        Ok(())
    }
}
