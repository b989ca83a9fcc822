-- A move from an embedded store, and how far each table has come. While there is one that is not done, nobody serves from
-- here.

CREATE TABLE migration (
    id     bigint PRIMARY KEY CHECK (id = 1),
    source bytea NOT NULL,              -- digest of which installation it is
    state  bytea NOT NULL,              -- digest of what it held
    done   bigint NOT NULL              -- 1: all of it is here, and was compared
);
CREATE TABLE migration_table (
    name    text PRIMARY KEY,
    rows    bigint NOT NULL,
    come_to bytea,                      -- the last key, packed; NULL: none
    done    bigint NOT NULL
);
