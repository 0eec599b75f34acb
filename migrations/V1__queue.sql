-- The queue, its files and part files, and the record of all that happened.
--
-- Times (`_at`) are UTC milliseconds, sizes (`_bytes`) are bytes. Words in CHECKs are the
-- words of the API.

-- Values of settings saved through the API; flags and environment are never stored.
CREATE TABLE setting (
    name        TEXT    NOT NULL PRIMARY KEY,
    value       TEXT    NOT NULL CHECK (json_valid(value)),
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every legal move of a job's status and the event it is recorded as.
-- The same rows stand in src/model/state.rs; a test compares the two.
CREATE TABLE state_transition (
    from_status TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    event       TEXT NOT NULL,
    PRIMARY KEY (from_status, to_status)
) STRICT, WITHOUT ROWID;

INSERT INTO state_transition (from_status, to_status, event) VALUES
    ('queued',    'running',   'started'),
    ('queued',    'paused',    'held'),
    ('queued',    'cancelled', 'cancelled'),
    ('queued',    'failed',    'failed'),
    ('running',   'queued',    'requeued'),
    ('running',   'paused',    'paused'),
    ('running',   'completed', 'completed'),
    ('running',   'failed',    'failed'),
    ('running',   'cancelled', 'cancelled'),
    ('paused',    'queued',    'resumed'),
    ('paused',    'cancelled', 'cancelled'),
    ('failed',    'queued',    'retried'),
    ('cancelled', 'queued',    'retried');

-- One request of a user.
CREATE TABLE job (
    -- Order of creation; never given to clients.
    seq                  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- The public id: 12 hex digits.
    id                   TEXT    NOT NULL UNIQUE CHECK (length(id) = 12),
    kind                 TEXT    NOT NULL DEFAULT 'download'
                                 CHECK (kind IN ('download', 'mirror', 'verify', 'export')),
    repo_type            TEXT    NOT NULL CHECK (repo_type IN ('model', 'dataset')),
    repo                 TEXT    NOT NULL,
    -- What was asked, and the commit it resolved to once the job was planned.
    revision             TEXT    NOT NULL,
    commit_hash          TEXT    CHECK (length(commit_hash) = 40),
    -- JSON arrays of text.
    filters              TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(filters)),
    excludes             TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(excludes)),
    exact_match          INTEGER NOT NULL DEFAULT 0 CHECK (exact_match IN (0, 1)),
    append_filter_subdir INTEGER NOT NULL DEFAULT 0 CHECK (append_filter_subdir IN (0, 1)),
    -- The hub cache directory, frozen when the job was created.
    destination          TEXT    NOT NULL,
    verify               TEXT    NOT NULL CHECK (verify IN ('none', 'size', 'sha256')),
    -- Equal live jobs are one job: see the unique index below.
    duplicate_key        TEXT    NOT NULL,

    -- Higher first; equal priorities start in order of creation.
    priority             INTEGER NOT NULL DEFAULT 0,
    -- Not claimed before: by wish of the user, and by need (back-off, disk, rate limit).
    not_before_at        INTEGER,
    ready_at             INTEGER,
    wait_reason          TEXT    CHECK (wait_reason IN ('disk', 'rate_limit', 'offline', 'schedule', 'not_before', 'retry')),

    -- `state` is written by the owner of the lease, `intent` for the user. `requeue` marks a
    -- running job that was paused and resumed before its run had let go: it goes back to the
    -- queue instead of into the outcome.
    state                TEXT    NOT NULL DEFAULT 'queued'
                                 CHECK (state IN ('queued', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    intent               TEXT    NOT NULL DEFAULT 'run' CHECK (intent IN ('run', 'pause', 'cancel')),
    requeue              INTEGER NOT NULL DEFAULT 0 CHECK (requeue IN (0, 1)),

    -- The lease: who runs the job, in which run, and until when without a heartbeat.
    lease_owner          TEXT,
    lease_epoch          INTEGER NOT NULL DEFAULT 0,
    lease_expires_at     INTEGER,
    attempt              INTEGER NOT NULL DEFAULT 0,

    phase                TEXT    CHECK (phase IN ('resolving', 'planning', 'downloading', 'verifying', 'publishing')),
    activity             TEXT    NOT NULL DEFAULT '',
    error                TEXT    NOT NULL DEFAULT '',
    error_code           TEXT,
    -- What the destination should know, such as too little room.
    warning              TEXT    NOT NULL DEFAULT '',

    total_files          INTEGER NOT NULL DEFAULT 0,
    completed_files      INTEGER NOT NULL DEFAULT 0,
    total_bytes          INTEGER NOT NULL DEFAULT 0,
    -- Bytes in place or in part files, those that were here before included.
    downloaded_bytes     INTEGER NOT NULL DEFAULT 0,
    bytes_per_second     INTEGER NOT NULL DEFAULT 0,
    -- Over all runs: from the network, found in the cache, fetched a second time, failed tries.
    network_bytes        INTEGER NOT NULL DEFAULT 0,
    reused_bytes         INTEGER NOT NULL DEFAULT 0,
    refetched_bytes      INTEGER NOT NULL DEFAULT 0,
    retries              INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds in runs that have ended.
    active_ms            INTEGER NOT NULL DEFAULT 0,
    last_byte_at         INTEGER,

    -- Who caused the latest change of status: a user, a key, an address, or `hfdepot`.
    actor                TEXT    NOT NULL,
    created_at           INTEGER NOT NULL,
    started_at           INTEGER,
    -- Start of the present run.
    run_started_at       INTEGER,
    ended_at             INTEGER,
    updated_at           INTEGER NOT NULL,
    dismissed_at         INTEGER,

    -- What everybody sees; the last column, because sqlx mistakes the place of columns behind a
    -- generated one.
    status               TEXT    NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN state IN ('completed', 'failed', 'cancelled') THEN state
            WHEN intent = 'cancel' THEN 'cancelled'
            WHEN intent = 'pause' THEN 'paused'
            WHEN requeue = 1 THEN 'queued'
            ELSE state
        END
    ) STORED,

    -- A running job has a lease, and only a running one.
    CHECK ((state = 'running') = (lease_owner IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_expires_at IS NULL)),
    CHECK (requeue = 0 OR state = 'running')
) STRICT;

-- Twenty equal requests at once make one job.
CREATE UNIQUE INDEX job_live_duplicate ON job (duplicate_key) WHERE status IN ('queued', 'running', 'paused');
-- In the order of claims, with all that decides whether a job is ready: ten thousand jobs that
-- wait are passed over without reading one of their rows.
CREATE INDEX job_queue ON job (kind, priority DESC, seq, not_before_at, ready_at)
    WHERE state = 'queued' AND intent = 'run';
CREATE INDEX job_ready ON job (kind, MAX(COALESCE(not_before_at, 0), COALESCE(ready_at, 0)))
    WHERE state = 'queued' AND intent = 'run';
CREATE INDEX job_waiting ON job (wait_reason) WHERE state = 'queued' AND wait_reason IS NOT NULL;
CREATE INDEX job_leased ON job (seq) WHERE lease_owner IS NOT NULL;
CREATE INDEX job_status ON job (status, seq) WHERE dismissed_at IS NULL;

-- What the list shows: every column of a job that a client may see, dismissed ones left out.
CREATE VIEW job_shown AS
SELECT seq, id, kind, repo_type, repo, revision, commit_hash, filters, excludes, exact_match,
       append_filter_subdir, destination, verify, priority, not_before_at, ready_at, wait_reason, status,
       attempt, phase, activity, error, error_code, warning, total_files, completed_files, total_bytes,
       downloaded_bytes, bytes_per_second, network_bytes, reused_bytes, refetched_bytes, retries,
       last_byte_at, actor, created_at, started_at, ended_at, updated_at
FROM job WHERE dismissed_at IS NULL;

-- One path of a job.
CREATE TABLE file (
    id               INTEGER NOT NULL PRIMARY KEY,
    job_seq          INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
    path             TEXT    NOT NULL,
    size_bytes       INTEGER NOT NULL CHECK (size_bytes >= 0),
    -- Name of the blob in the cache and the hash it must have: SHA-256 (LFS) or git's SHA-1.
    blob_id          TEXT    NOT NULL CHECK (length(blob_id) IN (40, 64)),
    state            TEXT    NOT NULL DEFAULT 'pending'
                             CHECK (state IN ('pending', 'downloading', 'verifying', 'complete', 'skipped', 'error')),
    downloaded_bytes INTEGER NOT NULL DEFAULT 0,
    -- What was compared: sha256, git-sha1, size; empty while nothing was.
    verification     TEXT    NOT NULL DEFAULT '' CHECK (verification IN ('', 'sha256', 'git-sha1', 'size')),
    error            TEXT    NOT NULL DEFAULT '',
    error_code       TEXT,
    updated_at       INTEGER NOT NULL,
    UNIQUE (job_seq, path)
) STRICT;

CREATE INDEX file_open ON file (job_seq, id) WHERE state NOT IN ('complete', 'skipped');
CREATE INDEX file_blob ON file (blob_id);

-- One part file: the bytes of a blob that is not whole yet. It belongs to the blob, not to
-- a job, so that two jobs that want one blob share it and a retry finds it.
CREATE TABLE part (
    id           INTEGER NOT NULL PRIMARY KEY,
    -- The repo folder in the cache, absolute.
    folder       TEXT    NOT NULL,
    blob_id      TEXT    NOT NULL,
    size_bytes   INTEGER NOT NULL,
    -- Where the written marks are to be believed: the same boot, mount and file.
    boot_id      TEXT    NOT NULL,
    mount_id     INTEGER NOT NULL,
    device       INTEGER NOT NULL,
    inode        INTEGER NOT NULL,
    -- State of the hash over the first `hashed_bytes`, all of them synced.
    hash_state   BLOB,
    hashed_bytes INTEGER NOT NULL DEFAULT 0,
    updated_at   INTEGER NOT NULL,
    UNIQUE (folder, blob_id)
) STRICT;

-- A span of a part file. `written` is to be believed after a crash of the process, `synced`
-- after a loss of power: it is raised only after fdatasync returned.
CREATE TABLE segment (
    part_id       INTEGER NOT NULL REFERENCES part (id) ON DELETE CASCADE,
    start_bytes   INTEGER NOT NULL,
    length_bytes  INTEGER NOT NULL CHECK (length_bytes > 0),
    written_bytes INTEGER NOT NULL DEFAULT 0 CHECK (written_bytes BETWEEN 0 AND length_bytes),
    synced_bytes  INTEGER NOT NULL DEFAULT 0 CHECK (synced_bytes BETWEEN 0 AND written_bytes),
    PRIMARY KEY (part_id, start_bytes)
) STRICT, WITHOUT ROWID;

-- Everything that happened to jobs, in order. Written by the triggers below, so that no
-- change of status can be forgotten; the engine adds rows for what is no change of status.
CREATE TABLE event (
    seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job_id      TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    from_status TEXT,
    to_status   TEXT,
    actor       TEXT    NOT NULL,
    detail      TEXT    NOT NULL DEFAULT '',
    at          INTEGER NOT NULL
) STRICT;

CREATE INDEX event_job ON event (job_id, seq);

-- One row for each end of a job: completed, failed or cancelled. Outlives the job.
CREATE TABLE history (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    job_id          TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    repo_type       TEXT    NOT NULL,
    repo            TEXT    NOT NULL,
    revision        TEXT    NOT NULL,
    commit_hash     TEXT,
    filters         TEXT    NOT NULL,
    excludes        TEXT    NOT NULL,
    destination     TEXT    NOT NULL,
    verify          TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
    error           TEXT    NOT NULL,
    error_code      TEXT,
    total_files     INTEGER NOT NULL,
    completed_files INTEGER NOT NULL,
    total_bytes     INTEGER NOT NULL,
    network_bytes   INTEGER NOT NULL,
    reused_bytes    INTEGER NOT NULL,
    refetched_bytes INTEGER NOT NULL,
    retries         INTEGER NOT NULL,
    active_ms       INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER NOT NULL
) STRICT;

CREATE INDEX history_status ON history (status, seq);
CREATE INDEX history_repo ON history (repo, seq);

-- Destinations for mirror copies.
CREATE TABLE mirror_target (
    name        TEXT    NOT NULL PRIMARY KEY,
    path        TEXT    NOT NULL,
    description TEXT    NOT NULL DEFAULT '',
    -- Content of the marker file at its root: an unmounted target is never taken for an empty one.
    marker      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_queued AFTER INSERT ON job
BEGIN
    SELECT RAISE(ABORT, 'a job begins in the queue') WHERE NEW.status <> 'queued';
    INSERT INTO event (job_id, event, to_status, actor, at)
    VALUES (NEW.id, 'queued', NEW.status, NEW.actor, NEW.updated_at);
END;

-- A trigger OF status would never fire: a generated column is not assigned to.
CREATE TRIGGER job_moved AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status
BEGIN
    SELECT RAISE(ABORT, 'illegal state transition')
    WHERE NOT EXISTS (
        SELECT 1 FROM state_transition WHERE from_status = OLD.status AND to_status = NEW.status
    );
    INSERT INTO event (job_id, event, from_status, to_status, actor, detail, at)
    SELECT NEW.id, event, OLD.status, NEW.status, NEW.actor,
           CASE WHEN NEW.status = 'failed' THEN NEW.error ELSE COALESCE(NEW.wait_reason, '') END, NEW.updated_at
    FROM state_transition WHERE from_status = OLD.status AND to_status = NEW.status;
END;

CREATE TRIGGER job_ended AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled')
BEGIN
    INSERT INTO history (
        job_id, kind, repo_type, repo, revision, commit_hash, filters, excludes, destination, verify,
        status, error, error_code, total_files, completed_files, total_bytes, network_bytes, reused_bytes,
        refetched_bytes, retries, active_ms, actor, created_at, started_at, ended_at
    ) VALUES (
        NEW.id, NEW.kind, NEW.repo_type, NEW.repo, NEW.revision, NEW.commit_hash, NEW.filters, NEW.excludes,
        NEW.destination, NEW.verify, NEW.status, NEW.error, NEW.error_code, NEW.total_files,
        NEW.completed_files, NEW.total_bytes, NEW.network_bytes, NEW.reused_bytes, NEW.refetched_bytes,
        NEW.retries, NEW.active_ms, NEW.actor, NEW.created_at, NEW.started_at,
        COALESCE(NEW.ended_at, NEW.updated_at)
    );
END;
