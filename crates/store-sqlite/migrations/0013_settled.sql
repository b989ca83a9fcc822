-- Since when a webhook is as it is, and who deleted it.
ALTER TABLE webhook ADD COLUMN created_after INTEGER NOT NULL DEFAULT 0;    -- last number taken when it was made; 0: not known
ALTER TABLE webhook ADD COLUMN settled_after INTEGER NOT NULL DEFAULT 0;    -- the same when what decides about events last changed
ALTER TABLE webhook ADD COLUMN deleted_by TEXT;                             -- NULL: not deleted, or not known

-- What webhooks were before now is not known.
UPDATE webhook SET settled_after =
    coalesce((SELECT sequence FROM head WHERE head.workspace = webhook.workspace), 0);
-- A deletion stands in its cut.
UPDATE webhook SET settled_after =
    coalesce(
        (SELECT max(upto) FROM cut WHERE cut.webhook = webhook.id AND cut.reason = 'webhook_deleted'),
        settled_after)
    WHERE deleted_at IS NOT NULL;

-- Where what is left of deleted webhooks is found.
CREATE INDEX webhook_deleted ON webhook (workspace, id) WHERE deleted_at IS NOT NULL;
