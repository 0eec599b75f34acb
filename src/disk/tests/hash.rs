use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::disk::{hash_file, hash_file_watched};

#[test]
fn the_ids_are_those_of_git_and_sha256sum() {
    let hello = b"hello\n";
    assert_eq!(
        true_id(ANY_SHA1, hello).to_string(),
        "ce013625030ba8dba906f756967f9e9ca394464a"
    );
    assert_eq!(
        true_id(ANY_SHA256, hello).to_string(),
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    );
    assert_eq!(
        true_id(ANY_SHA1, b"").to_string(),
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    );
}

proptest! {
    #[test]
    fn any_split_saved_and_restored_gives_the_same_digest(
        content in prop::collection::vec(any::<u8>(), 0..2_000),
        mut cuts in prop::collection::vec(0..2_000_usize, 0..6),
        sha256 in any::<bool>(),
    ) {
        let kind = if sha256 { ANY_SHA256 } else { ANY_SHA1 };
        let size = content.len() as u64;
        cuts.push(content.len());
        cuts.sort();
        let mut hasher = BlobHasher::new(kind, size);
        let mut at = 0;
        for cut in cuts {
            let cut = cut.min(content.len());
            hasher.update(&content[at..cut]);
            at = cut;
            hasher = BlobHasher::restore(kind, size, &hasher.save()).unwrap();
            prop_assert_eq!(hasher.hashed_bytes(), cut as u64);
        }
        prop_assert_eq!(hasher.finish(), true_id(kind, &content));
    }

    #[test]
    fn a_damaged_state_is_refused(byte in 0..200_usize, flip in 1..=255_u8, cut in 0..200_usize) {
        let mut hasher = BlobHasher::new(ANY_SHA256, 1_000);
        hasher.update(&[7; 500]);
        let mut saved = hasher.save();
        if let Some(byte) = saved.get_mut(byte) {
            *byte ^= flip;
            prop_assert!(BlobHasher::restore(ANY_SHA256, 1_000, &saved).is_none());
        }
        let saved = hasher.save();
        let cut = cut.min(saved.len() - 1);
        prop_assert!(BlobHasher::restore(ANY_SHA256, 1_000, &saved[..cut]).is_none());
    }
}

#[test]
fn a_state_serves_only_the_blob_it_was_saved_for() {
    let mut hasher = BlobHasher::new(ANY_SHA256, 10);
    hasher.update(b"12345");
    let saved = hasher.save();
    assert!(BlobHasher::restore(ANY_SHA256, 10, &saved).is_some());
    assert!(BlobHasher::restore(ANY_SHA256, 11, &saved).is_none());
    assert!(BlobHasher::restore(BlobId::Sha256([1; 32]), 10, &saved).is_none());
    assert!(BlobHasher::restore(ANY_SHA1, 10, &saved).is_none());
    assert!(BlobHasher::restore(ANY_SHA256, 10, &[]).is_none());
}

#[test]
fn a_saved_state_fits_into_a_row() {
    assert!(BlobHasher::new(ANY_SHA256, 10).save().len() < 128);
    assert!(BlobHasher::new(ANY_SHA1, 10).save().len() < 128);
}

fn file_with(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

#[test]
fn a_whole_file_is_hashed_from_its_first_byte_wherever_the_cursor_stands() {
    let content = vec![42; 3 * 1024 * 1024 + 17];
    let file = file_with(&content);
    for kind in [ANY_SHA1, ANY_SHA256] {
        let found = hash_file(&file, kind, content.len() as u64).unwrap();
        assert_eq!(found, true_id(kind, &content));
    }
}

#[test]
fn a_file_of_another_length_is_an_error_and_not_another_hash() {
    let file = file_with(b"12345");
    let kind = |size| hash_file(&file, ANY_SHA256, size).unwrap_err().kind();
    assert_eq!(kind(6), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(kind(4), std::io::ErrorKind::InvalidData);
}

#[test]
fn hashing_reports_its_progress_and_can_be_stopped() {
    let content = vec![1; 2 * 1024 * 1024 + 5];
    let file = file_with(&content);
    let mut seen = Vec::new();
    let size = content.len() as u64;
    let found = hash_file_watched(&file, ANY_SHA256, size, |bytes| {
        seen.push(bytes);
        ControlFlow::Continue(())
    });
    assert_eq!(found.unwrap(), Some(true_id(ANY_SHA256, &content)));
    assert_eq!(seen, [1 << 20, 2 << 20, size]);
    let stopped = hash_file_watched(&file, ANY_SHA256, size, |_| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap(), None);
}
