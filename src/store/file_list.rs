//! The files of an ended job as one list: gathered by one statement, packed, and kept beside its
//! row of the history, so that they outlive the job.
//!
//! One row for each file would hold up every other writer for as long as a hundred thousand
//! rows take; SQLite puts the list together as one text, and it is packed on a thread of its own.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use crate::model::history::HistoryFile;
use crate::model::history_row::Seal;
use crate::model::state::FileState;

use super::StoreError;
use super::files::source_of;

/// Lists of more bytes are packed on a thread that may take its time: 2,000 files or so.
const LARGE_BYTES: usize = 256 << 10;
/// What a list may unpack to: ten times the largest repo seen, and no more than memory has.
const UNPACKED_MAX_BYTES: u64 = 1 << 30;

/// The files of a job at its end.
#[derive(Debug, Clone)]
pub(super) struct FileList {
    /// The job.
    pub(super) job_seq: i64,
    /// The list, compressed.
    pub(super) packed: Vec<u8>,
    /// Hash of the list before it was compressed.
    pub(super) sha256: Seal,
    /// `hash`, `size`, `none`, or empty when no file is in place.
    pub(super) verification: &'static str,
}

/// One entry of the list: path, size, blob id, verification, state or `left out`, error code.
type Entry = (String, u64, String, String, String, Option<String>);

/// The files of a job as they are now; `None` when it has none.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    job_seq: i64,
) -> Result<Option<FileList>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT json_group_array(json_array(path, size_bytes, blob_id, verification,
                      CASE WHEN state IN ('complete', 'skipped') THEN state WHEN priority = 'skip' THEN 'left out'
                           WHEN state = 'error' THEN state ELSE 'pending' END, error_code))
                      AS "list!: String",
                  COUNT(*) AS "files!: i64",
                  COALESCE(SUM(state IN ('complete', 'skipped')), 0) AS "done!: i64",
                  COALESCE(SUM(state IN ('complete', 'skipped') AND verification IN ('sha256', 'git-sha1')), 0) AS "hashed!: i64",
                  COALESCE(SUM(state IN ('complete', 'skipped') AND verification = ''), 0) AS "unverified!: i64"
           FROM (SELECT * FROM file WHERE job_seq = ? ORDER BY path)"#,
        job_seq
    )
    .fetch_one(connection)
    .await?;
    if found.files == 0 {
        return Ok(None);
    }
    let verification = match (found.done, found.hashed, found.unverified) {
        (0, ..) => "",
        (done, hashed, _) if hashed == done => "hash",
        (_, _, 0) => "size",
        _ => "none",
    };
    let list = found.list;
    let (packed, sha256) = if list.len() > LARGE_BYTES {
        tokio::task::spawn_blocking(move || pack(&list))
            .await
            .map_err(|error| unreadable(job_seq, error))?
    } else {
        pack(&list)
    }
    .map_err(|error| unreadable(job_seq, error))?;
    Ok(Some(FileList {
        job_seq,
        packed,
        sha256,
        verification,
    }))
}

fn unreadable(row: i64, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable {
        table: "history_files",
        row: row.to_string(),
        why: why.to_string(),
    }
}

fn pack(list: &str) -> std::io::Result<(Vec<u8>, Seal)> {
    // Half of a list are hashes, which no level makes smaller than the half that hex takes.
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(list.as_bytes())?;
    Ok((packer.finish()?, Sha256::digest(list).into()))
}

fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut list = Vec::new();
    let read = ZlibDecoder::new(packed)
        .take(UNPACKED_MAX_BYTES + 1)
        .read_to_end(&mut list)?;
    if read as u64 > UNPACKED_MAX_BYTES {
        return Err(std::io::Error::other(
            "the list is larger than any job could make it",
        ));
    }
    Ok(list)
}

/// Hash of a stored list; `None` when it cannot even be unpacked.
pub(super) fn hash_of(packed: &[u8]) -> Option<Seal> {
    unpack(packed).ok().map(|list| Sha256::digest(list).into())
}

/// A page of a stored list, and how many files it has in all.
///
/// # Errors
/// [`StoreError::Unreadable`] when it was damaged.
pub(super) fn page(
    seq: i64,
    packed: &[u8],
    limit: usize,
    offset: usize,
) -> Result<(Vec<HistoryFile>, i64), StoreError> {
    let list = unpack(packed).map_err(|error| unreadable(seq, error))?;
    let entries: Vec<Entry> = serde_json::from_slice(&list).map_err(|error| unreadable(seq, error))?;
    let total = entries.len() as i64;
    let page = entries
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(file_of)
        .collect();
    Ok((page, total))
}

fn file_of((path, size, blob_id, verification, status, error_code): Entry) -> HistoryFile {
    let (status, source) = match status.as_str() {
        "complete" => ("complete", source_of(FileState::Complete)),
        "skipped" => ("skipped", source_of(FileState::Skipped)),
        // The user did not want it: in the same word as in the list of the job.
        "left out" => ("skipped", ""),
        other => (other, ""),
    };
    HistoryFile {
        path,
        size,
        sha256: (blob_id.len() == 64).then(|| blob_id.clone()),
        blob_id,
        verification,
        source: source.to_owned(),
        status: status.to_owned(),
        error_code,
    }
}
