//! How fast bytes came: sums over spans of time, of each job and of all together.
//!
//! Written in the transaction that records progress anyway. A span without a row is one in
//! which nothing ran: what a restart leaves out shows as a gap, never as a zero. A clock that
//! jumps back adds to spans that are there; it loses and reorders nothing.

use sqlx::SqliteConnection;

use crate::clock::now_ms;
use crate::model::job::JobId;

use super::claim::Lease;
use super::writer::Durability;
use super::{Store, StoreError};

/// Widths of spans in milliseconds: 5 s, 1 min, 10 min.
const SPANS_MS: [i64; 3] = [5_000, 60_000, 600_000];
/// How much of each width a job keeps, counted back from its newest span: 1 hour, 1 day, 30 days.
const KEPT_MS: [i64; 3] = [3_600_000, 86_400_000, 30 * 86_400_000];
/// Age at which spans go whatever job they belong to: 3 days, 30 days, 400 days.
const AGE_MS: [i64; 3] = [3 * 86_400_000, 30 * 86_400_000, 400 * 86_400_000];
/// Points of an answer at most.
const POINTS: i64 = 300;
/// All jobs together.
const ALL: i64 = 0;

/// The time that a series covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeedRange {
    /// The last ten minutes.
    TenMinutes,
    /// The last hour.
    Hour,
    /// The last day.
    Day,
    /// Everything that is kept of a job.
    All,
}

/// One point of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeedPoint {
    /// Start of the span, UTC milliseconds.
    pub at: i64,
    /// Mean over the span.
    pub bytes_per_second: i64,
}

/// Speeds over time. Points that lie further apart than the step have a gap between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeedSeries {
    /// Milliseconds of each span.
    pub step_ms: i64,
    /// By time.
    pub points: Vec<SpeedPoint>,
    /// Mean over all points.
    pub mean: i64,
    /// Start of the time that is covered, UTC milliseconds.
    pub from: i64,
}

/// Adds what came since the last record to the spans of now. `network_bytes` is the sum over all
/// runs that the row of the job is about to be raised to.
pub(super) async fn sample(
    connection: &mut SqliteConnection,
    lease: &Lease,
    network_bytes: i64,
    now: i64,
) -> Result<(), StoreError> {
    let owner: &str = &lease.owner;
    sqlx::query!(
        "INSERT INTO speed (job_seq, span_ms, at, bytes)
         SELECT whose.value, span.value, ?1 / span.value * span.value, MAX(?2 - network_bytes, 0)
         FROM job, json_each('[5000,60000,600000]') AS span, json_each(json_array(0, seq)) AS whose
         WHERE seq = ?3 AND lease_owner = ?4 AND lease_epoch = ?5
         ON CONFLICT (job_seq, span_ms, at) DO UPDATE SET bytes = bytes + excluded.bytes",
        now,
        network_bytes,
        lease.job_seq,
        owner,
        lease.epoch
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// The speed of all jobs together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn speed_of_all(&self, range: SpeedRange) -> Result<SpeedSeries, StoreError> {
        self.series(ALL, range).await
    }

    /// The speed of one job; `None` when it is not on the list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn speed_of(&self, id: &JobId, range: SpeedRange) -> Result<Option<SpeedSeries>, StoreError> {
        let id = id.as_str();
        let seq = sqlx::query_scalar!(r#"SELECT seq AS "seq!" FROM job_shown WHERE id = ?"#, id)
            .fetch_optional(&self.readers)
            .await?;
        match seq {
            Some(seq) => Ok(Some(self.series(seq, range).await?)),
            None => Ok(None),
        }
    }

    async fn series(&self, seq: i64, range: SpeedRange) -> Result<SpeedSeries, StoreError> {
        let now = now_ms();
        let (span, step, from, to) = match range {
            SpeedRange::TenMinutes => (SPANS_MS[0], SPANS_MS[0], now - 600_000, now),
            SpeedRange::Hour => (SPANS_MS[0], 3 * SPANS_MS[0], now - 3_600_000, now),
            SpeedRange::Day => (SPANS_MS[1], 5 * SPANS_MS[1], now - 86_400_000, now),
            SpeedRange::All => self.whole(seq).await?,
        };
        // A span that has hardly begun has no speed yet.
        let rows = sqlx::query!(
            r#"SELECT at / ?1 * ?1 AS "at!: i64", SUM(bytes) AS "bytes!: i64" FROM speed
               WHERE job_seq = ?2 AND span_ms = ?3 AND at >= ?4 / ?1 * ?1 AND at <= ?5
               GROUP BY 1 ORDER BY 1"#,
            step,
            seq,
            span,
            from,
            to
        )
        .fetch_all(&self.readers)
        .await?;
        let mut points = Vec::with_capacity(rows.len());
        let (mut bytes, mut covered) = (0_i64, 0_i64);
        for row in rows {
            let length = (now - row.at).clamp(0, step);
            if length < step.min(1000) {
                continue;
            }
            // A run records itself every ten seconds at least: a shorter hole is a still one.
            let still = points.last().map_or(row.at, |last: &SpeedPoint| last.at + step);
            if row.at - still <= 15_000 {
                let holes = (0..(row.at - still) / step).map(|hole| still + hole * step);
                points.extend(holes.map(|at| SpeedPoint {
                    at,
                    bytes_per_second: 0,
                }));
                covered += row.at - still;
            }
            points.push(SpeedPoint {
                at: row.at,
                bytes_per_second: per_second(row.bytes, length),
            });
            bytes = bytes.saturating_add(row.bytes);
            covered += length;
        }
        Ok(SpeedSeries {
            step_ms: step,
            points,
            mean: per_second(bytes, covered),
            from,
        })
    }

    /// The finest spans that cover all of a job: width, step, and the first and last moment.
    async fn whole(&self, seq: i64) -> Result<(i64, i64, i64, i64), StoreError> {
        let known = sqlx::query!(
            r#"SELECT MIN(at) AS "first!: i64", MAX(at + span_ms) AS "last!: i64" FROM speed
               WHERE job_seq = ? HAVING COUNT(*) > 0"#,
            seq
        )
        .fetch_optional(&self.readers)
        .await?;
        let now = now_ms();
        let Some(known) = known else {
            return Ok((SPANS_MS[0], SPANS_MS[0], now, now));
        };
        // A wide span begins before the first byte and ends after the last one.
        let length = known.last - known.first - 2 * SPANS_MS[2];
        let old = now - known.first;
        let fits = |index: &usize| length <= KEPT_MS[*index] && old <= AGE_MS[*index];
        let span = SPANS_MS[(0..SPANS_MS.len()).find(fits).unwrap_or(SPANS_MS.len() - 1)];
        let wide = (known.last - known.first) / POINTS;
        let step = (wide + span - 1) / span * span;
        Ok((span, step.max(span), known.first, known.last))
    }

    /// Drops spans that are too old, of jobs that are gone, or from a time that has not come yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_speed(&self) -> Result<u64, StoreError> {
        let now = now_ms();
        let mut dropped = 0;
        for ((span, kept), age) in SPANS_MS.into_iter().zip(KEPT_MS).zip(AGE_MS) {
            let oldest = now - age;
            // A day: less than that may be a clock that was put right.
            let future = now + 86_400_000;
            let mut tx = self.begin(Durability::Progress).await?;
            let done = sqlx::query!(
                "DELETE FROM speed WHERE span_ms = ?1 AND (at < ?2 OR at > ?3
                     OR (job_seq > 0 AND job_seq NOT IN (SELECT seq FROM job))
                     OR at < (SELECT MAX(at) FROM speed AS newest
                              WHERE newest.job_seq = speed.job_seq AND newest.span_ms = ?1 AND newest.at <= ?3)
                             - CASE job_seq WHEN 0 THEN ?5 ELSE ?4 END)",
                span,
                oldest,
                future,
                kept,
                age
            )
            .execute(tx.connection())
            .await?;
            tx.commit().await?;
            dropped += done.rows_affected();
        }
        Ok(dropped)
    }
}

fn per_second(bytes: i64, ms: i64) -> i64 {
    let speed = i128::from(bytes) * 1000 / i128::from(ms.max(1));
    i64::try_from(speed).unwrap_or(i64::MAX)
}
