-- How operator keys end: rotated once, and forgotten some time after they have expired.
ALTER TABLE operator_key ADD COLUMN successor INTEGER;      -- the key that took its place; NULL: none

-- Where upkeep finds what has expired, and a new key what makes room for it.
CREATE INDEX operator_key_expiring ON operator_key (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX operator_key_of_workspace_expiring ON operator_key (workspace, expires_at) WHERE expires_at IS NOT NULL;
