-- The order of the queue as users want it, what they call their jobs, and limits by the clock.
--
-- The type of added columns has to be said in queries: sqlx mistakes the place of columns behind
-- a generated one.

-- Place among jobs of one priority, lower first. Ranks lie far apart, so that a job moves by one
-- small write: it takes a number between its new neighbours. 0 until the trigger below gives one.
ALTER TABLE job ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
-- What the user sorts jobs by; empty = nothing.
ALTER TABLE job ADD COLUMN category TEXT NOT NULL DEFAULT '';
-- JSON array of text.
ALTER TABLE job ADD COLUMN tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags));
-- Bytes a second as the user wrote it, such as 5MiB; empty = no limit of its own.
ALTER TABLE job ADD COLUMN max_speed TEXT NOT NULL DEFAULT '';

UPDATE job SET rank = seq << 32;

CREATE INDEX job_rank ON job (rank);

-- A new job is the last of the queue.
CREATE TRIGGER job_ranked AFTER INSERT ON job WHEN NEW.rank = 0
BEGIN
    UPDATE job SET rank = (SELECT MAX(rank) FROM job) + 4294967296 WHERE seq = NEW.seq;
END;

-- As before, with the rank where the number of creation stood.
DROP INDEX job_queue;
CREATE INDEX job_queue ON job (kind, priority DESC, rank, seq, not_before_at, ready_at)
    WHERE state = 'queued' AND intent = 'run';
-- Of one kind too, so that jobs are counted without reading them.
DROP INDEX job_status;
CREATE INDEX job_status ON job (status, seq, kind) WHERE dismissed_at IS NULL;
-- What needs the user, by reason.
CREATE INDEX job_failed ON job (error_code) WHERE status = 'failed' AND dismissed_at IS NULL;
-- Ends of the last hours.
CREATE INDEX history_ended ON history (status, ended_at);

DROP VIEW job_shown;
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at, spec, result,
       category, tags, max_speed
FROM job WHERE dismissed_at IS NULL;

-- Limits by the clock: one row at most; none means that nobody ever set any. The normal pair
-- stands in `setting`.
CREATE TABLE limits (
    one                  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    -- JSON: mode, slow pair, schedule, and the end of a pause of everything.
    value                TEXT    NOT NULL CHECK (json_valid(value)),
    updated_at           INTEGER NOT NULL
) STRICT;

-- The end of a job is remembered with its labels.
DROP TRIGGER job_ended;
CREATE TRIGGER job_ended AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled')
BEGIN
    INSERT INTO history (
        job_id, kind, repo_type, repo, revision, commit_hash, filters, excludes, destination, verify,
        status, error, error_code, total_files, completed_files, total_bytes, network_bytes, reused_bytes,
        refetched_bytes, retries, active_ms, actor, created_at, started_at, ended_at,
        exact_match, append_filter_subdir, priority, category, tags
    ) VALUES (
        NEW.id, NEW.kind, NEW.repo_type, NEW.repo, NEW.revision, NEW.commit_hash, NEW.filters, NEW.excludes,
        NEW.destination, NEW.verify, NEW.status, NEW.error, NEW.error_code, NEW.total_files,
        NEW.completed_files, NEW.total_bytes, NEW.network_bytes, NEW.reused_bytes, NEW.refetched_bytes,
        NEW.retries, NEW.active_ms, NEW.actor, NEW.created_at, NEW.started_at,
        COALESCE(NEW.ended_at, NEW.updated_at), NEW.exact_match, NEW.append_filter_subdir, NEW.priority,
        NEW.category, NEW.tags
    );
END;
