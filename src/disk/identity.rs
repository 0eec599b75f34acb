//! Which boot, mount and inode a part file belongs to.
//!
//! Bytes that were written but not synced survive a crash of the process, not of the machine
//! or of the mount. Only when all four values are as they were may the `written` marks of a
//! checkpoint be trusted.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

/// Where an open file lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// [`boot_id`] of this machine.
    pub boot_id: String,
    /// Id of the mount; changes when a disk is mounted again. 0 where the system has none.
    pub mount_id: u64,
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

impl Identity {
    /// # Errors
    /// What `fstat` reports.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            boot_id: boot_id(),
            mount_id: mount_id(file),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

/// The id the kernel drew at this boot (`/proc/sys/kernel/random/boot_id`). Where there is
/// none, a random value for this process: then nothing unsynced is trusted after a restart.
pub fn boot_id() -> String {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID
        .get_or_init(
            || match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
                Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
                _ => format!("process-{:032x}", fastrand::u128(..)),
            },
        )
        .clone()
}

/// The mount's id: the one that is never reused where the kernel has it (Linux 6.8), else the
/// short one (5.8, or `fdinfo` before).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mount_id(file: &File) -> u64 {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, StatxFlags, statx};
    /// `STATX_MNT_ID_UNIQUE` of linux/stat.h, which rustix does not name yet.
    const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

    let answered = |wish: StatxFlags| {
        let stat = statx(file, "", AtFlags::EMPTY_PATH, wish).ok()?;
        (stat.stx_mask & wish.bits() != 0).then_some(stat.stx_mnt_id)
    };
    let from_proc = || {
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix("mnt_id:"))?
            .trim()
            .parse()
            .ok()
    };
    answered(UNIQUE)
        .or_else(|| answered(StatxFlags::MNT_ID))
        .or_else(from_proc)
        .unwrap_or(0)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn mount_id(_file: &File) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_handles_of_one_file_have_one_identity_and_another_file_has_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let first = Identity::of(&File::create(&path).unwrap()).unwrap();
        let second = Identity::of(&File::open(&path).unwrap()).unwrap();
        let other = Identity::of(&File::create(dir.path().join("b")).unwrap()).unwrap();
        assert_eq!(first, second);
        assert_ne!(first.inode, other.inode);
        assert_eq!(first.mount_id, other.mount_id);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_mount_has_another_mount_id() {
        let dir = tempfile::tempdir().unwrap();
        let here = Identity::of(&File::create(dir.path().join("a")).unwrap()).unwrap();
        let proc = Identity::of(&File::open("/proc/version").unwrap()).unwrap();
        assert_ne!(here.mount_id, 0);
        assert_ne!(here.mount_id, proc.mount_id);
    }
}
