-- Since when a webhook's receiver only fails, and the pause by the engine: since when it lasts, how many probes have failed and
-- when the next may begin. The last three stand together; NULL while it is not paused so.
ALTER TABLE webhook ADD COLUMN failing_since INTEGER;
ALTER TABLE webhook ADD COLUMN held_since INTEGER;
ALTER TABLE webhook ADD COLUMN probes INTEGER;
ALTER TABLE webhook ADD COLUMN probe_at INTEGER;
-- A workspace's own rules: seconds of failing after which its webhooks are paused, zero for never, and in which order what was
-- held is sent. NULL where it has none.
ALTER TABLE workspace ADD COLUMN hold_after_s INTEGER;
ALTER TABLE workspace ADD COLUMN release_order TEXT;
