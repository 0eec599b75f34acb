//! Hashing of blobs: while they are written, from a saved state, or whole from disk.
//!
//! A saved state tells what *was* hashed, not what is on the disk: it may only be used for
//! bytes that the checkpoint's marks trust, and after a mismatch the whole file is hashed
//! once before the data is blamed. (Measured: most damaged states still deserialise.)

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use crate::model::repo::BlobId;

/// Layout of [`BlobHasher::save`]. Raise it together with the major version of `sha1` or
/// `sha2`: their state layout is not promised to stay.
const VERSION: u8 = 1;
/// Version, algorithm and hashed bytes stand before the state.
const HEAD_BYTES: usize = 10;
/// First bytes of a SHA-256 over id, size, head and state: refuses damage and foreign states.
const CHECK_BYTES: usize = 8;
/// One read from disk when a whole file is hashed.
const BUFFER_BYTES: usize = 1 << 20;

#[derive(Clone)]
enum State {
    GitSha1(Sha1),
    Sha256(Sha256),
}

/// The running hash of one blob, fed in order from byte 0.
#[derive(Clone)]
pub struct BlobHasher {
    id: BlobId,
    size_bytes: u64,
    hashed_bytes: u64,
    state: State,
}

impl BlobHasher {
    /// A hasher for the algorithm of `id`. The size is part of a git hash, so it must be known.
    pub fn new(id: BlobId, size_bytes: u64) -> Self {
        let state = match id {
            BlobId::GitSha1(_) => State::GitSha1(Sha1::new_with_prefix(format!("blob {size_bytes}\0"))),
            BlobId::Sha256(_) => State::Sha256(Sha256::new()),
        };
        Self {
            id,
            size_bytes,
            hashed_bytes: 0,
            state,
        }
    }

    /// Hashes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::GitSha1(hasher) => hasher.update(bytes),
            State::Sha256(hasher) => hasher.update(bytes),
        }
        self.hashed_bytes += bytes.len() as u64;
    }

    /// How many bytes of the content went in so far.
    pub fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes
    }

    /// The id that the hashed bytes have; equal to the wanted id when the content is right.
    pub fn finish(self) -> BlobId {
        match self.state {
            State::GitSha1(hasher) => BlobId::GitSha1(hasher.finalize().into()),
            State::Sha256(hasher) => BlobId::Sha256(hasher.finalize().into()),
        }
    }

    /// The state as about 120 bytes for the checkpoint row.
    pub fn save(&self) -> Vec<u8> {
        let mut saved = vec![VERSION];
        match &self.state {
            State::GitSha1(hasher) => {
                saved.push(b'1');
                saved.extend(self.hashed_bytes.to_le_bytes());
                saved.extend_from_slice(&hasher.serialize());
            }
            State::Sha256(hasher) => {
                saved.push(b'2');
                saved.extend(self.hashed_bytes.to_le_bytes());
                saved.extend_from_slice(&hasher.serialize());
            }
        }
        let check = check(self.id, self.size_bytes, &saved);
        saved.extend(check);
        saved
    }

    /// The hasher that [`save`](Self::save) saw. `None` when the bytes are damaged, of another
    /// version, or were saved for another blob: then hash from the start.
    pub fn restore(id: BlobId, size_bytes: u64, saved: &[u8]) -> Option<Self> {
        let (content, found) = saved.split_last_chunk::<CHECK_BYTES>()?;
        if check(id, size_bytes, content) != *found {
            return None;
        }
        let (head, state) = content.split_first_chunk::<HEAD_BYTES>()?;
        let [VERSION, algorithm, count @ ..] = head else {
            return None;
        };
        let hashed_bytes = u64::from_le_bytes(*count);
        let state = match (id, algorithm) {
            (BlobId::GitSha1(_), b'1') => {
                let state: &SerializedState<Sha1> = state.try_into().ok()?;
                State::GitSha1(Sha1::deserialize(state).ok()?)
            }
            (BlobId::Sha256(_), b'2') => {
                let state: &SerializedState<Sha256> = state.try_into().ok()?;
                State::Sha256(Sha256::deserialize(state).ok()?)
            }
            _ => return None,
        };
        (hashed_bytes <= size_bytes).then_some(Self {
            id,
            size_bytes,
            hashed_bytes,
            state,
        })
    }
}

impl std::fmt::Debug for BlobHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobHasher")
            .field("id", &self.id)
            .field("hashed_bytes", &self.hashed_bytes)
            .finish_non_exhaustive()
    }
}

fn check(id: BlobId, size_bytes: u64, content: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new_with_prefix(id.to_string())
        .chain_update(size_bytes.to_le_bytes())
        .chain_update(content)
        .finalize();
    std::array::from_fn(|index| digest[index])
}

/// Hashes a whole file from disk with the algorithm of `id` and returns the id it has.
///
/// # Errors
/// `UnexpectedEof` when the file is shorter than `size_bytes`, `InvalidData` when it is
/// longer, and whatever reading reports.
pub fn hash_file(file: &File, id: BlobId, size_bytes: u64) -> io::Result<BlobId> {
    let found = hash_file_watched(file, id, size_bytes, |_| ControlFlow::Continue(()))?;
    found.ok_or_else(|| io::Error::other("hashing was stopped"))
}

/// [`hash_file`] that reports the bytes hashed so far after each MiB and can be stopped:
/// then the answer is `None`.
///
/// # Errors
/// As [`hash_file`].
pub fn hash_file_watched(
    file: &File,
    id: BlobId,
    size_bytes: u64,
    mut watch: impl FnMut(u64) -> ControlFlow<()>,
) -> io::Result<Option<BlobId>> {
    match file.metadata()?.len() {
        length if length < size_bytes => return Err(io::ErrorKind::UnexpectedEof.into()),
        length if length > size_bytes => {
            let text = format!("{length} bytes long where {size_bytes} are expected");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        _ => {}
    }
    advise_sequential(file);
    let mut hasher = BlobHasher::new(id, size_bytes);
    let mut buffer = vec![0; BUFFER_BYTES];
    while hasher.hashed_bytes() < size_bytes {
        let rest = size_bytes - hasher.hashed_bytes();
        let want = usize::try_from(rest).unwrap_or(BUFFER_BYTES).min(BUFFER_BYTES);
        match file.read_at(&mut buffer[..want], hasher.hashed_bytes()) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if watch(hasher.hashed_bytes()).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(hasher.finish()))
}

/// Doubles the kernel's read-ahead for `file`; only a hint, so a refusal is of no interest.
fn advise_sequential(file: &File) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = file;
}
