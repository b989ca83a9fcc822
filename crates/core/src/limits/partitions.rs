//! Bounds on the tables that hold the events of a time each, in a store that has such tables.

use std::time::Duration;

/// How many tables hold the events of the age at which they go: an eighth of it is how much longer an event may stay. Each further
/// table costs every look-up by id, and many more than these cost it dearly.
pub const PARTITIONS_PER_AGE: u32 = 8;
/// The least time that a table holds. Where it would be less events go row by row.
pub const PARTITION_WIDTH_MIN: Duration = Duration::from_secs(3_600);
/// The time that a table holds where events do not go with it.
pub const PARTITION_WIDTH_MAX: Duration = Duration::from_secs(360 * 24 * 3_600);
/// Tables of events at once, and as many of their histories: four times as many as there are as a rule. Beyond, all that comes
/// lies in one, and goes row by row.
pub const PARTITIONS_MAX: u64 = 64;
/// How long whoever works with events may have to wait for a change of the tables that they lie in. Where that is not enough it is
/// tried again after the pause.
pub const PARTITION_CHANGE_WAIT: Duration = Duration::from_millis(100);
pub const PARTITION_CHANGE_PAUSE: Duration = Duration::from_secs(10);
