-- Figures of what has happened, added up for people who look: a view and never the truth. Counted in memory, and added to now and then.

CREATE TABLE figure (
    workspace          bigint NOT NULL,   -- 0: all of them, minute by minute; else hour by hour
    webhook            bigint NOT NULL,   -- 0: all of the workspace's
    at                 bigint NOT NULL,   -- when the minute or the hour begins
    events             bigint NOT NULL,   -- accepted
    attempts_succeeded bigint NOT NULL,
    attempts_failed    bigint NOT NULL,
    delivered          bigint NOT NULL,
    failed             bigint NOT NULL,   -- given up
    dropped            bigint NOT NULL,   -- with their webhooks, as far as memory held them
    retries            bigint NOT NULL,   -- attempts that are to be repeated
    oldest_due_ms      bigint NOT NULL,   -- at most
    latency_ms         bigint NOT NULL,   -- from acceptance to delivery, all of them together
    latency_1          bigint NOT NULL,   -- how many took up to 1, 2, 5 ms and so on
    latency_2          bigint NOT NULL,
    latency_3          bigint NOT NULL,
    latency_4          bigint NOT NULL,
    latency_5          bigint NOT NULL,
    latency_6          bigint NOT NULL,
    latency_7          bigint NOT NULL,
    latency_8          bigint NOT NULL,
    latency_9          bigint NOT NULL,
    latency_10         bigint NOT NULL,
    latency_11         bigint NOT NULL,
    latency_12         bigint NOT NULL,
    latency_13         bigint NOT NULL,
    latency_14         bigint NOT NULL,
    latency_15         bigint NOT NULL,
    latency_16         bigint NOT NULL,
    PRIMARY KEY (workspace, webhook, at)
);
-- Where upkeep finds what is kept no longer: of webhooks sooner than of others.
CREATE INDEX figure_of_webhooks ON figure (at) WHERE webhook <> 0;
CREATE INDEX figure_of_others ON figure (at) WHERE webhook = 0;
-- Webhooks that failed most, of all and of one workspace.
CREATE INDEX figure_failing ON figure (at, attempts_failed DESC, webhook) WHERE webhook <> 0 AND attempts_failed > 0;
CREATE INDEX figure_failing_of ON figure (workspace, at, attempts_failed DESC, webhook) WHERE webhook <> 0 AND attempts_failed > 0;
