//! Which volume a path lies on.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A mounted volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Number of the device: equal for paths on one volume.
    pub device: u64,
    /// Where it is mounted; empty when the system does not tell.
    pub point: String,
    /// Its file system; empty when the system does not tell.
    pub fs_type: String,
}

/// The volume of `path`, or of its nearest ancestor that exists. `None` when it cannot be asked.
pub fn mount_of(path: &Path) -> Option<Mount> {
    let (here, meta) = path
        .ancestors()
        .find_map(|here| Some((here, here.metadata().ok()?)))?;
    let (point, fs_type) = std::fs::read_to_string("/proc/self/mountinfo")
        .ok()
        .and_then(|table| in_table(&table, &here.canonicalize().ok()?))
        .unwrap_or_default();
    Some(Mount {
        device: meta.dev(),
        point,
        fs_type,
    })
}

/// `st_dev` of the volume where `path` is or would be; `None` when it cannot be asked.
pub fn device_of(path: &Path) -> Option<u64> {
    path.ancestors()
        .find_map(|here| here.metadata().ok())
        .map(|metadata| metadata.dev())
}

/// Mount point and file system of the longest mount point above `path` (proc_pid_mountinfo(5)).
/// Of two equal ones the later covers the earlier.
fn in_table(table: &str, path: &Path) -> Option<(String, String)> {
    let mut best: Option<(String, String)> = None;
    for line in table.lines() {
        let mut fields = line.split(' ');
        let (Some(point), Some((_, rest))) = (fields.nth(4), line.split_once(" - ")) else {
            continue;
        };
        let point = unescaped(point);
        let longer = best.as_ref().is_none_or(|(known, _)| point.len() >= known.len());
        if longer && path.starts_with(&point) {
            let fs_type = rest.split(' ').next().unwrap_or_default();
            best = Some((point, fs_type.to_owned()));
        }
    }
    best
}

/// Blanks, tabs, line ends and backslashes stand as octal numbers.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_point_above_a_path_is_its_own() {
        let table = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 8:1 / /mnt/my\\040disk rw shared:5 - xfs /dev/sda1 rw
31 22 0:40 / /mnt rw - tmpfs tmpfs rw
nonsense";
        let find = |path: &str| in_table(table, Path::new(path)).unwrap();
        assert_eq!(find("/home/x"), ("/".to_owned(), "ext4".to_owned()));
        assert_eq!(
            find("/mnt/my disk/hub"),
            ("/mnt/my disk".to_owned(), "xfs".to_owned())
        );
        assert_eq!(find("/mnt/other"), ("/mnt".to_owned(), "tmpfs".to_owned()));
    }

    #[test]
    fn a_folder_that_is_to_come_lies_on_the_volume_of_its_ancestor() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(mount_of(dir.path()), mount_of(&dir.path().join("not/yet")));
    }
}
