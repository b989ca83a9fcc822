-- Figures of what has happened, added up for people who look: a view and never the truth. Counted in memory, and added to now and then.
-- The time comes first in the key, and in the indexes of what there are many of: what is added to at once lies together.

CREATE TABLE figure (
    workspace          INTEGER NOT NULL,   -- 0: all of them, minute by minute; else hour by hour
    webhook            INTEGER NOT NULL,   -- 0: all of the workspace's
    at                 INTEGER NOT NULL,   -- when the minute or the hour begins
    events             INTEGER NOT NULL,   -- accepted
    attempts_succeeded INTEGER NOT NULL,
    attempts_failed    INTEGER NOT NULL,
    delivered          INTEGER NOT NULL,
    failed             INTEGER NOT NULL,   -- given up
    dropped            INTEGER NOT NULL,   -- with their webhooks, as far as memory held them
    retries            INTEGER NOT NULL,   -- attempts that are to be repeated
    oldest_due_ms      INTEGER NOT NULL,   -- at most
    latency_ms         INTEGER NOT NULL,   -- from acceptance to delivery, all of them together
    latency_1          INTEGER NOT NULL,   -- how many took up to 1, 2, 5 ms and so on
    latency_2          INTEGER NOT NULL,
    latency_3          INTEGER NOT NULL,
    latency_4          INTEGER NOT NULL,
    latency_5          INTEGER NOT NULL,
    latency_6          INTEGER NOT NULL,
    latency_7          INTEGER NOT NULL,
    latency_8          INTEGER NOT NULL,
    latency_9          INTEGER NOT NULL,
    latency_10         INTEGER NOT NULL,
    latency_11         INTEGER NOT NULL,
    latency_12         INTEGER NOT NULL,
    latency_13         INTEGER NOT NULL,
    latency_14         INTEGER NOT NULL,
    latency_15         INTEGER NOT NULL,
    latency_16         INTEGER NOT NULL,
    PRIMARY KEY (at, workspace, webhook)
) WITHOUT ROWID;
-- The hours in which webhooks have any, one by one, and what upkeep removes of them, sooner than of others.
CREATE INDEX figure_of_webhooks ON figure (at) WHERE webhook <> 0;
CREATE INDEX figure_of_others ON figure (workspace, at) WHERE webhook = 0;
-- Webhooks that failed most, of all and of one workspace.
CREATE INDEX figure_failing ON figure (at, attempts_failed DESC, webhook) WHERE webhook <> 0 AND attempts_failed > 0;
CREATE INDEX figure_failing_of ON figure (at, workspace, attempts_failed DESC, webhook) WHERE webhook <> 0 AND attempts_failed > 0;
