-- Removed events whose rows in the listing indexes are still there. Lists pass over those; they go in sorted steps.
CREATE TABLE unlisted (
    event     INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    targets   BLOB NOT NULL
);

-- Workspaces whose events are looked at apart from all others.
CREATE INDEX workspace_with_rules ON workspace (id)
    WHERE event_age_s IS NOT NULL OR payload_age_s IS NOT NULL OR bytes_max IS NOT NULL;
