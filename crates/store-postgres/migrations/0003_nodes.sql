-- The processes that work on these tables, and which of them delivers for which webhooks.
--
-- What expires does so by the clock of this server alone. A token tells a process from every other one that had its number.
-- A group is taken from nobody whose row stands here, and a row that is gone never comes back.

CREATE TABLE node (
    number     bigint PRIMARY KEY,      -- part of the ids that it makes
    token      bigint NOT NULL UNIQUE,
    process    text NOT NULL,           -- by which others on the same machine see whether it is gone
    delivers   boolean NOT NULL,        -- whether groups fall to it
    seen       bigint NOT NULL,         -- number of the change up to which it goes by what others have changed
    renewed_at timestamptz NOT NULL
);
CREATE TABLE lane_group (
    number bigint PRIMARY KEY,
    epoch  bigint NOT NULL,             -- how often it has changed hands
    owner  bigint                       -- token of a node, which may be gone; NULL: nobody
);
INSERT INTO lane_group (number, epoch) SELECT g, 0 FROM generate_series(0, 63) AS g;
CREATE TABLE last_node (
    number bigint NOT NULL              -- was given last, so that none is given anew for long; the table has one row
);
INSERT INTO last_node (number) VALUES (-1);
