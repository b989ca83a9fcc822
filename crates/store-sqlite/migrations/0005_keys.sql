-- Keys of the operator side, and calls that happen once.

CREATE TABLE operator_key (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER,               -- NULL: bound to none
    hash       BLOB NOT NULL UNIQUE,
    name       TEXT,
    scopes     BLOB NOT NULL,
    rate_per_s INTEGER,               -- NULL: no limit
    rate_burst INTEGER,
    preview    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);
CREATE INDEX operator_key_of_workspace ON operator_key (workspace, id);

-- The answers to calls by which a caller may ask again. In order of arrival, so that what expires stands together.
CREATE TABLE once (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,       -- 0: the operator side as a whole
    name      BLOB NOT NULL,          -- hash of the operation and the caller's key
    at        INTEGER NOT NULL,
    request   BLOB NOT NULL,          -- hash of what was asked for
    accepted  BLOB,                   -- the answer to published events, packed
    sealed    BLOB,                   -- the answer to anything else; it may hold a secret
    UNIQUE (workspace, name)
);
CREATE INDEX once_sealed ON once (workspace, name) WHERE sealed IS NOT NULL;
