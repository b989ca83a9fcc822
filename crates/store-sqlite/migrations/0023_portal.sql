-- The customers' portal: who is there. A session is looked at with its workspace: once that is erased there is none.

CREATE TABLE portal_session (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    rights     TEXT NOT NULL,         -- read or manage
    name       TEXT,                  -- what the customer is called on record
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX portal_session_of_workspace ON portal_session (workspace, id);
CREATE INDEX portal_session_expiring ON portal_session (expires_at);

-- Links of this instant or before it open nothing: somebody has ended all sessions then. NULL: nobody has.
ALTER TABLE workspace ADD COLUMN portal_ended_at INTEGER;
