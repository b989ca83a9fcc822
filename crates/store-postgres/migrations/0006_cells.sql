-- Workspaces that go to another cell, in the cell that they leave and in the one that they come to.
--
-- Whoever changes something of a workspace, or of its events, looks here behind the workspace's lock. Older programs do not: they
-- would accept events that are not copied any more, send what another cell sends, and remove what has just come. So they are
-- shut out of a database that becomes a cell (src/cell.rs), and only between cells anything moves.

-- What one command moves.
CREATE TABLE cell_move (
    id    bigint PRIMARY KEY,           -- by chance; the same in both cells
    -- Where they leave, refusing: nothing is accepted or begun; copying: outcomes are refused as well; gone: they are not served
    -- here any more. Where they come to, arriving.
    phase text NOT NULL CHECK (phase IN ('refusing', 'copying', 'gone', 'arriving')),
    other text NOT NULL                 -- name of the other cell
);
CREATE TABLE moving (
    workspace bigint PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    move      bigint NOT NULL
);
CREATE INDEX moving_of_move ON moving (move);
-- What rows of theirs hang on that name no workspace.
CREATE TABLE moving_part (
    kind text NOT NULL CHECK (kind IN ('webhook', 'replay', 'user')),
    id   bigint NOT NULL,
    move bigint NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX moving_part_of_move ON moving_part (move, kind, id);
-- How far each table has come to its end in the cell that they come to.
CREATE TABLE moving_table (
    move    bigint NOT NULL,
    name    text NOT NULL,
    rows    bigint NOT NULL,
    come_to bytea,                      -- the last key, packed; NULL: none
    done    bigint NOT NULL,
    PRIMARY KEY (move, name)
);
