//! The store and the engine in one process, without HTTP: for tests of what they promise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hfdepot::disk::Medium;
use hfdepot::engine::{Engine, Running, Tuning};
use hfdepot::hub::HubConfig;
use hfdepot::model::destination::Destination;
use hfdepot::model::job::{JobId, JobRequest, Verify};
use hfdepot::model::repo::{RepoType, Revision};
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Change, Job, Store, Submitted};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The one deadline of these tests: far more than anything here takes.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A data directory and a cache with a running engine.
pub struct Depot {
    pub store: Store,
    pub engine: Engine,
    pub tuning: watch::Sender<Tuning>,
    running: Running,
    stop: CancellationToken,
    dir: TempDir,
}

/// Settings for tests against the Hub at `endpoint`: quick back-off, everything else as shipped.
pub fn tuning(endpoint: &str) -> Tuning {
    let hub = HubConfig {
        endpoint: endpoint.parse().expect("an endpoint"),
        backoff_initial: Duration::from_millis(10),
        backoff_max: Duration::from_millis(50),
        ..HubConfig::default()
    };
    Tuning {
        connections: 8,
        max_active: 3,
        max_files_per_job: 8,
        max_connections: 16,
        multipart_threshold_bytes: 32 << 20,
        max_speed_bytes: None,
        paused: false,
        free_space_floor_bytes: Some(0),
        friendly: None,
        medium: Medium::Disk,
        hub,
    }
}

/// A request for everything of a model's `main`.
pub fn request(repo: &str) -> JobRequest {
    JobRequest {
        repo: repo.parse().expect("a repo id"),
        repo_type: RepoType::Model,
        revision: Revision::main(),
        filters: vec![],
        excludes: vec![],
        exact_match: false,
        append_filter_subdir: false,
        priority: 0,
        not_before_at: None,
        labels: Default::default(),
        start_paused: false,
    }
}

impl Depot {
    pub async fn start(endpoint: &str) -> Self {
        Self::start_with(tuning(endpoint)).await
    }

    pub async fn start_with(tuning: Tuning) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), tuning).await
    }

    pub async fn start_in(dir: TempDir, tuning: Tuning) -> Self {
        let store = Store::open(&dir.path().join("hfdepot.db"))
            .await
            .expect("a database");
        let (sender, receiver) = watch::channel(tuning);
        let stop = CancellationToken::new();
        let (engine, running) = Engine::start(
            &tokio::runtime::Handle::current(),
            store.clone(),
            receiver,
            stop.clone(),
        )
        .expect("an engine");
        Self {
            store,
            engine,
            tuning: sender,
            running,
            stop,
            dir,
        }
    }

    /// Stops softly and gives the directory back for another start.
    pub async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.running.finished().await;
        self.store.close().await;
        self.dir
    }

    /// Gives the directory back and lets go of everything else without a word to the engine, for
    /// tests that end its runtime next.
    pub fn abandon(self) -> TempDir {
        self.dir
    }

    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn hub_cache(&self) -> PathBuf {
        self.dir.path().join("hub")
    }

    /// Changes settings of the running engine.
    pub fn tune(&self, change: impl FnOnce(&mut Tuning)) {
        self.tuning.send_modify(change);
    }

    pub async fn submit(&self, request: &JobRequest) -> JobId {
        self.submit_verified(request, Verify::Size).await
    }

    pub async fn submit_verified(&self, request: &JobRequest, verify: Verify) -> JobId {
        self.submit_into(request, &self.hub_cache(), verify).await
    }

    pub async fn submit_into(&self, request: &JobRequest, cache: &Path, verify: Verify) -> JobId {
        let submitted = self
            .store
            .submit(
                request,
                &Destination::cache(cache.display().to_string()),
                verify,
                "test",
            )
            .await
            .expect("a job");
        self.engine.wake();
        match submitted {
            Submitted::New(job) | Submitted::Existing(job) => job.id,
        }
    }

    pub async fn change(&self, id: &JobId, change: Change) {
        self.store
            .change(id, change, "test")
            .await
            .expect("the database works")
            .expect("allowed");
        self.engine.wake();
    }

    pub async fn job(&self, id: &JobId) -> Job {
        self.store
            .job(id)
            .await
            .expect("the database works")
            .expect("the job is on the list")
    }

    /// Waits until the job satisfies `wanted`; every change of it is looked at.
    pub async fn until(&self, id: &JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        let mut changes = self.store.changes();
        let wait = async {
            loop {
                let job = self.job(id).await;
                if wanted(&job) {
                    return job;
                }
                let _ = changes.recv().await;
            }
        };
        match tokio::time::timeout(DEADLINE, wait).await {
            Ok(job) => job,
            Err(_) => panic!("not reached: {:#?}", self.job(id).await),
        }
    }

    pub async fn until_status(&self, id: &JobId, status: JobStatus) -> Job {
        let job = self
            .until(id, |job| job.status == status || job.status.is_terminal())
            .await;
        assert_eq!(job.status, status, "{} {:?}", job.error, job.error_code);
        job
    }

    /// Waits until no run holds the job any more.
    pub async fn until_let_go(&self, id: &JobId) {
        let mut changes = self.store.changes();
        let wait = async {
            while self
                .figure(&format!(
                    "SELECT lease_owner IS NOT NULL FROM job WHERE id = '{id}'"
                ))
                .await
                > 0
            {
                let _ = changes.recv().await;
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, wait).await;
        in_time.expect("the run lets go");
    }

    /// One number from the database, asked past the store.
    pub async fn figure(&self, sql: &str) -> i64 {
        figure_in(self.data_dir(), sql).await
    }

    /// Repo folder in the cache.
    pub fn folder(&self, folder: &str) -> PathBuf {
        self.hub_cache().join(folder)
    }

    /// Waits until neither a part file nor a row of one is left in a repo folder.
    pub async fn until_no_part(&self, folder: &str) {
        let path = self.folder(folder).display().to_string();
        let gone = async || {
            let staged = self.staged(folder);
            !staged.iter().any(|name| name.ends_with(".part"))
                && self.store.part_blobs(&path).await.unwrap().is_empty()
        };
        eventually(gone).await;
    }

    /// What every test may ask for at its end: nothing unfinished is left, and every blob has
    /// the content that its name promises.
    pub async fn assert_whole(&self, folder: &str) {
        let path = self.folder(folder).display().to_string();
        assert_eq!(self.staged(folder), Vec::<String>::new(), "unfinished files");
        assert!(
            self.store.part_blobs(&path).await.unwrap().is_empty(),
            "rows of parts"
        );
        assert_blobs(&self.folder(folder));
    }

    /// Content of a file in the snapshot that a ref names, through the pointers.
    pub fn snapshot_file(&self, folder: &str, reference: &str, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.snapshot(folder, reference)?.join(path)).ok()
    }

    pub fn snapshot(&self, folder: &str, reference: &str) -> Option<PathBuf> {
        let repo = self.hub_cache().join(folder);
        let commit = std::fs::read_to_string(repo.join("refs").join(reference)).ok()?;
        Some(repo.join("snapshots").join(commit))
    }

    /// Names in the staging folder of a repo.
    pub fn staged(&self, folder: &str) -> Vec<String> {
        names(&self.hub_cache().join(folder).join(".hfdepot"))
    }
}

/// Names in a folder, sorted; none when it does not exist.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// One number from the database of a data directory.
pub async fn figure_in(data_dir: &Path, sql: &str) -> i64 {
    let mut database = database(data_dir).await;
    let found = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
        .fetch_one(&mut database)
        .await
        .expect("a number");
    database.close().await.expect("closes");
    found
}

/// Changes the database of a data directory behind the back of the store.
pub async fn meddle(data_dir: &Path, sql: &str) {
    let mut database = database(data_dir).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut database)
        .await
        .expect("SQL that works");
    database.close().await.expect("closes");
}

/// Keeps everybody else from writing the database of a data directory until it is dropped.
pub async fn locked(data_dir: &Path) -> SqliteConnection {
    let mut database = database(data_dir).await;
    let begun = sqlx::raw_sql("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
    begun.execute(&mut database).await.expect("locked");
    database
}

async fn database(data_dir: &Path) -> SqliteConnection {
    let path = data_dir.join("hfdepot.db");
    SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .expect("the database opens")
}

/// Polls a condition that nobody announces, such as the names in a folder.
pub async fn eventually(holds: impl AsyncFn() -> bool) {
    let poll = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, poll).await;
    in_time.expect("the condition comes to hold");
}

/// Every file in `blobs/` has the content that its name promises.
pub fn assert_blobs(folder: &Path) {
    for name in names(&folder.join("blobs")) {
        let path = folder.join("blobs").join(&name);
        let blob = name
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no name of a blob"));
        let file = std::fs::File::open(&path).expect("a blob");
        let size = file.metadata().expect("a blob").len();
        let found = hfdepot::disk::hash_file(&file, blob, size).expect("readable");
        assert_eq!(found, blob, "wrong bytes under a final name");
    }
}
