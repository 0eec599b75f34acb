-- API keys: what a program shows in place of the login.

CREATE TABLE api_key (
    -- Public id: 12 hex digits, random.
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    -- Names the key in events and history, as key:NAME.
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
    -- What it may do; each scope holds those before it.
    scope TEXT NOT NULL CHECK (scope IN ('read', 'enqueue', 'admin')),
    -- The beginning of the key, to tell keys apart by.
    prefix TEXT NOT NULL,
    -- SHA-256 of the key. The key has 256 random bits: nothing slower is needed.
    key_hash BLOB NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    -- Who made it.
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Last use, to the minute: time and address.
    last_used_at INTEGER,
    last_used_from TEXT
) STRICT;
