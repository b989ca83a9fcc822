-- What a webhook's owner may set beside its URL and its events, and the secrets that were replaced and still sign.
ALTER TABLE webhook ADD COLUMN retry_schedule TEXT;         -- as in `workspace`; NULL: the workspace's
ALTER TABLE webhook ADD COLUMN timeout_ms INTEGER;          -- NULL: the workspace's
ALTER TABLE webhook ADD COLUMN headers BLOB;                -- names and sealed values, packed; NULL: none
ALTER TABLE webhook ADD COLUMN previous_secrets BLOB;       -- expiries and sealed secrets, packed; NULL: none
ALTER TABLE webhook ADD COLUMN secret_expires_at INTEGER;   -- the first of those expiries

-- Where upkeep finds what has expired.
CREATE INDEX webhook_expiring ON webhook (secret_expires_at) WHERE secret_expires_at IS NOT NULL;
