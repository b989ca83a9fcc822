-- Those who operate: accounts, who is signed in, and what was done.

CREATE TABLE operator_account (
    id         INTEGER PRIMARY KEY,
    username   TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    password   TEXT NOT NULL,         -- argon2id, as a PHC string
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

-- A session is as good as what opened it, which is looked at with it: without that it is none.
CREATE TABLE operator_session (
    id         INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    opener     TEXT NOT NULL,         -- root, key or account
    opener_id  INTEGER NOT NULL,      -- its id; of the root key a fingerprint
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX operator_session_of_opener ON operator_session (opener, opener_id, id);
CREATE INDEX operator_session_expiring ON operator_session (expires_at);

-- Written before it is done, and once more with what came of it.
CREATE TABLE operator_act (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,         -- root, key or account
    actor_id   INTEGER,               -- of a key or an account
    actor_name TEXT,                  -- as it was called then
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    workspace  TEXT,                  -- public id
    surface    TEXT NOT NULL,
    address    TEXT,
    request_id TEXT NOT NULL,
    result     TEXT NOT NULL,
    status     INTEGER,               -- NULL: pending, so nobody knows whether it was done
    detail     TEXT NOT NULL
);
-- Where upkeep finds what is remembered no more.
CREATE INDEX operator_act_by_time ON operator_act (at);
