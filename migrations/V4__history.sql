-- The record of all that happened, made whole: more about each end and each event, the files of
-- every ended job, a chain of hashes over both tables, and how fast bytes came.

-- 'warn' is what hfdepot gets over by itself, 'error' what ends a job.
ALTER TABLE event ADD COLUMN level   TEXT NOT NULL DEFAULT 'info' CHECK (level IN ('info', 'warn', 'error'));
-- The word of the failure or of what the job waits for.
ALTER TABLE event ADD COLUMN code    TEXT;
-- Which host failed, and how long it is until the next try.
ALTER TABLE event ADD COLUMN host    TEXT;
ALTER TABLE event ADD COLUMN wait_ms INTEGER CHECK (wait_ms >= 0);
-- How often it happened since the last row that says the same: repetitions share rows.
ALTER TABLE event ADD COLUMN times   INTEGER NOT NULL DEFAULT 1 CHECK (times >= 1);
-- Place in the chain, and the hash over the row and all rows before it.
ALTER TABLE event ADD COLUMN chain_position INTEGER;
ALTER TABLE event ADD COLUMN chain_hash     BLOB CHECK (length(chain_hash) = 32);

UPDATE event SET level = 'error' WHERE to_status = 'failed';

ALTER TABLE history ADD COLUMN exact_match          INTEGER NOT NULL DEFAULT 0 CHECK (exact_match IN (0, 1));
ALTER TABLE history ADD COLUMN append_filter_subdir INTEGER NOT NULL DEFAULT 0 CHECK (append_filter_subdir IN (0, 1));
ALTER TABLE history ADD COLUMN priority             INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN category             TEXT    NOT NULL DEFAULT '';
ALTER TABLE history ADD COLUMN tags                 TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(tags));
-- The weakest comparison among the files in place: hash, size, none; empty without files.
ALTER TABLE history ADD COLUMN verification         TEXT    NOT NULL DEFAULT ''
                                                    CHECK (verification IN ('', 'hash', 'size', 'none'));
-- SHA-256 of the list of files; NULL when the job had none.
ALTER TABLE history ADD COLUMN files_sha256         BLOB CHECK (length(files_sha256) = 32);
ALTER TABLE history ADD COLUMN chain_position       INTEGER;
ALTER TABLE history ADD COLUMN chain_hash           BLOB CHECK (length(chain_hash) = 32);

UPDATE history SET exact_match = job.exact_match, append_filter_subdir = job.append_filter_subdir, priority = job.priority
FROM job WHERE job.id = history.job_id;

CREATE INDEX history_job ON history (job_id, seq);

-- The files of an ended job as one compressed list: a row for each would hold up every other
-- writer for as long as a hundred thousand rows take.
CREATE TABLE history_files (
    history_seq INTEGER NOT NULL PRIMARY KEY REFERENCES history (seq) ON DELETE CASCADE,
    -- zlib over a JSON array of [path, size, blob id, verification, state, error code].
    packed      BLOB    NOT NULL
) STRICT;

-- The two ends of the chain: one row. Everything after the anchor and up to the head is here.
CREATE TABLE chain (
    id                 INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The newest sealed row: its place, its hash, and the newest of each table.
    position           INTEGER NOT NULL,
    hash               BLOB    NOT NULL CHECK (length(hash) = 32),
    event_seq          INTEGER NOT NULL,
    history_seq        INTEGER NOT NULL,
    -- The newest row that retention dropped.
    anchor_position    INTEGER NOT NULL DEFAULT 0,
    anchor_hash        BLOB    NOT NULL CHECK (length(anchor_hash) = 32),
    anchor_event_seq   INTEGER NOT NULL DEFAULT 0,
    anchor_history_seq INTEGER NOT NULL DEFAULT 0,
    -- When the rows from before the chain were sealed; only then may that happen.
    begun_at           INTEGER
) STRICT;

INSERT INTO chain (id, position, hash, event_seq, history_seq, anchor_hash)
VALUES (1, 0, zeroblob(32), 0, 0, zeroblob(32));

-- The parts of a job's files, for whoever looks at one.
CREATE INDEX part_blob ON part (blob_id);

-- Bytes from the network by time: of each job, and of all together as job 0. Three widths of
-- spans, so that the last minutes are fine and the last months are few rows.
CREATE TABLE speed (
    job_seq INTEGER NOT NULL,
    span_ms INTEGER NOT NULL,
    -- Start of the span: a multiple of its width.
    at      INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (job_seq, span_ms, at)
) STRICT, WITHOUT ROWID;

DROP TRIGGER job_moved;
CREATE TRIGGER job_moved AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status
BEGIN
    SELECT RAISE(ABORT, 'illegal state transition')
    WHERE NOT EXISTS (
        SELECT 1 FROM state_transition WHERE from_status = OLD.status AND to_status = NEW.status
    );
    INSERT INTO event (job_id, event, from_status, to_status, actor, detail, at, level, code)
    SELECT NEW.id, event, OLD.status, NEW.status, NEW.actor,
           CASE WHEN NEW.status = 'failed' THEN NEW.error ELSE COALESCE(NEW.wait_reason, '') END, NEW.updated_at,
           CASE WHEN NEW.status = 'failed' THEN 'error' WHEN NEW.wait_reason IS NOT NULL THEN 'warn' ELSE 'info' END,
           CASE WHEN NEW.status = 'failed' THEN NEW.error_code ELSE NEW.wait_reason END
    FROM state_transition WHERE from_status = OLD.status AND to_status = NEW.status;
END;

DROP TRIGGER job_ended;
CREATE TRIGGER job_ended AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled')
BEGIN
    INSERT INTO history (
        job_id, kind, repo_type, repo, revision, commit_hash, filters, excludes, destination, verify,
        status, error, error_code, total_files, completed_files, total_bytes, network_bytes, reused_bytes,
        refetched_bytes, retries, active_ms, actor, created_at, started_at, ended_at,
        exact_match, append_filter_subdir, priority
    ) VALUES (
        NEW.id, NEW.kind, NEW.repo_type, NEW.repo, NEW.revision, NEW.commit_hash, NEW.filters, NEW.excludes,
        NEW.destination, NEW.verify, NEW.status, NEW.error, NEW.error_code, NEW.total_files,
        NEW.completed_files, NEW.total_bytes, NEW.network_bytes, NEW.reused_bytes, NEW.refetched_bytes,
        NEW.retries, NEW.active_ms, NEW.actor, NEW.created_at, NEW.started_at,
        COALESCE(NEW.ended_at, NEW.updated_at), NEW.exact_match, NEW.append_filter_subdir, NEW.priority
    );
END;
