-- Jobs of other kinds than downloads: what they are asked, how far they are, what they report.
--
-- The type of the two columns has to be said in queries: sqlx mistakes the place of columns
-- behind a generated one.

-- NULL is named in the checks, because SQLite before 3.42 answers 0 for `json_valid(NULL)`: an older
-- `sqlite3` at hand would call a sound file damaged.

-- What the job is to do, frozen at its creation. NULL for downloads, whose request has columns.
ALTER TABLE job ADD COLUMN spec TEXT CHECK (spec IS NULL OR json_valid(spec));
-- The report of the newest run; of a run that goes on, what it knows so far.
ALTER TABLE job ADD COLUMN result TEXT CHECK (result IS NULL OR json_valid(result));

DROP VIEW job_shown;
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at, spec, result
FROM job WHERE dismissed_at IS NULL;

-- One thing that a job of another kind than download has to do. A run that was cut short goes
-- on with those that are pending.
CREATE TABLE item (
    -- Never used twice: a run that was told to stop may still name an item of an older plan.
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job_seq     INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    repo_type   TEXT    NOT NULL CHECK (repo_type IN ('model', 'dataset')),
    repo        TEXT    NOT NULL,
    -- What is to be done with it: a word of the job's kind.
    task        TEXT    NOT NULL,
    -- To what of the repo; its form belongs to the task.
    path        TEXT    NOT NULL,
    size_bytes  INTEGER NOT NULL CHECK (size_bytes >= 0),
    -- `unchanged`: there was nothing to do. `gone`: what was planned does not exist any more.
    state       TEXT    NOT NULL DEFAULT 'pending'
                        CHECK (state IN ('pending', 'done', 'unchanged', 'gone', 'error')),
    error       TEXT    NOT NULL DEFAULT '',
    error_code  TEXT,
    UNIQUE (job_seq, repo_type, repo, task, path)
) STRICT;

CREATE INDEX item_open ON item (job_seq, id) WHERE state = 'pending';
