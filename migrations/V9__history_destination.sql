-- The end of a job is remembered with where its files went, as the job had it.

-- NULL in rows from before these columns: they were sealed without them, and keep their seal.
ALTER TABLE history ADD COLUMN layout TEXT CHECK (layout IN ('cache', 'local'));
-- Repo whose folder was used in place of the job's own; in the local layout only.
ALTER TABLE history ADD COLUMN local_repo TEXT CHECK (local_repo IS NULL OR layout = 'local');
-- The key that chose the folder.
ALTER TABLE history ADD COLUMN route_key TEXT
    CHECK (route_key IN ('llm', 'llm/gguf', 'llm/safetensors', 'diffusion', 'audio', 'embedding'));
-- How snapshots of the cache showed blobs.
ALTER TABLE history ADD COLUMN link_mode TEXT CHECK (link_mode IN ('auto', 'symlink', 'hardlink', 'copy'));

DROP TRIGGER job_ended;
CREATE TRIGGER job_ended AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled')
BEGIN
    INSERT INTO history (
        job_id, kind, repo_type, repo, revision, commit_hash, filters, excludes, destination, verify,
        status, error, error_code, total_files, completed_files, total_bytes, network_bytes, reused_bytes,
        refetched_bytes, retries, active_ms, actor, created_at, started_at, ended_at,
        exact_match, append_filter_subdir, priority, category, tags,
        layout, local_repo, route_key, link_mode
    ) VALUES (
        NEW.id, NEW.kind, NEW.repo_type, NEW.repo, NEW.revision, NEW.commit_hash, NEW.filters, NEW.excludes,
        NEW.destination, NEW.verify, NEW.status, NEW.error, NEW.error_code, NEW.total_files,
        NEW.completed_files, NEW.total_bytes, NEW.network_bytes, NEW.reused_bytes, NEW.refetched_bytes,
        NEW.retries, NEW.active_ms, NEW.actor, NEW.created_at, NEW.started_at,
        COALESCE(NEW.ended_at, NEW.updated_at), NEW.exact_match, NEW.append_filter_subdir, NEW.priority,
        NEW.category, NEW.tags,
        NEW.layout, NEW.local_repo, NEW.route_key, NEW.link_mode
    );
END;
