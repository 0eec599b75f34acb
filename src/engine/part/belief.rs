//! What stored marks are worth when a part file is opened again.

use crate::disk::{BlobHasher, Identity};
use crate::model::repo::BlobId;
use crate::model::segment::{Layout, Segment, cut};
use crate::store::{Part, PartIdentity};

pub fn identity_of(identity: &Identity) -> PartIdentity {
    // SQLite's integers are signed; the bits are what counts.
    PartIdentity {
        boot_id: identity.boot_id.clone(),
        mount_id: identity.mount_id as i64,
        device: identity.device as i64,
        inode: identity.inode as i64,
    }
}

/// What stored marks are worth: `written` for the same boot, mount and file, `synced` after
/// another boot or mount, nothing for another file in the place of ours; the hash state as far as
/// it lies within them.
pub fn believed(
    part: Part,
    identity: &PartIdentity,
    blob: BlobId,
    size_bytes: u64,
) -> (Vec<Segment>, Option<BlobHasher>) {
    let same = part.identity == *identity;
    let replaced = !same
        && PartIdentity {
            inode: identity.inode,
            ..part.identity.clone()
        } == *identity;
    if replaced {
        return (cut(size_bytes, 1), None);
    }
    let segments: Vec<_> = part
        .segments
        .into_iter()
        .map(|segment| Segment {
            written: if same { segment.written } else { segment.synced },
            ..segment
        })
        .collect();
    let layout = Layout::new(segments.clone());
    if !layout.covers(size_bytes) {
        return (cut(size_bytes, 1), None);
    }
    let hasher = part
        .hash_state
        .and_then(|state| BlobHasher::restore(blob, size_bytes, &state))
        .filter(|hasher| hasher.hashed_bytes() <= layout.contiguous_bytes());
    (segments, hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(boot: &str, hashed: u64) -> (Part, PartIdentity, BlobId) {
        let blob: BlobId = "6555e0636e96d582be43f40b3e8b590de4609b7732580471b15a77f2c6c20279"
            .parse()
            .unwrap();
        let identity = PartIdentity {
            boot_id: "now".into(),
            mount_id: 1,
            device: 2,
            inode: 3,
        };
        let mut hasher = BlobHasher::new(blob, 20 << 20);
        hasher.update(&vec![0; hashed as usize]);
        let part = Part {
            id: 1,
            size_bytes: 20 << 20,
            identity: PartIdentity {
                boot_id: boot.into(),
                ..identity.clone()
            },
            hash_state: Some(hasher.save()),
            hashed_bytes: hashed,
            segments: vec![
                Segment {
                    start: 0,
                    length: 10 << 20,
                    written: 7 << 20,
                    synced: 5 << 20,
                },
                Segment {
                    start: 10 << 20,
                    length: 10 << 20,
                    written: 2 << 20,
                    synced: 0,
                },
            ],
        };
        (part, identity, blob)
    }

    #[test]
    fn written_marks_are_believed_by_the_same_boot_only() {
        let (part, identity, blob) = stored("now", 5 << 20);
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 9 << 20);
        assert!(hasher.is_some());
        let (part, identity, blob) = stored("before the power cut", 5 << 20);
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 5 << 20);
        assert!(hasher.is_some());
    }

    #[test]
    fn no_mark_is_believed_of_another_file_in_the_same_place() {
        let (part, mut identity, blob) = stored("now", 5 << 20);
        identity.inode += 1;
        let (segments, hasher) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 0);
        assert!(hasher.is_none());
    }

    #[test]
    fn a_hash_state_beyond_the_believed_marks_is_dropped() {
        let (part, identity, blob) = stored("before the power cut", 6 << 20);
        assert!(believed(part, &identity, blob, 20 << 20).1.is_none());
    }

    #[test]
    fn segments_that_do_not_cover_the_file_are_begun_anew() {
        let (mut part, identity, blob) = stored("now", 0);
        part.segments.pop();
        let (segments, _) = believed(part, &identity, blob, 20 << 20);
        assert_eq!(segments.iter().map(|s| s.written).sum::<u64>(), 0);
    }
}
