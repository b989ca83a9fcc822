-- Keys that sign for all webhooks that refer to them; logins at receivers; what owners keep with a webhook.
CREATE TABLE signing_key (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    public_id  TEXT NOT NULL,
    sealed     BLOB,                  -- NULL: deleted
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    deleted_by TEXT,
    UNIQUE (workspace, public_id)
);
CREATE INDEX signing_key_living ON signing_key (workspace, id) WHERE deleted_at IS NULL;
-- For callers who name no workspace.
CREATE INDEX signing_key_by_public_id ON signing_key (public_id) WHERE deleted_at IS NULL;

ALTER TABLE webhook ADD COLUMN login_user TEXT;
ALTER TABLE webhook ADD COLUMN login_password BLOB;     -- sealed
-- Whatever stands here, a key that is deleted is none. NULL: the webhook has a secret of its own; 0: it is not signed.
ALTER TABLE webhook ADD COLUMN signing_key INTEGER;
ALTER TABLE webhook ADD COLUMN metadata BLOB;           -- names and values, packed; NULL: none
