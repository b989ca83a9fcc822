-- Where a workspace's webhooks with a filter are counted.
CREATE INDEX webhook_filtered ON webhook (workspace) WHERE filter IS NOT NULL AND deleted_at IS NULL;
