-- What users want of single files of a job while it is not over: a file first, as planned, or left out.
--
-- The type of columns added to `job` has to be said in queries: sqlx mistakes the place of columns
-- behind a generated one.

-- Written for the user; `state` beside it is written by the owner of the lease. A file that is in
-- place is never 'skip'. In the order of the alphabet the words are in the order of fetching.
ALTER TABLE file ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('high', 'normal', 'skip'));

-- Files that are left out. `total_files` and `total_bytes` are without them.
ALTER TABLE job ADD COLUMN skipped_files INTEGER NOT NULL DEFAULT 0;
-- Rises with each change of what is wanted, so that a run can tell whether it knows the last one.
ALTER TABLE job ADD COLUMN choices INTEGER NOT NULL DEFAULT 0;

-- As before, with the order of fetching: those that are wanted are counted, and come in their
-- order, without reading or sorting the rows.
DROP INDEX file_open;
CREATE INDEX file_open ON file (job_seq, priority, id) WHERE state NOT IN ('complete', 'skipped');

DROP VIEW job_shown;
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at, spec, result,
       category, tags, max_speed, layout, local_repo, route_key, link_mode, skipped_files
FROM job WHERE dismissed_at IS NULL;

-- A download that left files out did not fetch all of its commit.
DROP TRIGGER library_downloaded;
CREATE TRIGGER library_downloaded AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status = 'completed' AND NEW.kind = 'download' AND NEW.commit_hash IS NOT NULL
BEGIN
    INSERT INTO library_download (hub, repo_type, repo, commit_hash, complete, at)
    VALUES (NEW.destination, NEW.repo_type, NEW.repo, NEW.commit_hash,
            NEW.filters = '[]' AND NEW.excludes = '[]' AND NEW.skipped_files = 0, NEW.updated_at)
    ON CONFLICT DO UPDATE SET complete = MAX(complete, excluded.complete), at = excluded.at;
END;
