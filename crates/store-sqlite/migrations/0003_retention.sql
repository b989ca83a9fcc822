-- Retention: a workspace's own rules, what it has stored, payloads that are gone, and rests of erased workspaces.

ALTER TABLE workspace ADD COLUMN event_age_s INTEGER;       -- NULL: the server's
ALTER TABLE workspace ADD COLUMN payload_age_s INTEGER;     -- NULL: the server's
ALTER TABLE workspace ADD COLUMN bytes_max INTEGER;         -- of this workspace alone; NULL: none

ALTER TABLE head ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE message ADD COLUMN payload_removed_at INTEGER;  -- when set, `data` is empty

-- Erased workspaces of which something is left. No event of theirs has an id above `upto`.
CREATE TABLE rest (
    workspace INTEGER PRIMARY KEY,
    upto      INTEGER NOT NULL
);

INSERT INTO rest (workspace, upto)
    SELECT id, (SELECT coalesce(max(id), 0) FROM message) FROM workspace WHERE erased_at IS NOT NULL;

INSERT INTO meta (name, value) VALUES
    ('highest_removed_event', 0);     -- events up to this id may be gone

-- The same sums as in src/weight.rs.
UPDATE head SET events = counted.events, bytes = counted.bytes
    FROM (
        SELECT workspace, count(*) AS events,
            sum(200 + length(data) + coalesce(length(attributes), 0) + 6 * length(targets)) AS bytes
        FROM message GROUP BY workspace
    ) AS counted
    WHERE counted.workspace = head.workspace;
UPDATE head SET bytes = head.bytes + counted.bytes
    FROM (
        SELECT m.workspace AS workspace, sum(60 + coalesce(length(a.detail), 0)) AS bytes
        FROM attempt a CROSS JOIN message m ON m.id = a.event GROUP BY m.workspace
    ) AS counted
    WHERE counted.workspace = head.workspace;
