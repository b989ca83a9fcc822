//! How much housekeeping is done at once, and how often.

use std::time::Duration;

/// Rows removed in one step of upkeep or retention: some milliseconds.
pub const UPKEEP_ROWS_MAX: usize = 1_000;
/// How often secrets that have expired are looked for.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Steps of one look, each of some milliseconds and all in one go: secrets of 20,000 webhooks a minute. What else there
/// is to tidy up is done in the writer's idle time.
pub const UPKEEP_STEPS_MAX: usize = 20;
/// Events that may stand outside the listing indexes, or in them although they are gone: what a list has to pass over at
/// most, some 10 ms.
pub const UNINDEXED_EVENTS_MAX: u64 = 20_000;
