-- Users who log in, what each may do in which workspace, and the session of each.

CREATE TABLE user (
    id           INTEGER PRIMARY KEY,
    dialect      TEXT NOT NULL,
    public_id    TEXT NOT NULL,
    username     TEXT NOT NULL,
    display_name TEXT NOT NULL,
    password     TEXT NOT NULL,       -- argon2id, as a PHC string
    created_at   INTEGER NOT NULL,
    UNIQUE (dialect, username),
    UNIQUE (dialect, public_id)
);

-- A user goes with the last row.
CREATE TABLE user_right (
    id         INTEGER PRIMARY KEY,   -- among those of credentials
    workspace  INTEGER NOT NULL,
    user       INTEGER NOT NULL,
    name       TEXT,
    scopes     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);
CREATE INDEX user_right_of_workspace ON user_right (workspace, id);
CREATE INDEX user_right_of_user ON user_right (user, workspace, id);
-- Where upkeep finds what has expired, and a new right what makes room for it.
CREATE INDEX user_right_expiring ON user_right (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX user_right_of_workspace_expiring ON user_right (workspace, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE session (
    user       INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX session_expiring ON session (expires_at);
