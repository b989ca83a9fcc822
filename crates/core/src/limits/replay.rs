//! Bounds of replays: see [`crate::replay`].

/// Deliveries of one replay. Its plan takes some 20 bytes for each, and at a modest rate it is a day's work.
pub const REPLAY_DELIVERIES_MAX: u64 = 1_000_000;
/// Replays of one workspace that are planned or run at the same time: all of them share one loop and the store's readers.
pub const REPLAYS_BUSY_MAX: usize = 10;
/// Replays of one workspace that have not ended, each with a plan.
pub const REPLAYS_OPEN_MAX: usize = 100;
/// Replays of one workspace that are remembered, open or not: thirty a day.
pub const REPLAYS_REMEMBERED_MAX: usize = 1_000;
/// How long a replay that has ended is remembered, in milliseconds: 30 days, for somebody to find out who sent what again.
pub const REPLAY_REMEMBERED_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// How long a replay may wait for somebody to start or resume it, in milliseconds: seven days. What its plan names grows old
/// meanwhile.
pub const REPLAY_IDLE_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// The highest rate of one replay: what a node delivers beside live traffic.
pub const REPLAY_PER_SECOND_MAX: u32 = 5_000;
/// The rate of one that was asked for without any: little beside live traffic, and a hundred thousand in half an hour.
pub const REPLAY_PER_SECOND_DEFAULT: u32 = 50;
/// Event types of one replay, as of a webhook.
pub const REPLAY_TYPES_MAX: usize = super::WEBHOOK_EVENTS_MAX;
/// Bytes of events that one step writes anew because they were not meant for the target before: some 20 ms of the writer's time.
pub const REPLAY_STEP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Webhooks of one event up to which a replay names another. No store that is in use has a hundredth, and the list is
/// written anew each time.
pub const REPLAY_EVENT_TARGETS_MAX: usize = 10_000;
