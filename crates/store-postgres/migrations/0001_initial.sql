-- Ids and times are 64-bit integers (times in milliseconds since the epoch). Lists lie packed in blobs, see the store
-- crate's src/pack.rs. Deleted rows of `webhook` and erased rows of `workspace` stay as tombstones.
--
-- Whatever a published event and a delivery that succeeds touch is appended, or deleted by its whole key, and never updated:
-- a stranger's open transaction keeps every version of an updated row alive, and each later look goes through all of them.
-- What changes a webhook's health or what its receiver bears updates its row, and an order's next delivery is updated when
-- its turn comes.

CREATE TABLE workspace (
    id             bigint PRIMARY KEY,
    public_id      text NOT NULL UNIQUE,
    dialect        text NOT NULL,
    name           text NOT NULL,
    features       bytea NOT NULL,
    retry_schedule text,                -- seconds, comma-separated; NULL: the dialect's
    timeout_ms     bigint,              -- NULL: the dialect's
    event_age_s    bigint,              -- this and the next: NULL is the server's
    payload_age_s  bigint,
    bytes_max      bigint,              -- of this workspace alone; NULL: none
    hold_after_s   bigint,              -- seconds of failing after which its webhooks are paused, 0: never
    release_order  text,                -- in which order what was held is sent
    feed           bigint NOT NULL,     -- 1: its events stand in `feed`
    for_ever       bigint NOT NULL,     -- 1: the server's ages do not hold
    created_at     bigint NOT NULL,
    erased_at      bigint
);
-- Workspaces whose events are looked at apart from all others.
CREATE INDEX workspace_with_rules ON workspace (id)
    WHERE event_age_s IS NOT NULL OR payload_age_s IS NOT NULL OR bytes_max IS NOT NULL;

-- One row for each living workspace. Changes with the catalogue, and when tallies are added up.
CREATE TABLE head (
    workspace       bigint PRIMARY KEY,
    version         bigint NOT NULL,            -- grows with every change that choosing targets must see
    events          bigint NOT NULL DEFAULT 0,  -- this and the next two: without what stands in `tally`
    bytes           bigint NOT NULL DEFAULT 0,
    kept_bytes      bigint NOT NULL DEFAULT 0,  -- of answers kept for its calls
    expired_through bigint NOT NULL DEFAULT 0   -- the highest place that retention has touched
);
-- Places in the sequences of workspaces: the highest is the last one that was taken; others are superseded.
CREATE TABLE place (
    workspace bigint NOT NULL,
    sequence  bigint NOT NULL,
    PRIMARY KEY (workspace, sequence)
);
-- What has come and gone of what `head` counts, until it is added up.
CREATE TABLE tally (
    workspace  bigint NOT NULL,
    events     bigint NOT NULL,
    bytes      bigint NOT NULL,
    kept_bytes bigint NOT NULL
);
CREATE INDEX tally_of_workspace ON tally (workspace);

CREATE TABLE webhook (
    id                   bigint PRIMARY KEY,
    workspace            bigint NOT NULL,
    public_id            text NOT NULL,
    name                 text,
    url                  text NOT NULL,
    events               bytea,         -- NULL: all
    subject              text,
    filter               text,          -- an expression, or NULL for all events of its types
    disabled_at          bigint,
    disable_reason       text,
    retry_schedule       text,          -- as in `workspace`; NULL: the workspace's
    timeout_ms           bigint,        -- NULL: the workspace's
    headers              bytea,         -- names and sealed values, packed; NULL: none
    secret               bytea,         -- sealed
    previous_secrets     bytea,         -- expiries and sealed secrets, packed; NULL: none
    secret_expires_at    bigint,        -- the first of those expiries
    login_user           text,
    login_password       bytea,         -- sealed
    -- Whatever stands here, a key that is deleted is none. NULL: the webhook has a secret of its own; 0: it is not signed.
    signing_key          bigint,
    metadata             bytea,         -- names and values, packed; NULL: none
    max_in_flight        bigint,        -- what its owner permits at once, and a second; NULL is no ceiling
    rate_per_s           bigint,
    concurrency          bigint,        -- requests that its receiver was last found to bear at once
    ordered              bigint NOT NULL,       -- 1: by key
    on_exhausted         text NOT NULL,
    consecutive_failures bigint NOT NULL,
    failing_since        bigint,
    held_since           bigint,        -- the pause by the engine; this and the next two stand together
    probes               bigint,
    probe_at             bigint,
    created_after        bigint NOT NULL,       -- last place taken when it was made
    settled_after        bigint NOT NULL,       -- the same when what decides about events last changed
    created_at           bigint NOT NULL,
    updated_at           bigint NOT NULL,
    deleted_at           bigint,
    deleted_by           text,
    UNIQUE (workspace, public_id)
);
CREATE INDEX webhook_living ON webhook (workspace, id) WHERE deleted_at IS NULL;
-- Where what is left of deleted webhooks is found.
CREATE INDEX webhook_deleted ON webhook (workspace, id) WHERE deleted_at IS NOT NULL;
-- Where upkeep finds what has expired.
CREATE INDEX webhook_expiring ON webhook (secret_expires_at) WHERE secret_expires_at IS NOT NULL;
-- Living webhooks by their public id alone, for callers who name no workspace.
CREATE INDEX webhook_by_public_id ON webhook (public_id, id) WHERE deleted_at IS NULL;
-- Where a workspace's webhooks with a filter are counted.
CREATE INDEX webhook_filtered ON webhook (workspace) WHERE filter IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE cut (
    webhook bigint NOT NULL,
    n       bigint NOT NULL,            -- order of making
    upto    bigint NOT NULL,
    at      bigint NOT NULL,
    reason  text NOT NULL,
    PRIMARY KEY (webhook, n)
);

CREATE TABLE signing_key (
    id         bigint PRIMARY KEY,
    workspace  bigint NOT NULL,
    public_id  text NOT NULL,
    sealed     bytea,                   -- NULL: deleted
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint,
    deleted_by text,
    UNIQUE (workspace, public_id)
);
CREATE INDEX signing_key_living ON signing_key (workspace, id) WHERE deleted_at IS NULL;
-- For callers who name no workspace.
CREATE INDEX signing_key_by_public_id ON signing_key (public_id, id) WHERE deleted_at IS NULL;

CREATE TABLE credential (
    id         bigint PRIMARY KEY,
    workspace  bigint NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    name       text,
    scopes     bytea NOT NULL,
    preview    text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint
);
CREATE INDEX credential_of_workspace ON credential (workspace, id);

CREATE TABLE operator_key (
    id         bigint PRIMARY KEY,
    workspace  bigint,                  -- NULL: bound to none
    hash       bytea NOT NULL UNIQUE,
    name       text,
    scopes     bytea NOT NULL,
    rate_per_s bigint,                  -- NULL: no limit
    rate_burst bigint,
    preview    text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    successor  bigint                   -- the key that took its place; NULL: none
);
CREATE INDEX operator_key_of_workspace ON operator_key (workspace, id);
-- Where upkeep finds what has expired, and a new key what makes room for it.
CREATE INDEX operator_key_expiring ON operator_key (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX operator_key_of_workspace_expiring ON operator_key (workspace, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE "user" (
    id           bigint PRIMARY KEY,
    dialect      text NOT NULL,
    public_id    text NOT NULL,
    username     text NOT NULL,
    display_name text NOT NULL,
    password     text NOT NULL,         -- argon2id, as a PHC string
    created_at   bigint NOT NULL,
    UNIQUE (dialect, username),
    UNIQUE (dialect, public_id)
);
-- A user goes with the last row.
CREATE TABLE user_right (
    id         bigint PRIMARY KEY,      -- among those of credentials
    workspace  bigint NOT NULL,
    "user"     bigint NOT NULL,
    name       text,
    scopes     bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint
);
CREATE INDEX user_right_of_workspace ON user_right (workspace, id);
CREATE INDEX user_right_of_user ON user_right ("user", workspace, id);
CREATE INDEX user_right_expiring ON user_right (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX user_right_of_workspace_expiring ON user_right (workspace, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE session (
    "user"     bigint PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX session_expiring ON session (expires_at);

-- Events. The columns that scans look at stand before the large ones.
CREATE TABLE message (
    id                 bigint NOT NULL,
    workspace          bigint NOT NULL,
    sequence           bigint NOT NULL,
    accepted_at        bigint NOT NULL,
    time               bigint NOT NULL,
    payload_removed_at bigint,          -- when set, `data` is empty
    type               text NOT NULL,
    subject            text,
    producer_id        text,
    ordering_key       text,
    targets            bytea NOT NULL,  -- webhook ids, 8 bytes each, little endian
    attributes         bytea,
    data               bytea NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
-- By an expression, so that nobody looks up an event in it that is named by its id alone: a plan made while the table is
-- empty finds that as good as the primary key, and reads the whole index.
CREATE INDEX message_of_workspace ON message (workspace, (id + 0));
CREATE TABLE message_other PARTITION OF message DEFAULT;

-- Events by what their producer calls them. The fingerprint stands only where the id identifies the event.
CREATE TABLE event_key (
    workspace   bigint NOT NULL,
    producer_id text NOT NULL,
    event       bigint NOT NULL,
    accepted_at bigint NOT NULL,
    fingerprint bytea,
    PRIMARY KEY (workspace, producer_id, event)
);

-- Events in order of their sequence, for workspaces that have a feed.
CREATE TABLE feed (
    workspace bigint NOT NULL,
    sequence  bigint NOT NULL,
    event     bigint NOT NULL,
    PRIMARY KEY (workspace, sequence)
);

-- What is owed: a row lives only while its delivery is pending (or until it is swept after a cut).
CREATE TABLE due (
    webhook        bigint NOT NULL,
    due_at         bigint NOT NULL,
    event          bigint NOT NULL,
    born           bigint NOT NULL,
    steps          bigint NOT NULL,
    tries          bigint NOT NULL,
    -- Of what has a place in an order, NULL of everything else: the key's stand-in, and the event's sequence. One that is
    -- held behind others of its key, and one that was given up and blocks it, stand at times that never come
    -- (src/ledger/order.rs); `due_then` is when the first will be due.
    order_key      bigint,
    order_sequence bigint,
    due_then       bigint,
    PRIMARY KEY (webhook, due_at, event)
);
-- Where deliveries of a webhook are found that have no attempt yet.
CREATE INDEX due_first ON due (webhook, event) WHERE steps = 0;
CREATE INDEX due_order ON due (webhook, order_key, order_sequence) WHERE order_key IS NOT NULL;

-- Histories of deliveries, and where those of one webhook are found.
CREATE TABLE attempt (
    webhook  bigint NOT NULL,
    event    bigint NOT NULL,
    n        bigint NOT NULL,
    at       bigint NOT NULL,
    retry_at bigint,
    born     bigint,
    verdict  bigint NOT NULL,           -- as in the store crate's src/row/step.rs
    outcome  text,                      -- the status as a number, else the failure's name; NULL when requeued
    detail   bytea,                     -- timing, text, headers and answer, packed; NULL when requeued
    PRIMARY KEY (webhook, event, n)
) PARTITION BY RANGE (event);
CREATE TABLE attempt_other PARTITION OF attempt DEFAULT;
-- Deliveries that were swept without an attempt, so that they are found by their webhook.
CREATE TABLE dropped (
    webhook bigint NOT NULL,
    event   bigint NOT NULL,
    PRIMARY KEY (webhook, event)
);

-- Webhooks whose rows in `due` may have been ended by a cut, and up to where they have been looked through.
CREATE TABLE sweep (
    webhook bigint PRIMARY KEY,
    due_at  bigint NOT NULL,
    event   bigint NOT NULL
);
-- Webhooks whose rule blocks no more and of which keys may be blocked still.
CREATE TABLE unblock (
    webhook bigint PRIMARY KEY
);
-- Erased workspaces of which something is left.
CREATE TABLE rest (
    workspace bigint PRIMARY KEY
);
-- Webhooks of workspaces that are closed, each with the last event that it waits for. With the last row of a workspace
-- its erasure begins.
CREATE TABLE leaving (
    webhook   bigint PRIMARY KEY,
    workspace bigint NOT NULL,
    event     bigint NOT NULL
);
CREATE INDEX leaving_of_workspace ON leaving (workspace);

-- The answers to calls by which a caller may ask again. In order of arrival, so that what expires stands together.
CREATE TABLE once (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace bigint NOT NULL,          -- 0: the operator side as a whole
    name      bytea NOT NULL,           -- hash of the operation and the caller's key
    at        bigint NOT NULL,
    request   bytea NOT NULL,           -- hash of what was asked for
    accepted  bytea,                    -- the answer to published events, packed
    sealed    bytea,                    -- the answer to anything else; it may hold a secret
    UNIQUE (workspace, name)
);
CREATE INDEX once_of_workspace ON once (workspace, id);
CREATE INDEX once_sealed ON once (workspace, name) WHERE sealed IS NOT NULL;

-- Replays: jobs that send many deliveries once more, and the plan of each. The row of a job is written with each step.
CREATE TABLE replay (
    id          bigint PRIMARY KEY,
    workspace   bigint NOT NULL,
    source      bigint NOT NULL,
    target      bigint NOT NULL,
    which       text NOT NULL,
    since       bigint NOT NULL,
    until       bigint NOT NULL,
    types       bytea NOT NULL,         -- packed; none stands for all
    subject     text,
    per_second  bigint NOT NULL,
    start       text NOT NULL,
    phase       text NOT NULL,
    reason      text,                   -- of a job that was cancelled
    made_by     text NOT NULL,
    made_at     bigint NOT NULL,
    changed_by  text NOT NULL,
    changed_at  bigint NOT NULL,
    planned_to  bigint,
    planned     bigint NOT NULL,
    done_to     bigint,
    sent        bigint NOT NULL,
    passed_over bigint NOT NULL
);
CREATE INDEX replay_of_workspace ON replay (workspace, id);
-- What the loop works on.
CREATE INDEX replay_busy ON replay (id) WHERE phase IN ('planning', 'running');
-- Where upkeep finds what has waited for too long, and what is remembered no more.
CREATE INDEX replay_by_change ON replay (phase, changed_at);
CREATE TABLE replay_plan (
    replay bigint NOT NULL,
    event  bigint NOT NULL,
    PRIMARY KEY (replay, event)
);
-- Jobs that have ended and whose plans are still to be removed.
CREATE TABLE replay_rest (
    replay bigint PRIMARY KEY
);

-- A known text, sealed: who cannot open it has the wrong master key.
CREATE TABLE key_check (
    id     bigint PRIMARY KEY CHECK (id = 1),
    sealed bytea NOT NULL
);
-- Ids that are numbers: of each kind the last one taken. Rows are named as in core's `Counter`.
CREATE TABLE counter (
    name text PRIMARY KEY,
    last bigint NOT NULL
);
INSERT INTO counter (name, last) VALUES ('workspace', 0), ('webhook', 0), ('signing_key', 0), ('user', 0);
-- Single numbers.
CREATE TABLE meta (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO meta (name, value) VALUES
    ('highest_deleted_id', 0),          -- ids of rows that are gone for good
    ('probed_at', 0),
    ('kept_bytes', 0),                  -- of all answers kept for calls, without what stands in `tally`
    ('kept_bytes_outside', 0);          -- of the operator side as a whole, which has no head
