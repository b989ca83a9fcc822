-- The customers' portal: who is there. A session is looked at with its workspace: once that is erased there is none.

CREATE TABLE portal_session (
    id         bigint PRIMARY KEY,
    workspace  bigint NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    rights     text NOT NULL,         -- read or manage
    name       text,                  -- what the customer is called on record
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX portal_session_of_workspace ON portal_session (workspace, id);
CREATE INDEX portal_session_expiring ON portal_session (expires_at);

-- Links of this instant or before it open nothing: somebody has ended all sessions then. NULL: nobody has.
ALTER TABLE workspace ADD COLUMN portal_ended_at bigint;
