//! The chain of seals: verifying it, and cutting its old end off.
//!
//! Verification goes through both tables at once, in the order of their numbers, inside one
//! snapshot. It finds every row that was changed, removed, inserted or moved after its commit.
//! Whoever rewrites all rows from some point up to the head, and the head with them, leaves a
//! chain that is sound in itself: only a head that was noted elsewhere proves otherwise.

use std::collections::VecDeque;

use sqlx::SqliteConnection;

use crate::clock::now_ms;
use crate::model::history::{ChainReport, FirstBad};
use crate::model::history_row::{RowForm, Seal, hex};

use super::history::History;
use super::seal::{select_ends, select_events};
use super::writer::Durability;
use super::{Store, StoreError, file_list};

/// Rows that are read at once.
const BATCH: i64 = 1000;
/// Rows that retention drops in one transaction, so that nobody waits long for the writer.
const CUT: i64 = 5000;
/// An end that lies so far ahead was written by a clock that was wrong: it does not hold retention up.
const FUTURE_MS: i64 = 86_400_000;

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Event,
    History,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::History => "history",
        }
    }
}

/// A row on its way through the check.
struct Sealed {
    seq: i64,
    position: Option<i64>,
    hash: Option<Vec<u8>>,
    form: RowForm,
    /// The announced and the found hash of its list of files.
    files: Option<(Vec<u8>, Option<Seal>)>,
}

/// The rows of one table, in order, read ahead.
struct Rows {
    table: Table,
    /// Number of the last row that was read.
    read: i64,
    /// Number of the last row that was found sound.
    sound: i64,
    ahead: VecDeque<Sealed>,
}

impl Rows {
    fn after(table: Table, seq: i64) -> Self {
        Self {
            table,
            read: seq,
            sound: seq,
            ahead: VecDeque::new(),
        }
    }

    async fn read_ahead(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Result<(), FirstBad>, StoreError> {
        if !self.ahead.is_empty() {
            return Ok(Ok(()));
        }
        let mut batch = self.read(connection, BATCH).await;
        if is_unreadable(&batch) {
            // Text that is none, for example: which row is it?
            batch = self.read(connection, 1).await;
        }
        if is_unreadable(&batch) {
            return Ok(Err(bad(self.table, self.sound + 1, 0, "changed")));
        }
        let batch = batch?;
        self.read = batch.last().map_or(self.read, |row| row.seq);
        self.ahead = batch.into();
        Ok(Ok(()))
    }

    async fn read(&self, connection: &mut SqliteConnection, limit: i64) -> Result<Vec<Sealed>, sqlx::Error> {
        if self.table == Table::Event {
            let rows = select_events!("WHERE seq > ? ORDER BY seq LIMIT ?", self.read, limit)
                .fetch_all(connection)
                .await?;
            return Ok(rows
                .into_iter()
                .map(|row| Sealed {
                    form: row.form(),
                    seq: row.seq,
                    position: row.chain_position,
                    hash: row.chain_hash,
                    files: None,
                })
                .collect());
        }
        let rows = select_ends!("WHERE seq > ? ORDER BY seq LIMIT ?", self.read, limit)
            .fetch_all(&mut *connection)
            .await?;
        let mut sealed = Vec::with_capacity(rows.len());
        for row in rows {
            let files = match &row.files_sha256 {
                None => None,
                Some(announced) => {
                    let packed = sqlx::query_scalar!(
                        "SELECT packed FROM history_files WHERE history_seq = ?",
                        row.seq
                    )
                    .fetch_optional(&mut *connection)
                    .await?;
                    Some((
                        announced.clone(),
                        packed.map(|packed| file_list::hash_of(&packed).unwrap_or_default()),
                    ))
                }
            };
            sealed.push(Sealed {
                form: row.form(),
                seq: row.seq,
                position: row.chain_position,
                hash: row.chain_hash,
                files,
            });
        }
        Ok(sealed)
    }
}

fn is_unreadable(batch: &Result<Vec<Sealed>, sqlx::Error>) -> bool {
    matches!(
        batch,
        Err(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
    )
}

fn bad(table: Table, seq: i64, position: i64, reason: &str) -> FirstBad {
    let name = table.name();
    let message = match reason {
        "changed" => format!("Row {seq} of {name} is not as it was written"),
        "removed" => format!("Row {seq} of {name} was removed"),
        "inserted" => format!("Row {seq} of {name} was not written by hfdepot"),
        "reordered" => format!("Row {seq} of {name} does not stand where it was written"),
        "truncated" => format!("The newest rows, from {seq} of {name} on, were removed"),
        "files_changed" => format!("The files of row {seq} of {name} are not as they were written"),
        "files_removed" => format!("The files of row {seq} of {name} were removed"),
        _ => "The hash that was given belongs to no row of this history".to_owned(),
    };
    FirstBad {
        table: name.to_owned(),
        seq,
        position,
        reason: reason.to_owned(),
        message,
    }
}

impl History {
    /// Checks every row against the chain. `noted` is a head that was kept elsewhere: some row
    /// has to have it.
    ///
    /// # Errors
    /// When the database fails; what is wrong with the rows is no error but the report.
    pub async fn verify(&self, noted: Option<Seal>) -> Result<ChainReport, StoreError> {
        // One snapshot: rows that are added meanwhile do not matter.
        let mut tx = self.pool().begin().await?;
        let head = sqlx::query!(
            "SELECT position, hash, event_seq, history_seq, anchor_position, anchor_hash, anchor_event_seq,
                    anchor_history_seq FROM chain"
        )
        .fetch_one(&mut *tx)
        .await?;
        let mut events = Rows::after(Table::Event, head.anchor_event_seq);
        let mut ends = Rows::after(Table::History, head.anchor_history_seq);
        let mut report = ChainReport {
            ok: false,
            checked: 0,
            history: 0,
            events: 0,
            head: hex(&head.hash),
            head_position: head.position,
            anchor: hex(&head.anchor_hash),
            anchor_position: head.anchor_position,
            first_bad: None,
        };
        let mut position = head.anchor_position;
        let mut hash: Seal = head.anchor_hash.try_into().unwrap_or_default();
        let mut seen = noted.is_none() || noted == Some(hash);
        let found = 'rows: loop {
            for rows in [&mut events, &mut ends] {
                if let Err(bad) = rows.read_ahead(&mut tx).await? {
                    break 'rows Some(bad);
                }
            }
            let next = |rows: &Rows| rows.ahead.front().map(|row| row.position);
            let rows = match (next(&events), next(&ends)) {
                (None, None) => break None,
                (Some(_), None) => &mut events,
                (None, Some(_)) => &mut ends,
                // A row without a place is told of at once.
                (Some(event), Some(end)) if event <= end => &mut events,
                _ => &mut ends,
            };
            let Some(row) = rows.ahead.pop_front() else {
                break None;
            };
            let (table, seq) = (rows.table, row.seq);
            let Some(place) = row.position else {
                break Some(bad(table, seq, position + 1, "inserted"));
            };
            if place != position + 1 {
                if place <= position {
                    break Some(bad(table, seq, place, "reordered"));
                }
                if let Some((table, seq)) = row_at(&mut tx, position + 1).await? {
                    break Some(bad(table, seq, position + 1, "reordered"));
                }
                rows.ahead.push_front(row);
                break Some(removed(
                    &events,
                    &ends,
                    position + 1,
                    (head.event_seq, head.history_seq),
                ));
            }
            let expected = row.form.seal(&hash);
            if row.hash.as_deref() != Some(expected.as_slice()) {
                break Some(bad(table, seq, place, "changed"));
            }
            match row.files {
                Some((_, None)) => break Some(bad(table, seq, place, "files_removed")),
                Some((announced, Some(found))) if announced != found => {
                    break Some(bad(table, seq, place, "files_changed"));
                }
                _ => {}
            }
            rows.sound = seq;
            (position, hash) = (place, expected);
            seen |= noted == Some(hash);
            report.checked += 1;
            match table {
                Table::Event => report.events += 1,
                Table::History => report.history += 1,
            }
        };
        report.first_bad = match found {
            None => {
                self.end_of(&mut tx, &events, &ends, &report, position, &hash, seen)
                    .await?
            }
            found => found,
        };
        report.ok = report.first_bad.is_none();
        Ok(report)
    }

    /// What the end of the rows says: whether the newest ones are all here.
    #[allow(clippy::too_many_arguments)]
    async fn end_of(
        &self,
        connection: &mut SqliteConnection,
        events: &Rows,
        ends: &Rows,
        report: &ChainReport,
        position: i64,
        hash: &Seal,
        seen: bool,
    ) -> Result<Option<FirstBad>, StoreError> {
        // SQLite remembers the largest number that each table ever gave.
        let given = |table: &'static str| {
            sqlx::query_scalar::<_, i64>("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?")
                .bind(table)
        };
        for rows in [events, ends] {
            let last = given(rows.table.name()).fetch_one(&mut *connection).await?;
            if last > rows.sound {
                return Ok(Some(bad(rows.table, rows.sound + 1, position + 1, "truncated")));
            }
        }
        if report.head_position > position {
            return Ok(Some(bad(
                Table::Event,
                events.sound + 1,
                position + 1,
                "truncated",
            )));
        }
        if report.head_position < position || report.head != hex(hash) {
            return Ok(Some(bad(Table::Event, events.sound, position, "changed")));
        }
        Ok((!seen).then(|| bad(Table::Event, events.sound, position, "unknown_head")))
    }
}

/// The row further on that has this place, if one has.
async fn row_at(
    connection: &mut SqliteConnection,
    position: i64,
) -> Result<Option<(Table, i64)>, StoreError> {
    let found: Option<(bool, i64)> = sqlx::query_as(
        "SELECT TRUE, seq FROM event WHERE chain_position = ?1
         UNION ALL SELECT FALSE, seq FROM history WHERE chain_position = ?1",
    )
    .bind(position)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(is_event, seq)| (if is_event { Table::Event } else { Table::History }, seq)))
}

/// Which row is missing at `position`: the table whose numbers have a hole here.
fn removed(events: &Rows, ends: &Rows, position: i64, last: (i64, i64)) -> FirstBad {
    let hole = |rows: &Rows, last: i64| {
        let next = rows.ahead.front().map_or(last + 1, |row| row.seq);
        next > rows.sound + 1
    };
    let rows = if !hole(events, last.0) && hole(ends, last.1) {
        ends
    } else {
        events
    };
    bad(rows.table, rows.sound + 1, position, "removed")
}

impl Store {
    /// Drops rows of the record that are older than `keep_ms`, from the old end of the chain on
    /// and never out of its middle. The hash of the newest dropped row stays as the anchor.
    /// Returns how many were dropped.
    ///
    /// # Errors
    /// When the database fails; what was dropped until then is dropped whole.
    pub async fn purge_history(&self, keep_ms: i64) -> Result<u64, StoreError> {
        let now = now_ms();
        let (oldest, future) = (now.saturating_sub(keep_ms), now + FUTURE_MS);
        let mut dropped = 0;
        loop {
            let mut tx = self.begin(Durability::Promise).await?;
            let from = sqlx::query_scalar!("SELECT anchor_position FROM chain")
                .fetch_one(tx.connection())
                .await?;
            // The first row that is young enough holds all that come after it.
            let events = select_events!(
                "WHERE seq > (SELECT anchor_event_seq FROM chain) ORDER BY seq LIMIT ?",
                CUT
            )
            .fetch_all(tx.connection())
            .await?;
            let ends = select_ends!(
                "WHERE seq > (SELECT anchor_history_seq FROM chain) ORDER BY seq LIMIT ?",
                CUT
            )
            .fetch_all(tx.connection())
            .await?;
            let stays = |at: i64| (oldest..=future).contains(&at);
            let place = |position: Option<i64>| position.unwrap_or(0);
            let first_young = events
                .iter()
                .find(|row| stays(row.at))
                .map(|row| place(row.chain_position))
                .into_iter()
                .chain(
                    ends.iter()
                        .find(|row| stays(row.ended_at))
                        .map(|row| place(row.chain_position)),
                )
                .min()
                .unwrap_or(i64::MAX);
            // Beyond the end of a full batch nothing is known of that table.
            let known = |rows: usize, last: Option<i64>| {
                if rows as i64 == CUT {
                    last.unwrap_or(0)
                } else {
                    i64::MAX
                }
            };
            let known = known(events.len(), events.last().and_then(|row| row.chain_position))
                .min(known(ends.len(), ends.last().and_then(|row| row.chain_position)));
            let cut = |position: Option<i64>| {
                (from + 1..first_young).contains(&place(position)) && place(position) <= known
            };
            let last_event = events.iter().rev().find(|row| cut(row.chain_position));
            let last_end = ends.iter().rev().find(|row| cut(row.chain_position));
            let newest = [
                last_event.map(|row| (row.chain_position, &row.chain_hash)),
                last_end.map(|row| (row.chain_position, &row.chain_hash)),
            ]
            .into_iter()
            .flatten()
            .max();
            let Some((position, Some(hash))) = newest else {
                return Ok(dropped);
            };
            let (event_seq, history_seq) = (last_event.map(|row| row.seq), last_end.map(|row| row.seq));
            let gone = sqlx::query!("DELETE FROM event WHERE seq <= ?", event_seq)
                .execute(tx.connection())
                .await?
                .rows_affected()
                + sqlx::query!("DELETE FROM history WHERE seq <= ?", history_seq)
                    .execute(tx.connection())
                    .await?
                    .rows_affected();
            sqlx::query!(
                "UPDATE chain SET anchor_position = ?, anchor_hash = ?,
                        anchor_event_seq = COALESCE(?, anchor_event_seq), anchor_history_seq = COALESCE(?, anchor_history_seq)",
                position,
                hash,
                event_seq,
                history_seq
            )
            .execute(tx.connection())
            .await?;
            tx.commit().await?;
            dropped += gone;
        }
    }
}
