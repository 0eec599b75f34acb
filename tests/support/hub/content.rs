//! What a file of the stand-in Hub holds: bytes in memory, a file on disk, or pseudo-random
//! bytes computed from a seed, so that a 60 GB file costs no memory and no disk.
//!
//! Content never changes once made; hashes are computed at the first question and kept.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// Bytes handed to the socket at a time. Small enough to pace, large enough to be cheap.
pub const CHUNK_BYTES: u64 = 256 * 1024;

/// Generated content repeats its pattern in blocks of this size, each with its own head.
const BLOCK_BYTES: u64 = 64 * 1024;
const POOL_BYTES: u64 = 1024 * 1024;

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// SHA-1 of a text as 40 hex digits, for the ids the stand-in makes up.
pub fn sha1_hex(text: &[u8]) -> String {
    hex(&Sha1::digest(text))
}

/// SHA-256 of a text as 64 hex digits.
pub fn sha256_hex(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}

/// The bytes of one file. Cheap to clone.
#[derive(Clone)]
pub struct Content(Arc<Inner>);

struct Inner {
    source: Source,
    sha256: OnceLock<String>,
    git_oid: OnceLock<String>,
}

enum Source {
    Memory(Bytes),
    Disk { path: PathBuf, size: u64 },
    Generated { size: u64, seed: u64 },
}

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self::new(Source::Memory(bytes.into()))
    }
}

impl Content {
    fn new(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            sha256: OnceLock::new(),
            git_oid: OnceLock::new(),
        }))
    }

    /// `size` pseudo-random bytes that depend on `seed` and position only.
    pub fn generated(size: u64, seed: u64) -> Self {
        Self::new(Source::Generated { size, seed })
    }

    /// A file on disk; read piece by piece as it is asked for.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn disk(path: &Path) -> io::Result<Self> {
        let size = File::open(path)?.metadata()?.len();
        Ok(Self::new(Source::Disk {
            path: path.to_owned(),
            size,
        }))
    }

    /// States the SHA-256 instead of computing it: for sizes nobody wants to hash, and for lies.
    #[must_use]
    pub fn stating_sha256(self, sha256: &str) -> Self {
        let _ = self.0.sha256.set(sha256.to_owned());
        self
    }

    /// Length in bytes.
    pub fn size(&self) -> u64 {
        match &self.0.source {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::Disk { size, .. } | Source::Generated { size, .. } => *size,
        }
    }

    /// SHA-256 of the content, 64 hex digits; the whole content is read once.
    pub fn sha256(&self) -> &str {
        self.0.sha256.get_or_init(|| {
            let mut hasher = Sha256::new();
            self.for_each(|bytes| hasher.update(bytes));
            hex(&hasher.finalize())
        })
    }

    /// Git's blob id of the content, 40 hex digits; the whole content is read once.
    pub fn git_oid(&self) -> &str {
        self.0.git_oid.get_or_init(|| {
            let mut hasher = Sha1::new();
            hasher.update(format!("blob {}\0", self.size()));
            self.for_each(|bytes| hasher.update(bytes));
            hex(&hasher.finalize())
        })
    }

    /// The text Git keeps in place of an LFS file.
    pub fn pointer(&self) -> String {
        format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
            self.sha256(),
            self.size()
        )
    }

    /// The hash the CDN shows as its ETag: 64 hex digits that are *not* the SHA-256.
    pub fn xet_hash(&self) -> String {
        sha256_hex(format!("xet {}", self.sha256()).as_bytes())
    }

    /// `len` bytes from `offset`; shorter at the end. May block on disk.
    ///
    /// # Errors
    /// The file on disk cannot be read or became shorter.
    pub fn read(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        let end = offset.saturating_add(len).min(self.size());
        let start = offset.min(end);
        match &self.0.source {
            Source::Memory(bytes) => Ok(bytes.slice(start as usize..end as usize)),
            Source::Disk { path, .. } => {
                // Opened each time: a folder may hold more files than a process may keep open.
                let file = File::open(path)?;
                let mut buffer = BytesMut::zeroed((end - start) as usize);
                file.read_exact_at(&mut buffer, start)?;
                Ok(buffer.freeze())
            }
            Source::Generated { seed, .. } => Ok(generate(*seed, start, end)),
        }
    }

    /// As [`Content::read`], with disk reads kept off the async threads.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub async fn chunk(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        if matches!(self.0.source, Source::Disk { .. }) {
            let content = self.clone();
            return tokio::task::spawn_blocking(move || content.read(offset, len))
                .await
                .map_err(io::Error::other)?;
        }
        self.read(offset, len)
    }

    /// Everything at once; for small content and for comparing in tests.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        self.read(0, self.size())
    }

    fn for_each(&self, mut take: impl FnMut(&[u8])) {
        let mut offset = 0;
        while offset < self.size() {
            let bytes = self.read(offset, 4 * CHUNK_BYTES).unwrap_or_else(|error| {
                panic!(
                    "the stand-in cannot read its own content {:?}: {error}",
                    self.disk_path()
                )
            });
            take(&bytes);
            offset += bytes.len() as u64;
        }
    }

    fn disk_path(&self) -> Option<&Path> {
        match &self.0.source {
            Source::Disk { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// Copies of pieces of one random pool: as fast as memory even in an unoptimised build,
/// and no two blocks equal, because each begins with its seed and number.
fn generate(seed: u64, start: u64, end: u64) -> Bytes {
    static POOL: OnceLock<Vec<u8>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        (0..POOL_BYTES / 8)
            .flat_map(|word| mix(word + 1).to_le_bytes())
            .collect()
    });
    let mut out = BytesMut::with_capacity((end - start) as usize);
    let mut at = start;
    while at < end {
        let block = at / BLOCK_BYTES;
        let inside = at % BLOCK_BYTES;
        let take = (BLOCK_BYTES - inside).min(end - at);
        let from = mix(seed ^ mix(block)) % (POOL_BYTES - BLOCK_BYTES) + inside;
        let filled = out.len();
        out.extend_from_slice(&pool[from as usize..(from + take) as usize]);
        if inside < 16 {
            let head = [seed.to_le_bytes(), block.to_le_bytes()].concat();
            let head = &head[inside as usize..(inside + take).min(16) as usize];
            out[filled..filled + head.len()].copy_from_slice(head);
        }
        at += take;
    }
    out.freeze()
}

/// SplitMix64's mixing step.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
