//! How the work on a part file begins: what of it is believed, and stored before a byte is written.
//!
//! The row comes before the file and goes after it. So a file is never left that no row tells of, and
//! no mark of an earlier file is believed of a new one, which may get the same inode number.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::disk::{BlobHasher, Opened};
use crate::engine::Shared;
use crate::engine::meter::Meter;
use crate::model::repo::BlobId;
use crate::model::segment::{Layout, cut};
use crate::store::{Lease, PartIdentity, Store, StoreError};

use super::belief::{believed, identity_of};
use super::{How, LivePart, slow};

impl LivePart {
    /// Records that a part file is about to be made: none of its bytes is there, whatever was stored.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn announce(
        store: &Store,
        lease: &Lease,
        folder: &str,
        blob: BlobId,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let nowhere = PartIdentity::default();
        let stored = store.put_part(lease, folder, blob, size_bytes, &nowhere, None, &[]);
        stored.await.map(drop)
    }

    /// Takes over an opened part file: believes of the stored marks what may be believed, and
    /// stores what holds now before any byte is written.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn open(
        shared: &Shared,
        meter: &Arc<Meter>,
        files: Vec<i64>,
        folder: String,
        blob: BlobId,
        opened: Opened,
        how: How,
    ) -> Result<Self, StoreError> {
        let store = &shared.store;
        let size_bytes = opened.file.size_bytes();
        let identity = identity_of(&opened.identity);
        let stored = store
            .part(&folder, blob)
            .await?
            .filter(|part| part.size_bytes == size_bytes);
        let (segments, hasher) = match stored {
            Some(part) if !opened.created => believed(part, &identity, blob, size_bytes),
            _ => (cut(size_bytes, how.connections), None),
        };
        let mut layout = Layout::new(segments);
        if how.single_stream {
            layout = layout.joined(size_bytes);
        }
        let hash_was_resumed = hasher.is_some();
        let hasher = how
            .verify
            .then(|| hasher.unwrap_or_else(|| BlobHasher::new(blob, size_bytes)));
        let state = hasher
            .as_ref()
            .map(|hasher| (hasher.save(), hasher.hashed_bytes()));
        let state = state.as_ref().map(|(state, bytes)| (state.as_slice(), *bytes));
        let id = store
            .put_part(
                &meter.lease,
                &folder,
                blob,
                size_bytes,
                &identity,
                state,
                layout.segments(),
            )
            .await?;
        // After a beginning anew that is more than before.
        let (job_seq, reserved) = (meter.lease.job_seq(), shared.reserved.clone());
        reserved.part_lacks(job_seq, blob, opened.unallocated_bytes);
        Ok(Self {
            id,
            blob,
            size_bytes,
            unallocated_bytes: opened.unallocated_bytes,
            lacking_bytes: AtomicU64::new(opened.unallocated_bytes),
            reserved,
            meter: meter.clone(),
            files,
            folder,
            identity,
            file: opened.file.on(shared.tuning.borrow().medium.clone()),
            front: Mutex::new((layout.contiguous_bytes(), false)),
            layout: Mutex::new(layout),
            grips: slow::Grips::default(),
            hasher: hasher.map(Mutex::new),
            hash_was_resumed,
            write_turn: tokio::sync::Mutex::new(()),
            front_moved: Notify::new(),
            sync_due: Notify::new(),
            sync_turn: tokio::sync::Mutex::new(()),
            sync_failed: Mutex::new(false),
            room: Notify::new(),
            closed: AtomicBool::new(false),
        })
    }
}
