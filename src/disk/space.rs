//! Free space of the volume that holds a path.

use std::io;
use std::path::Path;

/// How much room a volume has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size of the volume in bytes.
    pub total_bytes: u64,
    /// Bytes this user may still write (root's reserve is not counted).
    pub free_bytes: u64,
}

/// Space of the volume where `path` is or would be: missing folders are walked up.
///
/// # Errors
/// What `statvfs` reports for the nearest ancestor that exists.
pub fn space(path: &Path) -> io::Result<Space> {
    let mut here = path;
    loop {
        let shown = if here.as_os_str().is_empty() {
            Path::new(".")
        } else {
            here
        };
        match (rustix::fs::statvfs(shown), here.parent()) {
            (Ok(stat), _) => {
                return Ok(Space {
                    total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
                    free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
                });
            }
            (Err(rustix::io::Errno::NOENT), Some(parent)) => here = parent,
            (Err(errno), _) => return Err(errno.into()),
        }
    }
}

/// Bytes to leave free by default on a volume of `total_bytes`: 1 GiB, or 5 % of a small one.
pub fn floor_bytes(total_bytes: u64) -> u64 {
    (total_bytes / 20).min(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_has_the_space_of_its_nearest_ancestor() {
        let dir = tempfile::tempdir().unwrap();
        let here = space(dir.path()).unwrap();
        let below = space(&dir.path().join("not/there/yet")).unwrap();
        assert_eq!(here.total_bytes, below.total_bytes);
        assert!(here.free_bytes > 0 && here.free_bytes <= here.total_bytes);
        assert!(space(Path::new("not-there-at-all")).is_ok());
    }

    #[test]
    fn a_path_through_a_file_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(space(&file.path().join("below")).is_err());
    }

    #[test]
    fn the_floor_is_one_gibibyte_or_five_percent_of_a_small_volume() {
        assert_eq!(floor_bytes(4 << 40), 1 << 30);
        assert_eq!(floor_bytes(20 << 20), 1 << 20);
        assert_eq!(floor_bytes(0), 0);
    }
}
