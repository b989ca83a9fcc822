-- Workspaces whose events go for no age but their own.
ALTER TABLE workspace ADD COLUMN for_ever INTEGER NOT NULL DEFAULT 0;   -- 1: the server's ages do not hold
