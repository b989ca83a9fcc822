-- Which events a webhook wants beside what its types and its subject say: an expression, or NULL for all of them.
ALTER TABLE webhook ADD COLUMN filter TEXT;
