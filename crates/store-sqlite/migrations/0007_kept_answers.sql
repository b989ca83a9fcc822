-- Answers kept for calls have a bound in bytes: in all, and for each workspace. Counted as in src/kept.rs.

ALTER TABLE head ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
INSERT INTO meta (name, value) VALUES
    ('kept_bytes',
        (SELECT coalesce(sum(256 + coalesce(length(accepted), length(sealed), 0)), 0) FROM once)),
    ('kept_bytes_outside',            -- of the operator side as a whole, which has no head
        (SELECT coalesce(sum(256 + coalesce(length(accepted), length(sealed), 0)), 0) FROM once
         WHERE workspace = 0));
UPDATE head SET kept_bytes = counted.bytes
    FROM (
        SELECT workspace, sum(256 + coalesce(length(accepted), length(sealed), 0)) AS bytes
        FROM once GROUP BY workspace
    ) AS counted
    WHERE counted.workspace = head.workspace;

-- Where the oldest of a workspace is found.
CREATE INDEX once_of_workspace ON once (workspace, id);
