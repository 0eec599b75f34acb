//! The record of what happened, as clients read it: ends of jobs, their files, events, and the
//! verdict over the chain that seals them.
//!
//! One shape serves the API, its downloads and the command line. Nothing here reads or decides.

use serde::Serialize;
use utoipa::ToSchema;

/// The end of one job: completed, failed or cancelled. A job that is retried has one for each end.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRecord {
    /// Order of the ends, never used twice. Also the cursor: whatever the clock does, a later end has a larger one.
    pub seq: i64,
    /// Id of the job.
    pub id: String,
    /// `download`, `mirror`, `verify` or `export`.
    pub kind: String,
    /// `owner/name`
    pub repo: String,
    /// What was asked.
    pub revision: String,
    /// What it resolved to.
    #[schema(required)]
    pub commit: Option<String>,
    /// Whether the repo is a dataset.
    pub is_dataset: bool,
    /// What was to be fetched, and how filters were compared: enough to queue the same again.
    pub filters: Vec<String>,
    /// What was to be left out.
    pub excludes: Vec<String>,
    /// Whether filters had to match a whole quantization.
    pub exact_match: bool,
    /// Whether each filter had a folder of its own.
    pub append_filter_subdir: bool,
    /// Where the files went: the Hub cache, or a folder of plain files.
    pub output_dir: String,
    /// The Hub cache directory; empty when the files did not go there.
    pub hub_dir: String,
    /// The folder of plain files; empty when the files went into the cache.
    pub local_dir: String,
    /// Whether files lie plain, under their own names.
    pub flat: bool,
    /// `cache` or `local`: how files lie there; `null` for ends from before this was kept.
    #[schema(required)]
    pub layout: Option<String>,
    /// Repo whose folder was used in place of the repo's own; empty = none.
    pub local_repo: String,
    /// Key that chose the folder; empty = none.
    pub route_key: String,
    /// `auto`, `symlink`, `hardlink` or `copy`: how snapshots show blobs; `null` as for `layout`.
    #[schema(required)]
    pub link_mode: Option<String>,
    /// What was to be compared: `none`, `size` or `sha256`.
    pub verify: String,
    /// The weakest comparison that a file in place passed: `hash`, `size` or `none`; empty without files.
    pub verification: String,
    /// `completed`, `failed` or `cancelled`.
    pub status: String,
    /// Why it failed, as a sentence.
    pub error: String,
    /// Why it failed, as a word.
    #[schema(required)]
    pub error_code: Option<String>,
    /// Files of the plan.
    pub total_files: i64,
    /// Files in place.
    pub completed_files: i64,
    /// Bytes of the plan.
    pub total_bytes: i64,
    /// Bytes from the network over all runs of the job up to this end.
    pub network_bytes: i64,
    /// Bytes found in the cache.
    pub reused_bytes: i64,
    /// Bytes fetched a second time.
    pub refetched_bytes: i64,
    /// Failed tries.
    pub retries: i64,
    /// Milliseconds in runs; waiting does not count.
    pub active_ms: i64,
    /// Mean: bytes from the network by time in runs.
    pub bytes_per_second: i64,
    /// The same under its older name.
    pub average_bytes_per_second: i64,
    /// Priority in the queue.
    pub priority: i64,
    /// Category; empty = none.
    pub category: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Who caused the end: a user, a key, an address, or `hfdepot`.
    pub actor: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    #[schema(required)]
    pub started_at: Option<String>,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// Whether `GET /api/history/{seq}/files` has the files of this end.
    pub has_files: bool,
    /// Place in the chain.
    #[schema(required)]
    pub chain_position: Option<i64>,
    /// Hash over this row and all before it, in hex.
    #[schema(required)]
    pub chain_hash: Option<String>,
}

impl HistoryRecord {
    /// Names of the columns of [`cells`](Self::cells).
    pub const COLUMNS: [&'static str; 36] = [
        "seq",
        "id",
        "kind",
        "type",
        "repo",
        "revision",
        "commit",
        "filters",
        "excludes",
        "exactMatch",
        "outputDir",
        "layout",
        "localDir",
        "localRepo",
        "routeKey",
        "linkMode",
        "verify",
        "verification",
        "status",
        "error",
        "errorCode",
        "totalFiles",
        "completedFiles",
        "totalBytes",
        "networkBytes",
        "reusedBytes",
        "refetchedBytes",
        "retries",
        "activeMs",
        "bytesPerSecond",
        "category",
        "tags",
        "actor",
        "createdAt",
        "startedAt",
        "endedAt",
    ];

    /// One line of a table, made harmless for spreadsheets.
    pub fn cells(&self) -> [String; 36] {
        let list = |list: &[String]| cell(&list.join("; "));
        [
            self.seq.to_string(),
            cell(&self.id),
            cell(&self.kind),
            if self.is_dataset { "dataset" } else { "model" }.to_owned(),
            cell(&self.repo),
            cell(&self.revision),
            cell(self.commit.as_deref().unwrap_or_default()),
            list(&self.filters),
            list(&self.excludes),
            self.exact_match.to_string(),
            cell(&self.output_dir),
            cell(self.layout.as_deref().unwrap_or_default()),
            cell(&self.local_dir),
            cell(&self.local_repo),
            cell(&self.route_key),
            cell(self.link_mode.as_deref().unwrap_or_default()),
            cell(&self.verify),
            cell(&self.verification),
            cell(&self.status),
            cell(&self.error),
            cell(self.error_code.as_deref().unwrap_or_default()),
            self.total_files.to_string(),
            self.completed_files.to_string(),
            self.total_bytes.to_string(),
            self.network_bytes.to_string(),
            self.reused_bytes.to_string(),
            self.refetched_bytes.to_string(),
            self.retries.to_string(),
            self.active_ms.to_string(),
            self.bytes_per_second.to_string(),
            cell(&self.category),
            list(&self.tags),
            cell(&self.actor),
            self.created_at.clone(),
            self.started_at.clone().unwrap_or_default(),
            self.ended_at.clone(),
        ]
    }
}

/// A text as a cell: spreadsheets run what begins with `=`, `+`, `-`, `@`, a tab or a line end, so
/// such a text gets an apostrophe in front (OWASP, "CSV Injection"). Quoting is the writer's work.
pub fn cell(text: &str) -> String {
    // Some programs strip blanks before they look for a formula.
    if text
        .trim_start_matches(' ')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// One file of an ended job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryFile {
    /// Path in the repo.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Name of the blob in the cache: SHA-256 (LFS) or git's SHA-1.
    pub blob_id: String,
    /// The SHA-256, where the Hub announces one.
    #[schema(required)]
    pub sha256: Option<String>,
    /// What was compared: `sha256`, `git-sha1`, `size`; empty while nothing was.
    pub verification: String,
    /// Where its bytes came from: `network`, `reused`; empty when it was not done.
    pub source: String,
    /// `complete`, `skipped` (was here before, or without a source: left out by the user), `error`
    /// or `pending`.
    pub status: String,
    /// Why it failed, as a word.
    #[schema(required)]
    pub error_code: Option<String>,
}

/// What was fetched and what ended on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryDay {
    /// `2026-11-22`
    pub day: String,
    /// Bytes from the network. What an earlier end of the same job told already is not counted again.
    pub network_bytes: i64,
    /// Bytes found in the cache.
    pub reused_bytes: i64,
    /// Completed jobs.
    pub completed: i64,
    /// Failed jobs.
    pub failed: i64,
    /// Cancelled jobs.
    pub cancelled: i64,
}

/// One thing that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// Order of the events, never used twice.
    pub seq: i64,
    /// Id of the job.
    pub job_id: String,
    /// Its repo, as long as the job or an end of it is known.
    #[schema(required)]
    pub repo: Option<String>,
    /// What happened, in past tense.
    pub event: String,
    /// Status before, when it changed.
    #[schema(required)]
    pub from_status: Option<String>,
    /// Status after.
    #[schema(required)]
    pub to_status: Option<String>,
    /// `info`, `warn` or `error`.
    pub level: String,
    /// The word of a failure, or of what is waited for.
    #[schema(required)]
    pub code: Option<String>,
    /// The host that failed.
    #[schema(required)]
    pub host: Option<String>,
    /// Milliseconds until the next try.
    #[schema(required)]
    pub wait_ms: Option<i64>,
    /// How often it happened since the last event that says the same.
    pub count: i64,
    /// Who caused it.
    pub actor: String,
    /// The sentence.
    pub detail: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Place in the chain.
    #[schema(required)]
    pub chain_position: Option<i64>,
    /// Hash over this row and all before it, in hex.
    #[schema(required)]
    pub chain_hash: Option<String>,
}

impl EventRecord {
    /// Names of the columns of [`cells`](Self::cells).
    pub const COLUMNS: [&'static str; 14] = [
        "seq",
        "at",
        "jobId",
        "repo",
        "event",
        "fromStatus",
        "toStatus",
        "level",
        "code",
        "host",
        "waitMs",
        "count",
        "actor",
        "detail",
    ];

    /// One line of a table, made harmless for spreadsheets.
    pub fn cells(&self) -> [String; 14] {
        let word = |word: &Option<String>| cell(word.as_deref().unwrap_or_default());
        [
            self.seq.to_string(),
            self.at.clone(),
            cell(&self.job_id),
            word(&self.repo),
            cell(&self.event),
            word(&self.from_status),
            word(&self.to_status),
            cell(&self.level),
            word(&self.code),
            word(&self.host),
            self.wait_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            self.count.to_string(),
            cell(&self.actor),
            cell(&self.detail),
        ]
    }
}

/// The verdict over the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChainReport {
    /// Whether every row is as it was written and none is missing.
    pub ok: bool,
    /// Rows that were compared, up to the first bad one.
    pub checked: i64,
    /// Ends of jobs among them.
    pub history: i64,
    /// Events among them.
    pub events: i64,
    /// Hash of the newest row, in hex. Noted elsewhere, it proves later that no row up to it was changed.
    pub head: String,
    /// Place of the newest row.
    pub head_position: i64,
    /// Hash of the newest row that retention dropped, in hex; zeros when none was.
    pub anchor: String,
    /// Place of that row; 0 = none.
    pub anchor_position: i64,
    /// The first row that is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<FirstBad>,
}

/// The first row that breaks the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstBad {
    /// `history` or `event`.
    pub table: String,
    /// Its number there.
    pub seq: i64,
    /// Its place in the chain.
    pub position: i64,
    /// `changed`, `removed`, `inserted`, `reordered`, `truncated`, `files_changed`, `files_removed` or `unknown_head`.
    pub reason: String,
    /// The same as a sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1",
        ] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "a=b", "o/n", "1", "a,\"b\"", " a"] {
            assert_eq!(cell(text), text);
        }
    }
}
