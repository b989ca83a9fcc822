-- Webhooks of workspaces that are closed, each with the last event that it waits for. With the last row of a workspace
-- its erasure begins.
CREATE TABLE leaving (
    webhook   INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    event     INTEGER NOT NULL
);
CREATE INDEX leaving_of_workspace ON leaving (workspace);
