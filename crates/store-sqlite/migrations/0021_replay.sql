-- Replays: jobs that send many deliveries once more, and the plan of each. The row of a job is written with each of its steps.

CREATE TABLE replay (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    source      INTEGER NOT NULL,
    target      INTEGER NOT NULL,
    which       TEXT NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    types       BLOB NOT NULL,        -- packed; none stands for all
    subject     TEXT,
    per_second  INTEGER NOT NULL,
    start       TEXT NOT NULL,
    phase       TEXT NOT NULL,
    reason      TEXT,                 -- of a job that was cancelled
    made_by     TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  INTEGER NOT NULL,
    planned_to  INTEGER,
    planned     INTEGER NOT NULL,
    done_to     INTEGER,
    sent        INTEGER NOT NULL,
    passed_over INTEGER NOT NULL
);
CREATE INDEX replay_of_workspace ON replay (workspace, id);
-- What the loop works on.
CREATE INDEX replay_busy ON replay (id) WHERE phase IN ('planning', 'running');
-- Where upkeep finds what has waited for too long, and what is remembered no more.
CREATE INDEX replay_by_change ON replay (phase, changed_at);

CREATE TABLE replay_plan (
    replay INTEGER NOT NULL,
    event  INTEGER NOT NULL,
    PRIMARY KEY (replay, event)
) WITHOUT ROWID;

-- Jobs that have ended and whose plans are still to be removed.
CREATE TABLE replay_rest (
    replay INTEGER PRIMARY KEY
);
