//! A store without an engine, and a second connection to its file for what the store never does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hfdepot::model::code::Code;
use hfdepot::model::destination::Destination;
use hfdepot::model::job::{JobId, JobRequest, Verify};
use hfdepot::model::repo::{BlobId, Commit};
use hfdepot::model::segment::Segment;
use hfdepot::model::state::{JobStatus, WaitReason};
use hfdepot::store::{
    Change, Claimed, Job, NewFile, Outcome, PartIdentity, Refused, Store, Submitted, Waiting,
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use tempfile::TempDir;

use super::depot::request;

/// The folder of a repo in the cache, as the engine names parts by it.
pub const FOLDER: &str = "/hub/models--a--b";

pub struct Base {
    pub store: Store,
    pub owner: Arc<str>,
    pub dir: TempDir,
}

impl Base {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(&dir.path().join("hfdepot.db"))
            .await
            .expect("a database");
        Self {
            store,
            owner: "this boot".into(),
            dir,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("hfdepot.db")
    }

    pub async fn submit_as(&self, request: &JobRequest, actor: &str) -> Submitted {
        self.store
            .submit(request, &Destination::cache("/hub"), Verify::Size, actor)
            .await
            .expect("the database works")
    }

    pub async fn submit(&self, repo: &str) -> JobId {
        match self.submit_as(&request(repo), "ann").await {
            Submitted::New(job) => job.id,
            Submitted::Existing(job) => panic!("{} is live", job.id),
        }
    }

    pub async fn claim(&self) -> Claimed {
        self.try_claim().await.expect("a job is ready")
    }

    pub async fn try_claim(&self) -> Option<Claimed> {
        self.store.claim(&self.owner).await.expect("the database works")
    }

    pub async fn change(&self, id: &JobId, change: Change) -> Result<(), Refused> {
        self.store
            .change(id, change, "bob")
            .await
            .expect("the database works")
    }

    pub async fn job(&self, id: &JobId) -> Job {
        self.store
            .job(id)
            .await
            .expect("the database works")
            .expect("on the list")
    }

    pub async fn status(&self, id: &JobId) -> JobStatus {
        self.job(id).await.status
    }

    /// `event from→to by actor` of each event of a job, oldest first.
    pub async fn events(&self, id: &JobId) -> Vec<String> {
        let events = self
            .store
            .events(id, &[], 0, 1000)
            .await
            .expect("the database works");
        let word = |word: Option<String>| word.unwrap_or_else(|| "-".to_owned());
        events
            .into_iter()
            .map(|e| {
                format!(
                    "{} {}→{} by {}",
                    e.event,
                    word(e.from_status),
                    word(e.to_status),
                    e.actor
                )
            })
            .collect()
    }

    /// Runs SQL beside the store.
    pub async fn sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = connect(&self.path()).await;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .map(drop)
    }

    pub async fn dump(&self) -> String {
        dump(&self.path()).await
    }
}

pub async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .expect("a second connection")
}

/// Every row of every table as text.
pub async fn dump(path: &Path) -> String {
    let mut connection = connect(path).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .fetch_all(&mut connection)
    .await
    .expect("a schema");
    assert!(tables.iter().any(|table| table == "job"));
    let mut text = String::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_xinfo(?)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .expect("columns");
        let columns: Vec<_> = columns.iter().map(|c| format!("quote({c})")).collect();
        let sql = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || '|' || "));
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .expect("rows");
        for row in rows {
            text += &format!("{table}: {}\n", row.get::<String, _>(0));
        }
    }
    text
}

pub fn commit() -> Commit {
    "1".repeat(40).parse().expect("a commit")
}

pub fn blob(digit: char) -> BlobId {
    digit.to_string().repeat(64).parse().expect("a blob id")
}

/// A file of 1,000 bytes.
pub fn file(path: &str, digit: char) -> NewFile {
    NewFile {
        path: path.parse().expect("a path"),
        size_bytes: 1000,
        blob_id: blob(digit),
    }
}

pub fn identity() -> PartIdentity {
    PartIdentity {
        boot_id: "boot".to_owned(),
        mount_id: 1,
        device: 2,
        inode: 3,
    }
}

/// Two segments of 500 bytes with 100 written and 50 synced each.
pub fn segments() -> Vec<Segment> {
    let segment = |start| Segment {
        start,
        length: 500,
        written: 100,
        synced: 50,
    };
    vec![segment(0), segment(500)]
}

/// A run that ended for want of room.
pub fn waiting(ready_at: i64) -> Outcome {
    Outcome::Waiting(Waiting {
        reason: WaitReason::Disk,
        ready_at,
        text: "No room".to_owned(),
    })
}

/// A run that gave up.
pub fn failed() -> Outcome {
    Outcome::Failed(Code::Gated, "The terms are not accepted".to_owned())
}
