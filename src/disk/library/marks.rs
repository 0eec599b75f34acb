//! The fingerprint of a repo folder: time of change and inode of each folder that holds names,
//! and of each ref. Adding, replacing or removing anything changes the time of its folder.
//!
//! What it cannot see is a file changed in place, which no program does to a blob.

use std::fmt::Write;

use super::Known;
use crate::disk::folder::Folder;

/// File systems keep times as coarsely as two seconds (FAT, HFS+). What changed so shortly
/// before it was looked at may have changed again within the same tick.
const TICK_MS: i64 = 2_000;

/// Collects the marks of one scan.
#[derive(Debug, Default)]
pub(super) struct Marks(String);

impl Marks {
    /// Notes what stands at `path` now. To be called before it is listed or read.
    pub fn note(&mut self, repo: &Folder, path: &str) {
        match repo.mark(path) {
            Some(mark) => {
                // A newline in a name would end the line: such a mark never holds.
                let _ = writeln!(self.0, "{} {} {path}", mark.modified_ns, mark.inode);
            }
            None => {
                let _ = writeln!(self.0, "- - {path}");
            }
        }
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// Whether everything is as it was.
pub(super) fn hold(repo: &Folder, known: &Known) -> bool {
    let settled_ns = i128::from(known.scanned_at - TICK_MS) * 1_000_000;
    !known.marks.is_empty()
        && known.marks.lines().all(|line| {
            let mut parts = line.splitn(3, ' ');
            let (Some(time), Some(inode), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                return false;
            };
            match repo.mark(path) {
                Some(mark) => {
                    time.parse() == Ok(mark.modified_ns)
                        && inode.parse() == Ok(mark.inode)
                        && mark.modified_ns < settled_ns
                }
                None => time == "-",
            }
        })
}
