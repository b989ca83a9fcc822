-- Events and histories lie in tables by the time of their ids, so that what is old goes with its table and not row by row
-- (docs/adr/0033). A span is a range of ids whose events lie in `message_p<number>` and `attempt_p<number>`. What is in no
-- span lies in `message_other` and `attempt_other`: only ids that were minted ahead of all clocks, and none as a rule, for
-- these are looked through under a lock when a span is made.
--
-- A span goes in two steps. While it is there, what stays of it is carried: copied to the tables of its heir, a span of the
-- same ids, which takes its place at one moment. Then what is gone is counted out, and its tables are dropped.
--
-- Who adds a column to `message` or `attempt` adds it to the tables named after them here.

CREATE TABLE span (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first  bigint NOT NULL UNIQUE,      -- the lowest id in it
    ended  bigint NOT NULL,             -- the lowest id above it
    -- ahead: was made for ids that were to come, and goes as a whole. before: holds what came before there were spans, and goes
    -- row by row until it may go as a whole. kept: holds what has stayed of others, and goes row by row.
    kind   text NOT NULL CHECK (kind IN ('ahead', 'before', 'kept'))
);
-- The spans that are going: all of those between two ids. The table has one row, or none.
CREATE TABLE departure (
    id      bigint PRIMARY KEY CHECK (id = 1),
    first   bigint NOT NULL,
    ended   bigint NOT NULL,
    heir    bigint NOT NULL,            -- number of the span that takes their place
    phase   text NOT NULL CHECK (phase IN ('carrying', 'counting')),
    come_to bigint NOT NULL             -- events up to this id are done in this phase
);
-- Events of theirs that somebody has written to since their tables have triggers. An event may stand here several times: nobody
-- waits for anybody else to note one.
CREATE TABLE touched (
    event bigint NOT NULL
);
CREATE INDEX touched_event ON touched (event);
-- Events of theirs that stay.
CREATE TABLE carried (
    event bigint PRIMARY KEY
);

CREATE FUNCTION touch_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.touched (event) VALUES ($1)', TG_TABLE_SCHEMA) USING OLD.id;
    RETURN NULL;
END $$;
CREATE FUNCTION touch_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.touched (event) VALUES ($1)', TG_TABLE_SCHEMA)
        USING CASE TG_OP WHEN 'DELETE' THEN OLD.event ELSE NEW.event END;
    RETURN NULL;
END $$;

-- Where the tables of an heir are filled, and where those lie that are gone and not counted out yet.
CREATE TABLE message_carried (LIKE message INCLUDING INDEXES) PARTITION BY RANGE (id);
CREATE TABLE attempt_carried (LIKE attempt INCLUDING INDEXES) PARTITION BY RANGE (event);
CREATE TABLE message_gone (LIKE message INCLUDING INDEXES) PARTITION BY RANGE (id);
CREATE TABLE attempt_gone (LIKE attempt INCLUDING INDEXES) PARTITION BY RANGE (event);

-- What was stored so far, and what comes until tomorrow, is the first span. Its tables are read once; nothing is rewritten.
DO $$
DECLARE
    day_ms CONSTANT bigint := 24 * 3600 * 1000;
    lowest CONSTANT bigint := -9223372036854775808;
    above bigint;
    number bigint;
BEGIN
    SELECT ((greatest(extract(epoch FROM now())::bigint * 1000, coalesce(max(id), 0) >> 22) / day_ms + 2) * day_ms) << 22
        INTO above FROM message;
    INSERT INTO span (first, ended, kind) VALUES (lowest, above, 'before') RETURNING span.number INTO number;
    ALTER TABLE message DETACH PARTITION message_other;
    ALTER TABLE attempt DETACH PARTITION attempt_other;
    EXECUTE format('ALTER TABLE message_other RENAME TO message_p%s', number);
    EXECUTE format('ALTER TABLE attempt_other RENAME TO attempt_p%s', number);
    -- Without a check of its own it would be read anew whenever it gets another place.
    EXECUTE format('ALTER TABLE message_p%s ADD CONSTRAINT spanned CHECK (id >= %L AND id < %L)', number, lowest, above);
    EXECUTE format('ALTER TABLE attempt_p%s ADD CONSTRAINT spanned CHECK (event >= %L AND event < %L)', number, lowest, above);
    EXECUTE format('ALTER TABLE message ATTACH PARTITION message_p%s FOR VALUES FROM (%L) TO (%L)', number, lowest, above);
    EXECUTE format('ALTER TABLE attempt ATTACH PARTITION attempt_p%s FOR VALUES FROM (%L) TO (%L)', number, lowest, above);
    CREATE TABLE message_other PARTITION OF message DEFAULT;
    CREATE TABLE attempt_other PARTITION OF attempt DEFAULT;
END $$;
