-- Ids and times are 64-bit integers (times in milliseconds since the epoch). Lists lie packed in blobs, see
-- src/pack.rs. Deleted rows of `webhook` and erased rows of `workspace` stay as tombstones.

CREATE TABLE workspace (
    id             INTEGER PRIMARY KEY,
    public_id      TEXT NOT NULL UNIQUE,
    dialect        TEXT NOT NULL,
    name           TEXT NOT NULL,
    features       BLOB NOT NULL,
    retry_schedule TEXT,              -- seconds, comma-separated; NULL: the dialect's
    timeout_ms     INTEGER,           -- NULL: the dialect's
    created_at     INTEGER NOT NULL,
    erased_at      INTEGER
);

-- What nearly every commit changes of a workspace, kept apart so that many of them share a page.
CREATE TABLE head (
    workspace INTEGER PRIMARY KEY,
    version   INTEGER NOT NULL,       -- grows with every change that choosing targets must see
    sequence  INTEGER NOT NULL        -- the last one taken
);

CREATE TABLE webhook (
    id                   INTEGER PRIMARY KEY,
    workspace            INTEGER NOT NULL,
    public_id            TEXT NOT NULL,
    name                 TEXT,
    url                  TEXT NOT NULL,
    events               BLOB,        -- NULL: all
    subject              TEXT,
    disabled_at          INTEGER,
    disable_reason       TEXT,
    secret               BLOB,        -- sealed
    consecutive_failures INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    deleted_at           INTEGER,
    UNIQUE (workspace, public_id)
);
CREATE INDEX webhook_living ON webhook (workspace, id) WHERE deleted_at IS NULL;

CREATE TABLE cut (
    webhook INTEGER NOT NULL,
    n       INTEGER NOT NULL,         -- order of making
    upto    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (webhook, n)
) WITHOUT ROWID;

CREATE TABLE credential (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    name       TEXT,
    scopes     BLOB NOT NULL,
    preview    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);
CREATE INDEX credential_of_workspace ON credential (workspace, id);

-- Events: appended, never updated. The columns that scans look at stand before the large ones.
CREATE TABLE message (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    type        TEXT NOT NULL,
    subject     TEXT,
    producer_id TEXT,
    targets     BLOB NOT NULL,        -- webhook ids, 8 bytes each, little endian
    attributes  BLOB,
    data        BLOB NOT NULL
);

-- Events by what their producer calls them. The fingerprint stands only where the id identifies the event.
CREATE TABLE event_key (
    workspace   INTEGER NOT NULL,
    producer_id TEXT NOT NULL,
    event       INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    fingerprint BLOB,
    PRIMARY KEY (workspace, producer_id, event)
) WITHOUT ROWID;

-- What is owed: small and hot, a row lives only while its delivery is pending (or until it is swept after a cut).
CREATE TABLE due (
    webhook INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    born    INTEGER NOT NULL,
    steps   INTEGER NOT NULL,
    tries   INTEGER NOT NULL,
    PRIMARY KEY (webhook, due_at, event)
) WITHOUT ROWID;

-- Histories of deliveries: appended, never updated.
CREATE TABLE attempt (
    event    INTEGER NOT NULL,
    webhook  INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    verdict  INTEGER NOT NULL,        -- 0 delivered, 1 retry at `retry_at`, 2 given up, 3 requeued as `born`
    outcome,                          -- the status as an integer, else the failure's name; NULL when requeued
    retry_at INTEGER,
    born     INTEGER,
    detail   BLOB,                    -- timing, text, headers and answer, packed; NULL when requeued
    PRIMARY KEY (event, webhook, n)
) WITHOUT ROWID;

-- Listing indexes, filled in sorted steps: they hold every event up to the mark `indexed`; lists scan the rest.
CREATE TABLE ix_event (
    workspace INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    PRIMARY KEY (workspace, event)
) WITHOUT ROWID;
CREATE TABLE ix_delivery (
    webhook INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    PRIMARY KEY (webhook, event)
) WITHOUT ROWID;

-- Webhooks whose rows in `due` may have been ended by a cut, and up to where they have been looked through.
CREATE TABLE sweep (
    webhook INTEGER PRIMARY KEY,
    due_at  INTEGER NOT NULL,
    event   INTEGER NOT NULL
);

-- Single numbers.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES
    ('indexed', 0),                   -- events up to this id are in the listing indexes
    ('highest_deleted_id', 0),        -- ids of rows that are gone for good
    ('probed_at', 0);
