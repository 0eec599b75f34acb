-- Connections of one job.
--
-- The type of columns added to `job` has to be said in queries: sqlx mistakes the place of columns
-- behind a generated one.

-- Connections that all files of the job together have at once at most; NULL = no limit of its own.
ALTER TABLE job ADD COLUMN connections INTEGER CHECK (connections BETWEEN 1 AND 64);

DROP VIEW job_shown;
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at, spec, result,
       category, tags, max_speed, layout, local_repo, route_key, link_mode, skipped_files, connections
FROM job WHERE dismissed_at IS NULL;
