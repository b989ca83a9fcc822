-- Order by key: deliveries of events with the same key to one webhook go one after the other.
ALTER TABLE message ADD COLUMN ordering_key TEXT;
ALTER TABLE webhook ADD COLUMN ordered INTEGER NOT NULL DEFAULT 0;      -- 1: by key
ALTER TABLE webhook ADD COLUMN on_exhausted TEXT NOT NULL DEFAULT 'skip';
-- Of what has a place in an order, NULL of everything else: the key's stand-in, and the event's sequence. One that is held
-- behind others of its key, and one that was given up and blocks it, stand at the end of their webhook's rows, at times that
-- never come (src/ledger/order.rs); `due_then` is when the first will be due.
ALTER TABLE due ADD COLUMN order_key INTEGER;
ALTER TABLE due ADD COLUMN order_sequence INTEGER;
ALTER TABLE due ADD COLUMN due_then INTEGER;
CREATE INDEX due_order ON due (webhook, order_key, order_sequence) WHERE order_key IS NOT NULL;
-- Webhooks whose rule blocks no more and of which keys may be blocked still.
CREATE TABLE unblock (
    webhook INTEGER PRIMARY KEY
);
