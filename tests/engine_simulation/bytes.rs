//! What holds of the bytes of part files whenever a life ends: I4 and I6, and that each has its row.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use sqlx::{Connection, Row, SqliteConnection};

use super::life::cache;
use super::trouble::EARLIER_BOOT;
use super::{CONTENTS, Death, MIB, REPOS, Simulation};
use crate::support::depot::names;
use crate::support::hub::Entry;

/// Bytes of one answer that may be on their way into the part when everything ends.
const IN_HAND: u64 = 256 << 10;

/// Events that a failure shows.
const TOLD: i64 = 40;

/// A segment as the database has it after the end, with its file if that is the one it tells of.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    file: Option<File>,
    start: u64,
    length: u64,
    written: u64,
    synced: u64,
    /// Whether `written` is of this boot; of another one only `synced` is believed.
    of_this_boot: bool,
}

impl Mark {
    /// Bytes that the next life will not fetch again.
    fn believed(&self) -> u64 {
        if self.of_this_boot {
            self.written
        } else {
            self.synced
        }
    }

    fn inode(&self) -> Option<u64> {
        Some(self.file.as_ref()?.metadata().ok()?.ino())
    }
}

/// Bytes of files, by inode, from and to, that are there although no mark tells of them.
pub type Strays = BTreeSet<(u64, u64, u64)>;

/// Bytes of a stray that were none when the life began. A life that ends before it has come through
/// what an earlier one left has not cost that again.
fn not_in((inode, from, to): &(u64, u64, u64), earlier: &Strays) -> u64 {
    let of_it = earlier.iter().filter(|(of, _, _)| of == inode);
    let common = of_it.map(|(_, first, last)| (*last.min(to)).saturating_sub(*first.max(from)));
    (to - from).saturating_sub(common.sum())
}

impl Simulation {
    pub(super) fn part_files(&self) -> Vec<PathBuf> {
        let staging = |repo| cache(self.dir.path()).join(format!("models--acme--r{repo}/.hfdepot"));
        let parts = |dir: PathBuf| names(&dir).into_iter().map(move |name| dir.join(name));
        let files = (0..REPOS).map(staging).flat_map(parts);
        files
            .filter(|path| path.extension().is_some_and(|end| end == "part"))
            .collect()
    }

    /// Looks at every part file and its row in the database that the life left.
    pub(super) fn bytes_at_the_end(&mut self, database: &Path, death: Death) {
        let mut marks = self.marks(database);
        let the_disk_failed = self.platter.failures() > self.disk_failures;
        if the_disk_failed {
            // The end may have come before that was recorded; then the hash tells.
            self.suspect.extend(marks.iter().filter_map(Mark::inode));
        }
        let lied = self.hub_lied();
        for mark in &marks {
            if !lied && mark.of_this_boot {
                self.i4_what_is_marked_as_written_is_there(mark);
            }
            if death == Death::PowerCut {
                self.i4_what_is_marked_as_synced_is_on_the_platter(mark);
            }
        }
        let strays = self.strays(&marks);
        if death != Death::PowerCut && !the_disk_failed {
            let cost: u64 = strays.iter().map(|stray| not_in(stray, &self.strays)).sum();
            let open = marks.iter().filter(|mark| mark.written < mark.length).count() as u64;
            let bound = match death {
                Death::Stop => 0,
                _ => MIB * open.max(1) + IN_HAND,
            };
            assert!(
                cost <= bound,
                "I6: {death:?} cost {cost} bytes, {bound} are allowed; inode, from and to of what no mark tells of: \
                 {strays:?}, and when this life began: {:?}; {marks:#?} {}",
                self.strays,
                self.last_events(database)
            );
        }
        if death == Death::PowerCut {
            self.i5_what_is_published_is_durable();
            for path in self.part_files() {
                let file = File::options().write(true).open(path).expect("a part");
                self.platter.lose_pages(&file);
            }
        }
        if death == Death::PowerCut {
            marks.iter_mut().for_each(|mark| mark.of_this_boot = false);
        }
        self.strays = self.strays(&marks);
        self.disk_failures = self.platter.failures();
    }

    fn i4_what_is_marked_as_written_is_there(&self, mark: &Mark) {
        let Some(file) = &mark.file else { return };
        if mark.inode().is_some_and(|inode| self.suspect.contains(&inode)) {
            return;
        }
        let (start, end) = (mark.start as usize, (mark.start + mark.written) as usize);
        assert!(
            read(file, mark.start, mark.written) == self.content_of(&mark.path)[start..end],
            "I4: {}: {start}..{end} was not written",
            mark.path.display()
        );
    }

    fn i4_what_is_marked_as_synced_is_on_the_platter(&self, mark: &Mark) {
        let Some(file) = mark.file.as_ref().filter(|_| mark.synced > 0) else {
            return;
        };
        let (start, end) = (mark.start as usize, (mark.start + mark.synced) as usize);
        let durable = mark.inode().and_then(|inode| self.platter.durable(inode));
        let durable = durable.unwrap_or_default();
        assert!(
            durable.get(start..end) == Some(&read(file, mark.start, mark.synced)),
            "I4: {}: {start}..{end} is not on the platter",
            mark.path.display()
        );
    }

    /// I5 of a loss of power: what has a final name is on the platter whole.
    fn i5_what_is_published_is_durable(&self) {
        for repo in 0..REPOS {
            let blobs = cache(self.dir.path()).join(format!("models--acme--r{repo}/blobs"));
            for name in names(&blobs) {
                let file = File::open(blobs.join(&name)).expect("a blob");
                let metadata = file.metadata().expect("open");
                // Small files are synced by other means.
                if let Some(durable) = self.platter.durable(metadata.ino()) {
                    let seen = read(&file, 0, metadata.len());
                    assert!(durable == seen, "I5: {name} is not on the platter");
                }
            }
        }
    }

    /// Right bytes behind the marks: those came, and will come again.
    fn strays(&self, marks: &[Mark]) -> Strays {
        let stray = |mark: &Mark| {
            let file = mark.file.as_ref()?;
            let behind = mark.start + mark.believed()..mark.start + mark.length;
            let seen = read(file, behind.start, behind.end - behind.start);
            let right = self.content_of(&mark.path);
            let right = &right[behind.start as usize..behind.end as usize];
            let come = seen.iter().zip(right).take_while(|(seen, right)| seen == right);
            let bytes = come.count() as u64;
            (bytes > 0).then_some((mark.inode()?, behind.start, behind.start + bytes))
        };
        marks.iter().filter_map(stray).collect()
    }

    fn content_of(&self, part: &Path) -> bytes::Bytes {
        let blob = part.file_stem().and_then(|name| name.to_str()).expect("a name");
        let mut contents = CONTENTS.iter().flatten().map(|(_, content)| content);
        let content = contents.find(|content| content.sha256() == blob);
        content.expect("a file of ours").to_bytes().expect("in memory")
    }

    fn hub_lied(&self) -> bool {
        let is_lie = |fault: &String| fault == "corrupt_byte";
        let lied = |entry: &Entry| entry.faults.lock().expect("whole").iter().any(is_lie);
        self.hub.log().count(lied) > 0
    }

    /// What the database says that happened last.
    fn last_events(&self, database: &Path) -> String {
        let sql =
            "SELECT at || ' ' || job_id || ' ' || event || ' ' || coalesce(to_status, '') || ' ' || detail
                   FROM event ORDER BY seq DESC LIMIT ?";
        let rows = asked(database, sqlx::query(sql).bind(TOLD));
        let lines: Vec<String> = rows.iter().rev().map(|row| row.get(0)).collect();
        lines.join("\n")
    }

    fn marks(&self, database: &Path) -> Vec<Mark> {
        let sql = "SELECT folder || '/.hfdepot/' || blob_id || '.part', inode, start_bytes, length_bytes,
                          written_bytes, synced_bytes, boot_id <> ? FROM part LEFT JOIN segment ON part_id = part.id";
        let rows = asked(database, sqlx::query(sql).bind(EARLIER_BOOT));
        let paths: BTreeSet<PathBuf> = rows.iter().map(|row| row.get::<String, _>(0).into()).collect();
        for part in self.part_files() {
            assert!(paths.contains(&part), "I9: {} has no row", part.display());
        }
        let number = |row: &sqlx::sqlite::SqliteRow, index: usize| row.get::<i64, _>(index) as u64;
        let rows = rows.iter().filter(|row| row.get::<Option<i64>, _>(2).is_some());
        let mark = |row| {
            let path: PathBuf = row_path(row);
            let length = |file: &File| file.metadata().map(|metadata| (metadata.ino(), metadata.len()));
            let whole = self.content_of(&path).len() as u64;
            let is_it = |file: &File| length(file).ok() == Some((number(row, 1), whole));
            Mark {
                file: File::open(&path).ok().filter(is_it),
                path,
                start: number(row, 2),
                length: number(row, 3),
                written: number(row, 4),
                synced: number(row, 5),
                of_this_boot: row.get(6),
            }
        };
        rows.map(mark).collect()
    }
}

/// Runs `query` on a database that nobody has open.
fn asked(
    database: &Path,
    query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
) -> Vec<sqlx::sqlite::SqliteRow> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let rows = runtime.expect("a runtime").block_on(async {
        let url = format!("sqlite://{}", database.display());
        let mut database = SqliteConnection::connect(&url).await?;
        let rows = query.fetch_all(&mut database).await?;
        database.close().await?;
        Ok::<_, sqlx::Error>(rows)
    });
    rows.expect("the database works")
}

fn row_path(row: &sqlx::sqlite::SqliteRow) -> PathBuf {
    row.get::<String, _>(0).into()
}

fn read(file: &File, start: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, start).expect("readable");
    bytes
}
