-- Where the files of a job go, beside the cache: local folders, routes, another repo's folder.

-- How files lie at the destination: in the layout of the Hub cache, or plain.
ALTER TABLE job ADD COLUMN layout TEXT NOT NULL DEFAULT 'cache' CHECK (layout IN ('cache', 'local'));
-- Repo whose folder is used in place of the job's own; in the local layout only.
ALTER TABLE job ADD COLUMN local_repo TEXT CHECK (local_repo IS NULL OR layout = 'local');
-- The key that chose the folder.
ALTER TABLE job ADD COLUMN route_key TEXT
    CHECK (route_key IN ('llm', 'llm/gguf', 'llm/safetensors', 'diffusion', 'audio', 'embedding'));
-- How snapshots of the cache show blobs.
ALTER TABLE job ADD COLUMN link_mode TEXT NOT NULL DEFAULT 'auto'
    CHECK (link_mode IN ('auto', 'symlink', 'hardlink', 'copy'));

DROP VIEW job_shown;
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at, spec, result,
       category, tags, max_speed, layout, local_repo, route_key, link_mode
FROM job WHERE dismissed_at IS NULL;
