//! `--log-file`: the log in a file that others may rotate.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// A file that was moved away is noticed within this time; each look is one `stat`.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The log names repos, paths and addresses: others need not read it.
const MODE: u32 = 0o640;

/// A file that lines are appended to. When it was moved or deleted (as `logrotate` does with
/// `create`), another one is begun in its place; cut in place (`copytruncate`), it goes on from its
/// new end.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    looked: Instant,
}

impl LogFile {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let open = Open {
            file: append_to(&path)?,
            looked: Instant::now(),
        };
        let open = Mutex::new(open);
        Ok(Self { path, open })
    }

    fn current(&self) -> MutexGuard<'_, Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.looked.elapsed() >= LOOK_EVERY {
            open.looked = Instant::now();
            // A place that takes no new file keeps the old one going.
            if !is_in_place(&open.file, &self.path)
                && let Ok(file) = append_to(&self.path)
            {
                open.file = file;
            }
        }
        open
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).open(path)
}

/// Whether `file` is still what stands at `path`.
fn is_in_place(file: &File, path: &Path) -> bool {
    let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        _ => false,
    }
}

impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line comes whole, and one write appends it whole.
        self.current().file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a LogFile;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew_and_one_that_was_cut_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
        std::fs::write(&path, "before\n").unwrap();
        let log = LogFile::open(&path).unwrap();
        (&log).write_all(b"one\n").unwrap();
        std::fs::rename(&path, &old).unwrap();
        // Until somebody looks again the lines go where they went.
        (&log).write_all(b"two\n").unwrap();
        log.open.lock().unwrap().looked -= LOOK_EVERY;
        (&log).write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before\none\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(0)
            .unwrap();
        (&log).write_all(b"four\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "four\n");
        let mode = std::fs::metadata(&path).unwrap().mode() & 0o7777;
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }

    #[test]
    fn a_place_that_takes_no_file_any_more_keeps_the_old_one_going() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("logs");
        std::fs::create_dir(&folder).unwrap();
        let log = LogFile::open(&folder.join("log")).unwrap();
        let moved = dir.path().join("moved");
        std::fs::rename(&folder, &moved).unwrap();
        log.open.lock().unwrap().looked -= LOOK_EVERY;
        (&log).write_all(b"still here\n").unwrap();
        assert_eq!(
            std::fs::read_to_string(moved.join("log")).unwrap(),
            "still here\n"
        );
    }
}
