//! The order of the queue: who stands where, and moves.

use crate::clock::now_ms;
use crate::model::job::JobId;
use crate::model::order::{self, Place};
use crate::model::state::JobKind;

use super::files::json_text;
use super::writer::Durability;
use super::{Store, StoreError};

/// Where jobs go, as users say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveTo {
    /// Before all others.
    Top,
    /// One place up.
    Up,
    /// One place down.
    Down,
    /// Behind all others.
    Bottom,
    /// Before this job.
    Before(JobId),
}

/// Queues up to this length are told anew to everybody after a move: their numbers changed.
const TOLD_WHOLE: usize = 256;

impl Store {
    /// Moves queued jobs; those that are not queued, or of another kind than the first of them, are
    /// left out. Returns how many moved, or `None` when the job to stand before is not queued.
    /// On disk when it returns.
    ///
    /// # Errors
    /// When the database fails; then nothing moved.
    pub async fn order(&self, ids: &[JobId], to: &MoveTo, actor: &str) -> Result<Option<usize>, StoreError> {
        let now = now_ms();
        let texts = json_text(&ids);
        let mut tx = self.begin(Durability::Promise).await?;
        let found = sqlx::query!(
            r#"SELECT job.seq AS "seq!", job.kind FROM json_each(?) AS asked JOIN job ON job.id = asked.value
               WHERE job.state = 'queued' AND job.intent = 'run' ORDER BY asked.key"#,
            texts
        )
        .fetch_all(tx.connection())
        .await?;
        let Some(kind) = found.first().map(|row| row.kind.clone()) else {
            return Ok(Some(0));
        };
        let moving: Vec<i64> = found
            .iter()
            .filter(|row| row.kind == kind)
            .map(|row| row.seq)
            .collect();
        let queue: Vec<Place> = sqlx::query_as!(
            Place,
            r#"SELECT seq AS "seq!", priority, rank AS "rank!: i64" FROM job
               WHERE state = 'queued' AND intent = 'run' AND kind = ? ORDER BY priority DESC, rank, seq"#,
            kind
        )
        .fetch_all(tx.connection())
        .await?;
        let to = match to {
            MoveTo::Top => order::To::Top,
            MoveTo::Up => order::To::Up,
            MoveTo::Down => order::To::Down,
            MoveTo::Bottom => order::To::Bottom,
            MoveTo::Before(id) => {
                let id = id.as_str();
                let seq = sqlx::query_scalar!(r#"SELECT seq AS "seq!" FROM job WHERE id = ?"#, id)
                    .fetch_optional(tx.connection())
                    .await?;
                match seq {
                    Some(seq) => order::To::Before(seq),
                    None => return Ok(None),
                }
            }
        };
        let Some(changes) = order::moved(&queue, &moving, to) else {
            return Ok(None);
        };
        let news: Vec<_> = changes
            .iter()
            .map(|place| (place.seq, place.priority, place.rank))
            .collect();
        let news = json_text(&news);
        sqlx::query!(
            "UPDATE job SET priority = news.priority, rank = news.rank, updated_at = ?
             FROM (SELECT value ->> 0 AS seq, value ->> 1 AS priority, value ->> 2 AS rank FROM json_each(?)) AS news
             WHERE job.seq = news.seq",
            now,
            news
        )
        .execute(tx.connection())
        .await?;
        let moved = json_text(&moving);
        sqlx::query!(
            "INSERT INTO event (job_id, event, actor, at)
             SELECT job.id, 'moved', ?, ? FROM json_each(?) AS moved JOIN job ON job.seq = moved.value",
            actor,
            now,
            moved
        )
        .execute(tx.connection())
        .await?;
        if queue.len() <= TOLD_WHOLE {
            queue.iter().for_each(|place| tx.changed(place.seq));
        } else {
            changes.iter().for_each(|place| tx.changed(place.seq));
        }
        tx.commit().await?;
        Ok(Some(moving.len()))
    }

    /// Sequence numbers of the queued jobs of a kind, in the order in which they will start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue(&self, kind: JobKind) -> Result<Vec<i64>, StoreError> {
        let kind = kind.as_str();
        Ok(sqlx::query_scalar!(
            r#"SELECT seq AS "seq!" FROM job
               WHERE state = 'queued' AND intent = 'run' AND kind = ? ORDER BY priority DESC, rank, seq"#,
            kind
        )
        .fetch_all(&self.readers)
        .await?)
    }

    /// Which place a job has in the queue of its kind, from 1; `None` when it does not wait there.
    /// It counts along an index: of 10,000 jobs the last one's place takes half a millisecond,
    /// where reading them all takes ten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn place(&self, seq: i64) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"SELECT 1
                    + (SELECT COUNT(*) FROM job AS sooner
                       WHERE sooner.state = 'queued' AND sooner.intent = 'run'
                         AND sooner.kind = this.kind AND sooner.priority > this.priority)
                    + (SELECT COUNT(*) FROM job AS equal
                       WHERE equal.state = 'queued' AND equal.intent = 'run'
                         AND equal.kind = this.kind AND equal.priority = this.priority
                         AND (equal.rank, equal.seq) < (this.rank, this.seq)) AS "place!: i64"
               FROM job AS this WHERE this.seq = ? AND this.state = 'queued' AND this.intent = 'run'"#,
            seq
        )
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Rises with every change of a job's status or place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_edition(&self) -> Result<i64, StoreError> {
        Ok(
            sqlx::query_scalar!(r#"SELECT COALESCE(MAX(seq), 0) AS "seq!: i64" FROM event"#)
                .fetch_one(&self.readers)
                .await?,
        )
    }
}
