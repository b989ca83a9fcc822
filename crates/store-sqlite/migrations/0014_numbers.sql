-- Ids that are numbers: of each kind the last one taken. Rows are named as in core's `Counter`.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter (name, last) VALUES ('workspace', 0), ('webhook', 0), ('signing_key', 0), ('user', 0);

-- Living webhooks by their public id alone, for callers who name no workspace.
CREATE INDEX webhook_by_public_id ON webhook (public_id) WHERE deleted_at IS NULL;
