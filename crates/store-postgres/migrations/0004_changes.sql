-- What was changed that nodes remember, for the others. `n` has no gap and grows in the order of commits: it is given under a
-- lock that is taken last. The newest row is never removed, for the next number comes from it.

CREATE TABLE change (
    n             bigint PRIMARY KEY,
    origin        bigint NOT NULL,      -- whose change it is: a process has a number of its own, by chance
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind          text NOT NULL,
    workspace     bigint,               -- of kinds that are about one
    object        bigint,               -- the webhook, credential, operator key or user
    release_order text                  -- of a webhook that was released
);
