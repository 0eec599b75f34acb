//! Part files and their segments: the only truth about which bytes are here.
//!
//! `written` marks are believed by the same boot, mount and file; `synced` marks always.
//! Offsets never come from the length of a file.

use std::collections::HashSet;

use sqlx::SqliteConnection;

use crate::clock::now_ms;
use crate::model::repo::BlobId;
use crate::model::segment::Segment;

use super::claim::Lease;
use super::files::json_text;
use super::writer::Durability;
use super::{Store, StoreError};

/// Where a written mark is to be believed; nowhere by default, as no boot is without an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartIdentity {
    /// Id of the boot.
    pub boot_id: String,
    /// Id of the mount.
    pub mount_id: i64,
    /// Device number.
    pub device: i64,
    /// Inode number.
    pub inode: i64,
}

/// A stored part file.
#[derive(Debug, Clone)]
pub struct Part {
    /// Key of the row.
    pub id: i64,
    /// Length of the whole blob in bytes.
    pub size_bytes: u64,
    /// Where its written marks hold.
    pub identity: PartIdentity,
    /// Saved state of the hash, if any.
    pub hash_state: Option<Vec<u8>>,
    /// Bytes from the front that the saved state covers.
    pub hashed_bytes: u64,
    /// Its segments, from the front.
    pub segments: Vec<Segment>,
}

/// A new written mark of one segment.
#[derive(Debug, Clone)]
pub struct WrittenMark {
    /// The part.
    pub part_id: i64,
    /// Start of the segment.
    pub start_bytes: u64,
    /// Bytes written from there.
    pub written_bytes: u64,
    /// The run that wrote them.
    pub lease: Lease,
}

/// What one successful sync of a part file proved.
#[derive(Debug, Clone)]
pub struct SyncedPart {
    /// The part.
    pub part_id: i64,
    /// Start of each segment and the bytes that were written before the sync began.
    pub marks: Vec<(u64, u64)>,
    /// State of the hash and the bytes it covers, all of them among `marks`.
    pub hash: Option<(Vec<u8>, u64)>,
    /// The run that wrote them.
    pub lease: Lease,
}

/// A file of a job with the parts that hold bytes of it.
#[derive(Debug, Clone)]
pub struct FileParts {
    /// Path in the repo.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Key of the part file.
    pub part_id: i64,
    /// The repo folder that it lies in.
    pub folder: String,
    /// Bytes from the front that are hashed and on disk.
    pub hashed_bytes: u64,
    /// Its segments, from the front.
    pub segments: Vec<Segment>,
}

impl Store {
    /// The files of a job that have a part file, by path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_parts(&self, job_seq: i64, limit: i64) -> Result<Vec<FileParts>, StoreError> {
        let rows = sqlx::query!(
            "SELECT file.path, file.size_bytes, part.id, part.folder, part.hashed_bytes,
                    segment.start_bytes, segment.length_bytes, segment.written_bytes, segment.synced_bytes
             FROM file JOIN part ON part.blob_id = file.blob_id AND part.size_bytes = file.size_bytes
                  JOIN segment ON segment.part_id = part.id
             WHERE file.id IN (SELECT id FROM file WHERE job_seq = ? AND state NOT IN ('complete', 'skipped') AND priority IN ('high', 'normal')
                               AND EXISTS (SELECT 1 FROM part WHERE part.blob_id = file.blob_id) ORDER BY id LIMIT ?)
             ORDER BY file.path, part.id, segment.start_bytes",
            job_seq,
            limit
        )
        .fetch_all(&self.readers)
        .await?;
        let mut files: Vec<FileParts> = Vec::new();
        for row in rows {
            let segment = Segment {
                start: row.start_bytes as u64,
                length: row.length_bytes as u64,
                written: row.written_bytes as u64,
                synced: row.synced_bytes as u64,
            };
            match files.last_mut() {
                Some(file) if file.part_id == row.id && file.path == row.path => file.segments.push(segment),
                _ => files.push(FileParts {
                    path: row.path,
                    size_bytes: row.size_bytes as u64,
                    part_id: row.id,
                    folder: row.folder,
                    hashed_bytes: row.hashed_bytes as u64,
                    segments: vec![segment],
                }),
            }
        }
        Ok(files)
    }

    /// The stored part of a blob in a repo folder.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn part(&self, folder: &str, blob_id: BlobId) -> Result<Option<Part>, StoreError> {
        let blob = blob_id.to_string();
        let Some(row) = sqlx::query!(
            "SELECT id, size_bytes, boot_id, mount_id, device, inode, hash_state, hashed_bytes
             FROM part WHERE folder = ? AND blob_id = ?",
            folder,
            blob
        )
        .fetch_optional(&self.readers)
        .await?
        else {
            return Ok(None);
        };
        let segments = sqlx::query!(
            "SELECT start_bytes, length_bytes, written_bytes, synced_bytes FROM segment WHERE part_id = ? ORDER BY start_bytes",
            row.id
        )
        .fetch_all(&self.readers)
        .await?
        .into_iter()
        .map(|row| Segment {
            start: row.start_bytes as u64,
            length: row.length_bytes as u64,
            written: row.written_bytes as u64,
            synced: row.synced_bytes as u64,
        })
        .collect();
        Ok(Some(Part {
            id: row.id,
            size_bytes: row.size_bytes as u64,
            identity: PartIdentity {
                boot_id: row.boot_id,
                mount_id: row.mount_id,
                device: row.device,
                inode: row.inode,
            },
            hash_state: row.hash_state,
            hashed_bytes: row.hashed_bytes as u64,
            segments,
        }))
    }

    /// Stores a part file as it now is: its segments with their marks, replacing what was
    /// stored. On disk when it returns, and before any byte is written that it names.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    #[allow(clippy::too_many_arguments)]
    pub async fn put_part(
        &self,
        lease: &Lease,
        folder: &str,
        blob_id: BlobId,
        size_bytes: u64,
        identity: &PartIdentity,
        hash: Option<(&[u8], u64)>,
        segments: &[Segment],
    ) -> Result<i64, StoreError> {
        let (blob, size, now) = (blob_id.to_string(), size_bytes as i64, now_ms());
        let (state, hashed) = hash.map_or((None, 0), |(state, bytes)| (Some(state), bytes as i64));
        let owner: &str = &lease.owner;
        let mut tx = self.begin(Durability::Promise).await?;
        let id = sqlx::query_scalar!(
            r#"INSERT INTO part (folder, blob_id, size_bytes, boot_id, mount_id, device, inode, hash_state, hashed_bytes, updated_at)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
               WHERE EXISTS (SELECT 1 FROM job WHERE seq = ?11 AND lease_owner = ?12 AND lease_epoch = ?13)
               ON CONFLICT (folder, blob_id) DO UPDATE SET size_bytes = excluded.size_bytes, boot_id = excluded.boot_id,
                   mount_id = excluded.mount_id, device = excluded.device, inode = excluded.inode,
                   hash_state = excluded.hash_state, hashed_bytes = excluded.hashed_bytes, updated_at = excluded.updated_at
               RETURNING id AS "id!""#,
            folder,
            blob,
            size,
            identity.boot_id,
            identity.mount_id,
            identity.device,
            identity.inode,
            state,
            hashed,
            now,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .fetch_optional(tx.connection())
        .await?
        .ok_or(StoreError::LeaseLost)?;
        let rows: Vec<_> = segments
            .iter()
            .map(|s| (s.start, s.length, s.written, s.synced))
            .collect();
        let rows = json_text(&rows);
        sqlx::query!("DELETE FROM segment WHERE part_id = ?", id)
            .execute(tx.connection())
            .await?;
        sqlx::query!(
            "INSERT INTO segment (part_id, start_bytes, length_bytes, written_bytes, synced_bytes)
             SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
            id,
            rows
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Cuts the segment at `start` where `second_start` is, `second_length` bytes before its end.
    ///
    /// A commit of progress is enough: without it the row is as long as it was, which is true too.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn split_segment(
        &self,
        lease: &Lease,
        part_id: i64,
        start: u64,
        second_start: u64,
        second_length: u64,
    ) -> Result<(), StoreError> {
        let (start, second_start, second_length) = (start as i64, second_start as i64, second_length as i64);
        let owner: &str = &lease.owner;
        let mut tx = self.begin(Durability::Progress).await?;
        let cut = sqlx::query!(
            "UPDATE segment SET length_bytes = ?1 - start_bytes
             WHERE part_id = ?2 AND start_bytes = ?3 AND start_bytes + length_bytes = ?1 + ?4
               AND EXISTS (SELECT 1 FROM job WHERE seq = ?5 AND lease_owner = ?6 AND lease_epoch = ?7)",
            second_start,
            part_id,
            start,
            second_length,
            lease.job_seq,
            owner,
            lease.epoch
        )
        .execute(tx.connection())
        .await?;
        if cut.rows_affected() == 0 {
            return Err(StoreError::LeaseLost);
        }
        sqlx::query!(
            "INSERT INTO segment (part_id, start_bytes, length_bytes) VALUES (?, ?, ?)",
            part_id,
            second_start,
            second_length
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Blobs of a repo folder that have a part file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn part_blobs(&self, folder: &str) -> Result<HashSet<BlobId>, StoreError> {
        let rows = sqlx::query_scalar!("SELECT blob_id FROM part WHERE folder = ?", folder)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.iter().filter_map(|blob| blob.parse().ok()).collect())
    }

    /// Raises synced marks and saves hash states after successful syncs. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails; the marks stay where they were.
    pub async fn synced(&self, parts: &[SyncedPart]) -> Result<(), StoreError> {
        let now = now_ms();
        let mut tx = self.begin(Durability::Promise).await?;
        for part in parts {
            let owner: &str = &part.lease.owner;
            // With the part in each row SQLite looks every segment up by its whole key.
            let marks: Vec<_> = part
                .marks
                .iter()
                .map(|(start, mark)| (part.part_id, start, mark))
                .collect();
            let marks = json_text(&marks);
            let done = sqlx::query!(
                "UPDATE segment SET written_bytes = MAX(written_bytes, MIN(news.mark, length_bytes)),
                        synced_bytes = MAX(synced_bytes, MIN(news.mark, length_bytes))
                 FROM (SELECT value ->> 0 AS part_id, value ->> 1 AS start, value ->> 2 AS mark FROM json_each(?)) AS news
                 WHERE segment.part_id = news.part_id AND segment.start_bytes = news.start
                   AND EXISTS (SELECT 1 FROM job WHERE seq = ? AND lease_owner = ? AND lease_epoch = ?)",
                marks,
                part.lease.job_seq,
                owner,
                part.lease.epoch
            )
            .execute(tx.connection())
            .await?;
            if let (Some((state, bytes)), true) = (&part.hash, done.rows_affected() > 0) {
                let bytes = *bytes as i64;
                sqlx::query!(
                    "UPDATE part SET hash_state = ?, hashed_bytes = ?, updated_at = ? WHERE id = ?",
                    state,
                    bytes,
                    now,
                    part.part_id
                )
                .execute(tx.connection())
                .await?;
            }
        }
        tx.commit().await
    }

    /// Forgets a part file, such as before it is thrown away. On disk when it returns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_part(&self, folder: &str, blob_id: BlobId) -> Result<(), StoreError> {
        let blob = blob_id.to_string();
        let mut tx = self.begin(Durability::Promise).await?;
        sqlx::query!("DELETE FROM part WHERE folder = ? AND blob_id = ?", folder, blob)
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }

    /// Part files that no job wants any more: folder and blob. A job wants its parts while it
    /// is live, or failed and still on the list; also while its run has not let go.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn unwanted_parts(&self) -> Result<Vec<(String, BlobId)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT part.id, part.folder, part.blob_id FROM part WHERE NOT EXISTS (
                 SELECT 1 FROM file JOIN job ON job.seq = file.job_seq
                 WHERE file.blob_id = part.blob_id
                   AND (job.lease_owner IS NOT NULL
                        OR (job.dismissed_at IS NULL AND job.status IN ('queued', 'running', 'paused', 'failed')))
             )"
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| match row.blob_id.parse() {
                Ok(blob_id) => Ok((row.folder, blob_id)),
                Err(error) => Err(StoreError::Unreadable {
                    table: "part",
                    row: row.id.to_string(),
                    why: format!("{error}"),
                }),
            })
            .collect()
    }
}

/// Raises written marks inside a transaction; a mark never falls, and a lost lease raises none.
pub(super) async fn write_marks(
    connection: &mut SqliteConnection,
    marks: &[WrittenMark],
) -> Result<(), StoreError> {
    if marks.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = marks
        .iter()
        .map(|m| {
            (
                m.part_id,
                m.start_bytes,
                m.written_bytes,
                m.lease.job_seq,
                &*m.lease.owner,
                m.lease.epoch,
            )
        })
        .collect();
    let rows = json_text(&rows);
    sqlx::query!(
        "UPDATE segment SET written_bytes = MAX(written_bytes, MIN(news.mark, length_bytes))
         FROM (SELECT value ->> 0 AS part_id, value ->> 1 AS start, value ->> 2 AS mark, value ->> 3 AS job_seq,
                      value ->> 4 AS owner, value ->> 5 AS epoch FROM json_each(?)) AS news
         WHERE segment.part_id = news.part_id AND segment.start_bytes = news.start
           AND EXISTS (SELECT 1 FROM job WHERE seq = news.job_seq AND lease_owner = news.owner AND lease_epoch = news.epoch)",
        rows
    )
    .execute(connection)
    .await?;
    Ok(())
}
