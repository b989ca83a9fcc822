-- Events in order of their sequence, for workspaces that have a feed.

ALTER TABLE workspace ADD COLUMN feed INTEGER NOT NULL DEFAULT 0;           -- 1: its events stand in `feed`
ALTER TABLE head ADD COLUMN expired_through INTEGER NOT NULL DEFAULT 0;     -- the highest place that retention has touched

CREATE TABLE feed (
    workspace INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    PRIMARY KEY (workspace, sequence)
) WITHOUT ROWID;
