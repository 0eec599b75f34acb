//! refinery on a sqlx connection: the whole run is one IMMEDIATE transaction, so that of
//! two processes that start at once one migrates and the other waits and finds it done.

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Report, Runner};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

struct Sqlite<'c>(&'c mut SqliteConnection);

impl AsyncTransaction for Sqlite<'_> {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut count = 0;
        for sql in queries {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.0).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Sqlite<'_> {
    async fn query(&mut self, sql: &str) -> Result<Vec<Migration>, sqlx::Error> {
        let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.0).await?;
        rows.iter()
            .map(|row| {
                let at = OffsetDateTime::parse(row.try_get(2)?, &Rfc3339).map_err(|e| decode(e.into()))?;
                let checksum = row
                    .try_get::<&str, _>(3)?
                    .parse()
                    .map_err(|e: std::num::ParseIntError| decode(e.into()))?;
                Ok(Migration::applied(row.try_get(0)?, row.try_get(1)?, at, checksum))
            })
            .collect()
    }
}

impl AsyncMigrate for Sqlite<'_> {}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database itself failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A migration failed, was edited after it ran, or is unknown to this (older) binary.
    #[error(transparent)]
    Migration(#[from] refinery::Error),
}

/// Brings the database to the newest schema, all or nothing.
///
/// # Errors
/// [`MigrateError`]; the database is as it was.
pub async fn run(connection: &mut SqliteConnection, runner: &Runner) -> Result<Report, MigrateError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let report = runner.run_async(&mut Sqlite(&mut tx)).await?;
    tx.commit().await?;
    Ok(report)
}
