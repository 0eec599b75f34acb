-- The index of Hub caches: what a scan found, so that lists are answered without the disk.
--
-- All of it can be made again from the disk, but for what was verified here and what our own
-- downloads fetched. A cache is known by the absolute path of its directory (`hub`).

-- The last whole scan of a cache.
CREATE TABLE library_scan (
    hub         TEXT    NOT NULL PRIMARY KEY,
    scanned_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One repo folder.
CREATE TABLE library_repo (
    id             INTEGER NOT NULL PRIMARY KEY,
    hub            TEXT    NOT NULL,
    -- Its name in the cache, such as `models--owner--name`.
    folder         TEXT    NOT NULL,
    repo_type      TEXT    NOT NULL CHECK (repo_type IN ('model', 'dataset')),
    repo           TEXT    NOT NULL,
    -- Times and inodes of its folders: while they hold, it is not read again.
    marks          TEXT    NOT NULL,
    scanned_at     INTEGER NOT NULL,
    -- All contents, each once.
    size_bytes     INTEGER NOT NULL,
    -- Of the snapshot that the list shows.
    file_count     INTEGER NOT NULL,
    branch         TEXT    NOT NULL,
    commit_hash    TEXT    NOT NULL,
    downloaded_at  INTEGER,
    used_at        INTEGER,
    -- JSON arrays of text.
    branches       TEXT    NOT NULL CHECK (json_valid(branches)),
    quantizations  TEXT    NOT NULL CHECK (json_valid(quantizations)),
    mmproj_files   TEXT    NOT NULL CHECK (json_valid(mmproj_files)),
    problems       TEXT    NOT NULL CHECK (json_valid(problems)),
    -- How many files of the shown snapshot have no content here.
    missing_files  INTEGER NOT NULL,
    -- Over its blobs: all compared, some, one bad, or none; kept here so that a list of a thousand
    -- repos does not count a hundred thousand blobs.
    verification   TEXT    NOT NULL DEFAULT '' CHECK (verification IN ('', 'partial', 'verified', 'bad')),
    verified_at    INTEGER,
    UNIQUE (hub, folder)
) STRICT;

CREATE TABLE library_revision (
    repo_id       INTEGER NOT NULL REFERENCES library_repo (id) ON DELETE CASCADE,
    commit_hash   TEXT    NOT NULL,
    -- JSON array of the names of refs.
    refs          TEXT    NOT NULL CHECK (json_valid(refs)),
    modified_at   INTEGER NOT NULL,
    file_count    INTEGER NOT NULL,
    size_bytes    INTEGER NOT NULL,
    -- What its removal alone would free.
    unique_bytes  INTEGER NOT NULL,
    PRIMARY KEY (repo_id, commit_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE library_file (
    repo_id      INTEGER NOT NULL REFERENCES library_repo (id) ON DELETE CASCADE,
    commit_hash  TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    size_bytes   INTEGER NOT NULL,
    -- Empty for a real file.
    blob         TEXT    NOT NULL,
    held         TEXT    NOT NULL CHECK (held IN ('linked', 'real', 'dangling', 'foreign')),
    PRIMARY KEY (repo_id, commit_hash, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE library_blob (
    repo_id       INTEGER NOT NULL REFERENCES library_repo (id) ON DELETE CASCADE,
    blob          TEXT    NOT NULL,
    size_bytes    INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL,
    -- What was compared, when; forgotten when size or time of the blob changes.
    verification  TEXT    NOT NULL DEFAULT '' CHECK (verification IN ('', 'size', 'sha256', 'git-sha1', 'bad')),
    verified_at   INTEGER,
    PRIMARY KEY (repo_id, blob)
) STRICT, WITHOUT ROWID;

CREATE INDEX library_blob_name ON library_blob (blob);

-- What our own downloads completed: all of a commit, or what filters selected.
CREATE TABLE library_download (
    hub          TEXT    NOT NULL,
    repo_type    TEXT    NOT NULL,
    repo         TEXT    NOT NULL COLLATE NOCASE,
    commit_hash  TEXT    NOT NULL,
    complete     INTEGER NOT NULL CHECK (complete IN (0, 1)),
    at           INTEGER NOT NULL,
    PRIMARY KEY (hub, repo_type, repo, commit_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO library_download (hub, repo_type, repo, commit_hash, complete, at)
SELECT destination, repo_type, repo, commit_hash, MAX(filters = '[]' AND excludes = '[]'), MAX(ended_at)
FROM history
WHERE kind = 'download' AND status = 'completed' AND commit_hash IS NOT NULL
GROUP BY destination, repo_type, repo COLLATE NOCASE, commit_hash;

CREATE TRIGGER library_downloaded AFTER UPDATE OF state, intent, requeue ON job
WHEN OLD.status <> NEW.status AND NEW.status = 'completed' AND NEW.kind = 'download' AND NEW.commit_hash IS NOT NULL
BEGIN
    INSERT INTO library_download (hub, repo_type, repo, commit_hash, complete, at)
    VALUES (NEW.destination, NEW.repo_type, NEW.repo, NEW.commit_hash,
            NEW.filters = '[]' AND NEW.excludes = '[]', NEW.updated_at)
    ON CONFLICT DO UPDATE SET complete = MAX(complete, excluded.complete), at = excluded.at;
END;

-- What the list shows.
CREATE VIEW library_shown AS
SELECT library_repo.*,
       (SELECT COUNT(*) FROM library_revision WHERE repo_id = library_repo.id) AS revision_count,
       (SELECT CASE WHEN complete = 1 AND library_repo.missing_files = 0 THEN 'complete' ELSE 'filtered' END
        FROM library_download AS own
        WHERE own.hub = library_repo.hub AND own.repo_type = library_repo.repo_type
          AND own.repo = library_repo.repo AND own.commit_hash = library_repo.commit_hash) AS download_status
FROM library_repo;
