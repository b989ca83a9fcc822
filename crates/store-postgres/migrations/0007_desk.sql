-- Those who operate: accounts, who is signed in, and what was done.

CREATE TABLE operator_account (
    id         bigint PRIMARY KEY,
    username   text NOT NULL UNIQUE,
    role       text NOT NULL,
    password   text NOT NULL,          -- argon2id, as a PHC string
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

-- A session is as good as what opened it, which is looked at with it: without that it is none.
CREATE TABLE operator_session (
    id         bigint PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    opener     text NOT NULL,          -- root, key or account
    opener_id  bigint NOT NULL,        -- its id; of the root key a fingerprint
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX operator_session_of_opener ON operator_session (opener, opener_id, id);
CREATE INDEX operator_session_expiring ON operator_session (expires_at);

-- Written before it is done, and once more with what came of it.
CREATE TABLE operator_act (
    id         bigint PRIMARY KEY,
    at         bigint NOT NULL,
    actor      text NOT NULL,          -- root, key or account
    actor_id   bigint,                 -- of a key or an account
    actor_name text,                   -- as it was called then
    action     text NOT NULL,
    object     text NOT NULL,
    workspace  text,                   -- public id
    surface    text NOT NULL,
    address    text,
    request_id text NOT NULL,
    result     text NOT NULL,
    status     bigint,                 -- NULL: pending, so nobody knows whether it was done
    detail     text NOT NULL
);
-- Where upkeep finds what is remembered no more.
CREATE INDEX operator_act_by_time ON operator_act (at);
