use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::disk::{PartError, PartFile, boot_id, space};
use crate::model::code::Code;

const ID: BlobId = BlobId::Sha256([0xab; 32]);

fn open(home: &Home, size: u64) -> crate::disk::Opened {
    home.repo.open_part(ID, size).unwrap()
}

fn busy(home: &Home) -> bool {
    matches!(home.repo.open_part(ID, 10), Err(PartError::Busy { .. }))
}

#[test]
fn a_new_part_has_its_full_length_and_belongs_to_its_user_alone() {
    let home = Home::new();
    let opened = open(&home, 5_000_000);
    assert!(opened.created);
    assert_eq!(opened.identity.boot_id, boot_id());
    let metadata = fs::metadata(opened.file.path()).unwrap();
    assert_eq!(metadata.len(), 5_000_000);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(metadata.ino(), opened.identity.inode);
    assert_eq!(
        opened.file.path(),
        home.repo.parts_dir().join(format!("{ID}.part"))
    );
}

#[test]
fn bytes_written_at_any_offset_are_there_after_reopening() {
    let home = Home::new();
    let first = open(&home, 100);
    first.file.write_at(b"end", 97).unwrap();
    first.file.write_at(b"start", 0).unwrap();
    first.file.sync().unwrap();
    first.file.start_writeback(0, 100);
    let identity = first.identity.clone();
    drop(first);

    let again = open(&home, 100);
    assert!(!again.created);
    assert_eq!(again.identity, identity);
    let mut buffer = [0; 10];
    assert_eq!(again.file.read_at(&mut buffer, 95).unwrap(), 5);
    assert_eq!(&buffer[..5], b"\0\0end");
}

#[test]
fn a_part_of_another_length_is_started_again() {
    let home = Home::new();
    let first = open(&home, 100);
    first.file.write_at(b"old", 0).unwrap();
    drop(first);
    let again = open(&home, 200);
    assert!(again.created);
    let mut buffer = [1; 3];
    again.file.read_at(&mut buffer, 0).unwrap();
    assert_eq!(buffer, [0; 3]);
    assert_eq!(fs::metadata(again.file.path()).unwrap().len(), 200);
}

#[test]
fn an_empty_file_has_a_part_too() {
    let home = Home::new();
    let opened = open(&home, 0);
    assert!(opened.created && opened.file.is_intact());
}

#[test]
fn a_part_that_is_open_elsewhere_is_busy_until_it_is_closed() {
    let home = Home::new();
    let first = open(&home, 10);
    assert!(busy(&home));
    drop(first);
    assert!(!busy(&home));
}

#[test]
fn a_part_held_by_another_process_is_free_again_when_that_is_killed() {
    let home = Home::new();
    let mut other = Other::start("part::hold_a_part", home.dir.path(), "022");
    assert!(other.says("holding"));
    assert!(busy(&home));
    other.kill();
    assert!(!open(&home, 10).created);
}

#[test]
#[ignore = "runs as a child of another test"]
fn hold_a_part() {
    let cache = Cache::open(&child_dir().join("hub")).unwrap();
    let _opened = repo_of(&cache).open_part(ID, 10).unwrap();
    println!("\nholding");
    std::io::read_to_string(std::io::stdin()).unwrap();
}

#[test]
fn a_deleted_or_cut_part_is_noticed() {
    let home = Home::new();
    let opened = open(&home, 10);
    assert!(opened.file.is_intact());
    opened.file.as_file().set_len(5).unwrap();
    assert!(!opened.file.is_intact());
    opened.file.as_file().set_len(10).unwrap();
    assert!(opened.file.is_intact());
    fs::remove_file(opened.file.path()).unwrap();
    assert!(!opened.file.is_intact());
}

#[test]
fn removing_a_part_spares_a_new_one_of_the_same_name() {
    let home = Home::new();
    let first = open(&home, 10);
    let path = first.file.path();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another").unwrap();
    first.file.remove().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"another");
    assert!(home.repo.remove_part(ID).unwrap());
    assert!(!home.repo.remove_part(ID).unwrap());
}

#[test]
fn a_part_larger_than_the_volume_is_refused_before_it_takes_any_space() {
    let home = Home::new();
    let total = space(home.dir.path()).unwrap().total_bytes;
    let error = home.repo.open_part(ID, total * 2).unwrap_err();
    let PartError::Disk(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.code, Code::DiskFull);
    assert_eq!(home.repo.list_parts().unwrap(), []);
}

#[test]
fn a_link_or_folder_in_place_of_the_part_is_refused_and_untouched() {
    let home = Home::new();
    let victim = home.dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let part = home.repo.parts_dir().join(format!("{ID}.part"));
    symlink(&victim, &part).unwrap();
    assert!(matches!(home.repo.open_part(ID, 10), Err(PartError::Disk(_))));
    fs::remove_file(&part).unwrap();
    fs::create_dir(&part).unwrap();
    assert!(matches!(home.repo.open_part(ID, 10), Err(PartError::Disk(_))));
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_folder_of_the_users_choice_holds_parts_as_well_but_not_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let parts = dir.path().join(".hfdepot");
    let opened = PartFile::open(&parts, ID, 10).unwrap();
    assert!(opened.file.path().starts_with(&parts));
    let link = dir.path().join("link");
    symlink(&parts, &link).unwrap();
    assert!(matches!(PartFile::open(&link, ID, 10), Err(PartError::Disk(_))));
    assert!(matches!(
        PartFile::open(&dir.path().join("no/such"), ID, 10),
        Err(PartError::Disk(_))
    ));
}

#[test]
fn space_is_allocated_in_steps_and_given_back_where_nothing_was_written() {
    let home = Home::new();
    let size = 40 << 20;
    let opened = open(&home, size);
    assert_eq!(opened.unallocated_bytes, size, "opening takes no space");
    opened.file.write_at(&[7; 4096], 0).unwrap();
    opened.file.allocate(|| true).unwrap();
    let allocated = home.repo.part_allocated_bytes(ID);
    // tmpfs and file systems without allocation keep the hole.
    assert!(allocated >= size || allocated <= 1 << 20, "{allocated}");
    assert!(opened.file.is_intact(), "the length stays");

    opened.file.free(4096, size - 4096);
    assert!(home.repo.part_allocated_bytes(ID) <= 1 << 20);
    assert!(opened.file.is_intact());
    let mut buffer = [0; 4097];
    assert_eq!(opened.file.read_at(&mut buffer, 0).unwrap(), 4097);
    assert_eq!((buffer[4095], buffer[4096]), (7, 0));
    drop(opened);
    let again = open(&home, size);
    assert!(!again.created && again.unallocated_bytes >= size - (1 << 20));
}

#[test]
fn an_allocation_ends_when_it_is_told_to() {
    let home = Home::new();
    let opened = open(&home, 64 << 20);
    let asked = std::cell::Cell::new(0);
    let go_on = || {
        asked.set(asked.get() + 1);
        asked.get() == 1
    };
    opened.file.allocate(go_on).unwrap();
    assert!(home.repo.part_allocated_bytes(ID) <= 9 << 20, "one step of 8 MiB");
}
